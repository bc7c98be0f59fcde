"""Whether a version is what its manifest says, in two depths: at a look, and byte by byte.

What lives here: the faults of files, each in a few words. Nights, `status`, `rollback`, `doctor` and verifying all ask
here. Not here: which versions are looked at and what follows (standing.py), what tables hold (verify.py).

Standard library only: the process that verifies a version must start fast.
"""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from assets.versions.manifest import File, Manifest
from storage.files import known_sha256


def fault_at_a_look(version: Path, manifest: Manifest) -> str | None:
    """What is wrong with the files of a version by their kind and size; None: nothing. Opens none of them.

    Args:
        version: Its folder.
        manifest: What it must hold.
    """
    if manifest.version != version.name:
        return f"its manifest is that of {manifest.version}"
    return next((fault for file in manifest.files if (fault := _shape_fault(version / file.name, file))), None)


def fault_within(version: Path, manifest: Manifest) -> str | None:
    """What is wrong with the files of a version, every byte read; None: nothing.

    A file of which nothing changed since this process read it is not read again, nor one that is shared with a version
    read before.

    Args:
        version: Its folder.
        manifest: What it must hold.
    """
    with ThreadPoolExecutor() as pool:
        faults = pool.map(lambda file: file_fault(version, file), manifest.files)
        return next((fault for fault in faults if fault), None)


def file_fault(version: Path, file: File) -> str | None:
    """What is wrong with one file of a version, every byte read; None: nothing."""
    path = version / file.name
    if fault := _shape_fault(path, file):
        return fault
    try:
        return None if known_sha256(path) == file.sha256 else f"{file.name} holds other bytes than were written"
    except OSError as error:
        return f"{file.name} cannot be read ({error.strerror})"


def _shape_fault(path: Path, file: File) -> str | None:
    try:
        facts = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return f"{file.name} is missing"
    except OSError as error:
        return f"{file.name} cannot be read ({error.strerror})"
    if not stat.S_ISREG(facts.st_mode):
        return f"{file.name} is no file"
    if facts.st_size != file.bytes:
        return f"{file.name} has {facts.st_size:,} bytes where {file.bytes:,} were written"
    return None
