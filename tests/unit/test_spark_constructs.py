"""What models say has one meaning on Spark or is refused with its name. Not here: the meanings (tests/spark/)."""

from __future__ import annotations

import pytest

from orchestration.engine.compile import compile_model
from orchestration.engine.errors import NotOnSparkError

KNOWN = {"a.rows": ("id", "word", "day", "moment"), "a.more": ("id", "day")}


def statements(sql: str):
    return compile_model("fct_thing", sql, "main.fct_thing", KNOWN, {}).statements


@pytest.mark.parametrize(
    ("sql", "construct"),
    [
        ("select id from a.rows qualify row_number() over (order by id) = 1", "Qualify"),
        ("select hash(word) as h from a.rows", "the function hash"),
        ("select max_by(word, id) as w from a.rows", "ArgMax"),
        ("select columns('id') from a.rows", "Columns"),
        ("select regexp_replace(word, 'a', 'b') as w from a.rows", "regexp_replace of the first match only"),
        ("select date_trunc('hour', moment) as h from a.rows", "date_trunc of HOUR"),
        ("select date_diff('hour', moment, moment) as h from a.rows", "date_diff of HOUR"),
        ("select extract(hour from moment) as h from a.rows", "extract of HOUR"),
        ("select moment + interval 1 month as m from a.rows", "an interval of MONTH is added to what is not cast"),
        ("select try_cast(word as json) as j from a.rows", "a try_cast to JSON"),
        ("select list_slice([1, 2], 2, 3) as l from a.rows", "list_slice that does not begin with 1"),
        ("select flatten([[1]]) as l from a.rows", "flatten of what is not list(...)"),
        ("select first(word) as w from a.rows", "first() without an order"),
        ("select id from a.rows inner join a.more using (id)", "a join by USING"),
        ("select id from a.rows asof join a.more on rows.day >= more.day", "ASOF"),
        ("select id from a.unknown", "the table a.unknown"),
        ("select sum(case when id in (select id from a.more) then 1 end) as n from a.rows", "IN (select ...) within"),
    ],
)
def test_what_is_not_known_is_refused_by_its_name(sql: str, construct: str) -> None:
    with pytest.raises(NotOnSparkError) as refused:
        statements(sql)
    assert str(refused.value).startswith("The model fct_thing cannot run on Spark: it uses ")
    assert construct in str(refused.value)


def test_what_is_read_once_is_no_table_of_its_own() -> None:
    assert [each.name for each in statements("with one as (select id from a.rows) select id from one")] == [
        "main__fct_thing"
    ]


def test_what_counts_and_is_read_twice_is_a_table_of_its_own() -> None:
    sql = "with n as (select day, count(*) as n from a.rows group by day) select * from n union all select * from n"
    assert [each.name for each in statements(sql)] == ["main__fct_thing__n", "main__fct_thing"]


def test_what_a_model_says_is_to_be_a_table_is_one() -> None:
    sql = "with one as materialized (select id from a.rows) select id from one"
    assert [each.name for each in statements(sql)] == ["main__fct_thing__one", "main__fct_thing"]


def test_a_recursive_part_is_a_loop_with_its_key() -> None:
    sql = (
        "with recursive near (a, b) using key (a) as (select id, id from a.rows union "
        "select near.a, min(near.b) from near inner join recurring.near as known on known.a = near.b group by near.a) "
        "select a, b from near"
    )
    loop, _ = statements(sql)
    assert (loop.key, loop.keeps_all) == (("a",), False)
    assert "main__fct_thing__near__newest" in str(loop.step)
    assert "main__fct_thing__near__known" in str(loop.step)


def test_columns_have_the_types_of_the_contract() -> None:
    plan = compile_model("m", "select id, word from a.rows", "main.m", KNOWN, {"id": "integer", "word": "varchar"})
    assert plan.columns == ("id", "word")
    assert "CAST(`id` AS INT)" in plan.statements[-1].sql


def test_a_text_whose_mood_were_to_be_estimated_fails_and_none_has_no_mood() -> None:
    (made,) = statements("select text_polarity(word) as mood from a.rows")
    assert "CASE WHEN NOT (word) IS NULL THEN CAST(RAISE_ERROR('text_sentiment is estimated on DuckDB" in made.sql
