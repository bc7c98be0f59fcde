"""What the landed extracts of a source tell of a person, and because of what.

What lives here: which rows, and how much of each. Not here: who the person is (assets/erasure/people.py), where rows
name somebody (assets/erasure/find.py), what was made of them (published.py).

A record of the person, a conversation of theirs and what they wrote are told whole. Of a row in which somebody else is
told of, only what names the person: its key, the columns with their id, the texts that quote their address.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from assets.erasure.find import Found, find, tells
from assets.erasure.register import BlockList
from quality.contract.model import Contract
from quality.landed.extract import ORIGIN, REJECTED, ROWS

BECAUSE = "_because"


def rows_that_tell(person: BlockList, contract: Contract, source: str, partition: Path) -> Iterator[dict[str, Any]]:
    """Rows of a landed extract that tell of a person, in the order of delivery; `_because` says why.

    Args:
        person: What names the person.
        contract: The contract of the stream.
        source: The source.
        partition: Folder of the landed extract.
    """
    found = find(person, contract, source, partition / ROWS)
    for place, row in _rows_at(partition / ROWS, np.flatnonzero(found.rows).tolist()):
        yield {BECAUSE: _because(found, place), **_told(found, contract, place, row)}
    for rejected in pq.read_table(partition / REJECTED).to_pylist():
        if tells(person, source, rejected["raw"]):
            yield {BECAUSE: ["it names the person, in a record nobody could read"], **rejected}


def _rows_at(file: Path, places: Sequence[int]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Some rows of a file, which is never held whole."""
    left, before = list(places), 0
    for batch in pq.ParquetFile(file).iter_batches() if left else ():
        here = [place for place in left if place < before + batch.num_rows]
        left = left[len(here) :]
        yield from zip(here, batch.take([place - before for place in here]).to_pylist(), strict=True)
        before += batch.num_rows


def _because(found: Found, place: int) -> list[str]:
    reasons = {
        "it is the person's own record": found.own[place],
        "it is of a conversation of the person": found.about[place],
        "the person wrote it": found.wrote[place],
        "the person did it": any(mask[place] for mask in found.acted.values()) and not found.wrote[place],
        "it quotes an address of the person": any(mask[place] for mask in found.quoted.values()),
    }
    return [reason for reason, holds in reasons.items() if holds]


def _told(found: Found, contract: Contract, place: int, row: Mapping[str, Any]) -> dict[str, Any]:
    """What is told of a row: its columns with a value, or of somebody else's those that name the person."""
    if found.own[place] or found.about[place] or found.wrote[place]:
        shown = set(row)
    else:
        naming = {name for masks in (found.acted, found.quoted) for name, mask in masks.items() if mask[place]}
        shown = {*ORIGIN, *contract.key, *naming}
    return {name: value for name, value in row.items() if name in shown and value is not None}
