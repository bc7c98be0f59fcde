"""A module of ours as a program of its own, started before it is needed and ended with the process that started it.

What lives here: starting and ending one. Not here: what the programs are told and answer (gate.py, dbt.py).
"""

from __future__ import annotations

import atexit
import subprocess
import sys
from collections.abc import Mapping
from typing import IO

# How long one that closed its output may take to end.
_ENDING_SECONDS = 30.0


class ModuleProcess:
    """A process that runs a module; it loads, then reads its input, and ends when that closes.

    Args:
        module: Run as `python -m`.
        umask: Of the files it writes; -1: as this process's.
        keeps_errors: What it prints as errors is part of its output.
    """

    def __init__(self, module: str, *, umask: int = -1, keeps_errors: bool = False) -> None:
        self._module = module
        self._umask = umask
        self._errors = subprocess.STDOUT if keeps_errors else None
        self._environment: Mapping[str, str] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        atexit.register(self.end)

    def start(self, environment: Mapping[str, str] | None = None) -> None:
        """Start it, unless one that was started just so is running.

        Args:
            environment: Its environment; None: that of this process.
        """
        if self._process is not None and self._process.poll() is None and environment == self._environment:
            return
        self.end()
        self._environment = environment
        self._process = subprocess.Popen(
            [sys.executable, "-m", self._module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            umask=self._umask,
            env=environment,
        )

    def pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        """What it reads and what it writes."""
        if self._process is None or self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError(f"{self._module} is not running")
        return self._process.stdin, self._process.stdout

    def exit_code(self) -> int:
        """Its exit code, of one that ends by itself; one that closed its output and goes on all the same is ended."""
        if self._process is None:
            raise RuntimeError(f"{self._module} is not running")
        try:
            return self._process.wait(_ENDING_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def hand_over(self) -> subprocess.Popen[bytes]:
        """The running process; from now on it is the caller's, and the next one that starts is another."""
        if self._process is None:
            raise RuntimeError(f"{self._module} is not running")
        process, self._process = self._process, None
        return process

    def end(self) -> None:
        """End it at once, if it runs: it writes nothing before it is told something."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                pipe.close()
        process.wait()
