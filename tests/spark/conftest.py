"""Sail in an environment of its own; `make test-spark` makes it and says where its Python is.

Without it these tests are not collected: a newcomer's environment holds no Spark.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestration.config.settings import PROJECT
from orchestration.engine.plan import ModelPlan, write_plan

PYTHON = os.environ.get("JOURNEYMART_SPARK_PYTHON")
collect_ignore_glob = [] if PYTHON else ["test_*.py"]

# Runs a plan on the Parquet tables of a folder: where its own tables lie then, and the seconds of each model.
OnSail = Callable[[list[ModelPlan], Path], tuple[Path, dict[str, float]]]


@pytest.fixture(scope="session")
def on_sail(tmp_path_factory: pytest.TempPathFactory) -> OnSail:
    """Runs plans in a process of Sail's."""

    def run(plan: list[ModelPlan], tables: Path) -> tuple[Path, dict[str, float]]:
        folder = tmp_path_factory.mktemp("on sail")
        write_plan(plan, folder / "plan.json")
        done = subprocess.run(
            [
                str(PROJECT / str(PYTHON)),
                "-m",
                "orchestration.engine.sail",
                folder / "plan.json",
                tables,
                folder / "made",
            ],
            env={**os.environ, "PYTHONPATH": str(PROJECT), "TZ": "UTC", "RUST_LOG": "error"},
            cwd=PROJECT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        said = [json.loads(line) for line in done.stdout.splitlines()]
        return folder / "made", {each["model"]: each["seconds"] for each in said}

    return run
