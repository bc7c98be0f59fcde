"""What a person who runs nights sees: ranges, nothing new, missing extracts, commands, the history of runs."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import dagster as dg
import pytest

from orchestration import keys
from orchestration.build import build_defs
from orchestration.engine.compile import compile_model
from orchestration.instance import open_instance
from orchestration.operations.plan_night import newest_complete_date, outstanding_dates
from orchestration.partitions import RANGE_END, RANGE_START
from storage.errors import JourneymartError
from storage.locks import data_lock
from tests.e2e.conftest import FIRST, FOURTH, SECOND, THIRD, made_with, said_by
from tests.spark_kit import Version


def said(installation, *arguments):
    done = installation.command(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_range_of_dates_is_one_run_and_one_version(rebuilt):
    (version,) = said(rebuilt, "versions")
    assert version["as_of"] == FOURTH.isoformat()
    with open_instance(rebuilt.setup.settings) as instance:
        first = instance.get_runs()[-1]
        assert (first.tags[RANGE_START], first.tags[RANGE_END]) == (FIRST.isoformat(), FOURTH.isoformat())
        for stream in rebuilt.setup.sources.streams:
            for key in (keys.landed(stream.stream), keys.accepted(stream.stream)):
                assert instance.get_materialized_partitions(key) == {
                    day.isoformat() for day in (FIRST, SECOND, THIRD, FOURTH)
                }


def test_a_quote_in_the_path_of_the_state_folder_is_a_letter_like_any_other(rebuilt):
    assert "'" in str(rebuilt.state)
    ((kpis,),) = rebuilt.marts("select count(*) from dim_kpi where definition > ''")
    assert kpis == len((rebuilt.state / "dbt_project/seeds/kpis.csv").read_text().splitlines()) - 1


def test_what_a_night_wrote_beside_its_version_is_its_owners_alone(three_nights):
    state = made_with(three_nights)
    logs = [*state.joinpath("dbt").rglob("*"), *state.joinpath("storage").rglob(f"{run_of(three_nights)}*")]
    assert {path.name for path in logs} >= {"dbt_output.log", "compiled", "run", f"{run_of(three_nights)}.db"}
    assert {path.stat().st_mode & 0o777 for path in (state, *logs) if path.is_dir()} == {0o700}
    assert {path.stat().st_mode & 0o777 for path in logs if path.is_file()} == {0o600}
    private = [three_nights.data / name for name in ("landing", "accepted", "quarantine", "current/warehouse")]
    assert {path.stat().st_mode & 0o777 for path in private} == {0o700}
    assert {path.stat().st_mode & 0o777 for path in three_nights.data.glob("current/marts/*")} == {0o644}


def run_of(installation):
    """The run that published the current version."""
    return json.loads(installation.data.joinpath("current/manifest.json").read_text())["run_id"]


def test_the_run_is_in_the_history_with_rows_and_seconds_to_plot(rebuilt):
    with open_instance(rebuilt.setup.settings) as instance:
        for key, numbers in {
            keys.PUBLISHED: {"seconds", "rows_in", "rows_published", "rows/fct_ticket"},
            dg.AssetKey(["marts", "fct_ticket"]): {"seconds", "dagster/row_count"},
            keys.accepted(rebuilt.setup.sources.streams[0].stream): {"rows", "dagster/partition_row_count"},
        }.items():
            event = instance.get_latest_materialization_event(key)
            metadata = event.asset_materialization.metadata
            assert numbers <= metadata.keys(), key
            assert all(isinstance(metadata[name].value, int | float) for name in numbers)


def test_columns_know_where_they_come_from(rebuilt):
    with open_instance(rebuilt.setup.settings) as instance:
        event = instance.get_latest_materialization_event(dg.AssetKey(["marts", "fct_ticket"]))
    lineage = event.asset_materialization.metadata["dagster/column_lineage"].value.deps_by_column
    assert {dep.asset_key for dep in lineage["status"]} == {dg.AssetKey(["records", "ticket"])}


def test_every_model_has_a_meaning_on_spark(rebuilt):
    """In the form that builds everything anew, which is the only one there; what hooks say is tried in tests/spark."""
    version = Version((rebuilt.data / "current").resolve(), rebuilt.state)
    known = {table: tuple(columns) for table, columns in version.columns().items()}
    models = [node for node in version.models() if not node["config"]["pre-hook"]]
    for node in models:
        compile_model(node["name"], version.sql_of(node), f"{node['schema']}.{node['name']}", known, {})
    assert len(models) > 200


def test_a_night_without_anything_new_publishes_nothing(company):
    before = company.published_hashes()
    assert outstanding_dates(company.setup, SECOND) == []
    assert not company.night(SECOND).published
    assert company.published_hashes() == before


def test_the_next_night_is_the_one_after_the_current_version(company):
    assert newest_complete_date(company.setup) == FOURTH
    assert outstanding_dates(company.setup, FOURTH) == [THIRD, FOURTH]


def test_the_schedule_asks_for_all_dates_missed_whose_extracts_are_there_and_for_nothing_published(company):
    setup = company.setup
    schedule = build_defs(setup=setup).resolve_schedule_def("every_night")
    with open_instance(setup.settings) as instance:
        looks = [
            schedule.evaluate_tick(dg.build_schedule_context(instance=instance, scheduled_execution_time=morning))
            for morning in (datetime(2026, 7, 2, 1, 30, tzinfo=UTC), datetime(2026, 6, 29, 1, 30, tzinfo=UTC))
        ]
    (request,) = looks[0].run_requests
    # Nothing is delivered of 2026-07-01 yet.
    assert (request.tags[RANGE_START], request.tags[RANGE_END]) == ("2026-06-29", "2026-06-30")
    assert looks[1].skip_message == "Everything up to 2026-06-28 is published."


def test_a_missing_extract_is_one_sentence_and_nothing_is_published(company):
    before = company.published_hashes()
    done = company.command("run", "--as-of", "2026-07-01")
    assert done.returncode == 1
    assert done.stderr.startswith("journeymart: The extract of ")
    assert " for 2026-07-01 is missing: no complete file " in done.stderr
    assert done.stderr.count("\n") == 1
    assert company.published_hashes() == before


def test_two_nights_at_once_are_refused(company):
    with (
        data_lock(company.setup.folder, "another night"),
        pytest.raises(JourneymartError, match="is being changed by another night"),
    ):
        company.night(THIRD)


def test_the_command_runs_what_is_due_and_ends_with_the_scorecard(three_nights):
    told = said_by(three_nights).read_text(encoding="utf-8")
    assert "Night of 2026-06-29" in told
    assert "✓ build the marts (dbt)" in told
    for line in ("NPS", "CSAT", "CES", "Retention", "First reply", "Backlog", "Rows ", "Seconds", "make ui"):
        assert line in told
    assert str(three_nights.data / "current" / "marts" / "cx_marts.duckdb") in told
    state = said(three_nights, "status")
    assert (state["as_of"], state["due"], state["is_stale"]) == (THIRD.isoformat(), [FOURTH.isoformat()], False)


def test_what_was_rolled_back_is_due_again(three_nights, tmp_path):
    company = three_nights.copy_to(tmp_path / "da ta")
    newest, before, *_ = (row["version"] for row in reversed(said(company, "versions")))
    assert said(company, "rollback") == {"from": newest, "to": before, "is_pinned": False}
    assert said(company, "status")["as_of"] == SECOND.isoformat()
    assert outstanding_dates(company.setup, THIRD) == [THIRD]


def test_quarantined_rows_are_listed_shown_and_judged_again(company):
    held = said(company, "quarantine", "list")
    assert held
    first = held[0]
    name = f"{first['source']}/{first['stream']}"
    rows = said(company, "quarantine", "show", name, first["extract_date"])
    assert len(rows) == first["rows"]
    assert all(row["reasons"] for row in rows)
    (again,) = said(company, "quarantine", "replay", name, first["extract_date"])
    assert (again["rows_before"], again["rows_after"]) == (first["rows"], first["rows"])
    # The same rows under the same contract: nothing is new.
    assert outstanding_dates(company.setup, SECOND) == []
