"""The scorecard: what travels from the marts into it, which figure is the newest, and what must not travel."""

from __future__ import annotations

import json
import math
from datetime import date, timedelta
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import duckdb
import pytest

from assets.report import render
from assets.report.page import fill
from assets.report.scorecard import SCORECARD, read_scorecard_data
from assets.report.scorecard.data import ScorecardData
from assets.report.scorecard.parts import CASES_SHOWN
from storage.data_folder import REPORT_PAGES, marts_file
from storage.errors import JourneymartError
from tests.journey_marts import change
from tests.scorecard_marts import (
    AS_OF,
    FEW,
    FOREIGN,
    HIDDEN,
    LAST_MONTH,
    LATE,
    LATE_TO,
    SHORT,
    SILENT,
    VERSION,
    write_scorecard_marts,
)
from tests.unit.test_report_page import HOSTILE, Elements

TOLD = {"flow": "rolling_28", "latest": "rolling_90", "stock": "month", "employee": "quarter"}
DRAWN = {**TOLD, "stock": "day"}


@pytest.fixture(scope="module")
def build(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("build")
    write_scorecard_marts(folder)
    return folder


@pytest.fixture(scope="module")
def template(tmp_path_factory) -> str:
    return render.template_of(SCORECARD, tmp_path_factory.mktemp("templates"))


@pytest.fixture(scope="module")
def data(build) -> ScorecardData:
    return read_scorecard_data(build, AS_OF)


def rows(build: Path, query: str) -> list[dict[str, Any]]:
    """Rows of the marts, days as text, as the page has them."""
    with duckdb.connect(marts_file(build), read_only=True) as connection:
        found = connection.execute(query)
        names = [column[0] for column in found.description or ()]
        return [
            {name: str(value) if isinstance(value, date) else value for name, value in zip(names, row, strict=True)}
            for row in found.fetchall()
        ]


def named(columns: Any, row: Any) -> dict[str, Any]:
    """A row of the page by the names of its columns; what its list does not hold is None."""
    return {**dict.fromkeys(columns), **dict(zip(columns, row, strict=False))}


def kpis_of(data: ScorecardData) -> dict[str, tuple[dict[str, Any], dict[str, Any] | None, list[Any]]]:
    """Definition, newest figure and trend by KPI."""
    columns = data["columns"]
    return {
        one["definition"][0]: (
            named(columns["definition"], one["definition"]),
            one["now"] and named(columns["figure"], one["now"]),
            one["trend"],
        )
        for one in data["kpis"]
    }


def without_state(row: dict[str, Any]) -> dict[str, Any]:
    """A figure without what a state takes from its day."""
    return {name: value for name, value in row.items() if name != "is_complete_window"}


def test_every_kpi_is_there_with_its_definition_and_its_newest_figure(build, data):
    marts = {(row["kpi"], row["period"], row["date_day"]): row for row in rows(build, ALL_FIGURES)}
    definitions = {row["kpi"]: row for row in rows(build, "from dim_kpi")}
    found = kpis_of(data)
    assert found.keys() == definitions.keys()
    for kpi, (definition, now, _) in found.items():
        assert definition.items() <= definitions[kpi].items()
        newest = max(
            (day for each, period, day in marts if (each, period) == (kpi, TOLD[definition["basis"]])), default=None
        )
        if newest is None:
            assert (kpi, now) == (SILENT, None)
        elif not (mart := marts[kpi, TOLD[definition["basis"]], newest])["is_suppressed"]:
            assert without_state(now).items() <= mart.items()


ALL_FIGURES = "from mart_kpi_daily where dimension = 'all'"


def test_what_has_not_been_measured_for_a_while_is_told_as_it_last_was(build, data):
    windows = rows(build, f"{ALL_FIGURES} and kpi = '{LATE}' and period = 'rolling_28' order by date_day")
    assert kpis_of(data)[LATE][1]["date_day"] == windows[-1]["date_day"] == str(LATE_TO) < str(AS_OF)


def test_a_window_that_is_not_whole_is_told_only_while_none_is(tmp_path):
    write_scorecard_marts(tmp_path)
    change(
        tmp_path, "update mart_kpi_daily set is_complete_window = false where kpi = 'csat' and date_day > '2026-06-10'"
    )
    found = kpis_of(read_scorecard_data(tmp_path, AS_OF))
    assert found["csat"][1]["date_day"] == found["csat"][2][-1][0] == "2026-06-10"
    assert (found[SHORT][1]["date_day"], found[SHORT][1]["is_complete_window"]) == (str(AS_OF), False)


def test_a_state_is_held_against_the_end_of_the_month_before_and_whole_as_its_day(build, data):
    definition, now, _ = kpis_of(data)["active_customers"]
    (month,) = rows(build, f"{ALL_FIGURES} and kpi = 'active_customers' and period = 'month' and date_day = '{AS_OF}'")
    assert definition["basis"] == "stock"
    assert (now["date_day"], now["previous_value"]) == (str(AS_OF), month["previous_value"])
    assert (now["is_complete_window"], month["is_complete_window"]) == (True, False)


def test_few_records_and_short_histories_travel_as_marks(data):
    found = kpis_of(data)
    assert found[FEW][1]["is_low_n"]
    assert found[SHORT][1]["is_complete_window"] is False
    assert found["csat"][1]["is_low_n"] is False


def test_a_trend_is_a_year_of_weekly_points_up_to_the_newest_figure(build, data):
    marts = {(row["kpi"], row["period"], row["date_day"]): row for row in rows(build, ALL_FIGURES)}
    for kpi, (definition, now, trend) in kpis_of(data).items():
        assert [[day, *figures] for day, *figures in trend] == [
            [day, *(marts[kpi, DRAWN[definition["basis"]], day][name] for name in ("value", "ci_low", "ci_high"))]
            for day, *_ in trend
        ]
        if now and kpi not in {HIDDEN, "enps"}:
            newest = date.fromisoformat(now["date_day"])
            assert [day for day, *_ in trend] == [str(newest - timedelta(days=7 * back)) for back in range(52, -1, -1)]


def test_a_hidden_figure_is_its_flags_and_no_point_of_the_trend(build, data):
    _, now, trend = kpis_of(data)[HIDDEN]
    assert now["is_suppressed"]
    assert {name for name, value in now.items() if value is not None} == {
        *("window_start", "date_day", "is_suppressed", "is_low_n", "is_complete_window", "is_stale")
    }
    hidden = {row["date_day"] for row in rows(build, f"{ALL_FIGURES} and kpi = '{HIDDEN}' and is_suppressed")}
    assert hidden
    assert not hidden & {day for day, *_ in trend}


def test_of_what_is_hidden_the_page_knows_nothing_even_if_the_marts_do(tmp_path):
    write_scorecard_marts(tmp_path)
    change(
        tmp_path,
        "update mart_kpi_daily set is_suppressed = true",
        "update mart_recovery set is_suppressed = true, value = 77.777, n = 4",
        "update mart_journey_map set is_suppressed = true",
    )
    data = read_scorecard_data(tmp_path, AS_OF)
    figures = [one["now"] for one in data["kpis"] if one["now"]]
    members = [row for kpis in data["breakdowns"].values() for rows in kpis.values() for row in rows]
    assert figures
    assert members
    assert {len(row) for row in figures} == {data["columns"]["figure"].index("value")}
    assert {len(row) for row in members} == {data["columns"]["member"].index("value")}
    assert {len(row) for row in data["recovery"]} == {data["columns"]["recovery"].index("n")}
    assert all(one["trend"] == [] for one in data["kpis"])
    assert data["moments"] == []


def test_breakdowns_are_of_the_last_whole_month_with_the_whole_company_beside_them(build, data):
    marts = rows(build, f"from mart_kpi_daily where period = 'month' and date_day = '{LAST_MONTH}'")
    assert data["month"] == str(LAST_MONTH)
    assert data["breakdowns"].keys() <= {dimension for dimension, *_ in data["dimensions"]}
    assert data["dimensions"][-1] == [FOREIGN, "Market", "countries"]
    shown = {
        (dimension, kpi, row[0]): named(data["columns"]["member"], row)
        for dimension, kpis in {**data["breakdowns"], "all": {kpi: [row] for kpi, row in data["whole"].items()}}.items()
        for kpi, rows in kpis.items()
        for row in rows
    }
    assert len(shown) == len(marts)
    for mart in marts:
        row = shown[mart["dimension"], mart["kpi"], mart["member"]]
        if mart["is_suppressed"]:
            assert {value for value in row.values() if value is not None} <= {mart["member"], True, mart["is_low_n"]}
        else:
            assert row.items() <= mart.items()


@pytest.mark.parametrize(
    ("as_of", "month"),
    [
        ("2026-06-29", "2026-05-31"),
        ("2026-06-30", "2026-06-30"),
        ("2026-01-01", "2025-12-31"),
        ("2024-02-29", "2024-02-29"),
    ],
)
def test_a_month_is_whole_on_its_last_day(build, as_of, month):
    assert read_scorecard_data(build, date.fromisoformat(as_of))["month"] == month


def test_open_failures_are_counted_in_all_and_the_most_valuable_customers_come_first(build, data):
    waiting = rows(build, "from fct_closed_loop_case where outcome in ('open', 'overdue')")
    # What has no rank, or is due at no time, comes last.
    waiting.sort(
        key=lambda row: (
            (False, row["value_rank"]) if row["value_rank"] is not None else (True,),
            (False, row["due_at"]) if row["due_at"] else (True,),
            row["case_key"],
        )
    )
    cases = data["cases"]
    assert sum(number for *_, number in cases["counts"]) == len(waiting) > CASES_SHOWN == len(cases["rows"])
    by_kind = itemgetter("trigger", "outcome")
    assert cases["counts"] == [
        [*kind, len(list(found))] for kind, found in groupby(sorted(waiting, key=by_kind), by_kind)
    ]
    for row, case in zip(cases["rows"], waiting, strict=False):
        shown = named(data["columns"]["case"], row)
        # As text: a browser would round them.
        assert (shown["case_key"], shown["customer_key"]) == (str(case["case_key"]), str(case["customer_key"]))
        assert int(shown["opened"].replace("-", "")) == case["opened_date_key"]
        # Where the company says no hours, an answer is due at no time.
        due = int(shown["due"].replace("-", "")) if shown["due"] else -1
        assert due == case["due_date_key"]
        assert math.isclose(shown["value_amount"], case["value_amount"])


def test_a_failure_of_a_customer_nobody_knows_has_no_key_to_look_for(tmp_path):
    write_scorecard_marts(tmp_path)
    change(tmp_path, "update fct_closed_loop_case set customer_key = -1")
    data = read_scorecard_data(tmp_path, AS_OF)
    assert {named(data["columns"]["case"], row)["customer_key"] for row in data["cases"]["rows"]} == {None}


def test_recovery_is_told_of_matured_months_beside_what_nobody_touched(data):
    found = [named(data["columns"]["recovery"], row) for row in data["recovery"]]
    assert [(row["month"], row["member"], row["value"]) for row in found] == [
        *(("2026-04-01", member, None) for member in ("difference", "touched", "untouched")),
        ("2026-03-01", "difference", 12.0),
        ("2026-03-01", "touched", 52.0),
        ("2026-03-01", "untouched", 40.0),
    ]


def test_only_the_newest_state_of_a_measure_of_the_data_counts_and_only_what_is_wrong_is_listed(data):
    health = data["health"]
    assert [row[1:6] for row in health["rows"]] == [
        ["desk", "ticket", "days_since_extract", "2026-06-29", "fail"],
        ["crm", "account", "quarantined_share", "2026-06-25", "warn"],
    ]
    assert health["counts"] == [
        ["crm", "ok", 1],
        ["crm", "warn", 1],
        ["desk", "fail", 1],
        ["shop", "info", 1],
        ["shop", "ok", 1],
    ]
    assert health["definitions"] == [["2026-06-26", "kpis", "csat", "definition_changed"]]


def test_what_is_left_out_of_the_last_twelve_months_is_said_by_reason_with_the_kpis_it_concerns(data):
    silent, wordy = (named(data["columns"]["left_out"], row) for row in data["left_out"])
    assert silent["sentence"] == (
        "42 records of desk/ticket are left out of Unanswered questions, One-touch tickets (3) because nobody knows "
        "what was said: deliver ticket_event."
    )
    assert silent["kpis"] == [["unanswered_rate", 42, 400], ["one_touch_rate", 3, 400]]
    assert wordy["sentence"].startswith(
        "1 record of shop/survey_answer (question 2) is left out of Customer satisfaction because "
    )


def test_a_peak_of_several_journeys_is_told_once_of_the_whole_journey(build, data):
    marked = rows(
        build,
        "from mart_journey_map where (is_peak or is_trough) and segment = 'all' and period = 'last_365_days'",
    )
    shown = [named(data["columns"]["moment"], row) for row in data["moments"]]
    assert {row["touchpoint"] for row in shown} == {row["touchpoint"] for row in marked}
    assert len(shown) == len({(row["touchpoint"], row["score_scale"]) for row in marked}) < len(marked)
    in_whole = {row["touchpoint"] for row in marked if row["journey"] == "customer"}
    assert all((row["journey"] == "customer") == (row["touchpoint"] in in_whole) for row in shown)


def test_it_says_of_which_version_and_night_it_is(tmp_path):
    write_scorecard_marts(tmp_path, is_stale=True)
    data = read_scorecard_data(tmp_path, AS_OF)
    assert (data["as_of"], data["version"], data["currency"], data["is_stale"]) == (str(AS_OF), VERSION, "EUR", True)
    assert kpis_of(data)["csat"][1]["is_stale"]


def test_a_first_night_with_nothing_has_definitions_only(tmp_path, template):
    write_scorecard_marts(tmp_path, is_empty=True)
    data = read_scorecard_data(tmp_path, AS_OF)
    assert {(one["now"], len(one["trend"])) for one in data["kpis"]} == {(None, 0)}
    assert (data["breakdowns"], data["whole"], data["moments"], data["cases"]["rows"], data["recovery"]) == (
        {},
        {},
        [],
        [],
        [],
    )
    assert Elements(fill(template, data)).data()["as_of"] == str(AS_OF)


def test_marts_that_lack_what_the_page_shows_are_one_sentence(tmp_path):
    write_scorecard_marts(tmp_path)
    change(tmp_path, "alter table mart_kpi_daily drop column benchmark_source")
    with pytest.raises(JourneymartError, match=r"does not give the scorecard what it shows \(BinderException\)"):
        read_scorecard_data(tmp_path, AS_OF)


def test_it_leads_to_the_journey_and_nothing_leads_outside(build, template, data):
    page = Elements(fill(template, data))
    links = {
        attributes[name]
        for _, attributes, _ in page.found
        for name in ("src", "href", "action", "data", "poster", "srcset", "background", "formaction", "ping")
        if name in attributes
    }
    assert links == {"#main", "data:,", "journey.html"}
    assert f"{REPORT_PAGES[0]}.html" == "index.html"


def test_hostile_names_add_no_element(tmp_path, template, data):
    write_scorecard_marts(tmp_path)
    name = HOSTILE.replace("'", "''")
    change(
        tmp_path,
        f"update dim_kpi set name = '{name}', objective = '{name}', owner_department = '{name}', definition = '{name}'",
        f"update mart_kpi_daily set member = '{name}', benchmark_source = '{name}'",
        f"update fct_closed_loop_case set reason = '{name}', team = '{name}', channel = '{name}'",
        f"update mart_data_health set source = '{name}', message = '{name}'",
    )
    hostile = Elements(fill(template, read_scorecard_data(tmp_path, AS_OF)))
    assert [tag for tag, _, _ in hostile.found] == [tag for tag, _, _ in Elements(fill(template, data)).found]
    assert named(hostile.data()["columns"]["definition"], hostile.data()["kpis"][0]["definition"])["name"] == HOSTILE


def test_years_and_crowds_do_not_make_the_page_grow_without_end(tmp_path, build, template):
    write_scorecard_marts(tmp_path)
    change(
        tmp_path,
        "insert into mart_kpi_daily by name select * replace (date_day - 1461 as date_day) from mart_kpi_daily",
        "insert into fct_closed_loop_case by name select cases.* replace (case_key + range as case_key) "
        "from fct_closed_loop_case as cases cross join range(1000, 2000)",
    )
    page = fill(template, read_scorecard_data(tmp_path, AS_OF))
    assert len(page) < 1.01 * len(fill(template, read_scorecard_data(build, AS_OF)))
    assert len(page) < 300_000


def test_figures_travel_as_json_knows_them(data):
    assert json.loads(json.dumps(data))["kpis"] == data["kpis"]
