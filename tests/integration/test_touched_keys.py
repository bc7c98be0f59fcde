"""What the incremental strategy touches, deletes, keeps and refuses. Not here: what the models mean."""

from __future__ import annotations

import hashlib
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from dbt_harness import PROJECT, DbtFailedError, DbtProject, Warehouse

from storage.data_folder import warehouse_file

SELECT = "int_ticket__unioned"


def tickets(*rows: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    return {"zendesk.tickets": list(rows)}


def touched(warehouse: Warehouse) -> list[Any]:
    return sorted(warehouse.values("select ticket_id from _touched.int_ticket__unioned"))


def test_only_the_keys_of_new_rows_are_touched(warehouse: Warehouse) -> None:
    warehouse.night(tickets({"id": "1"}, {"id": "2"}), SELECT)
    assert touched(warehouse) == ["1", "2"]
    warehouse.night(tickets({"id": "2", "status": "solved"}, {"id": "3"}))
    assert touched(warehouse) == ["2", "3"]


def test_a_quiet_night_touches_nothing_and_changes_nothing(warehouse: Warehouse) -> None:
    warehouse.night(tickets({"id": "1"}), SELECT)
    before = warehouse.rows("from intermediate.int_ticket__unioned")
    warehouse.night()
    assert touched(warehouse) == []
    assert warehouse.rows("from intermediate.int_ticket__unioned") == before


def test_a_full_build_touches_everything(warehouse: Warehouse) -> None:
    warehouse.night(tickets({"id": "1"}), SELECT)
    warehouse.night(tickets({"id": "2"}))
    assert touched(warehouse.rebuilt()) == ["1", "2"]


def test_a_key_whose_rows_all_vanished_is_deleted_and_still_seen_downstream(warehouse: Warehouse) -> None:
    rating = {"id": "r", "ticket_id": "1"}
    warehouse.night(
        {"zendesk.satisfaction_ratings": [{**rating, "score": "good", "updated_at": "2026-01-01 00:00:00+00"}]},
        "int_survey_answer__unioned",
    )
    key = warehouse.values("select survey_answer_key from intermediate.int_survey_answer__unioned")
    assert len(key) == 1
    warehouse.night(
        {"zendesk.satisfaction_ratings": [{**rating, "score": "unoffered", "updated_at": "2026-01-02 00:00:00+00"}]}
    )
    assert warehouse.values("select survey_answer_key from intermediate.int_survey_answer__unioned") == []
    assert warehouse.values("select survey_answer_key from _touched.int_survey_answer__unioned") == key


def test_a_failed_model_leaves_its_rows_and_its_touched_keys_as_they_were(warehouse: Warehouse) -> None:
    warehouse.by_dbt = True
    comment = {"id": "1", "ticket_id": "1", "events": [{"type": "Comment"}]}
    warehouse.night({"zendesk.ticket_audits": [comment]}, "int_ticket_event__unioned")
    # No row that was accepted breaks a model, so its table is damaged instead.
    with duckdb.connect(str(warehouse_file(warehouse.build))) as connection:
        connection.execute("alter table intermediate.int_ticket_event__unioned drop column is_public")
    with pytest.raises(DbtFailedError, match="int_ticket_event__unioned"):
        warehouse.night({"zendesk.ticket_audits": [comment | {"id": "2", "ticket_id": "2"}]})
    for table in ("intermediate", "_touched"):
        assert warehouse.values(f"select ticket_id from {table}.int_ticket_event__unioned") == ["1"]


def test_one_source_does_not_touch_the_like_named_records_of_another(warehouse: Warehouse) -> None:
    warehouse.night(tickets({"id": "1", "_source": "desk_a"}, {"id": "1", "_source": "desk_b"}), SELECT)
    warehouse.night(tickets({"id": "1", "_source": "desk_a", "status": "solved"}))
    assert warehouse.rows("select source, ticket_id from _touched.int_ticket__unioned") == [
        {"source": "desk_a", "ticket_id": "1"}
    ]
    assert sorted(warehouse.values("select status from intermediate.int_ticket__unioned")) == [
        "other",
        "solved",
    ]


def test_what_derives_everything_touches_only_what_differs(warehouse: Warehouse) -> None:
    def moved() -> list[Any]:
        return sorted(warehouse.values("select contact_id from _touched.int_identity__resolved"))

    def contact(number: int, **more: str) -> dict[str, Any]:
        return {"contact_id": str(number), "created_at": datetime(2026, 1, number, tzinfo=UTC), **more}

    warehouse.night({"canonical.contact": [contact(1, email="ann@a.example"), contact(2)]}, "int_identity__resolved")
    assert moved() == ["1", "2"]
    before = warehouse.rows("from intermediate.int_identity__resolved order by all")
    warehouse.night({"canonical.contact": [contact(2, country="FR")]})
    assert moved() == []
    assert warehouse.rows("from intermediate.int_identity__resolved order by all") == before
    warehouse.night({"canonical.contact": [contact(3)]})
    assert moved() == ["3"]
    warehouse.night({"canonical.contact": [contact(3, email="Ann@a.example")]})
    assert moved() == ["1", "3"]
    assert warehouse.differences(warehouse.rebuilt(), ["intermediate.int_identity__resolved"]) == {}


def test_keys_are_the_same_in_every_build_and_positive(warehouse: Warehouse) -> None:
    warehouse.night(tickets({"id": "1"}), SELECT)
    digest = hashlib.md5(b"zendesk\x1f1", usedforsecurity=False).hexdigest()
    assert warehouse.values("select ticket_key from intermediate.int_ticket__unioned") == [int(digest[:15], 16)]


@pytest.fixture(scope="module")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> DbtProject:
    """A project of two made-up models on the real macros: one as it should be, and a careless one."""
    project = tmp_path_factory.mktemp("made up")
    macros = ("macros/incremental", "macros/materializations", "macros/naming", "macros/keys.sql")
    for part in (*macros, "dbt_project.yml", "profiles.yml"):
        (project / part).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (PROJECT / part).is_dir() else shutil.copy
        copy(PROJECT / part, project / part)
    for system in ("canonical", "night"):
        staging = f"models/staging/{system}"
        only_types = shutil.ignore_patterns("int_*.sql", "*__models.yml")
        shutil.copytree(PROJECT / staging, project / staging, ignore=only_types)
    (project / "models/marts").mkdir()
    touched_by = "{{ new_rows('stg_canonical__action', ['owner_department', 'theme']) }}"
    for model, where in (("public", "{{ is_touched(['owner_department', 'theme']) }}"), ("careless", "true")):
        (project / f"models/marts/{model}.sql").write_text(
            "{{ config(materialized='incremental', "
            "touched_key=['owner_department', 'theme'], touches=['actions'], "
            f'touched_by="{touched_by}") }}}}\n'
            "select owner_department, theme, count(*) as actions from {{ ref('stg_canonical__action') }}\n"
            f"where {where} group by owner_department, theme"
        )
        (project / f"models/marts/{model}.yml").write_text(
            f"models: [{{name: {model}, columns: [{{name: owner_department, data_type: varchar}}, "
            "{name: theme, data_type: varchar}, {name: actions, data_type: bigint}]}]"
        )
    return DbtProject(tmp_path_factory.mktemp("made up target"), project)


def action(number: int, department: str | None, theme: str | None) -> dict[str, Any]:
    return {"action_id": str(number), "owner_department": department, "theme": theme}


def test_a_missing_part_of_a_key_is_a_value_like_any_other(made_up: DbtProject, tmp_path: Path) -> None:
    warehouse = Warehouse(made_up, tmp_path)
    warehouse.night({"canonical.action": [action(1, None, "a"), action(2, "x", "a"), action(3, None, None)]}, "public")
    warehouse.night({"canonical.action": [action(4, None, "a")]})
    assert warehouse.differences(warehouse.rebuilt(), ["cx_marts.main.public"]) == {}
    assert warehouse.rows("select theme, actions from cx_marts._touched.public order by actions") == [
        {"theme": "a", "actions": 1},
        {"theme": "a", "actions": 2},
    ]


def test_a_model_that_forgets_to_filter_fails_instead_of_doubling_its_rows(made_up: DbtProject, tmp_path: Path) -> None:
    warehouse = Warehouse(made_up, tmp_path)
    warehouse.night({"canonical.action": [action(1, "x", "a")]}, "careless")
    with pytest.raises(DbtFailedError, match="careless returned a row whose owner_department, theme is not touched"):
        warehouse.night({"canonical.action": [action(2, "y", "a")]})
    assert warehouse.values("select actions from cx_marts.main.careless") == [1]
