"""A contract that does not hold together is refused in one sentence; the shipped ones all do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from pydantic import ValidationError

from quality.contract.model import DUCKDB_TYPES, Column, Contract, Freshness, Rule, all_contracts, load_contract
from quality.rows.casts import identifier
from quality.rows.predicates import delivered, faulty, judged_fields, predicates, refused
from quality.rows.suite import suite
from storage.errors import JourneymartError
from tests.gate_kit import column, contract

SHIPPED = [pytest.param(each, id=f"{each.system}-{each.stream}") for each in all_contracts()]


TELEPHONE = column("text", pii="direct", contact_point="phone", country="land")


def rule(name: str) -> Rule:
    return Rule(name=name, description=name, sql="true", on_failure="warn")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"key": ("ticket",)}, "ticket is not among the columns"),
        ({"version": "changed"}, "changed is not among the columns"),
        ({"freshness": Freshness(column="seen", max_age_days=1)}, "seen is not among the columns"),
        ({"key": ()}, "the key needs required columns"),
        ({"columns": {"note": column("text")}, "key": ("note",)}, "the key needs required columns: note"),
        ({"columns": {"note": column("text")}, "version": "note"}, "note must be a time"),
        ({"columns": {"Id": column("text")}}, "a column needs a name of its own"),
        ({"columns": {"_row": column("text")}}, "begins with no '_'"),
        ({"rules": [rule("a"), rule("a")]}, "two rules have the same name"),
        (
            {"columns": {"tel": column("text", pii="direct", contact_point="phone", country="land")}},
            "land is not among the columns",
        ),
        ({"colums": {}}, "Extra inputs are not permitted"),
    ],
)
def test_a_contract_that_does_not_hold_together_is_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        contract(**settings)


@pytest.mark.parametrize(
    ("kind", "limits"),
    [
        ("bigint", {"allowed": ("1",)}),
        ("text", {"min": 0}),
        ("timestamp", {"max": 1}),
        ("bigint", {"max": date(2026, 1, 1)}),
        ("date", {"max": date(9999, 12, 31)}),
        ("decimal", {"max": 1e16}),
        ("timestamp", {"holds": "money"}),
        ("decimal", {"holds": "event"}),
        ("json", {"holds": "score"}),
        ("text", {"placeholders": (date(2099, 12, 31),)}),
        ("text", {"fields": {"$": {"type": "list", "description": "A list."}}}),
        ("json", {"fields": {"target": {"type": "double", "description": "No path."}}}),
        ("json", {"fields": {"$.target": {"type": "double", "holds": "due", "description": "No time."}}}),
        ("int", {}),
    ],
)
def test_a_column_has_only_limits_that_fit_its_type(kind: str, limits: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        column(kind, **limits)


def test_a_stream_without_a_contract_is_told_what_there_is() -> None:
    with pytest.raises(JourneymartError, match=r"no contract for stream 'tickts' .* one of .*tickets"):
        load_contract("zendesk", "tickts")
    with pytest.raises(JourneymartError, match="a system of"):
        load_contract("zendsk", "tickets")


def test_a_mistake_in_a_file_is_said_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "contracts" / "zendesk" / "calls.yml"
    file.parent.mkdir(parents=True)
    file.write_text(
        "system: zendesk\nstream: calls\ndescription: Calls.\nkey: [id]\nversion: null\n"
        "columns:\n  id: {type: integer, required: true, pii: none, description: Id.}\n"
    )
    monkeypatch.setenv("JOURNEYMART_COMPANY", str(tmp_path))
    with pytest.raises(JourneymartError, match=r"calls\.yml: columns\.id\.type: Input should be"):
        load_contract("zendesk", "calls")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"type": "bigint", "contact_point": "phone", "pii": "direct"}, "type text, pii direct"),
        ({"type": "text", "contact_point": "email", "pii": "none"}, "type text, pii direct"),
        ({"type": "text", "contact_point": "email", "country": "land", "pii": "direct"}, "only phone numbers"),
    ],
)
def test_a_contact_point_that_cannot_be_one_is_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Column.model_validate({"description": "A column.", **settings})


@pytest.mark.parametrize(
    ("settings", "record", "said"),
    [
        ({"pii": "indirect"}, None, "note may lead to a person: say how by its role, one of self, subject, author"),
        ({"pii": "indirect", "role": "self"}, None, "note: only records of people"),
        ({"pii": "direct", "role": "name"}, "conversation", "note: only records of people"),
        ({"pii": "indirect", "role": "subject"}, "person", "note: each row is a person's record"),
    ],
)
def test_a_contract_that_does_not_say_what_leads_to_people_is_refused(
    settings: dict[str, Any], record: str | None, said: str
) -> None:
    with pytest.raises(ValidationError, match=said):
        contract({"note": column("text", **settings)}, record=record)


@pytest.mark.parametrize("settings", [{"pii": "none", "role": "subject"}, {"pii": "indirect", "role": "name"}])
def test_a_role_is_said_of_personal_columns_only(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="a role is said of what may lead to a person"):
        column("text", **settings)


def test_a_stream_becomes_an_object_there_is() -> None:
    assert contract({}, becomes="ticket").becomes == "ticket"
    with pytest.raises(ValidationError, match=r"records become one of account, .*, ticket, ticket_event, not tickets"):
        contract({}, becomes="tickets")


def test_what_rows_are_to_us_asks_nothing_of_them() -> None:
    """An extract that passed is not judged again for it."""
    asked = contract({"note": column("id", pii="indirect", role="subject")})
    for told in (
        contract({"note": column("id", pii="indirect", role="thing")}),
        contract({"note": column("id", pii="indirect", role="subject")}, record="conversation", becomes="ticket"),
    ):
        assert told.fingerprint == asked.fingerprint


def test_the_fingerprint_changes_with_what_is_asked() -> None:
    asked = contract({"score": column("bigint", max=10)})
    assert asked.fingerprint == contract({"score": column("bigint", max=10)}).fingerprint
    assert asked.fingerprint != contract({"score": column("bigint", max=11)}).fingerprint
    assert asked.fingerprint != contract({"score": column("double", max=10)}).fingerprint


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        yield connection


@pytest.mark.parametrize("shipped", SHIPPED)
def test_everything_a_shipped_contract_asks_can_be_asked(
    shipped: Contract, connection: duckdb.DuckDBPyConnection
) -> None:
    columns = [
        f"null::{DUCKDB_TYPES[each.type]} as {identifier(name)}, null::varchar as {delivered(shipped, name)}"
        for name, each in shipped.columns.items()
    ]
    columns += [
        f"null::varchar as {refused(shipped, name)}" for name in shipped.columns if shipped.bounds(name) is not None
    ]
    added = "date '2026-03-10' as _extract_date, 'upsert' as _op, false as _repeated"
    conditions = [each.sql for each in predicates(shipped)]
    conditions += [each.violates for each in suite(shipped, may_be_empty=True)]
    fields = [f"{wrong} as {faulty(shipped, name, path)}" for name, path, wrong in judged_fields(shipped)]
    row = f"select {', '.join(['*', *fields])} from (select {', '.join(columns)}, {added})"
    answers = connection.sql(f"select {', '.join(conditions)} from ({row})")
    assert {str(kind) for kind in answers.types} == {"BOOLEAN"}
    names = [each.name for each in predicates(shipped)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("shipped", SHIPPED)
def test_a_shipped_contract_says_its_grain_and_lies_where_it_says(shipped: Contract) -> None:
    assert "One row per " in shipped.description
    assert load_contract(shipped.system, shipped.stream) is shipped


def test_the_table_of_canonical_streams_in_the_docs_is_what_the_contracts_say() -> None:
    text = (Path(__file__).parents[2] / "docs" / "contracts.md").read_text(encoding="utf-8")
    table = text.split("<!-- canonical streams -->\n")[1].split("<!-- end")[0].splitlines()[2:]
    expected = []
    for each in all_contracts():
        if each.system == "canonical":
            grain = each.description.split("One row per ")[1].rstrip(".")
            required = [name for name, asked in each.columns.items() if asked.required]
            also = [name for name in required if name not in (*each.key, each.version)]
            cells = [
                f"`{each.stream}`",
                grain,
                *(", ".join(map("`{}`".format, names)) for names in (each.key, also)),
            ]
            expected.append(f"| {' | '.join([*cells, f'`{each.version}`'])} |".replace("|  |", "| |"))
    assert table == expected
