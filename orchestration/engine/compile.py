"""The models of a dbt project as a plan for Spark.

What lives here: the order of models, what each reads, a mart's types. Not here: a single query (queries.py), running
the plan (chain.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import TopologicalSorter
from typing import Any

import sqlglot
from sqlglot import exp

from orchestration.engine.constructs import check
from orchestration.engine.errors import NotOnSparkError
from orchestration.engine.names import Columns
from orchestration.engine.plan import ModelPlan, Statement
from orchestration.engine.queries import statements


def compile_model(name: str, sql: str, table: str, known: Columns, types: Mapping[str, str]) -> ModelPlan:
    """A model's statements.

    Args:
        name: The model.
        sql: Its query as compiled for DuckDB, in its full-refresh form; statements that make what it reads before it.
        table: Where it lies, `schema.table`.
        known: Columns of what it reads.
        types: DuckDB's types of its columns, as far as a contract says them.

    Raises:
        NotOnSparkError: It uses what has no known meaning there.
    """
    target = table.replace(".", "__")
    known = dict(known)
    done: list[Statement] = []
    names: tuple[str, ...] = ()
    try:
        for tree in sqlglot.parse(sql, read="duckdb"):
            if tree is None:
                continue
            check(tree)
            if isinstance(tree, exp.Create):
                made = tree.this
                query = tree.expression
                if tree.args.get("with_") is not None:
                    query.set("with_", tree.args["with_"])
                found, names = statements(query, f"temp__{made.name}", known)
                known |= {f"temp.{made.name}": names, made.name: names}
                done += found
            else:
                found, names = statements(tree, target, known)
                done += found
    except NotOnSparkError as trouble:
        raise NotOnSparkError(f"The model {name} cannot run on Spark: it uses {trouble}.") from trouble
    if types:
        done[-1] = Statement(target, _typed(done[-1].sql, names, types))
    return ModelPlan(name, target, names, tuple(done))


def _typed(sql: str, names: tuple[str, ...], types: Mapping[str, str]) -> str:
    """A query whose columns have the types of the contract."""
    columns = ", ".join(
        f"CAST(`{name}` AS {spark_type(types[name])}) AS `{name}`" if name in types else f"`{name}`" for name in names
    )
    return f"SELECT {columns} FROM ({sql}) AS _model"


def spark_type(duckdb_type: str) -> str:
    """A type of DuckDB's in Spark's words; a local time is held as if it were told in UTC."""
    kind = exp.DataType.build(duckdb_type, dialect="duckdb")
    if kind.this in (exp.DataType.Type.TIMESTAMP, exp.DataType.Type.TIMESTAMPTZ):
        return "TIMESTAMP"
    if kind.this == exp.DataType.Type.JSON:
        return "STRING"
    if kind.this == exp.DataType.Type.INT128:
        return "DECIMAL(38, 0)"
    return kind.sql(dialect="spark")


def compile_project(manifest: Mapping[str, Any], compiled: Mapping[str, str], known: Columns) -> list[ModelPlan]:
    """The models of a dbt project, each after those it reads.

    Args:
        manifest: dbt's.
        compiled: By model: its SQL in the full-refresh form, after what its hooks say before it.
        known: Columns of the tables no model makes, by `schema.table`.

    Raises:
        NotOnSparkError: A model uses what has no known meaning on Spark.
    """
    plans: list[ModelPlan] = []
    columns = dict(known)
    for node in models_in_order(manifest):
        table = f"{node['schema']}.{node['name']}"
        plan = compile_model(node["name"], compiled[node["name"]], table, columns, contract_types(node))
        columns[table] = plan.columns
        plans.append(plan)
    return plans


def contract_types(node: Mapping[str, Any]) -> dict[str, str]:
    """The types a model's contract says, by column; none of a model without one."""
    if not node["config"]["contract"]["enforced"]:
        return {}
    return {name: column["data_type"] for name, column in node["columns"].items() if column.get("data_type")}


def models_in_order(manifest: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The models of a dbt manifest, each after those it reads."""
    models = {key: node for key, node in manifest["nodes"].items() if node["resource_type"] == "model"}
    graph = {key: [on for on in node["depends_on"]["nodes"] if on in models] for key, node in models.items()}
    return [models[key] for key in TopologicalSorter(graph).static_order()]
