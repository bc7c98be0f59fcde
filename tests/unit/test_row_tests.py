"""Tests of rows find what they are for and nothing else, and name a row at fault; which of dbt's tests they are.

Not here: that dbt finds the same (tests/integration/test_row_tests_beside_dbt.py), that a night stops
(tests/e2e/test_gate_gates.py).
"""

from __future__ import annotations

import copy
from collections import Counter

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.audit.row_tests import KINDS, RowTest, ask
from orchestration.dbt.project import load_manifest
from orchestration.dbt.row_tests import left_to_us, row_tests
from orchestration.dbt_translator import dbt_tests
from tests.checkout import CHECKOUT

SMALL = st.one_of(st.none(), st.integers(0, 4))
TABLES = st.lists(st.tuples(SMALL, SMALL), max_size=8)


def answer(rows, test, parents=()):
    with duckdb.connect() as connection:
        connection.execute("create table child (id integer, a integer, b integer)")
        connection.execute("create table parent (p integer)")
        for place, row in enumerate(rows):
            connection.execute("insert into child values (?, ?, ?)", [place, *row])
        for value in parents:
            connection.execute("insert into parent values (?)", [value])
        return ask(connection, test)


@given(TABLES)
def test_keys_that_rows_share_or_lack_are_counted(rows):
    shared = Counter(rows)
    broken = [key for key, count in shared.items() if count > 1 or None in key]
    assert answer(rows, RowTest("unique_grain", "child", ("a", "b"))).failures == len(broken)


@given(TABLES)
def test_values_that_rows_share_are_counted(rows):
    shared = Counter(a for a, _ in rows if a is not None)
    broken = [value for value, count in shared.items() if count > 1]
    assert answer(rows, RowTest("unique", "child", ("a",))).failures == len(broken)


@given(TABLES)
def test_rows_without_a_value_are_counted(rows):
    assert answer(rows, RowTest("not_null", "child", ("a",))).failures == sum(a is None for a, _ in rows)


@given(TABLES, st.frozensets(st.integers(0, 4), min_size=1))
def test_rows_with_a_value_that_is_not_accepted_are_counted(rows, accepted):
    test = RowTest("accepted_values", "child", ("a",), values=tuple(map(str, accepted)))
    assert answer(rows, test).failures == sum(a is not None and a not in accepted for a, _ in rows)


@given(TABLES, st.lists(SMALL, max_size=5))
def test_rows_that_point_to_nothing_are_counted(rows, parents):
    test = RowTest("relationships", "child", ("a",), parent="parent", parent_column="p")
    assert answer(rows, test, parents).failures == sum(a is not None and a not in parents for a, _ in rows)


@pytest.mark.parametrize(
    ("test", "example"),
    [
        (RowTest("unique_grain", "child", ("a", "b"), key=("a", "b")), "a 3, b 3"),
        (RowTest("unique", "child", ("a",), key=("id",)), "a 3"),
        (RowTest("not_null", "child", ("b",), key=("id",)), "id 2, b NULL"),
        (RowTest("accepted_values", "child", ("a",), key=("id",), values=("3",)), "id 2, a 5"),
        (RowTest("relationships", "child", ("a",), key=("id",), parent="parent", parent_column="p"), "id 2, a 5"),
    ],
    ids=lambda value: value.kind if isinstance(value, RowTest) else "",
)
def test_a_row_at_fault_is_named_by_its_key(test, example):
    assert answer([(3, 3), (3, 3), (5, None)], test, parents=[3]).example == example
    assert answer([(3, 4)], test, parents=[3]).example == ""


def test_nobody_is_told_what_is_personal():
    test = RowTest("not_null", "child", ("b",), key=("id", "a"), personal=frozenset({"a"}))
    assert answer([(7, None)], test).example == "id 0, a (hidden), b NULL"


def test_values_are_texts_whatever_is_in_them():
    test = RowTest("accepted_values", "(select 'it''s' as a)", ("a",), values=("it's", "other"))
    assert answer([], test).failures == 0


@pytest.fixture(scope="module")
def manifest():
    return load_manifest(CHECKOUT)


def test_of_the_product_every_test_that_stands_on_a_model_is_asked_together(manifest):
    generic = {i for i, node in dbt_tests(manifest).items() if node.get("test_metadata")}
    assert row_tests(manifest).keys() == generic
    assert len(generic) > 100
    assert left_to_us(manifest, generic) == ["--exclude", *(f"test_name:{kind}" for kind in sorted(KINDS))]


@pytest.mark.parametrize(
    "said",
    [
        {"config": {"severity": "WARN"}},
        {"config": {"where": "a > 1"}},
        {"config": {"limit": 1}},
        {"config": {"error_if": ">10"}},
        {"config": {"fail_calc": "sum(a)"}},
        {"kwargs": {"quote": False}},
        {"kwargs": {"to": "source('zendesk', 'tickets')"}},
        {"namespace": "dbt_utils"},
    ],
    ids=str,
)
def test_a_test_that_says_more_stays_dbts(manifest, said):
    changed = copy.deepcopy(manifest)
    i = next(i for i, node in changed["nodes"].items() if node["name"].startswith("relationships_fct_sla_ticket_key"))
    node = changed["nodes"][i]
    node["config"] |= said.get("config", {})
    node["test_metadata"]["kwargs"] |= said.get("kwargs", {})
    node["test_metadata"]["namespace"] = said.get("namespace")
    ours = row_tests(changed)
    assert ours.keys() == row_tests(manifest).keys() - {i}
    left_out = left_to_us(changed, ours.keys())
    assert "test_name:relationships" not in left_out
    assert node["name"] not in left_out
    others = {changed["nodes"][each]["name"] for each in ours if ours[each].kind == "relationships"}
    assert others <= set(left_out)
