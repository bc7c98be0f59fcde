"""What an expression of a mapping may be: DuckDB SQL over the columns of one record, and nothing else.

What lives here: DuckDB's own reading of the expression, which columns it names, and why it is refused. Not here: where
it stands (orchestration/config), running it (assets/landing/mapped.py).

The same record must give the same row on every machine and every night: so there are no other tables, no files, no
clock and no chance.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

from quality.rows.casts import identifier
from storage.engine import connect

if TYPE_CHECKING:
    import duckdb

_REFUSED = {
    "SUBQUERY": "it asks another table; an expression sees the columns of its record only",
    "WINDOW": "it looks at other records; an expression sees the columns of its record only",
    "STAR": "it names no column: write the columns out",
    "PARAMETER": "it holds a parameter: write the value out",
    "DEFAULT": "DEFAULT is no value here",
}


class ExpressionError(Exception):
    """Why an expression is refused, in words that follow its place."""


def columns_of(expression: str) -> tuple[str, ...]:
    """The columns an expression names, each once, as it spells them.

    Raises:
        ExpressionError: It is no expression, reads anything but its record, or does not fit together.
    """
    with connect() as connection:
        return _columns_of(connection, expression)


def _columns_of(connection: duckdb.DuckDBPyConnection, expression: str) -> tuple[str, ...]:
    # The line break ends a comment, which would hide the bracket.
    row = connection.execute("select json_serialize_sql(?)", [f"select ({expression}\n)"]).fetchone()
    said = json.loads(row[0]) if row else {}
    if said.get("error"):
        raise ExpressionError(f"it is no SQL expression ({said['error_message']})")
    (node, *others) = [statement["node"] for statement in said["statements"]]
    if others or not _is_one_value(node):
        raise ExpressionError("it is more than one expression")
    value = node["select_list"][0]
    for each in _nodes(value):
        if words := _REFUSED.get(each["class"]):
            raise ExpressionError(words)
        if each["class"] == "FUNCTION":
            _require_plain_function(each)
    names = {name.casefold(): name for name in reversed(list(_column_names(value, frozenset())))}
    columns = tuple(names.values())[::-1]
    _require_fit(connection, expression, columns)
    return columns


def _is_one_value(node: dict[str, Any]) -> bool:
    empty = ("where_clause", "having", "qualify", "sample", "group_expressions", "group_sets", "modifiers")
    return (
        node["type"] == "SELECT_NODE"
        and len(node["select_list"]) == 1
        and node["from_table"]["type"] == "EMPTY"
        and not any(node[part] for part in empty)
        and not node["cte_map"]["map"]
    )


def _nodes(value: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - JSON
    """Every part of a syntax tree."""
    if isinstance(value, dict):
        if "class" in value:
            yield value
        value = list(value.values())
    if isinstance(value, list):
        for child in value:
            yield from _nodes(child)


def _column_names(value: Any, parameters: frozenset[str]) -> Iterator[str]:  # noqa: ANN401 - JSON
    """Names of columns, without those of parameters of functions written in place."""
    if isinstance(value, dict):
        if value.get("class") == "COLUMN_REF":
            name = str(value["column_names"][0])
            if name.casefold() not in parameters:
                yield name
            return
        if value.get("class") == "LAMBDA":
            own = {name.casefold() for name in _column_names(value["lhs"], frozenset())}
            yield from _column_names(value["expr"], parameters | own)
            return
        value = list(value.values())
    if isinstance(value, list):
        for child in value:
            yield from _column_names(child, parameters)


def _require_plain_function(node: dict[str, Any]) -> None:
    name = str(node["function_name"]).lower()
    if name == "row":
        raise ExpressionError("it is more than one expression")
    kinds = _kinds_of_functions().get(name)
    if kinds is None:
        raise ExpressionError(f"there is no function '{name}' of a record's columns")
    if "aggregate" in kinds:
        raise ExpressionError(f"'{name}' looks at other records; an expression sees the columns of its record only")
    if kinds != {"CONSISTENT"}:
        raise ExpressionError(f"'{name}' does not say the same on every night")


@cache
def _kinds_of_functions() -> dict[str, set[str]]:
    """Functions of values, by name: whether they say the same whenever they are asked, or are aggregates."""
    found: dict[str, set[str]] = {}
    with connect() as connection:
        rows = connection.execute(
            "select lower(function_name), case function_type when 'aggregate' then 'aggregate' else stability end "
            "from duckdb_functions() where function_type in ('scalar', 'aggregate')"
        ).fetchall()
    for name, kind in rows:
        found.setdefault(name, set()).add(kind)
    return found


def _require_fit(connection: duckdb.DuckDBPyConnection, expression: str, columns: tuple[str, ...]) -> None:
    """Types and names fit together where every column is a text."""
    relation = ", ".join(f"null::varchar as {identifier(name)}" for name in columns) or "1"
    import duckdb

    try:
        connection.execute(f"describe select ({expression}\n) from (select {relation})")
    except duckdb.Error as error:
        raise ExpressionError(f"it does not fit together ({str(error).splitlines()[0].rstrip('.')})") from None
