"""What the tests of connectors and landing share: a drop folder to deliver into, readers of what landed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from assets.landing.connectors.config import FileStream
from assets.landing.land import Landed, land, land_many
from quality.contract.model import Column, Contract
from storage.data_folder import DataFolder, StreamId

FIRST = date(2026, 3, 1)
STREAM = StreamId("helpdesk", "zendesk", "tickets")


def contract(*columns: str, key: tuple[str, ...] = ("id",), **types: Any) -> Contract:
    """A contract over text columns."""
    every = {
        name: Column(type=types.get(name, "text"), required=name in key, pii="none", description=name)
        for name in (*key, *columns)
    }
    return Contract(
        system="zendesk",
        stream="tickets",
        description="One row per ticket.",
        key=key,
        version=None,
        columns=every,
    )


@dataclass(frozen=True)
class Drop:
    """A drop folder and the data folder its extracts land in."""

    inbox: Path
    folder: DataFolder
    stream: FileStream
    contract: Contract

    @staticmethod
    def at(root: Path, **settings: Any) -> Drop:
        inbox = root / "drop box"
        inbox.mkdir(parents=True, exist_ok=True)
        defaults: dict[str, Any] = {
            "pattern": "{stream}_{date}.csv",
            "first_date": FIRST,
            "complete": "rename",
        }
        stream = FileStream(stream=STREAM, location=str(inbox), **{**defaults, **settings})
        return Drop(inbox, DataFolder(root / "data"), stream, contract("status"))

    def having(self, **settings: Any) -> Drop:
        return replace(self, stream=replace(self.stream, **settings))

    def deliver(self, name: str, content: bytes | str) -> Path:
        path = self.inbox / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def declare(self, name: str, rows: int, **said: Any) -> None:
        content = (self.inbox / name).read_bytes()
        facts = {"rows": rows, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest(), **said}
        self.deliver(f"{name}.manifest.json", json.dumps(facts))

    def land(self, day: date = FIRST) -> Landed:
        landed = land(self.stream, self.contract, self.folder, day)
        assert landed is not None
        return landed

    def land_many(self, *days: date) -> list[Landed]:
        return land_many(self.stream, self.contract, self.folder, days)

    def partition(self, day: date = FIRST) -> Path:
        return self.folder.landing_partition(STREAM, day)

    def read(self, what: str = "rows", day: date = FIRST) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = pq.read_table(self.partition(day) / f"{what}.parquet").to_pylist()
        return rows

    def column(self, name: str, day: date = FIRST, what: str = "rows") -> list[Any]:
        return [row[name] for row in self.read(what, day)]
