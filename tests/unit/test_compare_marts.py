"""The comparison of two versions finds every row, column and table that differs, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from storage.data_folder import marts_file, warehouse_file
from tests.compare_marts import compare

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "compare_marts"

SAME = {
    "main.mart": "select * from (values (1, 'a', null), (1, 'a', null), (2, 'b', 0.5)) as rows (id, name, share)",
    "intermediate.int_kpi__cell": "select 1 as cell, 10 as n",
    "intermediate.int_other": "select 1 as never_compared",
}


def version(folder: Path, tables: dict[str, str]) -> Path:
    """A version folder that holds these tables; those of the schema `main` are public."""
    for file, is_public in ((marts_file(folder), True), (warehouse_file(folder), False)):
        file.parent.mkdir(parents=True)
        with duckdb.connect(str(file)) as connection:
            connection.execute("create schema intermediate")
            for name, sql in tables.items():
                if name.startswith("main.") == is_public:
                    connection.execute(f"create table {name} as {sql}")
    return folder


@pytest.fixture
def left(tmp_path: Path) -> Path:
    return version(tmp_path / "left", SAME)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"main.mart": f"{SAME['main.mart']} order by 2 desc"}, None),
        ({"intermediate.int_other": "select 2 as never_compared"}, None),
        (
            {"main.mart": f"{SAME['main.mart']} limit 2"},
            "3 rows | 2 rows, 1 only left, 0 only right, columns that differ: id, name, share",
        ),
        ({"main.mart": f"select distinct * from ({SAME['main.mart']})"}, "1 only left, 0 only right"),
        (
            {"main.mart": SAME["main.mart"].replace("null), (2", "0.0), (2")},
            "1 only left, 1 only right, columns that differ: share",
        ),
        (
            {"main.mart": f"select *, 1 as more from ({SAME['main.mart']})"},
            "0 only left, 0 only right, columns that differ: more",
        ),
        ({"main.mart": f"select * replace (id::varchar as id) from ({SAME['main.mart']})"}, "columns that differ: id"),
        ({"main.new": "select 1 as one"}, "new: no table | 1 rows"),
        (
            {"intermediate.int_kpi__cell": "select 1 as cell, 11 as n"},
            "int_kpi__cell: 1 rows | 1 rows, 1 only left, 1 only right, columns that differ: n",
        ),
    ],
)
def test_what_differs_is_named(left: Path, tmp_path: Path, changed: dict[str, str], said: str | None) -> None:
    found = compare(left, version(tmp_path / "right", SAME | changed))
    different = [str(table) for table in found if not table.is_same]
    assert len(different) == (1 if said else 0)
    assert all(said in line for line in different if said)


def test_the_script_fails_where_versions_differ(left: Path, tmp_path: Path) -> None:
    right = version(tmp_path / "right", SAME | {"main.new": "select 1 as one"})
    for other, code, said in (
        (left, 0, "0 of 2 tables differ; 4 rows compared.\n"),
        (right, 1, "new: no table | 1 rows, 0 only left, 0 only right, columns that differ: none\n"),
    ):
        done = subprocess.run(
            [sys.executable, str(SCRIPT), str(left), str(other)], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout[: len(said)]) == (code, said)


def test_values_that_changed_places_differ_though_each_column_holds_the_same(left: Path, tmp_path: Path) -> None:
    right = version(
        tmp_path / "right",
        SAME | {"main.mart": SAME["main.mart"].replace("'a', null), (2, 'b'", "'b', null), (2, 'a'")},
    )
    (cells, mart) = compare(left, right)
    assert cells.is_same
    assert (mart.is_same, mart.only_left, mart.only_right, mart.columns) == (False, 2, 2, ())
