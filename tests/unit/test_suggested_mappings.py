"""`journeymart map --suggest`: a mapping to start from, which loads, and of which a night accepts what was exported.

Not here: what a mapping makes of a delivery (test_landing_mapped.py, test_mapping_operations.py).
"""

from __future__ import annotations

import fnmatch
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.inspect.delivery import check_delivery
from assets.inspect.placing import Seen
from assets.inspect.seen import SeenFile
from assets.inspect.suggestion import suggest
from assets.inspect.suggestion_text import mapping_text
from assets.inspect.values import ColumnLook
from assets.inspect.written_times import WrittenTimes
from assets.landing.connectors.batch import column_fault
from orchestration.cli import app as cli
from orchestration.operations.meant import WrongUsageError
from orchestration.operations.suggest_mapping import suggest_for_file
from quality.contract.model import load_contract
from storage.errors import JourneymartError
from tests.mapping_kit import FIRST, Company

DESK_COLUMNS = (
    "Ticket Nr.;Betreff;Kunde E-Mail;Kanal;Gruppe;Status;Priorität;Erstellt am;Erste Antwort;Gelöst am;"
    "Geschlossen am;Fällig am;SLA verletzt;Tags"
)


def desk(number: int, status: str = "Gelöst") -> str:
    day = 1 + number % 20
    solved = f"{day + 1:02}.02.2026 10:05" if status != "Offen" else ""
    return (
        f"T-{number};Frage {number};kunde{number}@example.org;{('Telefon', 'E-Mail')[number % 2]};Front;{status};"
        f"{('hoch', 'mittel', 'niedrig')[number % 3]};{day:02}.02.2026 08:15;{day:02}.02.2026 09:00;{solved};;"
        f"{day + 2:02}.02.2026 08:15;nein;a,b"
    )


DESK = "\n".join([DESK_COLUMNS, *(desk(n, ("Offen", "Gelöst", "Geschlossen")[n % 3]) for n in range(40))]) + "\n"
SURVEY = "Response ID,Email,Completed,How likely are you to recommend us?,Satisfaction,What could be better?,Browser\n"
SURVEY += "".join(
    f"r{n},kunde{n}@example.org,2026-02-{1 + n % 20:02}T10:00:00Z,{n % 11},{1 + n % 5},{'So' * n if n % 4 else ''},X\n"
    for n in range(40)
)
ORDERS = "Order number,Customer ID,Order date,Ship date,Delivery date,Total,Shipping,Currency,Status,SKU\n"
ORDERS += "".join(
    f'{1000 + n},c{n % 7},02/{1 + n:02}/2026,02/{2 + n:02}/2026,,"1.{n:03},50","4,90",EUR,Shipped,A-{n % 3}\n'
    for n in range(25)
)


@pytest.mark.parametrize(
    ("stream", "export", "delimiter"),
    [("ticket", DESK, ";"), ("survey_answer", SURVEY, ","), ("order", ORDERS, ",")],
)
def test_of_an_export_with_columns_of_its_own_a_night_accepts_every_row(
    tmp_path: Path, stream: str, export: str, delimiter: str
) -> None:
    file = tmp_path / "nps_2026-03-01.csv"
    file.write_text(export, encoding="utf-8")
    suggested = suggest_for_file(file, None, None)
    assert suggested.stream == stream, "the columns tell the stream"
    assert (suggested.lacking, suggested.open) == ((), ())
    company = Company(tmp_path / "company")
    (declared,) = company.says(f"{stream}: {{delimiter: '{delimiter}'}}", suggested.text).streams
    shutil.copyfile(file, company.drop / f"{stream}_{FIRST}.csv")
    delivery, _ = check_delivery(declared, load_contract("canonical", stream), FIRST, file=file, work=tmp_path)
    assert delivery.as_declared.passes, delivery.as_declared
    assert delivery.as_declared.verdict is not None
    assert delivery.as_declared.verdict.quarantined_rows == 0
    assert delivery.rows >= 25
    assert not delivery.as_declared.warned
    named = Path(tmp_path / "company" / "mappings" / "desk.yml").read_text(encoding="utf-8")
    header = export.splitlines()[0].split(delimiter)
    assert [name for name in header if name not in named.replace("[?]", "?")] == [], "no column is left out in silence"


def suggested_columns(tmp_path: Path, columns: Sequence[str], *rows: Sequence[str]) -> tuple[dict[str, object], str]:
    file = tmp_path / "ticket.csv"
    file.write_text("\n".join(";".join(each) for each in (columns, *rows)) + "\n", encoding="utf-8")
    text = suggest_for_file(file, "ticket", None).text
    said: dict[str, object] = yaml.safe_load(text)["ticket"]["columns"]
    return said, " ".join(text.replace("#", " ").split())


def test_a_date_that_may_be_read_two_ways_is_a_choice_for_a_person(tmp_path: Path) -> None:
    columns = ("Number", "Status", "Created", "Resolved")
    said, text = suggested_columns(tmp_path, columns, ("1", "Open", "02/03/2026", ""), ("2", "Open", "04/03/2026", ""))
    assert "created_at" not in said
    assert 'created_at: {from: Created, format: "%d/%m/%Y"} created_at: {from: Created, format: "%m/%d/%Y"}' in text
    # One value that only one order reads settles it for the whole file.
    said, _ = suggested_columns(
        tmp_path, columns, ("1", "Open", "02/03/2026", "03/03/2026"), ("2", "Open", "04/03/2026", "31/03/2026")
    )
    assert said["created_at"] == {"from": "Created", "format": "%d/%m/%Y"}


def test_what_is_needed_and_not_found_waits_as_a_comment(tmp_path: Path) -> None:
    said, text = suggested_columns(tmp_path, ("Number", "Colour"), ("1", "red"), ("2", "blue"))
    assert said == {"ticket_id": "Number"}
    for column in ("status", "created_at", "updated_at"):
        assert f"Needed, and nothing found: {column}" in text
    assert "Colour texts, about 2 different" in text


def test_words_nobody_knows_are_named_and_left_to_the_gate(tmp_path: Path) -> None:
    said, text = suggested_columns(
        tmp_path, ("Number", "Status", "Created"), ("1", "Erledigt", "2026-02-01"), ("2", "Beim Chef", "2026-02-01")
    )
    assert said["status"] == {"from": "Status", "values": {"Erledigt": "solved"}}
    assert "Nobody knows what these mean: Beim Chef; allowed are new, open" in text


def test_a_status_comes_of_milestones_where_nothing_else_tells_it(tmp_path: Path) -> None:
    said, text = suggested_columns(
        tmp_path, ("Number", "Opened", "Solved"), ("1", "2026-02-01", ""), ("2", "2026-02-01", "2026-02-02")
    )
    assert said["status"] == {"sql": """case when "Solved" is not null then 'solved' else 'open' end"""}
    assert "No column says the status: milestones do" in text


def test_a_column_that_is_called_like_ours_and_holds_something_else_is_not_taken(tmp_path: Path) -> None:
    said, text = suggested_columns(
        tmp_path, ("Number", "Status", "Created", "First response"), ("1", "Open", "2026-02-01", "35")
    )
    assert "first_replied_at" not in said
    assert "First response whole number; called like first_replied_at, and no such value" in text


def test_a_file_that_may_be_anything_is_asked_about(tmp_path: Path) -> None:
    for text, said in (
        ("a,b\n1,2\n", "too few columns under a usual name"),
        ("Id,Created at,Updated at\n1,2026-02-01,2026-02-01\n", "may be"),
    ):
        (tmp_path / "export.csv").write_text(text, encoding="utf-8")
        with pytest.raises(WrongUsageError, match=said):
            suggest_for_file(tmp_path / "export.csv", None, None)
    (tmp_path / "export.csv").write_text("a,b\n", encoding="utf-8")
    with pytest.raises(JourneymartError, match="holds no row"):
        suggest_for_file(tmp_path / "export.csv", None, None)


def test_seconds_since_1970_become_times(tmp_path: Path) -> None:
    said, _ = suggested_columns(tmp_path, ("Number", "Status", "Created"), ("1", "Open", "1769933700"))
    assert said["created_at"] == {"sql": 'to_timestamp(try_cast("Created" as double))'}


def test_it_is_written_once_and_never_over_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    company = Company(tmp_path)
    company.says("ticket: {delimiter: ';'}", None)
    (company.drop / "ticket_2026-03-01.csv").write_text(DESK, encoding="utf-8")
    monkeypatch.setenv("JOURNEYMART_COMPANY", str(tmp_path))
    monkeypatch.setenv("JOURNEYMART_DATA", str(tmp_path / "data"))
    command = ["map", "--suggest", "desk/ticket"]
    assert cli.command_line(command) == 0
    printed = capsys.readouterr().out
    assert not (tmp_path / "mappings" / "desk.yml").exists()
    assert cli.command_line([*command, "--write"]) == 0
    assert (tmp_path / "mappings" / "desk.yml").read_text(encoding="utf-8") == printed
    assert "journeymart check desk/ticket" in capsys.readouterr().out
    assert cli.command_line([*command, "--write"]) == 1
    assert "stays as it is" in " ".join(capsys.readouterr().err.split())
    assert (tmp_path / "mappings" / "desk.yml").read_text(encoding="utf-8") == printed
    assert cli.command_line(["map", "--suggest", str(company.drop / "ticket_2026-03-01.csv"), "--write"]) == 2


def test_check_points_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for variable in ("JOURNEYMART_COMPANY", "JOURNEYMART_SOURCES"):
        monkeypatch.delenv(variable, raising=False)
    file = tmp_path / "export.csv"
    file.write_text(ORDERS, encoding="utf-8")
    assert cli.command_line(["check", str(file), "--as", "order"]) == 1
    assert "journeymart map --suggest FILE" in " ".join(capsys.readouterr().out.split())


def column_of(name: str, kind: str) -> Seen:
    times = WrittenTimes((("%d.%m.%Y",),), has_offset=False, unread=0) if kind == "time" else None
    values = {"Neu": 3, name[:9]: 1} if kind == "text" else {"7": 4}
    numbers = 4 if kind == "whole number" else 0
    filled = 0 if kind == "nothing" else 4
    return Seen(
        ColumnLook(name, filled, 2, {} if not filled else {kind: 4}, ()), numbers, times, values if filled else {}
    )


NAMES = st.text(min_size=1, max_size=12).filter(lambda name: not column_fault([name])) | st.sampled_from(
    [
        "Ticket ID",
        "Status",
        "Created",
        "Id",
        "Datum",
        "E-Mail",
        "Score",
        "Really?",
        "Kommentar",
        "a*[b]?",
        '"',
        "no",
        "1",
    ]
)


@given(
    names=st.lists(NAMES, min_size=1, max_size=8, unique_by=lambda name: name.strip().lower()),
    data=st.data(),
    stream=st.sampled_from(["ticket", "order", "survey_answer", "contact", "ticket_event"]),
)
@settings(max_examples=60)
def test_whatever_columns_are_called_the_text_is_a_mapping_and_names_each_of_them(names, data, stream) -> None:
    kinds = st.sampled_from(["text", "time", "whole number", "e-mail address", "nothing"])
    columns = tuple(column_of(name, data.draw(kinds)) for name in names)
    suggestion = suggest(SeenFile(columns, (), 4, (), ()), load_contract("canonical", stream), "x.csv")
    said = yaml.safe_load(mapping_text(suggestion, "x.csv", 4, (), ()))[stream]
    ignored = [name for name in names if any(fnmatch.fnmatchcase(name, each) for each in said.get("ignore", ()))]
    assert [name for name, _ in suggestion.ignored] == [name for name in names if name in ignored]
    used = repr(suggestion.columns) + repr(suggestion.unpivot)
    assert [name for name in names if name not in ignored and repr(name)[1:-1] not in used] == []
    taken = {name: each.choices[0] for name, each in suggestion.columns.items() if each.is_taken}
    assert {
        name: {"from": each} if isinstance(each, str) else each for name, each in (said["columns"] or {}).items()
    } == taken
