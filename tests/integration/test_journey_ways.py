"""The ways of journeys over random nights: what is kept from night to night equals one count of everything.

Not here: what a way is (dbt unit tests), the marts counted again from their definitions (test_journey_marts.py).
"""

from __future__ import annotations

import os
import random
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from changed_facts import FactWarehouse
from dbt_harness import DbtProject

from tests.counting.calendar import local_day

SEEDS = range(1, 41) if os.environ.get("JOURNEYMART_CHAOS") == "long" else range(1, 3)
WAYS = ("int_journey_path__journey_way", "int_journey_path__customer_way", "int_journey_path__cell")
TABLES = (*(f"intermediate.{name}" for name in WAYS), "cx_marts.main.mart_journey_path")
FIRST_NIGHT = date(2026, 3, 31)


class Company:
    """Events and journeys of a few customers, changed at random; nobody says that they make sense."""

    def __init__(self, chance: random.Random, touchpoints: list[int]) -> None:
        self.chance = chance
        self.touchpoints = touchpoints
        self.journeys: dict[int, dict[str, Any]] = {}
        self.events: dict[int, dict[str, Any]] = {}

    def facts(self) -> dict[str, list[dict[str, Any]]]:
        return {"fct_journey": list(self.journeys.values()), "fct_journey_event": list(self.events.values())}

    def change(self, as_of: date) -> None:
        """One night: things happen, late or not, are corrected, deleted, found to be of another customer, forgotten."""
        for key in self._some(self.events, 0.05):
            del self.events[key]
        for key in self._some(self.events, 0.08):
            self.events[key] |= self._event(key, as_of)
        for key in self._some(self.journeys, 0.2):
            self.journeys[key] |= self._journey(key, as_of)
        is_first = not self.events
        for _ in range(4 if is_first else self.chance.choice((0, 2))):
            key = self.chance.randrange(1, 10**6)
            self.journeys[key] = self._journey(key, as_of)
        for _ in range(60 if is_first else self.chance.choice((0, 4, 30))):
            key = self.chance.randrange(1, 10**6)
            self.events[key] = self._event(key, as_of)
        if self.chance.random() < 0.2:
            gone = self.chance.randrange(1, 9)
            self.events = {key: event for key, event in self.events.items() if event["customer_key"] != gone}
        if self.chance.random() < 0.2:
            one, other = self.chance.sample(range(1, 9), 2)
            for row in (*self.events.values(), *self.journeys.values()):
                if row["customer_key"] == one:
                    row["customer_key"] = other

    def _some(self, rows: dict[int, dict[str, Any]], share: float) -> list[int]:
        return [key for key in sorted(rows) if self.chance.random() < share]

    def _event(self, key: int, as_of: date) -> dict[str, Any]:
        at = self._moment(as_of)
        return {
            "event_key": key,
            "customer_key": self.chance.choice((-1, *range(1, 9))),
            "journey_key": self.chance.choice((-1, *sorted(self.journeys))),
            "touchpoint_key": self.chance.choice(self.touchpoints),
            "occurred_at": at,
            "date_key": _key(local_day(at)),
        }

    def _journey(self, key: int, as_of: date) -> dict[str, Any]:
        return {
            "journey_key": key,
            "journey": self.chance.choice(("purchase", "support")),
            "customer_key": self.chance.choice((-1, *range(1, 9))),
            "start_date_key": _key(local_day(self._moment(as_of))),
            "is_open": self.chance.random() < 0.4,
        }

    def _moment(self, as_of: date) -> datetime:
        """Near the edges: of the business date, of 30 days, of months and of the last 365 days."""
        days = self.chance.choice((0, 0, 1, -1, -2, -29, -30, -31, -32, -60, -61, -90, -364, -365, -366, -395, 3))
        hour = self.chance.choice((0, 1, 12, 22, 23))
        midnight = datetime.combine(as_of, datetime.min.time(), UTC)
        return midnight + timedelta(days=days, hours=hour, seconds=self.chance.choice((-1, 0, 0, 1)))


def _key(day: date) -> int:
    return int(f"{day:%Y%m%d}")


@pytest.mark.promise("order")
@pytest.mark.parametrize("seed", SEEDS)
def test_any_nights_count_the_ways_of_one_rebuild(dbt_project: DbtProject, tmp_path: Path, seed: int) -> None:
    """Business dates stand still, jump and step back; each night is compared."""
    chance = random.Random(seed)  # noqa: S311 (no secrets here)
    warehouse = FactWarehouse(dbt_project, tmp_path, (*WAYS, "mart_journey_path"))
    keys = [row["touchpoint_key"] for row in warehouse.rows("from cx_marts.main.dim_touchpoint order by touchpoint")]
    company = Company(chance, [-1, *keys[:3]])
    as_of = FIRST_NIGHT
    for _ in range(4):
        company.change(as_of)
        warehouse.night(company.facts(), as_of)
        assert warehouse.differences(TABLES) == {}
        as_of += timedelta(days=chance.choice((-1, 0, 1, 2, 30, 120)))
    assert len(warehouse.rows("from intermediate.int_journey_path__cell")) > 20
