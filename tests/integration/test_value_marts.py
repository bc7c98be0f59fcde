"""The value marts against their definitions counted again, and the ways to get customer value wrong, by name.

One warehouse, two nights, read by every test: what the definitions count is what a rebuild makes too. Not here: the
second writing of the definitions (value_recount.py), formulas on single numbers (dbt unit tests), random histories
(test_marts_history.py).
"""

from __future__ import annotations

import os
import random
from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest
from dbt_harness import DbtProject, Warehouse
from value_recount import Company, Recount

from tests.counting.calendar import last_day
from tests.counting.equality import same, unequal

MODELS = "fct_customer_month mart_retention_cohort mart_customer_value"
AS_OF = date(2025, 12, 17)
NIGHTS = (date(2025, 10, 5), AS_OF)
STEPS = ["int_customer__attributes", "int_customer_value__standing", "int_customer_value__followed"]
TABLES = [*(f"intermediate.{step}" for step in STEPS), *(f"cx_marts.main.{table}" for table in MODELS.split())]
CORRECTED = {
    "canonical.contact": {"segment": "enterprise"},
    "canonical.order": {"item_amount": 1, "refund_amount": None},
    "canonical.ticket": {"is_complaint": True, "is_deleted": False},
    "canonical.survey_answer": {"score": 1},
}
# Intervals of amounts are made of figures that were rounded before.
same_amount = partial(same, tolerance=2e-4)
COUNTS = ("numerator", "denominator", "n", "value", "ci_low", "ci_high")


@pytest.fixture(scope="module")
def company() -> Company:
    return Company(5, 720)


@pytest.fixture(scope="module")
def marts(company: Company, dbt_project: DbtProject, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """Two nights: half of what is known, then, two months later, the rest and what was corrected."""
    warehouse = Warehouse(dbt_project, tmp_path_factory.mktemp("value"), select=MODELS)
    for rows, as_of in zip(company.nights(len(NIGHTS)), NIGHTS, strict=True):
        warehouse.night(rows, as_of=as_of)
    return warehouse


@pytest.fixture(scope="module")
def recount(company: Company, marts: Warehouse) -> Recount:
    keys = marts.rows("select contact_id, customer_key from intermediate.map_customer_identity")
    return Recount(company, {row["contact_id"]: row["customer_key"] for row in keys}, AS_OF)


def by(rows: list[dict[str, Any]], *names: str) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Rows by the columns that name them."""
    return {tuple(row[name] for name in names): row for row in rows}


def months_of(marts: Warehouse, contact: str) -> dict[str, dict[str, Any]]:
    """A customer's months, by year and month."""
    rows = marts.rows(
        "select months.* from cx_marts.main.fct_customer_month as months "
        "join intermediate.map_customer_identity using (customer_key) where contact_id = ?",
        contact,
    )
    return {f"{row['month_start']:%Y-%m}": row for row in rows}


def test_every_cell_of_every_customers_month_is_what_its_definition_counts(marts: Warehouse, recount: Recount) -> None:
    rows = marts.rows("select * exclude (customer_month_key) from cx_marts.main.fct_customer_month")
    key = ("customer_key", "month_start")
    assert unequal(by(rows, *key), by(recount.months.to_dict("records"), *key), list(rows[0]), same_amount)[:5] == []


def test_every_cohort_keeps_what_its_definition_counts(marts: Warehouse, recount: Recount) -> None:
    rows = marts.rows("select * exclude (retention_cohort_key) from cx_marts.main.mart_retention_cohort")
    key = ("cohort_month", "k", "segment")
    columns = [column for column in rows[0] if column not in (*key, "currency")]
    assert unequal(by(rows, *key), recount.cohorts(), columns, same_amount)[:5] == []


def test_every_value_of_a_month_is_what_its_definition_counts(marts: Warehouse, recount: Recount) -> None:
    rows = marts.rows("select * from cx_marts.main.mart_customer_value")
    expected = {
        key: {"is_complete_month": last_day(key[0]) <= AS_OF, "is_matured": True, **cell}
        for key, cell in recount.values().items()
    }
    columns = [*COUNTS, "is_complete_month", "is_matured", "is_suppressed", "is_low_n"]
    published = by(rows, "month_start", "segment", "metric", "member", "currency")
    assert unequal(published, expected, columns, same_amount)[:5] == []


def test_the_company_shows_every_state_and_scale_and_every_metric_somewhere(marts: Warehouse) -> None:
    found = marts.rows(
        "select count(distinct lifecycle_state) as states, count(distinct rfm_segment) as names, max(r_score) as best, "
        "count(clv_margin) > 0 as has_value from cx_marts.main.fct_customer_month"
    )
    assert found == [{"states": 7, "names": 8, "best": 5, "has_value": True}]
    assert marts.values("select count(distinct metric) from cx_marts.main.mart_customer_value where value > 0") == [12]
    assert marts.values("select count(net_revenue_retention) > 0 from cx_marts.main.mart_retention_cohort") == [True]


def test_a_refund_after_the_close_lowers_the_month_of_its_order(marts: Warehouse) -> None:
    months = months_of(marts, "refunded")
    assert (months["2025-03"]["net_amount"], months["2025-12"]["net_amount"]) == (60, 0)
    assert months["2025-12"]["cumulative_net_amount"] == 60


def test_amounts_of_two_currencies_are_never_added(marts: Warehouse) -> None:
    april = months_of(marts, "traveller")["2025-04"]
    assert (april["currency"], april["orders"], april["orders_other_currency"]) == ("EUR", 1, 1)
    assert (april["net_amount"], april["cumulative_net_amount"], april["average_order_value"]) == (0, 100, 100)


def test_what_lies_after_the_business_date_is_not_known(marts: Warehouse) -> None:
    assert months_of(marts, "early") == {}


def test_a_month_that_is_running_says_nothing_of_retention(marts: Warehouse) -> None:
    rows = marts.rows("select * from cx_marts.main.mart_retention_cohort where not is_suppressed")
    running = [row for row in rows if row["month_start"] == AS_OF.replace(day=1)]
    assert running
    assert {row["is_complete_period"] for row in running} == {False}
    assert {row["logo_retention"] for row in running} == {None}
    assert all(row["logo_retention"] is not None for row in rows if row["month_start"] < AS_OF.replace(day=1))


def test_a_cohort_ends_with_the_month_of_the_business_date(marts: Warehouse) -> None:
    last = marts.values(
        "select distinct max(month_start) over (partition by cohort_month) from cx_marts.main.mart_retention_cohort"
    )
    assert last == [AS_OF.replace(day=1)]


def test_nothing_is_said_of_the_90_days_after_a_score_before_they_have_passed(marts: Warehouse) -> None:
    rows = marts.rows(
        "select month_start, is_matured, value from cx_marts.main.mart_customer_value "
        "where metric like '%after' and not is_suppressed"
    )
    assert {row["month_start"] for row in rows if row["is_matured"]} < {row["month_start"] for row in rows}
    assert {row["is_matured"] for row in rows if row["month_start"] > date(2025, 8, 1)} == {False}
    assert {row["value"] for row in rows if not row["is_matured"]} == {None}


@pytest.mark.parametrize(
    ("score", "value", "among"),
    [("r_score", "recency_days", "''"), ("f_score", "frequency", "''"), ("m_score", "monetary", "currency")],
)
def test_equal_values_share_a_bin(marts: Warehouse, score: str, value: str, among: str) -> None:
    most = marts.values(
        f"select max(bins) from (select count(distinct {score}) as bins from cx_marts.main.fct_customer_month "
        f"group by month_start, {among}, {value})"
    )
    assert most == [1]


def test_the_running_month_says_of_a_customer_what_the_customer_says(marts: Warehouse) -> None:
    differing = marts.rows(
        "select months.customer_key from cx_marts.main.fct_customer_month as months "
        "join cx_marts.main.dim_customer as customers using (customer_key) "
        "where months.month_start = ? "
        "and (months.segment <> customers.segment or months.is_active <> (customers.status = 'active'))",
        AS_OF.replace(day=1),
    )
    assert differing == []


def test_no_hidden_cell_is_the_total_less_the_shown_ones(marts: Warehouse) -> None:
    recovered = marts.rows(
        """
        with cells as (
            select month_start, metric || member || coalesce(currency, '') as cell, segment, is_suppressed
            from cx_marts.main.mart_customer_value
            union all
            select month_start, 'cohort ' || cohort_month, segment, is_suppressed
            from cx_marts.main.mart_retention_cohort
        )
        select month_start, cell from cells
        group by month_start, cell
        having bool_or(segment = 'all' and not is_suppressed)
            and count(*) filter (where segment <> 'all' and is_suppressed) = 1
        """
    )
    assert recovered == []


def corrections(company: Company, chance: random.Random) -> list[dict[str, list[dict[str, Any]]]]:
    """Everything on the first night, with one record of each kind still wrong; one of these is put right a night."""
    first, later = company.nights(1)[0], []
    for stream in chance.sample(list(CORRECTED), len(CORRECTED)):
        place = chance.randrange(len(first[stream]))
        row = first[stream][place]
        first[stream][place] = {**row, **CORRECTED[stream], "updated_at": row["updated_at"] - timedelta(days=1)}
        later.append({stream: [row]})
    return [first, *later, {}, {}]


@pytest.mark.promise("order")
@pytest.mark.chaos
@pytest.mark.skipif(os.environ.get("JOURNEYMART_CHAOS") != "long", reason="the long campaign runs under `make chaos`")
@pytest.mark.parametrize("seed", range(100, 110))
def test_one_corrected_record_a_night_moves_every_month_it_should(
    dbt_project: DbtProject, tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311
    warehouse = Warehouse(dbt_project, tmp_path_factory.mktemp("corrections"), select=MODELS)
    as_of = date(2025, 11, 29)
    for rows in corrections(Company(seed, 60), chance):
        warehouse.night(rows, as_of=as_of)
        as_of += timedelta(days=chance.choice((0, 1, 2) if rows else (-40, -1, 31, 95)))
    assert warehouse.differences(warehouse.rebuilt(), TABLES) == {}
