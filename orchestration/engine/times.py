"""Days, instants and spans of time on Spark.

What lives here: time zones, spans, differences, parts. Not here: other expressions (expressions.py).

Instants are Spark's TIMESTAMP, in a session whose zone is UTC. So are local times, as if they were told in UTC: no
table holds one, it only stands between `timezone()` and the day that is taken from it.
"""

from __future__ import annotations

from sqlglot import exp

from orchestration.engine.errors import NotOnSparkError
from orchestration.engine.trees import Rule, Walk, call, number, paren, typed

_MONTHS = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}
_DAYS = {"DAY": 1, "WEEK": 7}
_MICROSECONDS = {"HOUR": 3_600_000_000, "MINUTE": 60_000_000, "SECOND": 1_000_000, "MICROSECOND": 1}
_SPANS = {"to_hours": "HOUR", "to_minutes": "MINUTE", "to_microseconds": "MICROSECOND"}
_LOCAL = {exp.DataType.Type.TIMESTAMP, exp.DataType.Type.TIMESTAMPNTZ}


def timezone(node: exp.Expr, walk: Walk) -> exp.Expr:
    """`timezone(zone, time)`: a local time's instant, or an instant's local time."""
    zone, moment = node.expressions
    name = "to_utc_timestamp" if is_local(moment) else "from_utc_timestamp"
    return call(name, walk(moment), walk(zone))


def is_local(moment: exp.Expr) -> bool:
    """Whether it is a local time: what is cast to TIMESTAMP, and a span added to that. All else is an instant."""
    moment = moment.unnest()
    if isinstance(moment, exp.Cast):
        return moment.to.this in _LOCAL
    return isinstance(moment, exp.Add | exp.Sub) and is_local(moment.this)


def epoch_us(node: exp.Expr, walk: Walk) -> exp.Expr:
    """Microseconds since 1970."""
    return call("unix_micros", walk(node.expressions[0]))


def sum_of(node: exp.Expr, walk: Walk) -> exp.Expr:
    """A sum or a difference, which may be of a time and a span."""
    span = _span(node.expression)
    if span is None:
        node.set("this", walk(node.this))
        node.set("expression", walk(node.expression))
        return node
    count, unit = span
    base, count = walk(node.this), walk(count)
    count = exp.Neg(this=paren(count)) if isinstance(node, exp.Sub) else count
    if unit in _MONTHS or unit in _DAYS:
        return _days_later(node, base, count, unit)
    span_us = exp.Mul(this=typed(paren(count), "BIGINT"), expression=number(_MICROSECONDS[unit]))
    return call("timestamp_micros", exp.Add(this=call("unix_micros", base), expression=span_us))


def _days_later(node: exp.Expr, base: exp.Expr, count: exp.Expr, unit: str) -> exp.Expr:
    """Days, weeks, months and years are added to days only: what comes out must be cast to one."""
    parent = node.parent
    while isinstance(parent, exp.Paren | exp.Add | exp.Sub):
        parent = parent.parent
    if not (isinstance(parent, exp.Cast) and parent.to.this == exp.DataType.Type.DATE):
        raise NotOnSparkError(f"an interval of {unit} is added to what is not cast to a date")
    times = _MONTHS.get(unit) or _DAYS[unit]
    whole = typed(exp.Mul(this=paren(count), expression=number(times)), "INT")
    return call("add_months" if unit in _MONTHS else "date_add", typed(base, "DATE"), whole)


def _span(value: exp.Expr) -> tuple[exp.Expr, str] | None:
    """How many of which unit; None of what is no span."""
    value = value.unnest()
    if isinstance(value, exp.Anonymous) and value.name.lower() in _SPANS:
        return value.expressions[0], _SPANS[value.name.lower()]
    if isinstance(value, exp.Mul) and isinstance(value.expression, exp.Interval):
        one = _span(value.expression)
        return (exp.Mul(this=paren(value.this), expression=one[0]), one[1]) if one else None
    if isinstance(value, exp.Interval) and isinstance(value.this, exp.Literal) and value.unit:
        unit = value.unit.name.upper().removesuffix("S")
        if unit in _MONTHS or unit in _DAYS or unit in _MICROSECONDS:
            return exp.Literal.number(value.this.this), unit
        raise NotOnSparkError(f"an interval of {unit}")
    return None


def difference(node: exp.Expr, walk: Walk) -> exp.Expr:
    """`date_diff`: how many borders of the unit lie between two times."""
    unit = node.args["unit"].name.upper()
    later, earlier = walk(node.this), walk(node.expression)
    if unit == "DAY":
        return typed(call("datediff", typed(later, "DATE"), typed(earlier, "DATE")), "BIGINT")
    if unit == "SECOND":
        return exp.Paren(this=exp.Sub(this=call("unix_seconds", later), expression=call("unix_seconds", earlier)))
    if unit == "MONTH":
        return exp.Paren(this=exp.Sub(this=_months(later), expression=_months(earlier)))
    raise NotOnSparkError(f"date_diff of {unit}")


def _months(day: exp.Expr) -> exp.Expr:
    """Months since the year 0."""
    years = exp.Mul(this=call("year", day), expression=number(12))
    return exp.Paren(this=exp.Add(this=years, expression=call("month", day.copy())))


def truncated(node: exp.Expr, walk: Walk) -> exp.Expr:
    """`date_trunc`: the beginning of a day's week, month or quarter."""
    unit = node.args["unit"].name.upper().split("(")[0]
    if unit not in ("WEEK", "MONTH", "QUARTER", "YEAR", "DAY"):
        raise NotOnSparkError(f"date_trunc of {unit}")
    return call("date_trunc", exp.Literal.string(unit), walk(node.this))


def day_of_parts(node: exp.Expr, walk: Walk) -> exp.Expr:
    """`make_date` of a year, a month and a day."""
    return call("make_date", *(typed(walk(node.args[part]), "INT") for part in ("year", "month", "day")))


def part(node: exp.Expr, walk: Walk) -> exp.Expr:
    """`extract(month from day)` and the like."""
    unit = node.this.name.upper()
    if unit not in ("YEAR", "QUARTER", "MONTH", "WEEK", "DAY"):
        raise NotOnSparkError(f"extract of {unit}")
    return typed(call({"WEEK": "weekofyear"}.get(unit, unit.lower()), walk(node.expression)), "BIGINT")


RULES: dict[type[exp.Expr], Rule] = {
    exp.Add: sum_of,
    exp.Sub: sum_of,
    exp.DateDiff: difference,
    exp.TimestampTrunc: truncated,
    exp.DateTrunc: truncated,
    exp.DateFromParts: day_of_parts,
    exp.Extract: part,
}
FUNCTIONS: dict[str, Rule] = {"timezone": timezone, "epoch_us": epoch_us}
