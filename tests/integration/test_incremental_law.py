"""Any order of nights == one full rebuild, row for row, for everything before the marts.

`JOURNEYMART_CHAOS=long` tries 60 histories instead of one.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from dbt_harness import PROJECT, DbtProject, Warehouse
from hypothesis import given, settings
from hypothesis import strategies as st
from random_history import random_history

LONG = os.environ.get("JOURNEYMART_CHAOS") == "long"
MODELS = sorted(path.stem for path in (PROJECT / "models" / "intermediate").glob("*/int_*__unioned.sql"))
# Whose each record is, and what it is about.
OWNERS = [
    *("int_order__customer", "int_order__first", "int_activity__customer", "int_ticket__customer"),
    *("int_survey_answer__links", "int_survey_invitation__links"),
]
SELECT = " ".join([*MODELS, "map_customer_identity", *OWNERS])
TABLES = [f"intermediate.{model}" for model in SELECT.split()]
# What the identity of customers is worked out from. Which of its rules a history meets is a matter of luck.
GRAPH = [
    f"intermediate.int_identity__{name}" for name in ("contact_point", "respondent", "buyer", "evidence", "resolved")
]


def check(project: DbtProject, folder: Path, seed: int, nights: int) -> None:
    warehouse = Warehouse(project, folder, SELECT)
    for rows in random_history(random.Random(seed), nights):  # noqa: S311 (no secrets here)
        warehouse.night(rows)
    filled = [table for table in TABLES if warehouse.values(f"select count(*) from {table}") != [0]]
    assert filled == TABLES
    assert warehouse.differences(warehouse.rebuilt(), [*TABLES, *GRAPH]) == {}


@pytest.mark.promise("order")
@pytest.mark.chaos
@settings(max_examples=60 if LONG else 1, derandomize=not LONG)
@given(seed=st.integers(0, 2**32), nights=st.integers(2, 6 if LONG else 4))
def test_any_order_of_nights_equals_one_full_rebuild(
    dbt_project: DbtProject, tmp_path_factory: pytest.TempPathFactory, seed: int, nights: int
) -> None:
    check(dbt_project, tmp_path_factory.mktemp("history"), seed, nights)
