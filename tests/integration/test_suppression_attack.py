"""An attack on every mart that hides cells: nothing of fewer people than may be shown can be worked out from the rest.

Facts of companies with many small cells, the marts made of them, the people of every cell counted here, and every
equation between cells the marts' definitions make. Not here: the algebra (suppression_attack.py), which cells exactly
are hidden (the recounts of each area).
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from dbt_harness import DbtProject, Warehouse
from journey_recount import channel_records, map_by_period, read_facts, ways_of
from suppression_attack import adds_up, worked_out
from suppression_company import AS_OF, SmallCompany

MARTS = (
    "mart_channel_consistency", "mart_customer_value", "mart_feedback_theme", "mart_feedback_utilisation",
    "mart_journey_map", "mart_journey_path", "mart_retention_cohort", "mart_service_scorecard", "mart_survey_funnel",
)  # fmt: skip
SEEDS = range(1, 6) if os.environ.get("JOURNEYMART_CHAOS") == "long" else (1,)
ALL = "all"
YEAR = ("last_365_days", date(2025, 1, 1))

Cell = tuple[Any, ...]


@dataclass
class Target:
    """What an attacker of one figure has before them.

    Attributes:
        people: The people of every cell, shown or not.
        shown: The cells whose figure can be read.
        equations: What holds between cells.
        least: Fewest people a cell may show.
    """

    people: dict[Cell, int]
    shown: set[Cell]
    equations: list[dict[Cell, int]]
    least: int = 5

    def broken_into(self, shown: set[Cell]) -> list[tuple[Cell, ...]]:
        """What is worked out when these cells are shown."""
        return worked_out(self.equations, {cell: n for cell, n in self.people.items() if cell not in shown}, self.least)


@pytest.fixture(scope="module", params=SEEDS)
def company(
    request: pytest.FixtureRequest, dbt_project: DbtProject, tmp_path_factory: pytest.TempPathFactory
) -> Warehouse:
    """The marts of one company's facts."""
    build = tmp_path_factory.mktemp("attacked") / "build"
    dbt_project.stand(build)
    small = SmallCompany(request.param)
    small.fill(build)
    dbt_project.build(build, dbt_project.between(small.tables.keys(), MARTS), full_refresh=True)
    return Warehouse(dbt_project, build.parent, as_of=AS_OF, _build=build)


@pytest.fixture(scope="module")
def targets(company: Warehouse) -> dict[str, Target]:
    """By mart and figure."""
    return {
        **journey_map(company), **paths(company), **channels(company), **scorecard(company), **funnel(company),
        **themes(company), **utilisation(company), **values(company), **cohorts(company),
    }  # fmt: skip


@pytest.mark.promise("hidden")
def test_nothing_hidden_can_be_worked_out(targets: dict[str, Target]) -> None:
    found = {name: target.broken_into(target.shown)[:5] for name, target in targets.items()}
    assert {name: cells for name, cells in found.items() if cells} == {}


@pytest.mark.promise("hidden")
def test_no_cell_of_few_people_is_shown(targets: dict[str, Target]) -> None:
    small = {
        name: [cell for cell in target.shown if 0 < target.people[cell] < target.least]
        for name, target in targets.items()
    }
    assert {name: cells for name, cells in small.items() if cells} == {}


def test_hiding_nothing_but_small_cells_would_give_them_away(targets: dict[str, Target]) -> None:
    """The attack does find what there is to find: without company, small cells come back in every mart."""
    found = {
        name: target.broken_into({cell for cell, n in target.people.items() if n == 0 or n >= target.least})
        for name, target in targets.items()
    }
    assert [name for name, cells in found.items() if not cells] == []


def test_enough_is_shown_and_enough_is_hidden(targets: dict[str, Target]) -> None:
    shares = {name: len(target.shown) / len(target.people) for name, target in targets.items()}
    assert {name: share for name, share in shares.items() if not 0.1 < share < 1} == {}


def test_a_hidden_row_says_nothing(company: Warehouse) -> None:
    figures = {
        "mart_channel_consistency": "n, customers, numerator, denominator, value, ci_low, ci_high, p10, p50, p90",
        "mart_customer_value": "n, numerator, denominator, value, ci_low, ci_high",
        "mart_feedback_theme": "items, weighted_items, share, mention_rate, ci_low, ci_high, scores, difference",
        "mart_feedback_utilisation": "items, linked, themed, responded, actioned, used, used_rate, used_ci_low",
        "mart_journey_map": "entered, customers, progressed, dropped, still_open, progress_rate, minutes_to_next_p50",
        "mart_journey_path": "transitions, customers, share_of_from, minutes_p50, minutes_p90, path_rank",
        "mart_retention_cohort": "customers, retained, logo_retention, ci_low, ci_high, contract_customers",
        "mart_service_scorecard": "n, numerator, denominator, value, ci_low, ci_high",
        "mart_survey_funnel": "invited, delivered, completed, response_rate, ci_low, ci_high",
    }
    for mart, columns in figures.items():
        told = company.values(
            f"select count(*) from cx_marts.main.{mart} where is_suppressed and coalesce("
            + ", ".join(f"cast({column} as varchar)" for column in columns.split(", "))
            + ") is not null"
        )
        assert told == [0], mart


def totals(places: Iterable[Cell], axis: int) -> Iterable[dict[Cell, int]]:
    """Members along one place of the cell add up to `all`."""
    return adds_up(places, lambda cell: None if cell[axis] == ALL else (*cell[:axis], ALL, *cell[axis + 1 :]))


def of_year(cell: Cell) -> Cell | None:
    """The same cell of the last 365 days; cells of periods end with period and first day."""
    return (*cell[:-2], *YEAR) if cell[-2] == "month" else None


def true_ones(
    equations: Iterable[dict[Cell, int]], numbers: dict[Cell, float], group: Callable[[Cell], Cell]
) -> list[dict[Cell, int]]:
    """Equations of groups in which all hold, as an attacker would guess; `group` names that of a total."""
    groups: dict[Cell, list[dict[Cell, int]]] = defaultdict(list)
    for equation in equations:
        groups[group(next(iter(equation)))].append(equation)
    return [
        equation
        for found in groups.values()
        if all(sum(of * numbers[cell] for cell, of in equation.items()) == 0 for equation in found)
        for equation in found
    ]


def journey_map(company: Warehouse) -> dict[str, Target]:
    truth = {
        (*cell, period, first): row
        for period, first, cells in map_by_period(read_facts(company))
        for cell, row in cells.items()
    }
    rows = company.rows("select * from cx_marts.main.mart_journey_map")
    found = {}
    for figure, part in (
        ("entered", "_flow"), ("customers", "_flow"), ("progressed", "_flow"), ("scores", "_score"),
        ("low_scores", "_exit"),
    ):  # fmt: skip
        numbers = {cell: row[figure] for cell, row in truth.items()}
        equations = [
            *totals(numbers, 1),
            *true_ones(totals(numbers, 3), numbers, lambda cell: (cell[0], cell[2], *cell[4:])),
            *true_ones(adds_up(numbers, of_year), numbers, lambda cell: (cell[0], *cell[2:4])),
        ]
        shown = {
            (row["journey"], row["segment"], row["step"], row["touchpoint"], row["period"], row["period_start"])
            for row in rows
            if row[figure] is not None
        }
        found[f"journey map, {figure}"] = Target({cell: row[part] for cell, row in truth.items()}, shown, equations)
    return found


def paths(company: Warehouse) -> dict[str, Target]:
    """Who shares tell how many left a touchpoint in all; ways beyond the most frequent ones are not in the mart."""
    people: dict[Cell, set[int]] = defaultdict(set)
    for way in ways_of(read_facts(company)):
        journey, origin, goal = way["way"]
        for period in (("month", way["day"].replace(day=1)), YEAR):
            for to in (goal, ALL):
                people[journey, origin, to, *period].add(way["who"])
    rows = company.rows("select * from cx_marts.main.mart_journey_path where not is_suppressed")
    shown = {
        (row["journey"], row["from_touchpoint"], to, row["period"], row["period_start"])
        for row in rows
        for to in (row["to_touchpoint"], ALL)
    }
    equations = [*totals(people, 2), *adds_up(people, of_year)]
    return {"paths": Target({cell: len(who) for cell, who in people.items()}, shown, equations)}


def channels(company: Warehouse) -> dict[str, Target]:
    people: dict[Cell, set[int]] = defaultdict(set)
    for record in channel_records(read_facts(company)):
        for period in (("month", record["day"].replace(day=1)), YEAR):
            for channel in (record["channel"], ALL):
                people[record["kpi"], channel, *period].add(record["who"])
    rows = company.rows("select * from cx_marts.main.mart_channel_consistency where n is not null")
    shown = {(row["kpi"], row["channel"], row["period"], row["period_start"]) for row in rows}
    equations = [*totals(people, 1), *adds_up(people, of_year)]
    return {"channels": Target({cell: len(who) for cell, who in people.items()}, shown, equations)}


def scorecard(company: Warehouse) -> dict[str, Target]:
    """Records count here, not people."""
    records = company.rows(
        """
        select measure, (day // 100) as month, team, agent_key from (
            select
                unnest(['tickets_solved', 'reopen_rate', 'escalation_rate', 'first_tier_rate']) as measure,
                first_solved_date_key as day, team, agent_key
            from cx_marts.main.fct_ticket where first_solved_date_key > 0
            union all
            select
                unnest(['first_reply_minutes_median', 'first_reply_minutes_p90']), first_reply_date_key, team, agent_key
            from cx_marts.main.fct_ticket
            union all
            select 'csat', answers.answered_date_key, team, answers.agent_key
            from cx_marts.main.fct_survey_answer as answers inner join cx_marts.main.fct_ticket using (ticket_key)
        )
        """
    )
    people: dict[Cell, int] = defaultdict(int)
    for row in records:
        for team, agent in ((ALL, ALL), (row["team"], ALL), (row["team"], row["agent_key"])):
            people[row["measure"], row["month"], team, agent] += 1
    rows = company.rows("select * from cx_marts.main.mart_service_scorecard where n is not null")
    shown = {
        (row["measure"], row["month_start"].year * 100 + row["month_start"].month, row["team"],
         row["agent_key"] if row["level"] == "agent" else ALL)
        for row in rows
    }  # fmt: skip

    def total_of(cell: Cell) -> Cell | None:
        if cell[3] != ALL:
            return (*cell[:3], ALL)
        return None if cell[2] == ALL else (*cell[:2], ALL, ALL)

    same = [
        {(one, *cell[1:]): 1, (other, *cell[1:]): -1}
        for one, other in (("tickets_solved", "reopen_rate"), ("first_reply_minutes_median", "first_reply_minutes_p90"))
        for cell in people
        if cell[0] == one
    ]
    equations = [*adds_up(people, total_of), *same]
    return {"scorecard": Target(dict(people), shown & set(people), equations, least=10)}


def counted(
    company: Warehouse, sql: str, cells: Callable[[dict[str, Any]], Iterable[Cell]], who: str
) -> dict[Cell, int]:
    """The people of each cell the rows of a query count in."""
    people: dict[Cell, set[Any]] = defaultdict(set)
    for row in company.rows(sql):
        for cell in cells(row):
            people[cell].add(row[who])
    return {cell: len(found) for cell, found in people.items()}


MONTH = "make_date(date_key // 10000, date_key // 100 % 100, 1) as month"


def funnel(company: Warehouse) -> dict[str, Target]:
    people = counted(
        company,
        f"select *, {MONTH} from cx_marts.main.fct_survey_invitation",
        lambda row: [
            (row["month"], survey, channel) for survey in (row["survey_key"], ALL) for channel in (row["channel"], ALL)
        ],
        "customer_key",
    )
    shown = {
        (row["month_start"], ALL if row["survey_key"] == -1 else row["survey_key"], row["channel"])
        for row in company.rows("select * from cx_marts.main.mart_survey_funnel where invited is not null")
    }
    return {"funnel": Target(people, shown, [*totals(people, 1), *totals(people, 2)])}


def themes(company: Warehouse) -> dict[str, Target]:
    """Every item has one theme here."""
    people = counted(
        company,
        f"""select *, {MONTH} from cx_marts.main.fct_feedback
        inner join cx_marts.main.bridge_feedback_theme using (feedback_key) where source_type <> 'employee'""",
        lambda row: [(row["month"], row["theme_key"]), (row["month"], ALL)],
        "customer_key",
    )
    rows = company.rows("select * from cx_marts.main.mart_feedback_theme where voice = 'customer'")
    shown = {(row["month_start"], row["theme_key"]) for row in rows if row["items"] is not None}
    shown |= {(row["month_start"], ALL) for row in rows if row["all_items"] is not None}
    return {"themes": Target(people, shown, [*totals(people, 1)])}


def utilisation(company: Warehouse) -> dict[str, Target]:
    people = counted(
        company,
        f"select *, {MONTH} from cx_marts.main.fct_feedback where source_type <> 'employee'",
        lambda row: [(row["month"], row["source_type"]), (row["month"], ALL)],
        "customer_key",
    )
    rows = company.rows(
        "select * from cx_marts.main.mart_feedback_utilisation where items is not null and source_type <> 'employee'"
    )
    return {
        "utilisation": Target(people, {(row["month_start"], row["source_type"]) for row in rows}, [*totals(people, 1)])
    }


def values(company: Warehouse) -> dict[str, Target]:
    """The headcounts behind the metrics: how many are active, and how many ever bought, in all and by currency."""

    def cells(row: dict[str, Any]) -> Iterable[Cell]:
        for segment in (row["segment"], ALL):
            about = (row["month_start"], segment)
            if row["is_active"]:
                yield from ((*about, metric, ALL, ALL) for metric in ACTIVE)
                yield (*about, "cost_to_serve_per_active", ALL, row["cost_currency"])
                if row["nps_class"]:
                    yield (*about, "retention_90_days_after", row["nps_class"], ALL)
            yield (*about, "repeat_purchase_rate_lifetime", ALL, ALL)
            yield (*about, "pareto_share_of_all_buyers", ALL, row["currency"])
            if row["net_amount_365_days"] > 0:
                yield (*about, "pareto_share", ALL, row["currency"])

    people = counted(
        company, "select * from cx_marts.main.fct_customer_month where cumulative_orders > 0", cells, "customer_key"
    )
    shown = {
        (row["month_start"], row["segment"], row["metric"], row["member"], row["currency"] or ALL)
        for row in company.rows("select * from cx_marts.main.mart_customer_value where n is not null")
    } & set(people)
    same = [
        {cell: 1, (*cell[:2], other, *cell[3:]): -1} for other in ACTIVE[1:] for cell in people if cell[2] == ACTIVE[0]
    ]
    sums = {
        "cost_to_serve_per_active": "active_customers",
        "pareto_share_of_all_buyers": "repeat_purchase_rate_lifetime",
    }
    by_currency = adds_up(people, lambda cell: (*cell[:2], sums[cell[2]], ALL, ALL) if cell[2] in sums else None)
    return {"value": Target(people, shown, [*totals(people, 1), *same, *by_currency])}


ACTIVE = ("active_customers", "repeat_purchase_rate_365_days", "contacts_per_100_active")


def cohorts(company: Warehouse) -> dict[str, Target]:
    """A segment is that of the first month, here the same ever after; in every month all who joined are counted."""
    people = counted(
        company,
        "select * from cx_marts.main.fct_customer_month",
        lambda row: [(row["cohort_month"], row["month_start"], segment) for segment in (row["segment"], ALL)],
        "customer_key",
    )
    shown = {
        (row["cohort_month"], row["month_start"], row["segment"])
        for row in company.rows("select * from cx_marts.main.mart_retention_cohort where customers is not null")
    }
    same = [{cell: 1, (cell[0], cell[0], cell[2]): -1} for cell in people if cell[1] != cell[0]]
    return {"cohorts": Target(people, shown, [*totals(people, 2), *same])}
