"""Hands out what is held on a person who asked for it: files to be read through and given to the person.

What lives here: the folder, its files, and what is said of it. Not here: which rows (assets/access), who the person is
(named_person.py).
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from assets.access.delivered import rows_that_tell
from assets.access.published import rows_of_person
from assets.erasure.register import BlockList
from assets.versions.versions import seen_version
from orchestration.config.setup import Setup
from orchestration.operations.named_person import (
    Named,
    Partition,
    all_partitions,
    conversations_of,
    find_person,
)
from quality.landed.extract import ORIGIN
from storage.errors import JourneymartError
from storage.locks import data_lock

CONTENTS = "contents.json"


@dataclass(frozen=True)
class HandedOut:
    """What was handed out.

    Attributes:
        records: Records of the person that were found.
        rows: Rows by file.
        version: The published version that was looked at; None: nothing is published.
    """

    records: int
    rows: Mapping[str, int]
    version: str | None


def hand_out(setup: Setup, given: Named, target: Path, asked_at: datetime) -> HandedOut:
    """Write what is held on a person into a new folder that its owner alone can read.

    Args:
        setup: Settings and sources.
        given: What was given of the person.
        target: The folder, which is not there yet.
        asked_at: When it was asked.

    Raises:
        JourneymartError: What was given names nobody or several people, a landed stream is not configured, the folder
            is there, or a night is running. Nothing was written then.
    """
    if not given:
        raise JourneymartError("Nobody was named: give an address, a number or a record of the person.")
    with data_lock(setup.folder, "an access request"):
        partitions = [each for each in all_partitions(setup) if each.landed.exists()]
        person = find_person(setup, partitions, given)
        marked = _marked(person, partitions)
        try:
            target.mkdir(mode=0o700, parents=True)
        except FileExistsError:
            raise JourneymartError(f"{target} is there already: name a folder that is not.") from None
        rows = {name: _write(target / name, told) for name, told in _delivered(marked, partitions)}
        version = seen_version(setup.folder)
        for table, found in rows_of_person(version.path, person.points, person.ids) if version else ():
            rows[f"{table}.jsonl"] = _write(target / f"{table}.jsonl", found)
        said = HandedOut(person.records, rows, version.id if version else None)
        _write(target / CONTENTS, [{"asked_at": asked_at, **vars(said)}])
    return said


def _marked(person: Named, partitions: Sequence[Partition]) -> BlockList:
    """What recognises the person and their conversations; its secret is of this moment, for nothing of it is kept."""
    secret = secrets.token_bytes(32)
    recognised = BlockList(secret, BlockList(secret).of(person.points, person.ids))
    return BlockList(secret, recognised.marks | conversations_of(recognised, partitions))


def _delivered(person: BlockList, partitions: Iterable[Partition]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """What was delivered about the person, by the name of its file; what came night after night is told once."""
    for stream, of_stream in groupby(partitions, key=lambda each: each.stream):
        told: dict[str, dict[str, Any]] = {}
        for _, contract, day, landed in of_stream:
            for row in rows_that_tell(person, contract, stream.stream.source, landed):
                content = {name: value for name, value in row.items() if name not in ORIGIN}
                told.setdefault(_line(content), {"_extract_date": day, **row})
        if told:
            yield f"delivered.{stream.stream.source}.{stream.stream.stream}.jsonl", list(told.values())


def _write(path: Path, rows: Collection[Mapping[str, Any]]) -> int:
    path.touch(mode=0o600)
    path.write_text("".join(f"{_line(row)}\n" for row in rows), encoding="utf-8")
    return len(rows)


def _line(row: Mapping[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False, default=str)
