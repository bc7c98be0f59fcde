"""What dbt is spared in a night changes nothing it says or finds."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from dbt.adapters.base.query_headers import MacroQueryStringSetter  # noqa: F401 - adapters load in this order
from dbt.adapters.cache import RelationsCache
from dbt.adapters.duckdb import DuckDBAdapter
from dbt.adapters.duckdb.relation import DuckDBRelation
from dbt.adapters.events.types import SQLQuery
from dbt.events.types import LogModelResult, NodeStart
from dbt_common.events import base_types
from dbt_common.events.base_types import EventLevel
from dbt_common.events.event_manager import EventManager
from dbt_common.events.functions import msg_to_dict
from dbt_common.events.types import Note
from dbt_common.exceptions import DbtBaseException
from hypothesis import given
from hypothesis import strategies as st

from orchestration.dbt.found_relations import found_by_name
from orchestration.dbt.unsaid_events import unsaid

UNSAID = {"debug", "test"}

NODE = {"node_name": "mart_kpi_daily", "unique_id": "model.journeymart.mart_kpi_daily"}


def events():
    return [
        (SQLQuery(conn_name="master", sql="select 1", node_info=NODE), None),
        (NodeStart(node_info=NODE), None),
        (LogModelResult(description="table mart", status="OK", index=1, total=2, node_info=NODE), EventLevel.INFO),
        (Note(msg="nobody reads this"), EventLevel.DEBUG),
        (Note(msg="somebody should"), EventLevel.WARN),
        (SQLQuery(conn_name="master", sql="select 2", node_info=NODE), EventLevel.INFO),
    ]


def said() -> list[dict]:
    """What is said of these events, but for when and by which thread."""
    manager, told = EventManager(), []
    manager.add_callback(lambda event: told.append(msg_to_dict(event)))
    for event, level in events():
        manager.fire_event(event, level)
    for each in told:
        del each["info"]["ts"]
    return [each for each in told if each["info"]["level"] not in UNSAID]


def test_what_is_said_is_what_dbt_says() -> None:
    as_ever = said()
    with unsaid(UNSAID):
        assert said() == as_ever
    assert said() == as_ever
    assert [each["info"]["name"] for each in as_ever] == ["LogModelResult", "Note", "SQLQuery"]


def test_of_what_is_not_said_no_message_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    parse = base_types.ParseDict
    monkeypatch.setattr(base_types, "ParseDict", lambda *args: made.append(type(args[1]).__name__) or parse(*args))
    with unsaid(UNSAID):
        said()
    assert sorted(set(made)) == ["LogModelResult", "LogModelResultMsg", "Note", "NoteMsg", "SQLQuery", "SQLQueryMsg"]
    assert len(made) == 6


def test_what_is_asked_of_an_event_is_answered_whether_it_is_said_or_not() -> None:
    with unsaid(UNSAID):
        query = SQLQuery(conn_name="master", sql="select 1", node_info=NODE)
        query.conn_name = "other"
        assert (query.sql, query.conn_name) == ("select 1", "other")
        assert query.to_dict()["node_info"]["node_name"] == "mart_kpi_daily"


NAMES = st.sampled_from(["mart_kpi", "Mart_Kpi", "mart_kpi_daily", "stg_ticket"])
SCHEMAS = st.sampled_from(["main", "staging", "STAGING"])


def adapter(relations: list[DuckDBRelation]) -> DuckDBAdapter:
    """The adapter of dbt as far as it finds tables, which knows two schemas."""
    made = DuckDBAdapter.__new__(DuckDBAdapter)
    made.cache = RelationsCache()
    made.cache.update_schemas([("build", "main"), ("build", "staging")])
    for relation in relations:
        made.cache.add(relation)
    quoting = {"database": True, "schema": True, "identifier": True}
    made.config = SimpleNamespace(quoting=quoting)
    return made


def found(made: DuckDBAdapter, schema: str, name: str) -> DuckDBRelation | str | None:
    try:
        return made.get_relation("build", schema, name)
    except DbtBaseException as refused:
        return type(refused).__name__


@given(st.lists(st.tuples(SCHEMAS, NAMES), max_size=6), SCHEMAS, NAMES)
def test_a_table_is_found_where_dbt_finds_it(there: list[tuple[str, str]], schema: str, name: str) -> None:
    made = adapter([DuckDBRelation.create("build", *each) for each in there])
    as_ever = found(made, schema, name)
    with found_by_name():
        assert found(made, schema, name) == as_ever
