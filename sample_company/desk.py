"""What the help desk records about tickets: audits, clock events, and the users and organizations it knows.

What lives here: records that follow from the lives of tickets, without chance. Not here: those lives
(support.py).
"""

from __future__ import annotations

import numpy as np

from sample_company.draw import (
    NEVER,
    NOBODY,
    Array,
    Bools,
    Columns,
    Ints,
    Times,
    after,
    length,
    only_if,
    stack,
    take,
)
from sample_company.support import PHONE, TIER_2

NEW, OPEN, PENDING, HOLD, SOLVED, CLOSED, DELETED = range(7)
STATUSES = ("new", "open", "pending", "hold", "solved", "closed", "deleted")
SAME = -1
"""An audit that leaves the status, or the person in charge, as it is."""

REQUESTER, AGENT, BOT, SYSTEM = range(4)
NO_TEXT, CUSTOMER_TEXT, AGENT_TEXT, BOT_TEXT, NOTE_TEXT, MERGE_TEXT = range(6)

AUDITS = (
    ("created", "created_at", REQUESTER, CUSTOMER_TEXT, NEW),
    ("bot_reply", "bot_at", BOT, BOT_TEXT, SAME),
    ("assigned", "assigned_at", SYSTEM, NO_TEXT, OPEN),
    ("reassigned", "reassigned_at", AGENT, NO_TEXT, SAME),
    ("first_reply", "first_reply_at", AGENT, AGENT_TEXT, PENDING),
    ("note", "note_at", AGENT, NOTE_TEXT, SAME),
    ("back", "back_at", REQUESTER, CUSTOMER_TEXT, OPEN),
    ("second_reply", "second_reply_at", AGENT, AGENT_TEXT, PENDING),
    ("escalated", "escalated_at", AGENT, NO_TEXT, OPEN),
    ("held", "held_at", AGENT, NO_TEXT, HOLD),
    ("solved", "solved_at", AGENT, AGENT_TEXT, SOLVED),
    ("reopened", "reopened_at", REQUESTER, CUSTOMER_TEXT, OPEN),
    ("resolved", "resolved_at", AGENT, AGENT_TEXT, SOLVED),
    ("merged", "merged_at", AGENT, MERGE_TEXT, CLOSED),
    ("closed", "closed_at", SYSTEM, NO_TEXT, CLOSED),
    ("offered", "offered_at", SYSTEM, NO_TEXT, SAME),
)
"""Kind, the time of the ticket's life it happens at, who acts, what they write, the status it leads to."""

KINDS = tuple(kind for kind, *_ in AUDITS)
AUDITS_PER_TICKET = 32
"""Audit ids leave room for this many audits of one ticket."""


def audits(tickets: Columns) -> Columns:
    """Everything that happens on tickets, in order; `from_*` and `to_*` hold values before and after."""
    parts = []
    for number, (_, moment, author, text, status) in enumerate(AUDITS):
        rows = np.flatnonzero(~np.isnat(tickets[moment]))
        doing = {"author": author, "text": text, "to_status": status}
        parts.append(_audit(take(tickets, rows), number, tickets[moment][rows], doing))
    events = stack(parts)
    events = take(events, np.lexsort((events["kind"], events["at"], events["ticket"])))
    first = np.diff(events["ticket"], prepend=-1) != 0
    starts = np.flatnonzero(first)
    position = np.arange(length(events)) - np.repeat(starts, np.diff(starts, append=length(events)))
    events["id"] = events["ticket"] * AUDITS_PER_TICKET + position
    for name in ("status", "assignee", "team"):
        now = _carried(events[f"to_{name}"], first)
        events[f"from_{name}"] = np.where(first, NOBODY, np.roll(now, 1))
        events[f"to_{name}"] = now
    return events


def _audit(life: Columns, number: int, at: Times, doing: dict[str, int]) -> Columns:
    n = len(at)
    kind = KINDS[number]
    actor = np.full(n, doing["author"])
    words = np.full(n, doing["text"])
    leads_to = np.full(n, doing["to_status"])
    if kind == "created":
        actor = np.where(life["outreach"], AGENT, actor)
        words = np.where(life["outreach"], AGENT_TEXT, words)
        leads_to = np.where(life["outreach"] | (life["channel"] == PHONE), OPEN, leads_to)
    if kind == "solved":
        actor = np.where(life["bot_solves"], BOT, actor)
        words = np.where(life["bot_solves"], BOT_TEXT, words)
    return {
        "ticket": life["id"],
        "at": at,
        "kind": np.full(n, number),
        "author": actor,
        "agent": _acting_agent(life, at),
        "text": words,
        "to_status": leads_to,
        "to_assignee": _in_charge(life, kind),
        "to_team": _team(life, kind),
    }


def _acting_agent(life: Columns, at: Times) -> Ints:
    """Who of the staff acts at a moment: whoever is in charge then."""
    now = np.where(life["reassigned_at"] <= at, life["next_agent"], life["agent"])
    return np.where(life["escalated_at"] < at, life["senior_agent"], now)


def _in_charge(life: Columns, kind: str) -> Ints:
    column = {"assigned": "agent", "reassigned": "next_agent", "escalated": "senior_agent"}.get(kind)
    if column:
        return life[column]
    return np.where(life["outreach"] & (kind == "created"), life["agent"], SAME)


def _team(life: Columns, kind: str) -> Ints:
    if kind == "created":
        return life["team"]
    return np.full(len(life["id"]), TIER_2 if kind == "escalated" else SAME)


def _carried(values: Array, first: Bools) -> Ints:
    """Values where set, else the last one set before on the same ticket (NOBODY before any was)."""
    last = np.maximum.accumulate(np.where((values != SAME) | first, np.arange(len(values)), 0))
    return values[last].astype(np.int64)


METRICS = ("reply_time", "requester_wait_time")
REPLY, WAIT = range(2)
TYPES = ("activate", "pause", "fulfill", "apply_sla", "breach", "update_status")
ACTIVATE, PAUSE, FULFILL, APPLY_SLA, BREACH, UPDATE = range(6)

CLOCKS = (
    (REPLY, ACTIVATE, 1, "created_at"),
    (REPLY, APPLY_SLA, 1, "created_at"),
    (REPLY, BREACH, 1, "breached_at"),
    (REPLY, FULFILL, 1, "first_reply_at"),
    (REPLY, UPDATE, 1, "first_reply_at"),
    (REPLY, ACTIVATE, 2, "back_at"),
    (REPLY, FULFILL, 2, "second_reply_at"),
    (WAIT, ACTIVATE, 1, "created_at"),
    (WAIT, PAUSE, 1, "first_reply_at"),
    (WAIT, ACTIVATE, 1, "back_at"),
    (WAIT, PAUSE, 1, "second_reply_at"),
    (WAIT, FULFILL, 1, "solved_at"),
    (WAIT, ACTIVATE, 2, "reopened_at"),
    (WAIT, FULFILL, 2, "resolved_at"),
)
"""Metric, type, instance, and the moment of the ticket's life that causes the clock event."""

CLOCKS_PER_TICKET = 16


def reply_target(tickets: Columns) -> Ints:
    """Minutes promised for the first reply: an hour for urgent tickets, eight for others."""
    return np.where(tickets["urgent"], 60, 480).astype(np.int64)


def clock_events(tickets: Columns) -> Columns:
    """Service-level clock events of tickets; `minutes` is the measured time of a status update."""
    customers = take(tickets, ~tickets["outreach"])
    due = after(customers["created_at"], reply_target(customers) * 60)
    late = np.isnat(customers["first_reply_at"]) | (customers["first_reply_at"] > due)
    answered_by_bot = customers["bot_solves"]
    gone = np.fmin(customers["deleted_at"], customers["merged_at"])
    lives = {**customers, "breached_at": only_if(late & ~answered_by_bot & ~(gone < due), due)}
    parts = []
    for number, (metric, kind, instance, moment) in enumerate(CLOCKS):
        rows = np.flatnonzero(~np.isnat(lives[moment]))
        life = take(lives, rows)
        n = len(rows)
        waited = (life["first_reply_at"] - life["created_at"]).astype("timedelta64[s]").astype(np.int64) // 60
        parts.append(
            {
                "id": life["id"] * CLOCKS_PER_TICKET + number,
                "ticket": life["id"],
                "at": life[moment],
                "metric": np.full(n, metric),
                "type": np.full(n, kind),
                "instance": np.full(n, instance),
                "target": reply_target(life),
                "minutes": waited if kind == UPDATE else np.zeros(n, dtype=np.int64),
            }
        )
    events = stack(parts)
    return take(events, np.argsort(events["id"], kind="stable"))


STRANGERS = 50_000_000
"""User ids from here on: people the CRM does not know, one per ticket."""

STAFF_USERS = 90_000_000
"""User ids from here on: the staff."""


def user_of(tickets: Columns) -> Ints:
    """Help desk user who asks: two ids are kept for a person, the second for another address of theirs."""
    known = tickets["person"] * 2 + tickets["alternate"]
    return np.where(tickets["stranger"], STRANGERS + tickets["id"], known)


def users(tickets: Columns, people: Columns, staff: Columns) -> Columns:
    """End users, who come to be with their first ticket, and the staff; ids are not row numbers."""
    asking, serving = _end_users(tickets, people), _staff_users(staff)
    return stack([asking, serving])


def _staff_users(staff: Columns) -> Columns:
    nobody = np.full(length(staff), NOBODY)
    return {
        "id": STAFF_USERS + staff["id"],
        "person": nobody,
        "alternate": np.zeros(length(staff), dtype=bool),
        "ticket": nobody,
        "agent": staff["id"],
        "created_at": staff["hired_at"],
        "edited_at": np.full(length(staff), NEVER),
        "erased_at": staff["left_at"],
    }


def _end_users(tickets: Columns, people: Columns) -> Columns:
    ids, first = np.unique(user_of(tickets), return_index=True)
    stranger = ids >= STRANGERS
    person = np.where(stranger, NOBODY, ids // 2)
    created = np.full(len(ids), np.datetime64("9999-01-01", "s"))
    np.minimum.at(created, np.searchsorted(ids, user_of(tickets)), tickets["created_at"])
    changed = only_if(~stranger, people["edited_at"][person])
    closed = only_if(~stranger, people["erased_at"][person])
    return {
        "id": ids,
        "person": person,
        "alternate": ~stranger & (ids % 2 == 1),
        "ticket": tickets["id"][first],
        "agent": np.full(len(ids), NOBODY),
        "created_at": created,
        "edited_at": only_if(changed > created, changed),
        "erased_at": only_if(closed > created, closed),
    }


def organizations(tickets: Columns, people: Columns, accounts: Columns) -> Columns:
    """Companies whose people have asked; one in a hundred is deleted later."""
    rows = np.flatnonzero(~tickets["stranger"] & people["business"][tickets["person"]])
    account = people["account"][tickets["person"][rows]]
    ids, _ = np.unique(account, return_index=True)
    created = np.full(len(ids), np.datetime64("9999-01-01", "s"))
    np.minimum.at(created, np.searchsorted(ids, account), tickets["created_at"][rows])
    edited, deleted = accounts["edited_at"][ids], accounts["deleted_at"][ids]
    return {
        "id": ids,
        "created_at": created,
        "edited_at": only_if(edited > created, edited),
        "deleted_at": only_if(deleted > created, deleted),
    }
