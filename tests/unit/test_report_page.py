"""The journey page: what travels from the marts into it, and that nothing in it can do harm."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.report import render
from assets.report.journey import JOURNEY, read_journey_data
from assets.report.journey.data import CHANNEL_COLUMNS, MAP_COLUMNS, MONTHS, PATH_COLUMNS, YEAR
from assets.report.page import as_json, fill
from storage.data_folder import marts_file
from storage.errors import JourneymartError
from tests.journey_marts import AS_OF, change, write_marts

HOSTILE = "</script><img src=x onerror=alert(1)><!--<script>&\u2028"


class Elements(HTMLParser):
    """Every element of a page with its attributes and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None], list[str]]] = []
        self._text: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs), []))
        self._text = self.found[-1][2]

    def handle_endtag(self, tag: str) -> None:
        self._text = []

    def handle_data(self, data: str) -> None:
        self._text.append(data)

    def all(self, tag: str) -> list[tuple[dict[str, str | None], str]]:
        return [(attributes, "".join(text)) for name, attributes, text in self.found if name == tag]

    def data(self) -> Any:
        return next(json.loads(text) for attributes, text in self.all("script") if attributes.get("id") == "data")


@pytest.fixture(scope="module")
def templates(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("templates")


@pytest.fixture(scope="module")
def template(templates) -> str:
    return render.template_of(JOURNEY, templates)


@pytest.fixture(scope="module")
def build(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("build")
    write_marts(folder)
    return folder


@pytest.fixture(scope="module")
def page(build, template) -> Elements:
    return Elements(fill(template, read_journey_data(build, AS_OF)))


def test_nothing_in_the_page_points_outside_of_it(page, template):
    links = {
        attributes[name]
        for tag, attributes, _ in page.found
        for name in ("src", "href", "action", "data", "poster", "srcset", "background", "formaction", "ping")
        if name in attributes
    }
    assert links == {"#main", "data:,", "index.html"}
    assert not {"iframe", "object", "embed", "form[action]", "base", "img"} & {tag for tag, _, _ in page.found}
    (_, style) = page.all("style")[0]
    assert not re.search(r"url\(|@import|//", style)


def test_only_the_scripts_and_styles_of_the_page_may_run_and_nothing_may_be_loaded(page):
    (policy,) = [a["content"] for a, _ in page.all("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert "unsafe" not in policy
    for rule, texts in {
        "script-src": [text for attributes, text in page.all("script") if "type" not in attributes],
        "style-src": [text for _, text in page.all("style")],
    }.items():
        hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in texts]
        assert rules[rule].split() == [f"'sha256-{each}'" for each in hashes]


texts = st.text(max_size=30) | st.sampled_from([HOSTILE, "]]>", "\u2028", "{{data}}", "\x00", "'\"`${1}"])


@given(st.recursive(st.none() | st.booleans() | st.integers() | texts, lambda inner: st.lists(inner, max_size=4)))
@settings(max_examples=200)
def test_any_text_travels_unchanged_and_cannot_leave_its_element(value):
    embedded = as_json({"value": value})
    assert embedded.isascii()
    assert not set("<>&") & set(embedded)
    page = Elements(fill('<p></p><script id="data">{{data}}</script><i></i>', {"value": value}))
    assert [tag for tag, _, _ in page.found] == ["p", "script", "i"]
    assert page.data() == {"value": value}


def test_a_touchpoint_with_a_hostile_name_adds_no_element(tmp_path, template, page):
    write_marts(tmp_path)
    name = HOSTILE.replace("'", "''")
    change(tmp_path, f"update dim_touchpoint set touchpoint_name = '{name}', channel = '{name}'")
    change(tmp_path, f"update mart_journey_map set score_scale = '{name}', segment = '{name}' where segment = 'tiny'")
    hostile = Elements(fill(template, read_journey_data(tmp_path, AS_OF)))
    assert [tag for tag, _, _ in hostile.found] == [tag for tag, _, _ in page.found]
    assert hostile.data()["touchpoints"]["order_web"]["name"] == HOSTILE


def test_every_figure_is_the_marts_own(build, page):
    data = page.data()
    shown = {
        (journey, segment, period, row["step"], row["touchpoint"]): row
        for journey, segments in data["map"].items()
        for segment, periods in segments.items()
        for period, rows in periods.items()
        for row in ({**dict.fromkeys(MAP_COLUMNS), **dict(zip(MAP_COLUMNS, each, strict=False))} for each in rows)
    }
    with duckdb.connect(marts_file(build), read_only=True) as connection:
        rows = connection.execute("from mart_journey_map").fetchall()
        names = [column[0] for column in connection.description or ()]
    assert len(rows) == len(shown)
    for values in rows:
        row = dict(zip(names, values, strict=True))
        period = YEAR if row["period"] == YEAR else f"{row['period_start']:%Y-%m}"
        found = shown[row["journey"], row["segment"], period, row["step"], row["touchpoint"]]
        flow = set(MAP_COLUMNS[MAP_COLUMNS.index("is_suppressed") + 1 : MAP_COLUMNS.index("score_scale")])
        hidden = flow if row["is_suppressed"] else set()
        assert found == {name: None if name in hidden else row[name] for name in MAP_COLUMNS}


def test_of_a_hidden_cell_the_page_knows_nothing_even_if_the_marts_do(tmp_path):
    write_marts(tmp_path)
    change(
        tmp_path,
        "update mart_journey_map set is_suppressed = true",
        "update mart_journey_path set is_suppressed = true",
        "update mart_channel_consistency set is_suppressed = true",
    )
    data = read_journey_data(tmp_path, AS_OF)
    rows = {
        MAP_COLUMNS: [row for s in data["map"].values() for p in s.values() for rows in p.values() for row in rows],
        PATH_COLUMNS: [row for periods in data["paths"].values() for rows in periods.values() for row in rows],
        CHANNEL_COLUMNS: [row for rows in data["channels"].values() for row in rows],
    }
    flow = slice(MAP_COLUMNS.index("is_suppressed") + 1, MAP_COLUMNS.index("score_scale"))
    assert {value for row in rows.pop(MAP_COLUMNS) for value in row[flow]} <= {None}
    for columns, found in rows.items():
        assert found
        assert {len(row) for row in found} == {columns.index("is_suppressed") + 1}


def test_a_first_night_with_nothing_gives_a_page_without_journeys(tmp_path, template):
    write_marts(tmp_path, is_empty=True)
    data = read_journey_data(tmp_path, AS_OF)
    assert (data["journeys"], data["periods"], data["map"]) == ([], [], {})
    assert Elements(fill(template, data)).data()["as_of"] == AS_OF.isoformat()


def test_the_whole_journey_and_all_segments_and_the_year_come_first(page):
    data = page.data()
    assert data["journeys"][0]["journey"] == "customer"
    assert data["segments"][0] == "all"
    assert [period["id"] for period in data["periods"]] == [YEAR, "2026-06", "2026-05", "2026-04", "2026-03"]


def test_a_month_is_compared_with_the_one_before_and_the_year_by_the_newest_month_that_is_over(page):
    periods = {period["id"]: period for period in page.data()["periods"]}
    assert periods["2026-06"]["compare"] == ["2026-06", "2026-05"]
    assert periods["2026-03"]["compare"] is None
    assert periods[YEAR]["compare"] == ["2026-05", "2026-04"]
    assert [period for period in periods if not periods[period]["is_complete"]] == ["2026-06"]


def test_on_its_last_day_a_month_is_over(build):
    periods = {period["id"]: period for period in read_journey_data(build, date(2026, 6, 30))["periods"]}
    assert periods["2026-06"]["is_complete"]
    assert periods[YEAR]["compare"] == ["2026-06", "2026-05"]


def test_years_of_history_do_not_make_the_page_grow_without_end(tmp_path):
    write_marts(tmp_path, months=30)
    periods = read_journey_data(tmp_path, AS_OF)["periods"]
    assert len(periods) == MONTHS + 1
    assert periods[-1]["id"] == "2025-06"


def test_numbers_json_has_no_word_for_become_nothing():
    assert json.loads(as_json({"a": [float("nan"), float("inf"), 1.5]})) == {"a": [None, None, 1.5]}


def test_marts_that_lack_what_the_page_shows_are_one_sentence(tmp_path):
    write_marts(tmp_path)
    change(tmp_path, "alter table mart_journey_map drop column opportunity_size")
    with pytest.raises(JourneymartError, match=r"does not give the journey page what it shows \(BinderException\)"):
        read_journey_data(tmp_path, AS_OF)


def test_a_night_makes_no_template_while_the_report_s_code_stands(build, template, templates, monkeypatch):
    monkeypatch.setattr(render, "make_template", lambda _: pytest.fail("the template was made again"))
    path = render.write_page(build, AS_OF, templates, "journey")
    assert path.read_text(encoding="utf-8").startswith(template.partition("{{data}}")[0])


def test_a_template_of_other_code_is_made_anew_and_the_old_one_goes(tmp_path, monkeypatch):
    monkeypatch.setattr(render, "make_template", lambda _: "new {{data}}")
    (tmp_path / "journey-0123456789abcdef.html").write_text("old {{data}}")
    assert render.template_of(JOURNEY, tmp_path) == "new {{data}}"
    assert [path.read_text() for path in tmp_path.iterdir()] == ["new {{data}}"]
