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
    """A night: every model, every test of it, every audit."""
    warehouse.night(batches=deliver(warehouse.folder, day, seed, mixed), as_of=day, tests=True)
    stopped = [finding.sentence for finding in audit(warehouse.build, None, "") if finding.outcome in ("fail", "error")]
    assert not stopped


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
