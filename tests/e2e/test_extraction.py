"""History is extracted in pieces, by a command that may be killed anywhere, and judged by the night that follows."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from orchestration.cli.app import command_line
from orchestration.config.settings import PROJECT
from quality.contract.model import load_contract
from quality.landed.extract import ROWS
from storage.company_folder import FILE_VARIABLE, FOLDER_VARIABLE
from storage.data_folder import DataFolder, StreamId
from storage.faults import FAULT_VARIABLE
from tests.emulator_kit import serving
from tests.rest_kit import as_told, newest
from tests.zendesk_emulator import API_TOKEN, EMAIL, Desk

COMPANY = """\
company: Acme
reporting_timezone: UTC
currency: EUR
first_date: 2026-06-01
sources:
  desk:
    system: zendesk
    connector: rest
    location: {base}
    credentials_env: {{email: DESK_EMAIL, api_token: DESK_API_TOKEN}}
    streams:
      tickets:
  shop:
    system: canonical
    location: "{{data}}/drop"
    pattern: "{{stream}}_{{date}}.csv"
    complete: rename
    streams:
      agent:
"""
TICKETS = StreamId("desk", "zendesk", "tickets")
DAYS = [date(2026, 6, day) for day in (1, 2, 3)]


@dataclass(frozen=True)
class Place:
    """A company whose help desk is asked; its shop drops files, and nothing has landed."""

    folder: DataFolder
    desk: Desk

    def landed(self) -> dict[str, dict[str, object]]:
        """The newest landed version of every ticket."""
        contract = load_contract("zendesk", "tickets")
        rows = [
            row
            for day in DAYS
            if (file := self.folder.landing_partition(TICKETS, day) / ROWS).exists()
            for row in pq.read_table(file).to_pylist()
        ]
        return {
            number: {name: row[name] for name in contract.columns}
            for number, row in newest(rows, "generated_timestamp").items()
        }


@pytest.fixture
def place(tmp_path: Path, state: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    desk = Desk(page_rows=2, now=int(datetime(2026, 6, 4, tzinfo=UTC).timestamp()))
    for number in range(1, 8):
        desk.ticket(number, at=int(datetime(2026, 6, 1 + number % 3, 12, tzinfo=UTC).timestamp()) + number)
    with serving(desk) as base:
        file = tmp_path / "company.yml"
        file.write_text(COMPANY.format(base=base), encoding="utf-8")
        for name, said in {
            FOLDER_VARIABLE: "",
            FILE_VARIABLE: str(file),
            "JOURNEYMART_DATA": str(tmp_path / "data"),
            "JOURNEYMART_STATE": str(state),
            "DESK_EMAIL": EMAIL,
            "DESK_API_TOKEN": API_TOKEN,
        }.items():
            monkeypatch.setenv(name, said)
        yield Place(DataFolder(tmp_path / "data"), desk)


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs a command in this process; what it says."""

    def said(*arguments: str) -> str:
        assert command_line(arguments) == 0, capsys.readouterr().err
        return " ".join(capsys.readouterr().out.split())

    return said


def test_a_killed_extraction_goes_on_and_nothing_is_judged(place: Place, say: Callable[..., str]) -> None:
    killed = subprocess.run(
        [sys.executable, "-m", "orchestration.cli", "extract", "--source", "desk", "--to", "2026-06-02"],
        cwd=PROJECT,
        env=os.environ | {FAULT_VARIABLE: "after_page"},
        capture_output=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert place.landed() == {}

    said = say("extract", "--source", "desk", "--to", "2026-06-02")

    assert "desk/tickets: 2 extracts have landed, 2 of them new" in said
    assert "1 of which were there from before" in said
    assert place.landed() == as_told(place.desk.rows("tickets").values())
    assert not list(place.folder.accepted.rglob("*.parquet"))
    asked = len(place.desk.requests)
    assert "nothing to do" in say("extract", "--source", "desk", "--to", "2026-06-02")
    assert len(place.desk.requests) == asked

    said = say("extract", "--source", "desk", "--from", "2026-06-02", "--to", "2026-06-03")
    assert "desk/tickets: 2 extracts have landed" in said


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--source", "shop", "--to", "2026-05-31"], "2026-05-31 lies before 2026-06-01"),
        (["--source", "shop", "--to", "2999-01-01"], "2999-01-01 is not over in UTC"),
        (["--source", "shop", "--from", "2026-06-03", "--to", "2026-06-02"], "2026-06-03 lies behind 2026-06-02"),
        (["--source", "shops"], "there is no source 'shops'"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    place: Place, capsys: pytest.CaptureFixture[str], arguments: list[str], problem: str
) -> None:
    assert command_line(["extract", *arguments]) in (1, 2)
    assert problem in " ".join(capsys.readouterr().err.replace("│", "").split())


def test_what_was_not_delivered_is_said_and_what_was_has_landed(
    place: Place, say: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    drop = place.folder.root / "drop"
    drop.mkdir(parents=True)
    for day in (1, 3):
        file = drop / f"agent_2026-06-0{day}.csv"
        file.write_text("agent_id,name,updated_at\n1,Ada,2026-06-01T08:00:00Z\n", encoding="utf-8")
    assert "shop/agent: 1 extract has landed, 1 of them new" in say("extract", "--source", "shop", "--to", "2026-06-01")
    assert command_line(["extract", "--source", "shop", "--to", "2026-06-03"]) == 1
    assert "The extract of shop/agent for 2026-06-02 is missing" in capsys.readouterr().err
    assert place.desk.requests == []
