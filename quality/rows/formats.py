"""Whether an extract is written as its reading rules say, from the shapes of its numbers and dates; pure.

What lives here: which rule is missing or wrong, and the words that offer the right one. Not here: collecting the
shapes (split.py), typing (casts.py).

A number that is read wrongly is worse than one that is not read: `1.000` is one, or a thousand. So a way of writing
is believed only where it alone reads what was delivered. The numbers of one extract are written in one way, so a
value that can only be read in one settles it for the others. Where none is declared and another way reads all that
the decimal point reads and more, or reads it as other numbers, nobody is asked to guess: the extract is refused with
the rule to declare. A single value in another spelling than all others is not a format but a fault of its row.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from quality.contract.reading import DateOrder, Reading
from quality.rows.casts import GROUPING, number_shape

# A blank or an apostrophe groups whatever the decimals; the mark that is no decimal may.
_WAYS = tuple(
    Reading(decimal=point, thousands=group) for group in (".", ",", " ", "'") for point in ",." if point != group
)


@dataclass(frozen=True)
class Shape:
    """Numbers of one column that look alike: every digit but 0 is a 9. Holds nothing of a value but its length."""

    column: str
    text: str
    count: int


@dataclass(frozen=True)
class LocalDates:
    """Values of one date or time column that end with their year.

    Attributes:
        column: Which column.
        count: How many.
        values: How many values the column has.
        by_order: How many of them are dates with the day first, and with the month first.
    """

    column: str
    count: int
    values: int
    by_order: Mapping[DateOrder, int]


@dataclass(frozen=True)
class Misread:
    """A column that is read better in another way than the declared one.

    Attributes:
        column: Which column.
        what: What is seen of it, in words.
        rules: What to declare; of several, nobody can tell which is meant.
    """

    column: str
    what: str
    rules: tuple[Reading, ...]

    @property
    def words(self) -> str:
        """What is seen, and what to declare."""
        return f"{self.what}: declare {' or '.join(map(_as_declared, self.rules))}"


def number_faults(shapes: Sequence[Shape], reading: Reading) -> dict[str, str]:
    """What is wrong with the numbers of an extract, in words by column."""
    return {each.column: each.words for each in misread_numbers(shapes, reading)}


def misread_numbers(shapes: Sequence[Shape], reading: Reading) -> list[Misread]:
    """Columns of numbers that are read better in another way."""
    ways = [way for way in _WAYS if not _contradicts(way, shapes, reading)]
    found = []
    for column in dict.fromkeys(shape.column for shape in shapes):
        own = [shape for shape in shapes if shape.column == column]
        better = {way: sum(shape.count for shape in own if _reads_better(way, shape, reading)) for way in ways}
        most = max(better.values(), default=0)
        if most:
            best = [way for way, count in better.items() if count == most]
            found.append(Misread(column, *_number_rules(own, best, reading)))
    return found


def date_faults(dates: Iterable[LocalDates], reading: Reading) -> dict[str, str]:
    """What is wrong with the dates of an extract, in words by column."""
    return {each.column: each.words for each in misread_dates(dates, reading)}


def misread_dates(dates: Iterable[LocalDates], reading: Reading) -> list[Misread]:
    """Columns of dates or times that are read better in another way."""
    found = []
    for each in dates:
        most = max(each.by_order.values())
        declared = each.by_order[reading.dates] if reading.dates else 0
        # Up to half are no format, but faults of their rows.
        if most in (0, declared) or (reading.dates is None and each.count * 2 <= each.values):
            continue
        orders = [order for order, count in each.by_order.items() if count == most]
        what = f"has {each.count:,} of {each.values:,} values with the day or the month in front"
        found.append(Misread(each.column, what, tuple(Reading(dates=order) for order in orders)))
    return found


def encoding_faults(records: int) -> dict[str, str]:
    """What to declare where records are not in their file's encoding, and no other shows that it is the file's."""
    words = f"is not that of {records:,} records: declare the one they are in, such as `encoding: cp1252`,"
    return {"encoding": words} if records else {}


def _contradicts(way: Reading, shapes: Sequence[Shape], reading: Reading) -> bool:
    """Whether something is read as declared that this way does not read."""
    return any(_value(shape.text, reading) is not None and _value(shape.text, way) is None for shape in shapes)


def _reads_better(way: Reading, shape: Shape, reading: Reading) -> bool:
    """Whether a way reads a number that is not read as declared, or, with nothing declared, reads it as another."""
    here, there = _value(shape.text, reading), _value(shape.text, way)
    is_declared = reading.decimal is not None or reading.thousands is not None
    return there is not None and (here is None or (here != there and not is_declared))


def _value(shape: str, reading: Reading) -> Decimal | None:
    if not re.fullmatch(number_shape(reading), shape):
        return None
    digits = re.sub(GROUPING[reading.thousands], "", shape) if reading.thousands else shape
    return Decimal(digits.replace(reading.point, "."))


def _number_rules(own: Sequence[Shape], best: Sequence[Reading], reading: Reading) -> tuple[str, tuple[Reading, ...]]:
    """What of a column is read better in some ways of writing, and what to declare."""
    odd = [shape for shape in own if _reads_better(best[0], shape, reading)]
    rules = {tuple(_value(shape.text, way) for shape in odd): _fewest_rules(way, odd) for way in reversed(best)}
    what = f"has {sum(shape.count for shape in odd):,} of {sum(shape.count for shape in own):,} values"
    here = tuple(_value(shape.text, reading) for shape in odd)
    if None not in here:
        rules = {here: Reading(decimal=reading.point), **rules}
    if len(rules) > 1:
        why = "with three digits behind the mark, so decimals cannot be told from thousands"
        return f"{what} {why}", tuple(rules.values())
    (rule,) = rules.values()
    mark = "thousands marked" if rule.thousands else f"a decimal {'comma' if rule.decimal == ',' else 'point'}"
    return f"{what} with {mark}", (rule,)


def _fewest_rules(way: Reading, shapes: Sequence[Shape]) -> Reading:
    """As few rules as read some numbers as this way does."""
    fewer = (Reading(decimal=way.decimal), Reading(thousands=way.thousands))
    reads_alike = (each for each in fewer if all(_value(s.text, each) == _value(s.text, way) for s in shapes))
    return next(reads_alike, way)


def _as_declared(rule: Reading) -> str:
    return " and ".join(f"`{line}`" for line in declared_lines(rule))


def declared_lines(rule: Reading) -> list[str]:
    """Reading rules as lines of company.yml."""
    said = {"decimal": rule.decimal, "thousands": rule.thousands}
    lines = [f'{name}: "{mark}"' for name, mark in said.items() if mark]
    return [*lines, *([f"dates: {rule.dates}"] if rule.dates else [])]
