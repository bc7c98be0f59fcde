"""What a value may be by what its column holds: bounds that every model can work with, and dates that mean "not known".

What lives here: the default bounds, how far a contract may move them, placeholder dates, and both as SQL over one
typed value. Not here: formats (quality/rows/casts.py), what becomes of a row outside (quality/rows/predicates.py).

An accepted value lies within its bounds, so whatever is built from accepted rows can rely on them: calendars are
short, sums and squares have room, no figure is infinite.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

# `event`: it has happened. `since`: it has happened, maybe in another age: a customer since 1962. `due`: it may lie
# ahead. `position`: a number that only orders, so any will do.
Holds = Literal["event", "since", "due", "money", "score", "count", "duration", "position"]
Kind = Literal["time", "number"]

# No contract reaches further: the calendar and everything counted day by day have to stay small.
FIRST_DAY, LAST_DAY = date(1900, 1, 2), date(2199, 12, 31)
# Clocks and zones run ahead, so what has happened may be dated this many days after the extract date. Where a past
# date is filled in later, it has happened by today.
EVENT_DAYS_AHEAD = 2
# The longest promise: a contract of fifty years.
_YEAR = 366
DUE_DAYS_AHEAD = 50 * _YEAR

# Dates that products and programmers write for "none": the first and last day of one calendar or another, the zero
# of Excel, SQL Server and Unix. Nothing a company counts happened on them.
PLACEHOLDERS = (
    date(1, 1, 1),
    date(1753, 1, 1),
    date(1899, 12, 30),
    date(1900, 1, 1),
    date(1970, 1, 1),
    date(2999, 12, 31),
    date(9999, 1, 1),
    date(9999, 12, 31),
)
# MySQL's zero date, which is no day at all.
ZERO_DATE = "0000-00-00"
# A day of some zone begins and ends up to 14 hours before or after that of UTC.
_ZONES = "interval 14 hour"

_NUMBERS: dict[Holds, tuple[float, float]] = {
    "money": (-1e15, 1e15),
    "score": (-1e6, 1e6),
    "count": (-1e12, 1e12),
    "duration": (0, 1e9),
}
_FIRST_DAYS: dict[Holds, date] = {"event": date(1990, 1, 1), "since": FIRST_DAY, "due": date(1990, 1, 1)}
_DEFAULTS: dict[str, Holds] = {
    "date": "event",
    "timestamp": "event",
    "epoch_s": "event",
    "epoch_ms": "event",
    "decimal": "money",
    "double": "money",
    "bigint": "count",
}
# What the columns of the warehouse can hold.
_WIDEST: dict[str, float] = {"decimal": 1e16 - 2, "double": 1e18, "bigint": 2.0**63}


@dataclass(frozen=True)
class Bounds:
    """Smallest and largest value, inclusive.

    Attributes:
        first: Smallest.
        last: Largest; None: it lies `days_ahead` after the extract date.
        days_ahead: How many days an extract may look ahead.
        until_now: Whatever has happened by now is within. A past extract date may be filled from a file or a system
            that tells how things went on.
    """

    first: float | date
    last: float | date | None
    days_ahead: int = 0
    until_now: bool = False

    def outside(self, value: str, extract_date: str) -> str:
        """SQL that is true where a typed value lies outside; NULL where there is none.

        Args:
            value: SQL of the value.
            extract_date: SQL of the extract date.
        """
        if isinstance(self.first, date):
            ahead = f"{extract_date} + {self.days_ahead}"
            ahead = f"greatest({ahead}, today())" if self.until_now else ahead
            # Of a last day that is named, all of it counts.
            late = f"> {ahead}" if self.last is None else f">= date '{self.last}' + 1"
            return f"({value} < date '{self.first}' or {value} {late})"
        return f"({value} < {self.first!r} or {value} > {self.last!r})"

    def __str__(self) -> str:
        """What a person reads."""
        if isinstance(self.first, date):
            ahead = f"{self.days_ahead} days" if self.days_ahead < _YEAR else f"{self.days_ahead // _YEAR} years"
            ahead += " after the extract date" + (", or today" if self.until_now else "")
            return f"between {self.first} and {self.last or ahead}"
        return f"between {self.first:,.15g} and {self.last:,.15g}"


def kind_of(column_type: str) -> Kind | None:
    """Whether values of a type are times, numbers, or have no bounds."""
    holds = _DEFAULTS.get(column_type)
    return None if holds is None else "time" if holds == "event" else "number"


def default_holds(column_type: str) -> Holds:
    """What a column of a type holds unless its contract says."""
    return _DEFAULTS[column_type]


def bounds(
    column_type: str, holds: Holds | None, smallest: float | date | None, largest: float | date | None
) -> Bounds:
    """Bounds of a column: those of what it holds, or the contract's own days, or made wider by its own numbers.

    Args:
        column_type: Type by contract.
        holds: What it holds; None: what its type says.
        smallest: Smallest value the contract names.
        largest: Largest value the contract names.
    """
    held = holds or default_holds(column_type)
    if kind_of(column_type) == "time":
        ahead = DUE_DAYS_AHEAD if held == "due" else EVENT_DAYS_AHEAD
        first = smallest if isinstance(smallest, date) else _FIRST_DAYS[held]
        last = largest if isinstance(largest, date) else None
        return Bounds(first, last, ahead, until_now=last is None and held != "due")
    low, high = _NUMBERS[held]
    low = min(low, smallest) if isinstance(smallest, float) else low
    high = max(high, largest) if isinstance(largest, float) else high
    return Bounds(max(low, -_WIDEST[column_type]), min(high, _WIDEST[column_type]))


def misfit(column_type: str, holds: Holds | None, limits: tuple[float | date | None, ...]) -> str | None:
    """Why a column cannot hold this, or not have these limits; None if it can."""
    kind = kind_of(column_type)
    if kind is None:
        named = holds is not None or any(limit is not None for limit in limits)
        return (
            "only numbers, dates and times have a smallest or largest value, or say what they hold" if named else None
        )
    times = holds in _FIRST_DAYS if holds else kind == "time"
    if times != (kind == "time"):
        return f"a {column_type} does not hold '{holds}'"
    given = [limit for limit in limits if limit is not None]
    if any(isinstance(limit, date) != (kind == "time") for limit in given):
        return "limits of a date or time are days (2020-01-31), those of a number are numbers"
    if any(not FIRST_DAY <= limit <= LAST_DAY for limit in given if isinstance(limit, date)):
        return f"limits of a date or time lie between {FIRST_DAY} and {LAST_DAY}"
    widest = _WIDEST.get(column_type, 0.0)
    if any(abs(limit) > widest for limit in given if isinstance(limit, float)):
        return f"limits of a {column_type} lie between {-widest:,.0f} and {widest:,.0f}"
    return None


def is_placeholder(column_type: str, value: str, day: str, text: str, more: tuple[date, ...] = ()) -> str:
    """SQL that is true where a date or time stands for "not known".

    A time counts in whatever zone it is midnight, or the last second, of such a day; a day alone, which is no time,
    stands for it as well.

    Args:
        column_type: Type by contract.
        value: SQL of the typed value.
        day: SQL of the text read as a day.
        text: SQL of the delivered text.
        more: Days that mean the same in this column.
    """
    days = [f"date '{each}'" for each in (*PLACEHOLDERS, *more)]
    alone = f"coalesce({day} in ({', '.join(days)}), starts_with(trim({text}), '{ZERO_DATE}'))"
    if column_type == "date":
        return alone
    moments = " or ".join(f"{value} between {each} - {_ZONES} and {each} + interval 1 day + {_ZONES}" for each in days)
    return f"coalesce({moments}, {alone})"
