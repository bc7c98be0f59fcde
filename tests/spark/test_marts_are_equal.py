"""The models of one sample night, chained on an engine from what was accepted, make DuckDB's marts, row for row.

Not here: single constructs (test_constructs.py).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from orchestration.config.settings import PROJECT, Settings
from orchestration.dbt.project import load_manifest
from orchestration.engine.project import plan_of, write_given
from orchestration.engine.run import MADE
from tests.spark_kit import Version, differing

CUSTOMERS = 300
# Marts that may differ, and why. There are none.
EXCEPTIONS: dict[str, str] = {}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Where the first night of a sample company, which is a full rebuild, left what it made."""
    folder = tmp_path_factory.mktemp("night")
    settings = Settings(data=folder / "data", state=folder / "state")
    environment = {**os.environ, "JOURNEYMART_DATA": str(settings.data), "JOURNEYMART_STATE": str(settings.state)}
    for arguments in (["sample", "--customers", str(CUSTOMERS), "--days", "1"], ["run"]):
        done = subprocess.run(
            [sys.executable, "-m", "orchestration.cli", *arguments],
            env=environment,
            cwd=PROJECT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return settings


def test_every_row_of_every_mart_is_equal(settings: Settings, on_engine, tmp_path: Path) -> None:
    night = Version(settings.folder.current.resolve(), settings.state)
    # dbt opens the files it compiles for as one that writes.
    build = shutil.copytree(night.folder, tmp_path / "build")
    plan = plan_of(settings, build, load_manifest(settings))
    write_given(build, tmp_path)
    seconds = on_engine(plan, tmp_path)
    made = tmp_path / MADE
    columns = night.columns()
    marts = sorted(model.table for model in plan if model.table.startswith("main__"))
    with night.opened() as connection:
        found = {
            mart: differing(connection, f"cx_marts.main.{mart[6:]}", columns[f"main.{mart[6:]}"], made / mart)
            for mart in marts
        }
    print(
        f"{len(plan)} models in {sum(seconds.values()):.0f} seconds; {len(marts)} marts, "
        f"{sum(rows for rows, _, _ in found.values()):,} rows"
    )
    different = {mart for mart, (_, lacking, beside) in found.items() if lacking or beside}
    assert {mart: found[mart] for mart in different - EXCEPTIONS.keys()} == {}
    assert EXCEPTIONS.keys() <= different, "an exception that is none any more"
    assert sum(1 for rows, _, _ in found.values() if rows) > len(marts) / 2
