"""A sample derived anew finds what no night touched, names model and keys, and costs no more than it may.

That it finds nothing in a real night, of any model: tests/e2e/test_shadowed_night.py.
"""

from __future__ import annotations

from dataclasses import replace

import duckdb
import pytest

from assets.audit.shadow import ShadowModel, differing_keys, in_shadow

KEYS_TABLE = 'temp."_touched_keys__total"'
TOTAL = ShadowModel(
    "total",
    '"warehouse"."total"',
    ("shop", "day"),
    "select shop, sum(amount)::bigint as amount, day from warehouse.sale as sales where exists "
    f"(select 1 from {KEYS_TABLE} as _keys where _keys._k1 is not distinct from sales.shop and _keys._k2 = sales.day) "
    "group by shop, day",
    KEYS_TABLE,
)


@pytest.fixture
def connection():
    with duckdb.connect() as connection:
        connection.execute("attach ':memory:' as warehouse")
        connection.execute(
            "create table warehouse.sale as "
            "select nullif(n % 4, 0) as shop, n % 10 as day, n as amount from range(400) numbers(n)"
        )
        connection.execute(
            "create table warehouse.total as "
            "select shop, day, sum(amount)::bigint as amount from warehouse.sale group by all"
        )
        yield connection


def test_what_stands_as_its_rows_make_it_passes(connection):
    found = in_shadow(connection, [TOTAL], "tonight", 60)
    assert (found.outcome, found.detail["models compared"], found.detail["keys compared"]) == ("pass", 1, 20)


@pytest.mark.parametrize(
    ("statement", "keys"),
    [
        ("insert into warehouse.sale values (null, 0, 7)", 1),
        ("update warehouse.sale set amount = amount + 1 where day = 2", 2),
        ("delete from warehouse.sale where shop = 1", 5),
        ("insert into warehouse.total select * from warehouse.total where shop = 2 and day = 2", 1),
    ],
    ids=["a row more", "rows edited", "rows gone", "a row that is there twice"],
)
def test_rows_that_changed_unnoticed_are_a_warning_with_model_and_number_of_keys(connection, statement, keys):
    connection.execute(statement)
    found = in_shadow(connection, [TOTAL], "tonight", 60)
    assert (found.outcome, differing_keys(found.detail)) == ("warn", {"total": keys})
    assert f"total has {keys} keys that differ" in found.sentence


def test_a_model_that_cannot_be_derived_warns_without_a_value_and_stops_no_other(connection):
    broken = replace(TOTAL, name="broken", sql=f"select 'ann@example.org'::int as shop from {KEYS_TABLE}")
    found = in_shadow(connection, [broken, TOTAL], "tonight", 60)
    assert (found.outcome, found.detail["models compared"]) == ("warn", 1)
    assert "broken could not be derived (ConversionException)" in found.sentence
    assert "ann@" not in f"{found.detail}{found.sentence}"


def test_what_takes_longer_than_it_may_is_given_up(connection):
    endless = replace(TOTAL, sql="select 1 as shop, 1 as day, count(*) as amount from range(10_000_000_000), range(9)")
    found = in_shadow(connection, [endless], "tonight", 0.1)
    assert (found.outcome, found.detail["models compared"]) == ("pass", 0)
    assert in_shadow(connection, [TOTAL], "tonight", 0).detail["models compared"] == 0


def test_other_models_come_first_on_other_nights(connection):
    models = [replace(TOTAL, name=f"model {number}") for number in range(20)]
    connection.execute("delete from warehouse.sale")
    first = {next(iter(differing_keys(in_shadow(connection, models, f"night {n}", 60).detail))) for n in range(12)}
    assert len(first) > 3
