"""The marts over random histories: equal to one full rebuild, and to the definitions counted again in Python.

Not here: single traps (test_marts_traps.py), the models before the marts (test_incremental_law.py).
"""

from __future__ import annotations

import itertools
import math
import os
import random
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from dbt_harness import DbtProject, Warehouse
from random_history import random_history
from test_marts_traps import MARTS

from tests.counting.calendar import local_day, years_after
from tests.counting.intervals import quantile

TABLES = ["intermediate.int_kpi__cell", *(f"cx_marts.main.{table}" for table in MARTS)]
START = datetime(2024, 1, 1, tzinfo=UTC)
AS_OF = date(2025, 12, 31)
COUNTRIES = ("DE", "FR", None)
CHANNELS = ("web", "phone", "email")


def check_law(project: DbtProject, folder: Path, seed: int, nights: int) -> None:
    """Random nights, the business date standing still, jumping or stepping back, against one rebuild."""
    warehouse, last, as_of = all_nights_but_the_last(project, folder, seed, nights)
    warehouse.night(last, as_of=as_of)
    assert warehouse.differences(warehouse.rebuilt(), TABLES) == {}


def check_law_by_dbt(project: DbtProject, folder: Path, seed: int, nights: int) -> None:
    """The same, the last night and the rebuild made by dbt itself.

    What it sends is seen to be what it does: every table is the same, and so is what the night touched.
    """
    warehouse, last, as_of = all_nights_but_the_last(project, folder, seed, nights)
    by_dbt = replace(warehouse, by_dbt=True, _build=shutil.copytree(warehouse.build, folder / "by dbt"))
    for twin in (warehouse, by_dbt):
        # The same rows by their numbers, too.
        twin._row_numbers = itertools.count(1_000_000)
        twin.night(last, as_of=as_of)
    assert tables(warehouse) == tables(by_dbt)
    assert warehouse.differences(by_dbt, tables(by_dbt)) == {}
    assert warehouse.differences(by_dbt.rebuilt(), TABLES) == {}


def all_nights_but_the_last(
    project: DbtProject, folder: Path, seed: int, nights: int
) -> tuple[Warehouse, dict[str, list[dict[str, Any]]], date]:
    """A warehouse before the last of its random nights, what arrives in it, and its business date."""
    chance = random.Random(seed)  # noqa: S311
    warehouse = Warehouse(project, folder)
    as_of = date(2026, 1, 3)
    *earlier, last = random_history(chance, nights, rows_per_stream=8)
    for rows in earlier:
        warehouse.night(rows, as_of=as_of)
        as_of += timedelta(days=chance.choice((-1, 0, 1, 2, 120, 365)))
    return warehouse, last, as_of


def tables(warehouse: Warehouse) -> list[str]:
    """Every table of both files, those of what the night touched among them."""
    found = warehouse.rows("select database_name, schema_name, table_name from duckdb_tables()")
    return sorted(
        ("cx_marts." if row["database_name"] == "cx_marts" else "") + f'{row["schema_name"]}."{row["table_name"]}"'
        for row in found
    )


@pytest.mark.promise("order")
@pytest.mark.parametrize("seed", [1])
def test_any_order_of_nights_makes_the_marts_of_one_full_rebuild(
    dbt_project: DbtProject, tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    check_law_by_dbt(dbt_project, tmp_path_factory.mktemp("law"), seed, nights=3)


@pytest.mark.promise("order")
@pytest.mark.chaos
@pytest.mark.skipif(os.environ.get("JOURNEYMART_CHAOS") != "long", reason="the long campaign runs under `make chaos`")
@pytest.mark.parametrize("seed", range(100, 130))
def test_many_orders_of_nights_make_the_marts_of_one_full_rebuild(
    dbt_project: DbtProject, tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    check = check_law_by_dbt if seed % 10 == 0 else check_law
    check(dbt_project, tmp_path_factory.mktemp("law"), seed, nights=2 + seed % 4)


class Company:
    """Two years of a small company: what it knows at the end, and the nights on which it told."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311
        self.country = {f"c{number}": self.chance.choice(COUNTRIES) for number in range(40)}
        self.orders = [self._order(number) for number in range(160)]
        self.answers = [self._answer(number) for number in range(300)]
        self.tickets = [self._ticket(number) for number in range(150)]

    def nights(self, count: int) -> list[dict[str, list[dict[str, Any]]]]:
        """The final versions in random nights, some after an older version of theirs that was wrong."""
        arrivals: list[dict[str, list[dict[str, Any]]]] = [defaultdict(list) for _ in range(count)]
        arrivals[0]["canonical.survey_question"] = [
            {"survey_id": name, "question_id": "q", "metric": metric, "scale_min": low, "scale_max": high,
             "scale_direction": "high_is_good", "survey_kind": kind}
            for name, metric, low, high, kind in (
                ("relation", "nps", 0, 10, "relational"), ("contact", "nps", 0, 10, "transactional"),
                ("csat", "csat", 1, 5, "transactional"), ("ces", "ces", 1, 7, "transactional"))
        ]  # fmt: skip
        for contact, country in self.country.items():
            night = self.chance.randrange(count)
            arrivals[night]["canonical.contact"].append(self._version({"contact_id": contact, "country": country}, 2))
            if night:
                arrivals[0]["canonical.contact"].append(self._version({"contact_id": contact, "country": "XX"}, 1))
        for stream, records, wrong in (
            ("order", self.orders, lambda row: {"status": "cancelled", "contact_id": "c0"}),
            (
                "survey_answer",
                self.answers,
                lambda row: {"score": 1, "answered_at": START + timedelta(days=30)},
            ),
            ("ticket", self.tickets, lambda row: {"channel": "email", "requester_id": "c1"}),
        ):
            for record in records:
                row = {name: value for name, value in record.items() if name != "events"}
                night = self.chance.randrange(count)
                arrivals[night][f"canonical.{stream}"].append(self._version(row, 2))
                if self.chance.random() < 0.2:
                    arrivals[self.chance.randrange(count)][f"canonical.{stream}"].append(
                        self._version({**row, **wrong(row)}, 1)
                    )
                for number, event in enumerate(record.get("events", ())):
                    event_row = {
                        "event_id": f"{record['ticket_id']}-{number}",
                        "ticket_id": record["ticket_id"],
                        **event,
                    }
                    arrivals[self.chance.randrange(count)]["canonical.ticket_event"].append(self._version(event_row, 2))
        return [dict(streams) for streams in arrivals]

    def _version(self, row: dict[str, Any], version: int) -> dict[str, Any]:
        return {**row, "updated_at": datetime(2026, 1, version, tzinfo=UTC)}

    def _moment(self) -> datetime:
        return START + timedelta(minutes=self.chance.randrange(729 * 24 * 60))

    def _contact(self) -> str | None:
        return self.chance.choice((*self.country, None))

    def _order(self, number: int) -> dict[str, Any]:
        status = self.chance.choice(("completed", "completed", "placed", "cancelled", "lost"))
        return {
            "order_id": f"o{number}",
            "contact_id": self._contact(),
            "status": status,
            "ordered_at": self._moment(),
        }

    def _answer(self, number: int) -> dict[str, Any]:
        survey = self.chance.choice(("relation", "contact", "csat", "ces"))
        top = {"csat": 5, "ces": 7}.get(survey, 10)
        return {
            "answer_id": f"a{number}", "survey_id": survey, "question_id": "q", "contact_id": self._contact(),
            "score": self.chance.choice((None, *range(1, top + 1))), "channel": self.chance.choice(CHANNELS),
            "answered_at": self._moment(), "is_test": self.chance.random() < 0.05,
        }  # fmt: skip

    def _ticket(self, number: int) -> dict[str, Any]:
        created = self._moment()
        events: list[dict[str, Any]] = [
            {"event_type": "comment", "author_role": "customer", "occurred_at": created, "is_public": True}
        ]
        at, status = created, "open"
        if self.chance.random() < 0.8:
            at += timedelta(minutes=self.chance.randrange(1, 3000))
            events.append({"event_type": "comment", "author_role": "agent", "occurred_at": at, "is_public": True})
        for _ in range(self.chance.randrange(4)):
            at += timedelta(minutes=self.chance.randrange(1, 20000))
            before, status = status, "solved" if status == "open" else "open"
            events.append({"event_type": "status_change", "from_value": before, "to_value": status, "occurred_at": at})
        return {
            "ticket_id": f"t{number}",
            "requester_id": self._contact(),
            "created_at": created,
            "status": status,
            "channel": self.chance.choice(CHANNELS),
            "events": events,
        }


@pytest.fixture(scope="module")
def company() -> Company:
    return Company(7)


@pytest.fixture(scope="module")
def marts(company: Company, dbt_project: DbtProject, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    warehouse = Warehouse(dbt_project, tmp_path_factory.mktemp("company"), select="mart_kpi_daily")
    nights = company.nights(2)
    for place, rows in enumerate(nights):
        warehouse.night(rows, as_of=AS_OF - timedelta(days=10 * (len(nights) - 1 - place)))
    return warehouse


Cells = dict[tuple[str, str, str, str], float]


class Recount:
    """The definitions, one day at a time, from the company's final records. Slow and plain on purpose."""

    def __init__(self, company: Company) -> None:
        self.company = company

    def day(self, day: date) -> Cells:
        """(kpi, period, dimension, member) -> value. Rolling windows of breakdowns end on Sundays and the last day."""
        cells: Cells = {}
        for kpi, period, records, value in self._measures(day):
            groups: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
            for record in records:
                groups["all", "all"].append(record)
                groups["country", self.company.country.get(record["contact"]) or "unknown"].append(record)
                if "channel" in record:
                    groups["channel", record["channel"]].append(record)
            for (dimension, member), members in groups.items():
                if dimension == "all" or not period.startswith("rolling") or day.isoweekday() == 7 or day == AS_OF:
                    cells[kpi, period, dimension, member] = value(members)
        return cells

    def _measures(
        self, day: date
    ) -> Iterator[tuple[str, str, list[dict[str, Any]], Callable[[list[dict[str, Any]]], float]]]:
        for period, days in (("day", 1), ("rolling_28", 28), ("rolling_90", 90)):
            first = day - timedelta(days=days - 1)
            for kpi, survey in (("nps_transactional", "contact"), ("csat", "csat"), ("ces", "ces")):
                answers = self._answers(survey, first, day)
                yield (
                    kpi,
                    period,
                    answers,
                    self._nps if survey == "contact" else self._share({"csat": 4, "ces": 5}[survey]),
                )
            if period == "rolling_90":
                latest: dict[object, dict[str, Any]] = {}
                for place, answer in enumerate(
                    sorted(self._answers("relation", first, day), key=lambda row: row["at"])
                ):
                    latest[answer["contact"] or place] = answer
                yield "nps_relational", period, list(latest.values()), self._nps
            else:
                yield from self._durations(period, first, day)
        yield (
            "logo_retention",
            "day",
            self._retained(day),
            lambda rows: 100 * sum(row["kept"] for row in rows) / len(rows),
        )
        yield "backlog", "day", self._unsolved(day), lambda rows: float(len(rows))

    def _answers(self, survey: str, first: date, last: date) -> list[dict[str, Any]]:
        return [
            {
                "contact": row["contact_id"],
                "channel": row["channel"],
                "score": row["score"],
                "at": row["answered_at"],
            }
            for row in self.company.answers
            if row["survey_id"] == survey
            and row["score"] is not None
            and not row["is_test"]
            and first <= local_day(row["answered_at"]) <= last
        ]

    def _nps(self, rows: list[dict[str, Any]]) -> float:
        return 100 * sum((row["score"] >= 9) - (row["score"] <= 6) for row in rows) / len(rows)

    def _share(self, lowest: int) -> Callable[[list[dict[str, Any]]], float]:
        return lambda rows: 100 * sum(row["score"] >= lowest for row in rows) / len(rows)

    def _durations(self, period: str, first: date, last: date) -> Iterator[tuple[str, str, list[dict[str, Any]], Any]]:
        waits: dict[str, list[dict[str, Any]]] = {"first_reply_minutes": [], "full_resolution_minutes": []}
        for ticket in self.company.tickets:
            ends = {
                "first_reply_minutes": [
                    event["occurred_at"] for event in ticket["events"] if event.get("author_role") == "agent"
                ][:1],
                "full_resolution_minutes": [
                    event["occurred_at"] for event in ticket["events"] if event.get("to_value") == "solved"
                ][-1:]
                if ticket["status"] == "solved"
                else [],
            }
            for measure, found in ends.items():
                if found and first <= local_day(found[0]) <= last:
                    minutes = (found[0] - ticket["created_at"]).total_seconds() / 60
                    waits[measure].append(
                        {"contact": ticket["requester_id"], "channel": ticket["channel"], "minutes": minutes}
                    )
        for measure, rows in waits.items():
            yield f"{measure}_median", period, rows, lambda group: quantile([row["minutes"] for row in group], 0.5)
            yield f"{measure}_p90", period, rows, lambda group: quantile([row["minutes"] for row in group], 0.9)

    def _active(self, day: date) -> set[str]:
        return {
            row["contact_id"]
            for row in self.company.orders
            if row["contact_id"]
            and row["status"] in ("completed", "placed")
            and local_day(row["ordered_at"]) <= day < years_after(local_day(row["ordered_at"]), 1)
        }

    def _retained(self, day: date) -> list[dict[str, Any]]:
        now = self._active(day)
        return [{"contact": contact, "kept": contact in now} for contact in self._active(day - timedelta(days=90))]

    def _unsolved(self, day: date) -> list[dict[str, Any]]:
        rows = []
        for ticket in self.company.tickets:
            states = [
                event["to_value"]
                for event in ticket["events"]
                if "to_value" in event and local_day(event["occurred_at"]) <= day
            ]
            if local_day(ticket["created_at"]) <= day and (not states or states[-1] != "solved"):
                rows.append({"contact": ticket["requester_id"], "channel": ticket["channel"]})
        return rows


@pytest.mark.parametrize("days_back", [0, 1, 27, 45, 90, 178, 333, 500, 640])
def test_kpis_are_what_their_definitions_count(marts: Warehouse, company: Company, days_back: int) -> None:
    day = AS_OF - timedelta(days=days_back)
    expected = Recount(company).day(day)
    rows = marts.rows(
        "select kpi, period, dimension, member, value from intermediate.int_kpi__cell "
        "where date_day = ? and dimension in ('all', 'country', 'channel')",
        day,
    )
    counted = {(kpi, period) for kpi, period, *_ in expected}
    cells = {(row["kpi"], row["period"], row["dimension"], row["member"]): row["value"] for row in rows}
    found = {cell: value for cell, value in cells.items() if cell[:2] in counted}
    assert set(found) == set(expected)
    for cell, value in expected.items():
        assert math.isclose(found[cell], value, abs_tol=1e-4), cell
