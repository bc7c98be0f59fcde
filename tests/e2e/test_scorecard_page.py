"""The scorecard in a browser: it asks for nothing, says what the marts say, and can be used by everybody."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import duckdb
import pytest

from assets.report.render import write_page
from storage.data_folder import marts_file
from tests.e2e.browser import HOSTILE, WIDTHS, Reader, needs_browser
from tests.journey_marts import AS_OF, change
from tests.scorecard_marts import FEW, FOREIGN, HIDDEN, LATE, LATE_TO, SHORT, SILENT, VERSION, write_scorecard_marts

pytestmark = needs_browser

MINUS = "\u2212"


@pytest.fixture(scope="module")
def build(tmp_path_factory) -> Path:
    build = tmp_path_factory.mktemp("report of the company")
    write_scorecard_marts(build)
    name = HOSTILE.replace("'", "''")
    change(
        build,
        f"update dim_touchpoint set touchpoint_name = '{name}' where touchpoint = 'support_phone'",
        f"update fct_closed_loop_case set reason = '{name}' where trigger = 'complaint'",
    )
    return build


@pytest.fixture(scope="module")
def reader(browser, build, templates) -> Reader:
    return Reader(browser, write_page(build, AS_OF, templates, "index"))


@pytest.fixture(scope="module")
def page(reader) -> Any:
    """The page as it opens, on a wide screen, for tests that only look."""
    return reader.open()


@pytest.fixture(scope="module")
def figures(build) -> dict[str, dict[str, Any]]:
    """Each KPI's newest figure of the company with its definition, as the marts have them, by name of the KPI."""
    query = f"""
        select mart.*, dim_kpi.* exclude (kpi, measure, target)
        from mart_kpi_daily as mart inner join dim_kpi using (kpi)
        where dimension = 'all' and case kpi
            when '{LATE}' then period = 'rolling_28' and date_day = date '{LATE_TO}'
            when 'enps' then date_day = date '2026-03-31'
            else date_day = date '{AS_OF}' and (basis, period) in
                (('flow', 'rolling_28'), ('latest', 'rolling_90'), ('stock', 'month'))
        end
    """
    with duckdb.connect(marts_file(build), read_only=True) as connection:
        found = connection.execute(query)
        names = [column[0] for column in found.description or ()]
        return {row[0]: dict(zip(names, row, strict=True)) for row in found.fetchall()}


def text(page: Any, kpi: str, cell: str) -> str:
    """What a reader sees of one cell of a KPI, in one line."""
    return re.sub(r"\s+", " ", page.text_content(f"#kpi-{kpi} .{cell}"))


def number(value: float, decimals: int) -> str:
    """A number as English writes it, with a real minus sign."""
    return f"{value:,.{decimals}f}".replace("-", MINUS)


def duration(minutes: float) -> str:
    """Minutes of the made-up marts, which are all below a hundred."""
    return f"{minutes:.0f} min"


def value_of(figure: dict[str, Any]) -> str:
    """A value in its unit, said independently of the page."""
    if figure["unit"] == "minutes":
        return duration(figure["value"])
    plain = number(figure["value"], figure["decimals"])
    ending = {
        "percent": " %",
        "percent of the scale": " of 100",
        "tickets per 100 customers": " per 100",
    }.get(figure["unit"], "")
    return f"{'EUR ' if figure['unit'] == 'currency' else ''}{plain}{ending}"


def test_it_asks_for_nothing_but_itself_and_complains_of_nothing(reader):
    page = reader.open()
    for dimension in ("touchpoint", "segment"):
        page.select_option("#by", dimension)
        page.select_option("#kpi", "all")
    page.evaluate("document.querySelectorAll('details').forEach(details => details.open = true)")
    page.close()
    assert {address.split("#")[0] for address in reader.requests} <= {reader.file.as_uri(), "data:,"}
    assert reader.complaints == []


def test_it_is_there_in_less_than_a_second(reader):
    assert min(reader.first_paints()) < 1000


def test_hostile_texts_are_shown_as_they_are_and_do_nothing(page):
    assert page.title() == "Scorecard"
    assert page.locator("img").count() == 0
    assert HOSTILE in page.text_content("#cases-table")


def test_it_says_of_which_night_and_version_it_is(page):
    assert page.inner_text("#as-of") == f"As of 29 June 2026 · version {VERSION}"
    assert not page.locator("#stale").is_visible()


def test_it_says_when_nobody_has_made_it_anew_for_days(reader):
    page = reader.open(today="2026-07-06")
    assert page.inner_text("#as-of").startswith("As of 29 June 2026, 7 days ago")
    page.close()


def test_a_night_that_lacked_a_source_says_so_above_all_and_with_each_figure(browser, tmp_path, templates):
    write_scorecard_marts(tmp_path, is_stale=True)
    page = Reader(browser, write_page(tmp_path, AS_OF, templates, "index")).open()
    assert page.inner_text("#stale").startswith("Extracts have been missing since ")
    assert "stale" in text(page, "csat", "value")
    page.close()


def test_every_value_is_said_in_its_unit_with_its_interval(page, figures):
    assert len(figures) == page.locator(".kpi").count() - 1
    for kpi, figure in figures.items():
        shown = text(page, kpi, "value")
        if kpi == HIDDEN:
            assert shown == "Nowhiddentoo few to show"
            continue
        assert shown.startswith(f"Now{value_of(figure)}"), kpi
        if figure["ci_low"] is not None:
            say = duration if figure["unit"] == "minutes" else lambda value, of=figure: number(value, of["decimals"])
            assert f"{say(figure['ci_low'])} to {say(figure['ci_high'])}" in shown
            assert re.search(rf"{figure['n']:,} \w+", shown)
    assert "Nothing measured yet." in page.inner_text(f"#kpi-{SILENT}")


def test_direction_decides_whether_a_change_is_good_and_chance_whether_it_is_one(page, figures):
    seen = set()
    for kpi, figure in figures.items():
        shown = text(page, kpi, "change")
        if figure["is_changed"] is None:
            words = set()
        elif not figure["is_changed"]:
            words = {"may be chance"}
        else:
            words = {"better" if (figure["difference"] > 0) == (figure["direction"] == "higher_is_better") else "worse"}
        assert {word for word in ("better", "worse", "may be chance") if word in shown} == words, kpi
        if figure["difference"] is not None and figure["unit"] == "percent":
            assert f"{number(figure['difference'], 1).lstrip(MINUS)} points" in shown
        seen |= words or {"untested"}
    assert seen == {"better", "worse", "may be chance", "untested"}


def test_a_target_says_on_which_side_good_is_and_whether_it_is_met(page, figures):
    targets = {kpi: figure for kpi, figure in figures.items() if figure["target"] is not None}
    assert {figure["is_target_met"] for figure in targets.values()} == {True, False}
    for kpi, figure in targets.items():
        shown = text(page, kpi, "target-cell")
        assert ("at least" if figure["direction"] == "higher_is_better" else "at most") in shown
        assert ("met" in shown, "missed" in shown) == (figure["is_target_met"], not figure["is_target_met"])
        reaches = figure["ci_low"] <= figure["target"] <= figure["ci_high"]
        assert ("may be chance" in shown) == reaches
    missed = sum(not figure["is_target_met"] for figure in targets.values())
    assert page.inner_text("#tiles .tile:first-child .figure") == str(missed)
    assert page.inner_text("#summary").startswith(f"{len(targets) - missed} of {len(targets)} targets")


def test_a_benchmark_is_named_with_its_source(page):
    assert "others 75.0 % (Trade survey, 2025)" in text(page, "csat", "target-cell")
    assert "others" not in text(page, "ces", "target-cell")


def test_what_one_must_know_before_believing_a_figure_is_written_at_it(page):
    marks = {
        kpi: page.locator(f"#kpi-{kpi} .mark").all_inner_texts()
        for kpi in (FEW, SHORT, HIDDEN, "csat", "closed_loop_rate")
    }
    assert marks == {FEW: ["few"], SHORT: ["window not full"], HIDDEN: [], "csat": [], "closed_loop_rate": []}
    assert "28 days to 29 May 2026" in text(page, LATE, "name")


def test_lines_say_what_they_draw(page, figures):
    for kpi, figure in figures.items():
        label = page.get_attribute(f"#kpi-{kpi} svg.spark", "aria-label")
        assert label.startswith(f"{figure['name']} from ")
        assert page.locator(f"#kpi-{kpi} svg .line").count() >= 1
        assert page.locator(f"#kpi-{kpi} svg .target").count() == (figure["target"] is not None and kpi != HIDDEN)
        if kpi != HIDDEN:
            assert f" to {value_of(figure)}, between " in label.replace("\u00a0", " ")


def test_what_to_look_at_first_are_missed_targets_and_real_changes(page, figures):
    lists = {
        item.locator("h3").inner_text(): [link.inner_text() for link in item.locator("a").all()]
        for item in page.locator("#attention-lists > div").all()
    }
    good = {
        kpi: (figure["difference"] > 0) == (figure["direction"] == "higher_is_better")
        for kpi, figure in figures.items()
        if figure["is_changed"]
    }
    assert sorted(lists["Worse than before"]) == sorted(figures[kpi]["name"] for kpi in good if not good[kpi])
    assert sorted(lists["Better than before"]) == sorted(figures[kpi]["name"] for kpi in good if good[kpi])
    missed = (figure["name"] for figure in figures.values() if figure["is_target_met"] is False)
    assert sorted(lists["Missed targets"]) == sorted(missed)


def test_the_five_causes_have_their_own_group_that_leads_to_the_figures(page, figures):
    causes = {figure["cause"] for figure in figures.values() if figure["cause"]}
    assert page.locator("#causes-list h3").count() == len(causes) == 5
    links = page.eval_on_selector_all("#causes-list a", "all => all.map(link => link.getAttribute('href'))")
    assert sorted(links) == sorted(f"#kpi-{kpi}" for kpi, figure in figures.items() if figure["cause"])
    assert all(page.locator(link).count() == 1 for link in links)


def test_figures_stand_with_their_owner_and_objective(page, figures):
    for kpi in ("csat", "logo_retention", "on_time_delivery"):
        card = page.locator(f".department:has(#kpi-{kpi})")
        assert card.locator("h3").inner_text().lower() == figures[kpi]["owner_department"]
        before = (
            "card => { while (card.tagName !== 'H4') card = card.previousElementSibling; return card.textContent; }"
        )
        objective = page.eval_on_selector(f"#kpi-{kpi}", before)
        assert objective == figures[kpi]["objective"]


def test_a_link_to_a_definition_opens_it(reader, figures):
    page = reader.open(address="#kpi-csat")
    meaning = page.inner_text("#kpi-csat details[open]")
    for part in ("definition", "formula", "timestamp_basis", "source_fact"):
        assert figures["csat"][part] in meaning
    assert "Wilson interval" in meaning
    assert page.evaluate("document.querySelector('#kpi-csat').getBoundingClientRect().top") < 900
    assert page.locator("details[open]").count() == 1
    page.evaluate("location.hash = '#kpi-ces'")
    page.wait_for_selector("#kpi-ces details[open]")
    page.close()


def test_the_line_of_a_kpi_stands_there_as_figures_too(reader, build):
    page = reader.open(address="#kpi-csat")
    cells = page.eval_on_selector_all(
        "#kpi-csat tbody tr", "rows => rows.map(row => [...row.cells].map(cell => cell.textContent))"
    )
    with duckdb.connect(marts_file(build), read_only=True) as connection:
        marts = connection.execute(
            "select date_day, value, ci_low, ci_high from mart_kpi_daily where kpi = 'csat' and dimension = 'all' "
            "and period = 'rolling_28'"
        ).fetchall()
    by_day = {day: (value, low, high) for day, value, low, high in marts}
    days = sorted(by_day)[-1:-366:-28]
    assert cells == [
        [f"{day.day} {day:%b} {day.year}".replace("Sep ", "Sept "), f"{value:.1f}\u00a0%", f"{low:.1f} to {high:.1f}"]
        for day in days
        for value, low, high in [by_day[day]]
    ]
    page.close()


def members(page: Any) -> dict[str, list[str]]:
    """Rows of the breakdown by member: value, interval, number, against all, against the month before."""
    cells = "rows => rows.map(row => [...row.cells].map(cell => cell.textContent.replace(/\\s/g, ' ')))"
    found = page.eval_on_selector_all("#members tbody tr", cells)
    return {name: cells for name, _, *cells in found}


@pytest.mark.parametrize(
    ("dimension", "stands"), [("segment", {"better", "worse"}), ("touchpoint", {"about the same"})]
)
def test_a_breakdown_says_who_is_apart_from_all_by_more_than_chance(reader, build, dimension, stands):
    page = reader.open(address=f"#by={dimension}&kpi=csat")
    shown = members(page)
    with duckdb.connect(marts_file(build), read_only=True) as connection:
        marts = connection.execute(
            "select coalesce(touchpoint_name, member), value, ci_low, ci_high, n from mart_kpi_daily "
            "left join dim_touchpoint on touchpoint = member where kpi = 'csat' and period = 'month' "
            "and date_day = date '2026-05-31' and dimension in ('all', ?) and not is_suppressed",
            [dimension],
        ).fetchall()
    whole = next(value for member, value, *_ in marts if member == "all")
    apart = set()
    for member, value, low, high, n in marts:
        against = "about the same" if low <= whole <= high else "better" if value > whole else "worse"
        row = shown[member if dimension == "touchpoint" and member != "all" else member.capitalize()]
        assert row[:3] == [f"{value:.1f} %", f"{low:.1f} to {high:.1f}", str(n)]
        assert row[3] == ("\u2013" if member == "all" else against)
        apart |= {against} if member != "all" else set()
    assert apart == stands
    page.close()


def test_a_dimension_the_page_has_never_heard_of_is_shown_as_its_table_says(reader):
    page = reader.open(address=f"#by={FOREIGN}&kpi=csat")
    assert list(members(page)) == ["All", "Austria", "No market"]
    assert page.text_content("#by option:checked") == "Market"
    assert page.text_content("#members caption").startswith("Customer satisfaction by market, ")
    page.close()


def test_a_breakdown_says_hidden_where_too_few(reader):
    page = reader.open(address="#by=segment&kpi=csat")
    assert members(page)["Tiny"] == ["hidden (too few)", *["\u2013"] * 4]
    assert "1 value hidden for privacy" in page.inner_text("#breakdown-note")
    page.select_option("#kpi", FEW)
    assert members(page)["Business"][3] == "too few to say"
    page.close()


def test_less_is_better_where_less_is_better(reader):
    page = reader.open(address="#by=segment&kpi=complaint_rate")
    assert members(page)["Business"][3] == "better"
    page.close()


def test_a_breakdown_can_be_sent_to_somebody(reader):
    page = reader.open()
    page.select_option("#by", "touchpoint")
    page.select_option("#kpi", "ces")
    assert members(page).keys() == {"All", "Order on the website", HOSTILE}
    other = reader.open(address=page.url[page.url.index("#") :])
    assert members(other) == members(page)
    page.close()
    other.close()


def test_highs_and_lows_lead_into_the_journey_map_and_it_leads_back(reader, page, build, templates):
    links = page.eval_on_selector_all("#moments-lists a", "all => all.map(link => link.getAttribute('href'))")
    assert links
    assert {link.split("#")[0] for link in links} == {"journey.html"}
    assert "late" in page.inner_text("#moments-lists .warm")
    write_page(build, AS_OF, templates, "journey")
    there = reader.browser.new_page()
    there.goto(reader.file.as_uri())
    there.click("#moments-lists a >> nth=0")
    there.wait_for_selector("html[data-drawn=yes]", state="attached")
    assert there.inner_text("h1") == "Customer journey"
    assert there.input_value("#period") == "last_365_days"
    there.click("header a")
    there.wait_for_selector("#tiles .tile")
    assert there.title() == "Scorecard"
    there.close()


def test_open_failures_name_keys_value_and_how_long_they_are_overdue(page):
    assert page.inner_text("#cases-lead").startswith("45 failures wait for an answer, 30 of them overdue: ")
    rows = page.eval_on_selector_all(
        "#cases-table tbody tr", "rows => rows.map(row => [...row.cells].map(cell => cell.textContent))"
    )
    assert len(rows) == 20
    assert rows[0] == [
        *("2", "EUR\u00a09,998", "Unanswered question", "Late delivery", "Email", "17 May 2026", "19 May 2026"),
        *("41 days", "1152921504606840041", "1152921504606846041"),
    ]


def test_recovery_stands_beside_the_failures_nobody_touched(page):
    said = page.inner_text("#recovery").replace("\u00a0", " ")
    assert said.startswith("Of the failures of March 2026, 52 % of the 50 somebody took care of")
    assert "40 % of the 50 nobody touched: +12 points (3 to 21), more than chance, though care need not" in said
    assert "hidden (too few)" in page.text_content("#recovery-table")
    assert page.locator("#loop .tile").count() == 3


def test_the_health_of_the_data_is_told_worst_first(page):
    assert page.inner_text("#health-lead") == "1 of 3 sources is as it should be. What is not, worst first:"
    items = page.locator("#health-list li").all_inner_texts()
    assert items == [
        "✗ not as it should be: days_since_extract of desk/ticket: 3 days, limit 1 day.",
        "! worth a look: quarantined_share of crm/account: 2.1\u00a0%, limit 1.0\u00a0% (25 Jun 2026).",
    ]
    sources = page.eval_on_selector_all("#health-table tbody th", "cells => cells.map(cell => cell.textContent)")
    assert sources == ["desk", "crm", "shop"]
    assert page.inner_text("#definitions summary") == "1 definition changed in the last four weeks"


def test_what_a_figure_leaves_out_is_marked_beside_it_and_told_with_what_to_do(page):
    assert page.inner_text("#left-out-list li:first-child").startswith(
        "42 records of desk/ticket are left out of Unanswered"
    )
    assert page.inner_text("#kpi-unanswered_rate .mark.warm") == "leaves out 42"
    page.click("#kpi-unanswered_rate summary")
    page.wait_for_selector("#kpi-unanswered_rate .left-out li")
    assert page.inner_text("#kpi-unanswered_rate .left-out li") == (
        "42 records of desk/ticket, beside 400 that count, because nobody knows what was said. Deliver ticket_event."
    )
    # Three of four hundred are said where the figure is explained, and not beside it.
    assert page.locator("#kpi-one_touch_rate .mark.warm").count() == 0
    page.click("#kpi-one_touch_rate summary")
    page.wait_for_selector("#kpi-one_touch_rate .left-out li")
    assert page.locator("#kpi-complaint_rate .left-out").count() == 0


def test_it_can_be_used_without_a_mouse(reader):
    page = reader.open()
    focus = "document.activeElement.id || document.activeElement.className || document.activeElement.tagName"
    page.keyboard.press("Tab")
    assert page.evaluate(focus) == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate(focus) == "main"
    page.focus("#kpi-csat summary")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    page.wait_for_selector("#kpi-csat details[open] .meaning")
    page.focus("#by")
    before = page.inner_text("#members")
    page.keyboard.press("ArrowDown")
    assert page.inner_text("#members") != before
    page.keyboard.press("Tab")
    assert page.evaluate(focus) == "kpi"
    page.close()


def test_it_fits_every_screen(reader):
    page = reader.open(width=WIDTHS[0])
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        for tables in ("closed", "open"):
            assert page.evaluate("document.documentElement.scrollWidth") == width, tables
            page.evaluate(
                f"document.querySelectorAll('details').forEach(each => each.open = {str(tables == 'closed').lower()})"
            )
        edges = page.eval_on_selector_all(
            "svg.spark", "all => all.map(each => each.getBoundingClientRect()).map(box => [box.left, box.right])"
        )
        assert all(0 <= left < right <= width for left, right in edges)
    page.close()


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (360, "dark")])
def test_it_has_no_barrier_axe_knows(reader, width, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    page = reader.open(width=width, scheme=scheme, address="#by=segment&kpi=csat")
    opened = "details => details.slice(0, 6).concat(details.slice(-3)).forEach(each => each.open = true)"
    page.eval_on_selector_all("details", opened)
    found = axe.Axe().run(page).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"][:200]) for each in found] == []
    page.close()


def test_light_and_dark_follow_the_screen_while_the_page_is_open(reader):
    page = reader.open()
    colours = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        line = page.locator("svg.spark .line").first
        colours.append(
            (
                page.evaluate("getComputedStyle(document.body).backgroundColor"),
                line.evaluate("line => getComputedStyle(line).stroke"),
            )
        )
    assert colours[0][0] != colours[1][0]
    assert colours[0][1] != colours[1][1]
    page.close()


def test_on_paper_every_definition_is_written_and_colours_are_those_of_light(reader):
    page = reader.open(scheme="dark")
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not([open])").count() == 0
    assert page.locator(".kpi .meaning").count() == page.locator(".kpi").count()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.locator("details[open]").count() == 0
    page.close()


def test_a_first_night_with_nothing_says_so(browser, tmp_path, templates):
    write_scorecard_marts(tmp_path, is_empty=True)
    reader = Reader(browser, write_page(tmp_path, AS_OF, templates, "index"))
    page = reader.open()
    assert page.inner_text("#nothing").startswith("Nothing has been measured up to 29 June 2026.")
    assert not page.locator("#content").is_visible()
    assert reader.complaints == []
    page.close()
