"""Folders that test processes share: whoever asks first makes one, the others wait, and it is whole or made anew.

Not here: what is made (e2e/conftest.py).
"""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Callable
from pathlib import Path


def make_once(shared: Path, name: str, fill: Callable[[Path], None]) -> Path:
    """A data folder by name, made where no process has made it to its end.

    What one that was killed has left is cleared first. It is made where it stays, because what is kept beside it (the
    files a night opened, a history of runs) names it.

    Args:
        shared: The folder of all processes of this run.
        name: Of what is made.
        fill: Makes the data folder, and what it keeps beside it.
    """
    folder = shared / f"journeymart {name}"
    with (shared / f".{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            if folder.exists():
                shutil.rmtree(folder)
            folder.mkdir()
            fill(folder / "data")
            (folder / "done").touch()
    return folder / "data"
