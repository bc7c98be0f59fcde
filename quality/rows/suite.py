"""The suite of a contract: what Great Expectations is asked about the rows to be accepted, as plain values.

What lives here: expectations and how they follow from a contract's predicates. Not here: Great Expectations
itself (quality/gate/great_expectations.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from quality.contract.model import Contract
from quality.rows.casts import identifier
from quality.rows.predicates import Predicate, any_of, predicates

ExpectationKind = Literal["columns", "row_count", "not_null", "in_set", "between", "no_rows"]


# What may be wrong with the reading of one value.
_READING = ("type", "placeholder", "bounds", "field")


@dataclass(frozen=True)
class Expectation:
    """What one expectation of a suite asks of the rows to be accepted.

    Attributes:
        name: Identity within the suite.
        kind: Which expectation of Great Expectations.
        is_critical: A failure blocks; else it warns.
        violates: SQL over one row, true where the row breaks it; "false" for what concerns the table.
        arguments: Arguments of the expectation.
    """

    name: str
    kind: ExpectationKind
    is_critical: bool
    violates: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


def suite(contract: Contract, may_be_empty: bool) -> tuple[Expectation, ...]:
    """The contract as expectations on the rows that the split lets through.

    Args:
        contract: The contract.
        may_be_empty: No rows are fine. Column expectations say yes to an empty table, so this is asked.
    """
    found = predicates(contract)
    expected = [
        Expectation(
            "table.columns",
            "columns",
            True,
            "false",
            {"column_set": list(contract.columns), "exact_match": False},
        ),
        Expectation("table.rows", "row_count", True, "false", {"min_value": 0 if may_be_empty else 1}),
    ]
    expected += [
        Expectation(f"{name}.not_null", "not_null", True, f"{identifier(name)} is null", {"column": name})
        for name, column in contract.columns.items()
        if column.required
    ]
    # One question for all casts: what was delivered is typed, plausible, or known to be unknown.
    readings = tuple(each for each in found if each.kind in _READING)
    expected.append(no_rows("table.types", True, any_of(each for each in readings if each.on_failure != "warn")))
    expected.append(no_rows("table.unknown", False, any_of(each for each in readings if each.on_failure == "warn")))
    # And one of the values themselves, because everything after the gate relies on it.
    expected.append(no_rows("table.bounds", True, _out_of_bounds(contract)))
    expected.append(no_rows("key.repeated", True, "_repeated"))
    for predicate in found:
        expected += _of_predicate(contract, predicate)
    return tuple(expected)


def key_suite(contract: Contract) -> tuple[Expectation, ...]:
    """What a row that announces a deletion must have: its key."""
    return tuple(
        Expectation(f"{name}.not_null", "not_null", True, f"{identifier(name)} is null", {"column": name})
        for name in contract.key
    )


def _of_predicate(contract: Contract, predicate: Predicate) -> Iterator[Expectation]:
    is_critical = predicate.on_failure != "warn"
    match predicate.kind, predicate.column:
        case "allowed", str(name):
            values = list(contract.columns[name].allowed or ())
            arguments: dict[str, Any] = {"column": name, "value_set": values}
            yield Expectation(predicate.name, "in_set", is_critical, predicate.sql, arguments)
        case "range", str(name):
            column = contract.columns[name]
            arguments = {"column": name, "min_value": column.min, "max_value": column.max}
            yield Expectation(predicate.name, "between", is_critical, predicate.sql, arguments)
        case "rule", _:
            yield no_rows(predicate.name, is_critical, predicate.sql)


def _out_of_bounds(contract: Contract) -> str:
    bounded = ((name, contract.bounds(name)) for name in contract.columns)
    conditions = [bounds.outside(identifier(name), "_extract_date") for name, bounds in bounded if bounds]
    return f"coalesce({' or '.join(conditions)}, false)" if conditions else "false"


def no_rows(name: str, is_critical: bool, violates: str) -> Expectation:
    """Expect that a condition holds for no row.

    Args:
        name: Identity within the suite.
        is_critical: A failure blocks; else it warns.
        violates: The condition, in DuckDB SQL.
    """
    # Great Expectations fills {braces} and SQLAlchemy binds :names; both mean themselves here.
    literal_sql = violates.replace("{", "{{").replace("}", "}}")
    literal_sql = re.sub(r"(?<![:\w\\]):(?=\w)", r"\\:", literal_sql)
    # Selecting a constant keeps values of rows out of results.
    query = f"select 1 as broken from {{batch}} where {literal_sql}"
    return Expectation(name, "no_rows", is_critical, violates, {"unexpected_rows_query": query})
