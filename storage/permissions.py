"""What a night writes beside its versions is its owner's alone: logs, compiled models and run history may quote rows.

Not here: what readers may see, which publishing opens to them (assets/versions/publish.py).
"""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

OWN_UMASK = 0o077
_OTHERS = 0o077


def keep_private() -> None:
    """Make what this process and its children write from now on unreadable to others."""
    os.umask(OWN_UMASK)


def make_private(folder: Path) -> None:
    """Make a folder and close it, with all that older releases or other tools left open in it."""
    folder.mkdir(parents=True, exist_ok=True)
    for parent, _, names in os.walk(folder):
        for path in (Path(parent), *(Path(parent, name) for name in names)):
            # What other processes are done with meanwhile, such as the journal of a database, is closed to everybody.
            with contextlib.suppress(FileNotFoundError):
                _close(path)


def _close(path: Path) -> None:
    mode = path.lstat().st_mode
    if mode & _OTHERS and not stat.S_ISLNK(mode):
        path.chmod(0o700 if stat.S_ISDIR(mode) else 0o600)
