"""A night is tried again when something has arrived, until it is published or too late; looking is cheap.

On a real instance of Dagster. That nothing published is asked for: tests/e2e/test_nightly_run.py.
"""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import dagster as dg
import pytest
from dagster._utils.schedules import schedule_execution_time_iterator

from orchestration.config.setup import load_setup
from orchestration.instance import open_instance
from orchestration.keys import JOB
from orchestration.partitions import RANGE_END, RANGE_START
from orchestration.schedules import crons, nightly_schedule
from storage.locks import data_lock, is_held

FIRST = date(2026, 3, 1)
DAYS = [FIRST + timedelta(days=n) for n in range(4)]
# The schedule's hours are those of Berlin.
NIGHT = datetime(2026, 3, 4, 2, 30, tzinfo=UTC)
NOON = NIGHT.replace(hour=11)
LAST = NIGHT.replace(hour=19, minute=0)
COMPANY = """
company: Acme
reporting_timezone: Europe/Berlin
currency: EUR
first_date: 2026-03-01
sources:
  desk:
    system: canonical
    location: drop
    pattern: "{stream}_{date}.csv"
    complete: rename
    streams: {ticket: , agent: , order: {when_missing: carry_forward}}
"""


@pytest.fixture
def setup(tmp_path, monkeypatch):
    (tmp_path / "company.yml").write_text(COMPANY)
    (tmp_path / "drop").mkdir()
    monkeypatch.delenv("JOURNEYMART_COMPANY", raising=False)
    monkeypatch.setenv("JOURNEYMART_SOURCES", str(tmp_path / "company.yml"))
    monkeypatch.setenv("JOURNEYMART_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("JOURNEYMART_STATE", str(tmp_path / "state"))
    return load_setup()


@pytest.fixture
def instance(setup):
    with open_instance(setup.settings) as instance:
        yield instance


@pytest.fixture
def look(setup, instance):
    """Look at a time of day; a run that is asked for is in the history afterwards, as one that failed would be."""
    schedule = nightly_schedule(setup, dg.define_asset_job(JOB))

    @dg.job(name=JOB)
    def nightly():
        """What the schedule starts."""

    def look(at: datetime):
        said = schedule.evaluate_tick(dg.build_schedule_context(instance=instance, scheduled_execution_time=at))
        for request in said.run_requests:
            instance.create_run_for_job(nightly, tags=request.tags)
        asked = [(request.tags[RANGE_START], request.tags[RANGE_END]) for request in said.run_requests]
        return asked or said.skip_message

    return look


def deliver(setup, day: date, *streams: str) -> None:
    for stream in streams:
        setup.settings.data.parent.joinpath("drop", f"{stream}_{day}.csv").write_text(f"{stream} of {day}\n")


def asked(first: date, last: date):
    return [(first.isoformat(), last.isoformat())]


def test_it_waits_for_the_last_extract_and_asks_once_when_that_is_there(setup, look):
    for day in DAYS[:2]:
        deliver(setup, day, "ticket", "agent")
    deliver(setup, DAYS[2], "ticket")
    assert look(NIGHT) == asked(DAYS[0], DAYS[1])
    assert look(NOON) == "Nothing has arrived since the last night was tried, which was up to 2026-03-02."
    deliver(setup, DAYS[2], "agent")
    assert look(NOON) == asked(DAYS[0], DAYS[2])
    assert "Nothing has arrived" in look(NOON + timedelta(minutes=10))
    # What failed for a reason that passes is tried the next night, whatever has arrived.
    assert look(NIGHT + timedelta(days=1)) == asked(DAYS[0], DAYS[2])


def test_what_may_be_missing_is_not_waited_for_and_taken_when_it_comes(setup, look):
    for day in DAYS[:3]:
        deliver(setup, day, "ticket", "agent")
    assert look(NIGHT) == asked(DAYS[0], DAYS[2])
    deliver(setup, DAYS[1], "order")
    assert look(NOON) == asked(DAYS[0], DAYS[2])


def test_an_approval_is_something_new(setup, look):
    deliver(setup, DAYS[0], "ticket", "agent")
    assert look(NIGHT) == asked(DAYS[0], DAYS[0])
    setup.folder.approvals.mkdir(parents=True)
    (setup.folder.approvals / "20260304T100000-desk-ticket-2026-03-01.json").write_text(
        '{"source": "desk", "stream": "ticket", "extract_date": "2026-03-01", "landing_sha256": "0", "checks": [], '
        '"by": "anna", "at": "2026-03-04T10:00:00+00:00", "because": "a holiday"}'
    )
    assert look(NOON) == asked(DAYS[0], DAYS[0])


def test_before_anything_was_delivered_it_says_what_it_waits_for(look):
    assert look(NIGHT).startswith("No complete extract of desk/ticket lies in")


def test_the_last_look_asks_for_what_is_not_there_too_so_that_the_night_fails_and_says_so(setup, look):
    deliver(setup, DAYS[0], "ticket", "agent")
    assert look(NIGHT) == asked(DAYS[0], DAYS[0])
    assert "Nothing has arrived" in look(LAST - timedelta(minutes=10))
    assert look(LAST) == asked(DAYS[0], DAYS[2])
    assert look(LAST + timedelta(minutes=10)) == "It is later than 20:00: the next night takes what arrives now."


def test_while_a_night_runs_nothing_is_asked_for(setup, look):
    deliver(setup, DAYS[0], "ticket", "agent")
    assert not is_held(setup.folder)
    with data_lock(setup.folder):
        assert is_held(setup.folder)
        assert "is being changed" in look(NIGHT)
    assert look(NIGHT) == asked(DAYS[0], DAYS[0])


def test_looks_begin_at_half_past_three_and_come_every_ten_minutes(setup):
    midnight = datetime(2026, 3, 3, 23, tzinfo=UTC)
    every = schedule_execution_time_iterator(
        midnight.timestamp(), crons(setup.sources.nights.tried_until), "Europe/Berlin", True
    )
    looks = [next(every) for _ in range(6 * 17 + 1)]
    assert looks[0] == NIGHT
    assert {after - before for before, after in pairwise(looks)} == {timedelta(minutes=10)}


def test_a_look_imports_neither_dbt_nor_the_judge_nor_a_database(setup, tmp_path):
    deliver(setup, DAYS[0], "ticket", "agent")
    code = f"""
import sys
from datetime import UTC, datetime
import dagster as dg
from orchestration.config.setup import load_setup
from orchestration.instance import open_instance
from orchestration.schedules import nightly_schedule
setup = load_setup()
with open_instance(setup.settings) as instance:
    schedule = nightly_schedule(setup, dg.define_asset_job("nightly"))
    at = datetime.fromisoformat("{NIGHT.isoformat()}")
    said = schedule.evaluate_tick(dg.build_schedule_context(instance=instance, scheduled_execution_time=at))
assert said.run_requests
print(sorted({{"dbt", "great_expectations", "duckdb", "pandas"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
