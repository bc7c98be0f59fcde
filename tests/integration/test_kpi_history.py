"""KPIs night by night over random records: one full rebuild's, and nothing hidden told through the window before.

Records are written where the models of facts leave them, and what a night moves of them beside it, so that a night is
nine models. What lives here: states that come and go, members whose people vanish, windows that run and end. Not here:
facts (test_marts_history.py), what adding up windows gives away (test_kpi_suppression.py).

`JOURNEYMART_CHAOS=long` tries 40 histories instead of one.
"""

from __future__ import annotations

import os
import random
import shutil
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from dbt_harness import DbtProject, Warehouse
from dbt_runner import night_of

from assets.warehouse.load import load
from storage.data_folder import marts_file, warehouse_file
from tests.kpi_recount import day_before

FIRST, LAST = date(2025, 9, 20), date(2026, 2, 20)
FAMILIES = {
    "int_kpi__customer": ("customer_key",),
    "int_kpi__answer": ("answer_key",),
    "int_kpi__ticket": ("ticket_key",),
}
STEPS = (
    "int_kpi__first_day",
    "int_kpi__presence",
    "int_kpi__day",
    "int_kpi__counted_cell",
    "int_kpi__timed_cell",
    "int_kpi__member_month",
    "int_kpi__uncut_day",
    "int_kpi__told_cell",
)
TABLES = [*(f"intermediate.{step}" for step in STEPS), "cx_marts.main.mart_kpi_daily"]
SEEDS = range(1, 41) if os.environ.get("JOURNEYMART_CHAOS") == "long" else (1,)
LONG_AGO = FIRST - timedelta(days=560)
"""Records reach back over all that KPIs look back."""
CUSTOMERS = 60
SEGMENTS = ("loyal",) * 26 + ("new",) * 16 + ("asleep",) * 8 + ("rare",) * 3
CHANNELS = ("email",) * 10 + ("web",) * 6 + ("phone",) * 2
K = 5

Record = tuple[tuple[str, Any], ...]
"""Columns and values of one record."""


class Customers:
    """Who is in which segment, and the records that there could be of each."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.segment = {number: chance.choice(SEGMENTS) for number in range(1, CUSTOMERS + 1)}

    def day(self) -> date:
        return FIRST + timedelta(days=self.chance.randrange((LAST - FIRST).days + 1))

    def record(self, family: str, key: int) -> list[Record]:
        """What one key of a family counts as: a state that lasts as two records, anything else as one."""
        who, day = self.chance.randrange(1, CUSTOMERS + 1), self.day()
        if family == "int_kpi__customer":
            who = key % CUSTOMERS + 1
            return self.state(family, key, "contact", who, day) + self.state(family, key, "retention", who, day)
        told = {"respondent": who, "segment": self.segment[who]}
        if family == "int_kpi__ticket" and key % 2:
            return self.state(family, key, "backlog", who, day)
        if family == "int_kpi__ticket":
            minutes = self.chance.choice((None, self.chance.randrange(1, 900) / 7))
            waited = [_record(family, key, "first_reply_minutes", day, **told, minutes=minutes)] if minutes else []
            return [_record(family, key, "contact", day, **told, positives=1, responses=0), *waited]
        more = {"channel": self.chance.choice(CHANNELS), "positives": self.chance.randrange(2)}
        if key % 5 == 0:
            later = day + timedelta(days=self.chance.randrange(120))
            return [
                _record(
                    family,
                    key,
                    "nps_relational",
                    day,
                    **told | more,
                    superseded_on=self.chance.choice((None, later)),
                )
            ]
        mean = [_record(family, key, "csat_mean", day, **told | more, total=self.chance.randrange(10_001) / 100)]
        return [_record(family, key, "csat", day, **told | more), *(mean if key % 3 == 0 else ())]

    def state(self, family: str, key: int, measure: str, who: int, first: date) -> list[Record]:
        """A state from a day on: added on it, and taken away on the day after its last."""
        ends, good = first + timedelta(days=self.chance.randrange(1, 70)), self.chance.randrange(2)
        told = {"respondent": who, "segment": self.segment[who], "is_state": True}
        return [
            _record(
                family,
                key,
                measure,
                day,
                **told,
                positives=sign * good if measure == "retention" else 0,
                responses=sign,
            )
            for day, sign in ((first, 1), (ends, -1))
        ]


def _record(family: str, key: int, measure: str, day: date, **more: Any) -> Record:
    dull = {"is_state": False, "positives": 0, "negatives": 0, "responses": 1, "channel": None}
    (name,) = FAMILIES[family]
    return tuple({name: key, "measure": measure, "date_day": day, **dull, **more}.items())


@dataclass
class Nights:
    """A build on which only the KPIs are made; `records` by family and key are what stands now."""

    project: DbtProject
    warehouse: Warehouse
    records: dict[str, dict[int, list[Record]]]

    @classmethod
    def begun(cls, project: DbtProject, folder: Path) -> Nights:
        """Nothing is known yet, but the calendar."""
        build = folder / "build"
        project.stand(build)
        warehouse = Warehouse(project, folder, as_of=FIRST, _build=build)
        with _opened(build) as connection:
            connection.execute(
                "insert into cx_marts.main.dim_date by name select strftime(day, '%Y%m%d')::integer as date_key, "
                f"day::date as date_day from generate_series(date '{FIRST.replace(day=1)}', date '{LAST}', "
                "interval 1 day) as days(day) "
                "where day::date not in (select date_day from cx_marts.main.dim_date where date_day is not null)"
            )
        return cls(project, warehouse, {family: {} for family in FAMILIES})

    def night(self, as_of: date, told: dict[str, dict[int, list[Record]]]) -> None:
        """Let records be as they are told from now on, none where a key has none, and make the KPIs of it."""
        load(self.warehouse.build, [], night_of(as_of))
        with _opened(self.warehouse.build) as connection:
            for family in FAMILIES:
                moved = {
                    key: rows for key, rows in told.get(family, {}).items() if rows != self.records[family].get(key)
                }
                before = [row for key in moved for row in self.records[family].get(key, [])]
                self.records[family] |= moved
                _write(connection, family, before, [row for rows in moved.values() for row in rows])
        self.warehouse.as_of = as_of
        self._build(self.warehouse)

    def differences(self) -> dict[str, list[tuple[Any, ...]]]:
        """What one full rebuild of the same records has otherwise."""
        other = Warehouse(self.project, self.warehouse.folder, as_of=self.warehouse.as_of)
        other._build = self.warehouse.folder / "rebuilt"
        shutil.copytree(self.warehouse.build, other.build)
        self._build(other, full_refresh=True)
        return self.warehouse.differences(other, TABLES)

    def _build(self, warehouse: Warehouse, full_refresh: bool = False) -> None:
        models = self.project.between(FAMILIES.keys(), ["mart_kpi_daily"])
        self.project.build(warehouse.build, models, full_refresh)


def _opened(build: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(str(warehouse_file(build)))
    connection.execute(f"attach '{marts_file(build)}' as cx_marts")
    return connection


def _write(connection: duckdb.DuckDBPyConnection, family: str, before: list[Record], after: list[Record]) -> None:
    """Replace records of a family, and leave beside it which keys, measures and days differ."""
    (key,) = FAMILIES[family]
    connection.execute(
        f"create or replace table _touched.{family} as "
        f"select {key}, measure, date_day, is_state, respondent from intermediate.{family} limit 0"
    )
    for row in before:
        connection.execute(f"delete from intermediate.{family} where {key} = ?", [dict(row)[key]])
    for row in {*before, *after}:
        values = dict(row)
        connection.execute(
            f"insert into _touched.{family} values (?, ?, ?, ?, ?)",
            [values[name] for name in (key, "measure", "date_day", "is_state", "respondent")],
        )
    for row in after:
        values = dict(row)
        connection.execute(
            f"insert into intermediate.{family} ({', '.join(values)}) values ({', '.join('?' * len(values))})",
            list(values.values()),
        )


def nights_of(chance: random.Random, count: int) -> Iterator[tuple[date, dict[str, dict[int, list[Record]]]]]:
    """Business dates that step, jump and fall back; most records at first, then none, or some new or moved."""
    customers, as_of = Customers(chance), FIRST + timedelta(days=chance.randrange(70, 110))
    for number in range(count):
        share = 0.6 if number == 0 else chance.choice((0, 0, 0.02, 0.1))
        told: dict[str, dict[int, list[Record]]] = defaultdict(dict)
        for family, size in (("int_kpi__customer", 120), ("int_kpi__ticket", 120), ("int_kpi__answer", 160)):
            for key in range(1, size + 1):
                if chance.random() < share:
                    told[family][key] = [] if chance.random() < 0.2 else customers.record(family, key)
        told["int_kpi__customer"][0] = [
            record
            for measure in ("contact", "retention")
            for record in customers.state("int_kpi__customer", 0, measure, 1, LONG_AGO)
        ]
        yield as_of, told
        as_of = min(LAST, as_of + timedelta(days=chance.choice((-1, 0, 1, 1, 2, 20, 40))))


@pytest.fixture(scope="module", params=SEEDS)
def history(
    request: pytest.FixtureRequest, dbt_project: DbtProject, tmp_path_factory: pytest.TempPathFactory
) -> Nights:
    """A few nights of one company."""
    chance = random.Random(request.param)  # noqa: S311 (no secrets here)
    nights = Nights.begun(dbt_project, tmp_path_factory.mktemp("kpi history"))
    for as_of, told in nights_of(chance, 3 + request.param % 3):
        nights.night(as_of, told)
    return nights


@pytest.mark.promise("order")
def test_nights_make_the_kpis_of_one_full_rebuild(history: Nights) -> None:
    assert history.differences() == {}


def test_what_was_hidden_a_month_ago_stays_so_when_those_it_hid_are_gone(
    dbt_project: DbtProject, tmp_path: Path
) -> None:
    """Two tickets of rare customers were open at the end of December, and those of new ones were hidden with them."""
    nights = Nights.begun(dbt_project, tmp_path)
    open_tickets = {"loyal": (20, None), "new": (8, None), "rare": (2, date(2026, 1, 5))}
    told: dict[int, list[Record]] = {}
    for segment, (count, solved_on) in open_tickets.items():
        for _ in range(count):
            key = len(told) + 1
            state = {"respondent": key, "segment": segment, "is_state": True}
            told[key] = [_record("int_kpi__ticket", key, "backlog", date(2025, 11, 3), **state)]
            if solved_on:
                told[key].append(_record("int_kpi__ticket", key, "backlog", solved_on, **state, responses=-1))
    nights.night(date(2026, 1, 10), {"int_kpi__ticket": told})
    nights.night(date(2026, 1, 12), {})
    assert nights.differences() == {}
    before = nights.warehouse.rows(
        "select member, value, previous_value from cx_marts.main.mart_kpi_daily where kpi = 'backlog' "
        "and period = 'month' and dimension = 'segment' and date_day = '2026-01-12' order by member"
    )
    assert before == [
        {"member": "loyal", "value": 20, "previous_value": 20},
        {"member": "new", "value": 8, "previous_value": None},
    ]


def test_a_value_before_is_one_that_is_shown(history: Nights) -> None:
    """The window before has a row of its own, it is not hidden, and it says the same."""
    rows = history.warehouse.rows(
        "select kpi, dimension, member, period, date_day, value, is_suppressed, previous_value, difference "
        "from cx_marts.main.mart_kpi_daily"
    )
    shown = {
        (row["kpi"], row["dimension"], row["member"], row["period"], row["date_day"]): row["value"]
        for row in rows
        if not row["is_suppressed"]
    }
    compared = [row for row in rows if row["previous_value"] is not None]
    for row in compared:
        before = day_before(row["period"], row["date_day"])
        assert shown.get((row["kpi"], row["dimension"], row["member"], row["period"], before)) == row["previous_value"]
    assert {"all", "segment"} <= {row["dimension"] for row in compared}
    assert not any(row["difference"] is not None for row in rows if row["is_suppressed"])


def test_no_rate_is_shown_of_fewer_than_five_customers_or_of_events_of_fewer(history: Nights) -> None:
    """Where all customers of a segment are gone, what is left are the tickets of a few."""
    rows = history.warehouse.rows(
        "select member, period, date_day, window_start, n, denominator, is_suppressed "
        "from cx_marts.main.mart_kpi_daily where kpi = 'contacts_per_100_customers' and dimension = 'segment'"
    )
    asked: dict[tuple[str, date], set[int]] = defaultdict(set)
    for records in history.records["int_kpi__ticket"].values():
        for record in map(dict, records):
            if record["measure"] == "contact":
                asked[record["segment"], record["date_day"]].add(record["respondent"])
    for row in rows:
        if not row["is_suppressed"]:
            days = range((row["date_day"] - row["window_start"]).days + 1)
            askers = set[int]().union(*(asked[row["member"], row["date_day"] - timedelta(days=back)] for back in days))
            assert row["denominator"] >= K or (row["denominator"] == 0 and len(askers) >= K), row
    windows: dict[tuple[str, date], list[bool]] = defaultdict(list)
    for row in rows:
        windows[row["period"], row["date_day"]].append(row["is_suppressed"])
    assert any(any(hidden) for hidden in windows.values())
    assert [window for window, hidden in windows.items() if sum(hidden) == 1] == []
