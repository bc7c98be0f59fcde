"""Journeys made again, event by event, from the text of their definition. Slow and plain on purpose.

What lives here: from events to journeys, in Python, without a look at the models. Not here: the events of a test
(test_journeys_retold.py), what single traps must give (test_journeys.py), marts over journeys (journey_recount.py).
"""

from __future__ import annotations

import csv
import hashlib
import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from dbt_harness import PROJECT

UNKNOWN = -1
STEPS = 6


def key_of(*parts: object) -> int:
    """A surrogate key: the first 60 bits of the md5 of its parts."""
    return int(hashlib.md5("\x1f".join(map(str, parts)).encode()).hexdigest()[:15], 16)  # noqa: S324


@dataclass(frozen=True)
class Event:
    """Something that happened; `record` is the (kind, key) it is a moment of or names."""

    object: str
    event: str
    source_ref: int
    customer: int
    touchpoint: str
    channel: str
    direction: str
    at: datetime
    record: tuple[str, int] | None = None
    topic: str | None = None
    scale: str | None = None
    score: float | None = None

    @property
    def key(self) -> int:
        """event_key."""
        return key_of(self.object, self.event, self.source_ref)

    @property
    def place(self) -> tuple[datetime, int]:
        """What events are put in order by."""
        return self.at, self.key

    @property
    def is_answer(self) -> bool:
        """Answers are touches: they begin nothing and reach nothing."""
        return self.object == "survey_answer"


@dataclass
class Seeds:
    """The seeds that say what a journey is; a test may change them."""

    journeys: dict[str, dict[str, Any]]
    steps: dict[str, list[dict[str, Any]]]
    roles: dict[tuple[str, str], dict[str, str]]
    rules: list[dict[str, str]]
    late: dict[str, str]

    @classmethod
    def read(cls, folder: Path = PROJECT / "seeds") -> Seeds:
        """As they are in the project."""
        steps: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in _rows(folder, "journey_steps"):
            steps[row["journey"]].append(row | {"is_required": row["is_required"] == "true"})
        return cls(
            {row["journey"]: dict(row) for row in _rows(folder, "journeys")},
            {journey: sorted(rows, key=lambda row: int(row["step_order"])) for journey, rows in steps.items()},
            {(row["journey"], row["touchpoint"]): row for row in _rows(folder, "journey_touchpoints")},
            _rows(folder, "touchpoint_rules"),
            {row["touchpoint"]: row["when_late"] for row in _rows(folder, "touchpoints") if row["when_late"]},
        )

    def touchpoint(self, system: str, what: str, event: str, channel: str) -> str:
        """By the most specific rule: one for the system, then one for the channel, then any."""
        fitting = [
            rule
            for rule in self.rules
            if (rule["object"], rule["event"]) == (what, event)
            and rule["system"] in (system, "*")
            and rule["channel"] in (channel, "*")
        ]
        fitting.sort(key=lambda rule: (rule["system"] == "*", rule["channel"] == "*"))
        return fitting[0]["touchpoint"] if fitting else "unknown"

    def lead_of(self, touchpoint: str) -> dict[str, str] | None:
        """The journey a touchpoint is a lead or an anchor of; there is at most one."""
        found = [
            row for (_, name), row in self.roles.items() if name == touchpoint and row["role"] in ("lead", "anchor")
        ]
        return found[0] if found else None

    def role(self, journey: str, event: Event) -> str:
        """What an event is in a journey it is part of."""
        if event.is_answer:
            return "answer"
        row = self.roles.get((journey, event.touchpoint))
        return row["role"] if row else "other"


@dataclass
class Journey:
    """One journey and its events."""

    kind: str
    customer: int
    named_by: int
    events: list[Event] = field(default_factory=list)

    @property
    def key(self) -> int:
        """journey_key."""
        return key_of("journey", self.named_by)


def journeys_of(events: Sequence[Event], seeds: Seeds) -> list[Journey]:
    """Events put into journeys: leads and anchors in threads, then by record, then by time."""
    journeys = _threaded(events, seeds)
    taken = {event.key for journey in journeys for event in journey.events}
    of_record: dict[tuple[str, int], tuple[tuple[datetime, int], Journey]] = {}
    for journey in journeys:
        for event in journey.events:
            record = (event.object, event.source_ref)
            if event.object in ("order", "ticket") and (record not in of_record or event.place < of_record[record][0]):
                of_record[record] = (event.place, journey)
    for event in events:
        if event.key not in taken and event.record in of_record:
            of_record[event.record][1].events.append(event)
    starts = [(journey, started_at(journey, seeds)) for journey in journeys]
    for event in events:
        if event.record is None and event.key not in taken and event.customer != UNKNOWN:
            latest = _latest(event, starts, seeds)
            if latest:
                latest.events.append(event)
    for journey in journeys:
        journey.events.sort(key=lambda event: event.place)
    return journeys


def _threaded(events: Iterable[Event], seeds: Seeds) -> list[Journey]:
    threads: dict[tuple[Any, ...], list[tuple[Event, str]]] = defaultdict(list)
    for event in events:
        lead = seeds.lead_of(event.touchpoint)
        if lead is None or event.is_answer or (event.object == "activity" and event.record):
            continue
        if event.customer == UNKNOWN and lead["role"] == "lead" and event.object not in ("order", "ticket"):
            continue
        unit = seeds.journeys[lead["journey"]]["unit"]
        itself = (event.object, event.source_ref)
        thread = (
            lead["journey"],
            event.customer if event.customer != UNKNOWN else itself,
            (event.topic,) if unit == "customer_topic" else None,
            itself if unit == "record" else None,
        )
        threads[thread].append((event, lead["role"]))
    journeys: list[Journey] = []
    for (kind, *_), members in threads.items():
        gap = seeds.journeys[kind]["gap_days"]
        previous: tuple[Event, str] | None = None
        for event, role in sorted(members, key=lambda member: member[0].place):
            if (
                previous is None
                or previous[1] == "anchor"
                or (gap and event.at - previous[0].at > timedelta(days=int(gap)))
            ):
                journeys.append(Journey(kind, event.customer, event.key))
            journeys[-1].events.append(event)
            if role == "anchor":
                journeys[-1].named_by = event.key
            previous = event, role
    return journeys


def started_at(journey: Journey, seeds: Seeds) -> datetime:
    """Time of the first lead or anchor."""
    return min(event.at for event in journey.events if seeds.role(journey.kind, event) in ("lead", "anchor"))


def _latest(event: Event, starts: Iterable[tuple[Journey, datetime]], seeds: Seeds) -> Journey | None:
    fitting = []
    for journey, start in starts:
        row = seeds.roles.get((journey.kind, event.touchpoint))
        if journey.customer != event.customer or row is None:
            continue
        if not event.is_answer and row["role"] in ("lead", "anchor"):
            continue
        if start <= event.at <= start + timedelta(days=int(seeds.journeys[journey.kind]["window_days"])):
            fitting.append((start, journey))
    if not fitting:
        return None
    latest = max(start for start, _ in fitting)
    return min(
        (journey for start, journey in fitting if start == latest),
        key=lambda journey: (journey.kind, journey.named_by),
    )


def step_times(journey: Journey, seeds: Seeds) -> dict[int, datetime]:
    """When each step (by step_order) was reached."""
    mode = seeds.journeys[journey.kind]["order_mode"]
    steps = seeds.steps[journey.kind]
    order_of = {step["step"]: int(step["step_order"]) for step in steps}
    seen: list[tuple[int, datetime]] = []
    for event in journey.events:
        row = seeds.roles.get((journey.kind, event.touchpoint))
        if not event.is_answer and row and row["step"]:
            seen.append((order_of[row["step"]], event.at))
    if mode == "any":
        return {order: min(at for other, at in seen if other == order) for order, _ in seen}
    required = _required_times(mode, [order_of[step["step"]] for step in steps if step["is_required"]], seen)
    reached = dict(required)
    for step in steps:
        order = order_of[step["step"]]
        earliest = [at for other, at in required.items() if other < order]
        latest = [at for other, at in required.items() if other > order]
        times = [
            at
            for other, at in seen
            if other == order and (not earliest or at >= max(earliest)) and (not latest or at <= min(latest))
        ]
        if times and not step["is_required"]:
            reached[order] = min(times)
    return reached


def _required_times(mode: str, orders: Iterable[int], seen: Sequence[tuple[int, datetime]]) -> dict[int, datetime]:
    reached: dict[int, datetime] = {}
    for order in orders:
        before = max(reached, default=None)
        times = [at for other, at in seen if other == order and (before is None or at >= reached[before])]
        if not times:
            break
        if mode == "strict" and before is not None:
            between = {other for other, at in seen if reached[before] < at < min(times)}
            if any(other < before or other > order for other in between):
                break
        reached[order] = min(times)
    return reached


def row_of(journey: Journey, seeds: Seeds, ends_at: datetime, hand_offs: Mapping[int, int]) -> dict[str, Any]:
    """The journey as fct_journey tells it, but for start_date_key.

    Args:
        journey: With its events in order.
        seeds: What journeys are.
        ends_at: End of the business date.
        hand_offs: By ticket.
    """
    roles = [(event, seeds.role(journey.kind, event)) for event in journey.events]
    leads = [event for event, role in roles if role in ("lead", "anchor")]
    contacts = [event for event in leads if event.direction == "inbound"]
    tickets = {event.source_ref for event in journey.events if event.object == "ticket"}
    return {
        "journey_key": journey.key,
        "journey": journey.kind,
        "customer_key": journey.customer,
        "last_event_at": max(event.at for event in journey.events),
        **_course(journey, seeds, ends_at, [event for event, role in roles if role == "exit"]),
        "n_events": len(journey.events),
        "n_contacts": len(contacts),
        "n_channels": len({event.channel for event in contacts} - {"unknown"}),
        "n_switches": sum(
            one.channel != other.channel and "unknown" not in (one.channel, other.channel)
            for one, other in itertools.pairwise(contacts)
        ),
        "n_handoffs": sum(hand_offs[ticket] for ticket in tickets),
        "first_channel": leads[0].channel,
        **_scores(journey),
    }


def _course(journey: Journey, seeds: Seeds, ends_at: datetime, exits: Sequence[Event]) -> dict[str, Any]:
    """Steps, completion and exit."""
    name = {int(step["step_order"]): step["step"] for step in seeds.steps[journey.kind]}
    required = [int(step["step_order"]) for step in seeds.steps[journey.kind] if step["is_required"]]
    start = started_at(journey, seeds)
    window_end = start + timedelta(days=int(seeds.journeys[journey.kind]["window_days"]))
    reached = step_times(journey, seeds)
    is_completed = all(order in reached and reached[order] <= window_end for order in required)
    completed_at = max(reached[order] for order in required) if is_completed else None
    is_matured = window_end <= ends_at
    current = name[max(reached)] if reached else None
    exit_step = exit_reason = exited_at = None
    if exits:
        exit_reason, exited_at = exits[0].touchpoint, exits[0].at
        by_then = [order for order, at in reached.items() if at <= exited_at]
        exit_step = name[max(by_then)] if by_then else None
    elif is_matured and not is_completed:
        exit_reason, exit_step = "dropped", current
    is_in_order = completed_at is not None and completed_at >= start
    return {
        "started_at": start,
        "window_ends_at": window_end,
        **{f"step_{order}_at": reached.get(order) for order in range(1, STEPS + 1)},
        "steps_reached": len(reached),
        "current_step": current,
        "is_completed": is_completed,
        "completed_at": completed_at,
        "minutes_to_complete": round((completed_at - start).total_seconds() / 60, 4)
        if completed_at and is_in_order
        else None,
        "is_matured": is_matured,
        "is_open": not is_completed and not exits and not is_matured,
        "exit_step": exit_step,
        "exit_reason": exit_reason,
        "exited_at": exited_at,
    }


def _scores(journey: Journey) -> dict[str, Any]:
    answers = [event for event in journey.events if event.is_answer]
    found: dict[str, Any] = {}
    for name, rank in (
        ("peak", lambda event: (-event.score, event.place)),
        ("trough", lambda event: (event.score, event.place)),
        ("end", lambda event: (-event.at.timestamp(), -event.key)),
    ):
        best = min(answers, key=rank, default=None)
        found |= {
            f"{name}_score": best and best.score,
            f"{name}_touchpoint_key": key_of(best.touchpoint) if best and best.touchpoint != "unknown" else UNKNOWN,
            f"{name}_scale": best and best.scale,
        }
    return found


def _rows(folder: Path, seed: str) -> list[dict[str, str]]:
    with (folder / f"{seed}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
