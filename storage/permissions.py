"""What a night writes beside its versions is its owner's alone: logs, compiled models and run history may quote rows.

Not here: what readers may see, which publishing opens to them (assets/versions/publish.py).
"""

from __future__ import annotations

import os
from pathlib import Path

OWN_UMASK = 0o077
_OTHERS = 0o077


def keep_private() -> None:
    """Make what this process and its children write from now on unreadable to others."""
    os.umask(OWN_UMASK)


def make_private(folder: Path) -> None:
    """Make a folder and close it, with all that older releases or other tools left open in it."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink() and path.stat().st_mode & _OTHERS:
            path.chmod(0o700 if path.is_dir() else 0o600)
