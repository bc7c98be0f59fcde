"""A run of chosen assets publishes nothing that was not built, tested and audited in that very run."""

from __future__ import annotations

import dagster as dg
import pytest

from assets.versions.versions import list_versions
from orchestration import keys
from orchestration.build import build_defs
from orchestration.config.setup import Setup
from orchestration.config.sources import load_sources
from orchestration.run_order import audit_check, require_begun, require_tested
from quality.gate.ledger import Check, Expected, Ledger, Recorded
from storage.errors import JourneymartError
from tests.checkout import CHECKOUT

TEST = Check("marts", "fct_ticket", "unique_grain_fct_ticket_ticket_key")
EXTRACT = Check("extract", "zendesk/tickets/2026-01-31", "volume")


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path / "run.jsonl")


@pytest.fixture
def setup(tmp_path):
    """An installation whose last night left a finished build behind."""
    settings = CHECKOUT.model_copy(update={"data": tmp_path})
    found = Setup(settings, load_sources(settings.company_folder.file, settings.data))
    found.folder.build.mkdir(parents=True)
    return found


@pytest.mark.parametrize(
    ("chosen", "stopped"),
    [
        ([keys.PUBLISHED], "publish"),
        ([keys.REPORT, keys.PUBLISHED], "write_report"),
        ([keys.AUDIT, keys.REPORT, keys.PUBLISHED], "audit_marts"),
        ([dg.AssetKey(["marts", "mart_kpi_daily"]), keys.AUDIT, keys.PUBLISHED], "dbt_build"),
        ([dg.AssetKey(["seeds", "kpis"]), keys.PUBLISHED], "publish"),
    ],
)
def test_a_run_without_its_beginning_publishes_nothing(setup, chosen, stopped):
    job = build_defs(setup=setup).resolve_job_def(keys.JOB)
    day = setup.sources.first_date.isoformat()
    with dg.DagsterInstance.ephemeral() as instance:
        run = job.execute_in_process(asset_selection=chosen, partition_key=day, raise_on_error=False, instance=instance)
    assert not run.success
    failed = {event.step_key for event in run.all_events if event.is_step_failure}
    assert stopped in failed
    assert run.asset_materializations_for_node("publish") == []
    assert list_versions(setup.folder) == ()


def test_a_build_of_another_run_is_not_gone_on_with(ledger):
    with pytest.raises(JourneymartError, match=r"began no build.*nothing was published"):
        require_begun(ledger)
    ledger.expect_all([Expected(EXTRACT, blocking=True)])
    ledger.record_all([Recorded(EXTRACT, "pass")])
    with pytest.raises(JourneymartError, match="began no build"):
        require_begun(ledger)


def test_marts_are_audited_after_every_test_of_them(ledger):
    ledger.expect_all([Expected(TEST, blocking=True), Expected(audit_check("drift"), blocking=True)])
    require_begun(ledger)
    with pytest.raises(JourneymartError, match=TEST.kind):
        require_tested(ledger)
    ledger.record_all([Recorded(TEST, "pass")])
    require_tested(ledger)


def test_a_test_that_is_expected_again_has_not_run(ledger):
    ledger.expect_all([Expected(TEST, blocking=True)])
    ledger.record_all([Recorded(TEST, "pass")])
    ledger.expect_all([Expected(TEST, blocking=True)])
    with pytest.raises(JourneymartError, match=TEST.kind):
        require_tested(ledger)
