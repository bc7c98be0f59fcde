"""Every KPI counted a second time, in pandas, from the published facts and the definitions alone.

A measure is broken down by each dimension its records have a member of: by rule, or, where a version breaks it down by
something no rule here knows, in the column of that name of the fact it counts, else of its customer.

What lives here: the records behind each measure, the windows, the formulas of intervals, and the comparison of drawn
cells with what a version says of them. Not here: what is hidden and why, how facts are made, any SQL of the models.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from storage.data_folder import marts_file, warehouse_file
from tests.counting.calendar import years_after
from tests.counting.differences import Estimate, difference, of_amounts, of_places, of_rate, of_score, of_share
from tests.counting.equality import ROUNDING, same
from tests.counting.intervals import (
    interval_of_a_count,
    interval_of_a_quantile,
    interval_of_a_score,
    interval_of_a_share,
)

EPOCH = date(1970, 1, 1)
FLOW = ("day", "week", "month", "quarter", "rolling_7", "rolling_28", "rolling_90")
STOCK = ("day", "week", "month", "quarter")
PERIODS = {"flow": FLOW, "latest": FLOW, "stock": STOCK, "employee": ("quarter",)}

# Dimensions whose members follow a rule of their own.
RULED = ("segment", "country", "channel", "touchpoint", "team", "product", "journey")
RECORD = ("day", "until", "superseded", "customer_key", "respondent", "positives", "negatives", "total", "minutes")
# Means of these are of places on a scale, from 0 to 100.
SCORES = ("csat_mean", "ces_mean", "review")
WRITABLE = ("email", "phone", "chat", "sms", "social", "app")
FACTS = (
    "dim_customer",
    "dim_touchpoint",
    "fct_closed_loop_case",
    "fct_customer_month",
    "fct_feedback",
    "fct_journey",
    "fct_journey_event",
    "fct_order",
    "fct_sla",
    "fct_survey_answer",
    "fct_survey_invitation",
    "fct_ticket",
    "fct_ticket_transition",
)
# Days of what has no day, and of what has no end.
NEVER, FOREVER = -(10**6), 10**9


Days = np.ndarray[Any, np.dtype[np.int64]]
Draw = tuple[str, date, str, str]
"""A KPI, a day, a period and a dimension: a row for each member."""

FIGURES = ("numerator", "denominator", "n", "value", "ci_low", "ci_high")
CHANGES = ("previous_value", "difference", "difference_low", "difference_high")
SHOWN = (*FIGURES, *CHANGES, "window_start", "is_low_n", "is_suppressed")


@dataclass(frozen=True)
class Cell:
    """The figures of one cell, nothing hidden and nothing rounded.

    `people` are distinct customers, told of what stands on a day. `estimate` is what a difference is made of.
    """

    numerator: float | None
    denominator: float | None
    n: int
    people: int | None
    value: float | None
    ci_low: float | None = None
    ci_high: float | None = None
    estimate: Estimate | None = None


def day_number(day: date) -> int:
    """Days since 1970."""
    return (day - date(1970, 1, 1)).days


def day_of(number: int) -> date:
    """The day of a number of days since 1970."""
    return date(1970, 1, 1) + timedelta(days=int(number))


def first_of(period: str, day: date) -> date:
    """First day of the window that ends with a day."""
    if period.startswith("rolling_"):
        return day - timedelta(days=int(period.removeprefix("rolling_")) - 1)
    if period == "week":
        return day - timedelta(days=day.weekday())
    if period == "month":
        return day.replace(day=1)
    if period == "quarter":
        return date(day.year, day.month - (day.month - 1) % 3, 1)
    return day


def is_last_day(period: str, day: date) -> bool:
    """Whether a period ends with a day; windows that roll end with every day."""
    return first_of(period, day + timedelta(days=1)) != first_of(period, day)


def is_row_day(period: str, dimension: str, day: date, as_of: date) -> bool:
    """Whether a row may lie on a day: the last of its period, or the business date; breakdowns roll on Sundays only."""
    if period.startswith("rolling_") and dimension != "all" and not is_last_day("week", day):
        return day == as_of
    return day <= as_of and (day == as_of or is_last_day(period, day))


def day_before(period: str, day: date) -> date:
    """The day on which the row of one period earlier lies; of a running period too, the whole one before."""
    return first_of(period, day) - timedelta(days=1)


def last_of(period: str, day: date) -> date:
    """Last day of the calendar period a day lies in; the day itself where windows roll."""
    while not is_last_day(period, day):
        day += timedelta(days=1)
    return day


class Recount:
    """The definitions over one version's facts."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Read what the KPIs are made of, from the two files that `opened` opens."""
        self.as_of: date
        ((self.as_of, self.timezone, self.currency),) = connection.execute(
            "select as_of, reporting_timezone, currency from private.night.night"
        ).fetchall()
        self.facts = {name: connection.execute(f"select * from marts.main.{name}").df() for name in FACTS}
        kpis = connection.execute("select * from private.seeds.kpis").df()
        self.kpis: dict[str, dict[str, Any]] = {row["kpi"]: row for row in kpis.to_dict("records")}
        told = connection.execute("select dimension from private.seeds.kpi_dimensions order by rowid").fetchall()
        self._dimensions = tuple(dimension for (dimension,) in told)
        cells = connection.execute("select distinct measure, dimension from private.intermediate.int_kpi__cell")
        self._broken_down = frozenset(cells.fetchall())
        self._records: dict[str, pd.DataFrame] = {}

    def dimensions(self, kpi: str) -> tuple[str, ...]:
        """What a KPI is broken down by, the total first; employees by nothing."""
        about = self.kpis[kpi]
        if about["basis"] == "employee":
            return ("all",)
        counted = ("complaint", "active") if about["method"] == "per_hundred" else (about["measure"],)
        known = set.intersection(*(set(self.records(measure).columns) for measure in counted))
        without_rule = self._without_rule(about["measure"])
        return (
            "all",
            *(name for name in self._dimensions if name in known and (name in RULED or name in without_rule)),
        )

    def periods(self, kpi: str) -> tuple[str, ...]:
        """The periods a KPI has rows of."""
        return PERIODS[self.kpis[kpi]["basis"]]

    def counts_a_window(self, kpi: str) -> bool:
        """Whether a KPI is of what happened in a window, and not of what stands on its last day."""
        return bool(self.kpis[kpi]["basis"] != "stock")

    def first_day(self, kpi: str) -> date:
        """The first day on which a KPI counts anything; the business date where it counts nothing."""
        measure = self.kpis[kpi]["measure"]
        days = self.records("complaint" if measure == "contact" else measure)["day"]
        return min(self.as_of, day_of(days.min())) if len(days) else self.as_of

    def is_compared(self, kpi: str, day: date, period: str) -> bool:
        """Whether a window is over, unless it is a state, and the records reach back over the whole one before it."""
        measure, basis = self.kpis[kpi]["measure"], self.kpis[kpi]["basis"]
        known = ("complaint", "active") if measure == "contact" else (measure,)
        began = min((day_of(rows["day"].min()) for rows in map(self.records, known) if len(rows)), default=date.max)
        before = day_before(period, day)
        start = before if basis == "stock" else first_of(period, before)
        is_filled = start - timedelta(days=int(self.kpis[kpi]["lookback_days"])) >= began
        return is_filled and (basis == "stock" or is_last_day(period, day) or period.startswith("rolling_"))

    def cells(self, kpi: str, day: date, period: str, dimension: str) -> dict[str, Cell]:
        """Every member of a dimension with its figures; empty where no row may lie or nothing was measured."""
        about = self.kpis[kpi]
        if not is_row_day(period, dimension, day, self.as_of):
            return {}
        if about["basis"] == "employee" and not is_last_day(period, day):
            return {}
        if about["method"] == "per_hundred":
            return self._per_hundred(day, period, dimension)
        found = {
            str(member): self._cell(about, rows)
            for member, rows in self._in_window(about, day, period).groupby(dimension, observed=True, sort=False)
        }
        if kpi == "backlog" and dimension == "all" and not found and day_number(day) >= self._first_ticket_day:
            return {"all": Cell(0, None, 0, 0, 0)}
        return found

    def difference(
        self, kpi: str, now: Cell, before: Cell | None
    ) -> tuple[float | None, float | None, float | None, float | None]:
        """Value one period earlier, the difference and the ends of its interval."""
        if before is None or before.value is None or now.value is None:
            return (before.value if before else None), None, None, None
        about = self.kpis[kpi]
        change = now.value - before.value
        if about["basis"] == "stock" or about["method"] in ("count", "sum"):
            return before.value, change, None, None
        if about["method"] != "order_statistics":
            bound = {"adjusted_wald": 200, "wilson": 100, "mean": 100 if about["measure"] in SCORES else None}
            return before.value, change, *difference(now.estimate, before.estimate, change, bound.get(about["method"]))
        # How far each could lie from its own value, in the direction in question.
        down = _hypot(_minus(now.value, now.ci_low), _minus(before.ci_high, before.value))
        up = _hypot(_minus(now.ci_high, now.value), _minus(before.value, before.ci_low))
        return before.value, change, _minus(change, down), None if up is None else change + up

    def records(self, measure: str) -> pd.DataFrame:
        """What a measure counts: day (last day too, of stocks), respondent, figures and a member of each dimension."""
        if measure not in self._records:
            rows: pd.DataFrame = getattr(self, f"_{measure}", lambda: self._ticket_measure(measure))()
            known = rows["customer_key"] != -1
            rows["respondent"] = rows["customer_key"].where(known, -2 - np.arange(len(rows)))
            for flag in ("positives", "negatives"):
                rows[flag] = rows[flag].astype("int64") if flag in rows else 0
            for figure in ("total", "minutes"):
                rows[figure] = rows[figure].astype("float64") if figure in rows else math.nan
            rows["segment"] = self._segments(rows["customer_key"], rows["day"])
            rows["country"] = rows["customer_key"].map(self._countries).fillna("unknown")
            rows["all"] = "all"
            for dimension in self._without_rule(measure):
                rows[dimension] = self._said_by_fact(rows, dimension).fillna("unknown")
            members = [name for name in ("all", *RULED, *self._without_rule(measure)) if name in rows]
            rows = rows.astype(dict.fromkeys(members, "category"))
            columns = [name for name in (*RECORD, *members) if name in rows]
            dated = rows.loc[rows["day"] > NEVER, columns]
            self._records[measure] = dated.sort_values("day", kind="stable").reset_index(drop=True)
        return self._records[measure]

    def _in_window(self, about: Mapping[str, Any], day: date, period: str) -> pd.DataFrame:
        rows = self.records(about["measure"])
        last = day_number(day)
        if about["basis"] == "stock":
            standing = rows[(rows["day"] <= last) & (rows["until"] >= last)]
            return standing.assign(segment=self._segments(standing["customer_key"], [last] * len(standing)))
        first = day_number(first_of(period, day))
        low, high = np.searchsorted(rows["day"].to_numpy(), (first, last + 1))
        window = rows.iloc[low:high]
        return window[window["superseded"] > last] if about["basis"] == "latest" else window

    def _cell(self, about: Mapping[str, Any], rows: pd.DataFrame) -> Cell:
        n, people = len(rows), rows["respondent"].nunique() if about["basis"] == "stock" else None
        positives, negatives = float(rows["positives"].sum()), float(rows["negatives"].sum())
        method = about["method"]
        if method == "count":
            return Cell(n, None, n, people, n)
        if method == "sum":
            total = round(float(rows["total"].sum()), 2)
            return Cell(total, None, n, people, total)
        if method == "order_statistics":
            ordered = np.sort(rows["minutes"].to_numpy())
            value = float(np.quantile(ordered, about["quantile"]))
            return Cell(None, n, n, people, value, *interval_of_a_quantile(ordered, about["quantile"]))
        if method == "mean":
            return self._mean(about["measure"], rows["total"])
        if method == "adjusted_wald":
            net, ends = positives - negatives, interval_of_a_score(positives, negatives, n)
            return Cell(net, n, n, people, 100 * net / n, *ends, of_score(positives, negatives, n))
        part = n - positives if about["counted"] == "negatives" else positives
        return Cell(part, n, n, people, 100 * part / n, *interval_of_a_share(part, n), of_share(part, n))

    def _mean(self, measure: str, totals: pd.Series) -> Cell:
        n, total = len(totals), float(totals.sum())
        value = total / n
        estimate = of_places(totals, 100) if measure in SCORES else of_amounts(totals)
        if estimate is None:
            return Cell(total, n, n, None, value)
        low, high = estimate[0] - estimate[1], estimate[0] + estimate[1]
        if measure in SCORES:
            low, high = max(0.0, low), min(100.0, high)
        return Cell(total, n, n, None, value, low, high, estimate)

    def _per_hundred(self, day: date, period: str, dimension: str) -> dict[str, Cell]:
        tickets = self._in_window({"measure": "complaint", "basis": "flow"}, day, period)
        customers = self._in_window({"measure": "active", "basis": "stock"}, day, period)
        asked = tickets.groupby(dimension, observed=True, sort=False).size().to_dict()
        bought = customers.groupby(dimension, observed=True, sort=False).size().to_dict()
        found = {}
        for member in sorted(asked.keys() | bought.keys()):
            n, base = asked.get(member, 0), bought.get(member, 0)
            ends = [100 * end / base for end in interval_of_a_count(n)] if base else [None, None]
            found[str(member)] = Cell(n, base, n, base, 100 * n / base if base else None, *ends, of_rate(n, base))
        return found

    # -- who and where ------------------------------------------------------------------------------------------

    @cached_property
    def _countries(self) -> dict[int, str]:
        customers = self.facts["dim_customer"]
        known = customers[(customers["customer_key"] != -1) & customers["country"].notna()]
        return dict(zip(known["customer_key"], known["country"], strict=True))

    def _without_rule(self, measure: str) -> list[str]:
        """What the version breaks a measure down by that no rule here knows."""
        return [name for name in self._dimensions if name not in RULED and (measure, name) in self._broken_down]

    def _said_by_fact(self, rows: pd.DataFrame, dimension: str) -> pd.Series:
        """What the fact, else its customer, says in the column of a dimension."""
        if dimension in rows:
            return rows[dimension]
        customers = self.facts["dim_customer"].set_index("customer_key")
        if dimension in customers:
            return rows["customer_key"].map(customers[dimension])
        raise ValueError(f"Neither a fact nor dim_customer has a column '{dimension}': what are its members?")

    @cached_property
    def _touchpoints(self) -> dict[int, str]:
        known = self.facts["dim_touchpoint"]
        known = known[known["touchpoint_key"] != -1]
        return dict(zip(known["touchpoint_key"], known["touchpoint"], strict=True))

    @cached_property
    def _segment_of_month(self) -> tuple[dict[tuple[int, int], str], dict[int, int]]:
        """Segments by customer and month, and each customer's first month."""
        months = self.facts["fct_customer_month"]
        number = _month_of(pd.to_datetime(months["month_start"]))
        segments = months["segment"].fillna("unknown")
        found = dict(zip(zip(months["customer_key"], number, strict=True), segments, strict=True))
        return found, number.groupby(months["customer_key"]).min().to_dict()

    def _segments(self, customers: pd.Series, days: Iterable[int]) -> list[str]:
        """The segment of the month before a day; of who was not there yet, the first one, if of the same month."""
        known, first = self._segment_of_month
        month = _month_of(pd.Series(np.array(list(days), dtype="datetime64[D]")))
        return [
            known.get((customer, number - (first.get(customer) != number)), "unknown")
            for customer, number in zip(customers, month, strict=True)
        ]

    @cached_property
    def _journeys_of_records(self) -> dict[tuple[str, int], str]:
        """The journey of a record's own events, the smallest name where they are in several."""
        events = self.facts["fct_journey_event"]
        events = events[events["journey_key"] != -1]
        found: dict[tuple[str, int], str] = events.groupby(["object", "source_ref"])["journey"].min().to_dict()
        return found

    @cached_property
    def _teams(self) -> dict[int, str]:
        tickets = self.facts["fct_ticket"].dropna(subset=["team"])
        return dict(zip(tickets["ticket_key"], tickets["team"], strict=True))

    @cached_property
    def _products(self) -> dict[int, str]:
        orders = self.facts["fct_order"]
        return dict(zip(orders["order_key"], orders["product"].fillna("unknown"), strict=True))

    def _journey_of(self, source: str, keys: pd.Series) -> list[str]:
        return [self._journeys_of_records.get((source, key), "none") for key in keys]

    def _place(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Channel and touchpoint of records that have both."""
        channel = rows["channel"].fillna("unknown")
        return rows.assign(channel=channel, touchpoint=rows["touchpoint_key"].map(self._touchpoints).fillna("unknown"))

    def _local_days(self, moments: pd.Series) -> Days:
        return _numbers(moments.dt.tz_convert(self.timezone).dt.tz_localize(None))

    # -- surveys and feedback -----------------------------------------------------------------------------------

    def _answers(self, chosen: Callable[[pd.DataFrame], pd.Series]) -> pd.DataFrame:
        rows = self.facts["fct_survey_answer"]
        rows = self._place(rows[rows["is_counted"] & chosen(rows)])
        rows["day"] = _days(rows["answered_date_key"])
        rows["team"] = rows["ticket_key"].map(self._teams).fillna("none")
        rows["product"] = rows["order_key"].map(self._products).fillna("none")
        rows["journey"] = self._journey_of("survey_answer", rows["answer_key"])
        rows["total"] = (100 * rows["score_norm"]).round(6)
        return rows

    def _net(self, rows: pd.DataFrame) -> pd.DataFrame:
        positives, negatives = rows["answer_class"] == "promoter", rows["answer_class"] == "detractor"
        return rows.assign(positives=positives, negatives=negatives)

    def _nps_relational(self) -> pd.DataFrame:
        rows = self._net(
            self._answers(lambda rows: (rows["metric"] == "nps") & (rows["survey_kind"] == "relational"))
        ).sort_values(["answered_at", "answer_key"])
        rows["superseded"] = rows.groupby("customer_key")["day"].shift(-1, fill_value=FOREVER)
        rows["superseded"] = rows["superseded"].where(rows["customer_key"] != -1, FOREVER)
        return rows

    def _nps_transactional(self) -> pd.DataFrame:
        return self._net(self._answers(lambda rows: (rows["metric"] == "nps") & (rows["survey_kind"] != "relational")))

    def _csat(self) -> pd.DataFrame:
        rows = self._answers(lambda rows: rows["metric"] == "csat")
        return rows.assign(positives=rows["is_positive"].astype(bool))

    def _ces(self) -> pd.DataFrame:
        rows = self._answers(lambda rows: rows["metric"] == "ces")
        return rows.assign(positives=rows["is_positive"].astype(bool))

    def _csat_mean(self) -> pd.DataFrame:
        rows = self._csat()
        return rows[rows["score_norm"].notna()]

    def _ces_mean(self) -> pd.DataFrame:
        rows = self._ces()
        return rows[rows["score_norm"].notna()]

    def _enps(self) -> pd.DataFrame:
        return self._net(self._answers(lambda rows: rows["metric"] == "enps"))

    def _invitation(self) -> pd.DataFrame:
        rows = self.facts["fct_survey_invitation"]
        rows = rows[rows["is_counted"] & rows["is_delivered"] & ~rows["is_employee"].astype(bool)]
        return rows.assign(
            day=_days(rows["date_key"]), positives=rows["is_completed"], channel=rows["channel"].fillna("unknown")
        )

    def _review(self) -> pd.DataFrame:
        rows = self.facts["fct_feedback"]
        rows = rows[rows["is_counted"] & (rows["source_type"] == "review") & rows["score_norm"].notna()]
        return self._place(rows).assign(day=_days(rows["date_key"]), total=(100 * rows["score_norm"]).round(6))

    def _feedback_use(self) -> pd.DataFrame:
        rows = self.facts["fct_feedback"]
        rows = rows[rows["is_counted"] & (rows["source_type"] != "employee")]
        cases = self.facts["fct_closed_loop_case"]
        touched = cases[cases["responded_at"].notna() | cases["addressed_at"].notna()]
        by_case = pd.MultiIndex.from_frame(rows[["source_object", "source_ref"]]).isin(
            pd.MultiIndex.from_frame(touched[["source_object", "source_ref"]])
        )
        used = rows["responded_at"].notna() | rows["actioned_at"].notna() | by_case
        return self._place(rows).assign(day=_days(rows["date_key"]), positives=used)

    # -- tickets ------------------------------------------------------------------------------------------------

    @cached_property
    def _all_tickets(self) -> pd.DataFrame:
        rows = self._place(self.facts["fct_ticket"])
        rows["team"] = rows["team"].fillna("none")
        rows["journey"] = self._journey_of("ticket", rows["ticket_key"])
        return rows

    @cached_property
    def _tickets(self) -> pd.DataFrame:
        """Tickets that were not removed, and those that were purged when their time was over."""
        return self._all_tickets[self._all_tickets["removed_kind"].fillna("retention_purge") == "retention_purge"]

    def _ticket_measure(self, measure: str) -> pd.DataFrame:
        """Measures that are one column of a ticket, on the day of one of its instants."""
        rows = self._tickets
        minutes = {
            "first_reply_minutes": "first_reply_date_key",
            "first_reply_business_minutes": "first_reply_date_key",
            "first_human_minutes": "first_reply_date_key",
            "full_resolution_minutes": "last_solved_date_key",
            "requester_wait_minutes": "last_solved_date_key",
        }
        flags = {
            "fcr": "is_fcr",
            "one_touch": "is_one_touch",
            "reopened": "is_reopened",
            "transferred": "transfers",
            "escalated": "is_escalated",
            "first_tier": "is_first_tier_resolution",
        }
        if measure in minutes:
            by_us = measure.startswith("first_reply") & ~rows["is_customer_initiated"].fillna(False).astype(bool)
            open_now = (measure == "requester_wait_minutes") & ~rows["status"].isin(("solved", "closed"))
            rows = rows[rows[measure].notna() & (rows[minutes[measure]] > 0) & ~by_us & ~open_now]
            return rows.assign(day=_days(rows[minutes[measure]]), minutes=rows[measure])
        column = flags[measure]
        rows = rows[rows[column].notna() & (rows["first_solved_date_key"] > 0)]
        return rows.assign(day=_days(rows["first_solved_date_key"]), positives=rows[column].astype(float) > 0)

    def _machine_only(self) -> pd.DataFrame:
        rows = self._tickets
        asked = rows["is_customer_initiated"].fillna(False).astype(bool)
        rows = rows[asked & rows["handling_class"].notna() & (rows["first_solved_date_key"] > 0)]
        by_machines = rows["handling_class"] == "automated"
        return rows.assign(day=_days(rows["first_solved_date_key"]), positives=by_machines)

    def _unanswered(self) -> pd.DataFrame:
        rows = self._tickets
        asked = rows["is_customer_initiated"].fillna(False).astype(bool)
        rows = rows[asked & rows["never_answered"].notna()]
        late = rows["never_answered"].astype(bool) | (
            rows["first_reply_at"] > rows["created_at"] + pd.Timedelta(hours=168)
        )
        return rows.assign(day=_days(rows["created_date_key"]) + 7, positives=late)

    def _complaint(self) -> pd.DataFrame:
        rows = self._tickets[self._tickets["is_customer_initiated"].fillna(False).astype(bool)]
        complaints = rows["is_complaint"].fillna(False).astype(bool)
        return rows.assign(day=_days(rows["created_date_key"]), positives=complaints)

    def _sla(self) -> pd.DataFrame:
        targets = self.facts["fct_sla"]
        targets = targets[targets["is_counted"].astype(bool)][["ticket_key", "due_date_key", "outcome"]]
        rows = targets.merge(self._tickets, on="ticket_key")
        return rows.assign(day=_days(rows["due_date_key"]), positives=rows["outcome"] == "achieved")

    @cached_property
    def _first_ticket_day(self) -> int:
        return int(_days(self.facts["fct_ticket_transition"]["date_key"]).min(initial=FOREVER))

    def _backlog(self) -> pd.DataFrame:
        """A record for each run of midnights at which a ticket was unsolved."""
        changes = self.facts["fct_ticket_transition"].assign(day=lambda rows: _days(rows["date_key"]))
        by_day = changes.groupby(["ticket_key", "day"], as_index=False)["unsolved_change"].sum()
        by_day["unsolved"] = by_day.groupby("ticket_key")["unsolved_change"].cumsum() > 0
        before = by_day.groupby("ticket_key")["unsolved"].shift(1, fill_value=False)
        turns = by_day[by_day["unsolved"] != before]
        until = turns.groupby("ticket_key")["day"].shift(-1, fill_value=FOREVER) - 1
        spans = turns.assign(until=until)[turns["unsolved"]][["ticket_key", "day", "until"]]
        return spans.merge(self._all_tickets, on="ticket_key")

    # -- orders and customers -----------------------------------------------------------------------------------

    @cached_property
    def _orders(self) -> pd.DataFrame:
        rows = self.facts["fct_order"]
        rows = rows[rows["is_counted"]]
        return rows.assign(
            day=_days(rows["ordered_date_key"]),
            channel=rows["channel"].fillna("unknown"),
            product=rows["order_key"].map(self._products),
            journey=self._journey_of("order", rows["order_key"]),
        )

    def _delivery(self) -> pd.DataFrame:
        rows = self._orders[self._orders["is_late"].notna()]
        return rows.assign(day=self._local_days(rows["delivered_at"]), positives=~rows["is_late"].astype(bool))

    def _order_return(self) -> pd.DataFrame:
        rows = self._orders
        return rows.assign(positives=rows["returned_at"].notna() | (rows["status"] == "returned"))

    def _order_amount(self) -> pd.DataFrame:
        rows = self._orders
        rows = rows[(rows["currency"] == self.currency) & rows["net_amount"].notna()]
        return rows.assign(total=rows["net_amount"].astype(float))

    @cached_property
    def _purchase_days(self) -> dict[int, list[int]]:
        """Days of counted orders of each customer we know, in order, up to the business date."""
        rows = self._orders
        rows = rows[(rows["customer_key"] != -1) & (rows["day"] <= day_number(self.as_of))]
        found: dict[int, list[int]] = rows.sort_values("day").groupby("customer_key")["day"].agg(list).to_dict()
        return found

    def _states(self, state: Callable[[Sequence[int], int], int | None]) -> pd.DataFrame:
        """Runs of days on which a customer's state is the same; None is no record, 0 and 1 are positives."""
        last = day_number(self.as_of)
        found = []
        for customer, bought in self._purchase_days.items():
            # A state can only change when an order is placed or a year old, or 90 days later.
            ages = {turn + days for day in bought for turn in (day, _a_year_after(day)) for days in (0, 90)}
            turns = sorted(turn for turn in ages if turn <= last)
            runs: list[list[int | None]] = []
            for turn in turns:
                now = state(bought, turn)
                if not runs or runs[-1][1] != now:
                    runs.append([turn, now])
            for (first, now), (after, _) in zip(runs, [*runs[1:], [FOREVER, None]], strict=True):
                if now is not None:
                    found.append((customer, first, after - 1, now))  # type: ignore[operator]
        return pd.DataFrame(found, columns=["customer_key", "day", "until", "positives"]).astype("int64")

    def _active(self) -> pd.DataFrame:
        return self._states(lambda bought, day: 1 if _bought_within(bought, day) else None)

    def _retention(self) -> pd.DataFrame:
        return self._states(
            lambda bought, day: int(_bought_within(bought, day) > 0) if _bought_within(bought, day - 90) else None
        )

    def _repeat(self) -> pd.DataFrame:
        return self._states(
            lambda bought, day: int(_bought_within(bought, day) > 1) if _bought_within(bought, day) else None
        )

    def _acquired(self) -> pd.DataFrame:
        rows = self.facts["dim_customer"]
        known = rows["acquired_date"].notna() & rows["acquisition_source"].notna() & (rows["customer_key"] != -1)
        rows = rows[known & (rows["status"] != "deleted")]
        referred = rows["acquisition_source"].str.lower().str.contains("referral|recommend|word of mouth")
        return rows.assign(day=_numbers(pd.to_datetime(rows["acquired_date"])), positives=referred)

    # -- journeys and cases -------------------------------------------------------------------------------------

    def _journeys(self, rows: pd.DataFrame) -> pd.DataFrame:
        return rows.assign(
            day=self._local_days(rows["window_ends_at"]), channel=rows["first_channel"].fillna("unknown")
        )

    def _journey_done(self) -> pd.DataFrame:
        rows = self.facts["fct_journey"]
        rows = rows[rows["is_matured"]]
        return self._journeys(rows.assign(positives=rows["is_completed"]))

    def _journey_switch(self) -> pd.DataFrame:
        rows = self.facts["fct_journey"]
        rows = rows[rows["is_matured"] & (rows["n_contacts"] >= 2)]
        return self._journeys(rows.assign(positives=rows["n_switches"] > 0))

    def _preferred_channel(self) -> pd.DataFrame:
        customers = self.facts["dim_customer"]
        preferred = customers[customers["preferred_channel"].isin(WRITABLE) & (customers["customer_key"] != -1)]
        rows = self.facts["fct_journey_event"]
        rows = rows[(rows["object"] == "activity") & (rows["direction"] == "outbound")]
        rows = rows.merge(preferred[["customer_key", "preferred_channel"]], on="customer_key")
        journey = rows["journey"].where(rows["journey_key"] != -1, "none")
        rows = rows.assign(positives=rows["channel"] == rows["preferred_channel"], journey=journey)
        return self._place(rows).assign(day=_days(rows["date_key"]))

    @cached_property
    def _cases(self) -> pd.DataFrame:
        rows = self._place(self.facts["fct_closed_loop_case"])
        return rows.assign(team=rows["ticket_key"].map(self._teams).fillna("none"))

    def _loop_due(self) -> pd.DataFrame:
        rows = self._cases[self._cases["is_responded_in_time"].notna()]
        return rows.assign(day=_days(rows["due_date_key"]), positives=rows["is_responded_in_time"].astype(bool))

    def _loop_minutes(self) -> pd.DataFrame:
        rows = self._cases[self._cases["responded_at"].notna()]
        waited = (rows["responded_at"] - rows["opened_at"]).dt.total_seconds() / 60
        return rows.assign(day=_days(rows["responded_date_key"]), minutes=waited)

    def _recovery(self) -> pd.DataFrame:
        rows = self._cases[self._cases["is_recovery_matured"].fillna(False).astype(bool)]
        return rows.assign(day=_days(rows["opened_date_key"]) + 60, positives=rows["is_recovered"].astype(bool))


def _month_of(days: pd.Series) -> pd.Series:
    return days.dt.year * 12 + days.dt.month


def _numbers(days: pd.Series) -> Days:
    """Days since 1970 of instants without a zone."""
    numbers: Days = days.to_numpy().astype("datetime64[D]").astype("int64")
    return numbers


def _days(keys: pd.Series) -> Days:
    """Days since 1970 of date keys as 20260131; those of no date lie before all others."""
    days = _numbers(pd.to_datetime(keys.where(keys > 0, 19700101).astype(str), format="%Y%m%d"))
    return np.where(keys > 0, days, NEVER)


def _bought_within(bought: Sequence[int], day: int) -> int:
    """Orders up to and with a day whose day of the year has not come round again."""
    return sum(order <= day < _a_year_after(order) for order in bought)


@cache
def _a_year_after(number: int) -> int:
    """The same day of the next year; of 29 February the 28th."""
    return (years_after(EPOCH + timedelta(days=number), 1) - EPOCH).days


def _minus(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one - other


def _hypot(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else math.hypot(one, other)


@contextmanager
def opened(build: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Both files of a build or version, as `marts` and `private`."""
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        for name, file in (("marts", marts_file(build)), ("private", warehouse_file(build))):
            quoted = str(file).replace("'", "''")
            connection.execute(f"attach '{quoted}' as {name} (read_only)")
        yield connection


def draw(recount: Recount, chance: random.Random) -> list[Draw]:
    """A day for every KPI, period and dimension: one of all days, or one on which something begins or ends."""
    found = []
    for kpi in recount.kpis:
        first = recount.first_day(kpi)
        month_end = recount.as_of.replace(day=1) - timedelta(days=1)
        edges = (first - timedelta(days=1), first, recount.as_of, month_end, first_of("week", recount.as_of))
        days = (recount.as_of - first).days + 1
        for period in recount.periods(kpi):
            for dimension in recount.dimensions(kpi):
                anywhere = first + timedelta(days=chance.randrange(days))
                day = chance.choice((*edges, *[anywhere] * len(edges)))
                if chance.random() < 0.8:
                    day = min(last_of(period, day), recount.as_of)
                found.append((kpi, day, period, dimension))
    return found


def disagreements(connection: duckdb.DuckDBPyConnection, recount: Recount, draws: Sequence[Draw]) -> list[str]:
    """What a version says of drawn cells otherwise than the recount: members, figures, and changes of what is shown."""
    before = [(kpi, day_before(period, day), period, dimension) for kpi, day, period, dimension in draws]
    cells = _said(connection, "private.intermediate.int_kpi__cell", (*FIGURES, "people"), draws)
    shown = _said(connection, "marts.main.mart_kpi_daily", SHOWN, draws)
    hidden = _said(connection, "marts.main.mart_kpi_daily", ("is_suppressed",), before)
    found = []
    for (kpi, day, period, dimension), earlier in zip(draws, before, strict=True):
        now, then = recount.cells(kpi, day, period, dimension), recount.cells(*earlier)
        for place, said in (("cell", cells), ("mart", shown)):
            rows = said.get((kpi, day, period, dimension), {})
            # What may not be shown of a breakdown may have no row: whether it may is asked elsewhere.
            wrong = rows.keys() - now.keys() if place == "mart" and dimension != "all" else now.keys() ^ rows.keys()
            found += [
                f"{kpi} {day} {period} {dimension}={member}: {'missing in' if member in now else 'only in'} the {place}"
                for member in wrong
            ]
            for member in now.keys() & rows.keys():
                expected = {name: getattr(now[member], name) for name in (*FIGURES, "people")}
                if place == "mart":
                    if rows[member]["is_suppressed"]:
                        continue
                    is_hidden = hidden.get(earlier, {}).get(member, {"is_suppressed": True})["is_suppressed"]
                    is_known = not is_hidden and recount.is_compared(kpi, day, period)
                    change = recount.difference(kpi, now[member], then.get(member) if is_known else None)
                    expected = {**expected, **dict(zip(CHANGES, change, strict=True))}
                    expected["window_start"] = first_of(period, day) if recount.counts_a_window(kpi) else day
                    expected["is_low_n"] = now[member].n < recount.kpis[kpi]["min_n"]
                    del expected["people"]
                found += [
                    f"{kpi} {day} {period} {dimension}={member} {place}.{name}: {rows[member][name]}, counted {value}"
                    for name, value in expected.items()
                    if not same(rows[member][name], value, _tolerance(expected, name))
                ]
    return found


def _said(
    connection: duckdb.DuckDBPyConnection, table: str, columns: Sequence[str], draws: Sequence[Draw]
) -> dict[Draw, dict[str, dict[str, Any]]]:
    """Rows of a table by draw and member."""
    drawn = pd.DataFrame(sorted(set(draws)), columns=["kpi", "date_day", "period", "dimension"])  # noqa: F841
    rows = connection.execute(
        f"select kpi, date_day, period, dimension, member, {', '.join(columns)} from {table} "
        "inner join (select kpi, date_day::date as date_day, period, dimension from drawn) "
        "using (kpi, date_day, period, dimension)"
    ).fetchall()
    found: dict[Draw, dict[str, dict[str, Any]]] = {}
    for kpi, day, period, dimension, member, *values in rows:
        members = found.setdefault((kpi, day, period, dimension), {})
        members[member] = dict(zip(columns, values, strict=True))
    return found


def _tolerance(expected: Mapping[str, Any], name: str) -> float:
    """What rounding allows: of the ends of an interval, a millionth of its width, as exact as its quantile of t."""
    ends = {"ci": ("ci_low", "ci_high"), "difference": ("difference_low", "difference_high")}.get(
        name.split("_", maxsplit=1)[0], ()
    )
    known = [expected[end] for end in ends if expected.get(end) is not None]
    width = max(known) - min(known) if known and name in ends else 0.0
    return (3e-4 if name in CHANGES else ROUNDING) + 1e-6 * width
