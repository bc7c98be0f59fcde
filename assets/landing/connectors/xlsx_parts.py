"""The parts of an Excel workbook (XLSX): its sheets, its shared texts, and which formats of numbers are dates.

What lives here: opening the archive within limits, and what must be known before the cells of a sheet can be read. Not
here: the cells (xlsx_cells.py), records (xlsx_file.py).

A workbook is a ZIP archive of XML files that name each other. Names of elements are compared without their namespaces,
of which there are two for the same thing.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from xml.parsers import expat

from assets.landing.connectors.config import FileLimits
from storage.errors import JourneymartError

_PIECE_BYTES = 1024**2
# What one sheet and its texts may unpack to: the texts are held in memory. Larger tables are CSV's and Parquet's.
_MOST_BYTES = 2 * 1024**3
# Below this size any ratio is harmless.
_RATIO_FLOOR_BYTES = 16 * 1024**2
# What an archive begins with that is encrypted, or of the older Excel.
_NO_XLSX = b"\xd0\xcf\x11\xe0"
# Formats every workbook knows: days, times, both; of spans of time.
_DAYS = {14, 15, 16, 17, 27, 28, 29, 30, 31, 36, 50, 51, 52, 53, 54, 57, 58}
_CLOCKS = {18, 19, 20, 21, 32, 33, 34, 35, 45, 47, 55, 56}
_BOTH, _SPANS = {22}, {46}
# Not part of a format's letters: what stands in quotes or behind a backslash, and colours or languages in brackets.
_NOT_LETTERS = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]', re.IGNORECASE)
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")


class DamagedError(Exception):
    """Why a part cannot be read, in words that follow the name of the file and "is damaged"."""


@dataclass(frozen=True)
class Format:
    """What a format of numbers makes of one: a day, a time of the day, both, a span of time, or none of them."""

    has_day: bool = False
    has_clock: bool = False
    is_span: bool = False

    @property
    def is_time(self) -> bool:
        """Whether a number is a time."""
        return self.has_day or self.has_clock or self.is_span


@dataclass(frozen=True)
class Workbook:
    """What must be known to read a sheet.

    Attributes:
        archive: The open archive.
        sheet: Name of the sheet's part.
        title: Name of the sheet.
        texts: Shared texts, by number.
        formats: What the format of a cell makes of a number, by style.
        is_1904: Days are counted from 1904 on.
    """

    archive: zipfile.ZipFile
    sheet: str
    title: str
    texts: tuple[str, ...]
    formats: tuple[Format, ...]
    is_1904: bool


def open_workbook(path: Path, sheet: str | None, limits: FileLimits) -> Workbook:
    """Open a workbook at one of its sheets.

    Args:
        path: The file.
        sheet: Name of the sheet; None: the only one there is.
        limits: What it may cost.

    Raises:
        JourneymartError: It is no workbook, unpacks to more than the limits allow, or the sheet is not there or not
            clear.
    """
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        with path.open("rb") as file:
            older = file.read(len(_NO_XLSX)) == _NO_XLSX
        reason = "protected by a password, or of the older format .xls" if older else "damaged, or no Excel workbook"
        raise JourneymartError(f"{path.name} is {reason}: have it delivered as .xlsx without one, or as CSV.") from None
    try:
        return _opened(path, archive, sheet, limits)
    except DamagedError as error:
        raise JourneymartError(f"{path.name} is damaged ({error}): have it delivered again.") from None


def _opened(path: Path, archive: zipfile.ZipFile, sheet: str | None, limits: FileLimits) -> Workbook:
    book = _related(archive, "", "officeDocument")
    if book is None:
        raise DamagedError("it holds no workbook")
    targets = _relations(archive, book)
    sheets, is_1904 = _sheets(archive, book)
    tables = {title: targets[key][0] for title, key in sheets if key in targets and targets[key][1] == "worksheet"}
    title = _chosen(path, tables, sheet)
    texts, styles = _related(archive, book, "sharedStrings"), _related(archive, book, "styles")
    _require_within(path, archive, [part for part in (tables[title], texts, styles) if part], limits)
    return Workbook(
        archive,
        tables[title],
        title,
        tuple(_texts(archive, texts)) if texts else (),
        tuple(_formats(archive, styles)) if styles else (),
        is_1904,
    )


def _chosen(path: Path, tables: dict[str, str], sheet: str | None) -> str:
    if sheet is None and len(tables) == 1:
        return next(iter(tables))
    named = ", ".join(f"'{title}'" for title in tables)
    if sheet is None:
        raise JourneymartError(
            f"{path.name} has {len(tables)} sheets ({named}): say which with `sheet` for its stream in company.yml."
        )
    if sheet not in tables:
        raise JourneymartError(f"{path.name} has no sheet '{sheet}', only {named}: correct `sheet` in company.yml.")
    return sheet


def _require_within(path: Path, archive: zipfile.ZipFile, parts: list[str], limits: FileLimits) -> None:
    """Refuse a workbook whose parts unpack to more than the limits allow; the archive gives no more than it says."""
    try:
        infos = [archive.getinfo(part) for part in parts]
    except KeyError:
        raise DamagedError("a part of it is not there") from None
    unpacked, packed = (sum(getattr(info, size) for info in infos) for size in ("file_size", "compress_size"))
    most = min(limits.max_bytes, _MOST_BYTES)
    if unpacked > most or (unpacked > _RATIO_FLOOR_BYTES and unpacked > max(packed, 1) * limits.max_ratio):
        raise JourneymartError(
            f"{path.name} unpacks to more than the limits allow ({most:,} bytes, {limits.max_ratio:g} times its packed "
            "size): deliver smaller files, or CSV or Parquet."
        )


def pieces(archive: zipfile.ZipFile, part: str) -> Iterator[bytes]:
    """The bytes of a part, unpacked, some at a time; its checksum is verified.

    Raises:
        DamagedError: It is not there, or its bytes are not those that were packed.
    """
    try:
        with closing(archive.open(part)) as source:
            while piece := source.read(_PIECE_BYTES):
                yield piece
    except (KeyError, zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError):
        raise DamagedError(f"{part} cannot be unpacked") from None


def parser() -> expat.XMLParserType:
    """A parser of XML that knows no entities of the document's own, which could grow without bound."""
    made = expat.ParserCreate()
    made.buffer_text = True

    def refuse(*_: object) -> None:
        raise DamagedError("it declares a document type, which no workbook does")

    made.StartDoctypeDeclHandler = refuse
    return made


def feed(made: expat.XMLParserType, archive: zipfile.ZipFile, part: str) -> Iterator[None]:
    """Parse a part, a piece at a time.

    Raises:
        DamagedError: It is no XML.
    """
    try:
        for piece in pieces(archive, part):
            made.Parse(piece, False)
            yield
        made.Parse(b"", True)
        yield
    except expat.ExpatError:
        raise DamagedError(f"{part} is no XML") from None


@cache
def local(name: str) -> str:
    """Name of an element or attribute without its prefix."""
    return name.rpartition(":")[2]


def unescaped(text: str) -> str:
    """A text whose characters that XML cannot hold were written as _x000D_."""
    return _ESCAPED.sub(lambda mark: chr(int(mark[1], 16)), text) if "_x" in text else text


def _elements(archive: zipfile.ZipFile, part: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Elements of a small part, with their attributes."""
    found: list[tuple[str, dict[str, str]]] = []
    made = parser()
    made.StartElementHandler = lambda name, said: found.append((local(name), said))
    for _ in feed(made, archive, part):
        yield from found
        found.clear()


def _relations(archive: zipfile.ZipFile, of: str) -> dict[str, tuple[str, str]]:
    """What a part (or the archive) is related to: name of the part and kind of relation, by id."""
    folder, _, name = of.rpartition("/")
    part = posixpath.join(folder, "_rels", f"{name}.rels")
    found = {}
    for element, said in _elements(archive, part) if part in archive.namelist() else ():
        if element == "Relationship" and said.get("TargetMode") != "External":
            target = said.get("Target", "")
            path = target[1:] if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
            found[said.get("Id", "")] = (path, said.get("Type", "").rpartition("/")[2])
    return found


def _related(archive: zipfile.ZipFile, of: str, kind: str) -> str | None:
    return next((path for path, each in _relations(archive, of).values() if each == kind), None)


def _sheets(archive: zipfile.ZipFile, book: str) -> tuple[list[tuple[str, str]], bool]:
    """Visible sheets with the id of their part, and whether days are counted from 1904 on."""
    sheets, is_1904 = [], False
    for element, said in _elements(archive, book):
        if element == "sheet" and said.get("state", "visible") == "visible":
            keys = [value for name, value in said.items() if local(name) == "id" and name != "id"]
            sheets.append((said.get("name", ""), keys[0] if keys else ""))
        elif element == "workbookPr":
            is_1904 = said.get("date1904") in ("1", "true")
    return sheets, is_1904


def _texts(archive: zipfile.ZipFile, part: str) -> Iterator[str]:
    """Shared texts in order: of a text in several fonts, all its parts; no hints on how it is spoken."""
    done: list[str] = []
    parts: list[str] = []
    inside = {"t": False, "rPh": False}

    def start(name: str, _: dict[str, str]) -> None:
        inside.update({local(name): True} if local(name) in inside else {})

    def end(name: str) -> None:
        if local(name) == "si":
            done.append(unescaped("".join(parts)))
            parts.clear()
        inside.update({local(name): False} if local(name) in inside else {})

    made = parser()
    made.StartElementHandler, made.EndElementHandler = start, end
    made.CharacterDataHandler = lambda text: parts.append(text) if inside["t"] and not inside["rPh"] else None
    for _ in feed(made, archive, part):
        yield from done
        done.clear()


def _formats(archive: zipfile.ZipFile, part: str) -> Iterator[Format]:
    """What the formats of cells make of numbers, by the number of the style."""
    own: dict[int, Format] = {}
    inside = False
    for element, said in _elements(archive, part):
        if element == "numFmt":
            own[int(said.get("numFmtId", -1))] = format_of(said.get("formatCode", ""))
        elif element in ("cellXfs", "cellStyles", "dxfs"):
            inside = element == "cellXfs"
        elif element == "xf" and inside:
            number = int(said.get("numFmtId", 0))
            yield own.get(number) or _known_format(number)


def _known_format(number: int) -> Format:
    return Format(number in _DAYS | _BOTH, number in _CLOCKS | _BOTH, number in _SPANS)


def format_of(code: str) -> Format:
    """What a format of numbers makes of one, by its letters: yyyy-mm-dd hh:mm, [h]:mm:ss, 0.00."""
    letters = _NOT_LETTERS.sub("", code.partition(";")[0]).lower()
    if "[" in letters:
        return Format(is_span=True)
    has_clock = "h" in letters or "s" in letters
    # A lone m is a month; beside hours or seconds it is minutes.
    has_day = "y" in letters or "d" in letters or ("m" in letters and not has_clock)
    is_number = any(mark in letters for mark in "0#?") and not (has_clock or "y" in letters or "d" in letters)
    return Format() if is_number or "general" in letters else Format(has_day, has_clock)
