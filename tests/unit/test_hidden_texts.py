"""Contact points in texts that marts show are hidden before any model reads them, and it is said where.

Not here: that no column of any mart shows one (tests/integration/test_accepted_means_it_builds.py).
"""

from __future__ import annotations

import json
import random
from datetime import date
from pathlib import Path

import duckdb
import pytest

from assets.audit.hidden_texts import tell_hidden
from assets.text.hidden_points import HIDDEN, SUSPECT, Kind, shown_text
from assets.versions.contents import attach
from assets.warehouse.hidden_texts import hide_contact_points, looked_at
from assets.warehouse.load import load, prepare
from quality.contract.model import all_contracts
from storage.data_folder import warehouse_file
from tests.unit.test_warehouse import NIGHT, accept, query

ADDRESSES = ("ann@a.example", "Ann.B+x@mail.a.example", "ann＠a.example", "ann@münchen.example", "ann\u200b@a.example")
NUMBERS = ("+49 30 1234567", "+1 (212) 555-1234", "0049 30 1234567", "＋４９ ３０ １２３４５６７", "+493012345678")
NATIONAL = ("030 1234567", "(030) 12 34 56", "0171/2345678", "06 12 34 56 78", "(212) 555-1234", "212-555-1234")
CODES = (
    "4006381333931",
    "0012345678905",
    "004930123456",
    "2026-05-01",
    "01.05.2026",
    "2026-05-01T10:00:00+00:00",
    "SV_0301234567",
    "Cable 0.75 m, 230 V",
    "24/7 support",
    "08:30-17:00",
    "3 @ 4.50",
    "billing@",
    "@billing",
    "+1",
    "A+ 2000",
    "",
)


@pytest.mark.parametrize("point", [*ADDRESSES, *NUMBERS, *NATIONAL])
@pytest.mark.parametrize("text", ["{}", "ask Ann Lee, {}!", "({})", "Cable for {} 2026", "mailto:{}"])
def test_a_text_with_an_address_or_a_number_gives_way_as_a_whole(point: str, text: str) -> None:
    assert shown_text(text.format(point), "text") == HIDDEN


@pytest.mark.parametrize("code", CODES)
def test_codes_dates_and_words_are_shown(code: str) -> None:
    assert shown_text(code, "text") == code


@pytest.mark.parametrize("national", NATIONAL)
def test_an_id_is_no_number_unless_it_names_its_country(national: str) -> None:
    assert shown_text(national, "id") == national
    assert shown_text("+49 30 1234567", "id") == shown_text("ann@a.example", "id") == HIDDEN


@pytest.mark.parametrize(
    ("kind", "raw", "shown"),
    [
        ("json", '["vip", "topic ann@a.example"]', '["vip","(hidden)"]'),
        ("json", '{"ann@a.example": {"x": "+49 30 1234567"}, "y": 5}', '{"(hidden)":{"x":"(hidden)"},"y":5}'),
        ("json", '["ann\\u0040a.example"]', '["(hidden)"]'),
        ("json", '["030\\/1234567"]', '["(hidden)"]'),
        ("json", '["vip",  "plain"]', '["vip",  "plain"]'),
        ("json", "[ann@a.example", '"(hidden)"'),
        ("values", '[{"body": "ann@a.example", "value": "plain"}]', '[{"body": "ann@a.example", "value": "plain"}]'),
        ("values", '[{"body":"a@a.example","value":["a@a.example"]}]', '[{"body":"a@a.example","value":["(hidden)"]}]'),
    ],
)  # fmt: skip
def test_json_keeps_its_shape_and_what_people_wrote_where_no_mart_looks(kind: Kind, raw: str, shown: str) -> None:
    assert shown_text(raw, kind) == shown


PARTS = (*ADDRESSES, *NUMBERS, *NATIONAL, *CODES, *" é０\u00ad²x(-/\u00a001", '"', "\\")


@pytest.mark.parametrize("kind", ["text", "json", "values"])
def test_every_text_that_changes_is_one_the_query_suspects(kind: Kind) -> None:
    chance = random.Random(kind)  # noqa: S311
    texts = ["".join(chance.choices(PARTS, k=chance.randrange(5))) for _ in range(2000)]
    told = [*texts] if kind == "text" else []
    for is_ascii in (True, False) if kind != "text" else ():
        told += [json.dumps([text if kind == "json" else {"value": text}], ensure_ascii=is_ascii) for text in texts]
    with duckdb.connect() as connection:
        suspects = "select text from (select unnest(?) as text) where regexp_matches(text, ?)"
        suspected = {text for (text,) in connection.execute(suspects, [told, SUSPECT[kind]]).fetchall()}
    changed = {text for text in told if shown_text(text, kind) != text}
    assert len(changed) > len(texts) / 4
    assert changed - suspected == set()


def test_every_column_that_is_not_personal_and_holds_text_is_looked_at() -> None:
    for contract in all_contracts():
        texts = {
            name
            for name, column in contract.columns.items()
            if column.type == "json" or (column.pii == "none" and column.type in ("text", "id"))
        }
        assert set(looked_at(contract)) == texts


def said(build: Path) -> str:
    with duckdb.connect() as connection:
        attach(connection, build, read_only=True)
        return tell_hidden(connection).sentence


def write(build: Path, **values: str) -> None:
    """Let the rows of the last night say something in every one of some columns."""
    with duckdb.connect(str(warehouse_file(build))) as connection:
        for name, text in values.items():
            connection.execute(
                f"update accepted.zendesk__tickets set {name} = ? where _night = (select night from night.night)",
                [text],
            )


def test_what_was_hidden_is_counted_by_batch_and_column_and_told_once_without_the_text(tmp_path: Path) -> None:
    build = tmp_path / "build"
    prepare(build)
    load(build, [accept(tmp_path, ["1", "2"])], NIGHT)
    write(build, type="ask ann@a.example", tags='["vip", "ann@a.example"]', description="ann@a.example", priority="low")
    assert hide_contact_points(build) == 4
    shown = ("(hidden)", '["vip","(hidden)"]', "ann@a.example", "low")
    assert query(build, "select type, tags, description, priority from accepted.zendesk__tickets") == [shown, shown]
    assert query(build, "select column_name, texts from night.hidden_texts order by all") == [("tags", 2), ("type", 2)]
    assert said(build) == (
        "The audit hidden_texts warned because texts hold addresses or phone numbers and are hidden "
        "(zendesk/tickets.tags 2; zendesk/tickets.type 2)."
    )

    load(build, [accept(tmp_path, ["3"], date(2026, 1, 6))], NIGHT)
    assert hide_contact_points(build) == 0
    assert said(build) == ""
