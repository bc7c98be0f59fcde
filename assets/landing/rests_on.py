"""What the rows of a landed extract rest on besides its own files: what its mapping looks up in other streams.

What lives here: the hash by which a partition is known to be as its mapping would make it now. Not here: looking up
(looked_up.py), making partitions anew (map_again.py).

Rows rest on all that landed of the other streams up to their date, and, for keys nobody knew then, on the first extract
after that holds one. So an extract that comes in order moves no earlier one, unless it is the first to know a key.
"""

from __future__ import annotations

import bisect
import hashlib
import json
from collections.abc import Collection
from datetime import date
from functools import cached_property
from pathlib import Path

import duckdb

from assets.landing.connectors.config import FileStream
from assets.landing.looked_up import digest, keys_said, said_by
from quality.contract.model import load_contract
from quality.landed.manifest import Mapped, landed_contents, landed_mappings
from storage.engine import connect


class RestsOn:
    """By what the extracts of one stream are mapped now.

    Args:
        stream: The stream.
        home: Its folder in landing; those of the streams it looks up lie beside it.
    """

    def __init__(self, stream: FileStream, home: Path) -> None:
        self._own = stream.mapped_by
        self._system = stream.stream.system
        self._home = home
        self._names = sorted(stream.looks_up)

    def behind(self) -> list[date]:
        """Landed extract dates that were mapped otherwise, oldest first."""
        landed = landed_mappings(self._home)
        return [day for day, (mapping, unknown) in landed.items() if mapping != self._mapped_by(day, unknown)]

    def mapped_by(self, day: date, mapped: Mapped | None) -> str | None:
        """Hash of what decides the rows of an extract; None: it has no mapping.

        Args:
            day: Its extract date.
            mapped: What the mapping made of it.
        """
        return self._mapped_by(day, mapped.unknown_then if mapped else ())

    def _mapped_by(self, day: date, unknown_then: Collection[str]) -> str | None:
        if self._own is None or not self._names:
            return self._own
        before = [[name, self._up_to(name, day)] for name in self._names]
        said = json.dumps([self._own, before, self._first_after(day, unknown_then)])
        return hashlib.sha256(said.encode()).hexdigest()

    def _up_to(self, name: str, day: date) -> str:
        """Hash of what landed of a stream up to a day."""
        days, hashes = self._contents[name]
        return hashes[bisect.bisect_right(days, day)]

    def _first_after(self, day: date, unknown_then: Collection[str]) -> list[list[str]]:
        """The first extract after a day that knows each of some keys, of those that one knows."""
        if not unknown_then:
            return []
        found = self._keys.execute(
            "select digest, min(day) from keys where day > $day and digest in (select unnest($digests)) "
            "group by digest order by digest",
            {"day": day, "digests": list(unknown_then)},
        ).fetchall()
        return [[key, str(first), self._landed[key.partition(":")[0]][first]] for key, first in found]

    @cached_property
    def _landed(self) -> dict[str, dict[date, str]]:
        """Hash of every landed extract of each stream that is looked up."""
        return {name: landed_contents(self._home.with_name(name)) for name in self._names}

    @cached_property
    def _contents(self) -> dict[str, tuple[list[date], list[str]]]:
        """The landed dates of each stream, and a hash of what had landed before each and after the last."""
        found = {}
        for name, landed in self._landed.items():
            hashes = [""]
            for day in sorted(landed):
                hashes.append(hashlib.sha256(f"{hashes[-1]} {day} {landed[day]}".encode()).hexdigest())
            found[name] = sorted(landed), hashes
        return found

    @cached_property
    def _keys(self) -> duckdb.DuckDBPyConnection:
        """Which extract of the streams that are looked up holds which key."""
        connection = connect()
        connection.execute("create temp table keys (digest varchar, day date)")
        for name in self._names:
            for part in keys_said(load_contract(self._system, name), said_by(self._home.with_name(name))):
                connection.execute(f"insert into keys select distinct {digest(name)}, _day from ({part})")
        return connection
