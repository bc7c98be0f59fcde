"""Reads a sheet of an Excel workbook into text columns, every record a row or a reject.

What lives here: which rows are the header and which are records, merged cells, and what makes a record a reject. Not
here: the archive (xlsx_parts.py), what becomes of a cell (xlsx_cells.py).

The header is the first row that holds something. Rows without anything are no records, wherever they stand. The rows
are counted in the bytes of the sheet, and the parser must have seen as many.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pyarrow as pa

from assets.landing.connectors.batch import ParsedBatch, ParsedFile, counted, rejects_table, require_columns, rows_table
from assets.landing.connectors.config import FileFormat
from assets.landing.connectors.text_records import NUL, TOO_LONG
from assets.landing.connectors.xlsx_cells import Outline, Row, outline, rows_of
from assets.landing.connectors.xlsx_parts import DamagedError, Workbook, open_workbook
from storage.errors import JourneymartError

_OUTSIDE = "a value in a column that the header does not name"
_BATCH_ROWS = 20_000


def read_xlsx(path: Path, form: FileFormat) -> ParsedFile:
    """Open a workbook at its sheet.

    Args:
        path: The file.
        form: Its sheet, header rows and limits.

    Raises:
        JourneymartError: It is no workbook, its sheet or header cannot be used, it unpacks to more than the limits
            allow, or (while batches are read) it is damaged.
    """
    book = open_workbook(path, form.sheet, form.limits)
    try:
        outlined = outline(book)
        rows = _filled(_seen(book, outlined, path), outlined)
        header = next((row for row in rows if row.texts or row.fault), None)
    except DamagedError as error:
        raise _damaged(path, error) from None
    if header is None:
        return ParsedFile((), iter(()), is_hollow=True)
    if header.fault:
        raise JourneymartError(f"{path.name} has {header.fault} in its header: have it saved by Excel again.")
    # A column without a name and without a value is a gap between others.
    named = dict(sorted(header.texts.items()))
    columns = require_columns(list(named.values()), path)
    return ParsedFile(columns, _batches(rows, named, path, form))


def _seen(book: Workbook, outlined: Outline, path: Path) -> Iterator[Row]:
    """The rows of a sheet, held to those that were counted in its bytes."""
    seen = 0
    for row in rows_of(book):
        seen += 1
        yield row
    if seen != outlined.rows:
        raise JourneymartError(
            f"{path.name} holds {outlined.rows:,} rows where the parser saw {seen:,}: nothing was landed; deliver it "
            "as CSV, and report this as a bug."
        )


def _filled(rows: Iterable[Row], outlined: Outline) -> Iterator[Row]:
    """The rows, where what stands in merged cells is said of each row they go over, as it is shown."""
    begins: dict[int, list[tuple[int, int, int, int]]] = {}
    for each in outlined.merged:
        begins.setdefault(each[0], []).append(each)
    going_on: list[tuple[int, int, str]] = []
    for row in rows:
        going_on = [each for each in going_on if each[0] >= row.number]
        if row.texts:
            for _, column, text in going_on:
                row.texts.setdefault(column, text)
        for top, bottom, first, _ in begins.get(row.number, ()):
            if bottom > top and first in row.texts:
                going_on.append((bottom, first, row.texts[first]))
        yield row


def _batches(rows: Iterator[Row], named: Mapping[int, str], path: Path, form: FileFormat) -> Iterator[ParsedBatch]:
    number, batch = 0, list[Row]()
    skipped = 1
    try:
        for row in rows:
            if not row.texts and not row.fault:
                continue
            if skipped < form.header_rows:
                skipped += 1
                continue
            batch.append(row)
            if len(batch) == _BATCH_ROWS:
                yield _batch(batch, named, number, path, form)
                number, batch = number + len(batch), []
    except DamagedError as error:
        raise _damaged(path, error) from None
    if batch:
        yield _batch(batch, named, number, path, form)


def _batch(rows: list[Row], named: Mapping[int, str], before: int, path: Path, form: FileFormat) -> ParsedBatch:
    faults = {index: fault for index, row in enumerate(rows) if (fault := _fault(row, named, form))}
    good = [(before + index + 1, row) for index, row in enumerate(rows) if index not in faults]
    values = [pa.array([row.texts.get(place) for _, row in good], pa.string()) for place in named]
    return counted(
        ParsedBatch(
            rows=rows_table(list(named.values()), values, [number for number, _ in good]),
            rejects=rejects_table(
                [before + index + 1 for index in faults],
                [_raw(rows[index], named, form.limits.max_record_bytes) for index in faults],
                list(faults.values()),
            ),
            records=len(rows),
        ),
        path,
    )


def _fault(row: Row, named: Mapping[int, str], form: FileFormat) -> str:
    """Why a row is no record that can be taken; empty: it can."""
    if row.fault:
        return row.fault
    if not row.texts.keys() <= named.keys():
        return _OUTSIDE
    if any("\0" in text for text in row.texts.values()):
        return NUL
    too_long = sum(map(len, row.texts.values())) > form.limits.max_record_bytes
    return TOO_LONG if too_long else ""


def _raw(row: Row, named: Mapping[int, str], limit: int) -> str:
    """A rejected row as a JSON object; what has no name under the number of its column."""
    said = {
        named.get(place, f"column {place + 1}"): text.replace("\0", "\ufffd")
        for place, text in sorted(row.texts.items())
    }
    return json.dumps(said, ensure_ascii=False)[:limit]


def _damaged(path: Path, error: DamagedError) -> JourneymartError:
    return JourneymartError(f"{path.name} is damaged ({error}): have it delivered again.")
