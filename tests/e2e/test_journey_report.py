"""The journey page in a browser: it asks for nothing, says in words what it draws, and can be used by everybody."""

from __future__ import annotations

import re
from typing import Any

import pytest

from assets.report.render import write_page
from tests.e2e.browser import HOSTILE, WIDTHS, Reader, needs_browser
from tests.journey_marts import AS_OF, TOUCHPOINTS, change, write_marts

pytestmark = needs_browser

# Marks that say something; axes say where, and lines, rules and labels are silent.
SPEAKING = '[role="graphics-symbol"][aria-label]:not([aria-roledescription="axis"])'


@pytest.fixture(scope="module")
def reader(browser, tmp_path_factory, templates) -> Reader:
    build = tmp_path_factory.mktemp("report of the company")
    write_marts(build)
    name = HOSTILE.replace("'", "''")
    change(build, f"update dim_touchpoint set touchpoint_name = '{name}' where touchpoint = 'login'")
    return Reader(browser, write_page(build, AS_OF, templates, "journey"))


@pytest.fixture(scope="module")
def page(reader) -> Any:
    """The page as it opens, on a wide screen, for tests that only look."""
    return reader.open()


def rows(page: Any, figure: str) -> dict[str, list[str]]:
    """Rows of the table beside a chart, by their heading."""
    found = page.eval_on_selector_all(
        f"{figure} tbody tr", "rows => rows.map(row => [...row.cells].map(cell => cell.textContent))"
    )
    return {row[0]: row[1:] for row in found}


def column(page: Any, figure: str, title: str) -> dict[str, str]:
    """One column of the table beside a chart, by the heading of its row."""
    titles = page.eval_on_selector_all(f"{figure} thead th", "cells => cells.map(cell => cell.textContent)")
    at = titles.index(title) - 1
    return {name: cells[at] for name, cells in rows(page, figure).items()}


def said(page: Any, figure: str) -> list[str]:
    """What the marks of a chart say to a screen reader."""
    labels: list[str] = page.eval_on_selector_all(
        f"{figure} {SPEAKING}", "marks => marks.map(mark => mark.getAttribute('aria-label'))"
    )
    return labels


def test_it_asks_for_nothing_but_itself_and_complains_of_nothing(reader):
    page = reader.open()
    for choice in ({"segment": "tiny"}, {"journey": "purchase"}, {"period": "2026-06"}, {"journey": "support"}):
        reader.select(page, **choice)
    page.close()
    assert {address.split("#")[0] for address in reader.requests} <= {reader.file.as_uri(), "data:,"}
    assert reader.complaints == []


def test_it_is_there_in_less_than_a_second(reader):
    assert min(reader.first_paints()) < 1000


def test_a_hostile_name_is_shown_as_it_is_and_does_nothing(page):
    assert page.title() == "Customer journey"
    assert page.locator("img").count() == 0
    assert HOSTILE in rows(page, "#map")


def test_the_whole_journey_is_shown_first(page):
    assert page.input_value("#journey") == "customer"
    assert page.input_value("#segment") == "all"
    assert page.input_value("#period") == "last_365_days"
    assert page.inner_text("#as-of") == "As of 29 June 2026"


def test_the_bars_of_the_steps_say_what_their_table_says(page):
    reached = column(page, "#flow", "Reached")
    drawn: dict[str, int] = {}
    for label in said(page, "#flow"):
        name, part, whole, outcome = re.fullmatch(r"(.+): ([\d,]+) of ([\d,]+) (.+)", label).groups()
        assert reached[name] == whole
        assert column(page, "#flow", outcome.capitalize())[name] == part
        drawn[name] = drawn.get(name, 0) + int(part.replace(",", ""))
    assert {name: f"{number:,}" for name, number in drawn.items()} == reached
    assert page.locator("#flow svg path[fill]").count() >= len(said(page, "#flow"))


def test_the_points_of_the_curves_say_what_their_tables_say(page):
    figures = page.eval_on_selector_all("#curves figure:not([hidden])", "all => all.length")
    scales = {point.scale for point in TOUCHPOINTS if point.scale}
    assert figures == len(scales)
    for at in range(1, figures + 1):
        figure = f"#curves figure:nth-of-type({at})"
        scale = page.inner_text(f"{figure} h3").removesuffix(", from 0 to 1")
        means = {name: mean for name, mean in column(page, figure, "Mean").items() if "(whole step)" not in name}
        points = [re.fullmatch(r"(.+): ([\d.]+) on (.+?), 95.*", label).groups() for label in said(page, figure)]
        assert {name: mean for name, mean, _ in points} == means
        assert {on for _, _, on in points} == {scale}
        asked = [point.title for point in TOUCHPOINTS if (point.scale or "").lower() == scale.lower()]
        assert sorted(means) == sorted(asked)


def test_every_touchpoint_is_on_the_map_with_the_number_of_its_table(page):
    numbers = column(page, "#map", "Customers")
    points = {label.rsplit(", score", 1)[0]: label for label in said(page, "#map")}
    assert len(points) == len(TOUCHPOINTS) == len(numbers)
    for label in points:
        name, number = re.fullmatch(r"(.+), [\w-]+: ([\d,]+) customers", label, re.DOTALL).groups()
        assert numbers[name] == number


def test_paths_and_channels_say_what_their_tables_say(page):
    cells = "rows => rows.map(row => [...row.cells].map(cell => cell.textContent))"
    paths = page.eval_on_selector_all("#paths tbody tr", cells)
    assert said(page, "#paths") == [f"{origin} → {target}: {times} times" for origin, target, times, *_ in paths[:10]]
    channels = page.eval_on_selector_all("#channels-table tbody tr", cells)
    assert sorted(said(page, "#channels")) == sorted(
        f"{measure}, {channel}: {value}"
        for measure, channel, value, *_ in channels
        if channel != "all" and value != "hidden"
    )


def test_what_to_do_names_touchpoint_score_customers_owner_and_exits(page):
    remedies = page.locator(".remedy li").all_inner_texts()
    marks = column(page, "#map", "Against the mean")
    assert sorted(name for name, mark in marks.items() if mark == "remedy") == sorted(
        page.locator(".remedy strong").all_inner_texts()
    )
    late = next(text for text in remedies if text.startswith("Order delivered late"))
    assert re.search(
        r"scores 0\.\d\d on CSAT 1-5, 0\.\d\d below the journey's mean of 0\.71 \(95.% interval .+ answers\); "
        r"[\d,]+ customers met it\. After a low score \d+.% of customers .+ otherwise 21.%\. For Logistics to remedy\.",
        late,
    )


def test_selecting_changes_text_chart_and_table_and_can_be_sent_to_somebody(reader):
    page = reader.open()
    seen = set()
    for choice in ({}, {"journey": "purchase"}, {"segment": "business"}, {"period": "2026-05"}):
        reader.select(page, **choice)
        seen.add((page.inner_text("#summary"), tuple(said(page, "#flow")), str(rows(page, "#flow"))))
        assert len(said(page, "#flow")) > 0
    assert len(seen) == 4
    other = reader.open(address=page.url[page.url.index("#") :])
    assert other.inner_text("#summary") == page.inner_text("#summary")
    assert other.inner_text("#summary").startswith("Purchase, business, May 2026:")
    page.close()
    other.close()


def test_a_month_stands_beside_the_one_before_and_one_that_is_not_over_by_its_scores_only(reader):
    page = reader.open(address="#journey=customer&segment=all&period=2026-05")
    assert "May 2026 against April 2026" in page.inner_text("#changes-lead")
    assert "Reached, April 2026" in page.locator("#flow thead").text_content()
    for label in said(page, "#changes"):
        name, now, earlier = re.fullmatch(r"(.+): ([\d,]+), before ([\d,]+)", label).groups()
        assert column(page, "#changes", "Customers")[f"{name} (whole step)"] == now
        assert earlier in rows(page, "#changes")[f"{name} (whole step)"]
    reader.select(page, period="2026-06")
    assert "June 2026 is not over" in page.inner_text("#changes-lead")
    assert said(page, "#changes") == []
    reader.select(page, period="2026-03")
    assert "no month before" in page.inner_text("#changes-lead")
    page.close()


def test_hidden_cells_are_said_to_be_hidden_and_small_ones_few(reader):
    page = reader.open(address="#journey=customer&segment=tiny&period=2026-05")
    numbers = column(page, "#map", "Customers")
    assert "hidden" in numbers.values()
    assert any(number.endswith("(few)") for number in numbers.values())
    assert "hidden for privacy" in page.inner_text("#hidden-note")
    hidden = {name for name, number in numbers.items() if number == "hidden"}
    assert all(set(rows(page, "#map")[name][4:]) <= {"hidden"} for name in hidden)
    page.close()


def test_it_can_be_used_without_a_mouse(reader):
    page = reader.open()
    focus = "document.activeElement.id || document.activeElement.className || document.activeElement.tagName"
    page.keyboard.press("Tab")
    assert page.evaluate(focus) == "skip"
    assert page.evaluate("document.querySelector('.skip').getBoundingClientRect().top >= 0")
    page.keyboard.press("Enter")
    assert page.evaluate(focus) == "main"
    page.evaluate("document.activeElement.blur(); window.getSelection().removeAllRanges()")
    page.focus(".skip")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "index.html"
    for name in ("journey", "segment", "period"):
        page.keyboard.press("Tab")
        assert page.evaluate(focus) == name
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    before = page.inner_text("#summary")
    page.keyboard.press("ArrowDown")
    Reader.wait(page)
    assert page.inner_text("#summary") != before
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.locator("#flow table").is_visible()
    assert page.evaluate("document.activeElement.getAttribute('role')") == "region"
    page.close()


def test_it_fits_every_screen(reader):
    page = reader.open(width=WIDTHS[0])
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(100)
        Reader.wait(page)
        for tables in ("closed", "open"):
            assert page.evaluate("document.documentElement.scrollWidth") == width, tables
            page.evaluate(
                f"document.querySelectorAll('details').forEach(each => each.open = {int(tables == 'closed')})"
            )
        edges = page.eval_on_selector_all(
            "figure:not([hidden]) svg",
            "all => all.map(each => each.getBoundingClientRect()).map(box => [box.left, box.right])",
        )
        assert len(edges) > 5
        assert all(0 <= left < right <= width for left, right in edges)
    page.close()


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (360, "dark")])
def test_it_has_no_barrier_axe_knows(reader, width, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    page = reader.open(width=width, scheme=scheme, address="#journey=support")
    page.evaluate("document.querySelectorAll('details').forEach(details => details.open = true)")
    found = axe.Axe().run(page).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"][:200]) for each in found] == []
    page.close()


def test_light_and_dark_follow_the_screen_while_the_page_is_open(reader):
    page = reader.open()
    colours = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        mark = page.locator(f"#flow {SPEAKING}").first
        colours.append(
            (
                page.evaluate("getComputedStyle(document.body).backgroundColor"),
                mark.evaluate("mark => getComputedStyle(mark).fill"),
            )
        )
    assert colours[0][0] != colours[1][0]
    assert colours[0][1] != colours[1][1]
    page.close()


def test_on_paper_every_table_is_open_and_colours_are_those_of_light(reader):
    page = reader.open(scheme="dark")
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not([open])").count() == 0
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.locator("details[open]").count() == 0
    page.close()


def test_a_turned_phone_draws_its_charts_for_its_width(reader):
    page = reader.open(width=360)
    assert page.locator(f"#map {SPEAKING}").count() == len(TOUCHPOINTS)
    narrow = page.locator("#map svg").bounding_box()
    page.set_viewport_size({"width": 1440, "height": 900})
    page.wait_for_function("document.querySelector('#map svg').getBoundingClientRect().width > 900")
    Reader.wait(page)
    assert page.locator(f"#map {SPEAKING}").count() == len(TOUCHPOINTS)
    assert narrow["width"] <= 360
    page.close()


def test_a_first_night_with_nothing_says_so(browser, tmp_path, templates):
    write_marts(tmp_path, is_empty=True)
    reader = Reader(browser, write_page(tmp_path, AS_OF, templates, "journey"))
    page = browser.new_page()
    page.on("console", lambda message: reader.complaints.append(message.text))
    page.goto(reader.file.as_uri())
    assert page.inner_text("#nothing").startswith("No journey has been observed up to 29 June 2026.")
    assert not page.locator("#bar").is_visible()
    assert not page.locator("#content").is_visible()
    assert reader.complaints == []
    page.close()
