"""A column is found under another spelling of its name where only one can be meant."""

from __future__ import annotations

import pytest

from assets.landing.column_names import contract_names
from quality.contract.model import load_contract

ORDERS = load_contract("canonical", "order")


@pytest.mark.parametrize(
    ("delivered", "found"),
    [
        (["order_id", "status"], ["order_id", "status"]),
        (["Order ID", "orderStatus", " UPDATED-AT "], ["order_id", "orderStatus", "updated_at"]),
        (["order_id", "Order ID"], ["order_id", "Order ID"]),  # the exact name is it
        (["Order ID", "OrderId"], ["Order ID", "OrderId"]),  # either may be
        (["", "Ünbekannt"], ["", "Ünbekannt"]),
    ],
)
def test_names_are_the_contracts_where_one_can_be_meant(delivered: list[str], found: list[str]) -> None:
    assert list(contract_names(delivered, ORDERS)) == found
