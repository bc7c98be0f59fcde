"""Facts that a test writes itself, so that it builds only the models that read them.

What lives here: replacing the rows of a table, with what the night touched recorded as the incremental strategy
records it. Not here: how facts come from extracts (the tests of whole nights).
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from dbt_harness import DbtProject, Warehouse

from assets.warehouse.load import Night, load
from storage.data_folder import marts_file

Facts = Mapping[str, Sequence[Mapping[str, Any]]]


class FactWarehouse:
    """A build whose facts are written by hand; `models` are built on them night by night."""

    def __init__(self, project: DbtProject, folder: Path, models: Sequence[str]) -> None:
        self._models = models
        self._warehouse = Warehouse(project, folder, _build=project.stand(folder / "build"))

    def night(self, facts: Facts, as_of: date) -> None:
        """Let the facts be these on this business date, and build the models."""
        build = self._warehouse.build
        load(build, [], Night(as_of=as_of, run_id=f"run-{as_of}", reporting_timezone="Europe/Berlin", currency="EUR"))
        with duckdb.connect(str(marts_file(build))) as connection:
            connection.execute("set TimeZone = 'UTC'")
            for table, rows in facts.items():
                _replace(connection, table, rows)
        self._build(self._warehouse)

    def rebuilt(self) -> Warehouse:
        """The same facts on the same day, the models built from nothing."""
        other = Warehouse(self._warehouse.project, self._warehouse.folder, _build=self._warehouse.folder / "rebuilt")
        shutil.rmtree(other.build, ignore_errors=True)
        shutil.copytree(self._warehouse.build, other.build)
        self._build(other, full_refresh=True)
        return other

    def differences(self, tables: Sequence[str]) -> dict[str, list[tuple[Any, ...]]]:
        """Rows that only the nights or only one rebuild have, by table."""
        return self._warehouse.differences(self.rebuilt(), tables)

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """What a query gives, a dictionary per row."""
        return self._warehouse.rows(sql)

    def _build(self, warehouse: Warehouse, full_refresh: bool = False) -> None:
        warehouse.project.build(warehouse.build, self._models, full_refresh)


def _replace(connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    touched = [row[0] for row in connection.execute(f"describe _touched.{table}").fetchall()]
    connection.execute(f"create or replace temp table after_night as select * from {table} limit 0")
    if rows:
        arrived = pa.Table.from_pylist(list(rows))  # noqa: F841 (DuckDB reads it by name)
        connection.execute("insert into after_night by name select * from arrived")
    connection.execute(
        f"create or replace table _touched.{table} as select distinct {', '.join(touched)} from ("
        f"(select * from {table} except all select * from after_night) union all "
        f"(select * from after_night except all select * from {table}))"
    )
    connection.execute(f"truncate {table}")
    connection.execute(f"insert into {table} select * from after_night")
