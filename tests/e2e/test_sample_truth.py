"""The published marts against the truth the sample company wrote beside its extracts.

The truth is computed by plain pandas from what really happened, before any dirt; nothing is shared with the pipeline.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.e2e.installation import Installation

SCORES = ("csat", "ces", "nps_relational", "nps_transactional")
DURATIONS = ("first_reply_minutes_median", "full_resolution_minutes_median")


@pytest.fixture(scope="module")
def truth(sample: Installation) -> dict[str, Any]:
    """The figures as of the last delivered date."""
    figures: dict[str, Any] = json.loads(Path(sample.data / "drop" / "truth" / "kpis.json").read_text())
    return figures


PERIODS = {"1": "day", "7": "rolling_7", "28": "rolling_28", "90": "rolling_90"}


def published(installation: Installation, kpi: str) -> dict[str, tuple[Any, ...]]:
    """Numerator, n and value of a KPI as of the version's date, by days of its window (1: the day itself)."""
    rows = installation.marts(
        "select period, numerator, n, value from mart_kpi_daily "
        f"where kpi = '{kpi}' and dimension = 'all' and date_key = (select max(date_key) from mart_kpi_daily)"
    )
    figures = {period: tuple(row) for period, *row in rows}
    return {days: figures[period] for days, period in PERIODS.items() if period in figures}


@pytest.mark.parametrize("kpi", SCORES)
def test_scores_are_the_true_ones(sample: Installation, truth: dict[str, Any], kpi: str) -> None:
    found = published(sample, kpi)
    assert found
    for days, expected in truth[kpi].items():
        numerator, n, value = found.get(days, (0, 0, None))
        assert (numerator, n) == (expected["numerator"], expected["n"])
        assert value == (None if expected["value"] is None else pytest.approx(expected["value"], abs=1e-4))


@pytest.mark.parametrize("kpi", DURATIONS)
def test_durations_are_the_true_ones(sample: Installation, truth: dict[str, Any], kpi: str) -> None:
    found = published(sample, kpi)
    assert found
    for days, expected in truth[kpi].items():
        _, n, value = found.get(days, (0, 0, None))
        assert n == expected["n"]
        assert value == (None if expected["value"] is None else pytest.approx(expected["value"], abs=1e-3))


def test_the_backlog_is_the_true_one(sample: Installation, truth: dict[str, Any]) -> None:
    assert published(sample, "backlog")["1"][2] == truth["backlog"]["value"]


def test_retention_is_the_true_one_but_for_people_whose_contacts_nothing_ties(
    sample: Installation, known: duckdb.DuckDBPyConnection, truth: dict[str, Any]
) -> None:
    """Orders name contacts of the CRM: a person whose contacts there are two customers may count twice."""
    people, parted = known.sql("""
        with person as (
            select count(distinct customer_key) as customers from record where system = 'salesforce' group by person
        )
        select count(*), count(*) filter (where customers > 1) from person
    """).fetchall()[0]
    numerator, n, value = published(sample, "logo_retention")["1"]
    true = truth["logo_retention"]["active_within_365_days"]
    assert parted < 0.01 * people
    assert true["n"] <= n <= true["n"] + parted
    assert true["numerator"] - parted <= numerator <= true["numerator"] + parted
    assert value == pytest.approx(true["value"], abs=1e-4 if n == true["n"] else 100 * parted / n)


def test_every_planted_bad_row_is_in_quarantine(sample: Installation) -> None:
    planted = sample.marts(
        f"select source, stream, count(*) from read_parquet('{sample.data}/drop/truth/dirt/*.parquet') "
        "where kind like 'broken%' group by all order by all"
    )
    held = sample.marts(
        "select split_part(split_part(filename, '/quarantine/', 2), '/', 1), "
        "split_part(split_part(filename, '/quarantine/', 2), '/', 2), count(*) "
        f"from read_parquet('{sample.data}/quarantine/*/*/*/rows.parquet', filename = true, union_by_name = true) "
        "group by all order by all"
    )
    assert held == planted
