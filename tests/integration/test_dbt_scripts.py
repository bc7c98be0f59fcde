"""Where tests build by what dbt sends, dbt is asked as soon as it might send something else.

Not here: that both build the same tables (test_marts_history.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from dbt_harness import DbtProject, Warehouse


def test_dbt_is_asked_where_the_database_answers_otherwise(
    dbt_project: DbtProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rules of themes are read while their model is rendered."""
    asked: list[Sequence[str]] = []
    as_ever = dbt_project.run

    def run(build: Path, *command: str) -> int:
        asked.append(command)
        return as_ever(build, *command)

    def themes(folder: Path, *rules: str) -> set[str]:
        """What is found in one answer, by other rules than the project's if there are any."""
        folder.mkdir()
        warehouse = Warehouse(dbt_project, folder)
        if rules:
            warehouse.seed("theme_rules", ["theme,language,pattern,rule_version", *rules])
        answer = {"answer_id": "1", "comment": "A stroopwafel.", "score": 5}
        warehouse.night({"canonical.survey_answer": [answer]}, "bridge_feedback_theme")
        return set(
            warehouse.values(
                "select theme from cx_marts.main.bridge_feedback_theme inner join cx_marts.main.dim_theme "
                "using (theme_key)"
            )
        )

    dbt_project.stand(tmp_path / "made before anybody listens")
    monkeypatch.setattr(dbt_project, "run", run)
    assert "price" not in themes(tmp_path / "as they are")
    assert asked == []
    assert "price" in themes(tmp_path / "others", r"price,*,\bstroopwafel\b,1")
    assert asked == [("run", "--select", "bridge_feedback_theme")]
