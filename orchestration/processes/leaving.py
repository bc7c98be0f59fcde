"""How a process ends: at once. Not here: what has to be closed before."""

from __future__ import annotations

import os
import sys


def leave_at_once(code: int) -> None:
    """End this process without taking its hundred thousand objects apart one by one, which takes a second."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
