"""The file of a delivery's rows: every column as text, then which record of which file a row is of.

What lives here: its columns, and writing it from a query, whose columns have types. Not here: what the rows are
(parse.py, looked_up.py, mapped.py, map_again.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

_ORIGIN_FIELDS = (pa.field("_file", pa.string()), pa.field("_row", pa.int64()))

_ROWS_AT_ONCE = 100_000


def rows_schema(columns: Iterable[str]) -> pa.Schema:
    """Columns of the file: these as text, `_file`, and `_row`, the record's number there."""
    return pa.schema([*((name, pa.string()) for name in columns), *_ORIGIN_FIELDS])


def column_types(connection: duckdb.DuckDBPyConnection, rows: str, columns: Sequence[str]) -> dict[str, str]:
    """The columns of a query's rows and the types DuckDB gives them."""
    described = connection.execute(f"describe {rows}").fetchall()
    return {name: row[1] for name, row in zip(columns, described, strict=False)}


def write_rows(made: duckdb.DuckDBPyRelation, columns: Iterable[str], target: Path) -> Counter[str]:
    """Write the rows of a query, which gives just these columns, a part at a time.

    Returns:
        How many rows are of each delivered file.
    """
    schema = rows_schema(columns)
    found: Counter[str] = Counter()
    with pq.ParquetWriter(target, schema, compression="zstd") as writer:
        for batch in made.to_arrow_reader(_ROWS_AT_ONCE):
            table = pa.Table.from_batches([batch]).cast(schema)
            writer.write_table(table)
            found.update({each["values"]: each["counts"] for each in table["_file"].value_counts().to_pylist()})
    return found
