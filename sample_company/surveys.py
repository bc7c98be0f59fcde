"""What customers are asked and what they answer.

What lives here: the surveys, who is invited, and how an answer follows from what happened to the customer.
Not here: the survey product's columns (native_qualtrics.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from sample_company.draw import (
    DAY,
    HOUR,
    NEVER,
    NOBODY,
    Columns,
    Floats,
    Ints,
    after,
    chance,
    length,
    midnight,
    only_if,
    pick,
    stack,
    take,
)
from sample_company.people import MAIL_BAD, MAIL_NONE, Minds, People


@dataclass(frozen=True)
class Survey:
    """One survey and its score question."""

    id: str
    name: str
    metric: Literal["nps", "csat", "ces"]
    kind: Literal["relational", "transactional"]
    touchpoint: str | None
    wording: str
    low: int
    high: int
    reversed: bool = False
    positive: tuple[int, ...] | None = None


SURVEYS = (
    Survey("SV_nps_relationship", "Relationship NPS", "nps", "relational", None,
           "How likely are you to recommend Nordlicht Home to a friend or colleague?", 0, 10),
    Survey("SV_nps_purchase", "Purchase NPS", "nps", "transactional", "order_web",
           "After your last order: how likely are you\nto recommend us to a friend?", 0, 10),
    Survey("SV_csat_delivery", "Delivery CSAT", "csat", "transactional", "order_delivered",
           "How satisfied are you with the delivery of your order?", 1, 5, positive=(4, 5)),
    Survey("SV_csat_onboarding", "Onboarding CSAT", "csat", "transactional", "onboarding_call",
           'How satisfied are you with your "welcome call"?', 1, 5, positive=(4, 5)),
    Survey("SV_ces_support", "Support CES", "ces", "transactional", "support_solved",
           "Nordlicht Home made it easy for me to handle my issue.", 1, 7, positive=(5, 6, 7)),
    Survey("SV_ces_live", "Chat and phone CES", "ces", "transactional", "support_solved",
           "How much effort did it take you to handle your issue?", 1, 7, reversed=True, positive=(1, 2, 3)),
)  # fmt: skip
RELATIONSHIP, PURCHASE, DELIVERY, ONBOARDING, SUPPORT, LIVE = range(6)

INVITED, ANONYMOUS, PREVIEW, SPAM = range(4)
"""How a response came about."""

QUARTER_DAYS = 91
"""Everybody is asked about the relationship once in this time."""

REST_DAYS = 5
"""Nobody is invited to a second survey about a single contact within this time."""


def invitations(
    rng: np.random.Generator, survey: int, triggers: Columns, people: People, minds: Minds, *, day: int
) -> Columns:
    """Invitations sent on a day, at most one per person, with all that becomes of them.

    Args:
        rng: Random numbers of the day.
        survey: Index into SURVEYS.
        triggers: person, order, ticket, at, pain (days late, or trouble on the ticket), one row per occasion.
        people: Everybody.
        minds: What they feel today. `invited_day` is updated.
        day: Today, in days since 1970.
    """
    person = triggers["person"]
    table = people.people
    rested = (minds.invited_day[person] < day - REST_DAYS) | (survey == RELATIONSHIP)
    asked = (person != NOBODY) & (minds.left_day[person] > day) & rested & ~table["opted_out"][person]
    asked &= table["mail"][person] != MAIL_NONE
    rows = np.flatnonzero(asked)
    _, once = np.unique(person[rows], return_index=True)
    chosen = take(triggers, rows[np.sort(once)])
    minds.invited_day[chosen["person"]] = day
    return _lives(rng, np.full(length(chosen), survey), chosen, people, minds)


def _lives(rng: np.random.Generator, survey: Ints, chosen: Columns, people: People, minds: Minds) -> Columns:
    n = len(survey)
    person = chosen["person"]
    mood = np.where(person == NOBODY, 0.0, minds.mood[person])
    score = _scores(rng, survey, mood, chosen["pain"])
    sent = after(chosen["at"], HOUR * (1 + 3 * rng.random(n)))
    bounced = (people.people["mail"][person] == MAIL_BAD) | chance(rng, n, 0.006)
    opened = ~bounced & chance(rng, n, 0.62)
    started = opened & chance(rng, n, 0.52)
    finished = started & chance(rng, n, 0.92)
    opened_at = only_if(opened, after(sent, 30 + rng.exponential(9 * HOUR, n)))
    started_at = only_if(started, after(opened_at, 5 + 60 * rng.random(n)))
    finished_at = only_if(finished, after(started_at, 20 + rng.exponential(120, n)))
    edited = finished & chance(rng, n, 0.015)
    low, high = _bounds(survey)
    return {
        "how": np.full(n, INVITED),
        "survey": survey,
        "person": person,
        "order": chosen["order"],
        "ticket": chosen["ticket"],
        "by_sms": chance(rng, n, 0.15),
        "sent_at": sent,
        "bounced_at": only_if(bounced, after(sent, np.full(n, 40))),
        "opened_at": opened_at,
        "started_at": started_at,
        "finished_at": finished_at,
        # The product records an unfinished response a week after its start.
        "recorded_at": np.where(finished, finished_at, after(started_at, np.full(n, 7 * DAY))),
        "opted_out_at": only_if(opened & ~started & chance(rng, n, 0.02), after(opened_at, np.full(n, 20))),
        "edited_at": only_if(edited, after(finished_at, DAY * (1 + rng.exponential(6, n)))),
        "score": score,
        "edited_score": np.clip(score + rng.choice((-3, -2, 2, 3), n), low, high),
        "reason": pick(rng, n, (1.0,) * 6),
        "verbatim": np.where(chance(rng, n, 0.45), rng.integers(0, 1_000_000, n), NOBODY),
    }


def _bounds(survey: Ints) -> tuple[Ints, Ints]:
    return np.array([s.low for s in SURVEYS])[survey], np.array([s.high for s in SURVEYS])[survey]


def _scores(rng: np.random.Generator, survey: Ints, mood: Floats, pain: Floats) -> Ints:
    """Answers on the scale of the question as asked; a reversed question gets reversed answers."""
    n = len(survey)
    noise = rng.normal(0, 1, n)
    delivered = np.where(pain > 0, 2.6 - 0.25 * np.minimum(pain, 5), 4.35)
    opinion = np.choose(
        survey,
        (
            7.9 + 1.9 * mood + 1.5 * noise,
            8.1 + 1.5 * mood + 1.5 * noise,
            delivered + 0.35 * mood + 0.75 * noise,
            4.85 + 0.15 * mood + 0.45 * noise,
            6.7 - 0.75 * pain + 0.4 * mood + 0.9 * noise,
            6.7 - 0.75 * pain + 0.4 * mood + 0.9 * noise,
        ),
    )
    low, high = _bounds(survey)
    score = np.clip(np.rint(opinion), low, high).astype(np.int64)
    return np.where(survey == LIVE, low + high - score, score)


def goodness(survey: Ints, score: Ints) -> Floats:
    """Answers on 0 (worst) to 1 (best)."""
    low, high = _bounds(survey)
    share = (score - low) / (high - low)
    return np.asarray(np.where(survey == LIVE, 1 - share, share))


def walk_ins(rng: np.random.Generator, deliveries: Columns | None, people: People, minds: Minds, day: int) -> Columns:
    """Responses nobody was invited to: by the code printed on the parcel, previews by staff, and spam.

    Whoever scans the code stays anonymous: the person is known to the world, not to the extracts. At least
    one a day, so that even the smallest company's export is never empty.
    """
    extra = 1 + int(chance(rng, 1, 0.15)[0]) + int(chance(rng, 1, 0.2)[0])
    at = np.sort(after(np.full(extra, midnight(day)), rng.random(extra) * 16 * HOUR))
    nobody = np.full(extra, NOBODY)
    strangers = {"person": nobody, "order": nobody, "ticket": nobody, "at": at, "pain": np.zeros(extra)}
    chosen = strangers
    if deliveries:
        scanned = take(deliveries, np.flatnonzero(chance(rng, length(deliveries), 0.05)))
        chosen = stack([{**scanned, "order": np.full(length(scanned), NOBODY)}, strangers])
    n = length(chosen)
    lives = _lives(rng, np.full(n, DELIVERY), chosen, people, minds)
    how = np.full(n, ANONYMOUS)
    how[n - extra + 1 :] = np.where(rng.random(extra - 1) < 0.4, PREVIEW, SPAM)  # noqa: PLR2004 - two in five
    started = after(chosen["at"], 60 * rng.random(n))
    finished = after(started, 10 + rng.exponential(60, n))
    nothing = np.full(n, NEVER)
    return {
        **lives,
        "how": how,
        "by_sms": np.zeros(n, dtype=bool),
        "sent_at": nothing,
        "bounced_at": nothing,
        "opened_at": nothing,
        "opted_out_at": nothing,
        "edited_at": nothing,
        "started_at": started,
        "finished_at": finished,
        "recorded_at": finished,
    }
