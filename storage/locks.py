"""Who may change the data folder, and whose turn it is.

What lives here: the folder's two locks, and any other that is waited for. Not here: what is done under them.

All are flocks: the kernel lets go of them when the process that holds them ends, however it ends, so none is
ever stale.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from storage.data_folder import DataFolder
from storage.errors import JourneymartError
from storage.folders import make_open


@contextmanager
def data_lock(folder: DataFolder, doing: str = "a night") -> Iterator[None]:
    """Hold the data folder for a whole change: a night, a replay. Never waits.

    Args:
        folder: The data folder; made when it is not there.
        doing: What the holder does, shown to whoever comes second.

    Raises:
        JourneymartError: Somebody else holds it; says who.
    """
    make_open(folder.root)
    descriptor = os.open(folder.lock, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise JourneymartError(
                f"{folder.root} is being changed by {_holder(descriptor)}: wait for it to end, or stop it."
            ) from None
        started = datetime.now(UTC).isoformat(timespec="seconds")
        holder = {"doing": doing, "pid": os.getpid(), "host": socket.gethostname(), "since": started}
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(holder).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def is_held(folder: DataFolder) -> bool:
    """Whether somebody changes the data folder now."""
    try:
        descriptor = os.open(folder.lock, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)


@contextmanager
def link_lock(folder: DataFolder) -> Iterator[None]:
    """Hold the link `current` and the names in `versions/` for an instant; waits for its turn.

    Apart from the data lock, so that a rollback need not wait for a running night.
    """
    make_open(folder.root)
    folder.versions.mkdir(exist_ok=True)
    with in_turn(folder.versions / ".lock", mode=0o644):
        yield


@contextmanager
def in_turn(path: Path, mode: int = 0o600) -> Iterator[None]:
    """Wait until nobody else holds a lock file, and hold it meanwhile.

    Args:
        path: The file; made when it is not there.
        mode: Of a new one.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, mode)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _holder(descriptor: int) -> str:
    """Who wrote the lock file, in words; the holder may not have written it yet."""
    try:
        holder = json.loads(os.pread(descriptor, 4096, 0))
        return f"{holder['doing']} (process {holder['pid']} on {holder['host']}, since {holder['since']})"
    except (ValueError, KeyError):
        return "another process"
