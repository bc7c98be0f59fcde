"""Which dates a night pulls, and what is said before it of a source that cannot be asked."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

import pytest

from orchestration.cli.doctor import _pulled
from orchestration.config.settings import Settings
from orchestration.config.setup import Setup
from orchestration.config.sources import load_sources
from orchestration.operations.days_over import last_day_over
from orchestration.operations.plan_night import _to_pull, newest_complete_date
from tests.unit.test_sources_pulled import GOOD


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    file = tmp_path / "company.yml"
    file.write_text(GOOD, encoding="utf-8")
    settings = Settings(data=tmp_path / "data", state=tmp_path / "state", sources=file)
    return Setup(settings, load_sources(file, settings.data))


def test_where_every_stream_is_pulled_the_newest_date_is_the_last_that_is_over(setup: Setup) -> None:
    assert newest_complete_date(setup) == last_day_over(setup)


def test_dates_that_were_not_pulled_are_due_and_a_whole_table_owes_none(setup: Setup) -> None:
    """A source that may be missing was out of reach: the rows of that date are in no other extract."""
    ticket, _, agent = setup.sources.streams
    days = [ticket.first_date + timedelta(days=n) for n in range(4)]
    for day in (days[0], days[3]):
        landed = setup.folder.landing_partition(ticket.stream, day)
        landed.mkdir(parents=True)
        (landed / "manifest.json").touch()

    assert _to_pull(setup, ticket, days[3]) == [days[1], days[2]]
    assert _to_pull(setup, ticket, None) == []
    assert _to_pull(setup, agent, days[3]) == []


def test_a_source_that_cannot_be_asked_is_a_problem_before_any_night(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    (source,) = setup.sources.sources
    monkeypatch.delenv("DESK_DATABASE", raising=False)
    assert (_pulled(source).health, "DESK_DATABASE" in _pulled(source).said) == ("problem", True)

    monkeypatch.setenv("DESK_DATABASE", "postgresql://somebody@db.example.org/desk")
    assert _pulled(source).health == "ok"

    monkeypatch.setitem(sys.modules, "adbc_driver_postgresql", None)
    assert "pip install 'journeymart[postgres]'" in _pulled(source).said
