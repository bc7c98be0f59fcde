"""What keeps a night back is listed, and a person can say that it is right as it is: who, when, why, in one command."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from assets.landing.land import land
from assets.versions.manifest import Checks, Manifest, write_manifest
from assets.versions.versions import swing, version_id
from orchestration.cli import app as cli
from orchestration.cli import nights
from orchestration.config.setup import Setup, load_setup
from orchestration.operations.plan_night import (
    delivered_again,
    excused_dates,
    newest_complete_date,
    open_holes,
    outstanding_dates,
    plan_build,
)
from quality.contract.model import load_contract
from quality.gate.approvals import read_approvals
from quality.gate.gate import Gate
from quality.landed.extract import LandedExtract
from storage.data_folder import StreamId
from storage.errors import JourneymartError

FIRST = date(2026, 3, 1)
DAYS = [FIRST + timedelta(days=n) for n in range(4)]
HEADER = "ticket_id,status,created_at,updated_at\n"


@pytest.fixture
def setup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Setup:
    """A desk and a shop by the canonical contracts, nothing delivered."""
    sources = tmp_path / "sources.yml"
    sources.write_text(
        f"""
company: Acme
reporting_timezone: UTC
currency: EUR
first_date: {FIRST}
sources:
  desk:
    system: canonical
    location: "drop"
    pattern: "{{stream}}_{{date}}.csv"
    complete: rename
    streams:
      ticket:
      agent:
"""
    )
    (tmp_path / "drop").mkdir()
    monkeypatch.setenv("JOURNEYMART_DATA", str(tmp_path / "da ta"))
    monkeypatch.setenv("JOURNEYMART_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("JOURNEYMART_SOURCES", str(sources))
    monkeypatch.setenv("JOURNEYMART_USER", "anna")
    return load_setup()


@pytest.fixture
def journeymart(capsys: pytest.CaptureFixture[str]):
    """Run a command in this process: exit code, what it printed, what it complained."""

    def call(*arguments: str) -> tuple[int, str, str]:
        code = cli.command_line(arguments)
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return call


def deliver(setup: Setup, stream: str, day: date, text: str) -> None:
    setup.settings.data.parent.joinpath("drop", f"{stream}_{day}.csv").write_text(text)


def ticket(number: int, day: date, created: str = "") -> str:
    return f"{number},open,{created or f'{day}T08:00:00Z'},{day}T08:00:00Z\n"


def take(setup: Setup, day: date) -> bool:
    """Land and judge what is delivered for a date, as a night does; whether all of it passed."""
    passed = True
    for stream in setup.sources.streams:
        contract = load_contract(stream.stream.system, stream.stream.stream)
        land(stream, contract, setup.folder, day)
        partition = setup.folder.landing_partition(stream.stream, day)
        extract = LandedExtract(stream.stream, contract, day, stream.timezone, stream.mode, partition)
        with Gate(setup.folder, None) as gate:
            passed = gate.judge([extract])[0].passed and passed
    return passed


def deliver_all(setup: Setup, day: date) -> None:
    deliver(setup, "ticket", day, HEADER + ticket(1, day))
    deliver(setup, "agent", day, "agent_id,updated_at\n")


def blocked_ticket(setup: Setup, day: date) -> None:
    """Twenty tickets, eight of which are of no time anybody can read."""
    rows = [ticket(number, day, "soon" if number < 8 else "") for number in range(20)]
    deliver(setup, "ticket", day, HEADER + "".join(rows))
    deliver(setup, "agent", day, "agent_id,updated_at\n")


def test_a_blocked_extract_is_listed_approved_and_passes(setup: Setup, journeymart) -> None:
    blocked_ticket(setup, FIRST)
    assert not take(setup, FIRST)

    (kept,) = json.loads(journeymart("gate", "--json")[1])
    assert (kept["extract"], kept["extract_date"], kept["blocked_by"]) == ("desk/ticket", str(FIRST), ["quarantine"])

    code, said, _ = journeymart("gate", "approve", "desk/ticket", str(FIRST), "--because", "the import of Friday")
    assert code == 0
    assert "desk/ticket of 2026-03-01: what failed quarantine was approved by anna on " in said
    assert "because: the import of Friday." in said

    assert take(setup, FIRST)
    assert json.loads(journeymart("gate", "--json")[1]) == []
    (approval,) = json.loads(journeymart("gate", "approvals", "--json")[1])
    assert (approval["by"], approval["checks"]) == ("anna", ["quarantine"])
    assert [each.because for each in plan_build(setup, FIRST).approvals] == ["the import of Friday"]


def test_a_date_that_never_comes_is_listed_approved_and_no_longer_owed(setup: Setup, journeymart) -> None:
    deliver_all(setup, FIRST)
    assert take(setup, FIRST)
    deliver_all(setup, DAYS[2])
    assert take(setup, DAYS[2])
    deliver(setup, "agent", DAYS[1], "agent_id,updated_at\n")

    assert [(hole.stream, hole.extract_date) for hole in open_holes(setup)] == [("agent", DAYS[1]), ("ticket", DAYS[1])]
    said = journeymart("gate")[1]
    assert "desk/agent of 2026-03-02: delivered, waits for the next run\n" in said
    assert "desk/ticket of 2026-03-02: not delivered\n" in said
    with pytest.raises(JourneymartError, match=r"night of 2026-03-03 was not published.*desk/agent for 2026-03-02"):
        plan_build(setup, DAYS[2]).require_reach()

    code, said, _ = journeymart("gate", "approve", "desk/ticket", str(DAYS[1]), "--because", "a holiday")
    assert (code, "its absence was approved by anna" in said) == (0, True)
    assert [(hole.stream, hole.extract_date) for hole in open_holes(setup)] == [("agent", DAYS[1])]
    (approval,) = read_approvals(setup.folder).all
    assert plan_build(setup, DAYS[2]).approvals == (approval,)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("desk/ticket", "2026-03-01", "--because", " "), "say why"),
        (("desk/tickets", "2026-03-01", "--because", "x"), "There is no stream 'desk/tickets'"),
        (("desk/ticket", "2026-03-01", "--because", "x"), "is delivered and was not judged yet"),
        (("desk/ticket", "2026-02-28", "--because", "x"), "its first extract date is 2026-03-01"),
    ],
)
def test_what_cannot_be_approved_is_said_in_one_sentence(
    setup: Setup, journeymart, arguments: tuple[str, ...], said: str
) -> None:
    deliver_all(setup, FIRST)
    code, _, complaint = journeymart("gate", "approve", *arguments)
    assert (code, complaint.count("\n")) == (1, 1)
    assert said in complaint
    assert not read_approvals(setup.folder).all


def test_why_must_be_said(setup: Setup, journeymart) -> None:
    assert journeymart("gate", "approve", "desk/ticket", str(FIRST))[0] == 2


def test_an_extract_delivered_again_is_due_and_one_that_is_not_is_not(setup: Setup) -> None:
    for day in DAYS[:2]:
        deliver_all(setup, day)
        assert take(setup, day)
    assert delivered_again(setup, DAYS[1]) == []

    deliver(setup, "ticket", FIRST, HEADER + ticket(1, FIRST) + ticket(2, FIRST))

    assert [(str(stream), day) for stream, day in delivered_again(setup, DAYS[1])] == [("desk/ticket", FIRST)]
    assert delivered_again(setup, FIRST - timedelta(days=1)) == []
    assert take(setup, FIRST)
    assert delivered_again(setup, DAYS[1]) == []


def test_the_run_says_which_published_extracts_were_delivered_again(capsys: pytest.CaptureFixture[str]) -> None:
    ticket, agent = StreamId("desk", "canonical", "ticket"), StreamId("desk", "canonical", "agent")
    before = {("desk", "ticket", FIRST): "one", ("desk", "agent", FIRST): "same"}
    after = {("desk", "ticket", FIRST): "another", ("desk", "agent", FIRST): "same", ("desk", "ticket", DAYS[1]): "new"}
    nights._say_corrected([(ticket, FIRST), (agent, FIRST), (ticket, DAYS[1])], before, after)
    assert capsys.readouterr().out == (
        "  desk/ticket of 2026-03-01 was delivered again: taken, and what follows from it made anew\n"
    )


def test_a_source_that_joins_later_owes_nothing_of_before(setup: Setup) -> None:
    add_version_as_of(setup, DAYS[1])
    deliver_all(setup, DAYS[2])
    assert outstanding_dates(setup, DAYS[2]) == [DAYS[2]]
    for stream in setup.sources.streams:
        assert excused_dates(setup, stream, DAYS) == set(DAYS[:2])


def add_version_as_of(setup: Setup, as_of: date) -> None:
    """A version of other sources is published."""
    folder = setup.folder
    name = version_id(as_of, "00000001")
    made = Manifest(
        version=name,
        sequence=1,
        as_of=as_of,
        run_id="00000001",
        published_at=datetime(2026, 3, 9, tzinfo=UTC),
        previous=None,
        base=None,
        fingerprint="",
        rows_in=0,
        quarantined_rows=0,
        checks=Checks(passed=1, warned=0),
        duckdb_version="",
        storage_version="",
        batches=(),
        tables=(),
        files=(),
    )
    (folder.versions / name).mkdir(parents=True)
    write_manifest(folder.versions / name, made)
    swing(folder, name)


def test_an_excused_date_lets_the_dates_after_it_be_the_newest_complete(setup: Setup, journeymart) -> None:
    deliver_all(setup, FIRST)
    deliver(setup, "agent", DAYS[1], "agent_id,updated_at\n")
    assert newest_complete_date(setup) == FIRST
    journeymart("gate", "approve", "desk/ticket", str(DAYS[1]), "--because", "a holiday")
    assert newest_complete_date(setup) == DAYS[1]
    assert outstanding_dates(setup, DAYS[1]) == DAYS[:2]
