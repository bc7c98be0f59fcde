"""Tests that a night asks together find what dbt finds by itself: on a sound build nothing, else each fault by name.

Not here: that a night stops (tests/e2e/test_gate_gates.py), what is counted (tests/unit/test_row_tests.py).
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from dbt_harness import DbtFailedError

from orchestration.config.setup import Setup
from orchestration.config.sources import load_sources
from orchestration.dbt.project import load_manifest
from orchestration.dbt.results import why_not_built
from orchestration.dbt.row_tests import ask_together, row_tests
from storage.data_folder import marts_file, warehouse_file
from tests.checkout import CHECKOUT

# A fault per kind: how it is done, the test it is for, and how its row is named.
FAULTS = (
    (
        "insert into cx_marts.dim_date by name select 7 as date_key from range(2)",
        "unique_grain_dim_date_date_key",
        "date_key 7",
    ),
    (
        "insert into cx_marts.fct_sla by name select 7 as sla_key, 42 as ticket_key",
        "relationships_fct_sla_ticket_key__ticket_key__ref_fct_ticket_",
        "sla_key 7, ticket_key 42",
    ),
    (
        "insert into cx_marts.dim_customer by name select 5 as customer_key, 'happy' as status",
        "accepted_values_dim_customer_status__active__churned__prospect__deleted__unknown",
        "customer_key 5, status happy",
    ),
)


@pytest.fixture
def setup(dbt_project, tmp_path) -> Setup:
    """An installation whose build stands, without rows."""
    dbt_project.stand(tmp_path / "build")
    settings = CHECKOUT.model_copy(update={"data": tmp_path})
    return Setup(settings, load_sources(settings.company_folder.file, tmp_path))


def do(build: Path, statement: str) -> None:
    with duckdb.connect() as connection:
        for name, file in (("warehouse", warehouse_file(build)), ("cx_marts", marts_file(build))):
            connection.execute(f"attach '{file}' as {name}")
        connection.execute(statement)


def asked(setup):
    """What the tests say, by name; and what a person is told."""
    manifest = load_manifest(CHECKOUT)
    nodes = manifest["nodes"]
    results = ask_together(setup, manifest, row_tests(manifest), nodes.keys())
    assert results.keys() == row_tests(manifest).keys()
    return {nodes[i]["name"]: result for i, result in results.items()}, why_not_built(setup, 0, manifest, results)


def failed_by_dbt(dbt_project, build):
    try:
        dbt_project.run(build, "test", "--select", "test_type:generic")
    except DbtFailedError as error:
        return {line.split(":")[0] for line in str(error).splitlines()}
    return set()


@pytest.mark.promise("audited")
def test_each_fault_is_found_by_name_and_key_as_dbt_finds_it(dbt_project, setup):
    results, problem = asked(setup)
    assert {result.status for result in results.values()} == {"pass"}
    assert problem is None
    for statement, _, _ in FAULTS:
        do(setup.folder.build, statement)
    results, problem = asked(setup)
    failed = {name for name, result in results.items() if result.status == "fail"}
    assert failed == {test for _, test, _ in FAULTS} == failed_by_dbt(dbt_project, setup.folder.build)
    for _, test, row in FAULTS:
        assert f"{test} (1 rows, such as {row})" in problem


def test_a_test_that_cannot_be_asked_is_an_error_and_not_silence(dbt_project, setup):
    do(setup.folder.build, "alter table cx_marts.fct_sla rename column ticket_key to other_key")
    results, problem = asked(setup)
    broken = {name for name, result in results.items() if result.status == "error"}
    assert broken == {"relationships_fct_sla_ticket_key__ticket_key__ref_fct_ticket_"}
    assert "relationships_fct_sla_ticket_key__ticket_key__ref_fct_ticket_ (broke with BinderException)" in problem


def test_what_stands_on_a_table_that_was_not_made_is_not_asked(setup):
    manifest = load_manifest(CHECKOUT)
    made = manifest["nodes"].keys() - {"model.journeymart.fct_ticket"}
    results = ask_together(setup, manifest, row_tests(manifest), made)
    missing = {manifest["nodes"][i]["name"] for i in row_tests(manifest).keys() - results.keys()}
    assert "unique_grain_fct_ticket_ticket_key" in missing
    assert "relationships_fct_sla_ticket_key__ticket_key__ref_fct_ticket_" in missing
    assert "unique_grain_fct_sla_sla_key" not in missing
