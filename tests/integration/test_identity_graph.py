"""Components and guards of the identity graph, against union-find over random graphs.

Not here: where edges come from (test_intermediate_customers.py).
"""

from __future__ import annotations

import itertools
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
from dbt_harness import DbtProject, Warehouse

from storage.data_folder import warehouse_file

LEVELS, MERGED, CUSTOMER, LARGEST = 11, 2, 4, 10
MODELS = ("int_identity__component", "int_identity__placed", "int_identity__resolved")
# The same as in test_intermediate_customers.py, so that a session makes one template for both.
SELECT = "map_customer_identity int_identity__changes int_survey_answer__links int_ticket__customer"

Edge = tuple[int, int, int]
"""Two nodes and the level of the rule."""


@dataclass(frozen=True)
class Node:
    """A row of int_identity__node, as far as guards and keys look at it; a CRM may be one of two sources."""

    key: int
    source: str
    is_contact: bool
    is_crm: bool
    is_live: bool
    created: int | None


@dataclass(frozen=True)
class Graph:
    """Nodes by key, edges, and pairs that a person keeps apart."""

    nodes: dict[int, Node]
    edges: list[Edge]
    apart: list[tuple[int, int]]


def random_graph(chance: random.Random) -> Graph:
    """Chains, rings, stars and cross links, so sparse that most components are small and some break each guard."""
    keys = chance.sample(range(1, 10**9), 400)
    nodes = {}
    for key in keys:
        is_contact = chance.random() < 0.85
        is_crm = is_contact and chance.random() < 0.35
        created = chance.randrange(30) if is_contact and chance.random() < 0.9 else None
        nodes[key] = Node(key, chance.choice("st"), is_contact, is_crm, chance.random() < 0.8, created)
    linked = [(*chance.sample(keys, 2), chance.randrange(1, LEVELS + 1)) for _ in range(140)]
    chain = keys[:60]
    linked += [(a, b, 2) for a, b in itertools.pairwise(chain)] + [(chain[-1], chain[0], 2)]
    linked += [(keys[60], other, 8) for other in keys[61:80]]
    edges = [(min(a, b), max(a, b), level) for a, b, level in linked]
    contacts = [key for key in keys if nodes[key].is_contact]
    direct = {(a, b) for a, b, _ in edges}
    pairs = [tuple(sorted(chance.sample(contacts, 2))) for _ in range(40)]
    near = [(a, c) for a, b, _ in edges for b2, c, _ in edges if b == b2 and a != c][:12]
    merged = union(nodes, [edge for edge in edges if edge[2] == 1])
    apart = [
        (a, b)
        for a, b in [*pairs, *near]
        if (a, b) not in direct and nodes[a].is_contact and nodes[b].is_contact and merged[a] != merged[b]
    ]
    return Graph(nodes, sorted(set(edges)), sorted(set(apart)))


def union(nodes: Iterable[int], edges: Iterable[Edge]) -> dict[int, int]:
    """The least node of each node's component."""
    parent = {node: node for node in nodes}

    def root(node: int) -> int:
        while parent[node] != node:
            node = parent[node]
        return node

    for a, b, _ in edges:
        one, other = sorted((root(a), root(b)))
        parent[other] = one
    return {node: root(node) for node in parent}


def expected(graph: Graph) -> dict[int, tuple[int, bool, list[int]]]:
    """By node: the customer's key, whether it is in conflict, and its components by level."""
    labels = [union(graph.nodes, [edge for edge in graph.edges if edge[2] <= level]) for level in range(1, LEVELS + 1)]

    def members(level: int, label: int) -> list[Node]:
        return [node for node in graph.nodes.values() if labels[level - 1][node.key] == label]

    def is_broken(level: int, label: int) -> bool:
        found = members(level, label)
        at = labels[level - 1]
        if level >= MERGED and any(at[a] == label == at[b] for a, b in graph.apart):
            return True
        records = {labels[MERGED - 1][node.key] for node in found if node.is_contact}
        customers = {(node.source, labels[CUSTOMER - 1][node.key]) for node in found if node.is_crm and node.is_live}
        crms = {source for source, _ in customers}
        return level > MERGED and (len(records) > LARGEST or len(customers) > len(crms))

    broken = {
        (level, label): is_broken(level, label)
        for level in range(1, LEVELS + 1)
        for label in set(labels[level - 1].values())
    }
    result = {}
    for key in graph.nodes:
        whole = [level for level in range(1, LEVELS + 1) if not broken[level, labels[level - 1][key]]]
        level = max(whole)
        found = [node for node in members(level, labels[level - 1][key]) if node.is_contact]
        oldest = min(found, key=lambda node: (node.created is None, node.created or 0, node.key), default=None)
        result[key] = (
            oldest.key if oldest else -1,
            level < LEVELS,
            [at[key] for at in labels],
        )
    return result


@pytest.fixture(scope="module")
def build(dbt_project: DbtProject, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    warehouse = Warehouse(dbt_project, tmp_path_factory.mktemp("graph"), SELECT)
    warehouse.night()
    return warehouse


def put(build: Path, graph: Graph) -> None:
    """Put a graph where the models read it."""
    with duckdb.connect(str(warehouse_file(build))) as connection:
        connection.execute("begin transaction")
        for table in ("int_contact__unioned", "int_identity__node", "int_identity__evidence"):
            connection.execute(f"delete from intermediate.{table}")
        connection.execute("delete from seeds.identity_overrides")
        many(
            connection,
            "insert into intermediate.int_contact__unioned (contact_key, source, system, contact_id, role, is_deleted)"
            " values (?, ?, 's', ?, 'customer', false)",
            [(node.key, node.source, str(node.key)) for node in graph.nodes.values() if node.is_contact],
        )
        many(
            connection,
            "insert into intermediate.int_identity__node"
            " (node_key, is_contact, source, system, contact_id, is_crm, is_live, created_at)"
            " values (?, ?, ?, 's', ?, ?, ?, to_timestamp(?))",
            [
                (node.key, node.is_contact, node.source, str(node.key), node.is_crm, node.is_live, node.created)
                for node in graph.nodes.values()
            ],
        )
        many(
            connection,
            "insert into intermediate.int_identity__evidence (node_a, node_b, rule_order) values (?, ?, ?)",
            graph.edges,
        )
        many(
            connection,
            "insert into seeds.identity_overrides (action, source_a, record_a, source_b, record_b)"
            " values ('keep_apart', ?, ?, ?, ?)",
            [(graph.nodes[a].source, str(a), graph.nodes[b].source, str(b)) for a, b in graph.apart],
        )
        connection.execute("commit")


def many(connection: duckdb.DuckDBPyConnection, sql: str, rows: Sequence[tuple[object, ...]]) -> None:
    if rows:
        connection.executemany(sql, [list(row) for row in rows])


@pytest.mark.parametrize("seed", range(2))
def test_customers_are_the_largest_components_that_break_no_guard(build: Warehouse, seed: int) -> None:
    graph = random_graph(random.Random(seed))  # noqa: S311 (no secrets here)
    put(build.build, graph)
    build.project.build(build.build, MODELS)
    levels = ", ".join(f"level_{level}" for level in range(1, LEVELS + 1))
    rows = build.rows(
        f"select node_key, customer_key, is_conflict, [{levels}] as levels from intermediate.int_identity__resolved "
        "inner join intermediate.int_identity__component using (node_key)"
    )
    found = {row["node_key"]: (row["customer_key"], row["is_conflict"], row["levels"]) for row in rows}
    wanted = expected(graph)
    assert found == wanted
    by_status: defaultdict[bool, int] = defaultdict(int)
    for _, is_conflict, _ in wanted.values():
        by_status[is_conflict] += 1
    assert min(by_status[True], by_status[False]) > 20
