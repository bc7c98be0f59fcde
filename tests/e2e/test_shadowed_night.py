"""Of a real night on a base, every model that can be derived for a few keys is what its rows make it.

Not here: how the sample is drawn and what it may cost (unit/test_shadow.py).
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest

from assets.audit.shadow import differing_keys
from assets.versions.contents import attach
from orchestration.dbt.shadow import shadow, shadow_models
from tests.e2e.conftest import made_with
from tests.e2e.installation import Installation

WITHOUT_END = 1e9


@pytest.fixture(scope="module")
def night(three_nights: Installation, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """What the third night published, as the build it was."""
    data = tmp_path_factory.mktemp("shadow") / "data"
    shutil.copytree((three_nights.data / "current").resolve(), data / "build")
    return Installation(data, made_with(three_nights), three_nights.company)


@pytest.fixture(scope="module")
def manifest(night: Installation) -> dict[str, Any]:
    said: dict[str, Any] = json.loads((night.state / "dbt" / "manifest.json").read_text(encoding="utf-8"))
    return said


@pytest.mark.promise("shadow")
def test_a_night_on_a_base_left_nothing_behind(night: Installation, manifest: dict[str, Any]) -> None:
    by_keys = [n for n in manifest["nodes"].values() if n["config"].get("incremental_strategy") == "touched_keys"]
    found = shadow(night.setup, manifest, "any night", WITHOUT_END)
    assert (found.outcome, differing_keys(found.detail)) == ("pass", {})
    assert found.detail["models compared"] == found.detail["models there are"] > len(by_keys) / 2


@pytest.mark.promise("shadow")
def test_an_order_that_changed_unnoticed_is_found_in_the_models_that_read_it(
    night: Installation, manifest: dict[str, Any], tmp_path: Path
) -> None:
    shutil.copytree(night.data / "build", tmp_path / "build")
    with duckdb.connect() as connection:
        attach(connection, tmp_path / "build", read_only=False)
        connection.execute("update warehouse.intermediate.int_order__unioned set item_amount = item_amount + 1")
    found = shadow(Installation(tmp_path, night.state, night.company).setup, manifest, "any night", WITHOUT_END)
    assert found.outcome == "warn"
    assert "fct_order" in differing_keys(found.detail)


def test_after_a_build_from_nothing_there_is_nothing_to_compare(manifest: dict[str, Any], tmp_path: Path) -> None:
    assert list(shadow_models(manifest, tmp_path)) == []
