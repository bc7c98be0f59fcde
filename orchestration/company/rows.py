"""Rows of a company's tables: read from CSV files, judged with the line of what is wrong, and put together.

What lives here: reading, judging, merging. Not here: what a table is (tables.py), where its files lie (compose.py).
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path

from orchestration.company.tables import CompanyTable, TableColumn
from orchestration.company.zones import time_zones
from storage.errors import JourneymartError
from storage.nearest import nearest_words

_TIME = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d|24:00")


@dataclass(frozen=True)
class TableRow:
    """One row: its texts by column, empty where nothing stands, and where it is written."""

    values: Mapping[str, str]
    file: Path
    line: int

    def key(self, table: CompanyTable) -> tuple[str, ...]:
        """What names it."""
        return tuple(self.values[column] for column in table.key)

    def mistake(self, words: str) -> str:
        """A mistake in one sentence: file, line, what is wrong and what to do."""
        return f"{self.file}, line {self.line}: {words}."


def read_rows(table: CompanyTable, file: Path) -> list[TableRow]:
    """Rows of a file.

    Raises:
        JourneymartError: It cannot be read as a CSV file with the columns of the table.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise JourneymartError(f"{file}: it is not UTF-8 text: save it as CSV with the encoding UTF-8.") from None
    lines = csv.reader(io.StringIO(text, newline=""))
    header = [name.strip() for name in next(lines, [])]
    _judge_header(table, file, header)
    rows = []
    for fields in lines:
        if not any(field.strip() for field in fields):
            continue
        if len(fields) != len(header):
            raise JourneymartError(
                f"{file}, line {lines.line_num}: {len(fields)} fields where the header has {len(header)}: put fields "
                "that hold a comma into double quotes."
            )
        said = dict(zip(header, (field.strip() for field in fields), strict=True))
        rows.append(TableRow({name: said.get(name, "") for name in table.columns}, file, lines.line_num))
    return rows


def _judge_header(table: CompanyTable, file: Path, header: Sequence[str]) -> None:
    if len(header) == 1 and ";" in header[0]:
        raise JourneymartError(f"{file}, line 1: its columns are parted by ';': save it as CSV parted by commas.")
    for name in header:
        if name not in table.columns:
            hint = nearest_words(name, table.columns, show=40)
            raise JourneymartError(f"{file}, line 1: {table.name} has no column '{name}'; {hint}.")
        if header.count(name) > 1:
            raise JourneymartError(f"{file}, line 1: the column {name} stands twice: take one out.")
    for name, column in table.columns.items():
        if name not in header and (column.required or name in table.key[:1]):
            raise JourneymartError(f"{file}, line 1: the column {name} is missing: add it.")


def together(table: CompanyTable, ours: Iterable[TableRow], theirs: Sequence[TableRow] | None) -> list[TableRow]:
    """The product's rows and a company's, as the table says they go together.

    Args:
        table: The table.
        ours: The product's rows.
        theirs: The company's; None: it has no such file.
    """
    if theirs is None:
        return list(ours)
    if table.use == "replaces":
        return list(theirs)
    known = {row.key(table) for row in theirs}
    return [*(row for row in ours if row.key(table) not in known), *theirs]


def mistakes(tables: Mapping[str, CompanyTable], rows: Mapping[str, Sequence[TableRow]]) -> Iterator[str]:
    """What is wrong with the tables, a sentence each.

    Values are repeated only where they are words of ours, numbers or days: others may name a person.
    """
    values = {
        f"{name}.{column}": {row.values[column] for row in of_table}
        for name, of_table in rows.items()
        for column in tables[name].columns
    }
    for name, of_table in rows.items():
        yield from _twice(tables[name], of_table)
        for row in of_table:
            for column, known in tables[name].columns.items():
                if words := _wrong(known, row.values[column], values):
                    yield row.mistake(f"{column} {words}")


def source_mistakes(table: CompanyTable, rows: Iterable[TableRow], sources: Collection[str]) -> Iterator[str]:
    """Rows that name a source nobody has, a sentence each: nothing would ever be read by them.

    Args:
        table: The table.
        rows: Its rows.
        sources: Names of the company's sources.
    """
    columns = [name for name, column in table.columns.items() if column.holds == "source"]
    for row in rows:
        for column in columns:
            text = row.values[column]
            if text and text not in sources:
                hint = nearest_words(text, sources, show=20)
                said = f"'{text}' is no source of company.yml{f' ({hint})' if hint else ''}"
                yield row.mistake(f"{column} {said}: name one of its sources, or take the row out")


def _twice(table: CompanyTable, rows: Sequence[TableRow]) -> Iterator[str]:
    """Rows that repeat what only one row may say."""
    for columns in (table.key, *((column,) for column in table.unique)):
        seen: dict[tuple[str, ...], TableRow] = {}
        for row in rows:
            first = seen.setdefault(tuple(row.values[column] for column in columns), row)
            if first is not row:
                where = f"line {first.line}" if first.file == row.file else f"{first.file}, line {first.line}"
                yield row.mistake(f"the same {', '.join(columns)} stands on {where}, too: take one out")


def _wrong(column: TableColumn, text: str, values: Mapping[str, set[str]]) -> str | None:
    """What is wrong with one value, and what it may be."""
    if not text:
        return "is empty: give it a value" if column.required else None
    if text in column.also:
        return None
    return _unlisted(column, text, values) or _misread(column, text)


def _unlisted(column: TableColumn, text: str, values: Mapping[str, set[str]]) -> str | None:
    """What is wrong with a value of which only some are allowed."""
    if column.allowed and text not in column.allowed:
        return f"'{text}' is not allowed: say {' or '.join(column.allowed)}"
    if column.names and text not in values[column.names]:
        table = column.names.partition(".")[0]
        hint = nearest_words(text, values[column.names] - {""}, show=20)
        said = f"'{text}' is not in {table}{f' ({hint})' if hint else ''}"
        return f"{said}: add it to {table}.csv, or name one that is there"
    return None


def _misread(column: TableColumn, text: str) -> str | None:
    """What is wrong with a value as one of its type."""
    fits, wanted = _READINGS[column.holds or column.type.partition("(")[0]]
    try:
        return None if fits(text) else f"'{text}' is not {wanted}"
    except (ValueError, InvalidOperation):
        return f"'{text}' is not {wanted}"


_NUMBER = (lambda text: Decimal(text).is_finite(), "a number: write it as 12.5")
# Whether a text is one of its type (or cannot be read at all), and what it should be.
_READINGS: Mapping[str, tuple[Callable[[str], bool], str]] = {
    "varchar": (lambda text: True, "a text"),
    "integer": (lambda text: int(text) is not None, "a whole number"),
    "double": _NUMBER,
    "decimal": _NUMBER,
    "date": (lambda text: date.fromisoformat(text) is not None, "a day: write it as 2026-06-27"),
    "boolean": (lambda text: text.lower() in {"true", "false"}, "true or false"),
    "json": (lambda text: json.loads(text) is not None, 'JSON: write it as [4, 5] or as {"Very satisfied": 5}'),
    # Which sources there are is not said in tables (`source_mistakes`).
    "source": (lambda text: True, "a text"),
    "zone": (lambda text: text in time_zones(), "a time zone: give its IANA name, such as Europe/Berlin"),
    "time": (
        lambda text: _TIME.fullmatch(text) is not None,
        "a time of day: write it as 08:30; midnight at the end of a day is 24:00",
    ),
}


def as_csv(table: CompanyTable, rows: Iterable[TableRow]) -> str:
    """The rows as a CSV file with all columns of the table."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows([row.values[name] for name in table.columns] for row in rows)
    return text.getvalue()
