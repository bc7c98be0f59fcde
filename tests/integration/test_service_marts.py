"""What service did: waits, first contact, targets, backlog, volumes and scorecards, counted again in plain Python.

A random help desk and some tickets that were made to go wrong, told in two nights. Not here: business minutes across
clock changes and schedules (test_business_time.py), the formulas on a few values (dbt unit tests).
"""

from __future__ import annotations

import csv
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from dbt_harness import PROJECT, DbtProject, Warehouse
from hidden_recount import hidden_siblings
from service_desk import AS_OF, Clock, Desk, Ticket

from tests.counting.calendar import BERLIN, local_day
from tests.counting.equality import unequal
from tests.counting.intervals import quantile

MARTS = (
    "dim_agent",
    "fct_sla",
    "fct_ticket",
    "fct_ticket_backlog_daily",
    "fct_ticket_transition",
    "mart_service_scorecard",
    "mart_ticket_volume_daily",
)
TABLES = [f"cx_marts.main.{table}" for table in MARTS]
TIERS = {"5001": 1, "5002": 1, "5004": 2}
WEEK = timedelta(days=7)
ANSWER_FACTS = ("replies", "never_answered", "first_reply_minutes", "first_human_minutes", "agent_touches",
                "customer_contacts", "automated_share", "handling_class")  # fmt: skip

Cell = tuple[str, date, str, str, int]
"""Of a scorecard: measure, month, level, team, agent_key."""


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+00:00")


def end_of(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(0), BERLIN)


def traps() -> list[Ticket]:
    """Tickets that are easily misjudged."""
    unanswered = Ticket("unanswered", at("2026-05-04 08:00"), "u1", status="open", topic="trap")
    unanswered.comments = [(unanswered.created, "customer", True), (at("2026-05-04 08:01"), "bot", True)]

    reprioritised = Ticket("reprioritised", at("2026-05-05 08:00"), "u2", topic="trap")
    reprioritised.move("priorities", reprioritised.created, "normal")
    reprioritised.move("priorities", at("2026-05-05 12:00"), "urgent")
    applied = {"type": "apply_sla", "sla": {"target": 60, "business_hours": False, "policy": {"title": "Standard"}}}
    reprioritised.clocks = [
        Clock(
            "reply_time",
            [
                {"type": "activate", "time": reprioritised.created},
                applied | {"time": reprioritised.created},
                {"type": "breach", "time": at("2026-05-05 09:00")},
                applied | {"time": at("2026-05-05 12:00")},
                {"type": "fulfill", "time": at("2026-05-05 12:30")},
            ],
        )
    ]

    # The clocks go forward at 01:00 UTC: three hours on the wall are two hours of waiting.
    summer = Ticket("summer", at("2026-03-29 00:30"), "u3", topic="trap")
    summer.move("statuses", summer.created, "open")
    summer.move("statuses", at("2026-03-29 02:30"), "solved")

    midnight = Ticket("midnight", at("2026-05-06 22:30"), "u4", status="open", channel="chat", topic="trap")

    asked = Ticket("asked", at("2026-05-11 08:00"), "u5", topic="trap")
    asked.move("statuses", asked.created, "open")
    asked.move("statuses", at("2026-05-11 09:00"), "solved")
    asked_again = Ticket("asked again", at("2026-05-12 08:00"), "u5", topic="trap", removed=at("2026-06-01 10:00"))
    asked_again.move("statuses", asked_again.created, "open")

    purged = [
        Ticket(f"purged {number}", at("2026-05-13 08:00"), "u6", status="open", topic=f"trap {number}",
               removed=at("2026-06-01 10:00"))
        for number in range(10)
    ]  # fmt: skip

    young = Ticket("young", at("2026-06-23 08:00"), "u7", topic="trap")
    young.move("statuses", young.created, "open")
    young.move("statuses", at("2026-06-23 22:01"), "solved")
    ripe = Ticket("ripe", at("2026-06-23 08:00"), "u8", topic="trap")
    ripe.move("statuses", ripe.created, "open")
    ripe.move("statuses", at("2026-06-23 22:00"), "solved")

    handed = Ticket("handed on", at("2026-05-18 08:00"), "u9", agent="a2", topic="trap")
    handed.move("statuses", handed.created, "open")
    handed.move("statuses", at("2026-05-18 09:00"), "solved")
    handed.rating = (at("2026-05-19 09:00"), "a1", True)
    due_tomorrow = Ticket("due tomorrow", at("2026-06-30 20:00"), "u10", status="open", topic="trap")
    due_tomorrow.clocks = [
        Clock(
            "reply_time",
            [{"type": "activate", "time": due_tomorrow.created}, applied | {"time": at("2026-06-30 21:30")}],
        )
    ]
    return [unanswered, due_tomorrow, reprioritised, summer, midnight, asked, asked_again, *purged, young, ripe, handed]


@pytest.fixture(scope="module")
def desk() -> Desk:
    made = Desk(11, tickets=400)
    made.tickets += traps()
    return made


@pytest.fixture(scope="module")
def marts(desk: Desk, dbt_project: DbtProject, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    return told(desk, dbt_project, tmp_path_factory.mktemp("desk"))


@pytest.fixture(scope="module")
def facts(marts: Warehouse) -> dict[str, dict[str, Any]]:
    """The facts of each ticket by its id."""
    rows = marts.rows(
        "select ids.ticket_id, facts.* from cx_marts.main.fct_ticket as facts "
        "inner join intermediate.int_ticket__unioned as ids on ids.ticket_key = facts.ticket_key"
    )
    return {row["ticket_id"]: row for row in rows}


def told(desk: Desk, project: DbtProject, folder: Path, nights: int = 2) -> Warehouse:
    """The desk's history in nights; nine days lie before the last."""
    warehouse = Warehouse(project, folder)
    warehouse.seed("team_schedules", ["team,schedule,valid_from", "*,office,"])
    for place, rows in enumerate(desk.nights(nights)):
        as_of = AS_OF if place == nights - 1 else AS_OF - timedelta(days=9)
        warehouse.night(rows, select=" ".join(MARTS), as_of=as_of)
    return warehouse


@cache
def office_hours() -> tuple[list[tuple[datetime, datetime]], set[str]]:
    """When the office is open, from the seeds, and its holidays."""

    def seed(name: str) -> list[dict[str, str]]:
        with (PROJECT / "seeds" / f"{name}.csv").open(newline="") as file:
            return [row for row in csv.DictReader(file) if row["schedule"] == "office"]

    holidays = {row["holiday"] for row in seed("schedule_holidays")}
    hours = []
    for days in range(800):
        day = date(2025, 1, 1) + timedelta(days=days)
        for row in seed("schedule_hours") if day.isoformat() not in holidays else ():
            if int(row["iso_weekday"]) == day.isoweekday():
                opens, closes = (
                    datetime.combine(day, time.fromisoformat(row[name]), BERLIN).astimezone(UTC)
                    for name in ("opens", "closes")
                )
                hours.append((opens, closes))
    return hours, holidays


def open_parts(start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    for opens, closes in office_hours()[0]:
        if opens < end and closes > start:
            yield max(opens, start), min(closes, end)


def minutes(parts: Iterable[tuple[datetime, datetime]]) -> float:
    return sum((end - start).total_seconds() for start, end in parts) / 60


def is_solved(status: str | None) -> bool:
    return status == "solved"


def transitions(ticket: Ticket) -> list[tuple[str, datetime]]:
    """created, solved, reopened, removed, in order."""
    found, unsolved = [("created", ticket.created)], True
    for moment, _, after in ticket.statuses:
        if ticket.removed and moment > ticket.removed:
            break
        if is_solved(after) == unsolved:
            found.append(("solved" if unsolved else "reopened", moment))
            unsolved = not unsolved
    if ticket.removed and unsolved:
        found.append(("removed", ticket.removed))
    return found


def solutions(ticket: Ticket) -> list[datetime]:
    return [moment for kind, moment in transitions(ticket) if kind == "solved"]


class Recount:
    """The definitions, ticket by ticket. Slow and plain on purpose."""

    def __init__(self, desk: Desk, customers: dict[str, int], agents: dict[str | None, int]) -> None:
        self.tickets = desk.tickets
        self.told_twice = desk.told_twice
        self.customers = customers
        self.agents = agents
        self.as_of_end = end_of(AS_OF)

    def facts(self, ticket: Ticket) -> dict[str, Any]:
        return {**self._waits(ticket), **self._answers(ticket), **self._moves(ticket), **self._first_contact(ticket)}

    def _waits(self, ticket: Ticket) -> dict[str, float | None]:
        names = ("requester_wait_minutes", "requester_wait_business_minutes", "on_hold_minutes")
        solved = solutions(ticket)
        if ticket.removed or ticket.status != "solved" or not solved:
            return dict.fromkeys(names)
        first = ticket.statuses[0]
        line = [(ticket.created, first[1]), *((moment, after) for moment, _, after in ticket.statuses)]
        parts: dict[str | None, list[tuple[datetime, datetime]]] = defaultdict(list)
        for (start, status), (end, _) in zip(line, [*line[1:], (solved[-1], None)], strict=True):
            if min(end, solved[-1]) > start:
                parts[status].append((start, min(end, solved[-1])))
        if None in parts:
            return dict.fromkeys(names)
        waits = parts["new"] + parts["open"] + parts["hold"]
        business = minutes(part for start, end in waits for part in open_parts(start, end))
        return dict(zip(names, (minutes(waits), business, minutes(parts["hold"])), strict=True))

    def _answers(self, ticket: Ticket) -> dict[str, Any]:
        if not self._is_told(ticket):
            return dict.fromkeys(ANSWER_FACTS)
        public = [(moment, role) for moment, role, is_public in ticket.comments if is_public]
        replies = public[1:] if ticket.by_us else public
        human = [moment for moment, role in replies if role == "agent"]
        machine = [moment for moment, role in replies if role == "bot"]
        roles = Counter(role for _, role in public)
        ours = roles["agent"] + roles["bot"]
        handed_over = human and machine and human[0] >= machine[0]
        return {
            "replies": len(human),
            "never_answered": None if ticket.by_us else not human,
            "first_reply_minutes": minutes([(ticket.created, human[0])]) if human else None,
            "first_human_minutes": minutes([(machine[0], human[0])]) if handed_over else None,
            "agent_touches": sum(role == "agent" for _, role, _ in ticket.comments),
            "customer_contacts": roles["customer"],
            "automated_share": roles["bot"] / ours if ours else None,
            "handling_class": {(1, 1): "mixed", (1, 0): "human", (0, 1): "automated"}.get((bool(human), bool(machine))),
        }

    def _is_created(self, ticket: Ticket) -> bool:
        """Whether an audit tells of the creation: what a ticket was created with."""
        return any(moment == ticket.created for moment, *_ in (*ticket.statuses, *ticket.teams, *ticket.priorities))

    def _is_told(self, ticket: Ticket) -> bool:
        """The creation or a comment is told; of a chat a person's words are, or it is kept elsewhere."""
        if ticket.channel == "chat":
            return any(role == "agent" and is_public for _, role, is_public in ticket.comments)
        return bool(ticket.comments) or self._is_created(ticket)

    def _are_hands_known(self, ticket: Ticket) -> bool:
        told_of = ticket.teams or ticket.priorities or self._is_created(ticket)
        return bool(told_of) or ticket.name in self.told_twice

    def _moves(self, ticket: Ticket) -> dict[str, Any]:
        moves = [(moment, before, after) for moment, before, after in ticket.teams if before]
        known = self._are_hands_known(ticket)
        rises = [moment for moment, before, after in moves if TIERS.get(before or "", 9) < TIERS.get(after or "", 0)]
        solved = solutions(ticket)
        return {
            "team_changes": len(moves) if known else None,
            "transfers": len(moves) - len(rises) if known else None,
            "is_escalated": bool(rises) if known else None,
            "escalated_at": rises[0] if rises else None,
            "is_reopened": self._is_reopened(ticket) if solved else None,
            "is_first_tier_resolution": not moves if solved and known else None,
            "is_exception": ticket.kind == "incident" or ticket.topic == "outage",
        }

    def _first_contact(self, ticket: Ticket) -> dict[str, bool | None]:
        solved = solutions(ticket)
        matured = bool(solved) and solved[0] + WEEK <= self.as_of_end
        customer = self.customers[ticket.name]
        if not matured or ticket.by_us or customer == -1:
            return {"is_fcr_matured": matured, "is_fcr": None}
        came_back = any(
            other is not ticket
            and self.customers[other.name] == customer
            and other.topic == ticket.topic
            and not other.by_us
            and ticket.created < other.created <= solved[0] + WEEK
            for other in self.tickets
        )
        return {"is_fcr_matured": True, "is_fcr": not came_back and not self._is_reopened(ticket)}

    def _is_reopened(self, ticket: Ticket) -> bool:
        return any(kind == "reopened" for kind, _ in transitions(ticket))

    def targets(self, ticket: Ticket) -> Iterator[tuple[tuple[str, int, int], dict[str, Any]]]:
        """Every target applied to a ticket and what became of it."""
        for instance, clock in enumerate(ticket.clocks, start=1):
            events = [event for event in clock.events if not event.get("deleted")]
            starts = [place for place, event in enumerate(events) if event["type"] == "apply_sla"]
            for number, (start, end) in enumerate(zip(starts, [*starts[1:], None], strict=True), start=1):
                if events[start]["sla"]["target"] is not None:
                    newer = events[end]["time"] if end is not None else None
                    became = self._target(ticket, events[:start], events[start:end], newer)
                    yield (clock.metric, instance, number), became

    def _target(
        self, ticket: Ticket, before: list[dict[str, Any]], own: list[dict[str, Any]], newer: datetime | None
    ) -> dict[str, Any]:
        applied = own[0]["time"]
        switches = [event["type"] for event in before if event["type"] in ("activate", "pause")]
        runs = not switches or switches[-1] == "activate"
        breach = next((event["time"] for event in own if event["type"] == "breach"), None)
        fulfilled = next((event["time"] for event in own if event["type"] == "fulfill"), None)
        line = [(applied, runs)]
        line += [
            (event["time"], event["type"] == "activate") for event in own if event["type"] in ("activate", "pause")
        ]
        is_business = own[0]["sla"]["business_hours"]
        due = breach or self._due(line, fulfilled, own[0]["sla"]["target"], is_business)
        ran = [(start, end) for start, end, on in _stretches(line, fulfilled) if on and end]
        counted = [part for start, end in ran for part in open_parts(start, end)] if is_business else ran
        pauses = [(start, end or newer) for start, end, on in _stretches(line, fulfilled) if not on]
        return {
            "due_at": due,
            "outcome": self._outcome(ticket, applied, due, fulfilled, newer, runs=line[-1][1]),
            "priority_applied": self._priority(ticket, applied),
            "minutes_to_fulfil": minutes(counted) if fulfilled else None,
            "paused_minutes": minutes((start, end) for start, end in pauses if end),
        }

    def _due(
        self, line: list[tuple[datetime, bool]], fulfilled: datetime | None, target: int, is_business: bool
    ) -> datetime | None:
        """The time by which the clock has run for the target, on and on after the last start."""
        far = datetime(2027, 1, 1, tzinfo=UTC)
        left = timedelta(minutes=target)
        running = [(start, end) for start, end, on in _stretches(line, fulfilled) if on]
        if fulfilled:
            running.append((fulfilled, None))
        for start, end in running:
            parts = open_parts(start, end or far) if is_business else iter([(start, end or far)])
            for opens, closes in parts:
                if closes - opens >= left:
                    return opens + left
                left -= closes - opens
        return None

    def _outcome(
        self,
        ticket: Ticket,
        applied: datetime,
        due: datetime | None,
        fulfilled: datetime | None,
        newer: datetime | None,
        *,
        runs: bool,
    ) -> str:
        if fulfilled:
            return "breached" if due and due < fulfilled else "achieved"
        ways_out = [(newer, "superseded")] if newer else []
        ways_out += [
            (moment, "cancelled")
            for kind, moment in transitions(ticket)
            if kind in ("solved", "removed") and moment >= applied
        ][:1]
        first_out = min(ways_out, key=lambda way: way[0], default=None)
        if due and (first_out is None or due < first_out[0]) and (first_out is not None or due <= self.as_of_end):
            return "breached"
        if first_out:
            return first_out[1]
        return "active" if runs else "paused"

    def _priority(self, ticket: Ticket, moment: datetime) -> str | None:
        if not ticket.priorities:
            return ticket.priority
        known = [after for since, _, after in ticket.priorities if since <= moment]
        return known[-1] if known else ticket.priorities[0][1]

    def backlog(self) -> dict[tuple[date, str, str, str], Counter[str]]:
        """Flows, what they leave and its ages, by day, channel, team and priority; days with nothing left out."""
        cells: dict[tuple[date, str, str, str], Counter[str]] = defaultdict(Counter)
        last = local_day(self.as_of_end) - timedelta(days=1)
        for ticket in self.tickets:
            cell = (ticket.channel, ticket.team or "none", ticket.priority or "none")
            line = [(local_day(moment), kind) for kind, moment in transitions(ticket)]
            for day, kind in line:
                if day <= last:
                    cells[day, *cell][kind] += 1
            for (since, kind), (until, _) in zip(line, [*line[1:], (last + timedelta(days=1), "")], strict=True):
                if kind in ("created", "reopened"):
                    day = since
                    while day < min(until, last + timedelta(days=1)):
                        age = (day - line[0][0]).days
                        band = next(name for name, first in reversed(BANDS) if age >= first)
                        cells[day, *cell].update(["closing", band])
                        day += timedelta(days=1)
        return cells

    def volumes(self) -> dict[tuple[date, str], tuple[int, float | None, float | None, float | None]]:
        """Created, expected and its band, by day and channel."""
        made = Counter((local_day(ticket.created), ticket.channel) for ticket in self.tickets)
        made.update((local_day(ticket.created), "all") for ticket in self.tickets)
        found = {}
        for channel in {channel for _, channel in made}:
            first = day = min(day for day, name in made if name == channel)
            while day < local_day(self.as_of_end):
                before = [day - week * WEEK for week in range(1, 9) if day - week * WEEK >= first]
                expected = low = high = None
                if len(before) >= 4:
                    counts = [made[past, channel] for past in before]
                    expected = float(median(counts))
                    spread = 1.4826 * median(abs(count - expected) for count in counts)
                    half = 3 * max(spread, math.sqrt(max(expected, 1)))
                    low, high = max(expected - half, 0), expected + half
                found[day, channel] = (made[day, channel], expected, low, high)
                day += timedelta(days=1)
        return found

    def scorecard(self) -> dict[Cell, list[float]]:
        """The values behind every cell: measure, month, level, team, agent."""
        cells: dict[Cell, list[float]] = defaultdict(list)

        def count(
            measure: str, moment: datetime | None, ticket: Ticket, agent: str | None, value: float | None
        ) -> None:
            if moment is None or value is None or moment >= self.as_of_end:
                return
            month = local_day(moment).replace(day=1)
            team = ticket.team or "none"
            members = (("all", "all", -1), ("team", team, -1), ("agent", team, self.agents[agent]))
            for level, of_team, of_agent in members:
                cells[measure, month, level, of_team, of_agent].append(float(value))

        for ticket in self.tickets:
            if ticket.rating:
                moment, agent, good = ticket.rating
                count("csat", moment, ticket, agent, good)
            if ticket.removed:
                continue
            fact, solved = self.facts(ticket), solutions(ticket)
            first = solved[0] if solved else None
            replied = fact["first_reply_minutes"]
            if replied is not None and not ticket.by_us:
                moment = ticket.created + timedelta(minutes=replied)
                count("first_reply_minutes", moment, ticket, ticket.agent, replied)
            if solved and ticket.status == "solved":
                taken = minutes([(ticket.created, solved[-1])])
                count("full_resolution_minutes", solved[-1], ticket, ticket.agent, taken)
            one_touch = fact["replies"] == 1 and ticket.status == "solved" if self._is_told(ticket) else None
            for measure, value in (
                ("tickets_solved", 1), ("reopen_rate", fact["is_reopened"]), ("fcr_rate", fact["is_fcr"]),
                ("one_touch_rate", one_touch),
                ("escalation_rate", fact["is_escalated"]), ("first_tier_rate", fact["is_first_tier_resolution"]),
            ):  # fmt: skip
                count(measure, first, ticket, ticket.agent, value)
        return cells


BANDS = (("aged_0_1", 0), ("aged_1_3", 1), ("aged_3_7", 3), ("aged_7_14", 7), ("aged_14_plus", 14))


def _stretches(
    line: list[tuple[datetime, bool]], fulfilled: datetime | None
) -> list[tuple[datetime, datetime | None, bool]]:
    """The clock from the application to the fulfilment: from, to (None: still so), running."""
    kept = [(moment, on) for moment, on in line if not fulfilled or moment <= fulfilled]
    ends = [moment for moment, _ in kept[1:]] + [fulfilled]
    return [(start, end, on) for (start, on), end in zip(kept, ends, strict=True)]


def hidden_cells(cells: dict[Cell, list[float]]) -> set[Cell]:
    """What must not be shown: teams within all, agents within their team; a hidden team hides its agents."""
    hidden: set[Cell] = set()
    for measure, month in {cell[:2] for cell in cells}:
        mine = {cell[2:]: len(values) for cell, values in cells.items() if cell[:2] == (measure, month)}
        teams = {team: n for (level, team, _), n in mine.items() if level != "agent"}
        hidden_teams = hidden_siblings(teams, (), 10)
        hidden |= {(measure, month, "all" if team == "all" else "team", team, -1) for team in hidden_teams}
        for team in teams:
            agents = {str(agent): n for (level, of, agent), n in mine.items() if level == "agent" and of == team}
            gone = hidden_siblings(agents, agents if team in hidden_teams else (), 10)
            hidden |= {(measure, month, "agent", team, int(agent)) for agent in gone}
    return hidden


@pytest.fixture(scope="module")
def recount(desk: Desk, marts: Warehouse, facts: dict[str, dict[str, Any]]) -> Recount:
    agents = marts.rows("select agent_id, agent_key from intermediate.int_agent__unioned")
    return Recount(
        desk,
        {name: row["customer_key"] for name, row in facts.items()},
        {None: -1} | {row["agent_id"]: row["agent_key"] for row in agents},
    )


def test_facts_of_tickets_are_what_their_definitions_count(
    desk: Desk, facts: dict[str, dict[str, Any]], recount: Recount
) -> None:
    expected = {ticket.name: recount.facts(ticket) for ticket in desk.tickets}
    assert unequal(facts, expected) == []
    for name in expected["t0"]:
        seen = Counter(str(row[name]) for row in expected.values())
        assert len(seen) > 1, name
        assert name in ("is_exception", "is_fcr_matured") or "None" in seen


def test_targets_of_the_desk_end_as_their_clocks_say(marts: Warehouse, desk: Desk, recount: Recount) -> None:
    rows = marts.rows(
        "select ids.ticket_id, slas.* from cx_marts.main.fct_sla as slas "
        "inner join intermediate.int_ticket__unioned as ids on ids.ticket_key = slas.ticket_key"
    )
    found = {(row["ticket_id"], row["metric"], row["instance_no"], row["application_no"]): row for row in rows}
    expected = {
        (ticket.name, *application): became
        for ticket in desk.tickets
        for application, became in recount.targets(ticket)
    }
    assert unequal(found, expected) == []
    outcomes = Counter(became["outcome"] for became in expected.values())
    assert set(outcomes) == {"achieved", "breached", "superseded", "cancelled", "active", "paused"}
    counted = [row for row in rows if row["is_counted"]]
    assert len(counted) == outcomes["achieved"] + outcomes["breached"]
    assert all((row["due_date_key"] > 0) == (row["due_at"] is not None) for row in rows)


def test_the_backlog_is_replayed_with_its_ages(marts: Warehouse, recount: Recount) -> None:
    names = ("created", "reopened", "solved", "removed", "closing", *(name for name, _ in BANDS))
    rows = marts.rows("select * from cx_marts.main.fct_ticket_backlog_daily")
    found = {(row["date_day"], row["channel"], row["team"], row["priority"]): row for row in rows}
    expected = {cell: {name: counts[name] for name in names} for cell, counts in recount.backlog().items()}
    assert unequal(found, expected) == []
    assert all(
        row["opening"] + row["created"] + row["reopened"] - row["solved"] - row["removed"] == row["closing"]
        for row in rows
    )
    assert all(sum(row[name] for name, _ in BANDS) == row["closing"] for row in rows)


def test_volumes_are_compared_with_the_weeks_before(marts: Warehouse, recount: Recount) -> None:
    rows = marts.rows("select * from cx_marts.main.mart_ticket_volume_daily")
    found = {(row["date_day"], row["channel"]): row for row in rows}
    names = ("created", "expected", "expected_low", "expected_high", "is_spike")
    expected = {
        cell: dict(zip(names, (*values, None if values[3] is None else values[0] > values[3]), strict=True))
        for cell, values in recount.volumes().items()
    }
    assert unequal(found, expected) == []
    # Ten tickets came at once.
    assert found[date(2026, 5, 13), "email"]["is_spike"]


def shares_and_quantiles(cells: dict[Cell, list[float]]) -> dict[Cell, dict[str, Any]]:
    hidden = hidden_cells(cells)
    found: dict[Cell, dict[str, Any]] = {}
    for cell, values in cells.items():
        (measure, *rest), shown = cell, cell not in hidden
        n = len(values) if shown else None
        if measure.endswith("minutes"):
            for suffix, share in (("median", 0.5), ("p90", 0.9)):
                key: Any = (f"{measure}_{suffix}", *rest)
                found[key] = {"n": n, "value": quantile(values, share) if shown else None}
        else:
            value = len(values) if measure == "tickets_solved" else 100 * sum(values) / len(values)
            found[cell] = {"n": n, "value": value if shown else None}
        for key in found.keys() & {cell, *((f"{measure}_{suffix}", *rest) for suffix in ("median", "p90"))}:
            found[key]["is_suppressed"] = not shown
    return found


def test_scorecards_show_what_rests_on_ten_records(marts: Warehouse, recount: Recount) -> None:
    rows = marts.rows("select * from cx_marts.main.mart_service_scorecard")
    found = {(row["measure"], row["month_start"], row["level"], row["team"], row["agent_key"]): row for row in rows}
    assert unequal(found, shares_and_quantiles(recount.scorecard())) == []
    shown = [row for row in rows if row["level"] == "agent" and not row["is_suppressed"]]
    assert len(shown) > 20
    assert all(row["ci_low"] <= row["value"] for row in rows if row["ci_low"] is not None)
    assert all(row["ci_high"] >= row["value"] for row in rows if row["ci_high"] is not None)


def test_no_hidden_figure_of_an_agent_is_the_team_minus_the_others(marts: Warehouse, recount: Recount) -> None:
    """What a reader can subtract is never one agent, nor fewer than ten records."""
    rows = marts.rows("select * from cx_marts.main.mart_service_scorecard where method <> 'order_statistics'")
    sizes = {cell: len(values) for cell, values in recount.scorecard().items()}
    shown = {
        (row["measure"], row["month_start"], row["level"], row["team"], row["agent_key"]): row["n"]
        for row in rows
        if not row["is_suppressed"]
    }
    families: dict[tuple[Any, ...], list[Cell]] = defaultdict(list)
    for cell in sizes:
        measure, month, level, team, _ = cell
        if level != "all" and not measure.endswith("minutes"):
            above = ("all", "all", -1) if level == "team" else ("team", team, -1)
            families[measure, month, *above].append(cell)
    attacked = 0
    for parent, children in families.items():
        hidden = [cell for cell in children if cell not in shown]
        if parent in shown and hidden:
            attacked += 1
            assert len(hidden) > 1
            assert shown[parent] - sum(shown.get(cell, 0) for cell in children) >= 10
        elif parent not in shown:
            assert len(hidden) == len(children)
    assert attacked > 5


def test_an_agent_is_where_the_extracts_say(marts: Warehouse, recount: Recount) -> None:
    rows = marts.rows("select * from cx_marts.main.dim_agent where agent_key <> -1")
    assert {row["agent_key"]: row["team"] for row in rows} == {
        recount.agents[f"a{number + 1}"]: ("5001", "5002", "5004")[number % 3] for number in range(5)
    }


def test_unanswered_tickets_are_found_and_have_no_reply_time(facts: dict[str, dict[str, Any]]) -> None:
    assert facts["unanswered"]["never_answered"]
    assert facts["unanswered"]["first_reply_minutes"] is None
    assert facts["unanswered"]["handling_class"] == "automated"
    assert sum(bool(row["never_answered"]) for row in facts.values()) > 10


def test_a_breach_stays_with_the_priority_it_happened_under(marts: Warehouse, facts: dict[str, Any]) -> None:
    rows = marts.rows(
        "select * from cx_marts.main.fct_sla where ticket_key = ? order by application_no",
        facts["reprioritised"]["ticket_key"],
    )
    assert [(row["priority_applied"], row["outcome"]) for row in rows] == [
        ("normal", "breached"),
        ("urgent", "achieved"),
    ]
    assert facts["reprioritised"]["priority"] == "urgent"


def test_a_wait_across_the_change_to_summer_time_is_as_long_as_it_was(facts: dict[str, Any]) -> None:
    assert facts["summer"]["requester_wait_minutes"] == 120


def test_a_ticket_shortly_before_midnight_utc_is_one_of_the_next_day(marts: Warehouse, facts: dict[str, Any]) -> None:
    assert facts["midnight"]["created_date_key"] == 20260507
    days = marts.values(
        "select date_day from cx_marts.main.fct_ticket_backlog_daily "
        "where channel = 'chat' and team = 'none' and priority = 'none' and created > 0 "
        "and date_day between date '2026-05-06' and date '2026-05-07'"
    )
    assert days == [date(2026, 5, 7)]


def test_a_purge_is_neither_solved_work_nor_a_better_first_contact(marts: Warehouse, facts: dict[str, Any]) -> None:
    flows = marts.rows(
        "select sum(solved) as solved, sum(removed) as removed from cx_marts.main.fct_ticket_backlog_daily "
        "where date_day = date '2026-06-01' and team = 'none' and priority = 'none' and channel = 'email'"
    )[0]
    assert flows["removed"] >= 11
    assert flows["solved"] <= 1
    assert facts["asked again"]["removed_kind"] == "soft"
    assert facts["asked"]["is_fcr"] is False


def test_first_contact_is_judged_after_seven_whole_days(facts: dict[str, dict[str, Any]]) -> None:
    """The business date ends at 22:00 UTC: seven days after the one solution, a minute less after the other."""
    assert (facts["ripe"]["is_fcr_matured"], facts["ripe"]["is_fcr"]) == (True, True)
    assert (facts["young"]["is_fcr_matured"], facts["young"]["is_fcr"]) == (False, None)


def test_a_changed_rating_is_credited_to_the_agent_of_its_time(marts: Warehouse, recount: Recount, facts: Any) -> None:
    rows = marts.rows(
        "select agent_key, is_positive from cx_marts.main.fct_survey_answer where ticket_key = ?",
        facts["handed on"]["ticket_key"],
    )
    assert rows == [{"agent_key": recount.agents["a1"], "is_positive": True}]
    assert facts["handed on"]["agent_key"] == recount.agents["a2"]


def test_the_nights_of_a_desk_make_what_one_full_rebuild_makes(marts: Warehouse) -> None:
    assert marts.differences(marts.rebuilt(), TABLES) == {}
