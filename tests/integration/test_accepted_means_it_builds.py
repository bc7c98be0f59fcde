"""Accepted means it builds: odd rows of every contract go through the gate, and every model, test and audit holds.

All contracts' rows go into one company, so that one build tries thousands of values. Not here: the rows (odd_rows.py),
what the gate lets in (test_gate_bounds.py).
"""

from __future__ import annotations

import os
from datetime import date, timedelta
from pathlib import Path

import pytest

from assets.audit.audit import audit
from assets.text.hidden_points import HIDDEN
from quality.contract.model import QuarantineBudget, all_contracts
from quality.gate.gate import Gate
from storage.data_folder import DataFolder, StreamId
from tests.gate_kit import Landing
from tests.integration.dbt_harness import Warehouse
from tests.odd_rows import OddRows

LONG = os.environ.get("JOURNEYMART_CHAOS") == "long"
DAY = date(2026, 3, 30)
# How many rows may be at fault is not what is tried here.
LENIENT = QuarantineBudget(max_share=1.0, min_rows=1_000_000)


def deliver(root: Path, day: date, seed: int, mixed: int) -> list[Path]:
    """Land odd rows of every contract and send them through the gate.

    Returns:
        Folders of what was accepted.
    """
    folder = DataFolder(root / "data of the night")
    accepted = []
    with Gate(folder, None) as gate:
        for contract in all_contracts():
            stream = StreamId(contract.system, contract.system, contract.stream)
            lenient = contract.model_copy(update={"quarantine": LENIENT, "freshness": None})
            landing = Landing(root, lenient, timezone="America/New_York", stream=stream)
            rows = OddRows(contract, day, seed).draw(mixed)
            texts = [[row[name] for name in contract.columns] for row in rows]
            (verdict,) = gate.judge([landing.land(texts, day)])
            assert verdict.passed, (str(stream), verdict.blocked_by)
            assert verdict.accepted_rows + verdict.quarantined_rows == len(rows)
            assert verdict.accepted_rows >= len(rows) / 2, str(stream)
            accepted.append(folder.accepted_partition(stream, day))
    return accepted


def build(warehouse: Warehouse, day: date, seed: int, mixed: int) -> None:
    """A night: every model, every test of it, every audit, every text that readers see."""
    warehouse.night(batches=deliver(warehouse.folder, day, seed, mixed), as_of=day, tests=True)
    findings = {finding.audit: finding for finding in audit(warehouse.build, None, "")}
    assert not [each.sentence for each in findings.values() if each.outcome in ("fail", "error")]
    with_stand_in, with_contact_point = shown(warehouse)
    assert with_contact_point == {}
    assert {"fct_order.product", "fct_ticket.team", "fct_ticket.topic", "mart_kpi_daily.member"} <= with_stand_in
    assert findings["hidden_texts"].outcome == "warn"
    assert "canonical/order.product" in findings["hidden_texts"].detail
    told = (
        "select message from cx_marts.main.mart_data_health "
        f"where measure = 'texts_hidden' and stream = 'order' and date_day = '{day}'"
    )
    assert ["product" in message for message in warehouse.values(told)] == [True]


def shown(warehouse: Warehouse) -> tuple[set[str], dict[str, str]]:
    """Columns of marts in which a reader sees a stand-in, and those that show the odd rows' address or number."""
    columns = warehouse.rows(
        "select table_name as mart, column_name as name from duckdb_columns() "
        "where database_name = 'cx_marts' and schema_name = 'main' and data_type in ('VARCHAR', 'JSON')"
    )
    assert len(columns) > 200
    asked = " union all ".join(
        f"select '{each['mart']}.{each['name']}' as place, bool_or(contains(text, '{HIDDEN}')) as is_hidden, "
        "max(text) filter (contains(text, 'example.org') or contains(text, '1234567')) as found "
        f'from (select "{each["name"]}"::varchar as text from cx_marts.main."{each["mart"]}")'
        for each in columns
    )
    found = warehouse.rows(asked)
    with_stand_in = {each["place"] for each in found if each["is_hidden"]}
    with_contact_point = {each["place"]: each["found"] for each in found if each["found"]}
    return with_stand_in, with_contact_point


@pytest.mark.promise("records")
def test_whatever_contracts_accept_every_model_test_and_audit_holds(warehouse: Warehouse) -> None:
    build(warehouse, DAY, seed=0, mixed=10)


@pytest.mark.promise("records")
@pytest.mark.chaos
@pytest.mark.skipif(not LONG, reason="the long campaign runs under `make chaos`")
@pytest.mark.parametrize("seed", range(1, 11))
def test_so_they_do_for_other_rows_night_after_night(warehouse: Warehouse, seed: int) -> None:
    for night in range(3):
        build(warehouse, DAY + timedelta(days=night), seed, mixed=100)
