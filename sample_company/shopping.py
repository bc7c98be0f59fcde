"""What customers do and buy: orders with their deliveries and returns, deals with companies, and activities.

What lives here: the lives of orders, deals and activities, fixed on the day they begin. Not here: what people
feel about them.
"""

from __future__ import annotations

import numpy as np

from sample_company import vocabulary as words
from sample_company.draw import (
    DAY,
    HOUR,
    NOBODY,
    Bools,
    Columns,
    Floats,
    Ints,
    Times,
    after,
    chance,
    day_of,
    midnight,
    office_hours,
    only_if,
    pick,
    stack,
    take,
    weekday,
)
from sample_company.people import Minds, People, contact_in_use

WEEK = np.array((1.0, 0.95, 1.0, 1.05, 1.25, 1.15, 0.6))
"""Orders by weekday, Monday first, around 1."""

SALE = range(326, 334)
"""Days of the year of the big sale."""

FREE_FREIGHT_CENTS = 15_000

ORDER_CHANNELS = ("web", "app", "store", "phone")
ACTIVITIES = (
    "email_sent",
    "ad_click",
    "web_visit",
    "login",
    "call",
    "store_visit",
    "onboarding_call",
    "delivery_notice",
    "referral",
)
ACTIVITY_CHANNELS = ("email", "web", "web", "app", "phone", "store", "phone", "email", "web")
OUTBOUND = ("email_sent", "call", "onboarding_call", "delivery_notice")
LOGIN, ONBOARDING, NOTICE, REFERRAL = 3, 6, 7, 8


def season(day: int) -> float:
    """Demand of a day of the year, around 1: low in summer, high before Christmas, highest in the sale."""
    date = np.datetime64(day, "D")
    day_of_year = int((date - date.astype("datetime64[Y]").astype("datetime64[D]")).astype(np.int64))
    peak = 0.6 if day_of_year in SALE else 0.0
    return float(1 + 0.22 * np.cos(2 * np.pi * (day_of_year - 345) / 365) + peak)


def demand(day: int) -> float:
    """Orders expected on a day, around 1."""
    return season(day) * float(WEEK[weekday(day)])


def _moments(rng: np.random.Generator, n: int, day: int) -> Times:
    """Times within a day, more of them in the evening."""
    return after(np.full(n, midnight(day)), np.clip(rng.normal(15.5, 4.2, n), 0.0, 23.99) * HOUR)


def orders_of_day(rng: np.random.Generator, day: int, people: People, minds: Minds, n: int) -> Columns:
    """Orders placed on a day by the first n people."""
    rate = people.people["order_rate"][:n] * np.exp(0.35 * minds.mood[:n]) * demand(day)
    person = np.flatnonzero(chance(rng, n, rate) & (minds.left_day[:n] > day))
    placed = _moments(rng, len(person), day)
    begun = placed >= people.people["joined_at"][person]
    return _orders(rng, people, person[begun], placed[begun])


def orders_before(rng: np.random.Generator, people: People, n: int, start: int) -> Columns:
    """Orders of the first n people from before the start, up to the day they lapsed."""
    table = people.people
    until = np.fmin(table["lapsed_at"][:n], midnight(start - 12))
    days = (until - table["joined_at"][:n]).astype(np.int64) / DAY
    person = np.repeat(np.arange(n), rng.poisson(table["order_rate"][:n] * np.maximum(days, 0.0)))
    span = (until - table["joined_at"][:n]).astype(np.int64)[person]
    placed = after(table["joined_at"][person], rng.random(len(person)) * span)
    order = np.argsort(placed, kind="stable")
    return _orders(rng, people, person[order], placed[order])


def _orders(rng: np.random.Generator, people: People, person: Ints, placed: Times) -> Columns:
    n = len(person)
    table = people.people
    country = table["country"][person]
    channel = pick(rng, n, (0.5, 0.3, 0.12, 0.08))
    in_store = channel == 2  # noqa: PLR2004 - index of "store"
    promised = after(
        (placed.astype("datetime64[D]") + rng.integers(3, 7, n)).astype("datetime64[s]"),
        np.full(n, 18 * HOUR),
    )
    shipped = office_hours(rng, after(placed, rng.gamma(2.0, 9 * HOUR, n) + 2 * HOUR))
    late = chance(rng, n, np.where(country == 8, 0.25, 0.12) + 0.05 * (day_of(placed) % 7 == 1))  # noqa: PLR2004 - "PL"
    early_enough = (promised - shipped).astype(np.int64)
    travel = np.where(
        late,
        np.maximum(early_enough, 0) + DAY * (0.4 + rng.exponential(2.6, n)),
        np.clip(early_enough * (0.35 + 0.55 * rng.random(n)), 5 * HOUR, None),
    )
    delivered = after(shipped, travel)
    cancelled = chance(rng, n, 0.025) & ~in_store
    returned = chance(rng, n, 0.05 + 0.05 * late) & ~cancelled
    items = np.round(rng.lognormal(4.1, 0.7, n) * 100 * np.array(words.PRICE_LEVELS)[country]).astype(np.int64)
    freight = np.where(in_store | (items > FREE_FREIGHT_CENTS), 0, 490).astype(np.int64)
    hours_later = after(placed, np.full(n, 60))
    delivered = np.where(in_store, hours_later, delivered)
    returned_at = only_if(returned, after(delivered, DAY + rng.gamma(2.0, 4 * DAY, n)))
    corrected = chance(rng, n, 0.012) & ~in_store & ~cancelled
    return {
        "person": np.where(in_store & chance(rng, n, 0.3), NOBODY, person),
        "contact": contact_in_use(rng, people, person, placed),
        "country": country,
        "channel": channel,
        "placed_at": placed,
        "promised_at": only_if(~in_store, promised),
        # The promise as first typed in; the shop corrects it days later.
        "promised_wrong": corrected,
        "corrected_at": only_if(corrected, after(placed, DAY * (6 + rng.exponential(12, n)))),
        "shipped_at": only_if(~cancelled, np.where(in_store, hours_later, shipped)),
        "delivered_at": only_if(~cancelled & ~chance(rng, n, 0.004), delivered),
        "cancelled_at": only_if(cancelled, after(placed, rng.random(n) * 20 * HOUR)),
        "returned_at": returned_at,
        "refund": np.where(returned, items * np.where(chance(rng, n, 0.8), 100, 50) // 100, 0),
        "deleted_at": only_if(chance(rng, n, 0.002), after(placed, HOUR + rng.exponential(4 * DAY, n))),
        "items": items,
        "freight": freight,
        "first_ever": placed - table["joined_at"][person] < np.timedelta64(30 * DAY, "s"),
    }


def days_late(orders: Columns) -> Floats:
    """How many calendar days after the promise an order came; 0: on time."""
    late = orders["delivered_at"].astype("datetime64[D]") - orders["promised_at"].astype("datetime64[D]")
    known = ~np.isnat(late)
    return np.where(known, np.maximum(np.where(known, late, np.timedelta64(0, "D")).astype(np.float64), 0.0), 0.0)


def activities_of_day(rng: np.random.Generator, day: int, people: People, minds: Minds, n: int) -> Columns:
    """Campaigns, visits, logins and calls of a day. One visit in twenty is by nobody we know."""
    joined, left = people.people["joined_at"][:n], minds.left_day[:n]
    here = (left > day) & (joined < midnight(day))
    busy = demand(day)
    campaign = 0.25 if day % 14 == 2 else 0.0  # noqa: PLR2004 - every other Saturday
    parts = []
    for kind, probability in (
        (0, campaign),
        (1, 0.004),
        (2, 0.03 * busy),
        (3, 0.02),
        (4, 0.0008),
        (5, 0.002 * busy),
    ):
        reachable = here & ~people.people["opted_out"][:n] if kind == 0 else here
        person = np.flatnonzero(chance(rng, n, probability) & reachable)
        parts.append(_activities(rng, person, _moments(rng, len(person), day), np.full(len(person), kind)))
    parts.append(_onboarding(rng, day, joined, left))
    friends = np.flatnonzero(chance(rng, n, 0.0008 * np.exp(minds.mood[:n])) & here)
    parts.append(_activities(rng, friends, _moments(rng, len(friends), day), np.full(len(friends), REFERRAL)))
    return stack(parts)


def _onboarding(rng: np.random.Generator, day: int, joined: Times, left: Ints) -> Columns:
    """Onboarding calls, four days after joining, with seven of ten new customers."""
    new = (joined >= midnight(day - 4)) & (joined < midnight(day - 3)) & (left > day)
    person = np.flatnonzero(new & chance(rng, len(joined), 0.7))
    return _activities(
        rng, person, office_hours(rng, _moments(rng, len(person), day)), np.full(len(person), ONBOARDING)
    )


def welcomes_before(rng: np.random.Generator, people: People, n: int, start: int) -> Columns:
    """Onboarding calls and first logins of the first n people, from before the start."""
    joined, lapsed = people.people["joined_at"][:n], people.people["lapsed_at"][:n]
    four_days = after(joined, np.full(n, 4 * DAY))
    called = only_if(chance(rng, n, 0.7), office_hours(rng, four_days))
    # Logging in once in fifty days, as they do later.
    logged_in = after(joined, rng.exponential(50 * DAY, n))
    parts = []
    for kind, at in ((ONBOARDING, called), (LOGIN, logged_in)):
        person = np.flatnonzero((at < midnight(start)) & (four_days < midnight(start)) & ~(at > lapsed))
        parts.append(_activities(rng, person, at[person], np.full(len(person), kind)))
    past = stack(parts)
    return take(past, np.argsort(past["occurred_at"], kind="stable"))


def notices(rng: np.random.Generator, late: Columns) -> Columns:
    """Messages that tell customers by themselves that their order is late, for half of the late ones."""
    told = take(late, chance(rng, len(late["person"]), 0.5))
    part = _activities(rng, told["person"], told["at"], np.full(len(told["person"]), NOTICE))
    return {**part, "order": told["order"]}


def _activities(rng: np.random.Generator, person: Ints, at: Times, kind: Ints) -> Columns:
    n = len(person)
    return {
        "person": np.where((kind == 2) & chance(rng, n, 0.05), NOBODY, person),  # noqa: PLR2004 - index of "web_visit"
        "kind": kind.astype(np.int64),
        "order": np.full(n, NOBODY),
        "occurred_at": at,
        "deleted_at": only_if(chance(rng, n, 0.001), after(at, 10 * DAY * rng.random(n))),
    }


STAGES = ("Prospecting", "Qualification", "Proposal", "Negotiation")
DEAL_TYPES = ("New Business", "Renewal", "Expansion")
RENEWAL = 1


def deals_of_day(rng: np.random.Generator, day: int, people: People, minds: Minds, n: int, *, first: bool) -> Columns:
    """Deals opened with companies, on the first day at least one; a good mood wins more renewals."""
    table = people.people
    accounts = people.accounts
    theirs = accounts["business"] & (accounts["head"] < n) & (accounts["created_at"] < midnight(day))
    limit = int(np.searchsorted(accounts["head"], n))
    account = np.flatnonzero((chance(rng, limit, 1 / 100) | (np.arange(limit) == 0) & first) & theirs[:limit])
    head = accounts["head"][account]
    loyal = (minds.left_day[head] > day) | first
    account, head = account[loyal], head[loyal]
    k = len(account)
    kind = pick(rng, k, (0.2, 0.5, 0.3))
    created = office_hours(rng, _moments(rng, k, day))
    steps = [created]
    for _ in range(4):
        steps.append(office_hours(rng, after(steps[-1], HOUR + rng.exponential(8 * DAY, k))))
    won = chance(rng, k, np.clip(np.where(kind == RENEWAL, 0.8, 0.35) + 0.15 * minds.mood[head], 0.03, 0.97))
    amount = np.round(rng.lognormal(9.0, 0.8, k) * 100 * np.array(words.PRICE_LEVELS)[table["country"][head]])
    abandoned = chance(rng, k, 0.1)
    return {
        "account": account,
        "person": head,
        "contact": contact_in_use(rng, people, head, created),
        "country": table["country"][head],
        "kind": kind,
        "created_at": created,
        "stage_1_at": steps[1],
        "stage_2_at": steps[2],
        "stage_3_at": steps[3],
        "closed_at": only_if(~abandoned, steps[4]),
        "won": won & ~abandoned,
        "amount": amount.astype(np.int64),
        # What the customer bargained off before the deal closed, in percent.
        "discount": rng.integers(0, 15, k),
        "expected": day_of(created) + rng.integers(20, 60, k),
        "deleted_at": only_if(chance(rng, k, 0.02), after(created, HOUR + rng.exponential(20 * DAY, k))),
    }


def stage_changes(deals: Columns) -> Columns:
    """Stages entered by deals, up to the deal's deletion; `stage` 4 is lost, 5 is won."""
    n = len(deals["id"])
    parts = []
    for stage, moment in enumerate(("created_at", "stage_1_at", "stage_2_at", "stage_3_at", "closed_at")):
        at = only_if(~(deals[moment] > deals["deleted_at"]), deals[moment])
        entered = np.where(deals["won"], stage + 1, stage) if moment == "closed_at" else np.full(n, stage)
        parts.append({"id": deals["id"] * 8 + stage, "deal": deals["id"], "stage": entered, "at": at})
    rows = stack(parts)
    return take(rows, ~np.isnat(rows["at"]))


def lost_renewals(deals: Columns) -> Bools:
    """Deals after whose closing the company is no customer any more."""
    return np.asarray((deals["kind"] == RENEWAL) & ~deals["won"] & ~np.isnat(deals["closed_at"]))
