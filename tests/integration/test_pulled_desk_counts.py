"""What is asked of Intercom lands, passes the gate and counts: answers, solutions, reopenings and ratings, by hand.

Two nights of one workspace. Not here: pulling (tests/unit/test_pull_intercom.py).
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from assets.inspect.judged import landed_extract
from assets.pulling.extract import extract
from orchestration.config.sources import load_sources
from quality.contract.model import load_contract
from quality.gate.gate import Gate
from storage.data_folder import DataFolder
from tests.emulator_kit import serving
from tests.integration.dbt_harness import DbtProject, Warehouse
from tests.intercom_emulator import ACCESS_TOKEN, Workspace
from tests.unit.test_sources import write

COMPANY = """\
company: Acme
reporting_timezone: Europe/Berlin
currency: EUR
first_date: 2026-06-01
sources:
  intercom:
    system: intercom
    connector: rest
    location: {base}
    credentials_env: {{access_token: INTERCOM_TOKEN}}
    streams:
      conversations:
      conversation_parts:
      contacts:
      companies:
      admins:
"""
FIRST, SECOND = date(2026, 6, 1), date(2026, 6, 2)
OPENS = int(datetime(2026, 6, 1, 9, tzinfo=UTC).timestamp())
ANN, LEO = {"type": "user", "id": "ann"}, {"type": "lead", "id": "leo"}
BEA, FIN = {"type": "admin", "id": "1", "name": "Bea"}, {"type": "bot", "id": "9", "name": "Fin"}
TABLES = (
    "intermediate.int_ticket_event__unioned",
    "cx_marts.main.fct_ticket",
    "cx_marts.main.fct_survey_answer",
)


def minute(number: int) -> int:
    """So many minutes after the desk opens on the first day."""
    return OPENS + 60 * number


def begin(desk: Workspace, number: int, at: int, **more: Any) -> None:
    """A conversation that a contact begins, Ann unless somebody else is named."""
    source = {"type": "conversation", "delivered_as": "customer_initiated", "body": "<p>Made up</p>", "author": ANN}
    desk.conversation(number, minute(at), created_at=minute(at), source=source | more)
    if more.get("author") == LEO:
        desk.conversation(number, minute(at), contacts={"contacts": [{"id": "leo"}]})


def rated(score: int | None, at: int) -> dict[str, Any]:
    asked = {"created_at": minute(at), "updated_at": minute(at + 5), "contact": {"id": "ann"}, "teammate": {"id": "1"}}
    return asked | {"rating": score, "remark": "Thank you" if score == 5 else None}


def workspace() -> Workspace:
    """The first day: an answered, a machine's, the company's own, a very long and a snoozed conversation."""
    desk = Workspace(page_rows=2, most_parts=9, admins=[{"id": "1", "name": "Bea", "team_ids": [5]}])
    desk.company("acme", minute(-9000), size=12)
    desk.contact("ann", minute(-9000), companies={"data": [{"id": "acme"}]})
    desk.contact("leo", minute(-9000), role="lead")

    begin(desk, 1, 0)
    desk.part(1, "comment", FIN, minute(1))
    desk.part(1, "assignment", FIN, minute(2), assigned_to={"type": "team", "id": "5"})
    desk.part(1, "note", BEA, minute(5))
    desk.part(1, "comment", BEA, minute(30))
    desk.part(1, "close", BEA, minute(60))
    desk.part(1, "open", ANN, minute(120), body="<p>Made up</p>")
    desk.part(1, "comment", BEA, minute(130))
    desk.part(1, "close", BEA, minute(140))
    desk.conversation(1, minute(145), team_assignee_id=5, admin_assignee_id=1, conversation_rating=rated(5, 140))

    begin(desk, 2, 0, author=LEO)
    desk.part(2, "comment", FIN, minute(1))
    desk.part(2, "close", FIN, minute(10))
    desk.conversation(2, minute(15), conversation_rating=rated(None, 10))

    begin(desk, 3, 0, author=BEA, delivered_as="admin_initiated", type="email")
    desk.part(3, "comment", ANN, minute(20))
    desk.part(3, "comment", BEA, minute(50))

    begin(desk, 4, -60)
    told = {"first_admin_reply_at": minute(-45), "first_close_at": minute(-40), "last_close_at": minute(95)}
    desk.part(4, "comment", BEA, minute(-45))
    desk.part(4, "close", BEA, minute(-40))
    desk.part(4, "open", ANN, minute(-30))
    for number in range(9):
        desk.part(4, "comment", BEA, minute(number))
    desk.part(4, "close", BEA, minute(95))
    desk.conversation(4, minute(100), statistics=told, conversation_rating=rated(3, 95))

    begin(desk, 5, 0, type="whatsapp")
    desk.part(5, "snoozed", BEA, minute(3))
    return desk


def next_day(desk: Workspace) -> None:
    """The lead turns out to be Ann and writes again; the snoozed conversation is answered and goes badly."""
    desk.now += 86_400
    desk.merge("leo", "ann")
    desk.part(2, "comment", ANN, minute(1440))
    desk.part(2, "open", ANN, minute(1440))
    desk.conversation(2, minute(1441), contacts={"contacts": [{"id": "ann"}]})
    desk.part(5, "unsnoozed", BEA, minute(1440))
    desk.part(5, "comment", BEA, minute(1450))
    desk.part(5, "close", BEA, minute(1460))
    desk.conversation(5, minute(1470), conversation_rating=rated(2, 1460))


def accepted(root: Path, base: str, day: date) -> list[Path]:
    """Pull, land and judge every stream; gives what was accepted."""
    folder, found = DataFolder(root / "data"), []
    with Gate(folder, None) as gate:
        for stream in load_sources(write(root, COMPANY.format(base=base)), folder.root).streams:
            contract = load_contract(stream.stream.system, stream.stream.stream)
            extract(stream, contract, folder, [day])
            (verdict,) = gate.judge([landed_extract(stream, contract, folder, day)])
            assert verdict.passed, (str(stream.stream), verdict.blocked_by)
            assert verdict.quarantined_rows == 0, str(stream.stream)
            warned = [check.kind for check in verdict.checks if check.outcome != "pass"]
            is_cut = stream.stream.stream == "conversation_parts" and day == FIRST
            assert warned == (["warnings"] if is_cut else []), (str(stream.stream), verdict.checks)
            found.append(folder.accepted_partition(stream.stream, day))
    return found


@pytest.fixture(scope="module")
def counted(dbt_project: DbtProject, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """Two nights."""
    warehouse, desk = Warehouse(dbt_project, tmp_path_factory.mktemp("desk")), workspace()
    warehouse.crms = ("intercom",)
    with serving(desk) as base, pytest.MonkeyPatch.context() as environment:
        environment.setenv("INTERCOM_TOKEN", ACCESS_TOKEN)
        for day in (FIRST, SECOND):
            batches = accepted(warehouse.folder, base, day)
            warehouse.night(batches=batches, select="fct_ticket fct_survey_answer", as_of=day)
            if day == FIRST:
                next_day(desk)
    return warehouse


def test_answers_solutions_and_reopenings_are_those_of_people_worked_out_by_hand(counted: Warehouse) -> None:
    told = counted.rows(
        "select records.ticket_id as n, facts.conversation as told, facts.is_customer_initiated as theirs, "
        "facts.first_reply_minutes as reply, facts.first_automated_reply_minutes as machine, facts.replies, "
        "facts.automated_replies as machines, facts.first_resolution_minutes as first, "
        "facts.full_resolution_minutes as whole, facts.reopens, facts.status, facts.team, facts.channel "
        "from cx_marts.main.fct_ticket as facts "
        "inner join intermediate.int_ticket__unioned as records using (ticket_key) order by 1"
    )
    columns = ("theirs", "reply", "machine", "replies", "machines", "first", "whole", "reopens", "status", "team")
    assert {row["n"]: tuple(row[name] for name in columns) for row in told} == {
        "1": (True, 30, 1, 2, 1, 60, 140, 1, "solved", "5"),
        "2": (True, None, 1, 0, 1, 10, None, 1, "open", None),
        "3": (False, 50, None, 1, 0, None, None, None, "open", None),
        "4": (True, 15, None, 9, 0, 20, 155, 1, "solved", None),
        "5": (True, 1450, None, 1, 0, 1460, 1460, 0, "solved", None),
    }
    assert {row["n"]: (row["told"], row["channel"]) for row in told} == {
        "1": ("told", "chat"),
        "2": ("told", "chat"),
        "3": ("told", "email"),
        "4": ("told", "chat"),
        "5": ("told", "chat"),
    }


def test_ratings_count_as_satisfaction_of_four_and_five(counted: Warehouse) -> None:
    assert counted.rows(
        "select answers.ticket_id as n, facts.metric, facts.answer_class, facts.score, answers.agent_id as agent "
        "from cx_marts.main.fct_survey_answer as facts inner join intermediate.int_survey_answer__unioned as answers "
        "on answers.survey_answer_key = facts.answer_key where facts.is_counted order by 1"
    ) == [
        {"n": "1", "metric": "csat", "answer_class": "positive", "score": 5.0, "agent": "1"},
        {"n": "4", "metric": "csat", "answer_class": "neutral", "score": 3.0, "agent": "1"},
        {"n": "5", "metric": "csat", "answer_class": "negative", "score": 2.0, "agent": "1"},
    ]


def test_a_lead_that_became_a_user_is_one_person(counted: Warehouse) -> None:
    assert counted.rows(
        "select contact_id, merged_into_contact_id as merged, is_deleted "
        "from intermediate.int_contact__unioned order by 1"
    ) == [
        {"contact_id": "ann", "merged": None, "is_deleted": False},
        {"contact_id": "leo", "merged": "ann", "is_deleted": True},
    ]
    (one,) = counted.values("select count(distinct customer_key) from cx_marts.main.fct_ticket")
    assert one == 1


def test_two_nights_are_one_rebuild(counted: Warehouse) -> None:
    assert not counted.differences(counted.rebuilt(), TABLES)
