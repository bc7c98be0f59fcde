"""The picture of dbt's project: which nodes are assets, in which group each stands, which arrows are drawn.

What lives here: what a reader sees. Not here: what dbt runs, which is every node (orchestration/dbt_assets.py), and how
assets are called (orchestration/dbt_translator.py).

A reader goes from left to right: sources, records, customers, what was done with them, KPIs, what is published. So
- mappings, private views and private tables that one asset of their group alone reads are steps of the asset they
  feed, not assets;
- a node stands in the group of its folder, the records of every vendor in one group, what is summed up (mart_...) with
  the KPIs, a seed where it is read first;
- what everything reads (the night's table, the calendar) is no arrow;
- one or two arrows from group to group are not drawn where other ways tell the same. So whatever leads to an asset in
  the project leads to it in the picture.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Set
from dataclasses import dataclass
from functools import cached_property
from graphlib import TopologicalSorter
from typing import Any, TypeVar

Node = TypeVar("Node", bound=Hashable)

RECORDS = "records"
PUBLISHED = "published"
# From left to right.
WAY = (RECORDS, "customers", "service", "voice", "journeys", "value", "loop", "kpis", PUBLISHED)

# Folder of a model -> its group; one that is not here is a group of its own. A model that is about something else than
# its folder says so: `config: {meta: {group: ...}}`.
_GROUP_OF_FOLDER = {
    **dict.fromkeys(("account", "contact", "identity", "order", "commerce"), "customers"),
    **dict.fromkeys(("agent", "ticket", "sla", "schedule"), "service"),
    **dict.fromkeys(("survey", "feedback"), "voice"),
    **dict.fromkeys(("activity", "journey"), "journeys"),
    "customer": "value",
    "kpi": "kpis",
    "health": "kpis",
}
# Arrows from group to group from which on they are drawn, whether other ways tell the same or not.
_MANY = 3
_KPIS = "kpis"
_SUMMED_UP = "mart_"
_NEWEST = "__unioned"
_ALL_VERSIONS = "__version"
_CALENDAR = "dim_date"


@dataclass(frozen=True)
class Source:
    """A table dbt reads: of which system or schema, and its name."""

    schema: str
    table: str


@dataclass(frozen=True)
class AssetGraph:
    """dbt's manifest as a reader sees it; nodes are named by dbt's unique ids."""

    manifest: Mapping[str, Any]

    @cached_property
    def assets(self) -> frozenset[str]:
        """The nodes that are assets of their own."""
        return frozenset(self._parents)

    @cached_property
    def in_order(self) -> list[str]:
        """The assets, each after those it is made from."""
        made = {asset: {p for p in self._parents[asset] if isinstance(p, str)} for asset in sorted(self.assets)}
        return list(TopologicalSorter(made).static_order())

    def asset_of(self, node: str) -> str:
        """The asset a node is, or is a step of."""
        table = self._table_of(node)
        while table in self._only_reader:
            table = self._only_reader[table]
        return table

    def steps_of(self, asset: str) -> list[str]:
        """The nodes that are shown as this asset, itself included."""
        return sorted(self._steps[asset])

    def parents_of(self, asset: str) -> frozenset[str | Source]:
        """What an asset is made from: other assets and tables of sources, through its steps."""
        return self._parents[asset]

    def group_of(self, asset: str) -> str:
        """The group an asset stands in."""
        node = self.manifest["nodes"][asset]
        if node["resource_type"] == "seed":
            groups = (self.group_of(self._table_of(reader)) for reader in self._readers(asset))
            return min(groups, key=place, default=PUBLISHED)
        told = node["config"].get("meta", {}).get("group")
        if told or node["name"].startswith(_SUMMED_UP):
            return str(told or _KPIS)
        if object_of_record(node["name"]):
            return RECORDS
        folder = str(node["fqn"][-2])
        return _GROUP_OF_FOLDER.get(folder, folder)

    @cached_property
    def _tables(self) -> dict[str, frozenset[str | Source]]:
        """The nodes that hold rows of their own, with what each reads through mappings and views."""
        tables = {i for i, node in built(self.manifest).items() if not _spells_or_selects(node) or not self._readers(i)}
        return {i: frozenset(self._read_by(i, i, tables)) - {i} for i in tables}

    @cached_property
    def _only_reader(self) -> dict[str, str]:
        """Private tables that one table of their group alone reads -> that table."""
        found: dict[str, str] = {}

        def shown(table: str) -> str:
            return shown(found[table]) if table in found else table

        candidates = [i for i in self._tables if self._is_private_model(i)]
        while True:
            readers: dict[str, set[str]] = {i: set() for i in candidates}
            for table, read in self._tables.items():
                for parent in read & readers.keys() - {table}:
                    readers[str(parent)].add(shown(table))
            new = {
                table: reader
                for table, (reader, *others) in ((i, each) for i, each in readers.items() if each)
                if table not in found and not others and self.group_of(table) == self.group_of(reader)
            }
            if not new:
                return found
            found |= new

    @cached_property
    def _parents(self) -> dict[str, frozenset[str | Source]]:
        found: dict[str, set[str | Source]] = {}
        for table, read in self._tables.items():
            shown = {self.asset_of(each) if isinstance(each, str) else each for each in read}
            found.setdefault(self.asset_of(table), set()).update(shown)
        return {asset: frozenset(read) - {asset} for asset, read in found.items()}

    @cached_property
    def _steps(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for i in built(self.manifest):
            found.setdefault(self.asset_of(i), []).append(i)
        return found

    def _table_of(self, node: str) -> str:
        """The table a mapping or view feeds: the record it tells all versions of, else the first."""
        if node in self._tables:
            return node
        record = self._record_of(node)
        fed = [record] if record else self._readers(node)
        return min((self._table_of(reader) for reader in fed), key=lambda i: (place(self.group_of(i)), i))

    def _read_by(self, node: str, table: str, tables: Set[str]) -> Set[str | Source]:
        found: set[str | Source] = set()
        for parent in self.manifest["nodes"][node]["depends_on"].get("nodes", []):
            if parent in self.manifest["sources"]:
                source = self.manifest["sources"][parent]
                found.add(Source(source["source_name"], source["name"]))
            elif parent in tables:
                found |= {parent} if self.manifest["nodes"][parent]["name"] != _CALENDAR else set()
            else:
                record = self._record_of(parent)
                found |= {record} if record and record != table else self._read_by(parent, table, tables)
        return found

    def _is_private_model(self, node: str) -> bool:
        told = self.manifest["nodes"][node]
        return bool(told["resource_type"] == "model" and not is_public(told))

    def _record_of(self, step: str) -> str | None:
        """The record a step tells all versions of."""
        record = f"{step.removesuffix(_ALL_VERSIONS)}{_NEWEST}"
        return record if step.endswith(_ALL_VERSIONS) and record in self.manifest["nodes"] else None

    def _readers(self, node: str) -> list[str]:
        return [i for i in self.manifest["child_map"].get(node, []) if i in built(self.manifest)]


def built(manifest: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The nodes a night builds, by unique id."""
    return {i: node for i, node in manifest["nodes"].items() if node["resource_type"] in {"model", "seed"}}


def object_of_record(model: str) -> str | None:
    """The object whose newest records a model holds; None: it holds something else."""
    return model.removeprefix("int_").removesuffix(_NEWEST) if model.endswith(_NEWEST) else None


def place(group: str) -> int:
    """Where a group stands from left to right; what is not of the product stands last."""
    return WAY.index(group) if group in WAY else len(WAY)


def drawn(parents: Mapping[Node, Set[Node]], group_of: Callable[[Node], str]) -> dict[Node, frozenset[Node]]:
    """The parents to draw arrows from: all, but for few arrows between two groups that tell nothing new.

    Few are less than `_MANY`, and they tell nothing new if other ways lead along each of them.
    """
    behind: dict[Node, frozenset[Node]] = {}
    for node in TopologicalSorter(parents).static_order():
        behind[node] = frozenset().union(*({each, *behind[each]} for each in parents.get(node, ())))
    between: dict[tuple[str, str], list[bool]] = {}
    for node, read in parents.items():
        for parent in read:
            is_told = any(parent in behind[other] for other in read)
            between.setdefault((group_of(parent), group_of(node)), []).append(is_told)
    hidden = {
        (left, right) for (left, right), told in between.items() if left != right and all(told) and len(told) < _MANY
    }
    return {
        node: frozenset(parent for parent in read if (group_of(parent), group_of(node)) not in hidden)
        for node, read in parents.items()
    }


def _spells_or_selects(node: Mapping[str, Any]) -> bool:
    """Whether a node is a mapping, which spells a system's columns in our words, or a private view."""
    is_mapping = node["resource_type"] == "model" and node["fqn"][1] == "staging"
    return is_mapping or (node["config"]["materialized"] == "view" and not is_public(node))


def is_public(node: Mapping[str, Any]) -> bool:
    """Whether everybody may read what a node makes."""
    return bool(node.get("database") == "cx_marts")
