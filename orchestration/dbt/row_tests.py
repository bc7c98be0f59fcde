"""Which of dbt's tests a night asks together, and asking them.

What lives here: reading them from the manifest, telling dbt to leave them out, their results in the words of dbt's.
Not here: the questions (assets/audit/row_tests.py).

They stand in the models' yml as dbt knows them, and `dbt build` or `dbt test` by itself runs them as ever. Here they
are those of the kinds that are known, said in their plainest form; any other stays dbt's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from typing import Any

from assets.audit.row_tests import KINDS, RowTest, ask
from orchestration.config.setup import Setup
from orchestration.dbt.catalog import build_attached
from orchestration.dbt.results import Result

# What a test's configuration says when nobody said anything.
_PLAIN = {
    "severity": "ERROR",
    "where": None,
    "limit": None,
    "fail_calc": "count(*)",
    "warn_if": "!= 0",
    "error_if": "!= 0",
    "enabled": True,
}
_ARGUMENTS = {
    "unique_grain": {"columns"},
    "unique": {"column_name"},
    "not_null": {"column_name"},
    "relationships": {"column_name", "to", "field"},
    "accepted_values": {"column_name", "values"},
}
_REFERENCE = re.compile(r"ref\('(\w+)'\)")


def row_tests(manifest: Mapping[str, Any]) -> dict[str, RowTest]:
    """The tests that are asked together, by dbt's unique id."""
    grains = {
        node["attached_node"]: _grain(node) for node in manifest["nodes"].values() if _kind(node) == "unique_grain"
    }
    found = {i: _row_test(manifest, node, grains) for i, node in manifest["nodes"].items() if _kind(node)}
    return {i: test for i, test in found.items() if test}


def left_to_us(manifest: Mapping[str, Any], ours: Set[str]) -> list[str]:
    """Arguments that tell dbt to leave these tests out."""
    names: list[str] = []
    for kind in sorted(KINDS):
        of_kind = {i for i, node in manifest["nodes"].items() if _kind(node) == kind}
        # By its name where a kind has a test that stays dbt's.
        names += [f"test_name:{kind}"] if of_kind <= ours else [manifest["nodes"][i]["name"] for i in of_kind & ours]
    return ["--exclude", *names] if names else []


def ask_together(
    setup: Setup, manifest: Mapping[str, Any], tests: Mapping[str, RowTest], made: Set[str]
) -> dict[str, Result]:
    """Ask the tests of a build nobody writes any more; those of tables that were not made are not asked.

    Args:
        setup: Settings and sources.
        manifest: dbt's.
        tests: By dbt's unique id.
        made: The nodes that stand in the build as this night wants them.
    """
    import duckdb

    results = {}
    with build_attached(setup) as connection:
        for i, test in tests.items():
            if not made >= set(manifest["nodes"][i]["depends_on"]["nodes"]):
                continue
            try:
                answer = ask(connection, test)
            except duckdb.Error as error:
                # DuckDB's own words may quote values, and values may be personal: only the kind of error goes on.
                results[i] = Result("error", 0.0, 0, f"broke with {type(error).__name__}")
            else:
                results[i] = Result(
                    "fail" if answer.failures else "pass", answer.seconds, answer.failures, answer.example
                )
    return results


def _kind(node: Mapping[str, Any]) -> str | None:
    """The kind of a generic test that may be asked here."""
    name = (node.get("test_metadata") or {}).get("name")
    return str(name) if name in KINDS else None


def _row_test(
    manifest: Mapping[str, Any], node: Mapping[str, Any], grains: Mapping[str, tuple[str, ...]]
) -> RowTest | None:
    """A test as it is asked here; None: it says more than is understood here."""
    told = node["test_metadata"]
    arguments = {name: value for name, value in told["kwargs"].items() if name != "model"}
    model = manifest["nodes"].get(node.get("attached_node"))
    is_plain = all(node["config"].get(name) == value for name, value in _PLAIN.items())
    if model is None or not model.get("relation_name") or told.get("namespace") or not is_plain:
        return None
    if set(arguments) != _ARGUMENTS[told["name"]]:
        return None
    parent = None
    if told["name"] == "relationships":
        parent = _parent(manifest, node, str(arguments["to"]))
        if parent is None:
            return None
    return RowTest(
        told["name"],
        model["relation_name"],
        tuple(arguments.get("columns") or (arguments["column_name"],)),
        key=grains.get(node["attached_node"], ()),
        personal=frozenset(_personal(model)),
        values=tuple(str(value) for value in arguments.get("values", ())),
        parent=parent or "",
        parent_column=arguments.get("field", ""),
    )


def _parent(manifest: Mapping[str, Any], node: Mapping[str, Any], to: str) -> str | None:
    """The table that a test's `to` means."""
    found = _REFERENCE.fullmatch(to)
    tables = [
        manifest["nodes"][i]["relation_name"]
        for i in node["depends_on"]["nodes"]
        if found and i in manifest["nodes"] and manifest["nodes"][i]["name"] == found[1]
    ]
    return tables[0] if len(tables) == 1 else None


def _grain(node: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(node["test_metadata"]["kwargs"]["columns"])


def _personal(model: Mapping[str, Any]) -> Iterator[str]:
    """Columns of a model that hold a person's data; a test never quotes them."""
    for name, column in model["columns"].items():
        if (column.get("config") or {}).get("meta", {}).get("pii", "none") != "none":
            yield name
