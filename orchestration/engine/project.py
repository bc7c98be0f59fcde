"""What a build is to run on an engine: its plan, and the tables that no model makes.

What lives here: having dbt compile its project in the form that builds everything anew, what hooks say, tables as
Parquet. Not here: what a statement is on Spark (compile.py), running the plan (run.py).
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from assets.versions.contents import attach, identifier, literal
from orchestration.config.settings import Settings
from orchestration.dbt.project import DBT, dbt_environment
from orchestration.engine.compile import compile_project
from orchestration.engine.plan import ModelPlan
from orchestration.engine.run import GIVEN
from storage.engine import connect
from storage.errors import JourneymartError
from storage.permissions import OWN_UMASK

# Schemas of what models begin with. The seeds are dbt's, the others the loader's.
_GIVEN = ("accepted", "night", "seeds")


def plan_of(settings: Settings, build: Path, manifest: Mapping[str, Any]) -> list[ModelPlan]:
    """All models of a project as statements of Spark.

    Args:
        settings: Where the project and what dbt makes of it lie.
        build: A build that holds what models begin with; no process has its files open.
        manifest: dbt's.

    Raises:
        JourneymartError: dbt cannot compile the project, or a model uses what has no known meaning on Spark.
    """
    tell_dbt(settings, build, "compile", "--full-refresh")
    nodes = [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]
    compiled = {node["name"]: _hooks(settings, build, node) + _compiled(settings, node) for node in nodes}
    with connect() as connection:
        attach(connection, build, read_only=True)
        known = {name: tuple(columns) for name, columns in _given(connection).items()}
    return compile_project(manifest, compiled, known)


def write_given(build: Path, folder: Path) -> None:
    """Write what the models of a build begin with as Parquet, a folder a table.

    Args:
        build: The build; no process has its files open.
        folder: The plan's.
    """
    with connect() as connection:
        attach(connection, build, read_only=True)
        for table, columns in _given(connection).items():
            schema, name = table.split(".")
            values = ", ".join(plain(column, kind) for column, kind in columns.items())
            path = folder / GIVEN / f"{schema}__{name}"
            path.mkdir(parents=True)
            connection.execute(
                f"copy (select {values} from warehouse.{identifier(schema)}.{identifier(name)}) "
                f"to {literal(str(path / 'rows.parquet'))} (format parquet)"
            )


def plain(column: str, kind: str) -> str:
    """A column as Parquet holds it for every engine: JSON is text."""
    name = identifier(column)
    return f"cast({name} as varchar) as {name}" if kind == "JSON" else name


def tell_dbt(settings: Settings, build: Path, *arguments: str) -> str:
    """Run dbt on a build to its end; what it printed.

    Raises:
        JourneymartError: It failed.
    """
    done = subprocess.run(
        [*DBT, "--quiet", "--no-use-colors", *arguments],
        env=dbt_environment(settings),
        cwd=build,
        capture_output=True,
        text=True,
        check=False,
        umask=OWN_UMASK,
    )
    if done.returncode:
        words = " ".join((done.stdout + done.stderr).split())
        raise JourneymartError(
            f"dbt cannot {arguments[0]} {settings.dbt_project}: {words[:600] or 'it gave no reason'}"
        )
    return done.stdout


def _compiled(settings: Settings, node: Mapping[str, Any]) -> str:
    path = settings.dbt_target / "compiled" / str(node["package_name"]) / str(node["original_file_path"])
    return path.read_text(encoding="utf-8")


def _hooks(settings: Settings, build: Path, node: Mapping[str, Any]) -> str:
    """What a model's hooks say before it, which dbt renders only as a query of its own."""
    templates: Sequence[str] = [hook["sql"] for hook in node["config"]["pre-hook"]]
    if not templates:
        return ""
    rendered = tell_dbt(settings, build, "compile", "--full-refresh", "--inline", ";".join(templates))
    return f"{rendered.rstrip().rstrip(';')};\n"


def _given(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, str]]:
    """The tables no model makes, by `schema.table`: their columns and types, in order."""
    rows = connection.execute(
        "select schema_name, table_name, column_name, data_type from duckdb_columns() "
        "where database_name = 'warehouse' and list_contains(?, schema_name) order by column_index",
        [list(_GIVEN)],
    ).fetchall()
    found: dict[str, dict[str, str]] = {}
    for schema, table, column, kind in rows:
        found.setdefault(f"{schema}.{table}", {})[column] = kind
    return found
