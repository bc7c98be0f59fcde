"""Cuts a stream of rows in order into pages. Knows Arrow, no database and no disk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc


@dataclass(frozen=True)
class PageSize:
    """When a page is full, by rows or by bytes in memory, whichever is first."""

    rows: int = 100_000
    bytes: int = 64 * 1024**2


def pages_of(
    batches: Iterable[pa.RecordBatch], schema: pa.Schema, order: Sequence[str], size: PageSize
) -> Iterator[tuple[pa.Table, bool]]:
    """Pages, each with whether it is the last; one without rows where there are none.

    A page ends where the place changes: rows that share one are never parted, so a pull that goes on behind the last
    place of a page leaves none of them out.

    Args:
        batches: The rows.
        schema: Their columns.
        order: The columns whose values are a row's place.
        size: When a page is full; it is larger where more rows share a place.
    """
    held: list[pa.RecordBatch] = []
    for batch in batches:
        held.append(batch)
        while sum(each.num_rows for each in held) > size.rows or sum(each.nbytes for each in held) > size.bytes:
            table = pa.Table.from_batches(held, schema)
            end = _next_place(table, order, _full(table, size))
            if end is None:
                break
            yield table.slice(0, end), False
            held = table.slice(end).to_batches()
    yield pa.Table.from_batches(held, schema), True


def _full(table: pa.Table, size: PageSize) -> int:
    """How many of its rows fill a page, at least one."""
    by_bytes = table.num_rows * size.bytes // max(table.nbytes, 1)
    return int(max(1, min(size.rows, by_bytes)))


def _next_place(table: pa.Table, order: Sequence[str], begin: int) -> int | None:
    """The first row from `begin` on whose place is another than that of the row before it; None: there is none."""
    differs = reduce(
        pc.or_,
        (pc.not_equal(table[name].slice(begin), table[name].slice(begin - 1, len(table) - begin)) for name in order),
    )
    first: int = pc.index(differs, pa.scalar(True)).as_py()
    return None if first < 0 else begin + first
