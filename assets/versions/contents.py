"""What the DuckDB and Parquet files of a version hold, read to the last value.

Not here: what they should hold (manifest.py), comparing the two (verify.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import duckdb

from assets.versions.manifest import Column, Table
from storage.data_folder import marts_file, warehouse_file

# A file in DuckDB 2.0's own format cannot be opened by any 1.x client, so by most BI tools.
STORAGE_VERSION = "v1.2.0"
DATABASES = {"marts": marts_file, "warehouse": warehouse_file}


def attach(connection: duckdb.DuckDBPyConnection, version: Path, *, read_only: bool) -> None:
    """Attach both files of a build or version under the names `marts` and `warehouse`."""
    for database, file_of in DATABASES.items():
        mode = "READ_ONLY" if read_only else "READ_WRITE"
        connection.execute(f"ATTACH {literal(str(file_of(version)))} AS {database} ({mode})")


def storage_version(connection: duckdb.DuckDBPyConnection, database: str) -> str:
    """Oldest DuckDB version that can open an attached file, as in `v1.2.0`."""
    row = connection.execute(
        "SELECT tags['storage_version'] FROM duckdb_databases() WHERE database_name = ?", [database]
    )
    return str(row.fetchall()[0][0]).removesuffix("+")


def read_tables(connection: duckdb.DuckDBPyConnection, database: str) -> tuple[Table, ...]:
    """Read every value of every table of an attached file: one scan per table, no temporary tables."""
    shapes = connection.execute(
        """
        SELECT
            schema_name, table_name,
            list(column_name ORDER BY column_index), list(data_type ORDER BY column_index)
        FROM duckdb_columns() JOIN duckdb_tables() USING (database_name, schema_name, table_name)
        WHERE database_name = ? AND NOT temporary
        GROUP BY ALL ORDER BY ALL
        """,
        [database],
    ).fetchall()
    tables = []
    for schema, name, names, types in shapes:
        columns = tuple(Column(*column) for column in zip(names, types, strict=True))
        rows, content = read_content(connection, ".".join(map(identifier, (database, schema, name))), columns)
        tables.append(Table(database, schema, name, rows, columns, content))
    return tuple(tables)


def read_content(connection: duckdb.DuckDBPyConnection, relation: str, columns: Sequence[Column]) -> tuple[int, str]:
    """Rows of a relation and the sum of their hashes.

    A sum, not an exclusive or, so that two rows that became one another's copy do not cancel out.

    Args:
        connection: Where the relation can be read.
        relation: Table or table function, in SQL.
        columns: The columns to read, with the types to read them as.
    """
    values = ", ".join(f"{identifier(column.name)}::{column.type}" for column in columns)
    rows, content = connection.execute(
        f"SELECT count(*), coalesce(sum(hash({values})::hugeint), 0) FROM {relation}"
    ).fetchall()[0]
    return rows, str(content)


def identifier(name: str) -> str:
    """A name, quoted for SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text, quoted for SQL."""
    return "'" + text.replace("'", "''") + "'"


def names(tables: Iterable[Table]) -> dict[str, Table]:
    """Tables by `schema.name`."""
    return {f"{table.schema}.{table.name}": table for table in tables}
