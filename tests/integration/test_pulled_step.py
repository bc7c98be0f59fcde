"""The step that lands extracts pulls them first, says what that cost, and is tried again only where that helps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest

from assets.pulling import extract
from assets.pulling.delivery import Delivery, open_delivery
from orchestration.config.settings import Settings
from orchestration.config.setup import Setup
from orchestration.config.sources import load_sources
from orchestration.extract_assets import landing_assets
from storage.errors import JourneymartError, PassingError

COMPANY = """\
company: Acme
reporting_timezone: Europe/Berlin
currency: EUR
first_date: 2026-06-27
sources:
  desk:
    system: canonical
    connector: postgres
    connection_env: DESK_DATABASE
    streams:
      agent: {table: agent}
"""
DAY = "2026-06-27"


class NoGate:
    """Judging is not what is looked at here."""

    def warm_up(self) -> None:
        """Nothing."""

    def begin(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    file = tmp_path / "company.yml"
    file.write_text(COMPANY, encoding="utf-8")
    settings = Settings(data=tmp_path / "data", state=tmp_path / "state", sources=file)
    return Setup(settings, load_sources(file, settings.data))


def run(setup: Setup) -> dg.ExecuteInProcessResult:
    (source,) = setup.sources.sources
    return dg.materialize(
        [landing_assets(setup, source)],
        partition_key=DAY,
        resources={"data_lock": dg.ResourceDefinition.none_resource(), "gate": NoGate()},
        raise_on_error=False,
    )


def two_pages(stream: Any, pull: Any, contract: Any, folder: Any, day: Any) -> Delivery:
    delivery = open_delivery(folder, stream.stream, day, "agents")
    for number, end in ((1, False), (2, True)):
        delivery.add(pa.table({"agent_id": [f"a{number}"]}), str(number), end=end)
    delivery.complete()
    return delivery


def test_it_says_pages_rows_and_seconds(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extract, "_delivery", two_pages)

    result = run(setup)

    assert result.success
    said = [event.materialization.metadata for event in result.get_asset_materialization_events()][-1]
    assert {name: said[name].value for name in ("pulled_extracts", "pulled_pages", "pulled_rows", "extracts")} == {
        "pulled_extracts": 1,
        "pulled_pages": 2,
        "pulled_rows": 2,
        "extracts": 1,
    }
    assert float(said["pull_seconds"].value) >= 0


@pytest.mark.parametrize(("error", "is_retried"), [(PassingError, True), (JourneymartError, False)])
def test_only_what_may_pass_is_tried_again(
    setup: Setup, monkeypatch: pytest.MonkeyPatch, error: type[JourneymartError], *, is_retried: bool
) -> None:
    def fails(*_: Any) -> Delivery:
        raise error("The database of desk is not there: see to it.")

    monkeypatch.setattr(extract, "_delivery", fails)
    monkeypatch.setattr("orchestration.extract_assets.RETRIES", dg.RetryPolicy(max_retries=1, delay=0))

    result = run(setup)

    assert not result.success
    retried = [event for event in result.all_events if event.event_type == dg.DagsterEventType.STEP_RESTARTED]
    assert bool(retried) == is_retried
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    assert failure.step_failure_data.user_failure_data.description == "The database of desk is not there: see to it."
