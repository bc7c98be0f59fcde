"""Deals of HubSpot in our words: when a deal counts, by the stages it was in."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from tests.integration.dbt_harness import Warehouse


def at(hour: int) -> str:
    return f"2025-12-30T{hour:02}:00:00.000Z"


def deal(name: str, *stages: tuple[int, str], closed: int | None = None, **more: Any) -> dict[str, Any]:
    """A deal that came into each of its stages at an hour, the newest first, as HubSpot tells them."""
    history = [{"value": stage, "timestamp": at(hour)} for hour, stage in stages]
    stage = stages[0][1]
    return {
        "id": name,
        "dealstage": stage,
        "dealstage_history": json.dumps(history),
        "hs_is_closed": stage != "open",
        "hs_is_closed_won": stage == "won",
        "closedate": None if closed is None else at(closed),
        "createdate": at(1),
        "archived": False,
        "updated_at": at(20),
        **more,
    }


DEALS: Sequence[tuple[dict[str, Any], tuple[str, str]]] = (
    (deal("open", (2, "open"), closed=9), ("open", at(1))),
    (deal("won", (5, "won"), (2, "open"), closed=9), ("completed", at(5))),
    (deal("won again", (7, "won"), (6, "open"), (5, "won"), (2, "open"), closed=5), ("completed", at(7))),
    (deal("stage set twice", (8, "lost"), (7, "lost"), (2, "open"), closed=9), ("lost", at(7))),
    (deal("imported after it was closed", (5, "lost"), closed=3), ("lost", at(3))),
    (deal("closed as it was made", (5, "lost"), closed=9), ("lost", at(5))),
    (deal("closed without a history", (5, "won"), closed=9, dealstage_history=None), ("completed", at(9))),
    ({"id": "merged", "archived": True, "merged_into_id": "won", "updated_at": at(20)}, ("open", at(20))),
)


def test_a_closed_deal_counts_from_when_it_came_into_its_stage(warehouse: Warehouse) -> None:
    warehouse.night({"hubspot.deals": [row for row, _ in DEALS]}, "int_order__unioned")
    # One is won after it was open, and one is archived.
    later = {"updated_at": at(22)}
    warehouse.night(
        {
            "hubspot.deals": [
                deal("open", (21, "won"), (2, "open"), closed=21, **later),
                deal("won", (5, "won"), (2, "open"), closed=9, **{**later, "archived": True}),
            ]
        }
    )
    told = warehouse.rows(
        "select order_id, status, strftime(ordered_at, '%Y-%m-%dT%H:%M:%S.000Z') as ordered_at, is_deleted "
        "from intermediate.int_order__unioned"
    )
    expected = {row["id"]: said for row, said in DEALS} | {"open": ("completed", at(21))}
    assert {row["order_id"]: (row["status"], row["ordered_at"]) for row in told} == expected
    assert {row["order_id"] for row in told if row["is_deleted"]} == {"won", "merged"}
    assert warehouse.differences(warehouse.rebuilt(), ["intermediate.int_order__unioned"]) == {}
