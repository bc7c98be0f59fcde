"""What a contract forbids, as SQL over one typed row. Built once; the split and the expectations both use it.

What lives here: the predicates of a contract and the names of the columns they speak of. Not here: making the
typed rows (split.py), and judging with Great Expectations (quality/gate/great_expectations.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from quality.contract.bounds import kind_of
from quality.contract.model import ColumnType, Contract, JsonField, OnFailure
from quality.rows.casts import cast, identifier, literal, present

PredicateKind = Literal["missing", "type", "placeholder", "bounds", "field", "allowed", "range", "repeated", "rule"]

# Why a typed value was not kept, in the working column of `refused`.
PLACEHOLDER = "placeholder"
OUTSIDE = "outside"


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


def refused(contract: Contract, column: str) -> str:
    """Name of the working column that says why a value, though of the type, was not kept; NULL where it was."""
    return f"_refused_{list(contract.columns).index(column)}"


def faulty(contract: Contract, column: str, path: str) -> str:
    """Name of the working column that is true where what stands at a path of a JSON value is not as it should be."""
    return f"_faulty_{list(contract.columns).index(column)}_{list(contract.columns[column].fields).index(path)}"


def judged_fields(contract: Contract) -> Iterator[tuple[str, str, str]]:
    """Column, path and SQL of what is asked of each value inside a JSON column: true where it is wrong, never NULL.

    Of the typed row; asked once, in making the working table, for it takes long to plan.
    """
    for name, column in contract.columns.items():
        for path, field in column.fields.items():
            if field.type != "text":
                value = identifier(name)
                yield name, path, f"coalesce({value} is not null and {_is_wrong(field, value, path)}, false)"


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
    text = identifier(delivered(contract, name))
    # A value that does not cast cannot be accepted, so `warn` is no choice here.
    without_value: OnFailure = "block" if column.on_failure == "block" else "quarantine"
    scope = "" if name in contract.key else "_op = 'upsert' and "

    def predicate(kind: PredicateKind, on_failure: OnFailure, sql: str, reason: str, part: str = "") -> Predicate:
        guarded = f"coalesce({scope}({sql}), false)"
        return Predicate(f"{name}.{part or kind}", kind, name, on_failure, guarded, f"{name}: {reason}")

    if column.required:
        missing = f"{value} is null" + ("" if column.type == "text" else f" and {text} is null")
        yield predicate("missing", without_value, missing, "missing")
    bounds = contract.bounds(name)
    if column.type != "text":
        kept = f"{text} is not null and {value} is null"
        kept += f" and {refused(contract, name)} is null" if bounds else ""
        yield predicate("type", without_value, kept, _NOT_OF_TYPE.get(column.type, f"not a {column.type}"))
    if bounds is not None:
        # Not known is better than lost: of an optional value only a far-off number or time costs the row.
        because = f"{refused(contract, name)} = "
        if kind_of(column.type) == "time":
            unknown: OnFailure = without_value if column.required else "warn"
            yield predicate("placeholder", unknown, f"{because}'{PLACEHOLDER}'", "a date that stands for 'not known'")
        far_off = without_value if column.required else column.on_failure
        yield predicate("bounds", far_off, f"{because}'{OUTSIDE}'", f"not {bounds}")
    for path, field in column.fields.items():
        if field.type == "text":
            continue
        reason = f"{path} is not {_article(field)}" + (f" {field.bounds}" if field.bounds else "")
        yield predicate("field", without_value, faulty(contract, name, path), reason, path)
    if column.allowed is not None:
        allowed = ", ".join(map(literal, column.allowed))
        yield predicate("allowed", column.on_failure, f"{value} not in ({allowed})", "not allowed")
    smallest, largest = (limit if isinstance(limit, float) else None for limit in (column.min, column.max))
    if smallest is not None or largest is not None:
        yield predicate("range", column.on_failure, *_outside(value, smallest, largest))


def _article(field: JsonField) -> str:
    return f"an {field.type}" if field.type == "object" else f"a {field.type}"


def _is_wrong(field: JsonField, document: str, path: str) -> str:
    """SQL that is true where something stands at a path of a JSON document and is not what the contract says."""
    match field.type:
        case "list" | "object" as shape:
            allowed = "'ARRAY', 'NULL'" if shape == "list" else "'OBJECT', 'NULL'"
            return _of_each(document, path, "json_type", f"{{}} not in ({allowed})")
        case kind:
            text = present(kind, "{}")
            value = cast(kind, text, "UTC")
            wrong = f"({text} is not null and {value} is null)"
            if field.bounds is not None:
                wrong += f" or coalesce({field.bounds.outside(value, '_extract_date')}, false)"
            return _of_each(document, path, "json_extract_string", wrong)


def _of_each(document: str, path: str, function: str, condition: str) -> str:
    """The condition (about `{}`) of what a function finds at a path: of one value, or of any in a list."""
    found = f"{function}({document}, {literal(path)})"
    if "[*]" not in path:
        return "coalesce(" + condition.replace("{}", found) + ", false)"
    met = "list_filter(" + found + ", lambda item: " + condition.replace("{}", "item") + ")"
    return f"coalesce(len({met}) > 0, false)"


# What else than the name of its type a person reads of a text that is not of it.
_NOT_OF_TYPE: dict[ColumnType, str] = {
    "timestamp": "not a timestamp (a day and a time of day, such as 2026-12-31 14:05:00)",
    "id": "not an id any more, but a number without all its digits, as spreadsheets write long ids (9.1E+15)",
    "currency": "not a currency of ISO 4217",
}


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
