"""What a command costs, with every process it starts: CPU, memory at its peak, bytes written.

What lives here: measuring one command. Not here: which commands, and what their costs say (measurements.py).

The command runs under a small program of its own, to which the kernel hands whatever the command leaves behind, so a
process that outlives its parent is counted, too. CPU is user and system time of all of them as the kernel sums it up;
memory is sampled: the sum of their proportional set sizes (PSS: a page that two processes share counts half in each),
five times a second. Bytes written are those that the kernel was handed for a disk, as it counts them for a process.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

_SECONDS_BETWEEN_SAMPLES = 0.2
_BYTES_IN_A_BLOCK = 512
_PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True)
class Cost:
    """What a command cost.

    Attributes:
        cpu_seconds: User and system time of all its processes.
        wall_seconds: Until the command itself had ended.
        peak_bytes: The largest sum of their proportional set sizes that was seen.
        written_bytes: What they handed to disks.
    """

    cpu_seconds: float
    wall_seconds: float
    peak_bytes: int
    written_bytes: int


class CommandFailedError(Exception):
    """A measured command did not end as it should; the message holds what it printed."""


def measure(command: Sequence[str], *, folder: Path, environment: Mapping[str, str], is_killed: bool = False) -> Cost:
    """Run a command to its end.

    Args:
        command: The command.
        folder: Its working folder.
        environment: Its environment.
        is_killed: It is to die of a signal, at a point of fault; else it must end well.

    Raises:
        CommandFailedError: It ended otherwise.
    """
    with tempfile.TemporaryDirectory() as scratch:
        said = Path(scratch) / "cost.json"
        done = subprocess.run(
            [sys.executable, str(Path(__file__).resolve()), str(said), *command],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if not said.exists():
            raise CommandFailedError(f"{' '.join(command)} was not measured:\n{done.stdout}")
        code, cost = json.loads(said.read_text())
    if (code >= 0) if is_killed else code:
        raise CommandFailedError(f"{' '.join(command)} ended with {code}:\n{done.stdout}")
    return Cost(**cost)


def _children(pid: int) -> Iterator[int]:
    """Processes below one, whoever of its threads started them."""
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield int(child)
                yield from _children(int(child))


def _proportional_bytes(pid: int) -> int:
    """PSS of a process; none when it has just ended."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def _watch(ended: threading.Event, peak: list[int]) -> None:
    own = os.getpid()
    while not ended.wait(_SECONDS_BETWEEN_SAMPLES):
        peak[0] = max(peak[0], sum(_proportional_bytes(child) for child in _children(own)))


def _main() -> None:
    """The program around the command."""
    said, *command = sys.argv[1:]
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "this system does not hand on orphaned processes")
    began = time.perf_counter()
    process = subprocess.Popen(command)
    ended, peak = threading.Event(), [0]
    watcher = threading.Thread(target=_watch, args=(ended, peak))
    watcher.start()
    code = process.wait()
    wall = time.perf_counter() - began
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()
    ended.set()
    watcher.join()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cost = Cost(used.ru_utime + used.ru_stime, wall, peak[0], used.ru_oublock * _BYTES_IN_A_BLOCK)
    Path(said).write_text(json.dumps([code, asdict(cost)]))


if __name__ == "__main__":
    _main()
