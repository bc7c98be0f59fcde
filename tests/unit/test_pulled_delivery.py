"""A pulled delivery holds exactly the rows of its source, whenever the pull is killed, and landing takes it whole."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.landing.connectors.drop_folder import find_delivery
from assets.pulling.delivery import clear_delivery, discard_pages, ended_before, open_delivery
from storage.data_folder import DataFolder
from storage.faults import FAULT_VARIABLE
from tests.landing_kit import FIRST
from tests.pull_kit import ROWS_OF_A_DAY, STREAM, landed_ids, numbered, pull, pulled

NEXT_DAY = FIRST + timedelta(days=1)


def everything(folder: DataFolder) -> list[str]:
    return sorted(str(path.relative_to(folder.pulled)) for path in folder.pulled.rglob("*") if path.is_file())


class Killed(BaseException):
    """What a kill is to the code it hits: nothing runs behind it."""


@contextmanager
def killed_before(step: int) -> Iterator[None]:
    """Die before the step-th change of the disk; a file that was being written is left in part."""
    left = step

    def dying(change: Callable[..., Any]) -> Callable[..., Any]:
        def changed(*args: Any, **kwargs: Any) -> Any:
            nonlocal left
            left -= 1
            if left < 0:
                if change is written:
                    Path(args[1]).write_bytes(b"PAR1 and no more")
                raise Killed
            return change(*args, **kwargs)

        return changed

    written = pq.write_table
    with pytest.MonkeyPatch.context() as patch:
        for module, name in (
            (os, "rename"),
            (os, "replace"),
            (os, "fsync"),
            (os, "unlink"),
            (shutil, "rmtree"),
            (pq, "write_table"),
        ):
            patch.setattr(module, name, dying(getattr(module, name)))
        yield


@pytest.mark.promise("once")
@settings(max_examples=15)
@given(kills=st.lists(st.integers(0, 60), max_size=8))
def test_whenever_it_is_killed_the_rows_land_once_each_and_none_is_lost(
    tmp_path_factory: pytest.TempPathFactory, kills: list[int]
) -> None:
    folder = DataFolder(tmp_path_factory.mktemp("killed") / "data")
    for step in kills:
        with killed_before(step):
            try:
                for day in (FIRST, NEXT_DAY):
                    pull(folder, day)
            except Killed:
                pass
    for day in (FIRST, NEXT_DAY):
        pull(folder, day)

    assert landed_ids(folder, FIRST) == list(range(ROWS_OF_A_DAY))
    assert landed_ids(folder, NEXT_DAY) == list(range(ROWS_OF_A_DAY, 2 * ROWS_OF_A_DAY))
    assert everything(folder) == [f"{STREAM}/ends.json"]


@pytest.mark.promise("kills")
@pytest.mark.parametrize("point", ["in_page", "after_page", "in_completion", "in_clearing"])
def test_a_process_killed_at_any_point_is_gone_on_with(folder: DataFolder, point: str) -> None:
    program = [sys.executable, "-m", "tests.pull_kit", str(folder.root), FIRST.isoformat()]
    result = subprocess.run(program, env={**os.environ, FAULT_VARIABLE: point}, check=False)
    assert result.returncode == -signal.SIGKILL
    before = everything(folder)
    assert before

    pull(folder, FIRST)

    assert landed_ids(folder, FIRST) == list(range(ROWS_OF_A_DAY))
    assert ended_before(folder, STREAM, NEXT_DAY) == str(ROWS_OF_A_DAY)


def test_pages_that_are_there_are_not_asked_for_again(folder: DataFolder) -> None:
    begun = open_delivery(folder, STREAM, FIRST, "all")
    begun.add(numbered(0, 10), "10", end=False)

    again = open_delivery(folder, STREAM, FIRST, "all")
    assert (again.next, again.is_ended, again.pages, again.rows, again.resumed) == ("10", False, 1, 10, 1)
    again.add(numbered(10, 12), None, end=True)
    assert (again.is_ended, again.pages, again.rows, again.resumed) == (True, 2, 12, 1)


def test_landing_takes_nothing_before_the_last_page_and_then_all(folder: DataFolder) -> None:
    delivery = open_delivery(folder, STREAM, FIRST, "all")
    delivery.add(numbered(0, 10), "10", end=False)
    with pytest.raises(ValueError, match="no last page"):
        delivery.complete()
    assert find_delivery(pulled(folder), FIRST) == ()

    delivery.add(numbered(10, 12), None, end=True)
    assert find_delivery(pulled(folder), FIRST) == ()
    delivery.complete()
    assert [file.declared and file.declared.rows for file in find_delivery(pulled(folder), FIRST)] == [10, 2]


def test_a_quiet_day_is_one_page_without_rows(folder: DataFolder) -> None:
    delivery = open_delivery(folder, STREAM, FIRST, "all")
    delivery.add(numbered(0, 0), None, end=True)
    delivery.complete()

    (file,) = find_delivery(pulled(folder), FIRST)
    assert file.declared is not None
    assert file.declared.rows == 0


def test_another_question_begins_anew(folder: DataFolder) -> None:
    open_delivery(folder, STREAM, FIRST, "id, status").add(numbered(0, 10), "10", end=False)

    assert open_delivery(folder, STREAM, FIRST, "id").pages == 0
    assert everything(folder) == []


@pytest.mark.parametrize("lacking", ["000001.parquet", "000002.parquet"])
def test_pages_with_a_gap_or_damage_are_pulled_anew(folder: DataFolder, lacking: str) -> None:
    delivery = open_delivery(folder, STREAM, FIRST, "all")
    for at in (0, 10, 20):
        delivery.add(numbered(at, at + 10), str(at + 10), end=False)
    page = folder.pulled_stream(STREAM) / FIRST.isoformat() / lacking
    if lacking == "000001.parquet":
        page.unlink()
    else:
        page.write_bytes(b"PAR1")

    assert open_delivery(folder, STREAM, FIRST, "all").pages == 0


def test_what_a_date_ended_with_is_what_later_ones_begin_with(folder: DataFolder) -> None:
    for day, end in ((FIRST, "a"), (NEXT_DAY, "b")):
        delivery = open_delivery(folder, STREAM, day, "all")
        delivery.add(numbered(0, 1), end, end=True)
        delivery.complete()
        clear_delivery(folder, STREAM, day)

    later = NEXT_DAY + timedelta(days=5)
    assert [ended_before(folder, STREAM, day) for day in (FIRST, NEXT_DAY, later)] == [None, "a", "b"]


def test_pages_that_never_ended_leave_nothing_behind(folder: DataFolder) -> None:
    open_delivery(folder, STREAM, FIRST, "all").add(numbered(0, 10), "10", end=False)
    clear_delivery(folder, STREAM, FIRST)

    assert everything(folder) == []
    assert ended_before(folder, STREAM, NEXT_DAY) is None


def test_nobody_but_the_owner_looks_into_pages(folder: DataFolder) -> None:
    open_delivery(folder, STREAM, FIRST, "all")

    assert folder.pulled.stat().st_mode & 0o777 == 0o700


def test_pages_that_have_not_landed_can_be_discarded_and_the_next_date_begins_where_it_would(
    folder: DataFolder,
) -> None:
    pull(folder, FIRST)
    open_delivery(folder, STREAM, NEXT_DAY, "all").add(numbered(0, 10), "10", end=False)

    discard_pages(folder, STREAM)

    assert everything(folder) == [f"{STREAM}/ends.json"]
    assert ended_before(folder, STREAM, NEXT_DAY) == str(ROWS_OF_A_DAY)
