"""dbt's unit tests of the models: formulas on values computed by hand. A night leaves them out; here they run."""

from __future__ import annotations

from pathlib import Path

import yaml
from dbt_harness import PROJECT, DbtProject


def test_every_unit_test_of_the_project_passes(dbt_project: DbtProject, tmp_path: Path) -> None:
    files = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in PROJECT.joinpath("models").rglob("*.yml")]
    written = sum(len(file.get("unit_tests", [])) for file in files)
    assert dbt_project.run(dbt_project.stand(tmp_path / "build"), "test", "--select", "test_type:unit") == written > 0
