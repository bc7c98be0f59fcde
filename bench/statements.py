"""What a record of dbt's statements says: CPU by model and by group of models, rows derived, rows out of nested loops.

Not here: making the record (recorded_dbt.py), which models stand for what (model_groups.py).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

# A product of two tables is what a model asks for, such as every day with every KPI; a loop is what the planner chose.
_NESTED_LOOPS = {"NESTED_LOOP_JOIN", "BLOCKWISE_NL_JOIN"}
# Fewer rows cost nothing, in whatever way they come about.
_ROWS_THAT_COUNT = 10_000
# With each of a list (months, breakdowns, rules) a loop puts out what is asked for: it does not grow with a company.
_ROWS_OF_A_LIST = 100

Line = Mapping[str, Any]


def read_record(path: Path) -> list[Line]:
    """The statements of a record, in the order they were sent."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def sql_seconds(lines: Iterable[Line]) -> float:
    """CPU of all statements."""
    return float(sum(line["cpu_seconds"] for line in lines))


def seconds_of_models(lines: Iterable[Line]) -> dict[str, float]:
    """CPU of the statements of each model, by its name; of what is no model, nothing."""
    seconds: dict[str, float] = defaultdict(float)
    for line in lines:
        kind, _, name = (line["node"] or "").partition(".")
        if kind == "model":
            seconds[name.rpartition(".")[2]] += line["cpu_seconds"]
    return dict(seconds)


def rows_derived(lines: Iterable[Line]) -> dict[str, int]:
    """Rows that each incremental model derived again: those of the temporary table it fills, keys of rows apart."""
    derived: dict[str, int] = {}
    for line in lines:
        if line["node"] and line["sql"].startswith("create temp table") and line["rows"] is not None:
            derived[line["node"].rpartition(".")[2]] = line["rows"]
    return derived


def worst_nested_loop(lines: Iterable[Line]) -> tuple[float, str]:
    """The most rows a nested loop put out for each row of its larger input, and the node it was in."""
    found = [(ratio, line["node"] or "") for line in lines for plan in line["plans"] for ratio in _loops(plan)]
    return max(found, default=(0.0, ""))


def _loops(plan: Mapping[str, Any]) -> Iterator[float]:
    if plan["operator"] in _NESTED_LOOPS and plan["rows"] > _ROWS_THAT_COUNT:
        smaller, larger = sorted(_put_out(below) for below in plan["below"])
        if smaller > _ROWS_OF_A_LIST:
            yield plan["rows"] / larger
    for below in plan["below"]:
        yield from _loops(below)


def _put_out(plan: Mapping[str, Any]) -> int:
    """Rows an operator put out; a union does not say what passes through it."""
    if plan["operator"] == "UNION":
        return sum(_put_out(below) for below in plan["below"])
    return int(plan["rows"])
