"""A Python process that has dbt imported and waits to be told to run it.

Importing dbt takes two seconds; they pass while the gate judges. dbt itself is not started before it is told
to: until then the process has read nothing of the project and opened no database, and it ends if nobody tells
it anything.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import subprocess
import sys
from collections.abc import Sequence

from orchestration.config.settings import Settings
from orchestration.dbt.project import dbt_environment
from orchestration.processes.leaving import leave_at_once
from storage.permissions import OWN_UMASK

_waiting: list[tuple[Settings, subprocess.Popen[bytes]]] = []


def warm_up(settings: Settings) -> None:
    """Have a process waiting for these settings."""
    if any(own == settings and process.poll() is None for own, process in _waiting):
        return
    dismiss()
    _waiting.append((settings, _start(settings)))


def run_dbt(settings: Settings, arguments: Sequence[str]) -> subprocess.Popen[bytes]:
    """Run dbt on the build in the waiting process; its output, JSON lines, is for the caller to read."""
    warm_up(settings)
    _, process = _waiting.pop()
    if process.stdin is None:
        raise RuntimeError("dbt's process has no input")
    process.stdin.write(json.dumps([str(settings.folder.build), *arguments]).encode() + b"\n")
    process.stdin.close()
    return process


def dismiss() -> None:
    """End a process nobody needs any more."""
    while _waiting:
        _, process = _waiting.pop()
        if process.stdin and process.stdout:
            process.stdin.close()
            process.stdout.close()
        process.wait()


atexit.register(dismiss)


def _start(settings: Settings) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", __name__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        umask=OWN_UMASK,
        env={
            **dbt_environment(settings),
            "DBT_LOG_FORMAT": "json",
            # What dbt prints is kept; its debug log says little more and costs a tenth of its time.
            "DBT_LOG_LEVEL_FILE": "none",
            "PYTHONUNBUFFERED": "1",
        },
    )


def main() -> None:
    """The process's side: import, wait for the arguments, run."""
    # It lives for seconds and keeps what it makes; looking for garbage would be a quarter of its time.
    gc.disable()
    import dbt.adapters.duckdb
    import dbt.task.build  # noqa: F401

    from orchestration.processes.quiet_dbt import make_no_debug_messages

    make_no_debug_messages()
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import cli

    line = sys.stdin.readline()
    if line:
        build, *arguments = json.loads(line)
        os.chdir(build)
        sys.argv = ["dbt", *arguments]
        code: int | str | None = 0
        try:
            cli()
        except SystemExit as ended:
            code = ended.code
        DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
        leave_at_once(code if isinstance(code, int) else 1)


if __name__ == "__main__":
    main()
