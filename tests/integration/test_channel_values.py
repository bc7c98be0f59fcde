"""Channels compared over random nights: what is kept from night to night equals one count of everything.

Not here: which records count, and values on a few rows (dbt unit tests), the mart counted again from its definition
(test_journey_marts.py).
"""

from __future__ import annotations

import os
import random
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from changed_facts import FactWarehouse
from dbt_harness import DbtProject

SEEDS = range(1, 41) if os.environ.get("JOURNEYMART_CHAOS") == "long" else range(1, 2)
MODELS = ("int_channel_consistency__record", "int_channel_consistency__value", "mart_channel_consistency")
TABLES = (*(f"intermediate.{name}" for name in MODELS[:2]), f"cx_marts.main.{MODELS[2]}")
CHANNELS = ("phone", "email", "web", "unknown")
Row = dict[str, Any]


class Company:
    """Customers, orders, tickets, answers, journeys and contacts, changed at random."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.rows: dict[str, dict[int, Row]] = {table: {} for table in self._makers()}

    def facts(self) -> dict[str, list[Row]]:
        return {table: list(rows.values()) for table, rows in self.rows.items()}

    def change(self, as_of: date) -> None:
        """One night: records come, late or not, are corrected, deleted, and customers prefer another channel."""
        for table, make in self._makers().items():
            rows = self.rows[table]
            # Nobody who did something comes to be known, or is forgotten, without what they did.
            if table == "dim_customer" and rows:
                rows.update({key: make(key, as_of) for key in sorted(rows) if self.chance.random() < 0.1})
                continue
            new = self.chance.sample(range(1, 10**6), 40 if not rows else self.chance.choice((0, 1, 6)))
            changed = [key for key in sorted(rows) if self.chance.random() < 0.06]
            for key in (*new, *changed):
                rows[key] = make(key, as_of)
            for key in sorted(rows):
                if self.chance.random() < 0.04:
                    del rows[key]

    def _makers(self) -> dict[str, Any]:
        return {
            "dim_customer": self._customer, "fct_order": self._order, "fct_ticket": self._ticket,
            "fct_survey_answer": self._answer, "fct_journey": self._journey, "fct_journey_event": self._contact,
        }  # fmt: skip

    def _customer(self, key: int, _: date) -> Row:
        return {"customer_key": key, "preferred_channel": self.chance.choice((None, *CHANNELS[:3]))}

    def _order(self, key: int, _: date) -> Row:
        return {"order_key": key, "channel": self.chance.choice(CHANNELS)}

    def _ticket(self, key: int, as_of: date) -> Row:
        minutes = self.chance.choice((None, 5.0, 60.0, 700.0, 9000.0))
        return {
            "ticket_key": key, "customer_key": self._any("dim_customer"), "channel": self.chance.choice(CHANNELS),
            "is_customer_initiated": self.chance.random() < 0.8, "first_reply_minutes": minutes,
            "first_reply_date_key": self._day(as_of), "full_resolution_minutes": minutes,
            "last_solved_date_key": self._day(as_of), "removed_kind": self.chance.choice((None, None, None, "spam")),
        }  # fmt: skip

    def _answer(self, key: int, as_of: date) -> Row:
        return {
            "answer_key": key, "customer_key": self._any("dim_customer"), "ticket_key": self._any("fct_ticket"),
            "order_key": self._any("fct_order"), "metric": self.chance.choice(("csat", "nps", "ces", "enps")),
            "survey_kind": self.chance.choice(("transactional", "relational")),
            "channel": self.chance.choice(CHANNELS), "is_counted": self.chance.random() < 0.9,
            "answered_date_key": self._day(as_of), "score_norm": self.chance.choice((0.0, 0.25, 0.4, 1.0)),
            "answer_class": self.chance.choice(("promoter", "detractor", "positive", "negative", "neutral")),
        }  # fmt: skip

    def _journey(self, key: int, as_of: date) -> Row:
        return {
            "journey_key": key, "journey": self.chance.choice(("support", "purchase")),
            "customer_key": self._any("dim_customer"), "start_date_key": self._day(as_of),
            "first_channel": self.chance.choice(CHANNELS), "n_switches": self.chance.choice((0, 2)),
            "is_matured": self.chance.random() < 0.7,
        }  # fmt: skip

    def _contact(self, key: int, as_of: date) -> Row:
        return {
            "event_key": key, "customer_key": self._any("dim_customer"), "channel": self.chance.choice(CHANNELS),
            "direction": self.chance.choice(("outbound", "outbound", "inbound")),
            "object": self.chance.choice(("activity", "activity", "order")), "event": "campaign",
            "date_key": self._day(as_of),
        }  # fmt: skip

    def _any(self, table: str) -> int:
        return self.chance.choice((-1, *sorted(self.rows[table])))

    def _day(self, as_of: date) -> int:
        """Near the edges: of the business date, of months and of the last 365 days."""
        days = self.chance.choice((0, 0, -1, -2, -30, -31, -60, -364, -365, -366, -395, 1, 3))
        return int(f"{as_of + timedelta(days=days):%Y%m%d}")


@pytest.mark.promise("order")
@pytest.mark.parametrize("seed", SEEDS)
def test_any_nights_compare_the_channels_of_one_rebuild(dbt_project: DbtProject, tmp_path: Path, seed: int) -> None:
    """Business dates stand still, jump and step back; each night is compared."""
    chance = random.Random(seed)  # noqa: S311 (no secrets here)
    warehouse = FactWarehouse(dbt_project, tmp_path, MODELS)
    company = Company(chance)
    as_of = date(2026, 3, 31)
    for _ in range(4):
        company.change(as_of)
        warehouse.night(company.facts(), as_of)
        assert warehouse.differences(TABLES) == {}
        as_of += timedelta(days=chance.choice((-1, 0, 1, 2, 30)))
    assert len(warehouse.rows("select distinct kpi from cx_marts.main.mart_channel_consistency")) == 7
