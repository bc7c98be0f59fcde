"""Chooses the reader of a delivered file by its name.

What lives here: which endings mean which format. Not here: the formats.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from assets.landing.connectors.batch import ParsedFile
from assets.landing.connectors.config import FileFormat
from assets.landing.connectors.csv_file import first_record_offset, read_csv
from assets.landing.connectors.jsonl_file import read_jsonl
from assets.landing.connectors.parquet_file import read_parquet
from assets.landing.connectors.text_records import csv_records, line_records
from assets.landing.connectors.unpack import map_bytes, plain_text, text_start
from assets.landing.connectors.xlsx_file import read_xlsx
from storage.errors import JourneymartError

_CSV = (".csv", ".csv.gz")
_JSONL = (".jsonl", ".jsonl.gz")
_PARQUET = (".parquet",)
_XLSX = (".xlsx",)

# What an export that failed may leave of a text file beside nothing: a byte order mark, blanks, line ends.
_NOTHING = "\ufeff\0 \t\r\n"
_NOTHING_MAX_BYTES = 64


def open_file(path: Path, form: FileFormat, workspace: Path) -> ParsedFile:
    """Open a delivered file for reading.

    Args:
        path: The file, already out of the drop folder.
        form: How it is written.
        workspace: Folder for what must be unpacked; the caller removes it afterwards.

    Raises:
        JourneymartError: The file is of no known format, damaged as a whole, or larger than the limits allow.
    """
    require_known_format(path.name)
    if path.name.endswith(_PARQUET):
        return read_parquet(path, form) if path.stat().st_size else _hollow()
    if path.name.endswith(_XLSX):
        return read_xlsx(path, form) if path.stat().st_size else _hollow()
    text = plain_text(path, form.encoding, form.limits, workspace)
    if _is_hollow(text):
        return _hollow()
    return read_csv(text, form) if path.name.endswith(_CSV) else read_jsonl(text, form)


def raw_records(path: Path, form: FileFormat, workspace: Path, rows: Sequence[int]) -> dict[int, str]:
    """The text of some records of a CSV or JSON Lines file, by number, as `open_file` numbers them."""
    text = plain_text(path, form.encoding, form.limits, workspace)
    data = map_bytes(text)
    if path.name.endswith(_CSV):
        windows = csv_records(data, first_record_offset(text, form), form.delimiter)
    else:
        windows = line_records(data, text_start(data))
    wanted, found = set(rows), dict[int, str]()
    for records in windows:
        here = wanted & set(range(records.first, records.first + len(records)))
        found |= {row: records.text(row - records.first, form.limits.max_record_bytes) for row in here}
        if len(found) == len(wanted):
            break
    return found


def _is_hollow(text: Path) -> bool:
    """Whether nothing is in a plain text file."""
    if text.stat().st_size > _NOTHING_MAX_BYTES:
        return False
    return not text.read_bytes().decode("utf-8", errors="replace").strip(_NOTHING)


def _hollow() -> ParsedFile:
    return ParsedFile((), iter(()), is_hollow=True)


def is_text(name: str) -> bool:
    """Whether the file has records with a text of their own."""
    return name.endswith((*_CSV, *_JSONL))


def is_json(name: str) -> bool:
    """Whether the file is JSON Lines, whose records name their own columns."""
    return name.endswith(_JSONL)


def require_known_format(name: str) -> None:
    """Refuse a file no reader knows.

    Raises:
        JourneymartError: Its name ends in none of the known ways.
    """
    known = (*_CSV, *_JSONL, *_PARQUET, *_XLSX)
    if not name.endswith(known):
        raise JourneymartError(f"{name} is of no known format: its name must end in one of {', '.join(known)}.")
