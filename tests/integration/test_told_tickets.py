"""One help desk told four ways: whole events, events that leave out the value before, versions of tickets, and columns.

What lives here: that the facts do not depend on the way they are told, that what a way does not tell is unknown and
said, and targets stated on tickets counted again in plain Python. Not here: Zendesk's audits (test_service_marts.py).
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from dbt_harness import DbtProject, Warehouse

TICKETS = 150
TEAMS = ("5001", "5002", "5004", "elsewhere")
STATUSES = ("open", "pending", "hold", "solved")
AS_OF = date(2026, 5, 31)
END = datetime(2026, 5, 31, 22, tzinfo=UTC)
BY_EVENTS = (
    "first_reply_minutes", "replies", "never_answered", "is_one_touch", "awaiting_our_reply", "requester_wait_minutes",
    "on_hold_minutes", "is_fcr_matured",
)  # fmt: skip
BY_VERSIONS = (
    "first_resolution_minutes", "full_resolution_minutes", "reopens", "is_reopened", "reassignments", "team_changes",
    "transfers", "is_escalated", "is_first_tier_resolution",
)  # fmt: skip
TABLES = [
    *(f"cx_marts.main.{name}" for name in ("fct_ticket", "fct_ticket_transition", "fct_sla")),
    "intermediate.int_kpi__left_out_ticket",
]


@dataclass
class Ticket:
    """A ticket: what changed and what was said, in order, and the targets the desk states."""

    name: str
    created: datetime
    changes: list[tuple[datetime, str, str | None, str]] = field(default_factory=list)
    replies: list[datetime] = field(default_factory=list)
    now: dict[str, str | None] = field(default_factory=dict)
    due: datetime | None = None
    breached: bool | None = None

    def solutions(self) -> list[datetime]:
        return [moment for moment, what, _, value in self.changes if what == "status" and value == "solved"]


def made(chance: random.Random, number: int) -> Ticket:
    created = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(minutes=chance.randrange(80 * 1440))
    ticket = Ticket(f"t{number}", created, now={"status": "new", "team": chance.choice(TEAMS), "assignee": None})
    moment = created
    for _ in range(chance.randrange(8)):
        moment += timedelta(minutes=chance.randrange(1, 2000))
        what = chance.choice(("status", "status", "team", "assignee", "reply"))
        if what == "reply":
            ticket.replies.append(moment)
            continue
        values = {"status": STATUSES, "team": TEAMS, "assignee": ("a1", "a2")}[what]
        value = chance.choice([name for name in values if name != ticket.now[what]])
        ticket.changes.append((moment, what, ticket.now[what], value))
        ticket.now[what] = value
    if chance.random() < 0.6:
        ticket.due = created + timedelta(minutes=chance.randrange(1, 4000))
        ticket.breached = chance.choice((None, None, True, False))
    return ticket


def events(ticket: Ticket, *, bare: bool) -> Iterator[dict[str, Any]]:
    """What happened; `bare` leaves out the value before. The first team is one the ticket is created with."""
    teams = [before for _, what, before, _ in ticket.changes if what == "team"]
    started = [
        (ticket.created, "created", None, "new"),
        (ticket.created, "team_change", None, teams[0] if teams else ticket.now["team"]),
    ]
    changed = [(moment, f"{what}_change", before, value) for moment, what, before, value in ticket.changes]
    for place, (moment, kind, before, value) in enumerate((*started, *changed)):
        yield {
            "event_id": f"{ticket.name}-{place}", "ticket_id": ticket.name, "event_type": kind, "occurred_at": moment,
            "sequence": place, "author_role": "customer" if kind == "created" else "agent", "to_value": value,
            "from_value": None if bare else before,
        }  # fmt: skip
    for place, moment in enumerate(ticket.replies):
        yield {
            "event_id": f"{ticket.name}-r{place}", "ticket_id": ticket.name, "event_type": "comment",
            "occurred_at": moment, "author_role": "agent", "is_public": True,
        }  # fmt: skip


def versions(ticket: Ticket) -> Iterator[dict[str, Any]]:
    """The ticket after each change, the newest last."""
    state: dict[str, Any] = dict(ticket.now)
    for _, what, before, _ in reversed(ticket.changes):
        state[what] = before
    solved = None
    about = {"ticket_id": ticket.name, "requester_id": "c", "channel": "email", "created_at": ticket.created}
    about |= {"first_reply_due_at": ticket.due, "is_first_reply_breached": ticket.breached}
    for moment, what, _, value in ((ticket.created, "status", None, "new"), *ticket.changes):
        state[what] = value
        if what == "status":
            solved = moment if value == "solved" else None
        told = {"status": state["status"], "team": state["team"], "assignee_id": state["assignee"]}
        yield about | told | {"solved_at": solved, "updated_at": moment}


@pytest.fixture(scope="module")
def tickets() -> list[Ticket]:
    chance = random.Random(5)  # noqa: S311
    return [made(chance, number) for number in range(TICKETS)]


@pytest.fixture(scope="module")
def marts(tickets: list[Ticket], dbt_project: DbtProject, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """Two nights, rows in any order."""
    chance = random.Random(6)  # noqa: S311
    nights: list[dict[str, list[dict[str, Any]]]] = [defaultdict(list), defaultdict(list)]
    for ticket in tickets:
        *_, newest = versions(ticket)
        for source in ("whole", "bare"):
            told = [*events(ticket, bare=source == "bare")]
            for stream, row in (("ticket", newest), *(("ticket_event", event) for event in told)):
                moment = row.get("updated_at", row.get("occurred_at"))
                chance.choice(nights)[f"canonical.{stream}"].append(row | {"_source": source, "updated_at": moment})
        first = {"is_replied": bool(ticket.replies), "first_replied_at": min(ticket.replies, default=None)}
        chance.choice(nights)["canonical.ticket"].append(newest | first | {"_source": "columns"})
        for row in versions(ticket):
            chance.choice(nights)["canonical.ticket"].append(row | {"_source": "versions"})
    warehouse = Warehouse(dbt_project, tmp_path_factory.mktemp("told"))
    for rows, as_of in zip(nights, (AS_OF - timedelta(days=20), AS_OF), strict=True):
        warehouse.night(rows, select="fct_ticket fct_sla int_kpi__left_out_ticket", as_of=as_of)
    return warehouse


@pytest.fixture(scope="module")
def facts(marts: Warehouse) -> dict[tuple[str, str], dict[str, Any]]:
    rows = marts.rows(
        "select ids.source, ids.ticket_id, facts.* from cx_marts.main.fct_ticket as facts "
        "inner join intermediate.int_ticket__unioned as ids on ids.ticket_key = facts.ticket_key"
    )
    return {(row["source"], row["ticket_id"]): row for row in rows}


Facts = dict[tuple[str, str], dict[str, Any]]


def test_events_need_not_say_the_value_before(tickets: list[Ticket], facts: Facts) -> None:
    for ticket in tickets:
        whole, bare = facts["whole", ticket.name], facts["bare", ticket.name]
        for name in (*BY_EVENTS, *BY_VERSIONS):
            assert bare[name] == whole[name], (ticket.name, name)
    assert sum(facts["whole", ticket.name]["transfers"] > 0 for ticket in tickets) > 20
    assert sum(bool(facts["whole", ticket.name]["is_reopened"]) for ticket in tickets) > 5


def test_whole_events_give_what_happened(tickets: list[Ticket], facts: Facts) -> None:
    for ticket in tickets:
        fact, solved = facts["whole", ticket.name], ticket.solutions()
        teams = [change for change in ticket.changes if change[1] == "team"]
        assert fact["team_changes"] == len(teams)
        assert fact["replies"] == len(ticket.replies)
        assert fact["never_answered"] == (not ticket.replies)
        if solved:
            assert fact["first_resolution_minutes"] == (solved[0] - ticket.created).total_seconds() / 60
            assert fact["is_reopened"] == any(
                what == "status" and before == "solved" for _, what, before, _ in ticket.changes
            )


def test_several_versions_tell_the_same_history_and_one_alone_tells_none(tickets: list[Ticket], facts: Facts) -> None:
    for ticket in tickets:
        whole, told = facts["whole", ticket.name], facts["versions", ticket.name]
        assert (told["conversation"], told["never_answered"], told["replies"]) == ("not_delivered", None, None)
        assert told["requester_wait_minutes"] is None
        for name in BY_VERSIONS:
            if not ticket.changes:
                assert told[name] is None, (ticket.name, name)
            elif name == "reopens" and not ticket.solutions():
                assert told[name] == 0
            elif whole[name] is not None:
                assert told[name] == whole[name], (ticket.name, name)


def test_a_first_answer_in_a_column_of_the_ticket_is_told_and_no_other(tickets: list[Ticket], facts: Facts) -> None:
    for ticket in tickets:
        whole, told = facts["whole", ticket.name], facts["columns", ticket.name]
        assert told["conversation"] == "first_reply"
        for name in ("first_reply_minutes", "never_answered"):
            assert told[name] == whole[name], (ticket.name, name)
        assert {told[name] for name in ("replies", "is_one_touch", "awaiting_our_reply", "handling_class")} == {None}


def test_what_is_not_told_is_left_out_with_a_reason(tickets: list[Ticket], marts: Warehouse) -> None:
    rows = marts.rows(
        "select source, measure, reason, count(*) as n from intermediate.int_kpi__left_out_ticket group by all"
    )
    found = {(row["source"], row["measure"], row["reason"]): row["n"] for row in rows}
    assert found["versions", "unanswered", "conversation_not_delivered"] == len(tickets)
    assert not any(measure == "unanswered" for source, measure, _ in found if source != "versions")
    assert not any(measure in ("reopened", "transferred") for source, measure, _ in found if source != "columns")
    solved = sum(bool(ticket.solutions()) for ticket in tickets if ticket.now["status"] == "solved")
    assert found["columns", "one_touch", "conversation_not_delivered"] == solved
    assert ("columns", "first_reply_minutes", "conversation_not_delivered") not in found


def outcome(ticket: Ticket, *, is_told: bool) -> str | None:
    """What became of the answer a ticket promises, by the desk's word or else by its due time."""
    if ticket.due is None:
        return None
    is_solved = ticket.now["status"] == "solved"
    if ticket.breached:
        return "breached"
    if is_told and ticket.replies:
        return "achieved" if ticket.breached is False or ticket.replies[0] <= ticket.due else "breached"
    if not is_told:
        return "achieved" if ticket.breached is False and is_solved else "unknown"
    if is_solved and ticket.solutions()[-1] <= ticket.due:
        return "cancelled"
    return "breached" if ticket.due <= END and ticket.breached is None else "active"


def test_stated_targets_end_as_the_desk_says_or_else_as_their_due_time_does(
    tickets: list[Ticket], marts: Warehouse
) -> None:
    rows = marts.rows(
        "select ids.source, ids.ticket_id, slas.* from cx_marts.main.fct_sla as slas "
        "inner join intermediate.int_ticket__unioned as ids on ids.ticket_key = slas.ticket_key"
    )
    found = {(row["source"], row["ticket_id"]): row["outcome"] for row in rows}
    expected = {
        (source, ticket.name): outcome(ticket, is_told=source != "versions")
        for ticket in tickets
        for source in ("whole", "bare", "versions", "columns")
    }
    assert found == {key: became for key, became in expected.items() if became}
    assert set(found.values()) == {"achieved", "breached", "cancelled", "unknown", "active"}


def test_the_nights_make_what_one_full_rebuild_makes(marts: Warehouse) -> None:
    assert marts.differences(marts.rebuilt(), TABLES) == {}
