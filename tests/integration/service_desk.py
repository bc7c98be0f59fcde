"""A random help desk: tickets with all that happened on them, and the nights on which they are told.

What lives here: the making of histories. Not here: what must be made of them (test_service_marts.py).
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

FIRST_DAY = date(2026, 2, 1)
AS_OF = date(2026, 6, 30)
TEAMS = ("5001", "5002", "5004", "elsewhere")
"""Tier 1, tier 1, tier 2, and a team of which no seed tells a tier."""
AGENTS = ("a1", "a2", "a3", "a4", "a5")
CUSTOMERS = tuple(f"u{number}" for number in range(12))
STATUSES = ("new", "open", "pending", "hold", "solved")
PRIORITIES = ("low", "normal", "urgent", None)
TOPICS = ("billing", "outage", None)
CHANNELS = {"email": "email", "web": "web", "chat": "chat"}

Moves = list[tuple[datetime, str | None, str | None]]


@dataclass
class Clock:
    """A run of one metric of the desk: its events in order."""

    metric: str
    events: list[dict[str, Any]]


@dataclass
class Ticket:
    """One ticket: how it ended, and how it got there."""

    name: str
    created: datetime
    requester: str
    by_us: bool = False
    channel: str = "email"
    kind: str | None = "question"
    topic: str | None = None
    team: str | None = None
    agent: str | None = None
    priority: str | None = None
    status: str = "new"
    removed: datetime | None = None
    statuses: Moves = field(default_factory=list)
    teams: Moves = field(default_factory=list)
    priorities: Moves = field(default_factory=list)
    comments: list[tuple[datetime, str, bool]] = field(default_factory=list)
    rating: tuple[datetime, str, bool] | None = None
    clocks: list[Clock] = field(default_factory=list)

    def move(self, what: str, moment: datetime, value: str) -> None:
        """Let status, team or priority change at a moment."""
        attribute = {"statuses": "status", "teams": "team", "priorities": "priority"}[what]
        getattr(self, what).append((moment, getattr(self, attribute), value))
        setattr(self, attribute, value)


class Desk:
    """Five months of a help desk.

    Attributes:
        tickets: All tickets, as known at the end.
        told_twice: Names of those of which `nights` delivered two versions while they were there.
    """

    def __init__(self, seed: int, tickets: int = 400) -> None:
        self.chance = random.Random(seed)  # noqa: S311
        self.tickets = [self._ticket(f"t{number}") for number in range(tickets)]
        self.told_twice: set[str] = set()

    def nights(self, count: int) -> list[dict[str, list[dict[str, Any]]]]:
        """Deliveries in random nights; some tickets and ratings come first in an older version that was otherwise."""
        arrivals: list[dict[str, list[dict[str, Any]]]] = [defaultdict(list) for _ in range(count)]
        for number, agent in enumerate(AGENTS):
            told = {"id": agent, "role": "agent", "default_group_id": TEAMS[number % 3]}
            arrivals[0]["zendesk.users"].append(told | {"updated_at": datetime(2026, 1, 1, tzinfo=UTC)})
        for customer in CUSTOMERS:
            told = {"id": customer, "role": "end-user", "email": f"{customer}@customers.example"}
            arrivals[self.chance.randrange(count)]["zendesk.users"].append(
                told | {"updated_at": datetime(2026, 1, 1, tzinfo=UTC)}
            )
        for stream, row, older in self._rows():
            night = self.chance.randrange(count)
            arrivals[night][stream].append(row)
            if older is not None and self.chance.random() < 0.3:
                arrivals[self.chance.randrange(count)][stream].append(older)
                if stream == "zendesk.tickets":
                    self.told_twice.add(row["id"])
        return [dict(streams) for streams in arrivals]

    def _rows(self) -> Iterator[tuple[str, dict[str, Any], dict[str, Any] | None]]:
        for number, ticket in enumerate(self.tickets):
            base = (number + 1) * 1000
            told = {
                "id": ticket.name,
                "requester_id": ticket.requester,
                "submitter_id": ticket.agent or AGENTS[0] if ticket.by_us else ticket.requester,
                "assignee_id": ticket.agent,
                "group_id": ticket.team,
                "type": ticket.kind,
                "priority": ticket.priority,
                "status": ticket.status,
                "via": {"channel": ticket.channel},
                "tags": [f"topic_{ticket.topic}"] if ticket.topic else [],
                "created_at": ticket.created,
                "updated_at": datetime(2026, 7, 1, tzinfo=UTC),
            }
            older = {"assignee_id": "a1", "status": "open", "group_id": "5002", "updated_at": ticket.created}
            if ticket.removed:
                # What the desk deletes it wipes.
                wiped: dict[str, Any] = {"assignee_id": None, "group_id": None, "priority": None, "tags": []}
                yield "zendesk.tickets", told | {"updated_at": ticket.created}, None
                yield "zendesk.tickets", told | wiped | {"status": "deleted", "updated_at": ticket.removed}, None
            else:
                yield "zendesk.tickets", told, told | older | {"via": {"channel": "web"}, "requester_id": CUSTOMERS[0]}
            for place, (moment, author, event) in enumerate(self._events(ticket)):
                row = {"id": str(base + place), "ticket_id": ticket.name, "author_id": author, "created_at": moment}
                channel = "rule" if author == "-1" else "web"
                yield "zendesk.ticket_audits", row | {"events": [event], "via": {"channel": channel}}, None
            place = 0
            for instance, clock in enumerate(ticket.clocks, start=1):
                for event in clock.events:
                    place += 1
                    row = {"id": str(base + place), "ticket_id": ticket.name, "metric": clock.metric}
                    yield "zendesk.ticket_metric_events", row | {"instance_id": instance} | event, None
            if ticket.rating:
                moment, agent, good = ticket.rating
                row = {"id": f"r{number}", "ticket_id": ticket.name, "requester_id": ticket.requester}
                row |= {"assignee_id": agent, "created_at": ticket.created}
                bad = {"score": "bad", "updated_at": moment - timedelta(minutes=5)}
                yield (
                    "zendesk.satisfaction_ratings",
                    row | {"score": "good" if good else "bad", "updated_at": moment},
                    row | bad,
                )

    def _events(self, ticket: Ticket) -> Iterator[tuple[datetime, str, dict[str, Any]]]:
        names = {"statuses": "status", "teams": "group_id", "priorities": "priority"}
        for moves, name in names.items():
            for moment, before, after in getattr(ticket, moves):
                created = {"type": "Create", "field_name": name, "value": after}
                changed = {"type": "Change", "field_name": name, "previous_value": before, "value": after}
                yield moment, AGENTS[0], created if moment == ticket.created else changed
        for moment, role, public in ticket.comments:
            author = {"customer": ticket.requester, "agent": ticket.agent or AGENTS[0], "bot": "-1"}[role]
            yield moment, author, {"type": "Comment", "public": public, "body": "text"}

    def _ticket(self, name: str) -> Ticket:
        chance = self.chance
        opens = datetime(FIRST_DAY.year, FIRST_DAY.month, FIRST_DAY.day, tzinfo=UTC)
        is_busy = chance.random() < 0.4
        created = opens + timedelta(seconds=chance.randrange(149 * 24 * 3600))
        if is_busy:
            created = datetime(2026, 4, 1, tzinfo=UTC) + timedelta(seconds=chance.randrange(20 * 24 * 3600))
        ticket = Ticket(
            name,
            created,
            requester=chance.choice((*CUSTOMERS, *CUSTOMERS, f"stranger-{name}")),
            by_us=chance.random() < 0.1,
            channel=chance.choice(tuple(CHANNELS)),
            kind=chance.choice(("question", "incident", None)),
            topic=chance.choice(TOPICS),
            agent=chance.choice(AGENTS[:3] if is_busy else (*AGENTS, *AGENTS, None)),
        )
        if chance.random() < 0.8:
            ticket.move("statuses", created, chance.choice(("new", "open")))
            ticket.statuses[0] = (created, None, ticket.status)
        moment = created
        ticket.comments.append((created, "agent" if ticket.by_us else "customer", True))
        for what in ("teams", "priorities"):
            values = TEAMS if what == "teams" else PRIORITIES
            value = chance.choice((*values, None) if what == "priorities" or not is_busy else values[:2])
            if value:
                ticket.move(what, created, value)
        for _ in range(chance.randrange(9)):
            moment += timedelta(seconds=chance.randrange(60, int(chance.choice((3600, 86400, 6 * 86400)))))
            self._happen(ticket, moment)
        if chance.random() < 0.7 and ticket.status != "solved":
            moment += timedelta(seconds=chance.randrange(60, 2 * 86400))
            ticket.move("statuses", moment, "solved")
        if ticket.statuses and ticket.statuses[0][0] != created and chance.random() < 0.2:
            ticket.statuses[0] = (ticket.statuses[0][0], None, ticket.statuses[0][2])
        if chance.random() < 0.07:
            ticket.removed = moment + timedelta(seconds=chance.randrange(60, 4 * 86400))
        if chance.random() < 0.5:
            moment += timedelta(seconds=chance.randrange(60, 86400))
            ticket.rating = (moment, chance.choice(AGENTS), chance.random() < 0.6)
        for metric in ("reply_time", "requester_wait_time")[: chance.randrange(3)]:
            ticket.clocks.append(self._clock(metric, ticket))
        return ticket

    def _happen(self, ticket: Ticket, moment: datetime) -> None:
        chance = self.chance
        what = chance.choice(("statuses", "statuses", "comment", "comment", "teams", "priorities"))
        if what == "comment":
            ticket.comments.append((moment, chance.choice(("customer", "agent", "bot")), chance.random() < 0.8))
            return
        values = {"statuses": STATUSES, "teams": TEAMS, "priorities": PRIORITIES[:3]}[what]
        attribute = {"statuses": "status", "teams": "team", "priorities": "priority"}[what]
        value = chance.choice([name for name in values if name != getattr(ticket, attribute)])
        assert value is not None
        ticket.move(what, moment, value)

    def _clock(self, metric: str, ticket: Ticket) -> Clock:
        """A target or two on a clock that is paused now and then; breaches are told for some only."""
        chance = self.chance
        moment = ticket.created
        events: list[dict[str, Any]] = [{"type": "activate", "time": moment}, self._applied(moment)]
        for _ in range(chance.randrange(5)):
            moment += timedelta(seconds=chance.randrange(60, 12 * 3600))
            kind = chance.choice(("pause", "activate", "apply_sla", "breach", "deleted breach"))
            if kind == "apply_sla":
                events.append(self._applied(moment))
            else:
                events.append({"type": kind.split()[-1], "time": moment, "deleted": kind.startswith("deleted")})
        if chance.random() < 0.6:
            events.append({"type": "fulfill", "time": moment + timedelta(seconds=chance.randrange(60, 12 * 3600))})
        return Clock(metric, events)

    def _applied(self, moment: datetime) -> dict[str, Any]:
        target = self.chance.choice((30, 60, 480, 2880, None))
        policy = {"target": target, "business_hours": self.chance.random() < 0.5, "policy": {"title": "Standard"}}
        return {"type": "apply_sla", "time": moment, "sla": policy}
