"""The dbt step of a night: every model, seed and test as Dagster runs them, and the one run of dbt.

What lives here: the step. Not here: how nodes are called and grouped (dbt_translator.py), parsing the project
(dbt/project.py), what dbt says of its nodes (dbt/results.py), column lineage (dbt/lineage.py), the SQL (dbt_project/).
"""

# Annotations are not postponed in this file: Dagster looks at the one of `context`.
import contextlib
import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence, Set
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

import dagster as dg
from dagster import AssetExecutionContext
from packaging.version import Version

from orchestration.check_words import ROWS
from orchestration.config.setup import Setup
from orchestration.dbt.asset_graph import AssetGraph, built
from orchestration.dbt.catalog import Relation, columns_of_tables, relation_of, row_counts
from orchestration.dbt.dagster_dbt import DagsterDbtTranslator, DbtCliInvocation, DbtCliResource
from orchestration.dbt.figures import headline_figures
from orchestration.dbt.lineage import is_lineage_kept, keep_lineage, load_lineage, through_steps
from orchestration.dbt.results import DBT_OUTPUT, Result, counts_of, outcome_of, result_of_node, why_not_built
from orchestration.dbt.row_tests import ask_together, left_to_us
from orchestration.dbt_translator import Translator, check_of_test, dbt_tests, kind_of_node
from orchestration.failures import in_one_sentence
from orchestration.processes.dbt import run_dbt
from orchestration.progress import advance
from orchestration.run_order import require_begun
from quality.gate.ledger import Ledger, Recorded
from storage.data_folder import marts_file
from storage.faults import fault_point

# What dbt is told when there is no base; of its tests, those of rows are asked here (dbt/row_tests.py).
BUILD_ALL = ("build", "--exclude-resource-type", "unit_test")
# What it is told when there is one: its seeds and views are those of this very code, so they stay; their tests run.
BUILD_ON_BASE = (
    *BUILD_ALL,
    *("--exclude-resource-type", "seed", "--exclude", "config.materialized:view", "--indirect-selection", "empty"),
    # Its files about the project are what lineage is read from, and say nothing else that is asked.
    "--no-write-json",
)


class NightlyDbt(DbtCliResource):
    """dbt as a night runs it: one process, a fixed target folder, no look at the warehouse from here.

    The stock resource starts `dbt --version` and opens the warehouse for column metadata before every
    run; the versions are pinned and the columns are in the manifest, so both would be seconds for
    nothing.
    """

    def start(
        self,
        setup: Setup,
        manifest: Mapping[str, Any],
        translator: DagsterDbtTranslator,
        context: AssetExecutionContext,
        arguments: Sequence[str],
        *,
        environment: Mapping[str, str],
    ) -> DbtCliInvocation:
        """Start dbt over the project; the caller reads its events."""
        settings = setup.settings
        return DbtCliInvocation(
            process=run_dbt(settings, arguments, environment),
            manifest=manifest,
            dagster_dbt_translator=translator,
            project_dir=settings.dbt_project,
            target_path=settings.dbt_target,
            raise_on_error=False,
            cli_version=Version(installed_version("dbt-core")),
            context=context,
        )


def dbt_resource(setup: Setup) -> NightlyDbt:
    """The dbt resource of an installation."""
    return NightlyDbt(
        project_dir=str(setup.settings.dbt_project), dbt_executable=str(Path(sys.executable).with_name("dbt"))
    )


def build_models(setup: Setup, translator: Translator) -> dg.AssetsDefinition:
    """The dbt step over every node of the manifest."""
    manifest = translator.graph.manifest
    nodes = built(manifest)
    tests = dbt_tests(manifest)
    row_tests = translator.row_tests

    @dg.multi_asset(
        name="dbt_build",
        specs=translator.specs(),
        check_specs=translator.check_specs(),
        can_subset=True,
        required_resource_keys={"dbt", "data_lock"},
    )
    def dbt_build(context: AssetExecutionContext) -> Iterator[Any]:
        from assets.versions.versions import base_of_build

        fault_point("before_dbt")
        ledger = Ledger(setup.folder.ledger(context.run_id))
        with in_one_sentence():
            require_begun(ledger)
        # Lineage is read from what dbt compiles, so after a change of the project it compiles everything once.
        on_base = base_of_build(setup.folder) is not None and is_lineage_kept(setup.settings)
        kept = {i for i, node in nodes.items() if on_base and _stays_on_base(node)}
        from_engine = _made_by_the_engine(setup, manifest, context.run_id)
        arguments = [*(BUILD_ON_BASE if on_base else BUILD_ALL), *left_to_us(manifest, row_tests.keys())]
        invocation = context.resources.dbt.start(
            setup, manifest, translator, context, arguments, environment=from_engine
        )
        expected = len(nodes) - len(kept) + len(tests)
        results: dict[str, Result] = {}
        with _output_to(setup.settings.dbt_target / DBT_OUTPUT):
            for event in invocation.stream_raw_events():
                if event.is_result_event:
                    results |= result_of_node(event.raw_event["data"])
                    advance(len(results), expected)
                    if len(results) > expected // 3:
                        fault_point("in_dbt")
        # The build holds now what an engine made, and nothing else may.
        shutil.rmtree(setup.folder.engine, ignore_errors=True)
        made = kept | {i for i, result in results.items() if result.status == "success"}
        results |= ask_together(setup, manifest, row_tests, made)
        advance(len(results), expected)
        ledger.record_all(
            Recorded(check_of_test(manifest, test), outcome_of(results[test].status), counts_of(results[test]))
            for test in tests
            if test in results
        )
        yield from _check_results(translator, context.selected_asset_check_keys, results)
        problem = why_not_built(setup, invocation.process.returncode, manifest, results)
        if problem:
            raise dg.Failure(description=problem, allow_retries=False)
        if not on_base:
            # Here, because the tables of touched keys that models read do not outlive the build.
            keep_lineage(setup.settings, columns_of_tables(setup))
        seconds = dict.fromkeys(kept, 0.0) | {i: result.seconds for i, result in results.items()}
        yield from _outputs(setup, translator, context, seconds)

    return dbt_build


def _made_by_the_engine(setup: Setup, manifest: Mapping[str, Any], run_id: str) -> Mapping[str, str]:
    """Have the company's engine make the models, if it has one; what dbt is then told, so that it reads them."""
    if setup.sources.engine is None:
        return {}
    from orchestration.engine.night import make_models

    with in_one_sentence():
        return make_models(setup, setup.sources.engine, manifest, run_id, advance)


@contextlib.contextmanager
def _output_to(path: Path) -> Iterator[None]:
    """Send what dbt prints to a file nobody else reads; the person at the terminal sees steps."""
    # It may quote rows, and an older one may stand open.
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as log, contextlib.redirect_stdout(log):
        yield


def _check_results(
    translator: Translator, chosen: Set[dg.AssetCheckKey], results: Mapping[str, Result]
) -> Iterator[dg.AssetCheckResult]:
    """What each test said, of those this run was asked for; the tests of an asset's rows say it together."""
    for checked, tests in translator.rows_of_assets.items():
        told = {i: results[i] for i in tests if i in results}
        # Some were not asked where a table was not made; the others passing says nothing of the asset then.
        is_sure = len(told) == len(tests) or any(result.status != "pass" for result in told.values())
        if dg.AssetCheckKey(checked, ROWS) in chosen and is_sure:
            yield _rows_result(translator, checked, told)
    for unique_id, test in dbt_tests(translator.graph.manifest).items():
        asset = translator.asset_of_test(unique_id)
        result = results.get(unique_id)
        if unique_id in translator.row_tests or asset is None or result is None:
            continue
        if dg.AssetCheckKey(asset, test["name"]) not in chosen:
            continue
        yield dg.AssetCheckResult(
            asset_key=asset,
            check_name=test["name"],
            passed=result.status == "pass",
            severity=dg.AssetCheckSeverity.WARN if result.status == "warn" else dg.AssetCheckSeverity.ERROR,
            metadata=counts_of(result),
        )


def _rows_result(translator: Translator, asset: dg.AssetKey, results: Mapping[str, Result]) -> dg.AssetCheckResult:
    """What the tests of an asset's rows said, those that did not pass by name."""
    nodes = translator.graph.manifest["nodes"]
    bad = {nodes[i]["name"]: result.words for i, result in results.items() if result.status != "pass"}
    return dg.AssetCheckResult(
        asset_key=asset,
        check_name=ROWS,
        passed=not bad,
        description="; ".join(f"{name}: {words}" for name, words in bad.items()) or None,
        metadata={
            "tests": len(results),
            "failures": sum(result.failures for result in results.values()),
            "seconds": round(sum(result.seconds for result in results.values()), 3),
            **bad,
        },
    )


def _outputs(
    setup: Setup, translator: Translator, context: AssetExecutionContext, seconds: Mapping[str, float]
) -> Iterator[dg.Output[None]]:
    """One materialization per asset this run was asked for, with what is worth plotting.

    Args:
        setup: Settings and sources.
        translator: The assets.
        context: Of the step: it knows what this run was asked for.
        seconds: How long each node of dbt took to be in this version; an asset takes what its steps take.
    """
    graph = translator.graph
    rows = row_counts(setup)
    figures = headline_figures(marts_file(setup.folder.build))
    lineage = through_steps(load_lineage(setup.settings), graph.assets)
    for unique_id in graph.in_order:
        node = graph.manifest["nodes"][unique_id]
        key = translator.key_of(unique_id)
        if key not in context.selected_asset_keys or unique_id not in seconds:
            continue
        counted = rows.get(relation_of(node))
        columns = lineage.get(unique_id)
        if columns:
            # Of the asset alone: as metadata of the output it would be written twice.
            context.add_asset_metadata({"dagster/column_lineage": translator.column_lineage(columns)}, asset_key=key)
        yield dg.Output(
            None,
            output_name=key.to_python_identifier(),
            metadata={
                "seconds": round(sum(seconds.get(step, 0.0) for step in graph.steps_of(unique_id)), 3),
                **({"dagster/row_count": counted} if counted is not None else {}),
                **_rows_of_steps(graph, unique_id, rows),
                **figures.get(node["name"], {}),
            },
        )


def _rows_of_steps(graph: AssetGraph, asset: str, rows: Mapping[Relation, int]) -> dict[str, int]:
    """Rows of the tables that are steps of an asset."""
    steps = (graph.manifest["nodes"][step] for step in graph.steps_of(asset) if step != asset)
    return {f"rows/{step['name']}": rows[relation_of(step)] for step in steps if relation_of(step) in rows}


def _stays_on_base(node: Mapping[str, Any]) -> bool:
    """Whether a node is a matter of code alone, so that a base made by this code has it as it should be."""
    return kind_of_node(node) in {"seed", "view"}
