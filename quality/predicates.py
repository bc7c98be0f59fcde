"""What a contract forbids, as SQL over one typed row. Built once; the split and the expectations both use it.

What lives here: the predicates of a contract and the names of the columns they speak of. Not here: making the
typed rows (split.py), and judging with Great Expectations (expectations.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from quality.casts import identifier, literal, present
from quality.contract import Contract, OnFailure

# Nothing of interest happened before; the upper limit leaves room for clocks and zones that run ahead.
EARLIEST_VERSION = "2000-01-01"
LATEST_VERSION_DAYS = 2

PredicateKind = Literal["missing", "type", "allowed", "range", "window", "repeated", "rule"]


@dataclass(frozen=True)
class Predicate:
    """One thing that may be wrong with a row.

    Attributes:
        name: Identity within the contract: `status.missing`, `rule.ends_after_start`. Holds no values of
            rows.
        kind: What is wrong.
        column: Which column; None for what concerns the whole row.
        on_failure: What becomes of the row, or of the extract.
        sql: Condition over the typed row; true where it is wrong, else false, never NULL.
        reason: What a person reads.
    """

    name: str
    kind: PredicateKind
    column: str | None
    on_failure: OnFailure
    sql: str
    reason: str


def delivered(contract: Contract, column: str) -> str:
    """Name of the working column that keeps what was delivered, where no typed value came of it."""
    return f"_text_{list(contract.columns).index(column)}"


def predicates(contract: Contract) -> tuple[Predicate, ...]:
    """Everything the contract forbids, column by column, then what concerns the whole row.

    A row that announces a deletion has a key and nothing else, so only its key is judged.
    """
    columns = [predicate for name in contract.columns for predicate in _column_predicates(contract, name)]
    repeated = Predicate(
        name="key.repeated",
        kind="repeated",
        column=None,
        on_failure="quarantine",
        sql="_repeated",
        reason="key: repeated with other content in one dump",
    )
    rules = [
        Predicate(
            name=f"rule.{rule.name}",
            kind="rule",
            column=None,
            on_failure=rule.on_failure,
            sql=f"coalesce(_op = 'upsert' and not ({rule.sql}), false)",
            reason=f"{rule.name}: {rule.description}",
        )
        for rule in contract.rules
    ]
    return (*columns, repeated, *rules)


def any_of(found: Iterable[Predicate]) -> str:
    """SQL that is true where at least one of the predicates is."""
    return " or ".join(f"({predicate.sql})" for predicate in found) or "false"


def _column_predicates(contract: Contract, name: str) -> Iterator[Predicate]:
    column = contract.columns[name]
    value = identifier(name)
    text = present(column.type, identifier(delivered(contract, name)))
    # A value that does not cast cannot be accepted, so `warn` is no choice here.
    without_value: OnFailure = "block" if column.on_failure == "block" else "quarantine"
    scope = "" if name in contract.key else "_op = 'upsert' and "

    def predicate(kind: PredicateKind, on_failure: OnFailure, sql: str, reason: str) -> Predicate:
        guarded = f"coalesce({scope}({sql}), false)"
        return Predicate(f"{name}.{kind}", kind, name, on_failure, guarded, f"{name}: {reason}")

    if column.required:
        missing = f"{value} is null" + ("" if column.type == "text" else f" and {text} is null")
        yield predicate("missing", without_value, missing, "missing")
    if column.type != "text":
        yield predicate("type", without_value, f"{text} is not null and {value} is null", f"not a {column.type}")
    if column.allowed is not None:
        allowed = ", ".join(map(literal, column.allowed))
        yield predicate("allowed", column.on_failure, f"{value} not in ({allowed})", "not allowed")
    if column.min is not None or column.max is not None:
        yield predicate("range", column.on_failure, *_outside(value, column.min, column.max))
    if name == contract.version:
        last = f"(_extract_date + {LATEST_VERSION_DAYS})::timestamptz"
        window = f"{value} not between timestamptz '{EARLIEST_VERSION} 00:00:00+00' and {last}"
        until = f"{LATEST_VERSION_DAYS} days after the extract date"
        yield predicate("window", without_value, window, f"not between {EARLIEST_VERSION} and {until}")


def _outside(value: str, smallest: float | None, largest: float | None) -> tuple[str, str]:
    conditions = [] if smallest is None else [f"{value} < {smallest!r}"]
    conditions += [] if largest is None else [f"{value} > {largest!r}"]
    if smallest is None:
        reason = f"above {largest:g}"
    elif largest is None:
        reason = f"below {smallest:g}"
    else:
        reason = f"not between {smallest:g} and {largest:g}"
    return f"({' or '.join(conditions)})", reason
