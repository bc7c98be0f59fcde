"""`journeymart sources`: what is known of each stream, asking one, and a new one in the company file.

Not here: asking a database (tests/integration/test_pull_postgres.py).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestration.cli import app as cli
from tests.mapping_kit import FIRST, TICKET_COLUMNS, TICKETS, Company, ticket

Call = Callable[..., tuple[int, str]]


@pytest.fixture
def company(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Company:
    monkeypatch.setenv("JOURNEYMART_COMPANY", str(tmp_path))
    monkeypatch.setenv("JOURNEYMART_DATA", str(tmp_path / "data"))
    return Company(tmp_path)


@pytest.fixture
def sources(capsys: pytest.CaptureFixture[str]) -> Call:
    def call(*arguments: str) -> tuple[int, str]:
        code = cli.command_line(["sources", *arguments])
        said = capsys.readouterr()
        return code, said.out + " ".join(said.err.split())

    return call


def test_a_list_says_how_each_stream_arrives_and_how_far_it_has_come(company: Company, sources: Call) -> None:
    tickets, _ = company.says("ticket:\ncontact:", TICKETS).streams
    company.deliver(f"ticket_{FIRST}.csv", TICKET_COLUMNS, [ticket(1)])
    company.land(tickets)
    code, said = sources("list", "--json")
    assert code == 0
    nothing = {"system": "canonical", "connector": "files", "accepted": None, "published": None}
    assert json.loads(said) == [
        {"stream": "desk/ticket", "mapped_by": "mappings/desk.yml", "landed": str(FIRST), **nothing},
        {"stream": "desk/contact", "mapped_by": "", "landed": None, **nothing},
    ]


def test_a_check_holds_the_newest_delivery_against_mapping_and_contract(company: Company, sources: Call) -> None:
    company.says("ticket:\ncontact:", TICKETS)
    company.deliver(f"ticket_{FIRST}.csv", [*TICKET_COLUMNS, "Neu"], [[*ticket(1), ""]])
    company.deliver(f"contact_{FIRST}.csv", ["contact_id", "Colour"], [["1", "red"]])
    code, said = sources("check", "desk", "--json")
    assert code == 1
    tickets, contacts = json.loads(said)
    assert (tickets["missing"], tickets["unknown"], tickets["columns"]) == ([], ["Neu"], len(TICKET_COLUMNS) + 1)
    assert (contacts["missing"], contacts["unknown"]) == (["updated_at"], ["Colour"])
    assert "`journeymart map --suggest desk/contact` begins a mapping" in sources("check")[1]
    company.deliver(f"contact_{FIRST}.csv", ["contact_id", "updated_at"], [["1", "2026-03-01"]])
    code, said = sources("check")
    assert code == 0
    assert f"delivery of {FIRST}" in said
    assert sources("check", "dsek")[0] == 2


def test_what_cannot_be_reached_is_said_stream_by_stream(
    company: Company, sources: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    company.says("ticket:", None)
    assert sources("add", "shop", "--connector", "postgres", "--stream", "order")[0] == 0
    monkeypatch.delenv("SHOP_DATABASE", raising=False)
    code, said = sources("check", "--json")
    assert code == 1
    desk, shop = json.loads(said)
    assert "nothing of it lies in" in desk["problem"]
    assert "SHOP_DATABASE" in shop["problem"]


@pytest.mark.parametrize(
    ("arguments", "variables"),
    [
        (["zen", "--system", "zendesk", "--connector", "rest"], "ZEN_EMAIL and ZEN_API_TOKEN"),
        (["voice", "--system", "qualtrics", "--connector", "rest"], "VOICE_API_TOKEN"),
        (["force", "--system", "salesforce", "--connector", "rest"], "FORCE_CLIENT_ID and FORCE_CLIENT_SECRET"),
        (["shop", "--connector", "postgres", "--stream", "order", "--stream", "contact"], "SHOP_DATABASE"),
        (["crm", "--system", "salesforce"], ""),
    ],
)
def test_an_entry_is_added_and_every_line_that_was_there_stays(
    company: Company, sources: Call, arguments: list[str], variables: str
) -> None:
    company.says("ticket:  # What customers write.", None)
    file = company.root / "company.yml"
    before = file.read_text(encoding="utf-8") + "      # contact:\n\ntext_sentiment: 'en'  # at the end\n"
    file.write_bytes(before.replace("\n", "\r\n").encode())
    code, said = sources("add", *arguments)
    assert code == 0
    assert f"set {variables}" in said if variables else "set " not in said
    after = file.read_bytes().decode().replace("\r\n", "\n").splitlines()
    assert [line for line in before.splitlines() if line not in after] == []
    begins = after.index(f"  {arguments[0]}:")
    assert after[begins - 2 : begins] == ["      # contact:", ""]
    assert after[-1] == "text_sentiment: 'en'  # at the end"
    assert [each.name for each in company.read().sources] == ["desk", arguments[0]]
    assert sources("add", *arguments)[0] == 1


def test_an_entry_that_would_be_a_mistake_is_said_and_not_written(company: Company, sources: Call) -> None:
    company.says("ticket:", None)
    before = (company.root / "company.yml").read_bytes()
    for arguments, said in (
        (["Shop"], "a source's name has small letters"),
        (["shop", "--system", "zendsk"], "zendesk"),
        (["shop", "--stream", "tikcet"], "did you mean 'ticket'"),
        (["shop", "--connector", "rest"], "No API of 'canonical'"),
        (["shop", "--from", "fivetran"], "No entry for 'fivetran' comes with the product, only for airbyte_"),
    ):
        code, words = sources("add", *arguments)
        assert code == 1, arguments
        assert said in words
        assert (company.root / "company.yml").read_bytes() == before
    assert sorted(path.name for path in company.root.iterdir()) == ["company.yml", "data", "mappings"]


def test_a_file_says_how_its_like_is_delivered(company: Company, sources: Call, tmp_path: Path) -> None:
    company.says("ticket:", None)
    export = tmp_path / f"Export tickets {FIRST}.csv"
    rows = [f"{number};Gelöst;{FIRST} 10:00;{FIRST} 11:00" for number in range(9)]
    export.write_bytes("\n".join(["Ticket;Status;Erstellt am;Geändert am", *rows, ""]).encode("cp1252"))
    code, said = sources("add", "second", "--like", str(export), "--stream", "ticket")
    assert code == 0, said
    assert "journeymart map --suggest second/ticket --write" in said
    (stream,) = [each for each in company.read().streams if each.stream.source == "second"]
    assert (stream.pattern, stream.stream.stream) == ("Export tickets {date}.csv", "ticket")
    assert (stream.format.encoding, stream.format.delimiter) == ("cp1252", ";")

    assert sources("add", "third", "--like", str(tmp_path / "nothing.csv"))[0] == 2
    assert sources("add", "third", "--like", str(export), "--connector", "postgres")[0] == 2


@pytest.mark.parametrize("name", [f"Our tickets {FIRST}.csv", "Our tickets.csv"])
def test_a_company_begins_with_an_export_and_a_night_would_take_it(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    export = tmp_path / name
    header = "Ticket-Nr.;Kunde E-Mail;Kanal;Gruppe;Status;Angelegt am;Gelöst am;Geändert am"
    times = ["28.02.2026 10:00", "28.02.2026 11:00", "01.03.2026 09:30"]
    rows = [f"{number};ann{number}@example.org;E-Mail;Front;Gelöst;{';'.join(times)}" for number in range(1, 9)]
    export.write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    folder = tmp_path / "acme"

    assert cli.command_line(["init", str(folder), "--like", str(export)]) == 0
    assert f"cp '{export}'" in capsys.readouterr().out
    monkeypatch.setenv("JOURNEYMART_COMPANY", str(folder))
    monkeypatch.setenv("JOURNEYMART_DATA", str(folder / "data"))
    shutil.copy(export, folder / "drop" / "export")
    assert cli.command_line(["check", "--json"]) == 0, capsys.readouterr().err
    said = json.loads(capsys.readouterr().out)
    (delivery,) = said["deliveries"]
    judged = delivery["as_declared"]
    assert (judged["refused"], judged["blocked_by"], judged["reasons"]) == (None, {}, [])


def test_a_company_begins_with_a_wide_survey_and_its_scores_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    export = tmp_path / f"survey {FIRST}.csv"
    asked = ["Would you recommend us? (0-10)", "How satisfied are you? (1-5)", "What could be better?"]
    rows = [f"{number},{FIRST} 10:00,{number % 11},{number % 5 + 1},Nothing {number}" for number in range(40)]
    export.write_text("\n".join([",".join(["Response ID", "End date", *asked]), *rows, ""]), encoding="utf-8")
    folder = tmp_path / "acme"
    assert cli.command_line(["init", str(folder), "--like", str(export)]) == 0
    assert "seeds/survey_questions.csv" in capsys.readouterr().out
    monkeypatch.setenv("JOURNEYMART_COMPANY", str(folder))
    monkeypatch.setenv("JOURNEYMART_DATA", str(folder / "data"))
    shutil.copy(export, folder / "drop" / "export")
    assert cli.command_line(["check", "--json"]) == 0, capsys.readouterr().err
    kpis = {each["kpi"]: each for each in json.loads(capsys.readouterr().out)["kpis"]}
    assert (kpis["nps_relational"]["state"], kpis["nps_relational"]["counted"]) == ("counts", 40)
    assert (kpis["csat"]["state"], kpis["csat"]["counted"]) == ("counts", 40)
    assert kpis["ces"]["state"] == "empty"


def test_an_export_that_tells_nothing_leaves_no_folder(tmp_path: Path) -> None:
    export = tmp_path / "colours.csv"
    export.write_text("colour\nred\n", encoding="utf-8")
    assert cli.command_line(["init", str(tmp_path / "acme"), "--like", str(export)]) == 2
    assert not (tmp_path / "acme").exists()
