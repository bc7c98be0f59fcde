"""A mapping as one SQL statement: the rows of a contract out of a delivered table, every value a text.

What lives here: which delivered column is meant, what is lacking, the SQL. Pure: strings in, strings out. Not here:
running it (assets/landing/mapped.py), what the texts become (quality/rows).
"""

from __future__ import annotations

import fnmatch
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from quality.contract.model import Contract
from quality.contract.reading import Reading
from quality.landed.extract import ORIGIN
from quality.mapping.model import StreamMapping, Value, has_zone
from quality.rows.casts import identifier, literal, plain_number, present
from quality.rows.landed_text import is_csv

_NUMBERS = re.compile(r"(U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)|FLOAT|DOUBLE|DECIMAL.*|BIGNUM)")


@dataclass(frozen=True)
class Fit:
    """How a mapping meets the columns of a delivery.

    Attributes:
        found: Named columns, as the mapping spells them, and as they are delivered.
        values: Delivered columns that give a row each.
        lacking: Named columns that are not delivered and not optional, each with its line and what it is for.
        unmapped: Delivered columns nothing is said of.
    """

    found: Mapping[str, str]
    values: tuple[str, ...]
    lacking: tuple[tuple[str, int, str], ...]
    unmapped: tuple[str, ...]


def fit(mapping: StreamMapping, delivered: Sequence[str]) -> Fit:
    """Find the columns a mapping names among those delivered.

    A column is found under another spelling (case, blanks, dashes) where only one can be meant. One that is looked up
    is always there.
    """
    named = list(mapping.named())
    looked_up = {name: name for each in mapping.lookups for name in spellings(mapping, each.name)}
    found = {**_meant({name for name, _, _ in named} - looked_up.keys(), delivered), **looked_up}
    lacking = [each for each in dict.fromkeys(named) if each[0] not in found and not _is_any(each[0], mapping.optional)]
    values: dict[str, None] = {}
    if mapping.unpivot:
        for pattern in mapping.unpivot.columns:
            one = _meant([pattern], delivered)
            here = list(one.values()) or [name for name in delivered if fnmatch.fnmatchcase(name, pattern)]
            values.update(dict.fromkeys(here))
            if not here:
                lacking.append((pattern, mapping.unpivot.line, "unpivot"))
    used = {*found.values(), *values}
    unmapped = tuple(name for name in delivered if name not in used and not _is_any(name, mapping.ignore))
    return Fit(found, tuple(values), tuple(lacking), unmapped)


def spellings(mapping: StreamMapping, column: str) -> set[str]:
    """How a mapping writes the name of a column of its own; DuckDB does not tell capitals."""
    return {name for name, _, _ in mapping.named() if name.casefold() == column.casefold()}


def _is_any(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def without_absent(mapping: StreamMapping, met: Fit) -> StreamMapping:
    """The mapping without columns made of optional ones that were not delivered: absent, as from any extract."""
    absent = {name for name, _, _ in mapping.named() if name not in met.found} - {name for name, _, _ in met.lacking}
    kept = tuple((name, value) for name, value in mapping.columns if not value.columns or set(value.columns) - absent)
    return replace(mapping, columns=kept)


def _meant(wanted: Iterable[str], delivered: Sequence[str]) -> dict[str, str]:
    """Which delivered column each wanted name means; what may mean several or none is left out."""
    spelled = Counter(_folded(name) for name in delivered)
    by_fold = {_folded(name): name for name in delivered}
    return {
        name: name if name in delivered else by_fold[_folded(name)]
        for name in wanted
        if name in delivered or spelled[_folded(name)] == 1
    }


def _folded(name: str) -> str:
    """A name without case and without all that parts its words."""
    return re.sub(r"[\W_]+", "", name.casefold())


def mapped_columns(mapping: StreamMapping, contract: Contract) -> tuple[str, ...]:
    """The columns of the rows, in the contract's order."""
    mapped = dict(mapping.columns)
    return tuple(name for name in contract.columns if name in mapped)


def untyped_rows(mapping: StreamMapping, contract: Contract, met: Fit, delivered: str, reading: Reading) -> str:
    """SQL of the rows, of which expressions still have the types they give.

    Args:
        mapping: The mapping.
        contract: What each column of the rows is.
        met: How the mapping meets the delivery.
        delivered: SQL that gives the delivered rows.
        reading: The reading rules of the stream.
    """
    mapped = dict(mapping.columns)
    values = [
        f"{_value(mapped[name], contract.columns[name].type, reading)} as {identifier(name)}"
        for name in mapped_columns(mapping, contract)
    ]
    return f"select {', '.join([*values, *ORIGIN])} from ({_source(mapping, met, delivered, reading)})"


def counts(mapping: StreamMapping, met: Fit, delivered: str, reading: Reading) -> str:
    """SQL that counts, by file, what the rows must be: counted from the delivered columns, not from the rows made.

    Columns: the file; records left out by `where`; records that are ours and have no value to give a row; rows.
    """
    ours = f"coalesce({_condition(mapping)}, true)"
    given = "1"
    if mapping.unpivot:
        given = " + ".join(["0", *(f"({_aliased(met, name)} is not null)::integer" for name in met.values)])
    each = f"select _file, {ours} as ours, {given} as given from ({_relation(mapping, met, delivered, reading)})"
    return (
        "select _file, count(*) filter (not ours), count(*) filter (ours and given = 0), "
        f"coalesce(sum(given) filter (ours), 0)::bigint from ({each}) group by _file"
    )


def as_texts(columns: Mapping[str, str], rows: str, reading: Reading) -> str:
    """SQL of the rows, every value a text as the stream writes it.

    Args:
        columns: The columns of the rows and their DuckDB types.
        rows: SQL of the rows.
        reading: The reading rules of the stream.
    """
    texts = [f"{_text(identifier(name), kind, reading)} as {identifier(name)}" for name, kind in columns.items()]
    return f"select {', '.join([*texts, *ORIGIN])} from ({rows})"


def _source(mapping: StreamMapping, met: Fit, delivered: str, reading: Reading) -> str:
    """SQL of the records that are ours, under the mapping's names; of columns that give rows, one row per value."""
    rows = f"select * from ({_relation(mapping, met, delivered, reading)}) where coalesce({_condition(mapping)}, true)"
    unpivot = mapping.unpivot
    if unpivot is None:
        return rows
    names = ", ".join(map(literal, met.values))
    values = ", ".join(_aliased(met, name) for name in met.values)
    name, value = identifier(unpivot.name), identifier(unpivot.value)
    each = f"select *, unnest([{names}]::varchar[]) as {name}, unnest([{values}]::varchar[]) as {value} from ({rows})"
    return f"select * from ({each}) where {value} is not null"


def _relation(mapping: StreamMapping, met: Fit, delivered: str, reading: Reading) -> str:
    """SQL of the delivered columns that matter, under the mapping's names; NULL what is empty or lacking."""
    columns: dict[str, str] = {}
    for name, _, _ in mapping.named():
        source = _given(met.found[name], reading) if name in met.found else "null::varchar"
        columns.setdefault(name.casefold(), f"{source} as {identifier(name)}")
    values = [f"{_given(name, reading)} as {_aliased(met, name)}" for name in met.values]
    return f"select {', '.join([*columns.values(), *values, *ORIGIN])} from ({delivered})"


def _aliased(met: Fit, name: str) -> str:
    """A column that gives rows, under a name no other column has."""
    return f"_value_{met.values.index(name)}"


def _condition(mapping: StreamMapping) -> str:
    return f"({mapping.where.sql}\n)" if mapping.where else "true"


def _given(name: str, reading: Reading) -> str:
    """SQL of the text of a delivered column, NULL where it stands for nothing."""
    text = f"{identifier(name)}::varchar"
    return f"case when {present('text', text, reading.empty)} is not null then {text} end"


def _value(value: Value, kind: str, reading: Reading) -> str:
    """SQL of one value."""
    if value.sql is not None:
        return f"({value.sql}\n)"
    if value.key:
        # Parts cannot run into each other, whatever stands in them; without one of them there is no key.
        parts = [f"replace(replace(trim({identifier(name)}), '%', '%25'), ':', '%3A')" for name in value.key]
        return " || ':' || ".join(parts)
    if value.column is None:
        return "null::varchar" if value.const is None else literal(value.const)
    return _of_column(identifier(value.column), value, kind, reading)


def _of_column(text: str, value: Value, kind: str, reading: Reading) -> str:
    """SQL of what is made of the text of one delivered column."""
    if value.values:
        return _translated(text, value)
    if value.formats:
        return _time(text, value, kind)
    if value.number is not None:
        plain = _pointed(plain_number(f"trim({text})", value.number), reading)
        return f"coalesce({plain}, {text})"
    return text


def _translated(text: str, value: Value) -> str:
    """SQL of the word that stands for a text; another text stays, or has its own word."""
    cases = " ".join(
        f"when {literal(said)} then {'null' if meant is None else literal(meant)}" for said, meant in value.values
    )
    other = text if value.otherwise is None else f"case when {text} is not null then {literal(value.otherwise)} end"
    return f"case trim({text}) {cases} else {other} end"


def _time(text: str, value: Value, kind: str) -> str:
    """SQL of a time as the contract reads it; a text that is none stays, so that the contract names it.

    Without a zone of its own it stays local, and is the contract's to place; with one, a time the clock skips or shows
    twice is placed as the contract does it.
    """
    formats = ", ".join(map(literal, value.formats))
    moment = f"try_strptime(trim({text}), {formats if len(value.formats) == 1 else f'[{formats}]'})"
    if kind == "date":
        written = f"strftime({moment}, '%Y-%m-%d')"
    elif has_zone(value.formats):
        written = _utc(moment)
    elif value.timezone:
        written = _utc(f"timezone({literal(value.timezone)}, {moment})")
    else:
        written = _seconds(f"strftime({moment}, '%Y-%m-%d %H:%M:%S.%f')")
    return f"coalesce({written}, {text})"


def _utc(moment: str) -> str:
    return f"({_seconds(f'''strftime(timezone('UTC', {moment}), '%Y-%m-%dT%H:%M:%S.%f')''')} || 'Z')"


def _seconds(text: str) -> str:
    """SQL of a time without a fraction of a second that says nothing."""
    return f"regexp_replace({text}, '\\.0+$', '')"


def _pointed(number: str, reading: Reading) -> str:
    """SQL of a number with a decimal point as the files of the stream write it; only CSV has a way of its own."""
    if reading.point == ".":
        return number
    return f"case when {is_csv('_file')} then replace({number}, '.', {literal(reading.point)}) else {number} end"


def _text(value: str, kind: str, reading: Reading) -> str:
    """SQL of a value of a DuckDB type as text."""
    if kind == "VARCHAR":
        return value
    if _NUMBERS.fullmatch(kind):
        return _pointed(f"{value}::varchar", reading)
    if kind == "TIMESTAMP WITH TIME ZONE":
        return _utc(value)
    if kind.startswith("TIMESTAMP"):
        return _seconds(f"strftime({value}::timestamp, '%Y-%m-%d %H:%M:%S.%f')")
    if kind in ("BOOLEAN", "DATE", "TIME", "UUID", "JSON") or kind.startswith(("ENUM", '"NULL"')):
        return f"{value}::varchar"
    return f"to_json({value})::varchar"
