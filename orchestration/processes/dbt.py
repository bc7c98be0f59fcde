"""dbt in a process of its own, which has imported it and waits to be told to run it.

What lives here: telling it, and its side. Not here: what it builds (dbt_project), reading what it says
(orchestration/dbt/results.py).

Importing dbt takes two seconds; they pass while the gate judges. dbt itself is not started before it is told
to: until then the process has read nothing of the project and opened no database.
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
from collections.abc import Sequence

from orchestration.config.settings import Settings
from orchestration.dbt.project import dbt_environment
from orchestration.processes.process import ModuleProcess
from storage.permissions import OWN_UMASK

_DBT = ModuleProcess("orchestration.processes.dbt", umask=OWN_UMASK, keeps_errors=True)


def warm_up(settings: Settings) -> None:
    """Have a process waiting for these settings."""
    _DBT.start(
        {
            **dbt_environment(settings),
            "DBT_LOG_FORMAT": "json",
            # What dbt prints is kept; its debug log says little more and costs a tenth of its time.
            "DBT_LOG_LEVEL_FILE": "none",
            "PYTHONUNBUFFERED": "1",
        }
    )


def run_dbt(settings: Settings, arguments: Sequence[str]) -> subprocess.Popen[bytes]:
    """Run dbt on the build in the waiting process; its output, JSON lines, is for the caller to read."""
    warm_up(settings)
    told, _ = _DBT.pipes()
    told.write(json.dumps([str(settings.folder.build), *arguments]).encode() + b"\n")
    told.close()
    return _DBT.hand_over()


def main() -> None:
    """The process's side: import, wait for the arguments, run."""
    # It lives for seconds and keeps what it makes; looking for garbage would be a quarter of its time.
    gc.disable()
    import dbt.adapters.duckdb
    import dbt.task.build  # noqa: F401
    from dbt.cli.main import cli

    line = sys.stdin.readline()
    if line:
        build, *arguments = json.loads(line)
        os.chdir(build)
        sys.argv = ["dbt", *arguments]
        cli()


if __name__ == "__main__":
    main()
