"""What the gate counted reaches the warehouse with the batch, and again when it says otherwise."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from assets.versions.manifest import DefinitionChange
from assets.warehouse.load import load, prepare
from quality.gate.accepted import read_batch
from storage.errors import JourneymartError
from tests.unit.test_warehouse import NIGHT, accept, query

COUNTS = {"quarantined": 2, "records": 3, "checks_passed": 7, "checks_warned": 1, "checks_failed": 0}
SHOWN = f"select {', '.join(COUNTS)} from night.batches"


@pytest.fixture
def build(tmp_path: Path) -> Path:
    prepare(tmp_path / "build")
    return tmp_path / "build"


def judged(partition: Path, **counts: int) -> Path:
    description = partition / "batch.json"
    description.write_text(json.dumps(json.loads(description.read_text()) | counts))
    return partition


def test_counts_of_the_gate_are_loaded_with_the_batch(build: Path, tmp_path: Path) -> None:
    load(build, [judged(accept(tmp_path, ["1"]), **COUNTS)], NIGHT)
    assert query(build, SHOWN) == [tuple(COUNTS.values())]


def test_a_batch_judged_before_counts_were_kept_is_loaded_without(build: Path, tmp_path: Path) -> None:
    load(build, [accept(tmp_path, ["1"])], NIGHT)
    assert query(build, SHOWN) == [(0, None, None, None, None)]


def test_a_batch_judged_otherwise_is_told_again_in_the_night_that_knows(build: Path, tmp_path: Path) -> None:
    partition = judged(accept(tmp_path, ["1"]), **COUNTS)
    other = accept(tmp_path, ["1"], date(2026, 1, 6))
    load(build, [partition, other], NIGHT)
    again = replace(read_batch(partition / "batch.json"), quarantined=0, checks_passed=8, checks_warned=0)
    load(build, [], NIGHT, [again])
    assert query(build, f"{SHOWN} where night = 2") == [(0, 3, 8, 0, 0)]
    assert query(build, "select extract_date from night.batches where night = 1") == [(date(2026, 1, 6),)]


def test_a_batch_the_warehouse_lacks_cannot_be_told_again_and_nothing_is_loaded(build: Path, tmp_path: Path) -> None:
    load(build, [], NIGHT)
    partition, other = accept(tmp_path, ["1"]), accept(tmp_path, ["1"], date(2026, 1, 6))
    with pytest.raises(JourneymartError, match="zendesk/tickets for 2026-01-05 is not in the warehouse once"):
        load(build, [other], NIGHT, [read_batch(partition / "batch.json")])
    assert query(build, "select count(*) from night.batches") == [(0,)]


def test_the_judgement_of_a_batch_changes_with_each_count_and_word_and_not_with_its_rows(tmp_path: Path) -> None:
    batch = read_batch(judged(accept(tmp_path, ["1"]), **COUNTS) / "batch.json")
    more: list[dict[str, Any]] = [{name: count + 1} for name, count in COUNTS.items()]
    more.append({"warned": "volume: half as many rows as usual"})
    changed = [replace(batch, **each) for each in more]
    assert len({each.judgement for each in (batch, *changed)}) == 2 + len(COUNTS)
    assert replace(batch, rows=9, batch_id="other").judgement == batch.judgement


def test_the_log_of_definitions_is_replaced_by_the_nights_own(build: Path) -> None:
    changes = (
        DefinitionChange(date(2026, 1, 1), "kpis/csat", "changed"),
        DefinitionChange(NIGHT.as_of, "seeds", "added"),
    )
    load(build, [], replace(NIGHT, definition_changes=changes[:1]))
    load(build, [], replace(NIGHT, definition_changes=changes))
    assert query(build, "select * from night.definition_changes order by as_of") == [
        (date(2026, 1, 1), "kpis", "csat", "changed"),
        (NIGHT.as_of, "seeds", "seeds", "added"),
    ]
