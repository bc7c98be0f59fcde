"""What is asked of Freshdesk lands, passes the gate, and counts: replies, solutions, reopenings, satisfaction.

A few tickets over three nights; what they come to was worked out by hand. Not here: pulling
(tests/unit/test_pull_freshdesk.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from assets.inspect.judged import landed_extract
from assets.pulling.extract import extract
from assets.pulling.rest.freshdesk import FRESHDESK
from orchestration.config.sources import load_sources
from orchestration.operations.source_entry import Begun, entry_of
from quality.contract.model import load_contract
from quality.gate.gate import Gate
from storage.data_folder import DataFolder
from tests.emulator_kit import serving
from tests.freshdesk_emulator import API_KEY, Desk
from tests.integration.dbt_harness import DbtProject, Warehouse
from tests.unit.test_sources import write

DAYS = [date(2026, 6, 1) + timedelta(days=number) for number in range(3)]
COMPANY = """\
company: Acme
reporting_timezone: Europe/Berlin
currency: EUR
first_date: 2026-06-01
sources:
"""
ANN, BOB, CAY, AGENT, OTHER = 5001, 5002, 5003, 18, 19
NOTHING = {"first_responded_at": None, "resolved_at": None, "closed_at": None, "reopened_at": None}


def at(day: int, hour: int, minute: int = 0) -> int:
    """A time in June 2026."""
    return int(datetime(2026, 6, day, hour, minute, tzinfo=UTC).timestamp())


def said(day: int, hour: int, minute: int = 0) -> str:
    """The same as Freshdesk writes it."""
    return datetime(2026, 6, day, hour, minute, tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def first_day(desk: Desk) -> None:
    """All that is asked for; the first ticket is answered after 90 minutes and resolved after four hours."""
    desk.put("companies", 7, at(1, 6), name="Made up", domains=["example.org"])
    for number in (ANN, BOB, CAY):
        desk.contact(number, at(1, 6), company_id=7)
    for number in (AGENT, OTHER):
        desk.put(
            "agents", number, at(1, 6), contact={"name": "Made up", "email": f"{number}@acme.example"}, group_ids=[3]
        )
    about = {"responder_id": AGENT, "requester_id": ANN, "created_at": said(1, 8), "due_by": None, "fr_due_by": None}
    desk.ticket(1, at(1, 12), **about, status=4)
    desk.ticket(1, at(1, 12), stats=NOTHING | {"first_responded_at": said(1, 9, 30), "resolved_at": said(1, 12)})
    desk.say(100, 1, at(1, 9), AGENT, private=True, source=2)
    desk.say(101, 1, at(1, 9, 30), AGENT)
    desk.say(102, 1, at(1, 10), ANN)
    desk.say(103, 1, at(1, 10, 30), OTHER, source=8)
    desk.say(104, 1, at(1, 11), OTHER)
    desk.ticket(2, at(1, 13), **about | {"requester_id": BOB, "created_at": said(1, 13)}, source=2)
    call = about | {"requester_id": CAY, "created_at": said(1, 14), "source": 3}
    desk.ticket(3, at(1, 14, 30), **call, status=5, stats=NOTHING | {"closed_at": said(1, 14, 30)})
    desk.ticket(4, at(1, 15), **about | {"requester_id": BOB, "created_at": said(1, 15), "source": 10})
    for number, state in ((5, "deleted"), (6, "spam")):
        desk.ticket(number, at(1, 16), **about | {"created_at": said(1, 16)})
        desk.state["tickets", number] = state


def second_day(desk: Desk) -> None:
    """Ann writes again, which opens her ticket; Bob, whom nobody answers, says what he thinks of it."""
    desk.say(105, 1, at(2, 8), ANN)
    desk.ticket(1, at(2, 8), status=2, stats=NOTHING | {"reopened_at": said(2, 8)})
    desk.rate(70, 2, at(2, 9), default_question=-103)
    desk.say(106, 2, at(2, 9), BOB, source=6)
    desk.rate(71, 3, at(2, 10), default_question=100, question_2=103)


def third_day(desk: Desk) -> None:
    """Ann is answered, and content."""
    desk.say(107, 1, at(3, 9), AGENT)
    stats = {"first_responded_at": said(1, 9, 30), "resolved_at": said(3, 10), "reopened_at": said(2, 8)}
    desk.ticket(1, at(3, 10), status=4, stats=NOTHING | stats)
    desk.rate(72, 1, at(3, 11), default_question=102)


def accepted(folder: DataFolder, company: Path, day: date) -> Iterator[Path]:
    """Pull, land and judge every stream; gives what was accepted."""
    with Gate(folder, None) as gate:
        for stream in load_sources(company, folder.root).streams:
            contract = load_contract(stream.stream.system, stream.stream.stream)
            extract(stream, contract, folder, [day])
            (verdict,) = gate.judge([landed_extract(stream, contract, folder, day)])
            assert verdict.passed, (str(stream.stream), verdict.blocked_by)
            assert verdict.quarantined_rows == 0, str(stream.stream)
            yield folder.accepted_partition(stream.stream, day)


@pytest.fixture(scope="module")
def marts(dbt_project: DbtProject, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """Three nights of a company whose entry is the one that `sources add` writes."""
    warehouse = Warehouse(dbt_project, tmp_path_factory.mktemp("freshdesk"))
    folder = DataFolder(warehouse.folder / "data")
    desk = Desk()
    _, entry = entry_of(Begun("Europe/Berlin", DAYS[0]), "helpdesk", "freshdesk", "rest", ())
    with serving(desk) as base, pytest.MonkeyPatch.context() as patch:
        patch.setenv("HELPDESK_API_KEY", API_KEY)
        told = "".join(f"  {line}\n" for line in entry if "first_date" not in line)
        company = write(warehouse.folder, COMPANY + told.replace(FRESHDESK.example, base))
        for day, happens in zip(DAYS, (first_day, second_day, third_day), strict=True):
            happens(desk)
            batches = list(accepted(folder, company, day))
            warehouse.night(batches=batches, select="fct_ticket fct_survey_answer dim_agent", as_of=day)
            desk.now += 86_400
    return warehouse


def tickets(marts: Warehouse, *columns: str) -> dict[str, tuple[Any, ...]]:
    """Columns of the tickets, by the desk's number."""
    facts = ", ".join(f"facts.{column}" for column in columns)
    rows = marts.rows(
        f"select ids.ticket_id, {facts} from cx_marts.main.fct_ticket as facts "
        "inner join intermediate.int_ticket__unioned as ids on ids.ticket_key = facts.ticket_key"
    )
    return {row["ticket_id"]: tuple(row[column] for column in columns) for row in rows}


def test_replies_count_as_they_were_written(marts: Warehouse) -> None:
    """A note, and what is forwarded, the customer does not see; a comment on a rating is no message."""
    told = tickets(marts, "conversation", "is_customer_initiated", "replies", "first_reply_minutes", "never_answered")
    assert told["1"] == ("told", True, 3, 90, False)
    assert told["2"] == ("told", True, 0, None, True)
    assert told["3"] == ("elsewhere", True, None, None, None), "a call typed in"
    assert told["4"][:2] == ("told", False), "an e-mail that went out"


def test_solutions_and_reopenings_count_as_far_as_they_are_told(marts: Warehouse) -> None:
    """Resolved after four hours, opened again, resolved after fifty; of what has one version nobody knows more."""
    told = tickets(marts, "status", "first_resolution_minutes", "full_resolution_minutes", "reopens", "is_reopened")
    assert told["1"] == ("solved", 240, 3000, 1, True)
    assert told["2"] == ("open", None, None, None, None)
    assert told["3"] == ("closed", 30, 30, None, None)


def test_tickets_in_the_trash_and_in_the_spam_folder_are_gone(marts: Warehouse) -> None:
    told = tickets(marts, "removed_kind")
    assert {number: kind for number, (kind,) in told.items() if kind} == {"5": "soft", "6": "soft"}


def test_ratings_count_as_satisfaction(marts: Warehouse) -> None:
    rows = marts.rows(
        "select ids.response_id, ids.question_id, answers.metric, answers.score, answers.is_positive "
        "from cx_marts.main.fct_survey_answer as answers "
        "inner join intermediate.int_survey_answer__unioned as ids on ids.survey_answer_key = answers.answer_key"
    )
    told = {(row.pop("response_id"), row.pop("question_id")): tuple(row.values()) for row in rows}
    assert told == {
        ("70", "default_question"): ("csat", 1.0, False),
        ("71", "default_question"): ("csat", 4.0, False),
        ("71", "question_2"): ("other", 7.0, None),
        ("72", "default_question"): ("csat", 6.0, True),
    }


def test_nights_one_by_one_are_one_rebuild(marts: Warehouse) -> None:
    tables = ["intermediate.int_ticket_event__unioned", "intermediate.int_survey_answer__unioned"]
    facts = [f"cx_marts.main.{name}" for name in ("fct_ticket", "fct_survey_answer", "dim_agent")]
    assert marts.differences(marts.rebuilt(), [*tables, *facts]) == {}
