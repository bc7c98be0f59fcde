"""Pulls of emulated vendors, a help desk if nothing is said: what the tests of the REST connector share.

As a program, to be killed: `python -m tests.rest_kit DATA_FOLDER ADDRESS STREAM DATE [SYSTEM]`.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from assets.landing.connectors.config import FileStream, RestPull
from assets.pulling.delivery import Delivery
from assets.pulling.rest.http import Patience
from assets.pulling.rest.pull import pull_rest
from assets.pulling.rest.vendor import Limit, Vendor
from assets.pulling.rest.vendors import VENDORS
from assets.pulling.rest.zendesk import ZENDESK
from quality.contract.model import load_contract
from storage.data_folder import DataFolder, StreamId
from storage.errors import JourneymartError
from tests.emulator_kit import Row
from tests.zendesk_emulator import CREDENTIALS

FIRST = date(2026, 6, 1)
# Faults are met as in earnest, only sooner.
SOON = Patience(tries=4, first_wait=0.001, longest_wait=0.004, max_bytes=8 * 1024**2)


@dataclass(frozen=True)
class Account:
    """An account at a vendor: what its source is called here, its API, and who asks."""

    source: str
    vendor: Vendor
    credentials: Mapping[str, str]

    def stream(self, name: str) -> StreamId:
        """A stream of it."""
        return StreamId(self.source, self.vendor.system, name)

    def unlimited(self) -> Vendor:
        """Its API without limits of requests a minute, which have tests of their own."""
        free, streams = Limit("none", 1_000_000), self.vendor.streams
        return replace(self.vendor, streams={name: replace(each, limit=free) for name, each in streams.items()})


DESK = Account("desk", ZENDESK, CREDENTIALS)


def stream_of(folder: DataFolder, stream: str = "tickets", account: Account = DESK) -> FileStream:
    """A stream of an account, as landing takes it."""
    return FileStream(
        stream=account.stream(stream),
        location=str(folder.pulled / account.source),
        pattern="{stream}/{date}/*.parquet",
        first_date=FIRST,
    )


def pull(
    folder: DataFolder,
    base: str,
    stream: str = "tickets",
    day: date = FIRST,
    *,
    account: Account = DESK,
    credentials: Mapping[str, str] | None = None,
    hours: float = 1.0,
    vendor: Vendor | None = None,
    patience: Patience = SOON,
) -> Delivery:
    """Pull an extract."""
    said = credentials or account.credentials
    named = {name: f"{account.source.upper()}_{name.upper()}" for name in said}
    os.environ.update({named[name]: value for name, value in said.items()})
    how = RestPull(base, tuple(named.items()), hours)
    contract = load_contract(account.vendor.system, stream)
    asked = vendor or account.unlimited()
    return pull_rest(stream_of(folder, stream, account), how, contract, folder, day, vendor=asked, patience=patience)


def pages(folder: DataFolder, stream: str = "tickets", day: date = FIRST, account: Account = DESK) -> list[Path]:
    """Pages of an extract that are there."""
    return sorted((folder.pulled_stream(account.stream(stream)) / day.isoformat()).glob("[0-9]*.parquet"))


def pulled(
    folder: DataFolder, stream: str = "tickets", days: Iterable[date] = (FIRST,), account: Account = DESK
) -> list[dict[str, Any]]:
    """Rows of some extracts, in the order they came."""
    return [row for day in days for page in pages(folder, stream, day, account) for row in pa_rows(pq.read_table(page))]


def pa_rows(table: pa.Table) -> list[dict[str, Any]]:
    """Rows of a table."""
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def newest(rows: Iterable[dict[str, Any]], version: str, key: str = "id") -> dict[str, dict[str, Any]]:
    """The newest version of each record, the later row of two alike."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        if row[key] not in found or row[version] >= found[row[key]][version]:
            found[row[key]] = row
    return found


def as_told(rows: Iterable[Row], stream: str = "tickets", system: str = "zendesk") -> dict[str, dict[str, Any]]:
    """Records of a vendor as text columns of the contract, by key: written again, with Python's own JSON."""
    contract = load_contract(system, stream)
    (key,) = contract.key
    return {str(row[key]): {name: _text(row.get(name)) for name in contract.columns} for row in rows}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str | None) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def day_after(day: date = FIRST) -> date:
    """The next day."""
    return day + timedelta(days=1)


class Killed(BaseException):
    """Stands for a kill, where a process for each would take too long."""


def killed_at(kills: Collection[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Have pulls killed at some of the points where they can be, counted from the first on."""
    points = count(1)

    def die(_: str) -> None:
        if next(points) in kills:
            raise Killed

    monkeypatch.setattr("assets.pulling.delivery.fault_point", die)
    # Of a kill that is none, the machine's buffers stay.
    monkeypatch.setattr("storage.files.flush", lambda _: None)


# Of a pull in which a few requests fail and a few kills come.
_ENOUGH_ATTEMPTS = 100


def until_it_works(act: Callable[[], object]) -> None:
    """As people do whose night failed or was killed, until they see that it never works."""
    for _ in range(_ENOUGH_ATTEMPTS - 1):
        try:
            act()
        except (Killed, JourneymartError):
            continue
        return
    act()


if __name__ == "__main__":
    _, root, address, stream, day, *system = sys.argv
    asked = DESK
    if system:
        credentials = importlib.import_module(f"tests.{system[0]}_emulator").CREDENTIALS
        asked = Account(system[0], VENDORS[system[0]], credentials)
    pull(DataFolder(Path(root)), address, stream, date.fromisoformat(day), account=asked)
