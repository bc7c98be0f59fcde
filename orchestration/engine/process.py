"""A plan run by the Python in whose environment Spark is.

What lives here: starting that program (run.py), and what is said of how it ended. Not here: which plan (project.py).
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from orchestration.config.settings import PROJECT
from storage.errors import JourneymartError

HAS_SPARK = "set JOURNEYMART_SPARK_PYTHON to a Python that has pyspark"
# Beside the plan.
LOG = "engine.log"
_RUN = "orchestration.engine.run"


def run_plan(python: Path, engine: str, folder: Path, said: Callable[[str, float], object]) -> None:
    """Run a plan to its end.

    Args:
        python: The Python that has pyspark.
        engine: An address or a master, as run.py takes it.
        folder: Holds the plan and what its models begin with, and gets what they make; and, in a file nobody else
            reads, what the engine says: it may quote rows.
        said: Told each model that is made, and its seconds.

    Raises:
        JourneymartError: It could not be started, or could not make a model.
    """
    failed = ""
    log = folder / LOG
    descriptor = os.open(log, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "wb") as errors:
        try:
            process = subprocess.Popen(
                [str(python), "-m", _RUN, engine, str(folder)],
                # Its input stays open as long as this process lives; it ends with it.
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=spark_environment(),
                cwd=PROJECT,
            )
        except OSError as error:
            raise JourneymartError(f"{python} cannot be started ({error.strerror}): {HAS_SPARK}.") from None
        with process:
            for line in process.stdout or ():
                told = json.loads(line)
                if "failed" in told:
                    failed = f"could not make {told['model']} ({told['failed']})"
                else:
                    said(told["model"], told["seconds"])
            code = process.wait()
    if code or failed:
        raise JourneymartError(f"The engine at {engine} {failed or f'ended with {code}'}: {log} says more.")


def spark_environment() -> dict[str, str]:
    """The environment of a program that asks an engine: our modules, times in UTC, few words."""
    return {**os.environ, "PYTHONPATH": str(PROJECT), "TZ": "UTC", "RUST_LOG": "error"}
