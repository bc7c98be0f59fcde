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
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.config.settings import Settings
from orchestration.dbt.found_relations import found_by_name
from orchestration.dbt.project import dbt_environment
from orchestration.dbt.templates import kept_templates
from orchestration.dbt.unsaid_events import unsaid
from orchestration.processes.process import ModuleProcess
from storage.permissions import OWN_UMASK

if TYPE_CHECKING:
    from dbt_common.events.base_types import EventMsg

_NOT_SAID = {"debug", "test"}

_DBT = ModuleProcess("orchestration.processes.dbt", umask=OWN_UMASK, keeps_errors=True)


def warm_up(settings: Settings) -> None:
    """Have a process waiting for these settings."""
    _DBT.start(
        {
            **dbt_environment(settings),
            # Its logs write out every event first and look at its level then; `_Events` says what they would say.
            "DBT_LOG_LEVEL": "none",
            "DBT_LOG_LEVEL_FILE": "none",
            "PYTHONUNBUFFERED": "1",
        }
    )


def run_dbt(settings: Settings, arguments: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Run dbt on the build in the waiting process; its output, JSON lines, is for the caller to read.

    Args:
        settings: Where the build and the project are.
        arguments: What dbt is told.
        environment: Variables that templates may ask for in this run.
    """
    warm_up(settings)
    told, _ = _DBT.pipes()
    request = {"build": str(settings.folder.build), "arguments": list(arguments), "environment": dict(environment)}
    told.write(json.dumps(request).encode() + b"\n")
    told.close()
    return _DBT.hand_over()


class _Events:
    """Prints what dbt says while it runs as its JSON log would: an event a line, none that is for debugging."""

    def __init__(self) -> None:
        self._printing = threading.Lock()

    def __call__(self, event: EventMsg) -> None:
        """Print an event, of whichever thread."""
        if event.info.level in _NOT_SAID:
            return
        from dbt_common.events.functions import env_scrubber, msg_to_dict

        line = env_scrubber(json.dumps(msg_to_dict(event), sort_keys=True, default=str))
        with self._printing:
            try:
                sys.stdout.write(f"{line}\n")
            except BrokenPipeError:
                # The night that listened was killed. Nobody will publish what is built from here on, and the next night
                # needs the files; dbt itself would go on to its last model.
                os._exit(1)


def main() -> None:
    """The process's side: import, wait for the arguments, run."""
    # It lives for seconds and keeps what it makes; looking for garbage would be a quarter of its time.
    gc.disable()
    import dbt.adapters.duckdb
    import dbt.task.build  # noqa: F401
    from dbt.cli.main import dbtRunner

    line = sys.stdin.readline()
    if line:
        request = json.loads(line)
        os.chdir(request["build"])
        os.environ |= request["environment"]
        with kept_templates(Path(os.environ["DBT_TARGET_PATH"])), unsaid(_NOT_SAID), found_by_name():
            done = dbtRunner(callbacks=[_Events()]).invoke(request["arguments"])
        if done.exception:
            sys.stderr.write(f"{done.exception}\n")
        sys.exit(0 if done.success else 2 if done.exception else 1)


if __name__ == "__main__":
    main()
