"""Dagster's services beside the web page: the server that loads our definitions, and the daemon of the schedule.

What lives here: starting both, knowing when they are ready, ending them. Not here: the web page (web_page.py), what
holds them to this process (tethered.py).
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from storage.errors import JourneymartError

_DEFINITIONS = "orchestration.definitions"
_LOCATION = "journeymart"
_READY_SECONDS = 180
_QUIET = ("--log-level", "warning")


@dataclass(frozen=True)
class Services:
    """Both services, running.

    Attributes:
        workspace: Dagster's workspace file: where the definitions are served.
        processes: By what they are for.
    """

    workspace: Path
    processes: dict[str, subprocess.Popen[bytes]]

    def ended(self) -> str | None:
        """What one that has ended was for; None: both run."""
        return next((what for what, process in self.processes.items() if process.poll() is not None), None)


@contextmanager
def services(home: Path, folder: Path) -> Iterator[Services]:
    """Run the services; afterwards they and all they started are gone.

    Args:
        home: DAGSTER_HOME.
        folder: Folder they work in.

    Raises:
        JourneymartError: The definitions do not load.
    """
    # A socket's path may have 107 characters, and a data folder's more.
    with tempfile.TemporaryDirectory(prefix="journeymart-") as scratch:
        socket, workspace = Path(scratch) / "definitions", Path(scratch) / "workspace.yaml"
        server = {"grpc_server": {"socket": str(socket), "location_name": _LOCATION}}
        workspace.write_text(yaml.safe_dump({"load_from": [server]}), encoding="utf-8")
        environment = {**os.environ, "DAGSTER_HOME": str(home)}
        running: dict[str, subprocess.Popen[bytes]] = {}

        def start(what: str, *command: str) -> None:
            running[what] = _start(command, environment, folder)

        try:
            serve = ("dagster", "code-server", "start", "-m", _DEFINITIONS, "--socket", str(socket))
            start("the definitions", *serve, "--location-name", _LOCATION, *_QUIET)
            found = Services(workspace, running)
            _wait_until_served(socket, found)
            start("the schedule", "dagster._daemon", "run", "--workspace", str(workspace), *_QUIET)
            yield found
        finally:
            _end(list(running.values()))


def _start(command: Sequence[str], environment: dict[str, str], folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "orchestration.ui.tethered", *command],
        stdin=subprocess.PIPE,
        env=environment,
        cwd=folder,
        # What is typed in the terminal is for the process that holds the tether.
        start_new_session=True,
    )


def _wait_until_served(socket: Path, found: Services) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while not socket.exists():
        if found.ended() or time.monotonic() > deadline:
            raise JourneymartError(
                "Dagster's services did not start; what they said is above. Run `journeymart doctor`, then "
                "`journeymart ui` again."
            )
        time.sleep(0.1)


def _end(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """Let go of them, and wait until they are gone with all that they started."""
    for process in processes:
        if process.stdin:
            process.stdin.close()
    for process in processes:
        process.wait()
