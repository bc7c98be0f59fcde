"""The models of one sample night, chained on Sail from what was accepted, make DuckDB's marts, row for row.

Not here: single constructs (test_constructs.py).
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestration.config.settings import PROJECT
from orchestration.engine.compile import compile_project
from tests.spark_kit import GIVEN, Version, differing

CUSTOMERS = 300
# Marts that may differ, and why. There are none.
EXCEPTIONS: dict[str, str] = {}


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Version:
    """The first night of a sample company, which is a full rebuild."""
    folder = tmp_path_factory.mktemp("night")
    environment = {**os.environ, "JOURNEYMART_DATA": str(folder / "data"), "JOURNEYMART_STATE": str(folder / "state")}
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
    return Version((folder / "data" / "current").resolve(), folder / "state")


def test_every_row_of_every_mart_is_equal(night: Version, on_sail, tmp_path: Path) -> None:
    columns = night.columns()
    given = {name: tuple(types) for name, types in columns.items() if name.split(".")[0] in GIVEN}
    plan = compile_project(night.manifest, night.compiled(), given)
    night.write_given(tmp_path)
    made, seconds = on_sail(plan, tmp_path)
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
