"""The engines these tests ask, each in an environment of its own.

`make test-spark` makes Sail's and says where its Python is (JOURNEYMART_SAIL_PYTHON). Apache Spark is asked where
JOURNEYMART_APACHE_SPARK_PYTHON names a Python that has pyspark and there is Java; it takes many times as long, so it is
part of the long campaign. Without either these tests are not collected: a newcomer's environment holds no Spark.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from orchestration.config.settings import PROJECT
from orchestration.engine.plan import ModelPlan, write_plan
from orchestration.engine.process import run_plan
from orchestration.engine.run import PLAN

# By engine: the environment variable that names its Python.
ENGINES = {"sail": "JOURNEYMART_SAIL_PYTHON", "apache": "JOURNEYMART_APACHE_SPARK_PYTHON"}
collect_ignore_glob = [] if any(os.environ.get(name) for name in ENGINES.values()) else ["test_*.py"]

# Runs the plan of a folder; the seconds of each model.
OnEngine = Callable[[list[ModelPlan], Path], dict[str, float]]


@dataclass(frozen=True)
class Engine:
    """An engine: a Python that has pyspark, what `address` in the company file says, and its server."""

    python: Path
    address: str
    server: int | None = None

    def server_seconds(self) -> float | None:
        """CPU seconds of the server until now."""
        if self.server is None:
            return None
        # The name, in brackets, may hold blanks; user and system time are the 14th and 15th field.
        after_name = Path(f"/proc/{self.server}/stat").read_text("utf-8").rpartition(")")[2].split()
        return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")


@pytest.fixture(scope="session", params=["sail", pytest.param("apache", marks=pytest.mark.chaos)])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """Sail behind Spark Connect, or Apache Spark with a driver of its own for every plan."""
    said = os.environ.get(ENGINES[request.param])
    if not said:
        pytest.skip(f"{ENGINES[request.param]} names no Python")
    # Not resolved: an environment's Python is a link to another.
    python = PROJECT / said
    if request.param == "apache":
        if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
            pytest.skip("Apache Spark needs Java")
        yield Engine(python, "local[2]")
        return
    server = subprocess.Popen(
        [python, Path(__file__).with_name("sail.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "TZ": "UTC", "RUST_LOG": "error"},
        text=True,
    )
    # It ends with its input, which this closes.
    with server:
        assert server.stdout
        yield Engine(python, f"sc://localhost:{int(server.stdout.readline())}", server.pid)


@pytest.fixture(scope="session")
def on_engine(engine: Engine) -> OnEngine:
    """Runs plans on an engine."""

    def run(plan: list[ModelPlan], folder: Path) -> dict[str, float]:
        write_plan(plan, folder / PLAN)
        seconds: dict[str, float] = {}
        run_plan(engine.python, engine.address, folder, seconds.__setitem__)
        return seconds

    return run
