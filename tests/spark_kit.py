"""Tables of DuckDB and of Spark beside each other.

What lives here: a version's tables as Parquet, what dbt compiled for it, comparing two tables as multisets of rows with
all their columns. Not here: running Spark (tests/spark/conftest.py).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb

from assets.versions.contents import identifier, literal
from orchestration.dbt.project import PARSED
from storage.data_folder import marts_file, warehouse_file

# Made by no model: what models begin with.
GIVEN = ("accepted", "night", "seeds")


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

    def write_given(self, folder: Path) -> None:
        """Write what models begin with as Parquet, a folder a table."""
        with self.opened() as connection:
            for table, columns in self.columns().items():
                schema, name = table.split(".")
                if schema in GIVEN:
                    values = ", ".join(plain(column, kind) for column, kind in columns.items())
                    path = folder / f"{schema}__{name}"
                    path.mkdir(parents=True)
                    connection.execute(
                        f"copy (select {values} from warehouse.{identifier(schema)}.{identifier(name)}) "
                        f"to {literal(str(path / 'rows.parquet'))} (format parquet)"
                    )

    def models(self) -> list[dict[str, Any]]:
        """Dbt's nodes of the models."""
        return [node for node in self.manifest["nodes"].values() if node["resource_type"] == "model"]

    def sql_of(self, node: dict[str, Any]) -> str:
        """A model's SQL."""
        return (self.state / "dbt" / "compiled" / "journeymart" / node["original_file_path"]).read_text("utf-8")

    def compiled(self) -> dict[str, str]:
        """By model: its SQL, after that of its hooks."""
        found = {}
        for node in self.models():
            hooks = [hook["sql"] for hook in node["config"]["pre-hook"]]
            before = f"{self._rendered(';'.join(hooks))};\n" if hooks else ""
            found[node["name"]] = before + self.sql_of(node)
        return found

    def _rendered(self, template: str) -> str:
        """What dbt makes of a template."""
        project, target = self.state / "dbt_project", self.state / "dbt_inline"
        target.mkdir(exist_ok=True)
        shutil.copy(self.state / "dbt" / PARSED, target / PARSED)
        done = subprocess.run(
            [sys.executable, "-m", "dbt.cli.main", "--quiet", "--no-use-colors", "compile", "--inline", template],
            env={
                **os.environ,
                "JOURNEYMART_WAREHOUSE": str(warehouse_file(Path())),
                "JOURNEYMART_MARTS": str(marts_file(Path())),
                "DBT_PROJECT_DIR": str(project),
                "DBT_PROFILES_DIR": str(project),
                "DBT_TARGET_PATH": str(target),
                "DBT_LOG_PATH": str(target),
            },
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-1000:]
        return done.stdout.rstrip().rstrip(";")


def plain(column: str, kind: str) -> str:
    """A column as Parquet holds it for every engine: JSON is text."""
    name = identifier(column)
    return f"cast({name} as varchar) as {name}" if kind == "JSON" else name


def differing(
    connection: duckdb.DuckDBPyConnection, table: str, columns: dict[str, str], folder: Path
) -> tuple[int, int, int]:
    """How many rows DuckDB's table has, how many of them the Parquet files lack, and how many these have beside them.

    Args:
        connection: Where DuckDB's table is.
        table: Its name there.
        columns: Its columns and their types, to which those of the files are cast.
        folder: The Parquet files; a folder without any holds no rows.
    """
    own = ", ".join(identifier(name) for name in columns)
    (rows,) = connection.execute(f"select count(*) from {table}").fetchall()[0]
    if not any(folder.glob("*.parquet")):
        return rows, rows, 0
    cast = ", ".join(f"cast({identifier(name)} as {kind}) as {identifier(name)}" for name, kind in columns.items())
    other = f"select {cast} from read_parquet({literal(str(folder / '*.parquet'))})"
    counts = [
        connection.execute(f"select count(*) from ({left} except all {right})").fetchall()[0][0]
        for left, right in ((f"select {own} from {table}", other), (other, f"select {own} from {table}"))
    ]
    return rows, counts[0], counts[1]
