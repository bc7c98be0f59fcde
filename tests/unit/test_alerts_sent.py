"""Every kind of message arrives once at a real receiver, from a real run history; and gives nothing away.

What is wrong and when it is told: test_alerts.py.
"""

from __future__ import annotations

import json
import logging
import sys

import dagster as dg
import duckdb
import pytest

from assets.versions.versions import current_version
from orchestration.alerts.look import worse_figures
from orchestration.alerts.record import read_record
from orchestration.alerts.watch import record_file, watch
from orchestration.cli import app as cli
from orchestration.cli.doctor import _alerts
from orchestration.config.setup import load_setup
from orchestration.instance import open_instance
from orchestration.keys import JOB
from storage.data_folder import StreamId, marts_file
from tests.alerts_kit import publish_kpi, receiving, write_kpis

SECRET = "s3cr3t-of-the-address"
PERSON = "jane.doe@example.com"
DESK = StreamId("desk", "canonical", "ticket")

COMPANY = """
company: Acme
reporting_timezone: Europe/Berlin
currency: EUR
first_date: 2025-12-01
alerts:
  to: [ACME_OPS]
sources:
  desk:
    system: canonical
    location: drop
    pattern: "{stream}_{date}.csv"
    complete: rename
    streams: {ticket: }
"""


@pytest.fixture
def receiver():
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def setup(tmp_path, monkeypatch, receiver):
    """A company whose one address is the receiver's."""
    (tmp_path / "company.yml").write_text(COMPANY)
    monkeypatch.setenv("JOURNEYMART_SOURCES", str(tmp_path / "company.yml"))
    monkeypatch.delenv("JOURNEYMART_COMPANY", raising=False)
    monkeypatch.setenv("JOURNEYMART_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("JOURNEYMART_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("ACME_OPS", receiver.address(SECRET))
    return load_setup()


def run_a_night(instance, error: str | None) -> None:
    """A run of the job in the run history, which fails where dbt builds and says why, or succeeds."""

    @dg.op
    def dbt_build():
        if error:
            raise ValueError(error)

    @dg.job(name=JOB)
    def nightly():
        dbt_build()

    nightly.execute_in_process(
        instance=instance,
        raise_on_error=False,
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
    )


def keep_out(setup, check: str, day: str, *, passed: bool = False) -> None:
    """What the gate leaves of an extract, with a person in every text that was delivered."""
    folder = setup.folder.quarantine / DESK.source / DESK.stream / day
    folder.mkdir(parents=True, exist_ok=True)
    said = {
        "passed": passed,
        "blocked_by": [] if passed else [check],
        "rows": 50,
        "quarantined_rows": 20,
        "rejected_records": 0,
        "checks": [{"kind": check, "outcome": "fail", "metadata": {"first value": PERSON}}],
        "landing_sha256": "0" * 64,
    }
    (folder / "verdict.json").write_text(json.dumps(said))
    (folder / "rows.parquet").write_text(PERSON)


@pytest.mark.promise("told")
def test_every_kind_arrives_once_then_its_end_and_nothing_personal_or_secret_leaves(setup, receiver, caplog, capfd):
    caplog.set_level(logging.DEBUG - 1)
    # Published long ago, so it is old, and the nights since are late.
    publish_kpi(setup.folder, 1, value=-10, low=-15, high=-5)
    keep_out(setup, "schema", "2026-01-02")
    keep_out(setup, "quarantine", "2026-01-03")
    with open_instance(setup.settings) as instance:
        run_a_night(instance, f"constraint failed for {PERSON}")
        watch(setup, instance, JOB)
        assert sorted(receiver.titles) == [
            "Acme: a figure got worse",
            "Acme: a night failed",
            "Acme: a night is late",
            "Acme: readers see an old version, or none",
            "Acme: the gate keeps extracts out",
            "Acme: too many rows are at fault",
        ]
        told = {message["title"]: message["message"] for message in receiver.arrived}
        assert all("business date 2026-01-02" in body for body in told.values())
        assert "Customer satisfaction got worse beyond chance: 70.0 percent" in told["Acme: a figure got worse"]
        assert "failed in the step 'build the marts (dbt)'" in told["Acme: a night failed"]
        assert "20 of 50 are in quarantine" in told["Acme: too many rows are at fault"]

        # The same causes the next night are not told again.
        run_a_night(instance, f"constraint failed for {PERSON} again")
        keep_out(setup, "schema", "2026-01-04")
        watch(setup, instance, JOB)
        assert len(receiver.arrived) == 6

        for check, day in (("schema", "2026-01-02"), ("quarantine", "2026-01-03"), ("schema", "2026-01-04")):
            keep_out(setup, check, day, passed=True)
        run_a_night(instance, None)
        publish_kpi(setup.folder, 2, value=0, low=-5, high=5)
        watch(setup, instance, JOB)
        assert receiver.titles[6:] == ["Acme: over"]
        over = receiver.arrived[6]["message"]
        assert over.count("Over, since") == 4
        watch(setup, instance, JOB)
        assert len(receiver.arrived) == 7
    # The version is as old as it was.
    assert {cause.kind for cause in read_record(record_file(setup)).open} == {"late", "stale"}
    printed = "".join(capfd.readouterr()) + caplog.text + record_file(setup).read_text() + receiver.text
    assert SECRET not in printed
    # The run history may quote it, what is told may not.
    assert PERSON not in receiver.text + record_file(setup).read_text()
    assert PERSON not in "".join(r.getMessage() for r in caplog.records if r.name.startswith("orchestration.alerts"))


def test_a_version_that_is_damaged_is_told_and_none_is_said_to_be_seen(setup, receiver):
    publish_kpi(setup.folder, 1, value=0, low=-5, high=5)
    with open_instance(setup.settings) as instance:
        watch(setup, instance, JOB)
        assert "damaged" not in receiver.text
        marts_file(setup.folder.current).unlink()
        watch(setup, instance, JOB)
    assert [receiver.titles[-1], *receiver.titles].count("Acme: readers see an old version, or none") == 3
    assert "Acme: over" not in receiver.titles
    damaged = receiver.arrived[-1]["message"]
    assert "names 2026-01-02-run00001, which is damaged." in damaged
    assert damaged.endswith("Readers see nothing that is whole.")


@pytest.mark.promise("told")
def test_what_cannot_be_sent_is_said_without_the_address_and_sent_at_the_next_look(setup, receiver, caplog):
    keep_out(setup, "schema", "2026-01-02")
    receiver.status = 500
    with open_instance(setup.settings) as instance:
        watch(setup, instance, JOB)
        assert receiver.arrived == []
        assert "A message to ACME_OPS was not sent, because it answered 500; the next look tries again." in caplog.text
        assert SECRET not in caplog.text
        waiting = len(read_record(record_file(setup)).waiting)
        assert waiting
        receiver.status = 200
        watch(setup, instance, JOB)
    assert len(receiver.arrived) == waiting
    assert read_record(record_file(setup)).waiting == ()


def test_what_goes_wrong_with_telling_changes_nothing_else(setup, receiver, caplog):
    record_file(setup).parent.mkdir(parents=True)
    record_file(setup).write_text("torn {")
    with open_instance(setup.settings) as instance:
        assert "does not say what was told" in watch(setup, instance, JOB)
    assert receiver.arrived == []
    assert "Nobody was told of anything" in caplog.text


def test_a_night_that_ends_before_its_first_step_is_told_after_the_command(setup, receiver, monkeypatch, capsys):
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)
    assert cli.command_line(["run"]) == 1
    assert "No complete extract of desk/ticket lies in" in capsys.readouterr().err
    assert "Acme: a night failed" in receiver.titles
    assert "ended before its first step" in receiver.text


def test_a_test_message_says_what_came_back(setup, receiver, capsys):
    assert cli.command_line(["alerts", "test"]) == 0
    assert capsys.readouterr().out == "ACME_OPS: the message was taken\n"
    assert receiver.titles == ["Acme: a test"]
    receiver.status = 403
    assert cli.command_line(["alerts", "test"]) == 1
    assert capsys.readouterr().out == "ACME_OPS: not sent, because it answered 403\n"


@pytest.mark.parametrize(
    ("address", "why"),
    [("", "the environment does not set it"), (f"slock://{SECRET}", "apprise cannot read the address it holds")],
)
def test_an_address_that_is_none_is_said_by_the_test_and_by_doctor(setup, monkeypatch, capfd, address, why):
    monkeypatch.setenv("ACME_OPS", address)
    assert cli.command_line(["alerts", "test"]) == 1
    (diagnosis,) = _alerts(setup.settings)
    printed = "".join(capfd.readouterr()) + diagnosis.said
    assert f"ACME_OPS: not sent, because {why}" in printed
    assert (diagnosis.health, diagnosis.said) == ("problem", f"ACME_OPS: {why}.")
    assert SECRET not in printed


def test_what_is_open_is_listed_and_where_nobody_is_told_that_is_said(setup, receiver, capsys, tmp_path):
    assert cli.command_line(["alerts", "look"]) == 0
    capsys.readouterr()
    assert cli.command_line(["alerts"]) == 0
    assert "was not published by 09:00. Run: journeymart status" in capsys.readouterr().out
    (tmp_path / "company.yml").write_text(COMPANY.replace("alerts:\n  to: [ACME_OPS]\n", ""))
    assert cli.command_line(["alerts", "look"]) == 1
    assert "names nobody to tell" in capsys.readouterr().err


def test_a_fall_that_one_of_many_kpis_has_by_chance_is_not_beyond_it(setup, tmp_path):
    """At 95 % one change in twenty is chance; the more KPIs are compared, the wider the interval has to be."""
    publish_kpi(setup.folder, 1, value=-5.2, low=-10, high=-0.4)
    version = current_version(setup.folder)

    def beyond(others: int) -> bool:
        marts = tmp_path / f"{others}.duckdb"
        write_kpis(marts, {"csat": (-5.2, -10, -0.4), **{f"other_{n}": (0, -5, 5) for n in range(others)}})
        with duckdb.connect(marts, read_only=True) as connection:
            (worse,) = worse_figures(connection, version)
        return worse.is_beyond_chance

    assert beyond(0)
    assert not beyond(30)
