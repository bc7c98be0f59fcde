"""Reads a CSV file into text columns, every record a row or a reject.

What lives here: the header, parsing with Arrow, ragged records. Not here: where records end
(text_records.py), encodings and compression (unpack.py).
"""

from __future__ import annotations

import csv
import io
import json
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv as arrow_csv

from assets.landing.connectors.batch import (
    ParsedBatch,
    ParsedFile,
    counted,
    in_order,
    rejects_table,
    require_columns,
    rows_table,
)
from assets.landing.connectors.config import FileFormat
from assets.landing.connectors.text_records import WINDOW_BYTES, Records, csv_records, damage
from assets.landing.connectors.unpack import Bytes, map_bytes, release, text_start
from storage.errors import JourneymartError

_RAGGED = "another number of fields than the header"
_OTHER_DELIMITERS = ",;\t|"
_HEAD_BYTES = 64
_SOME, _MOST = 4, 0.9


def read_csv(text: Path, form: FileFormat, window: int = WINDOW_BYTES) -> ParsedFile:
    """Open a plain UTF-8 CSV file.

    An empty field is NULL, in quotes or not. Header rows after the first are skipped.

    Args:
        text: The file.
        form: Its delimiter, header rows and limits.
        window: Bytes parsed at a time.

    Raises:
        JourneymartError: The header is missing or unusable, or (while batches are read) a record cannot be
            accounted for.
    """
    data = map_bytes(text)
    headers, begin = _header(text, form)
    columns = require_columns(headers, text)
    windows = csv_records(data, begin, form.delimiter, window)
    return ParsedFile(columns, in_order(partial(_parse, text, columns, form), windows))


def first_record_offset(text: Path, form: FileFormat) -> int:
    """Offset of the first record behind the header rows."""
    return _header(text, form)[1]


def _header(text: Path, form: FileFormat) -> tuple[list[str], int]:
    """Names of the columns, and the offset behind all header rows."""
    data = map_bytes(text)
    found: list[tuple[Records, int]] = []
    # Header rows are short: a small window, or reading them would cost as much as reading the file.
    for records in csv_records(data, text_start(data), form.delimiter, window=64 * 1024):
        found += [(records, index) for index in range(min(len(records), form.header_rows - len(found)))]
        if len(found) == form.header_rows:
            break
    if len(found) < form.header_rows:
        raise JourneymartError(
            f"{text.name} has {len(found)} of {form.header_rows} header rows: have the complete file delivered again."
        )
    if (encoding := _like_utf16(data[:_HEAD_BYTES])) is not None:
        raise JourneymartError(
            f"{text.name} is not in UTF-8, every other byte of it is 0: declare `encoding: {encoding}` for its "
            "stream in company.yml."
        )
    for records, index in found:
        if index in damage(records, form.limits.max_record_bytes):
            raise JourneymartError(
                f"{text.name} has a damaged header: have it delivered again, or correct its encoding."
            )
    records, index = found[0]
    try:
        header = records.text(index, form.limits.max_record_bytes)
        names = next(csv.reader(io.StringIO(header, newline=""), delimiter=form.delimiter))
    except csv.Error:
        raise JourneymartError(f"{text.name} has a damaged header: have it delivered again.") from None
    others = [mark for mark in _OTHER_DELIMITERS if mark != form.delimiter and mark in names[0]]
    if len(names) == 1 and others:
        raise JourneymartError(
            f"{text.name} has a single column when read with the delimiter {form.delimiter!r}: declare "
            f"`delimiter: {json.dumps(others[0])}` for its stream in company.yml if its columns are parted by that."
        )
    last, index = found[-1]
    following = last.starts[index + 1] if index + 1 < len(last) else last.stop
    return names, int(following)


def _like_utf16(head: Bytes) -> str | None:
    """The encoding of a text without a byte order mark whose first characters take two bytes each; None: not so."""
    if len(head) < 2 * _SOME:
        return None
    zeros = head == 0
    first, second = zeros[0::2], zeros[1::2]
    if second[: len(head) // 2].mean() > _MOST and not first.any():
        return "utf-16-le"
    return "utf-16-be" if first.mean() > _MOST and not second.any() else None


def _parse(text: Path, columns: tuple[str, ...], form: FileFormat, records: Records) -> ParsedBatch:
    limit = form.limits.max_record_bytes
    faults = damage(records, limit)
    keep = np.ones(len(records), dtype=np.bool_)
    keep[list(faults)] = False
    block, _ = records.slice(keep)
    kept = np.flatnonzero(keep)
    ragged: list[int] = []

    def note_ragged(row: arrow_csv.InvalidRow) -> str:
        ragged.append(row.number - 1)
        return "skip"

    table = _arrow_parse(block, columns, form.delimiter, note_ragged)
    faults.update(dict.fromkeys(kept[ragged].tolist(), _RAGGED))
    numbers = np.delete(kept, ragged) + records.first
    rejected = sorted(faults)
    batch = ParsedBatch(
        rows=rows_table(columns, table.columns, numbers) if table.num_rows == len(numbers) else table,
        rejects=rejects_table(
            [records.first + index for index in rejected],
            [records.text(index, limit) for index in rejected],
            [faults[index] for index in rejected],
        ),
        records=len(records),
        damage=_damage_notes(records),
    )
    release(records.data)
    return counted(batch, text)


def _arrow_parse(block: object, columns: tuple[str, ...], delimiter: str, on_ragged: object) -> pa.Table:
    size = len(block)  # type: ignore[arg-type]
    if size == 0:
        return pa.table({name: pa.array([], pa.string()) for name in columns})
    return arrow_csv.read_csv(
        pa.py_buffer(block),
        # One block: a record can then not straddle two. Without threads, invalid rows come with their number.
        read_options=arrow_csv.ReadOptions(use_threads=False, block_size=size + 1, column_names=list(columns)),
        parse_options=arrow_csv.ParseOptions(
            delimiter=delimiter, newlines_in_values=True, invalid_row_handler=on_ragged
        ),
        convert_options=arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(columns, pa.string()),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        ),
    )


def _damage_notes(records: Records) -> tuple[str, ...]:
    """Places behind which records may not be where they should: wrong quotes in a record of several lines."""
    if records.unterminated:
        number = records.first + len(records) - 1
        return (f"record {number}: a quote is never closed; all behind it is one reject",)
    notes = []
    for index in np.flatnonzero(records.misquoted).tolist():
        lines = records.data[int(records.starts[index]) : int(records.ends[index])]
        if (lines == ord("\n")).any() or (lines == ord("\r")).any():
            notes.append(f"record {records.first + index}: wrong quotes joined several lines into one reject")
    return tuple(notes)
