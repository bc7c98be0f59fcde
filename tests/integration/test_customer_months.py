"""The months of customers and the records of KPIs over random histories: nights leave what one full rebuild makes.

What lives here: the law, where it is hardest for months that are touched customer by customer: late and earlier
versions, records that vanish and come back, segments that change, the business date standing still, passing the end of
a month or of a year, jumping and stepping back. Not here: what the columns mean (test_value_marts.py).
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from dbt_harness import DbtProject, Warehouse
from value_recount import Company

LONG = os.environ.get("JOURNEYMART_CHAOS") == "long"
KPI_RECORDS = ("order", "ticket", "answer", "journey", "voice", "case", "customer")
STEPS = ("customer", "purchase_day", "standing", "segment", "rank", "churn", "contact")
TABLES = [
    *(f"intermediate.int_customer_month__{step}" for step in STEPS),
    *(f"intermediate.int_kpi__{record}" for record in KPI_RECORDS),
    "intermediate.int_order__first",
    "intermediate.int_customer__segment_spell",
    "cx_marts.main.fct_order",
    "cx_marts.main.fct_customer_month",
]
SELECT = " ".join(["fct_customer_month", *(f"int_kpi__{record}" for record in KPI_RECORDS)])
EMPTY_AT_FIRST = {"intermediate.int_customer_month__churn", "intermediate.int_kpi__voice", "intermediate.int_kpi__case"}
# Within a day, a month, a year: what leaves a window, and which month runs.
JUMPS = (0, 1, 1, 2, 27, 31, 95, 366, -1, -40)
ID = {"contact": "contact_id", "order": "order_id", "ticket": "ticket_id", "survey_answer": "answer_id"}
Rows = dict[str, list[dict[str, Any]]]


def histories(company: Company, chance: random.Random, nights: int) -> Iterator[Rows]:
    """The company's nights, and quiet ones; now and then a record vanishes, or one that vanished is delivered again."""
    told: list[tuple[str, dict[str, Any]]] = []
    for rows in company.nights(nights):
        moved: Rows = {stream: list(delivered) for stream, delivered in rows.items()}
        for stream, row in chance.sample(told, min(len(told), 6)):
            key = ID[stream.removeprefix("canonical.")]
            deleted = {key: row[key], "_op": "delete"}
            moved.setdefault(stream, []).append(deleted if chance.random() < 0.6 else row)
        told += [
            (stream, row) for stream, rows_ in rows.items() if stream.removeprefix("canonical.") in ID for row in rows_
        ]
        yield moved
        if chance.random() < 0.5:
            yield {}


@pytest.mark.promise("order")
@pytest.mark.chaos
@pytest.mark.parametrize("seed", range(1, 41) if LONG else [1])
def test_nights_in_any_order_make_the_months_and_kpi_records_of_one_full_rebuild(
    dbt_project: DbtProject, tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 (no secrets here)
    warehouse = Warehouse(dbt_project, tmp_path_factory.mktemp("months"), SELECT)
    as_of = date(2024, 2, 27) + timedelta(days=chance.randrange(400))
    for rows in histories(Company(seed, 40), chance, nights=4):
        warehouse.night(rows, as_of=as_of)
        as_of += timedelta(days=chance.choice(JUMPS))
    filled = [table for table in TABLES if warehouse.values(f"select count(*) from {table}") != [0]]
    assert set(TABLES) - set(filled) <= EMPTY_AT_FIRST
    assert warehouse.differences(warehouse.rebuilt(), TABLES) == {}
