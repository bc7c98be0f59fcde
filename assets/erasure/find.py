"""Where rows of an extract name people on a block-list: their own rows, what is about them, what quotes them.

Not here: what becomes of it (take_out.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from assets.erasure.people import spell_number
from assets.erasure.register import BlockList
from assets.text.contact_points import spell_email
from quality.contract.model import Column, Contract
from quality.contract.roles import role_of

Mask = npt.NDArray[np.bool_]

_OURS = frozenset({"_file", "_row", "_op"})
_ADDRESS = re.compile(r"[^\s@<>()\[\]\\,;:\"'=|]{1,64}@[^\s@<>()\[\]\\,;:\"'=|/?&]+\.[^\s@<>()\[\]\\,;:\"'=|/?&]+")
_NUMBER = re.compile(r"(?:\+|\b00)\d[\d ()/.-]{5,}\d")
_ID = re.compile(r"[A-Za-z0-9_-]{4,}")


@dataclass(frozen=True)
class Found:
    """Where rows name people on a block-list; masks over the rows.

    Attributes:
        own: The row says that it is theirs.
        about: It points to a conversation of theirs.
        wrote: Who wrote it is one of them.
        acted: By column: who did something is one of them, writing included.
        quoted: By column: the text holds an address of theirs.
    """

    own: Mask
    about: Mask
    wrote: Mask
    acted: Mapping[str, Mask]
    quoted: Mapping[str, Mask]

    @property
    def rows(self) -> Mask:
        """Rows with anything to take out."""
        return _any(self.own, self.about, *self.acted.values(), *self.quoted.values())

    @property
    def redacted(self) -> Mask:
        """Rows whose texts go."""
        return _any(self.own, self.about, self.wrote)


def find(blocked: BlockList, contract: Contract, source: str, rows: Path) -> Found:
    """Find people in a file of rows, landed or accepted. Digests are made of distinct values only, column by column."""
    file = pq.ParquetFile(rows)
    count = file.metadata.num_rows
    is_person, is_conversation = contract.record == "person", contract.record == "conversation"
    own, about, wrote = (np.zeros(count, dtype=bool) for _ in range(3))
    acted: dict[str, Mask] = {}
    quoted: dict[str, Mask] = {}
    for name in dict.fromkeys(file.schema_arrow.names):
        column = contract.columns.get(name)
        if name in _OURS or not _is_text(file.schema_arrow.field(file.schema_arrow.names.index(name))):
            continue
        for texts in map(_in_one, file.read(columns=[name]).columns):
            if column is not None and column.contact_point:
                has_country = column.country in file.schema_arrow.names
                countries = _in_one(file.read(columns=[column.country]).column(0)) if has_country else None
                own |= _mask(texts, _point_on(blocked, column), countries)
            role, is_key = role_of(contract, name), name == contract.key[0]
            if (role == "self" or is_key) if is_person else role == "subject":
                own |= _mask(texts, lambda value: blocked.has_id("record", source, value))
            elif role in ("author", "actor") and not is_person:
                acted[name] = _mask(texts, lambda value: blocked.has_id("record", source, value))
                wrote |= acted[name] & (role == "author")
            if role == "conversation" or (is_conversation and is_key):
                about |= _mask(texts, lambda value: blocked.has_id("ticket", source, value))
            if pc.any(pc.match_substring(texts, "@")).as_py():
                quoted[name] = _mask(texts, lambda value: "@" in value and _quotes(blocked, value))
    return Found(own, about, wrote, acted, quoted)


def tells(blocked: BlockList, source: str, raw: str | None) -> bool:
    """Whether a record nobody could read, or its text, names one of them by an address, a number or an id."""
    if not raw:
        return False
    return (
        _quotes(blocked, raw)
        or any(blocked.has_point("phone", spell_number(number)) for number in _NUMBER.findall(raw))
        or any(blocked.has_id("record", source, each) for each in set(_ID.findall(raw)))
    )


def _point_on(blocked: BlockList, column: Column) -> Callable[..., bool]:
    if column.contact_point == "email":
        return lambda value: blocked.has_point("email", spell_email(value))
    return lambda value, country=None: blocked.has_point("phone", spell_number(value, country))


def _quotes(blocked: BlockList, text: str) -> bool:
    return any(blocked.has_point("email", spell_email(each.rstrip("."))) for each in _ADDRESS.findall(text))


def _mask(texts: pa.Array, is_on: Callable[..., bool], countries: pa.Array | None = None) -> Mask:
    """Rows whose value is on the list; asked once per distinct value."""
    if countries is None:
        hits = [value for value in texts.unique().to_pylist() if value is not None and is_on(value)]
        found = pc.is_in(texts, value_set=pa.array(hits, pa.string()))
        return np.asarray(found.to_numpy(zero_copy_only=False), dtype=bool)
    pairs = pa.table({"value": texts, "country": countries})
    distinct = pairs.group_by(["value", "country"]).aggregate([]).to_pylist()
    hit = {
        (each["value"], each["country"])
        for each in distinct
        if each["value"] is not None and is_on(each["value"], each["country"])
    }
    if not hit:
        return np.zeros(len(texts), dtype=bool)
    return np.array([pair in hit for pair in zip(texts.to_pylist(), countries.to_pylist(), strict=True)], dtype=bool)


def _in_one(column: pa.ChunkedArray) -> pa.Array:
    return column.cast(pa.string()).combine_chunks()


def _any(first: Mask, *masks: Mask) -> Mask:
    every = first.copy()
    for mask in masks:
        every |= mask
    return every


def _is_text(column: pa.Field) -> bool:
    return bool(pa.types.is_string(column.type) or pa.types.is_large_string(column.type))
