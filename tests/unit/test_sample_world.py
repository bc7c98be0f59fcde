"""The sample company's world is a function of seed and date, and it behaves like a business."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from sample_company import shopping, support, surveys
from sample_company.company import Company, World, days_since_1970, records, simulate
from sample_company.draw import NOBODY, day_of, length

COMPANY = Company(seed=11, customers=800)


@pytest.fixture(scope="module")
def world() -> World:
    return simulate(COMPANY, date(2026, 6, 27))


@pytest.mark.parametrize(
    ("seed", "customers", "shorter", "longer"),
    [
        (1, 40, date(2026, 1, 2), date(2026, 1, 3)),
        (2, 1, date(2026, 2, 1), date(2026, 3, 1)),
        (3, 300, date(2026, 3, 20), date(2026, 3, 27)),
    ],
)
def test_a_longer_simulation_begins_with_the_shorter_one(
    seed: int, customers: int, shorter: date, longer: date
) -> None:
    company = Company(seed=seed, customers=customers)
    before, after = records(simulate(company, shorter)), records(simulate(company, longer))
    known_by = np.datetime64(shorter, "s") + np.timedelta64(1, "D")
    for name in (
        "orders",
        "activity",
        "ticket",
        "cases",
        "survey",
        "person",
        "contact",
        "account",
        "deal",
        "audit",
    ):
        for column, values in before[name].items():
            if column == "left_day":
                continue  # What is known by then is compared below.
            np.testing.assert_array_equal(
                values, after[name][column][: len(values)], err_msg=f"{name}.{column}", strict=True
            )
    n = length(before["person"])
    left_before, left_after = before["person"]["left_day"], after["person"]["left_day"][:n]
    known = left_after <= days_since_1970(shorter)
    np.testing.assert_array_equal(left_before[known], left_after[known])
    born = {"orders": "placed_at", "ticket": "created_at", "activity": "occurred_at", "deal": "created_at"}
    for name, moment in born.items():
        new = after[name][moment][length(before[name]) :]
        assert not (new < known_by - np.timedelta64(1, "D")).any(), name


def test_another_seed_is_another_world(world: World) -> None:
    other = simulate(Company(seed=12, customers=800), date(2026, 1, 5))
    assert not np.array_equal(other.people.people["first"][:100], world.people.people["first"][:100])


def test_sundays_are_quiet_and_fridays_busy(world: World) -> None:
    days = day_of(world.orders["placed_at"])
    days = days[days >= days_since_1970(COMPANY.start)]
    by_weekday = np.bincount((days + 3) % 7, minlength=7)
    assert by_weekday[6] < 0.8 * by_weekday[:5].mean()
    assert by_weekday[4] == by_weekday.max()


def test_december_sells_more_than_july() -> None:
    year = [shopping.season(days_since_1970(date(2026, month, 10))) for month in (7, 12)]
    assert year[1] > 1.3 * year[0]


def test_the_service_fails_on_some_days_and_people_ask_about_it(world: World) -> None:
    days = day_of(world.tickets["created_at"])
    per_day = np.bincount(days - days.min())
    outage = days_since_1970(COMPANY.start) + support.OUTAGE_EVERY
    assert per_day[outage - days.min()] > 4 * np.median(per_day)
    assert (world.tickets["reason"][days == outage] == support.OUTAGE).mean() > 0.6


def test_late_deliveries_are_the_trough_and_onboarding_calls_the_peak(world: World) -> None:
    answers = world.surveys
    finished = ~np.isnat(answers["finished_at"])
    mood = surveys.goodness(answers["survey"], answers["score"])
    late = np.zeros(len(finished), dtype=bool)
    about = answers["order"] != NOBODY
    late[about] = shopping.days_late(world.orders)[answers["order"][about]] > 0
    delivery = finished & (answers["survey"] == surveys.DELIVERY) & about
    csat_late, csat_on_time = mood[delivery & late].mean(), mood[delivery & ~late].mean()
    assert csat_late < csat_on_time - 0.3
    others = {number: mood[finished & (answers["survey"] == number)].mean() for number in range(len(surveys.SURVEYS))}
    assert others[surveys.ONBOARDING] == max(others.values())
    assert csat_late < min(others.values())


def test_a_reversed_question_gets_reversed_answers(world: World) -> None:
    answers = world.surveys
    finished = ~np.isnat(answers["finished_at"])
    raw = {n: answers["score"][finished & (answers["survey"] == n)].mean() for n in (surveys.SUPPORT, surveys.LIVE)}
    assert raw[surveys.LIVE] < 4 < raw[surveys.SUPPORT]


def test_unhappy_customers_leave_more_often(world: World) -> None:
    answers = world.surveys
    asked = ~np.isnat(answers["finished_at"]) & (answers["survey"] == surveys.RELATIONSHIP)
    asked &= (answers["person"] != NOBODY) & (answers["sent_at"] < np.datetime64("2026-04-15"))
    left = world.left_day[answers["person"]] <= days_since_1970(world.through)
    detractor, promoter = asked & (answers["score"] <= 6), asked & (answers["score"] >= 9)
    assert left[detractor].mean() > 1.5 * left[promoter].mean()


def test_events_of_a_ticket_are_in_order(world: World) -> None:
    audits = records(world)["audit"]
    same = audits["ticket"][1:] == audits["ticket"][:-1]
    assert (audits["at"][1:][same] >= audits["at"][:-1][same]).all()
    assert (audits["from_status"][1:][same] == audits["to_status"][:-1][same]).all()
    assert (audits["kind"][np.flatnonzero(np.diff(audits["ticket"], prepend=-1))] == 0).all()


def test_some_tickets_are_ignored_some_merged_some_reopened(world: World) -> None:
    tickets = world.tickets
    assert 0.01 < np.isnat(tickets["first_reply_at"]).mean() < 0.25
    merged = np.flatnonzero(~np.isnat(tickets["merged_at"]))
    target = tickets["merged_into"][merged]
    assert len(merged)
    assert (tickets["person"][target] == tickets["person"][merged]).all()
    assert np.isnat(tickets["merged_at"][target]).all()
    assert (~np.isnat(tickets["reopened_at"])).sum() > 10
