"""One spelling of an id, wherever it is spelled: by the gate, in models, in the register of erased people."""

from __future__ import annotations

import string
from collections.abc import Iterator
from pathlib import Path

import duckdb
import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quality.rows.casts import cast, present
from quality.rows.connection import set_up
from quality.rows.ids import NOTHING, spell_id, unfolded_salesforce_id

MACRO = Path(__file__).parents[2] / "dbt_project/macros/naming/salesforce_id.sql"
# Those without a small letter are told from spelled ones by another way than the rest.
SHORT_IDS = st.sampled_from([string.ascii_letters, string.ascii_uppercase]).flatmap(
    lambda letters: st.text(letters + string.digits, min_size=15, max_size=15)
)


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        set_up(connection)
        yield connection


@pytest.fixture(scope="module")
def in_models() -> str:
    """SQL of the macro over a column `id`."""
    environment = jinja2.Environment(extensions=["jinja2.ext.do"])  # noqa: S701 -- SQL
    return str(
        environment.from_string(MACRO.read_text(encoding="utf-8") + "{{ duckdb__salesforce_id('id') }}").render()
    )


def long_id(short: str) -> str:
    """18 characters by Salesforce's rule: a letter for each five, whose bits say which are capitals."""
    checks = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
    fives = (short[start : start + 5] for start in (0, 5, 10))
    return short + "".join(checks[sum(c.isupper() << place for place, c in enumerate(five))] for five in fives)


def spelled(connection: duckdb.DuckDBPyConnection, sql: str, texts: list[str]) -> list[str | None]:
    rows = connection.execute(f"select {sql} from (select unnest($texts::varchar[]) as id)", {"texts": texts})
    return [row[0] for row in rows.fetchall()]


@given(st.lists(SHORT_IDS, min_size=1, max_size=20))
def test_salesforce_ids_of_15_and_18_characters_in_any_case_are_one(
    connection: duckdb.DuckDBPyConnection, in_models: str, shorts: list[str]
) -> None:
    for short in shorts:
        every = [short, long_id(short), long_id(short).lower(), long_id(short).upper()]
        assert spelled(connection, in_models, every) == [long_id(short)] * 4
        assert {unfolded_salesforce_id(each) for each in every[1:]} == {long_id(short)}


@given(st.lists(st.text(string.ascii_lowercase + string.digits, min_size=18, max_size=18), unique=True, max_size=20))
def test_no_two_ids_of_other_systems_become_one(
    connection: duckdb.DuckDBPyConnection, in_models: str, texts: list[str]
) -> None:
    found = spelled(connection, in_models, texts)
    assert len(set(found)) == len(texts)
    assert [(each or "").lower() for each in found] == texts
    assert found == [unfolded_salesforce_id(text) for text in texts]


LOOKALIKES = st.from_regex(r"-?[0-9]{1,17}(\.0{1,3}|[.,][0-9]+[eE][+-]?[0-9]{1,2}|e[+]?[0-9]+)?", fullmatch=True)


@given(st.lists(st.sampled_from(NOTHING) | st.text(string.printable, max_size=20) | LOOKALIKES, max_size=30))
def test_the_register_of_erased_people_spells_ids_as_the_gate_does(
    connection: duckdb.DuckDBPyConnection, texts: list[str]
) -> None:
    blanks = {ord(each): " " for each in "\x0b\x0c"}
    texts = [text.translate(blanks) for text in texts]
    assert spelled(connection, cast("id", present("id", "id"), "UTC"), texts) == [spell_id(text) for text in texts]
