"""Where a column comes from is read from what dbt compiled, also where a model adds what changed to its own rows.

Not here: the lineage of the product's models as Dagster shows it (tests/e2e/test_nightly_run.py).
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchestration.config.settings import Settings
from orchestration.dbt import lineage
from orchestration.dbt.lineage import keep_lineage, load_lineage, through_steps

COLUMNS = {
    ("warehouse", "accepted", "ticket"): ["id", "minutes"],
    ("warehouse", "main", "unit"): ["id", "minutes"],
    ("warehouse", "_touched", "unit"): ["id", "minutes", "_weight"],
    ("warehouse", "main", "total"): ["id", "minutes"],
}
UNIT = "select id, minutes from warehouse.accepted.ticket"
# As the second night compiles it.
TOTAL = """
    with added as (
        select id, minutes * _weight as minutes from warehouse._touched.unit
        union all
        select id, minutes from warehouse.main.total
    )
    select id, sum(minutes) as minutes from added group by id
"""


def model(name: str, sql: str) -> dict[str, str]:
    return {"resource_type": "model", "database": "warehouse", "schema": "main", "name": name, "compiled_code": sql}


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A state in which dbt compiled a unit of each ticket, and a total of them that is kept up by difference."""
    monkeypatch.setattr(lineage, "project_hash", lambda _: "as it stands")
    settings = Settings(data=tmp_path / "data", state=tmp_path / "state")
    settings.dbt_target.mkdir(parents=True)
    nodes = {name: {**model(name, sql), "alias": name} for name, sql in {"unit": UNIT, "total": TOTAL}.items()}
    source = {"resource_type": "source", "database": "warehouse", "schema": "accepted", "identifier": "ticket"}
    manifest = {"nodes": nodes, "sources": {"tickets": source}}
    (settings.dbt_target / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return settings


def test_a_model_that_adds_what_changed_has_its_columns_from_the_model_that_changed(settings: Settings) -> None:
    assert keep_lineage(settings, COLUMNS)
    kept = load_lineage(settings)
    assert kept["total"] == {"id": [("unit", "id")], "minutes": [("unit", "_weight"), ("unit", "minutes")]}


def test_a_step_that_adds_to_its_own_rows_is_followed_to_what_an_asset_reads(settings: Settings) -> None:
    keep_lineage(settings, COLUMNS)
    shown = through_steps({**load_lineage(settings), "mart": {"minutes": [("total", "minutes")]}}, {"mart"})
    assert shown == {"mart": {"minutes": [("tickets", "minutes")]}}
