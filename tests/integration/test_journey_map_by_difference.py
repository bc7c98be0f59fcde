"""The journey map is kept up by difference: any nights make, table by table, what one full rebuild makes.

Late records, edits, deletions, customers of another segment, nights on which only time passes, over several days and
before their base. `JOURNEYMART_CHAOS=long` tries 60 histories instead of one. Not here: what the map says
(test_journey_marts.py), formulas (dbt unit tests).
"""

from __future__ import annotations

import os
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from dbt_harness import DbtProject, Warehouse
from hypothesis import given, settings
from hypothesis import strategies as st
from journey_company import AS_OF, JourneyCompany

LONG = os.environ.get("JOURNEYMART_CHAOS") == "long"
TABLES = [
    *(f"intermediate.int_journey_map__{step}" for step in ("customer", "journey", "flow", "time", "answer", "score")),
    *("intermediate.int_journey_map__cell", "cx_marts.main.mart_journey_map"),
]
KEYS = {
    "canonical.order": "order_id",
    "canonical.activity": "activity_id",
    "canonical.survey_answer": "answer_id",
    "canonical.ticket": "ticket_id",
}
DAYS_PASSED = (-3, 0, 1, 1, 2, 12, 40)


def deletions(arrived: dict[str, list[dict[str, Any]]], chance: random.Random) -> dict[str, list[dict[str, Any]]]:
    """Some of what arrived, deleted at its source since."""
    gone = {"_op": "delete", "_version_at": datetime(2026, 6, 3, tzinfo=UTC)}
    return {
        stream: [{key: row[key], **gone} for row in arrived.get(stream, []) if chance.random() < 0.1]
        for stream, key in KEYS.items()
    }


def check(project: DbtProject, folder: Path, seed: int, nights: int) -> None:
    chance = random.Random(seed)  # noqa: S311 (no secrets here)
    warehouse = Warehouse(project, folder, "mart_journey_map", crms=("canonical", "zendesk"))
    as_of = AS_OF - timedelta(days=chance.randrange(40, 200))
    last: dict[str, list[dict[str, Any]]] = {}
    for arriving in JourneyCompany(seed, contacts=40).nights(nights):
        gone = deletions(last, chance)
        warehouse.night({s: [*arriving.get(s, []), *gone.get(s, [])] for s in {*arriving, *gone}}, as_of=as_of)
        as_of += timedelta(days=chance.choice(DAYS_PASSED))
        last = arriving
    warehouse.night(as_of=as_of)
    assert [table for table in TABLES if warehouse.values(f"select count(*) from {table}") == [0]] == []
    assert warehouse.differences(warehouse.rebuilt(), TABLES) == {}


@pytest.mark.promise("order")
@pytest.mark.chaos
@settings(max_examples=60 if LONG else 1, derandomize=not LONG)
@given(seed=st.integers(0, 2**32), nights=st.integers(2, 6) if LONG else st.just(3))
def test_any_nights_make_the_map_of_one_full_rebuild(
    dbt_project: DbtProject, tmp_path_factory: pytest.TempPathFactory, seed: int, nights: int
) -> None:
    check(dbt_project, tmp_path_factory.mktemp("map"), seed, nights)
