"""Tables of DuckDB and of Spark beside each other.

What lives here: a version's tables, what dbt compiled for it, comparing two tables as multisets of rows with all their
columns. Not here: running Spark (tests/spark/conftest.py).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb

from assets.versions.contents import identifier, literal
from storage.data_folder import marts_file, warehouse_file


@dataclass(frozen=True)
class Version:
    """A version of a full rebuild, and the state it was built with."""

    folder: Path
    state: Path

    @cached_property
    def manifest(self) -> dict[str, Any]:
        return json.loads(self.state.joinpath("dbt", "manifest.json").read_text("utf-8"))

    def columns(self) -> dict[str, dict[str, str]]:
        """Every table by `schema.table`: its columns and their types, in order."""
        with self.opened() as connection:
            rows = connection.execute(
                "select schema_name, table_name, column_name, data_type from duckdb_columns() "
                "where database_name in ('warehouse', 'cx_marts') order by column_index"
            ).fetchall()
        found: dict[str, dict[str, str]] = {}
        for schema, table, column, kind in rows:
            found.setdefault(f"{schema}.{table}", {})[column] = kind
        return found

    def opened(self) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect()
        connection.execute("set TimeZone = 'UTC'")
        for path, name in ((warehouse_file(self.folder), "warehouse"), (marts_file(self.folder), "cx_marts")):
            connection.execute(f"attach {literal(str(path))} as {name} (read_only)")
        return connection

    def models(self) -> list[dict[str, Any]]:
        """Dbt's nodes of the models."""
        return [node for node in self.manifest["nodes"].values() if node["resource_type"] == "model"]

    def sql_of(self, node: dict[str, Any]) -> str:
        """A model's SQL."""
        return (self.state / "dbt" / "compiled" / "journeymart" / node["original_file_path"]).read_text("utf-8")


def differing(
    connection: duckdb.DuckDBPyConnection, table: str, columns: dict[str, str], folder: Path
) -> tuple[int, int, int]:
    """How many rows DuckDB's table has, how many of them the Parquet files lack, and how many these have beside them.

    Args:
        connection: Where DuckDB's table is.
        table: Its name there.
        columns: Its columns and their types, to which those of the files are cast.
        folder: The Parquet files.
    """
    own = ", ".join(identifier(name) for name in columns)
    (rows,) = connection.execute(f"select count(*) from {table}").fetchall()[0]
    cast = ", ".join(f"cast({identifier(name)} as {kind}) as {identifier(name)}" for name, kind in columns.items())
    other = f"select {cast} from read_parquet({literal(str(folder / '*.parquet'))})"
    counts = [
        connection.execute(f"select count(*) from ({left} except all {right})").fetchall()[0][0]
        for left, right in ((f"select {own} from {table}", other), (other, f"select {own} from {table}"))
    ]
    return rows, counts[0], counts[1]
