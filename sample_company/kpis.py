"""KPIs computed from the truth with pandas, for tests to compare the marts with.

What lives here: plain arithmetic over truth tables, each definition in its docstring. Not here: how the
truth is known (truth.py). Nothing here is shared with the pipeline, on purpose.

A day belongs to the reporting time zone, Europe/Berlin. A window of n days ends with the day the figures are
for.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pandas as pd

TIMEZONE = "Europe/Berlin"
WINDOWS = (1, 28, 90)
RETENTION_PERIOD_DAYS = 90
NPS_PROMOTER, NPS_DETRACTOR = 9, 6

Figures = dict[str, object]


def kpis(tickets: pd.DataFrame, orders: pd.DataFrame, answers: pd.DataFrame, through: date) -> Figures:
    """All figures for a day: by KPI, then by window (`"28"`: the 28 days up to it)."""
    answers = answers[answers["excluded_reason"].isna()].assign(day=_local_day(answers["answered_at"]))
    kept = tickets[tickets["excluded_reason"].isna()]
    nps = answers[answers["metric"] == "nps"]
    relational, transactional = (nps[nps["survey_kind"] == kind] for kind in ("relational", "transactional"))
    return {
        "timezone": TIMEZONE,
        "nps_relational": {"90": nps_of(latest_by_person(_within(relational, through, 90)))},
        "nps_transactional": _by_window(nps_of, transactional, through),
        "csat": _by_window(share_positive, answers[answers["metric"] == "csat"], through),
        "csat_by_survey": {
            survey: _by_window(share_positive, group, through)
            for survey, group in answers[answers["metric"] == "csat"].groupby("survey_id")
        },
        "ces": _by_window(share_positive, answers[answers["metric"] == "ces"], through),
        "first_reply_minutes_median": _by_window(median_minutes, first_replies(kept), through),
        "full_resolution_minutes_median": _by_window(median_minutes, full_resolutions(kept), through),
        "backlog": backlog(tickets, through),
        "logo_retention": {
            "active_within_365_days": retention(orders, through, active_days=365),
            "active_within_90_days": retention(orders, through, active_days=90),
        },
    }


def end_of_day(day: date) -> pd.Timestamp:
    """Midnight that ends a day of the reporting time zone, in UTC without an offset."""
    return pd.Timestamp(day + timedelta(days=1), tz=TIMEZONE).tz_convert("UTC").tz_localize(None)


def _local_day(times: pd.Series) -> pd.Series:
    return times.dt.tz_localize("UTC").dt.tz_convert(TIMEZONE).dt.date


def _within(rows: pd.DataFrame, through: date, days: int) -> pd.DataFrame:
    return rows[(rows["day"] <= through) & (rows["day"] > through - timedelta(days=days))]


def _by_window(figure: Callable[[pd.DataFrame], Figures], rows: pd.DataFrame, through: date) -> Figures:
    return {str(days): figure(_within(rows, through, days)) for days in WINDOWS}


def latest_by_person(answers: pd.DataFrame) -> pd.DataFrame:
    """One answer per customer for relationship NPS, the latest in the window; of nobody known, all."""
    known = answers[answers["person"].notna()].sort_values(["answered_at", "answer_id"]).groupby("person").tail(1)
    return pd.concat([known, answers[answers["person"].isna()]])


def nps_of(answers: pd.DataFrame) -> Figures:
    """Net promoter score: 100 (promoters - detractors) / answered; promoters 9-10, detractors 0-6 on 0-10."""
    promoters = int((answers["score"] >= NPS_PROMOTER).sum())
    detractors = int((answers["score"] <= NPS_DETRACTOR).sum())
    n = len(answers)
    value = 100 * (promoters - detractors) / n if n else None
    return {
        "promoters": promoters,
        "detractors": detractors,
        "numerator": promoters - detractors,
        "n": n,
        "value": value,
    }


def share_positive(answers: pd.DataFrame) -> Figures:
    """CSAT and CES: 100 positive / answered.

    Positive: 4-5 of a 1-5 question, good of good or bad, 5-7 of a 1-7 ease question; of a 1-7 effort
    question, where a low answer is good, 1-3. Offered ratings and unfinished responses are not answers.
    """
    positive, n = int((answers["is_positive"] == True).sum()), len(answers)  # noqa: E712 - the column may hold NULLs
    return {"numerator": positive, "n": n, "value": 100 * positive / n if n else None}


def first_replies(tickets: pd.DataFrame) -> pd.DataFrame:
    """Minutes from creation to the first public reply by a person, on the day of the reply.

    Tickets a customer began only; bots and triggers are no persons; a ticket without a reply is not in it.
    """
    answered = tickets[tickets["is_customer_initiated"] & tickets["first_reply_at"].notna()]
    return _durations(answered, "first_reply_at")


def full_resolutions(tickets: pd.DataFrame) -> pd.DataFrame:
    """Minutes from creation to the most recent solution, of tickets solved now, on the day of that solution.

    CRM cases are tickets too: closing solves them.
    """
    return _durations(
        tickets[tickets["status"].isin(["solved", "closed"]) & tickets["last_solved_at"].notna()],
        "last_solved_at",
    )


def _durations(tickets: pd.DataFrame, end: str) -> pd.DataFrame:
    minutes = (tickets[end] - tickets["created_at"]).dt.total_seconds() / 60
    return pd.DataFrame({"day": _local_day(tickets[end]), "minutes": minutes, "source": tickets["source"]})


def median_minutes(durations: pd.DataFrame) -> Figures:
    """Median of the waits that ended in the window."""
    n = len(durations)
    return {"n": n, "value": float(durations["minutes"].median()) if n else None}


def backlog(tickets: pd.DataFrame, through: date) -> Figures:
    """Tickets and cases neither solved nor removed at the midnight (in the time zone) that ends the day."""
    unsolved = tickets["status_at_day_end"].notna() & ~tickets["status_at_day_end"].isin(["solved", "closed"])
    there = tickets["removed_at"].isna() | (tickets["removed_at"] >= end_of_day(through))
    rows = tickets[unsolved & there]
    by_source = {str(source): int(n) for source, n in rows.groupby("source").size().items()}
    return {"value": len(rows), "by_source": by_source}


def retention(orders: pd.DataFrame, through: date, *, active_days: int) -> Figures:
    """Of the customers active 90 days ago, the share still active, in percent.

    Active on a day: a counted order in the `active_days` days up to it. Counted: a shop order neither
    cancelled nor deleted, or a won deal. Orders of nobody known cannot be followed. None where nobody was
    active.
    """
    counted = orders[orders["excluded_reason"].isna() & orders["person"].notna()]
    counted = counted.assign(day=_local_day(counted["ordered_at"]))
    before = set(_within(counted, through - timedelta(days=RETENTION_PERIOD_DAYS), active_days)["person"])
    kept = before & set(_within(counted, through, active_days)["person"])
    n = len(before)
    return {"numerator": len(kept), "n": n, "value": 100 * len(kept) / n if n else None}
