"""A source of numbered rows that is pulled page by page, landed and cleared away.

Also a program, to be killed: `python -m tests.pull_kit DATA_FOLDER DATE`.
"""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from assets.landing.connectors.config import FileStream
from assets.landing.land import land
from assets.pulling.delivery import clear_delivery, ended_before, open_delivery
from quality.landed.extract import ROWS
from storage.data_folder import DataFolder, StreamId
from tests.landing_kit import FIRST, contract

STREAM = StreamId("helpdesk", "zendesk", "tickets")
ROWS_OF_A_DAY, ROWS_OF_A_PAGE = 25, 10
COLUMNS = pa.schema([("id", pa.string()), ("status", pa.string())])


def pull(folder: DataFolder, day: date) -> None:
    """Pull the rows behind those of the date before, a day's worth of them, unless they have landed."""
    if not folder.landing_partition(STREAM, day).exists():
        begin = int(ended_before(folder, STREAM, day) or 0)
        delivery = open_delivery(folder, STREAM, day, f"rows behind {begin}")
        while not delivery.is_ended:
            at = int(delivery.next or begin)
            upto = min(at + ROWS_OF_A_PAGE, begin + ROWS_OF_A_DAY)
            delivery.add(numbered(at, upto), str(upto), end=upto == begin + ROWS_OF_A_DAY)
        delivery.complete()
        land(pulled(folder), contract("status"), folder, day)
    clear_delivery(folder, STREAM, day)


def numbered(begin: int, end: int) -> pa.Table:
    """Rows by number."""
    return pa.table([[str(row) for row in range(begin, end)], ["open"] * (end - begin)], schema=COLUMNS)


def pulled(folder: DataFolder) -> FileStream:
    """The stream as landing knows it."""
    return FileStream(
        stream=STREAM,
        location=str(folder.pulled / STREAM.source),
        pattern="{stream}/{date}/*.parquet",
        first_date=FIRST,
    )


def landed_ids(folder: DataFolder, day: date) -> list[int]:
    """Numbers of the rows that have landed."""
    rows = pq.read_table(folder.landing_partition(STREAM, day) / ROWS)
    return [int(value) for value in rows["id"].to_pylist()]


if __name__ == "__main__":
    pull(DataFolder(Path(sys.argv[1])), date.fromisoformat(sys.argv[2]))
