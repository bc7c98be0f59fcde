"""Which way of writing numbers and dates is believed, and which rule is offered where none can be."""

from __future__ import annotations

import pytest

from quality.contract.reading import Reading
from quality.rows.formats import LocalDates, Shape, date_faults, number_faults

PLAIN = Reading()


def faults(*texts: str, reading: Reading = PLAIN) -> str:
    """What is said of amounts; empty if nothing is."""
    shapes = [Shape("amount", text.translate(str.maketrans("12345678", "99999999")), 1) for text in texts]
    return number_faults(shapes, reading).get("amount", "")


@pytest.mark.parametrize(
    "texts",
    [
        ["12", "1200"],
        ["12.50", "1.000"],  # one value tells: the point is for decimals
        ["0.125", "1.125"],  # nobody writes 125 so
        ["-3.5", "1000.000"],
        ["12.50", "12,50"],  # a fault of a row, which goes to quarantine
        [],
    ],
)
def test_numbers_that_have_one_meaning_pass(texts: list[str]) -> None:
    assert faults(*texts) == ""


@pytest.mark.parametrize(
    ("texts", "rule"),
    [
        (["12,50", "12,50", "3"], 'has 2 of 3 values with a decimal comma: declare `decimal: ","`'),
        (["1.234,50", "12,50"], 'has 2 of 2 values with thousands marked: declare `thousands: "."`'),
        (["1,250.00", "999.50"], 'has 1 of 2 values with thousands marked: declare `thousands: ","`'),
        (["1 250,00", "3,50"], 'declare `decimal: ","` and `thousands: " "`'),
        (["1'250.00"], 'declare `thousands: "\'"`'),
        (["1.000", "2.500"], 'decimals cannot be told from thousands: declare `decimal: "."` or `thousands: "."`'),
        (["1,250", "3"], 'declare `decimal: ","` or `thousands: ","`'),
    ],
)
def test_what_else_they_may_be_is_offered(texts: list[str], rule: str) -> None:
    assert rule in faults(*texts)


def test_a_rule_settles_what_could_not_be_told() -> None:
    assert faults("1.000", reading=Reading(decimal=".")) == ""
    assert faults("1.000", reading=Reading(thousands=".")) == ""
    assert faults("1,250", reading=Reading(decimal=",")) == ""
    assert 'declare `decimal: "."`' in faults("12.50", "3", reading=Reading(decimal=","))


def dates(count: int, values: int, day_first: int, month_first: int, reading: Reading = PLAIN) -> str:
    """What is said of dates; empty if nothing is."""
    told = LocalDates("at", count, values, {"day-first": day_first, "month-first": month_first})
    return date_faults([told], reading).get("at", "")


def test_dates_that_begin_with_the_day_or_the_month_are_never_guessed() -> None:
    assert "declare `dates: day-first` or `dates: month-first`" in dates(8, 8, 8, 8)
    assert dates(8, 8, 8, 5).endswith("declare `dates: day-first`")
    assert dates(8, 8, 5, 8, Reading(dates="day-first")).endswith("declare `dates: month-first`")
    assert dates(8, 8, 8, 8, Reading(dates="day-first")) == ""
    assert dates(1, 100, 1, 1) == "" == dates(0, 100, 0, 0)
