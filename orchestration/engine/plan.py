"""What is run on Spark, and in which order.

What lives here: the statements and their file. Not here: making them (compile.py), running them (chain.py). It needs
nothing but Python, for it is read where nothing else of ours is installed.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Statement:
    """A query whose rows are kept under a name.

    Attributes:
        name: The table it makes.
        sql: The query, in Spark's words.
        step: Of a loop: the query that finds further rows from the newest ones, which it reads as `<name>__newest`, and
            from all that are known, `<name>__known`. It is asked until there is nothing new.
        key: Of a loop: the columns of which there is one row, the newest; where there are none, rows are only added.
        keeps_all: Of a loop: rows are added even if equal ones are known.
    """

    name: str
    sql: str
    step: str | None = None
    key: tuple[str, ...] = ()
    keeps_all: bool = False


@dataclass(frozen=True)
class ModelPlan:
    """A model's statements, of which the last one is the model."""

    name: str
    table: str
    columns: tuple[str, ...]
    statements: tuple[Statement, ...] = field(default=())


def write_plan(models: list[ModelPlan], path: Path) -> None:
    """Write the statements of models, in the order in which they run."""
    path.write_text(json.dumps([asdict(model) for model in models]), encoding="utf-8")


def read_plan(path: Path) -> list[ModelPlan]:
    """Read them again."""
    return [
        ModelPlan(
            name=model["name"],
            table=model["table"],
            columns=tuple(model["columns"]),
            statements=tuple(
                Statement(each["name"], each["sql"], each["step"], tuple(each["key"]), each["keeps_all"])
                for each in model["statements"]
            ),
        )
        for model in json.loads(path.read_text(encoding="utf-8"))
    ]
