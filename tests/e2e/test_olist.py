"""The public Olist files through the whole pipeline, over several nights: the figures of the example's README come out.

The queries and their results are read from `companies/olist/README.md`, so what users see is what is tested.
"""

from __future__ import annotations

import random
import re
import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest

from orchestration.config.settings import PROJECT
from tests.e2e.installation import Installation
from tests.kpi_recount import Recount, disagreements, draw, opened

COMPANY = PROJECT / "companies" / "olist"
FILES = PROJECT.parent / "shared" / "data" / "olist"
ENDS = (date(2018, 6, 30), date(2018, 10, 31))

README = (COMPANY / "README.md").read_text(encoding="utf-8")
FIGURES = re.findall(r"```sql\n-- (.*?)\n(.*?)\n-- (.*?)\n```", README, re.DOTALL)

pytestmark = pytest.mark.skipif(not FILES.exists(), reason="the public Olist files are not on this machine")


@pytest.fixture(scope="module")
def olist(state: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """All public files published, over two nights, the second of many days."""
    data = tmp_path_factory.mktemp("journeymart olist") / "data"
    shutil.copytree(FILES, data / "drop" / "olist")
    installation = Installation(data, state, COMPANY)
    begin = ENDS[0]
    for end in ENDS:
        installation.night(*(begin + timedelta(days=day) for day in range((end - begin).days + 1)))
        begin = end + timedelta(days=1)
    return installation


def test_the_example_shows_every_figure() -> None:
    assert len(FIGURES) == 6


@pytest.mark.parametrize(("figure", "sql", "shown"), FIGURES, ids=[figure for figure, _, _ in FIGURES])
def test_a_figure_of_the_example_comes_out_of_the_published_marts(
    olist: Installation, figure: str, sql: str, shown: str
) -> None:
    (row,) = olist.marts(sql)
    assert [float(value) for value in row] == [float(word) for word in shown.split(", ")]


def test_orders_arrive_over_several_nights(olist: Installation) -> None:
    by_version = sorted(olist.data.glob("versions/2*/parquet/fct_order.parquet"))
    counts = [olist.marts(f"select count(*) from read_parquet('{path}')")[0][0] for path in by_version]
    assert len(counts) == len(ENDS)
    assert counts == sorted(set(counts))


def test_no_text_is_estimated_where_nobody_asked_for_it(olist: Installation) -> None:
    ((texts, estimated),) = olist.marts("select count(*) filter (has_text), count(estimated_by) from fct_feedback")
    assert texts > 5_000
    assert estimated == 0


def test_every_order_is_one_purchase_and_a_person_with_several_orders_is_one_customer(olist: Installation) -> None:
    """The example's file holds 155 people with several orders, each with a customer record per order."""
    ((orders, journeys, unknown),) = olist.marts("""
        select count(*), count(distinct journey_key), count(*) filter (where journey_key = -1)
        from fct_journey_event where object = 'order' and event = 'placed'
    """)
    assert (orders, journeys, unknown) == (20_864, 20_864, 0)
    assert olist.marts("select count(*) from fct_journey where journey = 'purchase'") == [(20_864,)]
    ((customers, several),) = olist.marts("""
        with per_customer as (
            select customer_key, count(*) as n from fct_journey where journey = 'purchase' group by customer_key
        )
        select count(*), count(*) filter (where n > 1) from per_customer where customer_key <> -1
    """)
    assert (customers, several) == (20_702, 155)


def test_steps_of_a_purchase_are_in_order_of_time(olist: Installation) -> None:
    ((journeys, delivered, disordered),) = olist.marts("""
        select
            count(*),
            count(step_5_at),
            count(*) filter (where not (
                started_at = step_3_at
                and coalesce(step_4_at between step_3_at and coalesce(step_5_at, step_4_at), true)
                and coalesce(step_5_at >= step_3_at, true)
                and is_completed = coalesce(step_5_at <= window_ends_at, false)
            ))
        from fct_journey where journey = 'purchase'
    """)
    assert journeys > delivered > 20_000
    assert disordered == 0


def test_late_delivery_is_the_trough_and_the_only_one(olist: Installation) -> None:
    """Late is on a later day of the reporting time zone than promised, as in the figures of the example."""
    found = olist.marts("""
        select touchpoint, is_peak, is_trough, round(score_mean, 2) from mart_journey_map
        where journey = 'customer' and segment = 'all' and period = 'last_365_days' and touchpoint <> 'all'
            and (is_peak or is_trough)
    """)
    assert [(touchpoint, is_peak, is_trough) for touchpoint, is_peak, is_trough, _ in found] == [
        ("order_delivered_late", False, True)
    ]
    ((on_time, late),) = olist.marts("""
        select
            round(avg(1 + 4 * score_norm) filter (where touchpoint = 'order_delivered'), 1),
            round(avg(1 + 4 * score_norm) filter (where touchpoint = 'order_delivered_late'), 1)
        from fct_journey_event inner join dim_touchpoint using (touchpoint_key) where object = 'survey_answer'
    """)
    assert late < on_time - 1.5


def test_every_kpi_of_olist_is_what_its_definition_counts(olist: Installation) -> None:
    with opened(olist.data / "current") as connection:
        recount = Recount(connection)
        assert disagreements(connection, recount, draw(recount, random.Random(7)))[:10] == []  # noqa: S311
