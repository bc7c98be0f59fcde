"""Who there is: accounts (households and companies), people, their CRM contacts, and the staff.

What lives here: lives of people as customers, fixed on the day they join: edits, duplicates, merges, erasure.
Not here: what they do (shopping.py, support.py), and how records are written out (native_*.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from sample_company import vocabulary as words
from sample_company.draw import (
    DAY,
    HOUR,
    NEVER,
    NOBODY,
    Bools,
    Columns,
    Floats,
    Growing,
    Ints,
    Times,
    after,
    chance,
    generator,
    length,
    midnight,
    only_if,
    pick,
)

MAIL_GOOD, MAIL_SHARED, MAIL_BAD, MAIL_UNTIDY, MAIL_NONE = range(5)
"""How the e-mail address of a person stands in the CRM."""

PAST_DAYS = 730
"""How long before the start the first customers joined."""

JOINS_PER_DAY = 0.0008
"""New customers per day, as a share of those at the start."""

BOTS = 2
"""The first members of staff are automated."""

STAFF_LEAVES_AFTER = 180
"""Days after the start on which the first member of staff leaves (and a new one has come)."""


@dataclass(frozen=True)
class People:
    """Tables `accounts`, `people`, `contacts`; ids are row numbers, ordered by the day of joining.

    Attributes:
        joined_by: How many people had joined by the end of the n-th day after the start.
        first_contact: Original CRM contact of each person.
        double: Duplicate CRM contact of each person, or NOBODY.
    """

    accounts: Columns
    people: Columns
    contacts: Columns
    joined_by: Ints
    first_contact: Ints
    double: Ints


def people_through(seed: int, customers: int, start: int, through: int) -> People:
    """Everybody who joined up to a day (days since 1970)."""
    accounts, people, contacts = Growing(), Growing(), Growing()
    joined_by = []
    for day in range(start, through + 1):
        rng = generator(seed, "people", day)
        n = customers if day == start else int(rng.poisson(customers * JOINS_PER_DAY))
        if n:
            span = PAST_DAYS * DAY if day == start else DAY
            joins = after(np.full(n, midnight(day)), np.sort(rng.random(n)) * span - (span if day == start else 0))
            _join(rng, joins, midnight(start), (accounts, people, contacts))
        joined_by.append(people.size)
    records = _with_lives(contacts.columns(), people.columns())
    first, double = np.full(people.size, NOBODY), np.full(people.size, NOBODY)
    first[records["person"][~records["is_duplicate"]]] = records["id"][~records["is_duplicate"]]
    double[records["person"][records["is_duplicate"]]] = records["id"][records["is_duplicate"]]
    return People(accounts.columns(), people.columns(), records, np.array(joined_by, dtype=np.int64), first, double)


def _with_lives(contacts: Columns, people: Columns) -> Columns:
    """Contacts with the times their person's data is edited (on the original) and erased (everywhere)."""
    created, person = contacts["created_at"], contacts["person"]
    edited, erased = people["edited_at"][person], people["erased_at"][person]
    return {
        **contacts,
        "edited_at": only_if(~contacts["is_duplicate"] & (edited > created), edited),
        "erased_at": only_if(erased > created, erased),
    }


def _join(
    rng: np.random.Generator, joins: Times, start: np.datetime64, tables: tuple[Growing, Growing, Growing]
) -> None:
    accounts, people, contacts = tables
    n = len(joins)
    business, head = _households_and_companies(rng, n)
    if not accounts.size:
        business[0] = True  # Even the smallest company sells to a company, its first customer.
    account = accounts.size + np.cumsum(head) - 1
    accounts.add(_accounts(rng, business[head], joins[head], people.size + np.flatnonzero(head), accounts.size))
    person = people.add(_people(rng, joins, business, account, start))
    contacts.add(
        {
            "person": person,
            "is_duplicate": np.zeros(n, dtype=bool),
            "created_at": joins,
            "merged_at": np.full(n, NEVER),
        }
    )
    doubled = chance(rng, n, 0.04)
    if doubled.any():
        contacts.add(_duplicates(rng, person[doubled], np.maximum(joins[doubled], start)))


def _households_and_companies(rng: np.random.Generator, n: int) -> tuple[Bools, Bools]:
    """For each of n people in a row: in a company? first of their account?"""
    business = chance(rng, n, 0.05)
    sizes = np.where(business, 2 + rng.poisson(2.5, n), 1 + chance(rng, n, 0.3) + chance(rng, n, 0.1))
    starts = np.cumsum(sizes) - sizes
    starts, business = starts[starts < n], business[starts < n]
    head = np.zeros(n, dtype=bool)
    head[starts] = True
    return business[np.cumsum(head) - 1], head


def _accounts(rng: np.random.Generator, business: Bools, joins: Times, head: Ints, first: int) -> Columns:
    n = len(business)
    parent = np.floor(rng.random(n) * (first + np.arange(n))).astype(np.int64)
    has_parent = business & chance(rng, n, 0.25) & (first + np.arange(n) > 0)
    employees = np.where(business, np.exp(rng.normal(3.5, 1.2, n)).astype(np.int64) + 1, 0)
    return {
        "business": business,
        "head": head.astype(np.int64),
        # A drawn parent may be a household: the export then shows none (native_salesforce.py).
        "parent": np.where(has_parent, parent, NOBODY),
        "industry": pick(rng, n, (1.0,) * len(words.INDUSTRIES)),
        "employees": employees,
        "revenue": (employees * rng.lognormal(11, 0.4, n)).astype(np.int64),
        "name": rng.integers(0, 1_000_000, n),
        "created_at": joins,
        "edited_at": after(joins, rng.exponential(500 * DAY, n)),
        "deleted_at": only_if(business & chance(rng, n, 0.01), after(joins, rng.exponential(300 * DAY, n))),
    }


def _people(rng: np.random.Generator, joins: Times, business: Bools, account: Ints, start: np.datetime64) -> Columns:
    n = len(joins)
    country = pick(rng, n, words.COUNTRY_WEIGHTS)
    first, last = rng.integers(0, 1_000_000, n), rng.integers(0, 1_000_000, n)
    twin = chance(rng, n, 0.01)
    twin[0] = False
    before = np.arange(n) - 1
    since = np.maximum(joins, start)
    segment = np.where(business, 3 + chance(rng, n, 0.2), pick(rng, n, (0.6, 0.28, 0.12)))
    rates = np.exp(rng.normal(-4.2, 0.7, n)) * np.array((0.8, 1.2, 1.9, 0.7, 1.0))[segment]
    return {
        "account": account.astype(np.int64),
        "business": business,
        "country": np.where(twin, country[before], country),
        "first": np.where(twin, first[before], first),
        "last": np.where(twin, last[before], last),
        "twin": twin,
        "segment": segment.astype(np.int64),
        "lead": pick(rng, n, words.LEAD_WEIGHTS),
        "channel": pick(rng, n, words.CHANNEL_WEIGHTS),
        "provider": pick(rng, n, (0.3, 0.14, 0.14, 0.14, 0.04, 0.09, 0.08, 0.07)),
        "opted_out": chance(rng, n, 0.06),
        "mail": np.where(
            business & chance(rng, n, 0.12), MAIL_SHARED, pick(rng, n, (0.93, 0.0, 0.02, 0.03, 0.02))
        ).astype(np.int64),
        "phone": pick(rng, n, (0.3, 0.15, 0.15, 0.15, 0.1, 0.15)),
        "phone_number": rng.integers(1_000_000, 9_999_999, n),
        "formula": chance(rng, n, 0.002),
        "joined_at": joins,
        "edited_at": after(since, rng.exponential(300 * DAY, n)),
        "erased_at": only_if(chance(rng, n, 0.04), after(since, rng.exponential(400 * DAY, n))),
        # Customers from before the start may have left already.
        "lapsed_at": only_if(
            chance(rng, n, 0.25) & (joins < start),
            after(joins, rng.random(n) * (start - joins).astype(np.int64)),
        ),
        "temper": rng.normal(0.25, 0.5, n),
        "order_rate": rates,
        "survey_day": rng.integers(0, 91, n),
    }


def _duplicates(rng: np.random.Generator, person: Ints, since: Times) -> Columns:
    """Second CRM records of the same people, most of them merged into the first one later."""
    n = len(person)
    created = after(since, rng.exponential(80 * DAY, n))
    return {
        "person": person,
        "is_duplicate": np.ones(n, dtype=bool),
        "created_at": created,
        "merged_at": only_if(chance(rng, n, 0.65), after(created, HOUR + rng.exponential(30 * DAY, n))),
    }


def contact_in_use(rng: np.random.Generator, people: People, person: Ints, at: Times) -> Ints:
    """The CRM contact a transaction of that time names: half of them take the duplicate while it lives."""
    contacts = people.contacts
    other = people.double[person]
    alive = (other != NOBODY) & (contacts["created_at"][other] < at)
    alive &= np.isnat(contacts["merged_at"][other]) | (contacts["merged_at"][other] > at)
    return np.where(alive & chance(rng, len(person), 0.5), other, people.first_contact[person])


def staff(seed: int, customers: int, start: int) -> Columns:
    """The service staff, bots first. One leaves after 180 days, then every 90 days; each is replaced."""
    n = max(12, customers // 150)
    turnover = max(1, n // 3)
    total = n + turnover
    rng = generator(seed, "staff", 0)
    departures = midnight(start) + (STAFF_LEAVES_AFTER + 90 * np.arange(turnover)) * np.timedelta64(DAY, "s")
    everyone = np.arange(total)
    is_bot = everyone < BOTS
    teams = np.where(everyone % 7 == 6, 3, np.where(everyone % 9 == 8, 4, everyone % 3))  # noqa: PLR2004 - a mix
    return {
        "id": everyone,
        "group": np.where(is_bot, 0, teams),
        "is_bot": is_bot,
        "name": rng.integers(0, 1_000_000, total),
        "hired_at": np.concatenate([np.full(n, midnight(start - 900)), departures + np.timedelta64(DAY, "s")]),
        "left_at": np.concatenate([np.full(n - turnover, NEVER), departures[::-1], np.full(turnover, NEVER)]),
        "trained_at": midnight(start) + rng.integers(-300, 400, total) * np.timedelta64(DAY, "s"),
    }


@dataclass
class Minds:
    """What customers feel and whether they are still customers; the only state that days hand on.

    Attributes:
        mood: About -2 (furious) to 2 (delighted), by person.
        left_day: Day since 1970 on which the person stopped being a customer; a far day: still one.
        invited_day: Last day on which a survey was sent.
    """

    mood: Floats
    left_day: Ints
    invited_day: Ints

    @classmethod
    def of(cls, people: Columns) -> Minds:
        """Everybody as they join."""
        ends = np.fmin(people["erased_at"], people["lapsed_at"])
        left = np.where(np.isnat(ends), FAR_DAY, ends.astype("datetime64[D]").astype(np.int64))
        n = length(people)
        return cls(people["temper"].astype(np.float64), left, np.full(n, -FAR_DAY))


FAR_DAY = date(9999, 1, 1).toordinal()
