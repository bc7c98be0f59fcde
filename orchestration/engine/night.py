"""The models of a night, made by the engine that the company file names.

What lives here: from a build that holds what models begin with to a folder that holds what they make. Not here: what is
run (project.py) and how (process.py), having the build hold it (dbt_project/macros/materializations/from_engine.sql).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from orchestration.config.settings import Settings
from orchestration.config.setup import Setup
from orchestration.config.sources_file import EngineKeys
from orchestration.engine.plan import ModelPlan, write_plan
from orchestration.engine.process import run_plan
from orchestration.engine.project import plan_of, tell_dbt, write_given
from orchestration.engine.run import MADE, PLAN
from storage.errors import JourneymartError
from storage.faults import fault_point
from storage.permissions import make_private

TABLES_VARIABLE = "JOURNEYMART_ENGINE_TABLES"


def make_models(
    setup: Setup, engine: EngineKeys, manifest: Mapping[str, Any], run_id: str, told: Callable[[int, int], object]
) -> dict[str, str]:
    """Make all models of the running build on the engine.

    Args:
        setup: Settings and sources.
        engine: The company's.
        manifest: dbt's.
        run_id: The night's.
        told: Told how many of how many models are made.

    Returns:
        The environment in which dbt has the build's tables hold what the engine made.

    Raises:
        JourneymartError: A model cannot run on Spark, or the engine could not make it.
    """
    build = setup.folder.build
    # A folder a night: what a server still writes for one that was killed is in nobody's way.
    folder = setup.folder.engine / run_id
    make_private(setup.folder.engine)
    folder.mkdir()
    tell_dbt(setup.settings, build, "seed")
    plan = plan_of(setup.settings, build, manifest)
    write_plan(plan, folder / PLAN)
    write_given(build, folder)
    made: list[str] = []

    def said(model: str, _: float) -> None:
        made.append(model)
        told(len(made), len(plan))
        fault_point("in_engine")

    run_plan(spark_python(setup.settings), engine.address, folder, said)
    _require_all(plan, folder / MADE)
    # Seen from the build, as dbt sees everything, and so of no letters that would mean something in a path.
    return {TABLES_VARIABLE: os.path.relpath(folder / MADE, build)}


def spark_python(settings: Settings) -> Path:
    """The Python that has pyspark."""
    return settings.spark_python or Path(sys.executable)


def _require_all(plan: list[ModelPlan], made: Path) -> None:
    lacking = [model.name for model in plan if not any((made / model.table).glob("*.parquet"))]
    if lacking:
        raise JourneymartError(
            f"The engine says it made {lacking[0]}, but {made} holds nothing of it: see that it and this machine reach "
            "the data folder under the same path."
        )
