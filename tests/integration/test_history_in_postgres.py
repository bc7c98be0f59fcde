"""The run history in PostgreSQL, on a real server: what one process writes others read, and what is cleared is gone.

Not here: the same of files (tests/unit/test_clear_history.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
import yaml

from orchestration.config.settings import HISTORY, PROJECT, Settings, load_settings
from orchestration.instance import dagster_home, open_instance
from orchestration.operations.clear_history import Cleared, clear_history
from storage.data_folder import DataFolder
from storage.errors import JourneymartError
from tests.postgres_kit import Server, running_server


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server() as server:
        yield server


@pytest.fixture
def settings(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv(HISTORY, server.uri().replace("postgresql:", "postgresql+psycopg2:"))
    return Settings(data=tmp_path / "data", state=tmp_path / "state")


@dg.asset(check_specs=[dg.AssetCheckSpec("whole", asset="figures")])
def figures() -> Iterator[dg.AssetCheckResult | dg.MaterializeResult]:
    yield dg.MaterializeResult(metadata={"rows": 3})
    yield dg.AssetCheckResult(passed=True, check_name="whole")


def test_what_a_night_writes_is_read_by_the_page_and_cleared_whole(settings: Settings, server: Server) -> None:
    with open_instance(settings) as instance:
        run_id = dg.materialize([figures], instance=instance).run_id
    kept = "select (select count(*) from runs), (select count(*) from event_logs), (select count(*) from {})"
    with open_instance(settings) as instance:
        assert [run.run_id for run in instance.get_runs()] == [run_id]
        found = instance.get_latest_materialization_event(dg.AssetKey("figures"))
        assert found is not None
        assert found.run_id == run_id
        ((runs, events, checks),) = server.ask(kept.format("asset_check_executions"))
        assert (runs, checks) == (1, 1)
        assert events > 5
        cleared = clear_history(DataFolder(settings.data), instance, 7, datetime.now(UTC) + timedelta(days=8))
    assert cleared == Cleared(runs=1, ledgers=0)
    assert server.ask(kept.format("asset_check_executions")) == [(0, 0, 0)]
    assert not list(settings.state.rglob("*.db"))


def test_what_starts_beside_the_page_finds_the_same_database_and_no_file_names_it(
    settings: Settings, server: Server
) -> None:
    home, _ = dagster_home(settings)
    text = (home / "dagster.yaml").read_text(encoding="utf-8")
    assert str(server.folder) not in text
    with dg.DagsterInstance.from_config(str(home)) as instance:
        assert instance.get_runs() == []
    ours = yaml.safe_load((PROJECT / "dagster.yaml").read_text(encoding="utf-8"))
    assert yaml.safe_load(text)["concurrency"] == ours["concurrency"]


def test_a_database_that_cannot_be_reached_is_one_sentence_without_its_address(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(HISTORY, "postgresql+psycopg2://nights:secret@/history?host=/nowhere")
    monkeypatch.setattr("dagster_postgres.utils.time.sleep", lambda _: None)
    with pytest.raises(JourneymartError, match="database of the run history cannot be reached") as said:
        open_instance(Settings(data=settings.data, state=settings.state))
    assert not any(word in str(said.value) for word in ("secret", "nowhere"))
    assert "secret" not in repr(Settings(data=settings.data, state=settings.state))


def test_an_address_of_another_kind_is_refused_and_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HISTORY, "mysql://nights:secret@host/history")
    with pytest.raises(
        JourneymartError, match=r"JOURNEYMART_HISTORY_URL.* must begin with postgresql\+psycopg2://"
    ) as said:
        load_settings()
    assert "secret" not in str(said.value)
