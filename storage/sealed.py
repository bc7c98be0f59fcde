"""Descriptions that say what lies beside them and that they are whole, and files compared with what was said.

What lives here: the seal of a JSON text, the files a description holds, what is wrong with one. Not here: what else a
description says, and what follows from damage.
"""

from __future__ import annotations

import hashlib
import json
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from storage.files import known_sha256, sha256_of

# Size and sha256 of files, where they are known, by their path in the folder of the description.
Holds = Mapping[str, tuple[int | None, str | None]]

_HOLDS, _SEALED = "holds", "sealed"
_SEAL, _END = f',\n "{_SEALED}": "', '"\n}\n'


def sealed(said: Mapping[str, Any], default: Callable[[Any], object] | None = None) -> str:
    """JSON of an object, its last entry the hash of all that stands before it.

    Args:
        said: What it says.
        default: Makes plain what JSON does not know.
    """
    text = json.dumps(said, indent=1, ensure_ascii=False, default=default).removesuffix("\n}")
    return f"{text}{_SEAL}{_digest(text)}{_END}"


def unsealed(text: bytes) -> dict[str, Any]:
    """What a sealed text says; one of an older release has no seal and is believed.

    Raises:
        ValueError: It is not whole, or not as it was written.
    """
    said: dict[str, Any] = json.loads(text)
    if not isinstance(said, dict):
        raise TypeError("no object")
    if said.pop(_SEALED, None) is not None:
        body, _, seal = text.decode().rpartition(_SEAL)
        if seal != f"{_digest(body)}{_END}":
            raise ValueError("seal")
    return said


def write_description(path: Path, said: Mapping[str, Any]) -> None:
    """Write the description of a folder: what it says, and every file that lies in the folder now."""
    folder = path.parent
    files = sorted(each for each in folder.rglob("*") if each.is_file() and each != path)
    holds = {each.relative_to(folder).as_posix(): (each.stat().st_size, sha256_of(each)) for each in files}
    path.write_text(sealed({**said, _HOLDS: holds}), encoding="utf-8")


def read_description(text: bytes) -> tuple[dict[str, Any], Holds]:
    """What a description says, and the files it names; none where an older release wrote it.

    Raises:
        ValueError: It is not whole, or not as it was written.
    """
    said = unsealed(text)
    return said, {name: (size, sha256) for name, (size, sha256) in said.pop(_HOLDS, {}).items()}


def file_fault(folder: Path, name: str, size: int | None, sha256: str | None) -> str | None:
    """What is wrong with a file, in a few words; None: nothing.

    Args:
        folder: Where it lies.
        name: Its path there.
        size: Bytes it had when it was written; None: nobody knows.
        sha256: Their hash; None: it is not opened.
    """
    path = folder / name
    try:
        facts = path.lstat()
        if not stat.S_ISREG(facts.st_mode):
            return f"{name} is no file"
        if size is not None and facts.st_size != size:
            return f"{name} has {facts.st_size:,} bytes where {size:,} were written"
        if sha256 is not None and known_sha256(path) != sha256:
            return f"{name} holds other bytes than were written"
    except (FileNotFoundError, NotADirectoryError):
        return f"{name} is missing"
    except OSError as error:
        return f"{name} cannot be read ({error.strerror})"
    return None


def files_fault(folder: Path, holds: Holds, *, read: bool) -> str | None:
    """What is wrong with the first file at fault of those a description names; None: nothing.

    Args:
        folder: Where they lie.
        holds: What was written.
        read: Read every byte; else only kinds and sizes are looked at.
    """
    faults = (file_fault(folder, name, size, sha256 if read else None) for name, (size, sha256) in holds.items())
    return next((fault for fault in faults if fault), None)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
