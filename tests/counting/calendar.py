"""The calendar of a company that counts in Berlin: days, months, years.

Not here: periods of KPIs (tests/kpi_recount.py).
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

BERLIN = ZoneInfo("Europe/Berlin")


def local_day(moment: datetime) -> date:
    """The day on which something happened."""
    return moment.astimezone(BERLIN).date()


def month_of(day: date) -> date:
    """The first of the month of a day."""
    return day.replace(day=1)


def plus_months(month: date, months: int) -> date:
    """The first of the month so many months later."""
    place = month.year * 12 + month.month - 1 + months
    return date(place // 12, place % 12 + 1, 1)


def last_day(month: date) -> date:
    """The last day of a month, given its first."""
    return plus_months(month, 1) - timedelta(days=1)


def years_after(day: date, years: int) -> date:
    """The same day so many years later; of 29 February the 28th."""
    return day.replace(year=day.year + years, day=28 if (day.month, day.day) == (2, 29) else day.day)
