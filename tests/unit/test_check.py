"""`journeymart check` says what a night would make of a file: what it finds, in which words, and the exit code.

Not here: that a night does so (tests/integration/test_check_is_the_gate.py), encodings and delimiters
(test_written.py).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestration.cli import app as cli

TICKETS = "ticket_id,requester_email,channel,status,created_at,solved_at,updated_at\n"
GOOD = "".join(
    f"T-{n},ann{n}@example.org,email,solved,2026-03-10T08:00:00Z,2026-03-10T09:00:00Z,2026-03-10T09:00:00Z\n"
    for n in range(12)
)
Call = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def nobodys_company(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable in ("JOURNEYMART_COMPANY", "JOURNEYMART_SOURCES"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("JOURNEYMART_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("JOURNEYMART_STATE", str(tmp_path / "state"))


@pytest.fixture
def check(capsys: pytest.CaptureFixture[str]) -> Call:
    def call(*arguments: object) -> tuple[int, str, str]:
        code = cli.command_line(["check", *map(str, arguments)])
        printed = capsys.readouterr()
        return code, " ".join(printed.out.split()), printed.err

    return call


def write(folder: Path, text: str | bytes, name: str = "ticket_2026-03-10.csv") -> Path:
    file = folder / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def test_a_file_without_fault_is_taken_as_its_columns_tell_and_ends_with_0(check: Call, tmp_path: Path) -> None:
    code, said, _ = check(write(tmp_path, TICKETS + GOOD))
    assert code == 0
    assert "Taken as canonical/ticket, because 7 of 7 columns are its own" in said
    assert "file/ticket of 2026-03-10 12 records: 12 rows." in said
    assert "A night would accept 12 rows." in said
    assert "full_resolution_minutes_median, full_resolution_minutes_p90" in said
    assert "empty, because no comment on it was delivered (nobody delivers ticket_event)" in said
    assert not (tmp_path / "data").exists()


def test_rows_at_fault_are_told_by_reason_with_their_numbers_and_personal_values_as_shapes(
    check: Call, tmp_path: Path
) -> None:
    bad = "9.1E+15,eve@example.org,email,solved,2026-03-10T08:00:00Z,,2026-03-10T09:00:00Z\n"
    bad += "T-99,eve@example.org,email,gone fishing,10 o'clock,,2026-03-10T09:00:00Z\nT-100,too,few\n"
    file = write(tmp_path, TICKETS + GOOD * 40 + bad)
    code, said, _ = check(file)
    assert code == 0
    assert "483 records: 482 rows, 1 that cannot be parsed." in said
    assert "accept 480 rows and quarantine 3" in said
    assert "status: not allowed 1 row 482 (gone fishing)" in said
    assert "row 481 (9.9A+99)" in said
    assert "(10 o'clock)" in said
    assert "another number of fields than the header 1 row 483" in said
    assert "eve@" not in said


def test_what_would_block_ends_with_1_and_says_what_and_what_to_declare(check: Call, tmp_path: Path) -> None:
    german = (TICKETS + GOOD).replace(",", ";").replace("2026-03-10T08:00:00Z", "10.03.2026 08:00")
    code, said, _ = check(write(tmp_path, german))
    assert code == 1
    assert 'delimiter: ";" read so, most records have 7 fields, of whose names 7 are known' in said
    assert "dates: day-first or dates: month-first created_at has 12 of 12 values" in said
    assert "10.03.2026 08:00 is 2026-03-10 08:00:00+00 or 2026-10-03 08:00:00+00; nobody can tell: choose one" in said
    assert "As things are declared, a night would refuse it" in said
    assert "With the lines above, a night would block it: format: created_at not written as declared" in said
    assert "no KPI counts anything" in said


def test_words_that_stand_for_nothing_are_offered(check: Call, tmp_path: Path) -> None:
    code, said, _ = check(write(tmp_path, TICKETS + GOOD.replace(",2026-03-10T09:00:00Z,", ",k.A.,")))
    assert code == 1
    assert """empty: ["k.A."] 'k.A.' stands 12 times in solved_at""" in said
    assert "As things are declared, a night would block it" in said
    assert "With the lines above, a night would accept 12 rows." in said


def test_columns_that_are_missing_or_unknown_are_named_and_offered_for_each_other(check: Call, tmp_path: Path) -> None:
    odd = TICKETS.replace("created_at", "Created").replace("channel", "Colour").replace("ticket_id", "Ticket ID")
    code, said, _ = check(write(tmp_path, odd + GOOD), "--as", "ticket")
    assert code == 1
    assert "ticket_id Ticket ID id" in said
    assert "Missing, and cannot be done without: created_at." in said
    assert "Unknown to the contract, kept beside: Colour, Created (created_at?)." in said
    assert "schema: " in said


def test_times_without_an_offset_are_said_to_be_read_as_utc(check: Call, tmp_path: Path) -> None:
    code, said, _ = check(write(tmp_path, TICKETS + GOOD.replace("Z", "")))
    assert code == 0
    assert "created_at, solved_at, updated_at carry no offset and are read as UTC" in said


def test_an_archive_is_judged_as_the_day_that_is_named(check: Call, tmp_path: Path) -> None:
    file = write(tmp_path, TICKETS + GOOD, "tickets.csv")
    assert "of 2026-03-11" in check(file, "--date", "2026-03-11")[1]


def test_json_holds_all_of_it(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert cli.command_line(["check", str(write(tmp_path, TICKETS + GOOD)), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["would_block"] is False
    (delivery,) = said["deliveries"]
    assert (delivery["rows"], delivery["is_sampled"]) == (12, False)
    assert delivery["as_declared"] == delivery["with_proposals"]
    assert delivery["as_declared"]["accepted_rows"] == 12
    assert {each["column"]: each["type"] for each in delivery["columns"]}["created_at"] == "timestamp"
    assert {each["kpi"]: each["state"] for each in said["kpis"]}["tickets_created"] == "counts"


def test_what_nobody_can_tell_is_asked_for_and_ends_with_2(check: Call, tmp_path: Path) -> None:
    file = write(tmp_path, "id,created_at,updated_at\n1,2026-03-10,2026-03-10\n", "export.csv")
    code, _, said = check(file)
    assert code == 2
    assert "say which with --as" in " ".join(said.replace("│", " ").split())
    assert check(file, "--as", "tickte")[0] == 2
    assert check(tmp_path / "nothing.csv")[0] == 2
    assert check("--as", "ticket")[0] == 2


def test_a_file_that_no_reader_knows_is_said_in_a_sentence(check: Call, tmp_path: Path) -> None:
    code, _, said = check(write(tmp_path, "a", "tickets.xls"))
    assert code == 1
    assert "must end in one of .csv" in " ".join(said.split())


def test_a_file_with_nothing_in_it_would_stop_the_night(check: Call, tmp_path: Path) -> None:
    code, said, _ = check(write(tmp_path, b""), "--as", "ticket")
    assert code == 1
    assert "refuse it" in said
