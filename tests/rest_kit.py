"""Pulls of an emulated help desk: what the tests of the REST connector share.

As a program, to be killed: `python -m tests.rest_kit DATA_FOLDER ADDRESS STREAM DATE`.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from assets.landing.connectors.config import FileStream, RestPull
from assets.pulling.delivery import Delivery
from assets.pulling.rest.http import Patience
from assets.pulling.rest.pull import pull_rest
from assets.pulling.rest.vendor import Limit, Vendor
from assets.pulling.rest.zendesk import ZENDESK
from quality.contract.model import load_contract
from storage.data_folder import DataFolder, StreamId
from tests.zendesk_emulator import CREDENTIALS, Row

FIRST = date(2026, 6, 1)
# Faults are met as in earnest, only sooner.
SOON = Patience(tries=4, first_wait=0.001, longest_wait=0.004, max_bytes=8 * 1024**2)


def unlimited() -> Vendor:
    """Zendesk without its limits of requests a minute, which have tests of their own."""
    free = Limit("none", 1_000_000)
    return replace(ZENDESK, streams={name: replace(each, limit=free) for name, each in ZENDESK.streams.items()})


def stream_of(folder: DataFolder, stream: str = "tickets") -> FileStream:
    """A stream of the desk, as landing takes it."""
    return FileStream(
        stream=StreamId("desk", "zendesk", stream),
        location=str(folder.pulled / "desk"),
        pattern="{stream}/{date}/*.parquet",
        first_date=FIRST,
    )


def pull(
    folder: DataFolder,
    base: str,
    stream: str = "tickets",
    day: date = FIRST,
    *,
    credentials: dict[str, str] = CREDENTIALS,
    hours: float = 1.0,
    vendor: Vendor | None = None,
) -> Delivery:
    """Pull an extract."""
    named = {name: f"DESK_{name.upper()}" for name in credentials}
    os.environ.update({named[name]: value for name, value in credentials.items()})
    how = RestPull(base, tuple(named.items()), hours)
    contract = load_contract("zendesk", stream)
    asked = vendor or unlimited()
    return pull_rest(stream_of(folder, stream), how, contract, folder, day, vendor=asked, patience=SOON)


def pages(folder: DataFolder, stream: str = "tickets", day: date = FIRST) -> list[Path]:
    """Pages of an extract that are there."""
    return sorted((folder.pulled_stream(StreamId("desk", "zendesk", stream)) / day.isoformat()).glob("[0-9]*.parquet"))


def pulled(folder: DataFolder, stream: str = "tickets", days: Iterable[date] = (FIRST,)) -> list[dict[str, Any]]:
    """Rows of some extracts, in the order they came."""
    return [row for day in days for page in pages(folder, stream, day) for row in pa_rows(pq.read_table(page))]


def pa_rows(table: pa.Table) -> list[dict[str, Any]]:
    """Rows of a table."""
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def newest(rows: Iterable[dict[str, Any]], version: str) -> dict[str, dict[str, Any]]:
    """The newest version of each record, the later row of two alike."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        if row["id"] not in found or row[version] >= found[row["id"]][version]:
            found[row["id"]] = row
    return found


def as_told(rows: Iterable[Row], stream: str = "tickets") -> dict[str, dict[str, Any]]:
    """Records of the desk as text columns of the contract, by id: written a second time, with Python's own JSON."""
    return {
        str(row["id"]): {name: _text(row.get(name)) for name in load_contract("zendesk", stream).columns}
        for row in rows
    }


def _text(value: Any) -> str | None:
    return value if isinstance(value, str | None) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def day_after(day: date = FIRST) -> date:
    """The next day."""
    return day + timedelta(days=1)


if __name__ == "__main__":
    pull(DataFolder(Path(sys.argv[1])), sys.argv[2], sys.argv[3], date.fromisoformat(sys.argv[4]))
