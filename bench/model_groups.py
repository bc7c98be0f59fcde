"""Which models stand for a heavy table: the table and its steps. Names of models are written here alone.

Not here: what they cost (statements.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

HEAVY = {
    "map": "mart_journey_map",
    "path": "mart_journey_path",
    "cell": "int_kpi__cell",
    "kpi daily": "mart_kpi_daily",
    "customer month": "fct_customer_month",
}
"""What the heavy tables are called for short, and their models."""

HAND_TUNED = ("map", "cell", "path", "customer month")
"""Those that bench/peers makes by hand."""

_STEPS = {
    "map": "int_journey_map__",
    "path": "int_journey_path__",
    "cell": "int_kpi__cell_",
    "kpi daily": "int_kpi__daily_",
    "customer month": "int_customer_month__",
}
"""How the steps of a heavy table are called, which others may read as well."""

_PRIVATE = "int_"
_RECORDS = frozenset(
    f"int_kpi__{name}" for name in ("answer", "case", "customer", "journey", "order", "ticket", "voice")
)
"""What KPIs count: facts of their own, though only heavy tables read some of them."""


def groups(manifest: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """Models of each heavy table, by its short name.

    A step is called as one, or nothing but heavy tables and their steps reads it. One that leads to several heavy
    tables counts in each of them, but not where another of them stands between.
    """
    nodes = {key: node["name"] for key, node in manifest["nodes"].items() if node["resource_type"] == "model"}
    readers = {
        name: {nodes[child] for child in manifest["child_map"][key] if child in nodes} for key, name in nodes.items()
    }
    inside = {*HEAVY.values(), *(name for name in readers if name.startswith(tuple(_STEPS.values())))}
    steps = {name for name, read_by in readers.items() if read_by and name.startswith(_PRIVATE)} - _RECORDS
    while more := {name for name in steps - inside if readers[name] <= inside}:
        inside |= more
    found = {short: _with_steps(table, _STEPS[short], inside, readers) for short, table in HEAVY.items()}
    return {
        short: frozenset(
            group - {step for other, steps in found.items() for step in steps if _stands_between(other, short, readers)}
        )
        for short, group in found.items()
    }


def _stands_between(other: str, short: str, readers: Mapping[str, set[str]]) -> bool:
    """Whether a heavy table is made from another."""
    reached = {HEAVY[other]}
    while more := {reader for name in reached for reader in readers.get(name, ())} - reached:
        reached |= more
    return other != short and HEAVY[short] in reached


def _with_steps(table: str, prefix: str, inside: set[str], readers: Mapping[str, set[str]]) -> set[str]:
    """A heavy table, the steps called after it, and those inside that lead to any of them through steps alone."""
    group = {table, *(name for name in inside if name.startswith(prefix))}
    others = set(HEAVY.values()) - {table}
    while more := {name for name in inside - group - others if readers[name] & group}:
        group |= more
    return group
