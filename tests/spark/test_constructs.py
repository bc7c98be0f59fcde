"""Each construct that models may use has the same values on DuckDB and on Spark, in rows with NULLs, ends and ties.

A construct that is new gets a case here. Not here: whole models (test_nights.py), what is refused
(tests/unit/test_spark_constructs.py).
"""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from orchestration.engine.compile import compile_model
from orchestration.engine.constructs import CONSTRUCTS, FUNCTIONS
from orchestration.engine.project import plain
from orchestration.engine.run import GIVEN, MADE
from tests.spark_kit import differing

_FILE = Path(__file__).with_name("constructs.sql")
_BLOCKS = dict(re.findall(r"^-- (.+)\n((?:(?!--).*\n)+)", _FILE.read_text("utf-8"), re.MULTILINE))
ROWS = _BLOCKS.pop("given.rows").rstrip().removesuffix(";")
CASES = {name: sql.rstrip().removesuffix(";") for name, sql in _BLOCKS.items() if sql.rstrip().endswith(";")}


@pytest.fixture(scope="module")
def both_engines(on_engine, tmp_path_factory: pytest.TempPathFactory):
    """DuckDB with a table a case, and the folder with the engine's."""
    folder = tmp_path_factory.mktemp("constructs")
    tables = folder / GIVEN
    connection = duckdb.connect()
    connection.execute(f"set TimeZone = 'UTC'; create schema given; create table given.rows as {ROWS}")
    types = {name: kind for name, kind, *_ in connection.execute("describe given.rows").fetchall()}
    tables.joinpath("given__rows").mkdir(parents=True)
    values = ", ".join(plain(name, kind) for name, kind in types.items())
    connection.execute(f"copy (select {values} from given.rows) to '{tables}/given__rows/rows.parquet'")
    plan = []
    for place, sql in enumerate(CASES.values()):
        connection.execute(f"create table case_{place} as {sql}")
        plan.append(compile_model(f"case_{place}", sql, f"made.case_{place}", {"given.rows": tuple(types)}, {}))
    on_engine(plan, folder)
    return connection, folder / MADE


@pytest.mark.parametrize("case", CASES)
def test_both_engines_say_the_same_of(case: str, both_engines: tuple[duckdb.DuckDBPyConnection, Path]) -> None:
    connection, made = both_engines
    place = list(CASES).index(case)
    types = {name: kind for name, kind, *_ in connection.execute(f"describe case_{place}").fetchall()}
    rows, lacking, beside = differing(connection, f"case_{place}", types, made / f"made__case_{place}")
    assert rows
    assert (lacking, beside) == (0, 0), connection.execute(
        f"from case_{place} union all by name from read_parquet('{made}/made__case_{place}/*.parquet')"
    ).fetchall()


def test_every_construct_of_the_list_has_a_case() -> None:
    """But for what makes the tables of hooks, which a night's marts hold, and an estimate that is never asked for."""
    used = [node for sql in CASES.values() for node in sqlglot.parse_one(sql, read="duckdb").walk()]
    named = {node.name.lower() if isinstance(node, exp.Anonymous) else type(node).__name__ for node in used}
    assert (CONSTRUCTS | FUNCTIONS) - named == {"Create", "Properties", "TemporaryProperty", "text_polarity"}
