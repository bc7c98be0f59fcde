"""The two files of a build, opened as dbt opens them, and what stands in them, from DuckDB's catalog.

Not here: the rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import yaml

from orchestration.config.setup import Setup
from storage.data_folder import marts_file, spill_folder, warehouse_file
from storage.engine import connect

if TYPE_CHECKING:
    import duckdb

# Database, schema and name.
Relation = tuple[str, str, str]


def relation_of(node: Mapping[str, Any]) -> Relation:
    """Where dbt makes a node."""
    return node["database"], node["schema"], node["alias"]


def row_counts(setup: Setup) -> dict[Relation, int]:
    """Rows of every table of the build, by database, schema and name; from the catalog, not by scanning."""
    found = _from_catalog(setup, "select database_name, schema_name, table_name, estimated_size from duckdb_tables()")
    return {(database, schema, name): rows for database, schema, name, rows in found}


def columns_of_tables(setup: Setup) -> dict[Relation, list[str]]:
    """Columns of every table and view of the build, by database, schema and name."""
    found = _from_catalog(
        setup,
        "select database_name, schema_name, table_name, list(column_name order by column_index) "
        "from duckdb_columns() group by all",
    )
    return {(database, schema, name): columns for database, schema, name, columns in found}


@contextmanager
def build_attached(setup: Setup) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to the build's two files, named and set as by dbt's profile, to read from."""
    from assets.versions.contents import literal

    build = setup.folder.build
    profile = yaml.safe_load((setup.settings.dbt_project / "profiles.yml").read_text(encoding="utf-8"))
    with connect(spill=spill_folder(build)) as connection:
        for name, value in profile["journeymart"]["outputs"]["build"]["settings"].items():
            connection.execute(f"set {name} = {literal(str(value))}")
        for name, path in (("warehouse", warehouse_file(build)), ("cx_marts", marts_file(build))):
            connection.execute(f"attach {literal(str(path))} as {name} (read_only)")
        yield connection


def _from_catalog(setup: Setup, query: str) -> list[Any]:
    with build_attached(setup) as connection:
        return connection.execute(query).fetchall()
