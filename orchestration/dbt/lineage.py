"""Which column came from which: read from compiled SQL once per state of the dbt project, and kept.

What lives here: computing and keeping it. Not here: how Dagster shows it (orchestration/dbt_assets.py). Working it out
takes seconds, so a night only reads what was kept.
"""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from orchestration.config.settings import Settings
from orchestration.dbt.project import project_hash

if TYPE_CHECKING:
    from sqlglot import exp
    from sqlglot.schema import Schema

# Column of a node -> the (node or source, column) pairs it was read from.
Columns = dict[str, list[tuple[str, str]]]

_FILE = "lineage.json"
_TEMPORARY = re.compile(r'temp\."(\w+)"')
_KEYS = [f"_k{n}" for n in range(1, 10)]
# Schema of the tables that hold what a night changed, named as their models (dbt_project/macros/incremental).
_TOUCHED = "_touched"


def load_lineage(settings: Settings) -> dict[str, Columns]:
    """Lineage by dbt unique id; empty if none was kept for the project as it stands."""
    kept = _read(settings)
    if kept.get("project") != project_hash(settings):
        return {}
    return {
        node: {column: [(parent, name) for parent, name in parents] for column, parents in columns.items()}
        for node, columns in kept["nodes"].items()
    }


def through_steps(lineage: Mapping[str, Columns], assets: Container[str]) -> dict[str, Columns]:
    """Lineage of assets alone: a column of a step stands for the columns that it was read from.

    Args:
        lineage: Of every node.
        assets: The nodes that are no steps.
    """

    def read_from(node: str, column: str) -> Iterator[tuple[str, str]]:
        if node in assets or node not in lineage:
            yield node, column
        else:
            for parent, name in lineage[node].get(column, []):
                yield from read_from(parent, name)

    return {
        node: {
            column: sorted({found for parent in parents for found in read_from(*parent)})
            for column, parents in columns.items()
        }
        for node, columns in lineage.items()
        if node in assets
    }


def is_lineage_kept(settings: Settings) -> bool:
    """Whether the lineage of the project as it stands was worked out."""
    return bool(_read(settings).get("project") == project_hash(settings))


def keep_lineage(settings: Settings, columns_in_files: Mapping[tuple[str, str, str], list[str]]) -> bool:
    """Work out the lineage of the project that was just built, unless it is kept already.

    Args:
        settings: Where dbt left its compiled SQL, and where to keep the result.
        columns_in_files: Columns of every table and view, by database, schema and name.

    Returns:
        Whether it had to be worked out.
    """
    if is_lineage_kept(settings):
        return False
    project = project_hash(settings)
    manifest = json.loads((settings.dbt_target / "manifest.json").read_bytes())
    temporary = settings.state / f".{_FILE}"
    temporary.write_text(
        json.dumps({"project": project, "nodes": _lineage(manifest, columns_in_files)}), encoding="utf-8"
    )
    temporary.replace(settings.state / _FILE)
    return True


def _read(settings: Settings) -> dict[str, Any]:
    try:
        kept: dict[str, Any] = json.loads((settings.state / _FILE).read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return kept


def _lineage(
    manifest: Mapping[str, Any], columns_in_files: Mapping[tuple[str, str, str], list[str]]
) -> dict[str, Columns]:
    from sqlglot.schema import MappingSchema

    everything = {**manifest["nodes"], **manifest["sources"]}
    relations = {
        (node["database"], node["schema"], node.get("alias") or node["identifier"]): unique_id
        for unique_id, node in everything.items()
        if node["resource_type"] in {"model", "seed", "source"}
    }
    models = {i: node for i, node in manifest["nodes"].items() if node["resource_type"] == "model"}
    # What changed in a model holds rows of it, in its columns.
    relations |= {(node["database"], _TOUCHED, node["name"]): unique_id for unique_id, node in models.items()}
    compiled = {unique_id: node["compiled_code"] for unique_id, node in models.items() if node.get("compiled_code")}
    # A run's own temporary tables say which rows to derive again, not what is in them.
    temporary = {name for sql in compiled.values() for name in _TEMPORARY.findall(sql)}
    own = {("temp", "main", name): _KEYS for name in temporary}
    schema: dict[str, Any] = {}
    for (database, schema_name, table), names in {**columns_in_files, **own}.items():
        schema.setdefault(database, {}).setdefault(schema_name, {})[table] = dict.fromkeys(names, "varchar")
    known = MappingSchema(schema, dialect="duckdb")
    found = {unique_id: _columns(sql, known, relations) for unique_id, sql in compiled.items()}
    return {
        # A model that adds to its own rows has them from where it has what it adds.
        unique_id: {name: [each for each in parents if each[0] != unique_id] for name, parents in columns.items()}
        for unique_id, columns in found.items()
        if columns
    }


def _columns(sql: str, schema: Schema, relations: Mapping[tuple[str, str, str], str]) -> Columns:
    """Lineage of one statement; empty for one sqlglot cannot follow.

    Its grammar lags behind DuckDB's, and a picture that lacks an arrow shall cost nobody a night.
    """
    from sqlglot import exp
    from sqlglot.lineage import lineage

    try:
        traced = lineage(
            None,
            _by_position(_TEMPORARY.sub(r'temp.main."\1"', sql), schema),
            schema,
            dialect="duckdb",
            validate_qualify_columns=False,
            # Trimmed for labels nobody reads, every column would copy the whole statement.
            trim_selects=False,
        )
    except Exception:  # noqa: BLE001 - sqlglot raises whatever it stumbles over
        return {}
    found: Columns = {}
    for column, root in traced.items():
        parents = set()
        for node in root.walk():
            table = node.expression.find(exp.Table)
            if node.downstream or table is None:
                continue
            parent = relations.get((table.catalog, table.db, table.name))
            if parent:
                parents.add((parent, exp.to_column(node.name).name))
        found[column] = sorted(parents)
    return found


def _by_position(sql: str, schema: Schema) -> str | exp.Expr:
    """The statement with its unions by name as unions of equal columns, which is how sqlglot follows them."""
    from sqlglot import exp, parse_one
    from sqlglot.optimizer.qualify import qualify

    if "by name" not in sql.lower():
        return sql
    query = qualify(parse_one(sql, dialect="duckdb"), schema=schema, dialect="duckdb", validate_qualify_columns=False)
    for union in list(query.find_all(exp.SetOperation)):
        if not union.args.get("by_name"):
            continue
        selects = [side for side in (union.left, union.right) if isinstance(side, exp.Select)]
        names = dict.fromkeys(name for side in (union.left, union.right) for name in side.named_selects)
        for select in selects:
            told = {each.alias_or_name: each for each in select.selects}
            select.set("expressions", [told.get(name) or exp.alias_(exp.Null(), name) for name in names])
        union.set("by_name", False)
    return query
