"""dbt's manifest in journeymart's words: keys, groups, owners and dependencies of assets, names of checks.

Not here: running dbt (dbt_assets.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from orchestration import keys
from orchestration.config.setup import Setup
from orchestration.dbt.dagster_dbt import DagsterDbtTranslator, DbtProject
from quality.gate.ledger import Check

BUILT = frozenset({"model", "seed"})
_LAYERS = ("seeds", "staging", "intermediate", "marts")


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
            kinds={"dbt", "duckdb", kind_of_node(props)},
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
        if check_target(manifest, unique_id) != asset_spec.metadata.get("dagster_dbt/unique_id"):
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


def dbt_tests(manifest: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Every test a night runs, by unique id; unit tests run when the project changes, not nightly."""
    return {i: node for i, node in manifest["nodes"].items() if node["resource_type"] == "test"}


def check_of_test(manifest: Mapping[str, Any], test: str) -> Check:
    """The ledger's name of a dbt test."""
    target = check_target(manifest, test)
    subject = target.rsplit(".", 1)[-1] if target else "sources"
    return Check("marts", subject, manifest["nodes"][test]["name"])


def is_blocking(test: Mapping[str, Any]) -> bool:
    """Whether a failing test stops the night."""
    return str(test.get("config", {}).get("severity") or "error").lower() == "error"


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


def _layer(props: Mapping[str, Any]) -> str:
    """Folder of a node: staging, intermediate, marts; seeds are a layer of their own."""
    return "seeds" if props["resource_type"] == "seed" else str(props["fqn"][1])


def _is_public(props: Mapping[str, Any]) -> bool:
    return props.get("database") == "cx_marts"


def public_tables(manifest: Mapping[str, Any]) -> frozenset[str]:
    """Names of the marts a version must hold."""
    return frozenset(
        node["alias"] for node in manifest["nodes"].values() if node["resource_type"] in BUILT and _is_public(node)
    )


def kind_of_node(props: Mapping[str, Any]) -> str:
    """What a node is to dbt, as a label: seed, view, table, incremental."""
    return "seed" if props["resource_type"] == "seed" else str(props["config"]["materialized"])


def check_target(manifest: Mapping[str, Any], test: str) -> str | None:
    """The node a test is shown on: the one it is attached to, else the last it reads; None: only sources."""
    node = manifest["nodes"][test]
    attached = node.get("attached_node")
    if attached in manifest["nodes"]:
        return str(attached)
    read = [i for i in node["depends_on"]["nodes"] if i in manifest["nodes"]]
    return max(read, key=lambda i: (_LAYERS.index(_layer(manifest["nodes"][i])), i)) if read else None
