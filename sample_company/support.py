"""Requests for help: tickets with everything that happens on them, and cases in the CRM.

What lives here: why people ask, how long they wait, and the life of a ticket, fixed on the day it is opened.
Not here: the audits and clock events that follow from it (desk.py).
"""

from __future__ import annotations

import numpy as np

from sample_company.draw import (
    DAY,
    HOUR,
    NEVER,
    NOBODY,
    Columns,
    Floats,
    Ints,
    Times,
    after,
    chance,
    midnight,
    office_hours,
    only_if,
    pick,
    stack,
    take,
    weekday,
)
from sample_company.people import Minds, People

LATE, BILLING, DEFECT, HOW_TO, RETURN, OUTAGE, CONTRACT = range(7)
EMAIL, CHAT, PHONE, WEB, SOCIAL = range(5)
SERVICE, BILLING_TEAM, TECHNICAL, TIER_2, COMPLAINTS = range(5)

TEAM_OF_REASON = np.array((SERVICE, BILLING_TEAM, TECHNICAL, SERVICE, SERVICE, TECHNICAL, BILLING_TEAM))
WAIT_OF_CHANNEL = np.array((3.5 * HOUR, 240, 30, 5.0 * HOUR, 1.2 * HOUR))
"""Median seconds to the first human reply on a quiet day."""

WEEK = np.array((1.5, 1.2, 1.1, 1.0, 0.9, 0.6, 0.5))
"""Spontaneous questions by weekday, Monday first."""

OUTAGE_EVERY = 83
"""The service fails for a day every 83 days after the start."""

LEAST_PER_DAY = 3
"""Questions asked on the quietest day of the smallest company."""


def is_outage(day: int, start: int) -> bool:
    """Whether the service fails on this day."""
    return day > start and (day - start) % OUTAGE_EVERY == 0


def reasons_in(orders: Columns, rng: np.random.Generator) -> Columns:
    """Which orders will make their buyer ask for help, why, and when."""
    n = len(orders["person"])
    waiting = orders["delivered_at"] > after(orders["promised_at"], np.full(n, 6 * HOUR))
    lost = np.isnat(orders["delivered_at"]) & ~np.isnat(orders["shipped_at"])
    parts = [
        (
            chance(rng, n, 0.4) & (waiting | lost),
            after(orders["promised_at"], rng.exponential(20 * HOUR, n)),
            LATE,
        ),
        (chance(rng, n, 0.05), after(orders["delivered_at"], rng.exponential(3 * DAY, n)), DEFECT),
        (chance(rng, n, 0.35), after(orders["returned_at"], rng.exponential(2 * DAY, n)), RETURN),
        (chance(rng, n, 0.02), after(orders["placed_at"], rng.exponential(5 * DAY, n)), BILLING),
    ]
    return stack([_asked(orders["person"], orders["order"], only_if(asks, at), reason) for asks, at, reason in parts])


def _asked(person: Ints, order: Ints, at: Times, reason: int) -> Columns:
    known = person != NOBODY
    n = int(known.sum())
    return {"person": person[known], "order": order[known], "at": at[known], "reason": np.full(n, reason)}


def spontaneous(rng: np.random.Generator, day: int, people: People, minds: Minds, n: int, *, outage: bool) -> Columns:
    """Questions without an order behind them: how-to, contracts, and the flood on an outage day."""
    table = people.people
    new = table["joined_at"][:n] > midnight(day - 21)
    rate = (0.0035 + 0.02 * new) * WEEK[weekday(day)]
    here = (minds.left_day[:n] > day) & (table["joined_at"][:n] < midnight(day))
    asking = chance(rng, n, rate) & here
    asking |= here & (np.cumsum(here) <= LEAST_PER_DAY) & (asking.sum() < LEAST_PER_DAY)
    asker = np.flatnonzero(asking)
    hour = np.clip(rng.normal(12, 3.5, len(asker)), 0, 23.9)
    reason = np.where(table["business"][asker] & chance(rng, len(asker), 0.4), CONTRACT, HOW_TO)
    parts = [_without_order(asker, after(np.full(len(asker), midnight(day)), hour * HOUR), reason)]
    if outage:
        hit = np.flatnonzero(chance(rng, n, 0.06) & here)
        hours = 8 + rng.exponential(2.0, len(hit)).clip(0, 15)
        parts.append(
            _without_order(hit, after(np.full(len(hit), midnight(day)), hours * HOUR), np.full(len(hit), OUTAGE))
        )
    return stack(parts)


def _without_order(person: Ints, at: Times, reason: Ints) -> Columns:
    return {
        "person": person,
        "order": np.full(len(person), NOBODY),
        "at": at,
        "reason": reason.astype(np.int64),
    }


def split_cases(rng: np.random.Generator, asked: Columns, people: People) -> tuple[Columns, Columns]:
    """Questions that reach the help desk, and those of companies that are handled as cases in the CRM."""
    in_crm = people.people["business"][asked["person"]] & chance(rng, len(asked["person"]), 0.4)
    return take(asked, ~in_crm), take(asked, in_crm)


def cases(rng: np.random.Generator, asked: Columns, people: People) -> Columns:
    """Lives of CRM cases."""
    n = len(asked["person"])
    created = asked["at"]
    closed = only_if(~chance(rng, n, 0.05), office_hours(rng, after(created, HOUR + rng.exponential(30 * HOUR, n))))
    escalated = chance(rng, n, 0.1)
    return {
        **{name: asked[name] for name in ("person", "order", "reason")},
        "contact": people.first_contact[asked["person"]],
        "origin": pick(rng, n, (0.4, 0.3, 0.3)),
        "created_at": created,
        "escalated_at": only_if(escalated, after(created, 600 + 3000 * rng.random(n))),
        "closed_at": closed,
        "closed_on_create": chance(rng, n, 0.03),
        "deleted_at": only_if(chance(rng, n, 0.02), after(created, HOUR + rng.exponential(10 * DAY, n))),
    }


def load_of(tickets: int, people: int) -> float:
    """How much longer than usual people wait: 1 on a normal day, more when tickets pile up."""
    return float(max(1.0, tickets / max(8.0, 0.02 * people)) ** 1.4)


def tickets(rng: np.random.Generator, asked: Columns, people: People, staff: Columns, load: float) -> Columns:
    """Lives of tickets: every time at which something will happen on them."""
    n = len(asked["person"])
    reason, created, table = asked["reason"], asked["at"], people.people
    usual = table["channel"][asked["person"]]
    channel = np.where(chance(rng, n, 0.55), usual, pick(rng, n, (0.38, 0.22, 0.16, 0.17, 0.07)))
    stranger = chance(rng, n, 0.04) & (asked["order"] == NOBODY)
    complaint = chance(rng, n, np.where(reason == LATE, 0.25, 0.06))
    phone, chat = channel == PHONE, channel == CHAT
    outreach = (reason == LATE) & chance(rng, n, 0.12) & ~complaint
    bot_replies = chance(rng, n, np.where(chat, 0.75, np.where(phone, 0.0, 0.3))) & ~outreach
    bot_solves = bot_replies & chat & (reason == HOW_TO) & chance(rng, n, 0.5)
    ignored = chance(rng, n, 0.02) & ~phone & ~bot_solves & ~outreach
    human = ~ignored & ~bot_solves

    waits = WAIT_OF_CHANNEL[channel] * load * rng.lognormal(0.0, 0.8, n)
    bot_at = only_if(bot_replies, after(created, 5 + 60 * rng.random(n)))
    assigned_at = only_if(human, after(created, 1 + 0.4 * waits * rng.random(n)))
    reply = after(created, 70 + waits)
    first_reply_at = only_if(human, np.where(chat | phone, reply, office_hours(rng, reply)))
    reassigned = human & chance(rng, n, 0.15)
    gap = np.where(human, (first_reply_at - assigned_at).astype(np.int64), 0)
    reassigned_at = only_if(reassigned, after(assigned_at, 1 + np.maximum(gap - 2, 0) * rng.random(n)))
    note_at = only_if(human & chance(rng, n, 0.3), after(first_reply_at, 30 + 600 * rng.random(n)))
    goes_on = human & chance(rng, n, 0.55)
    back_at = only_if(goes_on, after(first_reply_at, 900 + rng.exponential(4 * HOUR, n)))
    second = after(back_at, 120 + WAIT_OF_CHANNEL[channel] * load * rng.lognormal(0.2, 0.7, n))
    second_reply_at = only_if(goes_on, np.where(chat, second, office_hours(rng, second)))
    last = np.where(goes_on, second_reply_at, first_reply_at)
    escalated = human & chance(rng, n, 0.05 + 0.10 * complaint)
    escalated_at = only_if(escalated, after(last, 300 + 3000 * rng.random(n)))
    last = np.where(escalated, escalated_at, last)
    held = human & (reason == DEFECT) & chance(rng, n, 0.3)
    held_at = only_if(held, after(last, 200 + 600 * rng.random(n)))
    last = np.where(held, held_at, last)
    work = np.where(phone | chat, 900, 9 * HOUR) * rng.lognormal(0, 0.9, n) + 2 * DAY * held + 6 * HOUR * escalated
    stuck = chance(rng, n, 0.02)
    solved = np.where(chat | phone, after(last, 720 + work), office_hours(rng, after(last, 720 + work)))
    solved = np.where(bot_solves, after(bot_at, np.full(n, 1800)), solved)
    solved_at = only_if((human & ~stuck) | bot_solves, solved)
    reopened = chance(rng, n, 0.05 + 0.08 * bot_solves)
    reopened_at = only_if(reopened, after(solved_at, np.clip(rng.exponential(20 * HOUR, n), 1800, 90 * HOUR)))
    resolved = office_hours(rng, after(reopened_at, 1200 + rng.exponential(14 * HOUR, n)))
    resolved_at = only_if(reopened & ~chance(rng, n, 0.05), resolved)
    final = np.where(reopened, resolved_at, solved_at)
    lives = {
        **asked,
        "stranger": stranger,
        "alternate": chance(rng, n, 0.03) & ~stranger,
        "channel": channel,
        "complaint": complaint,
        # Opened by an agent who writes first, before the customer asks.
        "outreach": outreach,
        "subject": rng.integers(0, 1_000_000, n),
        "team": np.where(complaint & chance(rng, n, 0.5), COMPLAINTS, TEAM_OF_REASON[reason]),
        "urgent": reason == OUTAGE,
        "bot_solves": bot_solves,
        "created_at": created,
        "bot_at": bot_at,
        "assigned_at": assigned_at,
        "reassigned_at": reassigned_at,
        "first_reply_at": first_reply_at,
        "note_at": note_at,
        "back_at": back_at,
        "second_reply_at": second_reply_at,
        "escalated_at": escalated_at,
        "held_at": held_at,
        "solved_at": solved_at,
        "reopened_at": reopened_at,
        "resolved_at": resolved_at,
        "closed_at": after(final, np.full(n, 4 * DAY)),
        "merged_at": np.full(n, NEVER),
        "merged_into": np.full(n, NOBODY),
        "deleted_at": only_if(chance(rng, n, 0.012), after(created, 1200 + rng.exponential(2 * DAY, n))),
    }
    del lives["at"]
    lives.update(_people_in_charge(rng, lives, staff))
    lives.update(_ratings(rng, lives, people))
    return _silent_once_gone(_with_merged(rng, lives))


def _people_in_charge(rng: np.random.Generator, lives: Columns, staff: Columns) -> Columns:
    """Who works on each ticket: the first agent, the one it is handed to, and the one it is escalated to."""
    n = len(lives["created_at"])
    return {
        "agent": _on_duty(rng, staff, lives["team"], lives["created_at"]),
        "next_agent": _on_duty(rng, staff, lives["team"], lives["created_at"]),
        "senior_agent": _on_duty(rng, staff, np.full(n, TIER_2), lives["created_at"]),
    }


def _on_duty(rng: np.random.Generator, staff: Columns, team: Ints, at: Times) -> Ints:
    """Somebody of the team who is employed at that time; of any team where that one is empty."""
    chosen = np.full(len(team), NOBODY)
    if not len(team):
        return chosen
    when = at.min()
    employed = ~staff["is_bot"] & (staff["hired_at"] <= when) & ~(staff["left_at"] <= when)
    for group in range(5):
        members = np.flatnonzero(employed & (staff["group"] == group))
        pool = members if len(members) else np.flatnonzero(employed)
        mine = team == group
        chosen[mine] = pool[rng.integers(0, len(pool), int(mine.sum()))]
    return chosen


def _ratings(rng: np.random.Generator, lives: Columns, people: People) -> Columns:
    """The help desk's own rating: offered a day after solving, given by some, sometimes changed."""
    n = len(lives["created_at"])
    final = np.where(np.isnat(lives["reopened_at"]), lives["solved_at"], lives["resolved_at"])
    offered = ~np.isnat(final) & (lives["channel"] != PHONE) & chance(rng, n, 0.7) & ~lives["bot_solves"]
    offered_at = only_if(offered, after(final, np.full(n, DAY)))
    good = chance(
        rng,
        n,
        1 / (1 + np.exp(-(2.2 - 0.9 * trouble(lives) + 0.8 * people.people["temper"][lives["person"]]))),
    )
    rated_at = only_if(offered & chance(rng, n, 0.3), after(offered_at, 600 + rng.exponential(10 * HOUR, n)))
    return {
        "offered_at": offered_at,
        "rated_at": rated_at,
        "rated_good": good,
        "rerated_at": only_if(chance(rng, n, 0.04), after(rated_at, HOUR + rng.exponential(2 * DAY, n))),
        "rating_comment": np.where(chance(rng, n, 0.4), rng.integers(0, 1_000_000, n), NOBODY),
    }


def trouble(lives: Columns) -> Floats:
    """What a customer went through on a ticket, 0 (nothing) to about 6."""
    wait = (lives["first_reply_at"] - lives["created_at"]).astype("timedelta64[s]")
    hours = np.where(np.isnat(wait), 8 * HOUR, wait.astype(np.int64)) / HOUR
    return (
        0.6 * np.log1p(np.maximum(hours, 0.0))
        + 1.0 * ~np.isnat(lives["reopened_at"])
        + 0.7 * ~np.isnat(lives["reassigned_at"])
        + 0.5 * ~np.isnat(lives["escalated_at"])
    )


def solved_for_good(lives: Columns) -> Times:
    """When the ticket is solved and stays so; NEVER where it is not."""
    final = np.where(np.isnat(lives["reopened_at"]), lives["solved_at"], lives["resolved_at"])
    return only_if(np.isnat(lives["deleted_at"]), final)


def _with_merged(rng: np.random.Generator, lives: Columns) -> Columns:
    """Add the second tickets of people who asked twice; an agent merges them into the first.

    `merged_into` counts from the first row of this table: the caller adds the id of that row.
    """
    n = len(lives["created_at"])
    twice = chance(rng, n, 0.02) & ~np.isnat(lives["first_reply_at"]) & np.isnat(lives["deleted_at"])
    rows = np.flatnonzero(twice & (lives["channel"] != PHONE) & (lives["channel"] != CHAT))
    if not len(rows):
        return lives
    second = take(lives, rows)
    gap = (second["first_reply_at"] - second["created_at"]).astype(np.int64)
    # Still on the day of the first one, so that ids grow with the day of creation.
    day_end = (second["created_at"].astype("datetime64[D]") + 1).astype("datetime64[s]") - np.timedelta64(1, "s")
    created = np.minimum(after(second["created_at"], 60 + gap * 0.5), day_end)
    nothing: Times = np.full(len(rows), NEVER)
    dead = {name: nothing for name in second if name.endswith("_at")}
    second = {
        **second,
        **dead,
        "created_at": created,
        "channel": np.full(len(rows), WEB),
        "merged_at": after(np.maximum(lives["first_reply_at"][rows], created), np.full(len(rows), 240)),
        "merged_into": rows,
        "complaint": np.zeros(len(rows), dtype=bool),
        "outreach": np.zeros(len(rows), dtype=bool),
    }
    return stack([lives, second])


def _silent_once_gone(lives: Columns) -> Columns:
    """Nothing happens on a deleted ticket."""
    gone = lives["deleted_at"]
    return {
        name: only_if(~(values > gone), values) if name.endswith("_at") else values for name, values in lives.items()
    }
