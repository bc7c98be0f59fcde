"""What the journey map's page shows, read from the marts of a build: counts, rates and scores, no person.

What lives here: which rows and columns, and in what shape they travel. Not here: what they mean (dbt_project), words
and arithmetic of the page (journey.js).

Rows are lists in the order of the `*_COLUMNS`. Of a hidden cell only its flags travel, and on the map its feelings,
that the marts hide by themselves: whatever else the marts hold of it, the page cannot give it away.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypedDict

import duckdb

from assets.report.marts import opened_marts

# Months on the page, the newest first: a year, and the same month of the year before.
MONTHS = 13
YEAR = "last_365_days"
ALL = "all"

_FLAGS = ("is_suppressed", "is_low_n")
MAP_COLUMNS = (
    "step",
    "touchpoint",
    *_FLAGS,
    "entered",
    "customers",
    "progressed",
    "dropped",
    "still_open",
    "progress_rate",
    "minutes_to_next_p50",
    "minutes_to_next_p90",
    "score_scale",
    "scores",
    "score_mean",
    "score_ci_low",
    "score_ci_high",
    "score_p10",
    "score_p50",
    "score_p90",
    "share_below_floor",
    "journey_score_mean",
    "score_gap",
    "is_peak",
    "is_trough",
    "low_scores",
    "exit_rate_after_low",
    "exit_rate_otherwise",
    "opportunity_size",
)
_FEELINGS = MAP_COLUMNS[MAP_COLUMNS.index("score_scale") :]
PATH_COLUMNS = (
    "from_touchpoint",
    "to_touchpoint",
    "is_suppressed",
    "transitions",
    "customers",
    "share_of_from",
    "minutes_p50",
    "minutes_p90",
)
CHANNEL_COLUMNS = (
    "kpi",
    "channel",
    *_FLAGS,
    "n",
    "customers",
    "value",
    "ci_low",
    "ci_high",
    "all_value",
    "difference",
    "is_different",
    "p10",
    "p50",
    "p90",
    "share_below_floor",
)

Row = list[Any]


class Touchpoint(TypedDict):
    """One touchpoint as the inventory knows it."""

    name: str
    channel: str
    channel_class: str
    owner: str


class Step(TypedDict):
    """One step of a journey; `target_minutes` counts from the start of the journey."""

    step: str
    name: str
    stage: str
    is_required: bool
    target_minutes: float | None


class Journey(TypedDict):
    """One journey type, or the whole journey of a customer (`customer`), with its steps in order."""

    journey: str
    name: str
    unit: str
    window_days: int | None
    steps: list[Step]


class Period(TypedDict):
    """One period to choose, and the two months (`now`, `before`) its comparison is of."""

    id: str
    name: str
    is_complete: bool
    compare: list[str] | None


class JourneyData(TypedDict):
    """All the page knows. The keys of `map` are journey, segment, period; of `paths` journey, period."""

    as_of: str
    columns: dict[str, Sequence[str]]
    journeys: list[Journey]
    segments: list[str]
    periods: list[Period]
    touchpoints: dict[str, Touchpoint]
    map: dict[str, dict[str, dict[str, list[Row]]]]
    paths: dict[str, dict[str, list[Row]]]
    channels: dict[str, list[Row]]


def read_journey_data(build: Path, as_of: date) -> JourneyData:
    """Read what the page shows from the marts of a build or version.

    Args:
        build: The build; nobody writes its files any more.
        as_of: Business date of the night.

    Raises:
        JourneymartError: The marts cannot be read, or lack what the page shows.
    """
    with opened_marts(build, "the journey page") as connection:
        return _read(connection, as_of)


def _read(connection: duckdb.DuckDBPyConnection, as_of: date) -> JourneyData:
    read = partial(_rows, connection, since=_first_month(as_of))
    cells = read("mart_journey_map", ("journey", "segment"), MAP_COLUMNS, order="step_order, entered DESC")
    paths = read("mart_journey_path", ("journey",), PATH_COLUMNS, order="path_rank")
    channels = read("mart_channel_consistency", (), CHANNEL_COLUMNS, order="kpi, channel")
    by_journey: dict[str, dict[str, dict[str, list[Row]]]] = {}
    for journey, segment, period, *row in cells:
        periods = by_journey.setdefault(journey, {}).setdefault(segment, {})
        periods.setdefault(period, []).append(_shown(row, MAP_COLUMNS, _FEELINGS))
    paths_of: dict[str, dict[str, list[Row]]] = {}
    for journey, period, *row in paths:
        paths_of.setdefault(journey, {}).setdefault(period, []).append(_shown(row, PATH_COLUMNS))
    channels_of: dict[str, list[Row]] = {}
    for period, *row in channels:
        channels_of.setdefault(period, []).append(_shown(row, CHANNEL_COLUMNS))
    segments = {segment for segments in by_journey.values() for segment in segments}
    months = {period for segments in by_journey.values() for periods in segments.values() for period in periods}
    return JourneyData(
        as_of=as_of.isoformat(),
        columns={"map": MAP_COLUMNS, "paths": PATH_COLUMNS, "channels": CHANNEL_COLUMNS},
        journeys=[journey for journey in _journeys(connection) if journey["journey"] in by_journey],
        segments=sorted(segments, key=lambda segment: (segment != ALL, segment)),
        periods=_periods(months, as_of),
        touchpoints=_touchpoints(connection),
        map=by_journey,
        paths=paths_of,
        channels=channels_of,
    )


def _rows(
    connection: duckdb.DuckDBPyConnection,
    mart: str,
    keys: Sequence[str],
    columns: Sequence[str],
    *,
    since: date,
    order: str,
) -> list[tuple[Any, ...]]:
    """Rows of a mart: its keys, the period as one word, its columns."""
    period = f"CASE WHEN period = 'month' THEN strftime(period_start, '%Y-%m') ELSE '{YEAR}' END"
    return connection.execute(
        f"SELECT {', '.join([*keys, period, *columns])} FROM {mart} "
        f"WHERE (period = 'month' AND period_start >= ?) OR period = '{YEAR}' "
        f"ORDER BY {', '.join([*keys, order, *columns[:2]])}",
        [since],
    ).fetchall()


def _shown(row: Sequence[Any], columns: Sequence[str], told_apart: Sequence[str] = ()) -> Row:
    """What the page may know of a row, no empty values at its end.

    Of a hidden row it is nothing but that it is there, and what is `told_apart`: the marts hide that by its own people.
    """
    hidden = columns.index("is_suppressed")
    values = [
        value if not row[hidden] or place <= hidden or column in told_apart else None
        for place, (column, value) in enumerate(zip(columns, row, strict=True))
    ]
    while values and values[-1] is None:
        values.pop()
    return values


def _journeys(connection: duckdb.DuckDBPyConnection) -> Iterable[Journey]:
    rows = connection.execute(
        """
        SELECT journey, journey_name, unit, window_days, step, step_name, stage, is_required, target_minutes
        FROM dim_journey_step ORDER BY journey <> 'customer', journey_name, journey, step_order
        """
    ).fetchall()
    found: dict[str, Journey] = {}
    for journey, name, unit, window_days, step, step_name, stage, is_required, target in rows:
        known = found.setdefault(
            journey, Journey(journey=journey, name=name, unit=unit, window_days=window_days, steps=[])
        )
        known["steps"].append(
            Step(step=step, name=step_name, stage=stage, is_required=is_required, target_minutes=target)
        )
    return found.values()


def _touchpoints(connection: duckdb.DuckDBPyConnection) -> dict[str, Touchpoint]:
    rows = connection.execute(
        "SELECT touchpoint, touchpoint_name, channel, channel_class, owner_department FROM dim_touchpoint"
    ).fetchall()
    return {
        touchpoint: Touchpoint(name=name, channel=channel, channel_class=channel_class, owner=owner)
        for touchpoint, name, channel, channel_class, owner in sorted(rows)
    }


def _periods(found: Iterable[str], as_of: date) -> list[Period]:
    """The periods to choose, the year first, then months from the newest on.

    A month is compared with the one before. The year is compared by the newest month that is over, so that a month of
    a few days is not taken for a decline; while none is over, by the newest.
    """
    months = sorted((period for period in found if period != YEAR), reverse=True)
    pairs = {
        month: [month, before] for month in months if (before := _month(_first(month) - timedelta(days=1))) in months
    }
    over = [month for month in months if _is_over(month, as_of)]
    newest = next((month for month in [*over, *months] if month in pairs), None)
    year = Period(
        id=YEAR,
        name="Last 365 days",
        is_complete=True,
        compare=pairs[newest] if newest else None,
    )
    return [
        *([year] if YEAR in found else []),
        *(
            Period(
                id=month,
                name=f"{_first(month):%B %Y}" + ("" if month in over else f" (to {as_of.day} {as_of:%B})"),
                is_complete=month in over,
                compare=pairs.get(month),
            )
            for month in months
        ),
    ]


def _first_month(as_of: date) -> date:
    months = as_of.year * 12 + as_of.month - 1 - (MONTHS - 1)
    return date(months // 12, months % 12 + 1, 1)


def _first(month: str) -> date:
    return date.fromisoformat(f"{month}-01")


def _month(day: date) -> str:
    return f"{day:%Y-%m}"


def _is_over(month: str, as_of: date) -> bool:
    return _month(as_of + timedelta(days=1)) > month
