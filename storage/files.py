"""Files on disk, made safe: appear whole, clone, share, tell apart, free space. Not here: which files, and when."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from storage.errors import JourneymartError
from storage.folders import flush

# linux/fs.h: share the blocks of another file (btrfs, xfs, bcachefs, zfs).
_FICLONE = 0x40049409
_NO_REFLINK = {errno.EOPNOTSUPP, errno.ENOTTY, errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EPERM}

# Times of files tick, a few milliseconds each; file systems of other machines may lag behind this one's clock.
_SETTLES_AFTER_NS = 2_000_000_000


@contextmanager
def whole_file(target: Path) -> Iterator[Path]:
    """Write a file that appears whole or not at all, and stays, whenever the machine stops.

    Args:
        target: The file; one that is there is replaced.

    Yields:
        Where to write it: beside its place, under a name that begins with a dot.
    """
    new = target.with_name(f".{target.name}")
    yield new
    flush(new)
    new.replace(target)
    flush(target.parent)


def clone_file(source: Path, target: Path) -> bool:
    """Make `target`, a new file with the content of `source`, sharing its blocks where the file system can.

    Returns:
        Whether the blocks are shared (no bytes were copied).

    Raises:
        FileExistsError: `target` is already there.
    """
    with source.open("rb") as reader, target.open("xb") as writer:
        if sys.platform == "linux":
            try:
                fcntl.ioctl(writer.fileno(), _FICLONE, reader.fileno())
            except OSError as error:
                if error.errno not in _NO_REFLINK:
                    raise
            else:
                return True
    shutil.copyfile(source, target)
    return False


def share_file(source: Path, target: Path) -> None:
    """Let `target` be a second name of a file nobody writes into any more; a clone where there are no such names.

    Either name may go: the content stays for the other.
    """
    try:
        os.link(source, target)
    except OSError:
        clone_file(source, target)


def settled_stamp(facts: os.stat_result) -> str | None:
    """What tells one state of a file from another; None: it is too young, and may change without its times telling."""
    if time.time_ns() - max(facts.st_mtime_ns, facts.st_ctime_ns) < _SETTLES_AFTER_NS:
        return None
    return f"{facts.st_ino}/{facts.st_size}/{facts.st_mtime_ns}/{facts.st_ctime_ns}"


def known_sha256(path: Path) -> str:
    """Hash of a file's bytes; read once in a process while the file, by whatever name, stays the same."""
    facts = path.stat()
    if settled_stamp(facts) is None:
        return sha256_of(path)
    # Not its ctime: another name of the file, or one less, is no other content.
    return _known_sha256(_Known(f"{facts.st_dev}/{facts.st_ino}/{facts.st_size}/{facts.st_mtime_ns}", path))


@dataclass(frozen=True)
class _Known:
    """A state of a file; where it is read is no part of what it is."""

    stamp: str
    path: Path = field(compare=False)


@lru_cache(maxsize=4096)
def _known_sha256(known: _Known) -> str:
    return sha256_of(known.path)


def sha256_of(path: Path) -> str:
    """Hash of a file's bytes, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def require_free_space(folder: Path, needed: int, purpose: str) -> None:
    """Refuse to start what the disk has no room for.

    Args:
        folder: An existing folder on the disk in question.
        needed: Bytes that must be free.
        purpose: What they are for, as in "to build the next version".

    Raises:
        JourneymartError: Fewer bytes are free.
    """
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise JourneymartError(
            f"The disk of {folder} has {_megabytes(free)} free, but {_megabytes(needed)} are needed "
            f"{purpose}: free some space, or keep fewer versions."
        )


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"
