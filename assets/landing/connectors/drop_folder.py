"""The drop folder: which deliveries lie in it, whether they are complete, and copying one out of it safely.

What lives here: names, completeness, and bytes with their sha256. Not here: the file systems a drop folder may lie on
(file_systems.py), what the sender says of a file (declared.py), what the bytes mean (reader.py) or where they are kept
(assets/landing). Nothing in a drop folder is trusted: only regular files with plain names inside the folder are taken.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path

from assets.landing.connectors.config import FileStream
from assets.landing.connectors.declared import MANIFEST_SUFFIX, Declared, declared_of, read_declared
from assets.landing.connectors.file_systems import DropFolder, folder_of
from storage.errors import JourneymartError
from storage.files import require_free_space

# Names senders give to files they are still writing.
_UNFINISHED = (".tmp", ".part", ".partial", ".filepart", "_copying_")
_DATE = r"\d{4}-\d{2}-\d{2}"
_PIECE_BYTES = 4 * 1024**2
_NAME_MAX_BYTES = 255
# For a byte delivered: its copy, the plain text where it is packed, and the rows made of it.
_ROOM, _ROOM_PACKED = 3, 20


@dataclass(frozen=True)
class DroppedFile:
    """A complete file: its path in the drop folder, with forward slashes, what its manifest says, and its stamp.

    The stamp is another once the file is: it is made of what a folder's listing tells, such as size and time.
    """

    path: str
    declared: Declared | None
    stamp: str

    @property
    def name(self) -> str:
        """The name it keeps on landing."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True)
class Copied:
    """What was read while copying: size in bytes, sha256 in hexadecimal digits."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class _Match:
    """A path that fits a pattern, the dates its names tell, whether it may be taken, and its stamp."""

    path: str
    days: frozenset[str]
    is_complete: bool
    stamp: Callable[[], str]


def deliveries(stream: FileStream) -> dict[date, dict[str, str]]:
    """What is delivered for each extract date, from `first_date` on, ascending: stamps of files by path.

    A pattern without `{date}` has one file for every night, so it tells no dates: then only `first_date` is
    given.

    Raises:
        JourneymartError: The drop folder cannot be read.
    """
    return {day: {path: stamp() for path, stamp in files.items()} for day, files in _delivered(stream).items()}


def available_dates(stream: FileStream) -> list[date]:
    """Extract dates with a complete delivery, as `deliveries` finds them."""
    return list(_delivered(stream))


def _delivered(stream: FileStream) -> dict[date, dict[str, Callable[[], str]]]:
    """What `deliveries` finds, with stamps that are still to be taken: each is a look at its file."""
    folder = folder_of(stream)
    found: dict[date, dict[str, Callable[[], str]]] = {}
    if "{date}" in stream.pattern:
        matches = list(_matches(folder, stream, _regexes(stream.pattern, stream, None)))
        in_flight = {_one_date(match.days) for match in matches if not match.is_complete}
        for match in matches:
            day = _one_date(match.days)
            # The first extract is the history, whatever else bears its date.
            begins = stream.first_date + timedelta(days=1 if stream.history else 0)
            if day is not None and day not in in_flight and day >= begins:
                found.setdefault(day, {})[match.path] = match.stamp
    if stream.history or "{date}" not in stream.pattern:
        files = find_delivery(stream, stream.first_date)
        if files:
            found[stream.first_date] = {file.path: partial(str, file.stamp) for file in files}
    return dict(sorted(found.items()))


def find_delivery(stream: FileStream, extract_date: date) -> tuple[DroppedFile, ...]:
    """The files of one extract, by name; empty if the delivery is missing or not complete yet.

    A delivery of several files is complete when each of them is.

    Raises:
        JourneymartError: The drop folder or a manifest in it cannot be read, or two files would land under
            one name.
    """
    folder = folder_of(stream)
    pattern = stream.history if stream.history and extract_date == stream.first_date else stream.pattern
    matches = list(_matches(folder, stream, _regexes(pattern, stream, extract_date)))
    if not all(match.is_complete for match in matches):
        return ()
    files = tuple(
        DroppedFile(match.path, declared_of(folder, stream, match.path), match.stamp())
        for match in sorted(matches, key=lambda match: match.path)
    )
    if len({file.name for file in files}) < len(files):
        raise JourneymartError(
            f"Two files of {stream.stream} for {extract_date} in {stream.location} have the same name: "
            "narrow the pattern, or rename one."
        )
    return files


def says_no_rows(stream: FileStream, file: DroppedFile) -> bool:
    """Whether a manifest beside a file says that it holds no rows, though its stream may need none to be complete.

    Raises:
        JourneymartError: The manifest cannot be read.
    """
    folder = folder_of(stream)
    where, _, name = file.path.rpartition("/")
    if name + MANIFEST_SUFFIX not in {entry.name for entry in folder.entries(where)}:
        return False
    return read_declared(folder, stream, file.path).rows == 0


def copy_out(stream: FileStream, file: DroppedFile, target: Path) -> Copied:
    """Copy one file out of the drop folder, hashing it on the way.

    Raises:
        JourneymartError: It is no regular file inside the drop folder, is larger than the limit or than the disk has
            room for, changes meanwhile, or is not the file its manifest describes.
    """
    where = f"{stream.location}/{file.path}"
    digest, total = hashlib.sha256(), 0
    with folder_of(stream).open(file.path) as (source, size), target.open("xb") as copy:
        room = _ROOM_PACKED if file.name.endswith((".gz", ".xlsx")) else _ROOM
        require_free_space(target.parent, room * size, f"to land {file.name}")
        while piece := source.read(_PIECE_BYTES):
            total += len(piece)
            if total > stream.limits.max_bytes:
                raise JourneymartError(
                    f"{where} is larger than the limit of {stream.limits.max_bytes:,} bytes: raise "
                    f"max_bytes for {stream.stream}, or deliver smaller files."
                )
            digest.update(piece)
            copy.write(piece)
    if total != size:
        raise JourneymartError(f"{where} gave {total:,} of {size:,} bytes: deliver it again.")
    copied = Copied(total, digest.hexdigest())
    if file.declared and (file.declared.bytes, file.declared.sha256) != (copied.bytes, copied.sha256):
        raise JourneymartError(
            f"{where} is not the file its manifest describes ({total:,} bytes found, "
            f"{file.declared.bytes:,} declared, or another sha256): deliver both again."
        )
    return copied


def _regexes(pattern: str, stream: FileStream, extract_date: date | None) -> list[re.Pattern[str]]:
    """One expression per path component; `extract_date` None stands for any date, captured as `date`."""

    def literal(match: re.Match[str]) -> str:
        token = match.group()
        if token == "{stream}":  # noqa: S105
            return re.escape(stream.stream.stream)
        if token == "{date}":  # noqa: S105
            return re.escape(extract_date.isoformat()) if extract_date else f"({_DATE})"
        return "[^/]*" if token == "*" else re.escape(token)  # noqa: S105

    return [re.compile(re.sub(r"\{stream\}|\{date\}|\*|[^{*]+|\{", literal, part)) for part in pattern.split("/")]


def _matches(folder: DropFolder, stream: FileStream, parts: list[re.Pattern[str]], below: str = "") -> Iterator[_Match]:
    entries = folder.entries(below)
    files = {entry.name for entry in entries if not entry.is_folder}
    for entry in entries:
        match = parts[0].fullmatch(entry.name)
        if not match or entry.name.startswith(".") or entry.name.lower().endswith((*_UNFINISHED, MANIFEST_SUFFIX)):
            continue
        _require_plain(entry.name, below)
        path = f"{below}/{entry.name}".lstrip("/")
        days = frozenset(match.groups())
        if len(parts) == 1:
            is_complete = stream.complete == "rename" or entry.name + MANIFEST_SUFFIX in files
            yield _Match(path, days, is_complete, entry.stamp)
        elif entry.is_link:
            raise JourneymartError(
                f"{stream.location}/{path} is a symbolic link: deliver into a folder inside the drop folder."
            )
        elif entry.is_folder:
            for deeper in _matches(folder, stream, parts[1:], path):
                yield replace(deeper, days=deeper.days | days)


def _one_date(texts: Iterable[str]) -> date | None:
    """The date that all texts agree on; None if they do not, or it is none."""
    unique = set(texts)
    try:
        return date.fromisoformat(unique.pop()) if len(unique) == 1 else None
    except ValueError:
        return None


def _require_plain(name: str, below: str) -> None:
    if not name.isprintable() or "\\" in name or "/" in name or len(os.fsencode(name)) > _NAME_MAX_BYTES:
        raise JourneymartError(
            f"A file name in the drop folder {below or 'itself'} is not usable ({ascii(name)[:80]}): "
            "rename it, using printable characters and no slashes."
        )
