"""The mapping of one stream as plain values.

What lives here: what may be said of a delivered table, and where it was said. Not here: the file it stands in
(orchestration/config), the SQL that comes of it (statement.py), what an expression may be (expressions.py).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from quality.contract.reading import Reading

# Where something was said: it does not change what it means.
_NOWHERE = 0


@dataclass(frozen=True)
class Value:
    """Where one column of the contract comes from: exactly one of `column`, `const`, `sql` and `key` is said.

    Attributes:
        column: A delivered column.
        const: The same text for every row.
        sql: An expression over delivered columns.
        names: The columns the expression names.
        key: Delivered columns that together name the row.
        values: Of a column: delivered texts and what stands for them; None stands for nothing.
        otherwise: Of a column with `values`: what stands for any other text; None: the text stays.
        formats: Of a column: how its dates or times are written (strptime), tried in this order.
        timezone: IANA zone of such times; None: that of the stream.
        number: Of a column: how its numbers are written, where not as the stream's are.
        line: Where it stands in the mapping file.
    """

    column: str | None = None
    const: str | None = None
    sql: str | None = None
    names: tuple[str, ...] = ()
    key: tuple[str, ...] = ()
    values: tuple[tuple[str, str | None], ...] = ()
    otherwise: str | None = None
    formats: tuple[str, ...] = ()
    timezone: str | None = None
    number: Reading | None = None
    line: int = _NOWHERE

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it is made of."""
        return (self.column,) if self.column else (*self.names, *self.key)


def has_zone(formats: Sequence[str]) -> bool:
    """Whether times of these formats (strptime) say their offset themselves."""
    return all("%z" in each.lower() for each in formats)


@dataclass(frozen=True)
class Condition:
    """Which records are ours: all but those of which the expression is false.

    Attributes:
        sql: The expression.
        names: The columns it names.
        line: Where it stands in the mapping file.
    """

    sql: str
    names: tuple[str, ...]
    line: int = _NOWHERE


@dataclass(frozen=True)
class Unpivot:
    """Columns of which each gives a row of its own, with the column's name and value; empty values give none.

    Attributes:
        columns: Delivered columns, or patterns of them.
        name: Column that names the column a row is of.
        value: Column with its value.
        line: Where it stands in the mapping file.
    """

    columns: tuple[str, ...]
    name: str
    value: str
    line: int = _NOWHERE


@dataclass(frozen=True)
class LookUp:
    """A column that every record gets besides: what another stream of the source says of the record it names.

    Attributes:
        name: What the column is called in this block.
        column: The delivered column that names the other's record.
        stream: The other stream.
        takes: The column of its contract that is taken.
        line: Where it stands in the mapping file.
    """

    name: str
    column: str
    stream: str
    takes: str
    line: int = _NOWHERE


@dataclass(frozen=True)
class StreamMapping:
    """How the rows of one stream are made of a delivered table.

    Attributes:
        file: The mapping file, as messages name it.
        line: Where the stream begins in it.
        columns: Columns of the contract and where they come from.
        lookups: Columns that other streams of the source say; to what is below they are as delivered ones.
        where: Which records are ours; None: all.
        unpivot: Columns that give a row each; None: a record is a row.
        ignore: Patterns of delivered columns that are known and not wanted.
        optional: Patterns of columns it names that need not be delivered.
    """

    file: str
    line: int
    columns: tuple[tuple[str, Value], ...]
    where: Condition | None = None
    unpivot: Unpivot | None = None
    ignore: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    lookups: tuple[LookUp, ...] = ()
    fingerprint: str = field(init=False, compare=False, default="")

    def __post_init__(self) -> None:
        """Work out the hash of what it means once; where it stands in which file changes nothing."""
        said: list[object] = [
            [(name, repr(replace(value, line=_NOWHERE))) for name, value in self.columns],
            self.where and self.where.sql,
            self.unpivot and repr(replace(self.unpivot, line=_NOWHERE)),
            # What is ignored or optional is only not named.
        ]
        if self.lookups:
            said.append([repr(replace(each, line=_NOWHERE)) for each in self.lookups])
        object.__setattr__(self, "fingerprint", hashlib.sha256(json.dumps(said).encode()).hexdigest())

    def named(self) -> Iterator[tuple[str, int, str]]:
        """Columns the rows are made of, with the line and what it is for; not those that give rows.

        Before one that is looked up stands the one that names what to look up.
        """
        made = {self.unpivot.name.casefold(), self.unpivot.value.casefold()} if self.unpivot else set[str]()
        keys = {each.name.casefold(): (each.column, each.line) for each in self.lookups}
        uses = [(name, self.where.line, "where") for name in self.where.names] if self.where else []
        uses += [(name, value.line, target) for target, value in self.columns for name in value.columns]
        for name, line, target in uses:
            if name.casefold() in keys:
                yield (*keys[name.casefold()], target)
            if name.casefold() not in made:
                yield name, line, target
