"""Reads a Parquet file into text columns, so that the contract judges its types as those of any other file.

Numbers and decimals keep every digit; times become ISO 8601, in UTC with `Z` if they name an instant; lists,
structs and maps become JSON. Not here: CSV and JSON Lines.

A file says each text once and how often it stands there, so a megabyte can hold terabytes. Texts are therefore read as
they lie there, and reckoned before they are written out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from assets.landing.connectors.batch import ParsedBatch, ParsedFile, counted, rejects_table, require_columns, rows_table
from assets.landing.connectors.config import FileFormat, FileLimits
from assets.landing.connectors.text_records import NUL, TOO_LONG, VALID_UTF8, Flags
from quality.landed.extract import BAD_ENCODING
from storage.engine import connect
from storage.errors import JourneymartError

_BATCH_ROWS = 65_536
# What the texts of one batch may take written out; a record alone may not take more.
_BATCH_BYTES = 256 * 1024**2
# What Arrow and DuckDB raise over bytes that are no Parquet: a flipped bit can be a name or a length too.
_DAMAGE = (pa.ArrowException, duckdb.Error, OSError, ValueError, OverflowError, MemoryError)


def read_parquet(path: Path, form: FileFormat) -> ParsedFile:
    """Open a Parquet file.

    Raises:
        JourneymartError: It is damaged, has unusable columns, or unpacks to more than the limits allow.
    """
    try:
        said = pq.read_metadata(path)
        leaves = [said.schema.column(index) for index in range(said.num_columns)]
        texts = [leaf.path for leaf in leaves if leaf.physical_type == "BYTE_ARRAY"]
        file = pq.ParquetFile(path, page_checksum_verification=True, read_dictionary=texts)
        groups = [said.row_group(index) for index in range(said.num_row_groups)]
        names = list(file.schema_arrow.names)
    except _DAMAGE as error:
        raise _damaged(path, error) from None
    # Values of one length are the only long ones that are not read as they lie there; how many there are is said.
    fixed = [index for index, leaf in enumerate(leaves) if leaf.physical_type == "FIXED_LEN_BYTE_ARRAY"]
    width = sum(leaves[index].length for index in fixed)
    _require_room(path, form.limits, sum(group.total_byte_size for group in groups))
    _require_room(path, form.limits, sum(g.column(i).num_values * leaves[i].length for g in groups for i in fixed))
    rows = min(_BATCH_ROWS, _BATCH_BYTES // max(width, 1))
    if rows == 0:
        raise _too_large(path, f"holds records of {width:,} bytes", _BATCH_BYTES)
    columns = require_columns(names, path)
    return ParsedFile(columns, _batches(file, columns, path, form.limits, rows))


def _batches(
    file: pq.ParquetFile, columns: tuple[str, ...], path: Path, limits: FileLimits, rows: int
) -> Iterator[ParsedBatch]:
    first, unpacked = 1, 0
    for group in range(file.metadata.num_row_groups):
        expected = file.metadata.row_group(group).num_rows
        seen = 0
        try:
            for read in file.iter_batches(rows, row_groups=[group]):
                for part, size in _portions(pa.Table.from_batches([read]), path):
                    unpacked += size
                    _require_room(path, limits, unpacked)
                    yield counted(_batch(part, columns, first, limits.max_record_bytes), path)
                    first += part.num_rows
                seen += read.num_rows
        except _DAMAGE as error:
            raise _damaged(path, error) from None
        if seen != expected:
            raise JourneymartError(f"{path.name} holds fewer rows than its footer says: have it delivered again.")


def _portions(table: pa.Table, path: Path) -> Iterator[tuple[pa.Table, int]]:
    """Rows in parts whose texts can be written out, each with the bytes they then take."""
    size = sum(_written_out(chunk) for column in table.columns for chunk in column.chunks)
    if size <= _BATCH_BYTES:
        yield table, size
    elif table.num_rows == 1:
        raise _too_large(path, f"holds a record of {size:,} bytes", _BATCH_BYTES)
    else:
        middle = table.num_rows // 2
        for half in (table.slice(0, middle), table.slice(middle)):
            yield from _portions(half, path)


def _written_out(values: pa.Array) -> int:
    """Bytes that values take with each text written as often as it stands there."""
    kind = values.type
    if pa.types.is_dictionary(kind):
        lengths = pc.fill_null(pc.binary_length(values.dictionary), 0).to_numpy(zero_copy_only=False)
        return int(lengths.astype(np.int64)[values.indices.drop_null().to_numpy()].sum())
    if pa.types.is_map(kind):
        sides = (pa.ListArray.from_arrays(values.offsets, side) for side in (values.keys, values.items))
        return sum(_written_out(side.flatten()) for side in sides)
    if pa.types.is_nested(kind):
        inside = values.flatten()
        return sum(map(_written_out, inside)) if isinstance(inside, list) else _written_out(inside)
    return int(values.nbytes)


def _require_room(path: Path, limits: FileLimits, unpacked: int) -> None:
    if unpacked > limits.max_bytes:
        raise _too_large(path, f"unpacks to {unpacked:,} bytes", limits.max_bytes)


def _too_large(path: Path, what: str, limit: int) -> JourneymartError:
    return JourneymartError(
        f"{path.name} {what}, more than the limit of {limit:,}: deliver smaller files, or raise the limit."
    )


def _batch(table: pa.Table, columns: tuple[str, ...], first: int, limit: int) -> ParsedBatch:
    values, reasons = [], np.full(table.num_rows, None, dtype=object)
    lengths = np.zeros(table.num_rows, dtype=np.int64)
    for column in table.columns:
        raw = _as_bytes(column)
        lengths += pc.fill_null(pc.binary_length(raw), 0).to_numpy()
        reasons[_true(pc.match_substring(raw, b"\0"))] = NUL
        try:
            text = raw.cast(pa.string())
        except pa.ArrowInvalid:
            wrong = _true(pc.invert(pc.match_substring_regex(raw, VALID_UTF8)))
            reasons[wrong] = BAD_ENCODING
            text = pc.if_else(pa.array(wrong), pa.scalar(None, raw.type), raw).cast(pa.string())
        values.append(text)
    reasons[lengths > limit] = TOO_LONG
    good = np.array([reason is None for reason in reasons], dtype=np.bool_)
    rows = rows_table(columns, values, np.arange(first, first + table.num_rows))
    rejected = np.flatnonzero(~good)
    raws = _raw_texts([_as_bytes(column) for column in table.columns], columns, rejected, limit)
    rejects = rejects_table((rejected + first).tolist(), raws, reasons[rejected].tolist())
    return ParsedBatch(rows.filter(pa.array(good)), rejects, table.num_rows)


def _raw_texts(columns: list[pa.ChunkedArray], names: tuple[str, ...], rows: np.ndarray, limit: int) -> list[str]:
    """Rejected rows as JSON objects, undecodable bytes replaced, cut at `limit`."""
    taken = [column.take(pa.array(rows)).to_pylist() for column in columns]
    decoded = [
        [None if value is None else value.decode("utf-8", errors="replace") for value in column] for column in taken
    ]
    return [
        json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False)[:limit] for row in zip(*decoded, strict=True)
    ]


def _true(flags: pa.ChunkedArray) -> Flags:
    known: Flags = pc.fill_null(flags, False).to_numpy()
    return known


def _as_bytes(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column as the bytes of its text."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _as_bytes(column.cast(kind.value_type))
    if pa.types.is_timestamp(kind):
        return _iso(column).cast(pa.binary())
    if pa.types.is_nested(kind):
        return _json(column).cast(pa.binary())
    if pa.types.is_duration(kind):
        return column.cast(pa.int64()).cast(pa.string()).cast(pa.binary())
    if pa.types.is_fixed_size_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary(kind):
        return column.cast(pa.binary())
    return column.cast(pa.string()).cast(pa.binary())


def _iso(column: pa.ChunkedArray) -> pa.ChunkedArray:
    # Arrow holds an instant as UTC whatever its zone; taking the zone away leaves the UTC clock time.
    clock = column.cast(pa.timestamp(column.type.unit)) if column.type.tz is None else _utc_clock(column)
    text = pc.replace_substring(clock.cast(pa.string()), " ", "T", max_replacements=1)
    return text if column.type.tz is None else pc.binary_join_element_wise(text, "Z", "")


def _utc_clock(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(pa.timestamp(column.type.unit, "UTC")).cast(pa.timestamp(column.type.unit))


def _json(column: pa.ChunkedArray) -> pa.ChunkedArray:
    with connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.register("nested", pa.table({"value": column}))
        # DuckDB writes a missing list or struct as the JSON word null.
        query = "select case when value is not null then to_json(value)::varchar end as value from nested"
        return connection.sql(query).to_arrow_table().column("value")


def _damaged(path: Path, error: Exception) -> JourneymartError:
    return JourneymartError(
        f"{path.name} is damaged, or no Parquet file ({type(error).__name__}): have it delivered again."
    )
