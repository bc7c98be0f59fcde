"""What Dagster is told: the shape of a night, and that telling it costs and touches little."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster import DefaultScheduleStatus

from orchestration import keys
from orchestration.build import FRESHNESS, build_defs, night_assets
from orchestration.check_words import CHECKS
from orchestration.config.settings import PROJECT
from orchestration.config.setup import Setup
from orchestration.config.sources import load_sources
from orchestration.dbt.project import load_manifest
from quality.gate.check_result import CHECK_KINDS, WARNINGS
from tests.checkout import CHECKOUT

SNAPSHOT = Path(__file__).with_name("asset_graph.json")


@pytest.fixture(scope="module")
def setup():
    return Setup(CHECKOUT, load_sources(CHECKOUT.company_folder.file, CHECKOUT.data))


@pytest.fixture(scope="module")
def assets(setup):
    return night_assets(setup, load_manifest(setup.settings))


@pytest.fixture(scope="module")
def defs(setup):
    return build_defs(setup=setup)


@pytest.fixture(scope="module")
def graph(defs):
    return defs.resolve_asset_graph()


def test_definitions_validate(defs):
    dg.Definitions.validate_loadable(defs)


def test_they_load_in_five_seconds_without_network_database_or_the_judge(setup):
    """CPU seconds, in a process of its own, in which any connection and any of the heavy libraries would be seen."""
    load_manifest(setup.settings)
    code = """
import socket, sys, time
def refuse(*_): raise AssertionError("a connection was made")
socket.socket.connect = refuse
began = time.process_time()
import orchestration.definitions
heavy = {"great_expectations", "duckdb", "pandas", "scipy", "pyarrow", "apprise"} & set(sys.modules)
print(time.process_time() - began, sorted(heavy))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PROJECT)
    seconds, heavy = done.stdout.strip().split(" ", 1)
    assert heavy == "[]"
    assert float(seconds) < 5


def before(graph, key):
    """Everything that leads to an asset."""
    found = set()
    waiting = [key]
    while waiting:
        new = graph.get(waiting.pop()).parent_keys - found
        found |= new
        waiting += new
    return found


def test_every_step_with_a_blocking_check_leads_to_what_is_published(assets, graph):
    """Dagster starts no step after one that failed; what a run of chosen assets may do: test_run_order.py."""
    gating = [asset for asset in assets if any(spec.blocking for spec in asset.check_specs)]
    assert {asset.op.name for asset in gating} > {"dbt_build", "audit_marts", "accept_zendesk"}
    leading = before(graph, keys.PUBLISHED)
    assert [asset.op.name for asset in gating if not leading & asset.keys] == []


def test_the_report_is_written_from_audited_marts_and_published_with_them(graph):
    assert keys.AUDIT in graph.get(keys.REPORT).parent_keys
    assert keys.REPORT in graph.get(keys.PUBLISHED).parent_keys
    assert all(graph.get(key).is_materializable for key in graph.get(keys.REPORT).parent_keys)


def test_every_kind_of_check_of_the_gate_is_a_check_of_every_accepted_stream(setup, graph):
    assert list(CHECKS) == [*CHECK_KINDS, WARNINGS]
    for stream in setup.sources.streams:
        names = {key.name for key in graph.asset_check_keys if key.asset_key == keys.accepted(stream.stream)}
        assert names == set(CHECKS)


def test_dbt_starts_after_every_gate(setup, assets, graph):
    accepted = {keys.accepted(stream.stream) for stream in setup.sources.streams}
    assert accepted <= graph.get(keys.NIGHT).parent_keys
    dbt = next(asset for asset in assets if asset.op.name == "dbt_build")
    assert keys.NIGHT in {parent for key in dbt.keys for parent in graph.get(key).parent_keys}


def test_records_are_made_from_the_extracts_of_every_installation_of_each_system(graph):
    parents = graph.get(dg.AssetKey(["records", "ticket"])).parent_keys
    assert {key.path[1] for key in parents if key.path[0] == "accepted"} == {"salesforce", "zendesk"}


def test_only_extraction_is_tried_again(assets):
    retried = {asset.op.name for asset in assets if asset.op.retry_policy}
    assert retried == {asset.op.name for asset in assets if asset.op.name.startswith("land_")}


def test_a_range_of_dates_is_one_run(assets):
    partitioned = [asset for asset in assets if asset.partitions_def]
    assert len(partitioned) == 8
    assert all(asset.backfill_policy == dg.BackfillPolicy.single_run() for asset in partitioned)


def test_partitions_are_days_of_the_reporting_time_zone(assets, setup):
    definition = next(asset.partitions_def for asset in assets if asset.partitions_def)
    assert definition.timezone == "Europe/Berlin"
    assert definition.get_first_partition_key() == setup.sources.first_date.isoformat()


def test_the_night_runs_by_itself_after_midnight_of_the_reporting_time_zone(defs):
    schedule = defs.get_schedule_def("every_night")
    assert schedule.default_status is DefaultScheduleStatus.RUNNING
    assert schedule.execution_timezone == "Europe/Berlin"
    assert schedule.job_name == keys.JOB
    assert schedule.cron_schedule == ["30-59/10 3 * * *", "*/10 4-20 * * *"]


def test_the_job_runs_in_one_process(defs):
    assert defs.resolve_job_def(keys.JOB).executor_def is dg.in_process_executor


def test_every_asset_says_what_it_is_whose_it_is_and_how_fresh_it_must_be(graph):
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.description, key
        assert node.owners, key
        assert node.kinds, key
        assert node.group_name not in {"", "default"}, key
        assert node.freshness_policy == FRESHNESS, key


def test_freshness_leaves_a_late_night_in_peace():
    assert FRESHNESS.warn_window.to_timedelta() > timedelta(hours=24)


def test_extracts_and_marts_show_their_columns(defs, setup):
    specs = {spec.key: spec for spec in defs.resolve_all_asset_specs()}
    shown = [keys.accepted(stream.stream) for stream in setup.sources.streams]
    shown += [key for key in specs if key.path[0] == "marts"]
    for key in shown:
        assert specs[key].metadata["dagster/column_schema"].columns, key


def test_a_test_can_swap_any_resource_and_any_asset(setup):
    @dg.asset(key=keys.PUBLISHED)
    def nothing_published(): ...

    defs = build_defs(setup=setup, resource_overrides={"dbt": "another"}, asset_overrides=[nothing_published])
    assert defs.resources["dbt"] == "another"
    assert defs.get_assets_def(keys.PUBLISHED).op.name == nothing_published.op.name


def test_the_asset_graph_is_the_one_we_know(graph):
    """A change of the graph is meant: UPDATE_SNAPSHOTS=1 writes it anew, the diff is for the reviewer."""
    found = {
        key.to_user_string(): {
            "group": graph.get(key).group_name,
            "parents": sorted(parent.to_user_string() for parent in graph.get(key).parent_keys),
        }
        for key in sorted(graph.get_all_asset_keys(), key=lambda key: key.path)
    }
    if os.environ.get("UPDATE_SNAPSHOTS"):
        SNAPSHOT.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    assert found == json.loads(SNAPSHOT.read_text(encoding="utf-8"))
