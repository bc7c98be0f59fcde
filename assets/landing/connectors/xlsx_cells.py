"""The cells of an Excel sheet as texts, row by row.

What lives here: what becomes of a number, a date, a formula. Not here: the parts around it (xlsx_parts.py), what rows
are records (xlsx_file.py).

Numbers stay as they are written in the file. Dates are numbers with a format: they become ISO 8601, a day where the
format shows a day and nothing else is there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import cache

from assets.landing.connectors.xlsx_parts import DamagedError, Format, Workbook, feed, local, parser, pieces, unescaped

NO_RESULT = "a formula whose result is not in the file"

_MERGED = re.compile(rb"""<(?:\w+:)?mergeCell\s[^>]*?ref=["']([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})["']""")
_ROW = re.compile(rb"<(?:\w+:)?row[\s/>]")
_END_OF_ROWS = re.compile(rb"</(?:\w+:)?sheetData\s*>|<(?:\w+:)?sheetData\s*/>")
# Excel writes 4.9 as 4.9000000000000004: as many digits as tell one number from the next.
_SURE_DIGITS, _ALL_DIGITS = 15, 17
_LAST_DAY = 2_958_466
_LEAP_DAY_THAT_WAS_NONE = 60


@dataclass
class Row:
    """One row of a sheet: texts by column, from 0 on, and why it cannot be read; empty: it can."""

    number: int
    texts: dict[int, str] = field(default_factory=dict)
    fault: str = ""


@dataclass(frozen=True)
class Outline:
    """What is counted of a sheet without reading its cells.

    Attributes:
        rows: How many rows it has, empty ones included.
        merged: Cells that are merged: first row, last row, first column, last column; rows as numbered, columns from 0.
    """

    rows: int
    merged: tuple[tuple[int, int, int, int], ...]


def outline(book: Workbook) -> Outline:
    """Count the rows of a sheet, and find its merged cells, in its bytes.

    Raises:
        DamagedError: It cannot be unpacked.
    """
    rows, merged, in_rows = 0, list[tuple[int, int, int, int]](), True
    for part in _whole_tags(book):
        end = _END_OF_ROWS.search(part) if in_rows else None
        if in_rows:
            rows += sum(1 for _ in _ROW.finditer(part, 0, end.start() if end else len(part)))
            in_rows = end is None
        if not in_rows:
            for mark in _MERGED.finditer(part, end.end() if end else 0):
                first, top, last, bottom = mark.groups()
                merged.append((int(top), int(bottom), column_number(first.decode()), column_number(last.decode())))
    return Outline(rows, tuple(merged))


def _whole_tags(book: Workbook) -> Iterator[bytes]:
    """The bytes of a sheet in parts that cut no tag in two."""
    rest = b""
    for piece in pieces(book.archive, book.sheet):
        text = rest + piece
        cut = max(text.rfind(b"<"), 0)
        yield text[:cut]
        rest = text[cut:]
    yield rest


@cache
def column_number(letters: str) -> int:
    """Number of a column, A being 0."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def rows_of(book: Workbook) -> Iterator[Row]:
    """The rows of a sheet, in order, empty ones included.

    Raises:
        DamagedError: It cannot be read.
    """
    reader = _Reader(book)
    for _ in feed(reader.parser, book.archive, book.sheet):
        yield from reader.taken()


class _Reader:
    """Makes rows of what a parser comes upon."""

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self._rows: list[Row] = []
        self._row: Row | None = None
        self._number = 0
        self._column = -1
        self._cell: dict[str, str] = {}
        self._parts: dict[str, list[str]] = {"v": [], "t": [], "f": []}
        self._has_formula = False
        self._into: list[str] | None = None
        self._spoken = False
        self.parser = parser()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text

    def taken(self) -> list[Row]:
        """Rows that are whole."""
        rows, self._rows = self._rows, []
        return rows

    def _text(self, text: str) -> None:
        if self._into is not None and not self._spoken:
            self._into.append(text)

    def _start(self, name: str, said: dict[str, str]) -> None:
        element = local(name)
        if element == "c" and self._row is not None:
            self._begin_cell(said)
        elif element in self._parts:
            self._into = self._parts[element]
            self._has_formula |= element == "f"
        elif element == "row":
            self._number = int(said.get("r", self._number + 1))
            self._row, self._column = Row(self._number), -1
        elif element == "rPh":
            self._spoken = True

    def _begin_cell(self, said: dict[str, str]) -> None:
        self._cell, self._has_formula = said, False
        for parts in self._parts.values():
            parts.clear()
        letters = said.get("r", "").rstrip("0123456789")
        self._column = column_number(letters) if letters else self._column + 1

    def _end(self, name: str) -> None:
        element = local(name)
        if element in self._parts:
            self._into = None
        elif element == "rPh":
            self._spoken = False
        elif element == "row" and self._row is not None:
            self._rows.append(self._row)
            self._row = None
        elif element == "c" and self._row is not None:
            self._end_cell(self._row)

    def _end_cell(self, row: Row) -> None:
        kind, value = self._cell.get("t", "n"), "".join(self._parts["v"])
        if self._has_formula and not value and kind != "str":
            row.fault = NO_RESULT
            return
        text = "".join(self._parts["t"]) if kind == "inlineStr" else value
        if text:
            row.texts[self._column] = self._value(kind, text)

    def _value(self, kind: str, text: str) -> str:
        match kind:
            case "s":
                try:
                    return self._book.texts[int(text)]
                except (ValueError, IndexError):
                    raise DamagedError(f"row {self._number} holds a text that is not among the texts") from None
            case "inlineStr" | "str":
                return unescaped(text)
            case "b":
                return "true" if text == "1" else "false"
            case "n":
                style = int(self._cell.get("s", "0"))
                shown = self._book.formats[style] if style < len(self._book.formats) else Format()
                return number_text(text, shown, is_1904=self._book.is_1904)
            case _:
                # An error such as #N/A, and ISO 8601 times, stay as they are written.
                return text


def number_text(text: str, shown: Format, *, is_1904: bool) -> str:
    """A number as text: a day or a time where its format makes it one; every digit that says something is kept.

    Args:
        text: As it is written in the file.
        shown: What its format makes of it.
        is_1904: Days are counted from 1904 on.
    """
    if not shown.is_time and ("." not in text or len(text) <= _SURE_DIGITS):
        return text
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    if not number.is_finite():
        return text
    if shown.is_time:
        return _time_text(number, shown, is_1904=is_1904) or text
    if _SURE_DIGITS < len(number.normalize().as_tuple().digits) <= _ALL_DIGITS:
        # Shorter, and the very same number of the machine.
        shortest = repr(float(text))
        return shortest if "e" not in shortest else text
    return text


def _time_text(number: Decimal, shown: Format, *, is_1904: bool) -> str | None:
    """A count of days as a time, to the millisecond, which is what it is exact to; None: it is none."""
    millis = int((number * 86_400_000).to_integral_value())
    if shown.is_span:
        return f"{'-' if millis < 0 else ''}{_clock(abs(millis))}"
    if millis < 0 or number >= _LAST_DAY:
        return None
    days, rest = divmod(millis, 86_400_000)
    if shown.has_clock and not shown.has_day and days == 0:
        return _clock(rest)
    if is_1904:
        first = datetime(1904, 1, 1)
    else:
        # Excel counts a 29th of February 1900, which was no day.
        if days == _LEAP_DAY_THAT_WAS_NONE:
            return None
        first = datetime(1899, 12, 30 if days > _LEAP_DAY_THAT_WAS_NONE else 31)
    day = (first + timedelta(days=days)).date().isoformat()
    return f"{day} {_clock(rest)}" if rest or shown.has_clock else day


def _clock(millis: int) -> str:
    seconds, thousandths = divmod(millis, 1000)
    text = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{text}.{thousandths:03}" if thousandths else text
