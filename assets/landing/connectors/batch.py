"""What every reader of delivered files hands on: rows as text and rejects, counted against each other.

What lives here: the types readers share and the rules for column names. Not here: any one format
(csv_file.py, jsonl_file.py, parquet_file.py).
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from storage.errors import JourneymartError

REJECTS = pa.schema([("_row", pa.int64()), ("raw", pa.string()), ("reason", pa.string())])
ROW_NUMBER = "_row"

_RESERVED = ("_file", "_row", "_op", "_extra", "_source", "_extract_date", "_version_at")
_MAX_COLUMNS = 4096
_WORKERS = min(4, os.cpu_count() or 1)

Part = TypeVar("Part")


@dataclass(frozen=True)
class ParsedBatch:
    """Consecutive records of one file: each is a row or a reject.

    Attributes:
        rows: Text columns with names as delivered, then `_row`, the record's number in the file.
        rejects: `_row`, `raw` (the record's text), `reason`.
        records: Records counted without the parser.
        damage: Why records behind a damaged one may not be where they should be; empty if they are.
    """

    rows: pa.Table
    rejects: pa.Table
    records: int
    damage: tuple[str, ...] = ()


@dataclass(frozen=True)
class ParsedFile:
    """A file opened for reading: its columns as delivered, and its batches, read once.

    `is_hollow`: there is nothing in it at all, not even a header.
    """

    columns: tuple[str, ...]
    batches: Iterator[ParsedBatch]
    is_hollow: bool = False


def counted(batch: ParsedBatch, path: Path) -> ParsedBatch:
    """The batch, if no record of it is lost.

    Raises:
        JourneymartError: Rows and rejects do not add up to the records counted independently.
    """
    accounted = batch.rows.num_rows + batch.rejects.num_rows
    if accounted != batch.records:
        raise JourneymartError(
            f"{path.name} holds {batch.records:,} records where the parser accounts for {accounted:,}: "
            "nothing was landed; check its quoting, or deliver it as Parquet."
        )
    return batch


def in_order(read: Callable[[Part], ParsedBatch], parts: Iterable[Part]) -> Iterator[ParsedBatch]:
    """Read a few parts of a file at once, in other threads, and give their batches in the file's order."""
    pending: deque[Future[ParsedBatch]] = deque()
    with ThreadPoolExecutor(_WORKERS, thread_name_prefix="read-file") as pool:
        for part in parts:
            pending.append(pool.submit(read, part))
            if len(pending) > _WORKERS:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()


def rejects_table(numbers: Sequence[int], raws: Sequence[str], reasons: Sequence[str]) -> pa.Table:
    """A table of rejected records."""
    return pa.table(
        [pa.array(numbers, pa.int64()), pa.array(raws, pa.string()), pa.array(reasons, pa.string())], REJECTS
    )


def rows_table(
    columns: Sequence[str], values: Sequence[Any], numbers: Sequence[int] | npt.NDArray[np.int64]
) -> pa.Table:
    """A table of rows: text columns, then `_row`."""
    schema = pa.schema([*((name, pa.string()) for name in columns), (ROW_NUMBER, pa.int64())])
    return pa.table([*values, pa.array(numbers, pa.int64())], schema=schema)


def column_fault(names: Iterable[str]) -> str | None:
    """Why these cannot be the columns of a table, in words that continue "it has"; None if they can."""
    seen: set[str] = set()
    for position, name in enumerate(names, start=1):
        if not name.strip():
            return f"no name for column {position}"
        known = name.strip().lower()
        if known in seen:
            return f"two columns of one name, apart from case and blanks, the second being column {position}"
        if known in _RESERVED:
            return f"a column named '{known}', which is reserved"
        if "\0" in name:
            return f"a NUL character in the name of column {position}"
        seen.add(known)
        if len(seen) > _MAX_COLUMNS:
            return f"more than {_MAX_COLUMNS} columns"
    return None


def require_columns(names: Sequence[str], path: Path) -> tuple[str, ...]:
    """The names, if they can be the columns of a table.

    Raises:
        JourneymartError: One is empty, reserved, or there twice.
    """
    if fault := column_fault(names):
        raise JourneymartError(f"{path.name} cannot be read, because it has {fault}: correct its header.")
    return tuple(names)
