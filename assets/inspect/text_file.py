"""How a text file is written, seen in its bytes: encoding, delimiter, rows of its header.

What lives here: what to declare where it is not written as declared, and how sure that is. Not here: reading it for
good (assets/landing/connectors), how its numbers and dates are written (quality/rows/formats.py).

The encoding is judged by all bytes, delimiter and header by the first records.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from assets.inspect.proposal import Proposal
from assets.landing.column_names import folded_name
from assets.landing.connectors.config import FileFormat
from assets.landing.connectors.reader import is_json, is_text
from assets.landing.connectors.unpack import unpacked_pieces

_HEAD_BYTES = 256 * 1024
_RECORDS = 200
_DELIMITERS = ",;\t|"
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Encodings of one byte for each character, the usual first.
_ONE_BYTE = ("cp1252", "latin-1", "cp1250", "cp850", "mac_roman")
_MOST_HEADER_ROWS = 4
_SHOWN_LETTERS = 8
# A record with this share of the fields of most others is a record like them.
_ALIKE = 0.9
_NUMBER_OR_DATE = re.compile(r"[-+]?[0-9][0-9.,:/TZ +\-']*")


@dataclass(frozen=True)
class Written:
    """How a file is written.

    Attributes:
        form: The declared format with what was seen in its place.
        proposals: What to declare for that.
        notes: What no declaration mends, in words.
    """

    form: FileFormat
    proposals: tuple[Proposal, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _HighBytes:
    """The bytes of a file that are not ASCII, counted; and how many characters they are, and are not, as UTF-8."""

    by_byte: Counter[int]
    characters: int
    broken: int


def examine_text(path: Path, form: FileFormat, known: Collection[str]) -> Written:
    """See how a file is written.

    Args:
        path: The file.
        form: As it is declared.
        known: Names of columns that contracts know.

    Raises:
        JourneymartError: It is damaged, or unpacks to more than the limits allow.
    """
    if not is_text(path.name):
        return Written(form)
    head = _head(path, form)
    proposals, notes = [], []
    encoding = _encoding(path, form, head)
    if encoding is not None:
        proposals.append(encoding)
        form = replace(form, encoding=_value(encoding))
    if not is_json(path.name):
        text = head.decode(form.encoding, errors="replace").removeprefix("\ufeff")
        for examine in (_delimiter, _header_rows):
            found = examine(text, form, known)
            if isinstance(found, str):
                notes.append(found)
            elif found is not None:
                proposals.append(found[1])
                form = found[0]
    return Written(form, tuple(proposals), tuple(notes))


def _value(proposal: Proposal) -> str:
    return proposal.lines[0][0].partition(": ")[2]


def _head(path: Path, form: FileFormat) -> bytes:
    """The first bytes of a file, unpacked."""
    head = b""
    for piece in unpacked_pieces(path, form.limits):
        head += piece
        if len(head) >= _HEAD_BYTES:
            break
    return head[:_HEAD_BYTES]


def _encoding(path: Path, form: FileFormat, head: bytes) -> Proposal | None:
    """What to declare of the encoding; None where it is as declared."""
    declared = codecs.lookup(form.encoding).name
    for mark, name in _MARKS:
        if head.startswith(mark):
            fits = declared.startswith(codecs.lookup(name).name)
            return None if fits else _of_encoding(name, "it begins with the mark of that encoding", "certain")
    if wide := _zeros(head):
        return None if declared == wide else _of_encoding(wide, "every other byte of it is 0", "certain")
    high = _high_bytes(path, form)
    is_utf8 = high.characters and high.broken * 2 < high.characters
    if not high.by_byte or (declared in ("utf-8", "utf-8-sig") and is_utf8):
        return None
    if is_utf8:
        saw = f"its {high.characters:,} characters that are not ASCII are such of UTF-8"
        return _of_encoding("utf-8", saw, "certain")
    return _of_one_byte(head, high) if declared in ("utf-8", "utf-8-sig") else None


def _of_encoding(name: str, saw: str, sure: str) -> Proposal:
    return Proposal(((f"encoding: {name}",),), saw, "certain" if sure == "certain" else "likely")


def _zeros(head: bytes) -> str | None:
    """The encoding of text whose characters take two bytes each, told by the zeros in it; None: it is none such."""
    data = np.frombuffer(head[: len(head) // 2 * 2], dtype=np.uint8)
    if not len(data):
        return None
    first, second = (data[place::2] == 0 for place in (0, 1))
    if second.mean() > _ALIKE and not first.any():
        return "utf-16-le"
    return "utf-16-be" if first.mean() > _ALIKE and not second.any() else None


def _high_bytes(path: Path, form: FileFormat) -> _HighBytes:
    counts = np.zeros(256, dtype=np.int64)
    characters = broken = 0
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    for piece in _with_end(unpacked_pieces(path, form.limits)):
        if piece.isascii() and piece:
            decoder.reset()
            continue
        counts += np.bincount(np.frombuffer(piece, dtype=np.uint8), minlength=256)
        text = decoder.decode(piece, final=not piece)
        wrong = text.count("\ufffd")
        broken += wrong
        characters += len(text) - wrong - len(text.encode("ascii", errors="ignore"))
    return _HighBytes(
        Counter({byte: int(counts[byte]) for byte in range(128, 256) if counts[byte]}), characters, broken
    )


def _with_end(pieces: Iterator[bytes]) -> Iterator[bytes]:
    yield from pieces
    yield b""


def _of_one_byte(head: bytes, high: _HighBytes) -> Proposal:
    """The encoding in which the letters that are not ASCII fit best into the words they stand in."""
    fits = {name: _fit(head, high, name) for name in _ONE_BYTE}
    best = max(fits, key=lambda name: fits[name])
    seen = bytes(high.by_byte)
    letters = [seen.decode(best, errors="replace")[place] for place in _by_count(high, seen)][:_SHOWN_LETTERS]
    alike = [name for name in _ONE_BYTE if name != best and fits[name] == fits[best]]
    saw = f"{sum(high.by_byte.values()):,} bytes are not UTF-8; so they are {' '.join(letters)}"
    same = [name for name in alike if _decoded(seen, name) == _decoded(seen, best)]
    saw += f" ({', '.join(same)} reads them alike)" if same else ""
    others = [f"{name}: {' '.join(_decoded(seen, name)[:_SHOWN_LETTERS])}" for name in alike if name not in same]
    saw += f"; also possible are {', '.join(others)}" if others else ""
    return _of_encoding(best, saw, "likely")


def _decoded(data: bytes, name: str) -> str:
    return data.decode(name, errors="replace")


def _by_count(high: _HighBytes, seen: bytes) -> list[int]:
    return sorted(range(len(seen)), key=lambda place: (-high.by_byte[seen[place]], place))


def _fit(head: bytes, high: _HighBytes, name: str) -> float:
    """How well a text reads in an encoding: the share of its letters beyond ASCII that fit into their words."""
    if "\ufffd" in _decoded(bytes(high.by_byte), name):
        return -1.0
    text = _decoded(head, name)
    inside = re.findall(r"(?<=[A-Za-z\x80-\uffff])[^\x00-\x7f](?=[A-Za-z\x80-\uffff])", text)
    return sum(each.isalpha() and each.islower() for each in inside) / len(inside) if inside else 0.0


def _records(text: str, delimiter: str) -> list[list[str]]:
    """The first records of a CSV text; one that was cut off is left out."""
    lines = text if len(text) < _HEAD_BYTES // 4 else text[: text.rfind("\n") + 1]
    found: list[list[str]] = []
    try:
        for record in csv.reader(io.StringIO(lines, newline=""), delimiter=delimiter):
            if record:
                found.append(record)
            if len(found) == _RECORDS:
                break
    except csv.Error:
        return found
    return found


def _delimiter(text: str, form: FileFormat, known: Collection[str]) -> tuple[FileFormat, Proposal] | None:
    """What to declare of the delimiter; None where it is as declared, or none fits better."""

    def merit(delimiter: str) -> tuple[int, float, int]:
        records = _records(text, delimiter)
        usual = Counter(map(len, records)).most_common(1)
        if not usual or usual[0][0] < 2:  # noqa: PLR2004 (one field needs no delimiter)
            return (0, 0.0, 0)
        return (_known_names(records[0], known), usual[0][1] / len(records), usual[0][0])

    best = max(_DELIMITERS, key=lambda each: (merit(each), each == form.delimiter))
    here, there = merit(form.delimiter), merit(best)
    if best == form.delimiter or there[:1] + there[2:] <= here[:1] + here[2:]:
        return None
    saw = f"read so, most records have {there[2]} fields"
    saw += f", of whose names {there[0]} are known" if there[0] else ""
    sure = there[1] >= _ALIKE and here[0] == 0
    return replace(form, delimiter=best), Proposal(
        ((f"delimiter: {json.dumps(best)}",),), saw, "certain" if sure else "likely"
    )


def _known_names(record: Sequence[str], known: Collection[str]) -> int:
    return len({folded_name(name) for name in record} & {folded_name(name) for name in known})


def _header_rows(text: str, form: FileFormat, known: Collection[str]) -> tuple[FileFormat, Proposal] | str | None:
    """What to declare of the header's rows, or a word on a header that is not in its place; None: it is as declared.

    Rows behind the names belong to the header where what they say is no number or date in columns in which all the
    other records have one.
    """
    records = _records(text, form.delimiter)
    if not records:
        return None
    names = [_known_names(record, known) for record in records]
    later = max(range(len(records)), key=lambda place: names[place])
    if names[0] == 0 and names[later] > 1:
        return (
            f"its column names stand in record {later + 1}; the {later} above them cannot be skipped: have it exported "
            "without them"
        )
    if names[0] == 0 and sum(map(_is_value, records[0])) * 2 > len(records[0]):
        return "its first record looks like data, not like the names of columns: have it exported with a header"
    width = len(records[0])
    body = [record for record in records[1:] if len(record) == width]
    sample = body[_MOST_HEADER_ROWS:] or body[1:]
    if not sample:
        return None
    told = [place for place in range(width) if all(_is_value(record[place]) for record in sample if record[place])]
    told = [place for place in told if any(record[place] for record in sample)]
    rows = 1
    for record in body[:_MOST_HEADER_ROWS]:
        said = [record[place] for place in told if record[place]]
        if len(said) < 2 or any(map(_is_value, said)):  # noqa: PLR2004 (one odd value is a fault of its row)
            break
        rows += 1
    if rows in (1, form.header_rows):
        return None
    saw = f"{rows - 1} records below the names hold words where all others have numbers or dates"
    return replace(form, header_rows=rows), Proposal(((f"header_rows: {rows}",),), saw, "likely")


def _is_value(text: str) -> bool:
    """Whether a text is a number or a date, not a word."""
    return _NUMBER_OR_DATE.fullmatch(text.strip()) is not None
