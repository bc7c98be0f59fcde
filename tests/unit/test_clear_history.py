"""What is known of nights long past goes, whole; what is younger or under way stays, and no night fails of it."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from orchestration.config.settings import Settings
from orchestration.instance import open_instance
from orchestration.keys import JOB
from orchestration.operations.clear_history import Cleared, clear_history
from storage.data_folder import DataFolder

NOW = datetime.now(UTC)


@dg.asset(check_specs=[dg.AssetCheckSpec("rows", asset="mart")])
def mart():
    yield dg.MaterializeResult(metadata={"rows": 1})
    yield dg.AssetCheckResult(passed=True, check_name="rows")


@pytest.fixture
def settings(tmp_path):
    return Settings(data=tmp_path / "data", state=tmp_path / "state")


@pytest.fixture
def instance(settings):
    with open_instance(settings) as instance:
        yield instance


def run_a_night(instance, settings, *, days_ago: int) -> str:
    """A run with a materialisation and a check, of so many days ago; and its ledger."""
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    defs = dg.Definitions(assets=[mart], jobs=[dg.define_asset_job(JOB)])
    run_id = defs.resolve_job_def(JOB).execute_in_process(instance=instance, run_config=quiet).run_id
    with closing(sqlite3.connect(history(settings) / "runs.db")) as runs, runs:
        then = (NOW - timedelta(days=days_ago)).replace(tzinfo=None).isoformat(sep=" ")
        runs.execute("update runs set create_timestamp = ? where run_id = ?", [then, run_id])
    ledger = settings.folder.ledger(run_id)
    ledger.parent.mkdir(parents=True, exist_ok=True)
    ledger.write_text("{}\n")
    os.utime(ledger, times=((NOW - timedelta(days=days_ago)).timestamp(),) * 2)
    return run_id


def history(settings) -> Path:
    return settings.state / "storage" / "history"


def traces(settings, run_id: str) -> set[str]:
    """Where anything of a run is: its files, and tables of the index."""
    found = {path.name for path in history(settings).rglob(f"*{run_id}*")}
    with closing(sqlite3.connect(history(settings) / "runs" / "index.db")) as index:
        for table in ("event_logs", "asset_check_executions"):
            ((count,),) = index.execute(f"select count(*) from {table} where run_id = ?", [run_id]).fetchall()
            found |= {table} if count else set()
    return found


def test_a_run_goes_with_all_its_events_its_file_its_checks_and_its_ledger(instance, settings):
    old, young = (run_a_night(instance, settings, days_ago=days) for days in (91, 89))
    assert traces(settings, old) >= {f"{old}.db", "event_logs", "asset_check_executions"}
    assert clear_history(settings.folder, instance, settings.keep_history_days, NOW) == Cleared(runs=1, ledgers=1)
    assert traces(settings, old) == set()
    assert traces(settings, young) >= {f"{young}.db", "event_logs", "asset_check_executions"}
    assert [run.run_id for run in instance.get_runs()] == [young]
    assert [path.stem for path in settings.folder.ledgers.iterdir()] == [young]
    # The newest result of an asset and of its check are those of the night that is kept.
    assert instance.get_latest_materialization_event(dg.AssetKey("mart")).run_id == young
    assert clear_history(settings.folder, instance, settings.keep_history_days, NOW) == Cleared(runs=0, ledgers=0)


def test_a_run_that_is_under_way_stays_however_old_it_is(instance, settings):
    @dg.job(name=JOB)
    def nightly():
        """A night."""

    run = instance.create_run_for_job(nightly, status=dg.DagsterRunStatus.STARTED)
    later = NOW + timedelta(days=1000)
    assert clear_history(settings.folder, instance, 7, later) == Cleared(runs=0, ledgers=0)
    assert instance.get_run_by_id(run.run_id)


def test_what_cannot_go_is_said_and_fails_no_night(settings, caplog):
    class Broken:
        def get_runs(self, *_, **__):
            raise sqlite3.OperationalError("database is locked by jane@example.com")

    assert clear_history(DataFolder(settings.data), Broken(), 90, NOW) == Cleared(runs=0, ledgers=0)
    assert "The history of nights was not cleared (OperationalError): the next night tries again." in caplog.text
    assert "jane" not in caplog.text


def test_the_history_of_a_year_is_no_larger_than_that_of_the_days_kept(instance, settings):
    """Nights of a fortnight, of which a week is kept: the index grows no more once as much goes as comes."""
    sizes = []
    for _ in range(14):
        with closing(sqlite3.connect(history(settings) / "runs.db")) as runs, runs:
            runs.execute("update runs set create_timestamp = datetime(create_timestamp, '-1 day')")
        run_a_night(instance, settings, days_ago=0)
        clear_history(settings.folder, instance, 7, NOW + timedelta(seconds=1))
        with closing(sqlite3.connect(history(settings) / "runs" / "index.db")) as index:
            ((events,),) = index.execute("select count(*) from event_logs").fetchall()
        sizes.append((events, len(list((history(settings) / "runs").glob("*-*-*-*-*.db")))))
    assert sizes[7:] == [sizes[7]] * 7
    assert sizes[7][1] == 7
