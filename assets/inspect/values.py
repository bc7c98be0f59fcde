"""What the values of a landed file's columns look like: how many there are, of which kind, in which shapes.

What lives here: one look at the first rows of any column, known to a contract or not. Not here: what a contract makes
of a value (quality/rows), which column is which (columns.py).

Shapes keep nothing of a value but where it has digits, letters and marks, so they may be shown of personal data too;
values themselves are told of the columns that are asked for only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from quality.landed.extract import ORIGIN
from quality.rows.casts import identifier, literal
from quality.rows.landed_text import read_parquet, text_columns

# Rows that are looked at; how many there are in all is told beside it.
LOOKED_AT = 50_000
_SHAPES = 3
_VALUES = 5
_LONGEST_SHAPE = 40
_OTHER = "text"
# What a value is, by the first pattern that fits all of it.
_KINDS = {
    "time with an offset": r"[0-9]{4}[-/.][0-9]{2}[-/.][0-9]{2}[T ][0-9:.]{4,}(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)",
    "time without an offset": r"[0-9]{4}[-/.][0-9]{2}[-/.][0-9]{2}[T ][0-9:.]{4,}",
    "day": r"[0-9]{4}[-/.][0-9]{2}[-/.][0-9]{2}",
    "day with its year behind": r"[0-9]{1,2}[/.-][0-9]{1,2}[/.-][0-9]{4}(?:[T, ].*)?",
    "seconds since 1970": r"1[0-9]{9}(?:\.[0-9]+)?",
    "milliseconds since 1970": r"1[0-9]{12}",
    "whole number": r"[+-]?[0-9]+",
    "number with a point": r"[+-]?[0-9]*\.[0-9]+(?:[eE][+-]?[0-9]+)?",
    "number with a comma": r"[+-]?[0-9.]*,[0-9]+",
    "yes or no": r"(?i)true|false|yes|no|t|f|y|n",
    "JSON": r"(?s)\{.*\}|\[.*\]",
    "e-mail address": r"[^@\s]+@[^@\s]+\.[^@\s]+",
}


@dataclass(frozen=True)
class ColumnLook:
    """What one column looks like in the rows that were looked at.

    Attributes:
        name: Its name.
        filled: Rows that hold something.
        distinct: About how many different values.
        kinds: Values by kind, the most frequent first.
        shapes: The most frequent shapes and their counts: `A-9999`.
    """

    name: str
    filled: int
    distinct: int
    kinds: Mapping[str, int]
    shapes: tuple[tuple[str, int], ...]

    @property
    def kind(self) -> str | None:
        """What most values are; None: there is none."""
        return next(iter(self.kinds), None)


def shape_of(text: str) -> str:
    """SQL of a text with every digit a 9, every letter an a or an A, cut at 40 characters."""
    cut = f"substr({text}, 1, {_LONGEST_SHAPE})"
    digits = rf"regexp_replace({cut}, '[0-9]', '9', 'g')"
    return rf"regexp_replace(regexp_replace({digits}, '\p{{Lu}}', 'A', 'g'), '[\p{{Ll}}\p{{Lo}}]', 'a', 'g')"


def look_at_values(
    connection: duckdb.DuckDBPyConnection, rows: Path, told: Mapping[str, str] | None = None
) -> list[ColumnLook]:
    """Look at the values of a landed file, in its first rows.

    Args:
        connection: Any.
        rows: The file of landed rows.
        told: SQL of what is in a column, NULL where that is nothing; of others, what is not blank is.
    """
    read = {name: as_read for name, as_read in text_columns(connection, rows).items() if name not in ORIGIN}
    if not read:
        return []
    bare = {name: f"nullif(trim({identifier(as_read)}), '')" for name, as_read in read.items()}
    texts = ", ".join({**bare, **(told or {})}.values())
    names = list(read)
    kinds = " ".join(
        f"when regexp_full_match(text, {literal(pattern)}) then {literal(kind)}" for kind, pattern in _KINDS.items()
    )
    found = connection.execute(
        f"""
        with texts as (
            select unnest($names) as name, unnest([{texts}]) as text
            from (select * from {read_parquet(rows)} limit {LOOKED_AT})
        ),
        looked as (
            select name, text, case {kinds} else {literal(_OTHER)} end as kind, {shape_of("text")} as shape
            from texts where text is not null
        ),
        kinds as (select name, kind, count(*) as n from looked group by name, kind),
        shapes as (
            select name, shape, count(*) as n from looked group by name, shape
            qualify row_number() over (partition by name order by count(*) desc, shape) <= {_SHAPES}
        )
        select
            name,
            count(*),
            approx_count_distinct(text),
            (select list(struct_pack(kind, n) order by n desc, kind) from kinds where kinds.name = looked.name),
            (select list(struct_pack(shape, n) order by n desc, shape) from shapes where shapes.name = looked.name)
        from looked group by name
        """,
        {"names": names},
    ).fetchall()
    looks = {
        name: ColumnLook(
            name,
            filled,
            distinct,
            {each["kind"]: each["n"] for each in of_kinds},
            tuple((each["shape"], each["n"]) for each in of_shapes),
        )
        for name, filled, distinct, of_kinds, of_shapes in found
    }
    return [looks.get(name, ColumnLook(name, 0, 0, {}, ())) for name in names]


def frequent_values(
    connection: duckdb.DuckDBPyConnection, rows: Path, told: Mapping[str, str]
) -> dict[str, tuple[tuple[str, int], ...]]:
    """The most frequent values of columns that hold nothing personal, with their counts, in the first rows of a file.

    Args:
        connection: Any.
        rows: The file of landed rows.
        told: SQL of what is in each column, NULL where that is nothing.
    """
    if not told:
        return {}
    found = connection.execute(
        f"""
        select name, list(struct_pack(text, n) order by n desc, text) from (
            select name, text, count(*) as n from (
                select unnest($names) as name, substr(unnest([{", ".join(told.values())}]), 1, {_LONGEST_SHAPE}) as text
                from (select * from {read_parquet(rows)} limit {LOOKED_AT})
            )
            where text is not null group by name, text
            qualify row_number() over (partition by name order by count(*) desc, text) <= {_VALUES}
        )
        group by name
        """,
        {"names": list(told)},
    ).fetchall()
    return {name: tuple((each["text"], each["n"]) for each in values) for name, values in found}
