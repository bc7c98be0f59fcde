"""Small files that describe many folders, read from an index of them rather than one by one.

What lives here: the index, one file beside the folders. Not here: what descriptions say.

The descriptions are the truth and the index only saves opening them: an entry is believed while the file it was made
from is the very same by number, size and times. An index that is missing, torn or of another release is made again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from storage.files import settled_stamp

# The leading dot keeps it out of every listing of dates.
INDEX = ".index"


def read_described(home: Path, name: str, shape: str, read: Callable[[Path, bytes], Any]) -> dict[str, Any]:
    """What the descriptions of the folders of a folder say, by folder, in the order of their names.

    Args:
        home: Holds the folders; what begins with a dot is none.
        name: Each folder's description; one without it is left out.
        shape: What `read` gives, in words: what was read as anything else is read again.
        read: Reads one description, given its path and content, into plain values.
    """
    index = home / INDEX
    known = _read_index(index, shape)
    found, read_anew = {}, False
    for folder in sorted(entry.name for entry in os.scandir(home) if entry.name[0] != "."):
        # Thousands of folders: made as text, their paths take no time.
        path = f"{home}/{folder}/{name}"
        try:
            stamp = settled_stamp(os.stat(path))  # noqa: PTH116
            entry = known.get(folder)
            if entry is None or entry[0] != stamp:
                description = Path(path)
                entry, read_anew = [stamp, read(description, description.read_bytes())], True
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            continue
        found[folder] = entry
    # Whoever may only look reads the descriptions.
    if (read_anew or found.keys() != known.keys()) and os.access(home, os.W_OK):
        _write_index(index, shape, {folder: entry for folder, entry in found.items() if entry[0]})
    return {folder: said for folder, (_, said) in found.items()}


def _read_index(index: Path, shape: str) -> dict[str, list[Any]]:
    """The entries, each a stamp and what was read; none if the index is not there, not whole or of another shape."""
    try:
        stamp = settled_stamp(index.stat())
        return _known_entries(index, stamp, shape) if stamp else _entries(index, shape)
    except FileNotFoundError:
        return {}


def _entries(index: Path, shape: str) -> dict[str, list[Any]]:
    digest, _, body = index.read_bytes().partition(b"\n")
    known: dict[str, list[Any]] = json.loads(body) if digest == _digest(shape, body) else {}
    return known


@lru_cache(maxsize=256)
def _known_entries(index: Path, stamp: str, shape: str) -> dict[str, list[Any]]:
    """A night asks several times: an index that stays the same is read once in a process."""
    del stamp
    return _entries(index, shape)


def _write_index(index: Path, shape: str, entries: dict[str, list[Any]]) -> None:
    """Write it in one step. Not flushed: what a power cut leaves of it is whole or not believed."""
    body = json.dumps(entries, separators=(",", ":")).encode()
    new = index.with_name(f"{INDEX}-{os.getpid()}")
    new.write_bytes(_digest(shape, body) + b"\n" + body)
    new.replace(index)


def _digest(shape: str, body: bytes) -> bytes:
    return hashlib.sha256(shape.encode() + b"\n" + body).hexdigest().encode()
