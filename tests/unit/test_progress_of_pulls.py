"""How far a pull is: told page by page in a terminal, and now and then in the event log, however long it takes."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import partial
from pathlib import Path

import pyarrow as pa

from assets.pulling.delivery import open_delivery, telling
from orchestration.progress import Pages, listening
from storage.data_folder import DataFolder, StreamId

TICKETS = StreamId("desk", "zendesk", "tickets")


def test_every_page_is_told_with_those_of_a_pull_that_was_killed(tmp_path: Path) -> None:
    rows, day, said = pa.table({"id": ["1", "2"]}), date(2026, 6, 1), list[str]()
    open_delivery(DataFolder(tmp_path), TICKETS, day, "x").add(rows, "behind", end=False)
    delivery = open_delivery(DataFolder(tmp_path), TICKETS, day, "x")
    with listening(said.append), telling(partial(Pages(said.append).tell, TICKETS)):
        delivery.add(rows, "further", end=False)
        delivery.add(rows, None, end=True)
    assert said == ["desk/tickets: 2 pages, 4 rows", "desk/tickets: 3 pages, 6 rows"]


def test_a_long_pull_leaves_lines_in_the_event_log_and_only_where_it_moved_on() -> None:
    logged = list[str]()
    moved, over = threading.Event(), threading.Event()

    def log(line: str) -> None:
        logged.append(line)
        over.set()

    def pull() -> str:
        pages.tell(TICKETS, 7, 7000)
        moved.set()
        over.wait()
        return "done"

    pages = Pages(log)
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(pull)
        moved.wait()
        assert pages.wait_for(future, seconds=0.01) == "done"
    assert logged == ["desk/tickets: 7 pages, 7,000 rows so far"]
