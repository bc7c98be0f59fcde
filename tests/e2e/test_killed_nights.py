"""A killed night leaves readers on the last version, and the next one makes up for it.

The process of `journeymart run` is killed with SIGKILL while dbt builds; in the long campaign also while it lands and
judges extracts, before the version gets its name and before the link is swung. Readers see the same bytes as before;
with the next run, nights in their order equal one rebuild, row for row, though one of them was killed. Kills within
publish: integration/test_publish_kills.py.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from dagster import DagsterRunStatus

from orchestration.instance import open_instance
from tests.e2e.conftest import FOURTH
from tests.e2e.installation import Installation, differences

LONG = pytest.mark.skipif(
    os.environ.get("JOURNEYMART_CHAOS") != "long", reason="the long campaign runs under `make chaos`"
)


@pytest.mark.promise("kills")
@pytest.mark.parametrize(
    "fault",
    [
        "in_dbt",
        pytest.param("before_swing", marks=[pytest.mark.chaos, LONG]),
        pytest.param("in_extract", marks=[pytest.mark.chaos, LONG]),
        pytest.param("in_gate", marks=[pytest.mark.chaos, LONG]),
        pytest.param("before_rename", marks=[pytest.mark.chaos, LONG]),
    ],
)
def test_nights_in_their_order_and_one_that_was_killed_and_made_up_for_equal_one_rebuild(
    three_nights: Installation, rebuilt: Installation, tmp_path: Path, fault: str
) -> None:
    company = three_nights.copy_to(tmp_path / "da ta")
    before = company.published_hashes()
    killed = company.command("run", "--as-of", str(FOURTH), fault=fault)
    assert killed.returncode == -signal.SIGKILL
    assert company.published_hashes() == before
    night = company.night(FOURTH)
    assert differences(company, rebuilt, rebuilt.mart_tables()) == {}
    with open_instance(company.setup.settings) as instance:
        runs = {run.run_id: run.status for run in instance.get_runs(limit=2)}
    assert runs.pop(night.run_id) is DagsterRunStatus.SUCCESS
    assert list(runs.values()) == [DagsterRunStatus.FAILURE], "no queue waits for the run that was killed"
