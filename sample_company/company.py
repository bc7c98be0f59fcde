"""The company and its days: one simulation, day by day, that is a function of the seed and the date alone.

What lives here: `Company`, `World` and the order in which things happen within a day. A record's whole life
is drawn on the day it begins; what an extract shows of it is a matter of the extract's date (extract.py). So
the world through a later day extends the world through an earlier one. Not here: the ideas themselves
(people, shopping, support, surveys).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from sample_company import desk, shopping, support, surveys
from sample_company.draw import (
    HOUR,
    NOBODY,
    Agenda,
    Columns,
    Growing,
    Ints,
    after,
    chance,
    generator,
    length,
    midnight,
    take,
)
from sample_company.people import Minds, People, people_through, staff

LOW_SCORE = 0.4
"""Answers below this, on 0 to 1, make some customers leave."""

EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True)
class Company:
    """What names a world.

    Attributes:
        seed: Not negative; another seed is another world.
        customers: People who are customers at the start; more join every day.
        start: First day of the simulation.
    """

    seed: int = 20_260_101
    customers: int = 2_000
    start: date = date(2026, 1, 1)


@dataclass(frozen=True)
class World:
    """Everything that happened through a day, as tables; later times are plans no extract shows yet."""

    company: Company
    through: date
    people: People
    staff: Columns
    orders: Columns
    activities: Columns
    deals: Columns
    tickets: Columns
    cases: Columns
    surveys: Columns
    left_day: Ints


@dataclass(frozen=True)
class _Tables:
    orders: Growing
    activities: Growing
    deals: Growing
    tickets: Growing
    cases: Growing
    surveys: Growing


def days_since_1970(day: date) -> int:
    """Day number as the simulation counts."""
    return day.toordinal() - EPOCH


def simulate(company: Company, through: date) -> World:
    """The world from the start through a day."""
    start, last = days_since_1970(company.start), days_since_1970(through)
    seed, customers = company.seed, company.customers
    people = people_through(seed, customers, start, last)
    tables = _Tables(*(Growing() for _ in range(6)))
    scene = _Scene(people, staff(seed, customers, start), Minds.of(people.people), tables, Agenda())
    earlier = shopping.orders_before(generator(seed, "past", start), people, customers, start)
    _plan_orders(generator(seed, "past reasons", start), earlier, scene)
    past = shopping.welcomes_before(generator(seed, "past welcomes", start), people, customers, start)
    tables.activities.add(past)
    for day in range(start, last + 1):
        _live(_Day(seed, start, day, int(people.joined_by[day - start])), scene)
    return World(
        company=company,
        through=through,
        people=people,
        staff=scene.team,
        orders=tables.orders.columns(),
        activities=tables.activities.columns(),
        deals=tables.deals.columns(),
        tickets=tables.tickets.columns(),
        cases=tables.cases.columns(),
        surveys=tables.surveys.columns(),
        left_day=scene.minds.left_day,
    )


@dataclass(frozen=True)
class _Scene:
    """Who acts, what they feel, what has happened so far and what is planned."""

    people: People
    team: Columns
    minds: Minds
    tables: _Tables
    agenda: Agenda


@dataclass(frozen=True)
class _Day:
    seed: int
    start: int
    day: int
    n: int
    """How many people have joined by the end of the day."""

    def draws(self, topic: str) -> np.random.Generator:
        return generator(self.seed, topic, self.day)


def _live(today: _Day, scene: _Scene) -> None:
    """One day: moods settle, people buy, browse, ask, are asked, and some leave."""
    _settle(today, scene)
    _leave(today, scene)
    orders = shopping.orders_of_day(today.draws("orders"), today.day, scene.people, scene.minds, today.n)
    _plan_orders(today.draws("reasons"), orders, scene)
    _browse(today, scene)
    _deal(today, scene)
    _ask_for_help(today, scene)
    _ask_for_scores(today, scene)


def _settle(today: _Day, scene: _Scene) -> None:
    """What was felt today moves the mood; without news it returns to the person's temper."""
    scene.minds.mood[: today.n] += 0.015 * (scene.people.people["temper"][: today.n] - scene.minds.mood[: today.n])
    felt = scene.agenda.due("felt", today.day)
    if felt:
        known = felt["person"] != NOBODY
        np.add.at(scene.minds.mood, felt["person"][known], felt["change"][known])
        np.clip(scene.minds.mood, -2.0, 2.0, out=scene.minds.mood)


def _leave(today: _Day, scene: _Scene) -> None:
    """Customers leave, sooner in a bad mood; some right after a bad score; a company after a lost renewal."""
    rng = today.draws("leaving")
    quiet = chance(rng, today.n, 0.0006 * np.exp(-1.6 * scene.minds.mood[: today.n]))
    quiet &= scene.people.people["joined_at"][: today.n] < midnight(today.day - 30)
    leaving = [np.flatnonzero(quiet)]
    answered = scene.agenda.due("low score", today.day)
    if answered:
        leaving.append(answered["person"][chance(rng, length(answered), 0.12)])
    lost = scene.agenda.due("lost renewal", today.day)
    if lost:
        leaving.append(np.flatnonzero(np.isin(scene.people.people["account"], lost["account"])))
    gone = np.concatenate(leaving)
    scene.minds.left_day[gone] = np.minimum(scene.minds.left_day[gone], today.day)


def _plan_orders(rng: np.random.Generator, orders: Columns, scene: _Scene) -> None:
    ids = scene.tables.orders.add(orders)
    late = shopping.days_late(orders)
    facts = {"person": orders["person"], "order": ids, "ticket": np.full(len(ids), NOBODY), "pain": late}
    scene.agenda.plan("delivered", {**facts, "at": orders["delivered_at"]})
    week = after(orders["delivered_at"], np.full(len(ids), 7 * 24 * HOUR))
    scene.agenda.plan("used", take({**facts, "at": week}, chance(rng, len(ids), 0.35)))
    notice = after(orders["promised_at"], np.full(len(ids), -6 * HOUR))
    scene.agenda.plan("late notice", take({**facts, "at": notice}, late > 0))
    scene.agenda.plan("help", support.reasons_in({**orders, "order": ids}, rng))
    change = np.where(late > 0, -0.25 - 0.06 * np.minimum(late, 5), 0.05)
    scene.agenda.plan("felt", {"person": orders["person"], "at": orders["delivered_at"], "change": change})


def _browse(today: _Day, scene: _Scene) -> None:
    rng = today.draws("activities")
    activities = shopping.activities_of_day(rng, today.day, scene.people, scene.minds, today.n)
    scene.tables.activities.add(activities)
    calls = take(activities, activities["kind"] == shopping.ONBOARDING)
    scene.agenda.plan("onboarded", {"person": calls["person"], "at": calls["occurred_at"]})
    scene.agenda.plan(
        "felt", {"person": calls["person"], "at": calls["occurred_at"], "change": np.full(length(calls), 0.4)}
    )
    late = scene.agenda.due("late notice", today.day)
    if late:
        scene.tables.activities.add(shopping.notices(rng, take(late, late["person"] != NOBODY)))


def _deal(today: _Day, scene: _Scene) -> None:
    deals = shopping.deals_of_day(
        today.draws("deals"), today.day, scene.people, scene.minds, today.n, first=today.day == today.start
    )
    scene.tables.deals.add(deals)
    lost = take(deals, shopping.lost_renewals(deals))
    scene.agenda.plan("lost renewal", {"account": lost["account"], "at": lost["closed_at"]})


def _ask_for_help(today: _Day, scene: _Scene) -> None:
    rng = today.draws("support")
    outage = support.is_outage(today.day, today.start)
    asked = support.spontaneous(rng, today.day, scene.people, scene.minds, today.n, outage=outage)
    planned = scene.agenda.due("help", today.day)
    if planned:
        still = take(planned, scene.minds.left_day[planned["person"]] > today.day)
        asked = {name: np.concatenate([asked[name], still[name]]) for name in asked}
    asked = take(asked, np.argsort(asked["at"], kind="stable"))
    asked, in_crm = support.split_cases(rng, asked, scene.people)
    scene.tables.cases.add(support.cases(rng, in_crm, scene.people))
    load = support.load_of(length(asked), today.n)
    lives = support.tickets(rng, asked, scene.people, scene.team, load)
    first = scene.tables.tickets.size
    lives["merged_into"] = np.where(lives["merged_into"] == NOBODY, NOBODY, lives["merged_into"] + first)
    ids = scene.tables.tickets.add(lives)
    trouble = support.trouble(lives)
    solved = support.solved_for_good(lives)
    who = np.where(lives["stranger"], NOBODY, lives["person"])
    facts = {"person": who, "order": lives["order"], "ticket": ids, "at": solved, "pain": trouble}
    scene.agenda.plan("solved", {**facts, "live": np.isin(lives["channel"], (support.CHAT, support.PHONE))})
    scene.agenda.plan("felt", {"person": who, "at": solved, "change": 0.15 - 0.15 * trouble})


def _ask_for_scores(today: _Day, scene: _Scene) -> None:
    """Surveys about what happened today, and the quarterly one to those whose day it is."""
    rng = today.draws("surveys")
    people, minds, agenda = scene.people, scene.minds, scene.agenda
    delivered, solved = agenda.due("delivered", today.day), agenda.due("solved", today.day)
    occasions = [(surveys.DELIVERY, delivered), (surveys.PURCHASE, agenda.due("used", today.day))]
    if called := agenda.due("onboarded", today.day):
        occasions.append((surveys.ONBOARDING, _about_nothing(called)))
    if solved:
        live = solved.pop("live")
        occasions += [(surveys.LIVE, take(solved, live)), (surveys.SUPPORT, take(solved, ~live))]
    occasions.append((surveys.RELATIONSHIP, _their_turn(today, people)))
    sent = [surveys.walk_ins(rng, delivered, people, minds, today.day)]
    sent += [surveys.invitations(rng, which, due, people, minds, day=today.day) for which, due in occasions if due]
    for answers in sent:
        scene.tables.surveys.add(answers)
        low = surveys.goodness(answers["survey"], answers["score"]) < LOW_SCORE
        bad = take(answers, low & (answers["how"] == surveys.INVITED))
        agenda.plan("low score", {"person": bad["person"], "at": bad["finished_at"]})


def _their_turn(today: _Day, people: People) -> Columns:
    """Customers of at least a month who are asked today how they feel about the company as a whole."""
    table = take(people.people, np.arange(today.n))
    turn = table["survey_day"] == (today.day - today.start) % surveys.QUARTER_DAYS
    person = np.flatnonzero(turn & (table["joined_at"] < midnight(today.day - 30)))
    return _about_nothing({"person": person, "at": np.full(len(person), midnight(today.day) + np.timedelta64(8, "h"))})


def _about_nothing(due: Columns) -> Columns:
    nothing = np.full(length(due), NOBODY)
    return {**due, "order": nothing, "ticket": nothing, "pain": np.zeros(len(nothing))}


def records(world: World) -> dict[str, Columns]:
    """Every table of the world by name, with those that follow from it."""
    people, tickets = world.people, world.tickets
    return {
        "account": people.accounts,
        "person": {**people.people, "left_day": world.left_day},
        "contact": people.contacts,
        "staff": world.staff,
        "orders": world.orders,
        "activity": world.activities,
        "deal": world.deals,
        "stage": shopping.stage_changes(world.deals),
        "ticket": {**tickets, "user": desk.user_of(tickets)},
        "audit": desk.audits(tickets),
        "clock": desk.clock_events(tickets),
        "users": desk.users(tickets, people.people, world.staff),
        "organization": desk.organizations(tickets, people.people, people.accounts),
        "cases": world.cases,
        "survey": {
            **world.surveys,
            "goodness": surveys.goodness(world.surveys["survey"], world.surveys["score"]),
        },
    }
