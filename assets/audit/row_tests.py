"""Tests that many models have, asked of a finished build in one connection: each a statement, its answer a row.

What lives here: the kinds of such tests, what each asks in SQL, and an example of what it finds. Not here: which tests
there are (orchestration/dbt/row_tests.py reads them from dbt's project), what follows from the answers
(orchestration/dbt_assets.py).

Asked by dbt, each is a node with templates, files and events of its own, which costs more than thirty times what the
question costs. The questions are dbt's; tests/integration/test_row_tests_beside_dbt.py holds the answers against dbt's.
"""

from __future__ import annotations

import time
from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    import duckdb

Kind = Literal["unique_grain", "unique", "not_null", "relationships", "accepted_values"]
KINDS: frozenset[str] = frozenset(get_args(Kind))

# Stands where a person's data would.
_HIDDEN = "(hidden)"


@dataclass(frozen=True)
class RowTest:
    """A test of the rows of one table; tables and columns as SQL spells them.

    Attributes:
        kind: What it asks.
        table: Whose rows.
        columns: The columns it is about, more than one for `unique_grain` only.
        key: Columns that name a row when it is told which one is at fault.
        personal: Columns whose values are told to nobody.
        values: Of `accepted_values`: the values.
        parent: Of `relationships`: the table that holds every value.
        parent_column: Of `relationships`: in which column.
    """

    kind: Kind
    table: str
    columns: tuple[str, ...]
    key: tuple[str, ...] = ()
    personal: Set[str] = frozenset()
    values: tuple[str, ...] = ()
    parent: str = ""
    parent_column: str = ""


@dataclass(frozen=True)
class Answer:
    """What a test found: rows (or keys that rows share) at fault, one of them in words, and how long it took."""

    failures: int
    example: str
    seconds: float


def ask(connection: duckdb.DuckDBPyConnection, test: RowTest) -> Answer:
    """Ask one test.

    Raises:
        duckdb.Error: It cannot be asked. Its words may quote values, so they are not for people.
    """
    began = time.perf_counter()
    told = tuple(dict.fromkeys(test.columns if _is_of_keys(test) else (*test.key, *test.columns)))
    row = connection.execute(_question(test, told)).fetchone()
    if row is None:
        raise RuntimeError("a count gives a row")
    failures, values = row
    example = ", ".join(
        f"{column} {'NULL' if value is None else value}" for column, value in zip(told, values or (), strict=False)
    )
    return Answer(failures, example, time.perf_counter() - began)


def _is_of_keys(test: RowTest) -> bool:
    return test.kind in {"unique_grain", "unique"}


def _question(test: RowTest, told: Sequence[str]) -> str:
    """How many are at fault, and the first of them by its columns."""
    from assets.versions.contents import literal

    shown = ", ".join(literal(_HIDDEN) if column in test.personal else f"cast({column} as varchar)" for column in told)
    return f"select count(*), min([{shown}]) from ({_at_fault(test)}) as at_fault"


def _at_fault(test: RowTest) -> str:
    """The rows at fault, or the keys that more than one row has."""
    from assets.versions.contents import literal

    column = test.columns[0]
    match test.kind:
        case "unique_grain":
            together = ", ".join(test.columns)
            lacking = " or ".join(f"{each} is null" for each in test.columns)
            return f"select {together} from {test.table} group by {together} having count(*) > 1 or {lacking}"
        case "unique":
            return f"select {column} from {test.table} where {column} is not null group by {column} having count(*) > 1"
        case "not_null":
            return f"select * from {test.table} where {column} is null"
        case "accepted_values":
            accepted = ", ".join(literal(value) for value in test.values)
            return f"select * from {test.table} where {column} not in ({accepted})"
        case "relationships":
            return (
                f"select * from {test.table} as child where child.{column} is not null and not exists "
                f"(select 1 from {test.parent} as parent where parent.{test.parent_column} = child.{column})"
            )
