"""Business minutes against a count of minutes one by one: clock changes, holidays, seasons, changes of team.

Not here: which durations a ticket has (test_marts_traps.py).
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from dbt_harness import Warehouse

ZONES = {"berlin": "Europe/Berlin", "chicago": "America/Chicago", "sydney": "Australia/Sydney"}
# Weekday, opens, closes, from, to. Chicago works through the hour that is skipped or repeated; Sydney has seasons.
HOURS: dict[str, list[tuple[int, str, str, str, str]]] = {
    "berlin": [
        *((day, "08:00", "12:30", "", "") for day in range(1, 7)),
        *((day, "13:00", "18:00", "", "") for day in range(1, 6)),
    ],
    "chicago": [
        *((day, "00:00", "06:15", "", "") for day in range(1, 8)),
        *((day, "21:00", "24:00", "", "") for day in range(1, 8)),
    ],
    "sydney": [
        *((day, "09:00", "17:00", "", "2026-09-30") for day in range(1, 6)),
        *((day, "07:30", "15:00", "2026-10-01", "") for day in range(1, 6)),
        # Overlaps the row above: open is open, and counts once.
        (3, "14:00", "16:00", "2026-10-01", ""),
    ],
}
HOLIDAYS = {("berlin", "2026-05-01"), ("berlin", "2026-10-03"), ("sydney", "2026-10-05"), ("chicago", "2026-11-26")}
# Which schedule a team keeps from a day on; `night` has none before Easter.
TEAMS = [
    ("*", "berlin", ""),
    ("west", "chicago", ""),
    ("south", "sydney", ""),
    ("south", "berlin", "2026-06-15"),
    ("night", "chicago", "2026-04-05"),
]
TICKETS = 1000


@dataclass(frozen=True)
class Ticket:
    """A ticket and the teams that had it, each from a moment on; None is no team."""

    created: datetime
    replied: datetime
    teams: tuple[tuple[datetime, str | None], ...]


def tickets() -> list[Ticket]:
    """Random tickets of a year; most begin near a clock change or a holiday."""
    chance = random.Random(20_260_328)  # noqa: S311
    eves = ("03-07", "03-28", "04-04", "04-30", "06-14", "09-30", "10-02", "10-24", "10-31", "11-25")
    days = [date.fromisoformat(f"2026-{eve}") for eve in eves]
    made = []
    for _ in range(TICKETS):
        day = chance.choice(days) if chance.random() < 0.8 else date(2026, 1, 1) + timedelta(days=chance.randrange(340))
        created = datetime.combine(day, time(0), UTC) + timedelta(minutes=chance.randrange(2 * 24 * 60))
        replied = created + timedelta(minutes=int(chance.expovariate(1 / 3000)))
        moves = sorted(
            created + timedelta(minutes=chance.randrange(1, 5000)) for _ in range(chance.choice((0, 0, 1, 2, 3)))
        )
        teams = [chance.choice(("west", "south", "night", "elsewhere", None)) for _ in range(len(moves) + 1)]
        held = [(created, teams[0])]
        for moment, team in zip(moves, teams[1:], strict=True):
            if team != held[-1][1]:
                held.append((moment, team))
        # Before its first team a ticket is under that team's schedule.
        if held[0][1] is None and len(held) > 1:
            held[0] = (created, held[1][1])
        made.append(Ticket(created, replied, tuple(held)))
    return made


@cache
def schedule_at(team: str | None, moment: datetime) -> str | None:
    """The schedule a team keeps, by the days of that schedule's zone."""
    own = [row for row in TEAMS if row[0] == team] or [row for row in TEAMS if row[0] == "*"]
    kept = None
    for _, schedule, since in own:
        if not since or moment >= datetime.combine(date.fromisoformat(since), time(0), ZoneInfo(ZONES[schedule])):
            kept = schedule
    return kept


@cache
def is_open(schedule: str, moment: datetime) -> bool:
    """Whether the minute that begins at a moment is a minute of work, by the clock on the wall."""
    local = moment.astimezone(ZoneInfo(ZONES[schedule]))
    day, clock = local.date().isoformat(), f"{local:%H:%M}"
    return (schedule, day) not in HOLIDAYS and any(
        local.isoweekday() == weekday and opens <= clock < closes and (since or day) <= day <= (until or day)
        for weekday, opens, closes, since, until in HOURS[schedule]
    )


def counted(ticket: Ticket) -> int | None:
    """Minutes of work between creation and reply, one by one; None where some minute was under no schedule."""
    minutes, moment = 0, ticket.created
    if schedule_at(ticket.teams[0][1], moment) is None:
        return None
    ends = [since for since, _ in ticket.teams[1:]] + [ticket.replied]
    for (_, team), end in zip(ticket.teams, ends, strict=True):
        while moment < min(end, ticket.replied):
            schedule = schedule_at(team, moment)
            if schedule is None:
                return None
            minutes += is_open(schedule, moment)
            moment += timedelta(minutes=1)
    return minutes


def schedules() -> dict[str, list[str]]:
    """The seeds that say all of the above."""
    return {
        "schedules": ["schedule,timezone,description", *(f"{name},{zone}," for name, zone in ZONES.items())],
        "schedule_hours": [
            "schedule,iso_weekday,opens,closes,valid_from,valid_to",
            *(f"{name},{','.join(str(part) for part in row)}" for name, rows in HOURS.items() for row in rows),
        ],
        "schedule_holidays": ["schedule,holiday,holiday_name", *(f"{name},{day}," for name, day in sorted(HOLIDAYS))],
        "team_schedules": ["team,schedule,valid_from", *(",".join(row) for row in TEAMS)],
    }


def test_business_minutes_are_the_minutes_counted_one_by_one(warehouse: Warehouse) -> None:
    """1,000 tickets in three time zones, across clock changes, holidays, seasons and changes of team."""
    made = tickets()
    rows: list[dict[str, Any]] = []
    events: list[dict[str, Any]] = []
    for number, ticket in enumerate(made):
        name = f"t{number}"
        rows.append({"ticket_id": name, "team": ticket.teams[-1][1], "status": "open", "created_at": ticket.created})
        events.append(
            {
                "event_id": f"{name}-created",
                "ticket_id": name,
                "event_type": "created",
                "occurred_at": ticket.created,
                "author_role": "customer",
            }
        )
        events.append(
            {
                "event_id": f"{name}-reply",
                "ticket_id": name,
                "event_type": "comment",
                "occurred_at": ticket.replied,
                "author_role": "agent",
                "is_public": True,
            }
        )
        events += [
            {"event_id": f"{name}-{place}", "ticket_id": name, "event_type": "team_change", "occurred_at": since,
             "from_value": ticket.teams[place][1] if ticket.teams[place][1] != team else None, "to_value": team}
            for place, (since, team) in enumerate(ticket.teams[1:])
        ]  # fmt: skip
    for seed, lines in schedules().items():
        warehouse.seed(seed, lines)
    warehouse.night(
        {"canonical.ticket": rows, "canonical.ticket_event": events}, select="fct_ticket", as_of=date(2026, 12, 31)
    )
    found = warehouse.rows(
        "select ids.ticket_id, facts.first_reply_minutes, facts.first_reply_business_minutes as minutes "
        "from cx_marts.main.fct_ticket as facts "
        "inner join intermediate.int_ticket__unioned as ids on ids.ticket_key = facts.ticket_key"
    )
    expected = {f"t{number}": counted(ticket) for number, ticket in enumerate(made)}
    assert {row["ticket_id"]: row["minutes"] for row in found} == expected
    assert sum(minutes is None for minutes in expected.values()) > 10
    assert sum(minutes == 0 for minutes in expected.values()) > 10
    assert len({minutes for minutes in expected.values() if minutes}) > 300
