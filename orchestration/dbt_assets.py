"""The dbt step of a night: every model, seed and test as Dagster sees them, and the one run of dbt.

What lives here: the translation of dbt's manifest into assets and checks, and the step. Not here: parsing the
project (orchestration/dbt/project.py), column lineage (orchestration/dbt/lineage.py), the SQL (dbt_project/).
"""

# Annotations are not postponed in this file: Dagster looks at the one of `context`.
import contextlib
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

import dagster as dg
from dagster import AssetExecutionContext
from packaging.version import Version

from orchestration import keys
from orchestration.config.setup import Setup
from orchestration.dbt.dagster_dbt import (
    DagsterDbtTranslator,
    DbtCliInvocation,
    DbtCliResource,
    DbtProject,
    dbt_assets,
)
from orchestration.dbt.lineage import is_lineage_kept, keep_lineage, load_lineage
from orchestration.processes.dbt import run_dbt
from orchestration.progress import advance
from quality.gate.ledger import Check, Ledger, Outcome, Recorded
from storage.data_folder import marts_file, warehouse_file
from storage.faults import fault_point

# What dbt printed in the last night.
DBT_OUTPUT = "dbt_output.log"

# What dbt is told when there is no base.
BUILD_ALL = ("build", "--exclude-resource-type", "unit_test")
# What it is told when there is one: its seeds and views are those of this very code, so they stay; their tests run.
BUILD_ON_BASE = (
    *BUILD_ALL,
    *("--exclude-resource-type", "seed", "--exclude", "config.materialized:view", "--indirect-selection", "empty"),
    # Its files about the project are what lineage is read from, and say nothing else that is asked.
    "--no-write-json",
)

_BUILT = frozenset({"model", "seed"})
_LAYERS = ("seeds", "staging", "intermediate", "marts")


@dataclass(frozen=True)
class Result:
    """What became of a node of dbt.

    Attributes:
        status: success or error of a model or seed; pass, warn, fail or error of a test.
        seconds: How long it took.
        failures: Rows a test found.
    """

    status: str
    seconds: float
    failures: int


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
    ) -> DbtCliInvocation:
        """Start dbt over the project; the caller reads its events."""
        settings = setup.settings
        return DbtCliInvocation(
            process=run_dbt(settings, arguments),
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


def _project(setup: Setup) -> DbtProject:
    settings = setup.settings
    return DbtProject(settings.dbt_project, target_path=settings.dbt_target, profiles_dir=settings.dbt_project)


class Translator(DagsterDbtTranslator):
    """dbt's nodes in journeymart's words: keys, areas, owners; staging reads accepted extracts."""

    def __init__(self, setup: Setup) -> None:
        super().__init__()
        self._setup = setup

    def get_asset_spec(self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None) -> dg.AssetSpec:
        """The stock translation, with the sources' own dependencies, kinds, owners and tags."""
        spec = super().get_asset_spec(manifest, unique_id, project)
        props = self.get_resource_props(manifest, unique_id)
        if props["resource_type"] == "source":
            return spec
        return spec.replace_attributes(
            deps=self._dependencies(manifest, props, spec),
            kinds={"dbt", "duckdb", _kind(props)},
            owners=spec.owners or [keys.OWNER],
            tags={**spec.tags, "visibility": "public" if _is_public(props) else "private"},
        )

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """`staging/...`, `intermediate/...`, `marts/...`, `seeds/...` by name."""
        if dbt_resource_props["resource_type"] == "source":
            return dg.AssetKey(["warehouse", dbt_resource_props["source_name"], dbt_resource_props["name"]])
        return dg.AssetKey([_layer(dbt_resource_props), dbt_resource_props["name"]])

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """Marts by area, everything else by layer."""
        if dbt_resource_props["resource_type"] == "source":
            return keys.BUILD
        fqn = dbt_resource_props["fqn"]
        layer = _layer(dbt_resource_props)
        return f"marts_{fqn[2]}" if layer == "marts" and len(fqn) > 3 else layer  # noqa: PLR2004

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """The model's own words; its SQL is a click away in the project."""
        return str(dbt_resource_props.get("description") or dbt_resource_props["name"])

    def get_asset_check_spec(
        self,
        asset_spec: dg.AssetSpec,
        manifest: Mapping[str, Any],
        unique_id: str,
        project: DbtProject | None,
    ) -> dg.AssetCheckSpec | None:
        """One check per dbt test, attached to the model it names or to the last one it reads."""
        if _check_target(manifest, unique_id) != asset_spec.metadata.get("dagster_dbt/unique_id"):
            return None
        test = manifest["nodes"][unique_id]
        return dg.AssetCheckSpec(
            name=test["name"],
            asset=asset_spec.key,
            description=test.get("description") or None,
            blocking=is_blocking(test),
        )

    def _dependencies(
        self, manifest: Mapping[str, Any], props: Mapping[str, Any], spec: dg.AssetSpec
    ) -> list[dg.AssetDep]:
        """What a node reads: other nodes, and for tables of the warehouse the extracts that filled them."""
        sources = [
            manifest["sources"][i] for i in props.get("depends_on", {}).get("nodes", []) if i in manifest["sources"]
        ]
        nodes = [dep for dep in spec.deps if dep.asset_key.path[0] != "warehouse"]
        extracts = [
            keys.accepted(stream.stream)
            for source in sources
            for stream in self._setup.sources.streams_of(source["source_name"], source["name"])
        ]
        loaded = [keys.NIGHT] if sources or not nodes else []
        return [*nodes, *(dg.AssetDep(key) for key in dict.fromkeys([*extracts, *loaded]))]


def build_models(setup: Setup, manifest: dict[str, Any]) -> dg.AssetsDefinition:
    """The dbt step over every node of the manifest."""
    translator = Translator(setup)
    nodes = {i: node for i, node in manifest["nodes"].items() if node["resource_type"] in _BUILT}
    tests = dbt_tests(manifest)

    @dbt_assets(
        manifest=manifest,
        project=_project(setup),
        dagster_dbt_translator=translator,
        name="dbt_build",
        required_resource_keys={"dbt", "data_lock"},
    )
    def dbt_build(context: AssetExecutionContext) -> Iterator[Any]:
        from assets.versions.versions import base_of_build

        fault_point("before_dbt")
        # Lineage is read from what dbt compiles, so after a change of the project it compiles everything once.
        on_base = base_of_build(setup.folder) is not None and is_lineage_kept(setup.settings)
        kept = {i for i, node in nodes.items() if on_base and _stays_on_base(node)}
        invocation = context.resources.dbt.start(
            setup, manifest, translator, context, BUILD_ON_BASE if on_base else BUILD_ALL
        )
        expected = len(nodes) - len(kept) + len(tests)
        results: dict[str, Result] = {}
        with _output_to(setup.settings.dbt_target / DBT_OUTPUT):
            for event in invocation.stream_raw_events():
                if event.is_result_event:
                    results |= told_result(event.raw_event["data"])
                    advance(len(results), expected)
                    if len(results) > expected // 3:
                        fault_point("in_dbt")
        ledger = Ledger(setup.folder.ledger(context.run_id))
        ledger.record_all(
            Recorded(check_of_test(manifest, test), _outcome(results[test].status), _counts(results[test]))
            for test in tests
            if test in results
        )
        yield from _check_results(translator, manifest, tests, results)
        problem = _problem(setup, invocation.process.returncode, manifest, results)
        if problem:
            raise dg.Failure(description=problem, allow_retries=False)
        seconds = dict.fromkeys(kept, 0.0) | {i: result.seconds for i, result in results.items()}
        yield from _outputs(setup, manifest, translator, nodes, seconds)

    return dbt_build


def dbt_tests(manifest: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Every test a night runs, by unique id; unit tests run when the project changes, not nightly."""
    return {i: node for i, node in manifest["nodes"].items() if node["resource_type"] == "test"}


def check_of_test(manifest: Mapping[str, Any], test: str) -> Check:
    """The ledger's name of a dbt test."""
    target = _check_target(manifest, test)
    subject = target.rsplit(".", 1)[-1] if target else "sources"
    return Check("marts", subject, manifest["nodes"][test]["name"])


def is_blocking(test: Mapping[str, Any]) -> bool:
    """Whether a failing test stops the night."""
    return str(test.get("config", {}).get("severity") or "error").lower() == "error"


@contextlib.contextmanager
def _output_to(path: Path) -> Iterator[None]:
    """Send what dbt prints to a file nobody else reads; the person at the terminal sees steps."""
    # It may quote rows, and an older one may stand open.
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as log, contextlib.redirect_stdout(log):
        yield


def told_result(told: Mapping[str, Any]) -> dict[str, Result]:
    """What dbt tells when a node ended, by the node's unique id; of what it skips it tells nothing."""
    node = told["node_info"]
    return {node["unique_id"]: Result(node["node_status"], told["execution_time"], told.get("num_failures", 0))}


def _outcome(status: str) -> Outcome:
    outcomes: dict[str, Outcome] = {"pass": "pass", "warn": "warn", "fail": "fail"}
    return outcomes.get(status, "error")


def _counts(result: Result) -> dict[str, int | float | str]:
    return {"failures": result.failures, "seconds": round(result.seconds, 3)}


def _check_results(
    translator: Translator,
    manifest: Mapping[str, Any],
    tests: Mapping[str, Mapping[str, Any]],
    results: Mapping[str, Result],
) -> Iterator[dg.AssetCheckResult]:
    for unique_id, test in tests.items():
        target = _check_target(manifest, unique_id)
        result = results.get(unique_id)
        if target is None or result is None:
            continue
        yield dg.AssetCheckResult(
            asset_key=translator.get_asset_key(manifest["nodes"][target]),
            check_name=test["name"],
            passed=result.status == "pass",
            severity=dg.AssetCheckSeverity.WARN if result.status == "warn" else dg.AssetCheckSeverity.ERROR,
            metadata=_counts(result),
        )


def _problem(setup: Setup, code: int, manifest: Mapping[str, Any], results: Mapping[str, Result]) -> str | None:
    """Why the build may not go on, in one sentence. dbt's own words stay in its log: they may quote rows."""
    log = setup.settings.dbt_target / DBT_OUTPUT
    broken = [i for i, r in results.items() if r.status == "error"]
    failed = [i for i, r in results.items() if r.status == "fail"]
    if broken:
        names = ", ".join(sorted(manifest["nodes"][i]["name"] for i in broken)[:5])
        return f"dbt could not build or test {names}: see {log}; nothing was published."
    if failed:
        said = ", ".join(f"{manifest['nodes'][i]['name']} ({results[i].failures} rows)" for i in sorted(failed)[:5])
        return f"{len(failed)} dbt test(s) failed, {said}: see {log}; nothing was published."
    if code:
        return f"dbt ended early with exit code {code}: see {log}; nothing was published."
    return None


def _outputs(
    setup: Setup,
    manifest: Mapping[str, Any],
    translator: Translator,
    nodes: Mapping[str, Mapping[str, Any]],
    seconds: Mapping[str, float],
) -> Iterator[dg.Output[None]]:
    """One materialization per node that took `seconds` to be in this version, with what is worth plotting."""
    rows = _row_counts(setup)
    # Here, because the tables of touched keys that models read do not outlive the build.
    keep_lineage(setup.settings, _columns(setup))
    lineage = load_lineage(setup.settings)
    parents = {i: [p for p in node["depends_on"].get("nodes", ()) if p in nodes] for i, node in nodes.items()}
    # Dagster wants parents first.
    for unique_id in (i for i in TopologicalSorter(parents).static_order() if i in seconds):
        node = nodes[unique_id]
        key = translator.get_asset_key(node)
        counted = rows.get((node["database"], node["schema"], node["alias"]))
        columns = lineage.get(unique_id)
        yield dg.Output(
            None,
            output_name=key.to_python_identifier(),
            metadata={
                "seconds": round(seconds[unique_id], 3),
                **({"dagster/row_count": counted} if counted is not None else {}),
                **({"dagster/column_lineage": column_lineage(columns, manifest, translator)} if columns else {}),
            },
        )


def column_lineage(
    columns: Mapping[str, list[tuple[str, str]]], manifest: Mapping[str, Any], translator: Translator
) -> dg.TableColumnLineage:
    """Cached lineage of one node as Dagster shows it."""
    everything = {**manifest["nodes"], **manifest["sources"]}
    return dg.TableColumnLineage(
        {
            column: [
                dg.TableColumnDep(asset_key=translator.get_asset_key(everything[parent]), column_name=name)
                for parent, name in parents
                if parent in everything
            ]
            for column, parents in columns.items()
        }
    )


def _row_counts(setup: Setup) -> dict[tuple[str, str, str], int]:
    """Rows of every table of the build, by database, schema and name; from the catalog, not by scanning."""
    found = _catalog(setup, "select database_name, schema_name, table_name, estimated_size from duckdb_tables()")
    return {(database, schema, name): rows for database, schema, name, rows in found}


def _columns(setup: Setup) -> dict[tuple[str, str, str], list[str]]:
    """Columns of every table and view of the build, by database, schema and name."""
    found = _catalog(
        setup,
        "select database_name, schema_name, table_name, list(column_name order by column_index) "
        "from duckdb_columns() group by all",
    )
    return {(database, schema, name): columns for database, schema, name, columns in found}


def _catalog(setup: Setup, query: str) -> list[Any]:
    """Ask the catalog of the build's two files, named as dbt names them."""
    import duckdb

    from assets.versions.contents import literal

    build = setup.folder.build
    with duckdb.connect() as connection:
        for name, path in (("warehouse", warehouse_file(build)), ("cx_marts", marts_file(build))):
            connection.execute(f"attach {literal(str(path))} as {name} (read_only)")
        return connection.execute(query).fetchall()


def _layer(props: Mapping[str, Any]) -> str:
    """Folder of a node: staging, intermediate, marts; seeds are a layer of their own."""
    return "seeds" if props["resource_type"] == "seed" else str(props["fqn"][1])


def _stays_on_base(node: Mapping[str, Any]) -> bool:
    """Whether a node is a matter of code alone, so that a base made by this code has it as it should be."""
    return _kind(node) in {"seed", "view"}


def _is_public(props: Mapping[str, Any]) -> bool:
    return props.get("database") == "cx_marts"


def public_tables(manifest: Mapping[str, Any]) -> frozenset[str]:
    """Names of the marts a version must hold."""
    return frozenset(
        node["alias"] for node in manifest["nodes"].values() if node["resource_type"] in _BUILT and _is_public(node)
    )


def _kind(props: Mapping[str, Any]) -> str:
    """What a node is to dbt, as a label: seed, view, table, incremental."""
    return "seed" if props["resource_type"] == "seed" else str(props["config"]["materialized"])


def _check_target(manifest: Mapping[str, Any], test: str) -> str | None:
    """The node a test is shown on: the one it is attached to, else the last it reads; None: only sources."""
    node = manifest["nodes"][test]
    attached = node.get("attached_node")
    if attached in manifest["nodes"]:
        return str(attached)
    read = [i for i in node["depends_on"]["nodes"] if i in manifest["nodes"]]
    return max(read, key=lambda i: (_LAYERS.index(_layer(manifest["nodes"][i])), i)) if read else None
