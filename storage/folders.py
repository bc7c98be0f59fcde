"""Folders that appear whole or not at all: making, flushing, replacing, listing, settling. Not here: what they hold."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

# Beside the folder they stand for; the leading dot keeps them out of every listing of dates.
_NEW, _OLD = ".new-", ".old-"
_DATED = re.compile(r"\d{4}-\d{2}-\d{2}")


def make_open(folder: Path) -> None:
    """Make a folder that readers look into, and what is missing above it, whatever the umask."""
    for missing in reversed([each for each in (folder, *folder.parents) if not each.exists()]):
        missing.mkdir(exist_ok=True)
        missing.chmod(0o755)


@contextmanager
def replaced_folder(target: Path) -> Iterator[Path]:
    """Fill a folder that takes the place of `target` when the block ends without an error.

    What was in it is flushed to disk first. A kill leaves the old content, the new, or (for an instant, while
    one makes room for the other) the old beside its place; `settle` puts that right.

    Args:
        target: The folder; it may exist.
    """
    new, old = target.with_name(_NEW + target.name), target.with_name(_OLD + target.name)
    target.parent.mkdir(parents=True, exist_ok=True)
    new.mkdir()
    try:
        yield new
        flush_tree(new)
        if target.exists():
            target.rename(old)
        new.rename(target)
        flush(target.parent)
    finally:
        settle(target.parent)


def remove_folder(target: Path) -> None:
    """Remove a folder in one step, if it is there."""
    if target.exists():
        # As something half made, so that a kill in between does not bring it back.
        target.rename(target.with_name(_NEW + target.name))
        flush(target.parent)
        settle(target.parent)


def dated(home: Path) -> list[date]:
    """The dates that folders of a folder are named by, oldest first; none if it is not there.

    Such folders are there whole or not at all, so their names tell: none of them is opened.
    """
    try:
        with os.scandir(home) as found:
            names = sorted(entry.name for entry in found if _DATED.fullmatch(entry.name))
    except FileNotFoundError:
        return []
    return [date.fromisoformat(name) for name in names]


def settle(parent: Path) -> None:
    """Clear up after a kill: what was half made goes, what made room for nothing comes back."""
    for new in parent.glob(f"{_NEW}*"):
        shutil.rmtree(new)
    for old in parent.glob(f"{_OLD}*"):
        target = parent / old.name.removeprefix(_OLD)
        if target.exists():
            shutil.rmtree(old)
        else:
            old.rename(target)


def flush(path: Path) -> None:
    """Wait until a file's content, or a folder's names, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        if sys.platform == "darwin" and not path.is_dir():
            # On macOS fsync stops at the drive's own cache.
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
        else:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def flush_tree(folder: Path) -> None:
    """Flush every file and folder below `folder`, and itself last."""
    for path in sorted(folder.rglob("*"), reverse=True):
        flush(path)
    flush(folder)
