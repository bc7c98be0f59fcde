"""dbt's manifest in journeymart's words: keys, groups, owners and dependencies of assets, names of checks.

Not here: what is an asset, in which group, with which arrows (dbt/asset_graph.py), what a check says of itself
(check_words.py), running dbt (dbt_assets.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from functools import cached_property
from typing import Any

import dagster as dg

from orchestration import keys
from orchestration.check_words import ROWS, words_of_rows, words_of_test
from orchestration.config.setup import Setup
from orchestration.dbt.asset_graph import RECORDS, AssetGraph, Source, built, drawn, is_public, object_of_record
from orchestration.dbt.dagster_dbt import DagsterDbtTranslator, DbtProject
from orchestration.dbt.lineage import Columns
from orchestration.dbt.row_tests import row_tests
from quality.gate.ledger import Check

_LAYERS = ("seeds", "staging", "intermediate", "marts")

# What the night tells of itself. Its other tables (dates, currency, roles, spelling) are read nearly everywhere.
_OF_THE_NIGHT = frozenset({"batches", "approvals", "definition_changes"})


class Translator(DagsterDbtTranslator):
    """dbt's nodes in journeymart's words; records are made from accepted extracts."""

    def __init__(self, setup: Setup, manifest: Mapping[str, Any]) -> None:
        super().__init__()
        self._setup = setup
        self.graph = AssetGraph(manifest)
        self.row_tests = row_tests(manifest)

    def specs(self) -> list[dg.AssetSpec]:
        """Every asset dbt makes."""
        return [self.get_asset_spec(self.graph.manifest, i, None) for i in sorted(self.graph.assets)]

    def check_specs(self) -> list[dg.AssetCheckSpec]:
        """One check of rows per asset that has tests of rows, one per other test, on the asset that shows its model."""
        tests = dbt_tests(self.graph.manifest)
        return [
            *(
                dg.AssetCheckSpec(
                    name=ROWS,
                    asset=asset,
                    description=self._words_of_rows({i: tests[i] for i in of_asset}),
                    blocking=True,
                )
                for asset, of_asset in self.rows_of_assets.items()
            ),
            *(
                dg.AssetCheckSpec(
                    name=test["name"],
                    asset=asset,
                    description=words_of_test(test),
                    blocking=is_blocking(test),
                )
                for i, test in tests.items()
                if i not in self.row_tests and (asset := self.asset_of_test(i))
            ),
        ]

    def _words_of_rows(self, of_asset: Mapping[str, Mapping[str, Any]]) -> str:
        manifest = self.graph.manifest
        tests = [(str(check_target(manifest, i)), test) for i, test in of_asset.items()]
        asset = self.graph.asset_of(tests[0][0])
        named = [(manifest["nodes"][model]["name"], test) for model, test in tests]
        return words_of_rows(manifest["nodes"][asset]["name"], named)

    @cached_property
    def rows_of_assets(self) -> dict[dg.AssetKey, list[str]]:
        """The tests of rows that are one check of an asset, by unique id."""
        found: dict[dg.AssetKey, list[str]] = {}
        for i in self.row_tests:
            asset = self.asset_of_test(i)
            if asset is None:
                raise ValueError(f"{i} is of no asset")
            found.setdefault(asset, []).append(i)
        return found

    def asset_of_test(self, test: str) -> dg.AssetKey | None:
        """The asset a test is shown on; None: it reads tables of the night only."""
        target = check_target(self.graph.manifest, test)
        return self.key_of(target) if target else None

    def key_of(self, node: str) -> dg.AssetKey:
        """The asset that shows a node."""
        return self.get_asset_key(self.graph.manifest["nodes"][self.graph.asset_of(node)])

    def get_asset_spec(self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None) -> dg.AssetSpec:
        """The stock translation, with the picture's groups and arrows, kinds, owners and tags."""
        spec = super().get_asset_spec(manifest, unique_id, project)
        props = self.get_resource_props(manifest, unique_id)
        if unique_id not in self.graph.assets:
            return spec
        return spec.replace_attributes(
            deps=_ordered(self._arrows[spec.key]),
            group_name=self.graph.group_of(unique_id),
            kinds={"dbt", "duckdb", kind_of_node(props)},
            owners=spec.owners or [keys.OWNER],
            tags={**spec.tags, "visibility": "public" if is_public(props) else "private"},
        )

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """`intermediate/...`, `marts/...`, `seeds/...` by name; a record by its object: `records/ticket`."""
        if dbt_resource_props["resource_type"] == "source":
            return dg.AssetKey(["warehouse", dbt_resource_props["source_name"], dbt_resource_props["name"]])
        record = object_of_record(dbt_resource_props["name"])
        return dg.AssetKey([RECORDS, record] if record else [_layer(dbt_resource_props), dbt_resource_props["name"]])

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """What it is and, where that is said, what it is for; its SQL is a click away in the project."""
        what = str(dbt_resource_props.get("description") or dbt_resource_props["name"])
        purpose = dbt_resource_props.get("config", {}).get("meta", {}).get("purpose")
        return f"{what}\n\n**For:** {purpose}" if purpose else what

    @cached_property
    def ends(self) -> list[dg.AssetKey]:
        """The public marts no other is made from: what comes after them comes after all that is published."""
        public = {self.key_of(i) for i in self.graph.assets if is_public(self.graph.manifest["nodes"][i])}
        before: dict[dg.AssetKey, Set[dg.AssetKey]] = {}
        for asset in self.graph.in_order:
            arrows = self._arrows[self.key_of(asset)]
            before[self.key_of(asset)] = arrows.union(*(before.get(each, ()) for each in arrows))
        return _ordered(public.difference(*(before[key] for key in public)))

    @cached_property
    def _arrows(self) -> dict[dg.AssetKey, frozenset[dg.AssetKey]]:
        made = {
            self.key_of(asset): {key for parent in self.graph.parents_of(asset) for key in self._keys_of(parent)}
            for asset in self.graph.assets
        }
        groups = {self.key_of(asset): self.graph.group_of(asset) for asset in self.graph.assets}
        groups |= {keys.accepted(s.stream): keys.group_of_source(s.stream.source) for s in self._setup.sources.streams}
        night = {asset for asset in self.graph.assets if self._is_of_the_night(asset)}
        arrows = drawn(made, groups.__getitem__)
        return arrows | {self.key_of(asset): arrows[self.key_of(asset)] | {keys.NIGHT} for asset in night}

    def _keys_of(self, parent: str | Source) -> list[dg.AssetKey]:
        """The assets behind what a node reads: a node, or the extracts that filled a table."""
        if isinstance(parent, Source):
            return [keys.accepted(s.stream) for s in self._setup.sources.streams_of(parent.schema, parent.table)]
        return [self.key_of(parent)]

    def _is_of_the_night(self, asset: str) -> bool:
        return any(
            isinstance(parent, Source) and parent.schema == "night" and parent.table in _OF_THE_NIGHT
            for parent in self.graph.parents_of(asset)
        )

    def column_lineage(self, columns: Columns) -> dg.TableColumnLineage:
        """Where the columns of an asset come from, as Dagster shows it."""
        return dg.TableColumnLineage(
            {
                column: [
                    dg.TableColumnDep(asset_key=key, column_name=name)
                    for parent, name in parents
                    for key in self._keys_of(self._read(parent))
                ]
                for column, parents in columns.items()
            }
        )

    def _read(self, node: str) -> str | Source:
        source = self.graph.manifest["sources"].get(node)
        return Source(source["source_name"], source["name"]) if source else node


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


def public_tables(manifest: Mapping[str, Any]) -> frozenset[str]:
    """Names of the marts a version must hold."""
    return frozenset(node["alias"] for node in built(manifest).values() if is_public(node))


def kind_of_node(props: Mapping[str, Any]) -> str:
    """What a node is to dbt, as a label: seed, view, table, incremental."""
    return "seed" if props["resource_type"] == "seed" else str(props["config"]["materialized"])


def check_target(manifest: Mapping[str, Any], test: str) -> str | None:
    """The node a test is of: the one it is attached to, else the last it reads; None: only sources."""
    node = manifest["nodes"][test]
    attached = node.get("attached_node")
    if attached in manifest["nodes"]:
        return str(attached)
    read = [i for i in node["depends_on"]["nodes"] if i in manifest["nodes"]]
    return max(read, key=lambda i: (_LAYERS.index(_layer(manifest["nodes"][i])), i)) if read else None


def _ordered(found: Iterable[dg.AssetKey]) -> list[dg.AssetKey]:
    return sorted(found, key=lambda key: list(key.path))


def _layer(props: Mapping[str, Any]) -> str:
    """Folder of a node: staging, intermediate, marts; seeds are a layer of their own."""
    return "seeds" if props["resource_type"] == "seed" else str(props["fqn"][1])
