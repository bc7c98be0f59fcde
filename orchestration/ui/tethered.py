"""Runs a module as a program that ends with whoever started it: `python -m orchestration.ui.tethered MODULE ARGUMENTS`.

What lives here: the tether. Not here: which programs are held by one (services.py).

The program ends when its standard input does, which is when its starter closes the pipe or ends, however that ends;
with it go the processes that it started. It is asked first, so that a night that is under way says that it was ended.
Imports the standard library only, before the module's own.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import time
from threading import Thread

GRACE_SECONDS = 8.0
"""How long those that were asked to end may take."""


def _end_with_input() -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    os.killpg(os.getpgrp(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os.killpg(os.getpgrp(), signal.SIGKILL)


def main() -> None:
    """Run the module that is named."""
    module, *arguments = sys.argv[1:]
    Thread(target=_end_with_input, daemon=True).start()
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
