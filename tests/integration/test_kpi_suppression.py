"""What mart_kpi_daily shows gives nothing away that it hides, by no subtraction of members or windows.

Records are put straight before the last models: a measure with many a day, one with some, one with few. Not here: the
algebra (suppression_attack.py), the other marts (test_suppression_attack.py), the figures (test_kpi_recount.py).
"""

from __future__ import annotations

import os
import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import duckdb
import pandas as pd
import pytest
from dbt_harness import DbtProject, Warehouse
from suppression_attack import worked_out

from storage.data_folder import marts_file, warehouse_file
from tests.kpi_recount import day_before

FIRST, AS_OF = date(2025, 10, 8), date(2026, 2, 11)
DAILY = {"csat": 600, "ces": 60, "nps_transactional": 2}
"""Records a day of each measure: days can be shown, weeks, months."""
CHANNELS = {"email": 50, "web": 35, "phone": 13, "chat": 2}
K = 5

Place = tuple[str, str, date]
"""Member, period, last day of the window."""


def days() -> Iterator[date]:
    return (FIRST + timedelta(days=number) for number in range((AS_OF - FIRST).days + 1))


def drawn(seed: int) -> list[tuple[str, date, int, str]]:
    """Measure, day, respondent and channel of each record; customers answer more than once."""
    chance = random.Random(seed)  # noqa: S311
    return [
        (measure, day, chance.randrange(2000), chance.choices(list(CHANNELS), list(CHANNELS.values()))[0])
        for measure, daily in DAILY.items()
        for day in days()
        for _ in range(chance.randrange(daily // 2, daily * 3 // 2 + 1))
    ]


LONG = os.environ.get("JOURNEYMART_CHAOS") == "long"


@pytest.fixture(scope="module", params=range(1, 6 if LONG else 2))
def shown(
    request: pytest.FixtureRequest, dbt_project: DbtProject, tmp_path_factory: pytest.TempPathFactory
) -> tuple[list[tuple[str, date, int, str]], list[dict[str, Any]]]:
    """The records, and the rows the mart has of them."""
    records = drawn(request.param)
    warehouse = Warehouse(dbt_project, tmp_path_factory.mktemp("attack"), select="dim_date")
    warehouse.night({}, as_of=AS_OF)
    with duckdb.connect(str(warehouse_file(warehouse.build))) as connection:
        connection.execute(f"attach '{marts_file(warehouse.build)}' as cx_marts")
        connection.execute(
            "insert into cx_marts.main.dim_date by name select strftime(day, '%Y%m%d')::integer as date_key, "
            f"day::date as date_day from generate_series(date '{FIRST}', date '{AS_OF}', interval 1 day) as days(day) "
            "where day::date not in (select date_day from cx_marts.main.dim_date where date_day is not null)"
        )
        connection.execute(
            "create temp table drawn (measure varchar, date_day date, respondent bigint, channel varchar)"
        )
        connection.register("frame", pd.DataFrame(records, columns=["measure", "date_day", "respondent", "channel"]))
        connection.execute("insert into drawn from frame")
        connection.execute(
            "insert into intermediate.int_kpi__answer by name select row_number() over () as answer_key, *, "
            "false as is_state, 1 as positives, 0 as negatives, 1 as responses, 100 as total from drawn"
        )
    models = dbt_project.between({"int_kpi__answer"}, ["mart_kpi_daily"])
    dbt_project.build(warehouse.build, models, full_refresh=True)
    rows = warehouse.rows(
        "select kpi, measure, date_day, period, window_start, member, n, is_suppressed, previous_value, difference "
        "from cx_marts.main.mart_kpi_daily where dimension = 'channel'"
    )
    return records, rows


class Attack:
    """All windows of one measure, which of them are known, and what holds between them."""

    def __init__(self, measure: str, records: list[tuple[str, date, int, str]], rows: list[dict[str, Any]]) -> None:
        self.people: dict[tuple[str, date], set[int]] = defaultdict(set)
        for name, day, respondent, channel in records:
            if name == measure:
                self.people[channel, day].add(respondent)
        self.rows = [row for row in rows if row["measure"] == measure]
        self.windows = {(row["period"], row["date_day"]): row["window_start"] for row in self.rows}
        self.windows |= {("day", day): day for day in days()}
        self.windows |= {(period, day): start for day in days() for period, start in _windows(day)}

    def cells(self) -> dict[Place, set[int]]:
        """Every window of every channel, with the customers in it."""
        return {
            (channel, period, day): set().union(*(self.people[channel, one] for one in _between(start, day)))
            for (period, day), start in self.windows.items()
            for channel in CHANNELS
        }

    def equations(self) -> Iterator[dict[Place, int]]:
        """A window is the sum of its days; the channels of a day are the company's, which is known."""
        for (period, day), start in self.windows.items():
            for channel in CHANNELS:
                if period != "day":
                    parts = {(channel, "day", one): -1 for one in _between(start, day)}
                    yield {(channel, period, day): 1, **parts}
        for day in days():
            yield {(channel, "day", day): 1 for channel in CHANNELS}

    def hidden(self) -> dict[Place, int]:
        """Cells nobody was told: neither shown (itself, or as the one before), nor known to be empty by its siblings.

        A channel that is hidden in a month may be missing in a window for that reason; any other is missing because
        nobody was there.
        """
        known = {(row["member"], row["period"], row["date_day"]) for row in self.rows if not row["is_suppressed"]}
        known |= {
            (row["member"], row["period"], day_before(row["period"], row["date_day"]))
            for row in self.rows
            if row["previous_value"] is not None or row["difference"] is not None
        }
        told = {(row["period"], row["date_day"]) for row in self.rows}
        pooled = {
            (row["member"], row["date_day"].replace(day=1))
            for row in self.rows
            if row["is_suppressed"] and row["period"] == "month"
        }
        empty = {
            (channel, period, day)
            for period, day in told
            for channel in CHANNELS
            if not any((channel, one.replace(day=1)) in pooled for one in _between(self.windows[period, day], day))
        }
        return {place: len(people) for place, people in self.cells().items() if place not in known | empty}


def _between(start: date, end: date) -> Iterator[date]:
    return (day for day in days() if start <= day <= end)


def _windows(day: date) -> Iterator[tuple[str, date]]:
    if day.isoweekday() == 7 or day == AS_OF:
        yield "week", day - timedelta(days=day.isoweekday() - 1)
        yield from ((f"rolling_{size}", day - timedelta(days=size - 1)) for size in (7, 28, 90))
    if (day + timedelta(days=1)).day == 1 or day == AS_OF:
        yield "month", day.replace(day=1)


@pytest.mark.promise("hidden")
@pytest.mark.parametrize("measure", DAILY)
def test_nothing_hidden_can_be_worked_out(
    shown: tuple[list[tuple[str, date, int, str]], list[dict[str, Any]]], measure: str
) -> None:
    attack = Attack(measure, *shown)
    hidden = attack.hidden()
    few = {place for place, people in hidden.items() if 0 < people < K}
    found = worked_out(attack.equations(), hidden)
    suppressed = {(row["member"], row["period"], row["date_day"]) for row in attack.rows if row["is_suppressed"]}
    assert few
    assert [group for group in found if set(group) & (few | suppressed)] == []


@pytest.mark.promise("hidden")
@pytest.mark.parametrize("measure", DAILY)
def test_every_shown_cell_is_of_five_customers_or_more(
    shown: tuple[list[tuple[str, date, int, str]], list[dict[str, Any]]], measure: str
) -> None:
    attack = Attack(measure, *shown)
    cells = attack.cells()
    for row in attack.rows:
        if not row["is_suppressed"] and row["period"] != "quarter":
            assert len(cells[row["member"], row["period"], row["date_day"]]) >= K, row


@pytest.mark.parametrize("measure", DAILY)
def test_hiding_nothing_but_small_cells_would_give_them_away(
    shown: tuple[list[tuple[str, date, int, str]], list[dict[str, Any]]], measure: str
) -> None:
    attack = Attack(measure, *shown)
    small = {place: len(people) for place, people in attack.cells().items() if 0 < len(people) < K}
    assert worked_out(attack.equations(), small)


def test_windows_are_as_short_as_the_records_are_many(
    shown: tuple[list[tuple[str, date, int, str]], list[dict[str, Any]]],
) -> None:
    _, rows = shown
    of = {
        measure: {row["period"] for row in rows if row["measure"] == measure and not row["is_suppressed"]}
        for measure in DAILY
    }
    assert of["csat"] >= {"day", "week", "month", "quarter", "rolling_7", "rolling_28"}
    assert "week" in of["ces"]
    assert "day" not in of["ces"]
    assert not of["nps_transactional"] & {"day", "week", "rolling_7"}
    assert of["nps_transactional"] >= {"month", "quarter"}
    assert any(row["is_suppressed"] for row in rows)
