"""Figures of the scorecard: every KPI's newest one, its trend, and the members of a month.

Not here: cases, moments, health of the data (parts.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, TypedDict

import duckdb

from assets.report.scorecard.columns import (
    DEFINITION_COLUMNS,
    FIGURE_COLUMNS,
    MEMBER_COLUMNS,
    Row,
    as_it_travels,
    without_what_is_hidden,
)
from assets.versions.contents import literal

# A year of weekly points and both its ends; twice that for quarters.
TREND_DAYS = 371
# How far back the newest figure may lie.
NEWEST_DAYS = 180

# By dim_kpi.basis: the window a figure is told over, and those its trend is made of. States are told as they stand,
# against the end of the month before.
_WINDOWS = (
    ("flow", "rolling_28", "rolling_28"),
    ("latest", "rolling_90", "rolling_90"),
    ("stock", "month", "day"),
    ("employee", "quarter", "quarter"),
)


class Kpi(TypedDict):
    """One KPI: its definition, its newest figure (None: nothing was measured), its trend of [day, value, low, high]."""

    definition: Row
    now: Row | None
    trend: list[Row]


def kpis_with_figures(connection: duckdb.DuckDBPyConnection, as_of: date) -> Iterator[Kpi]:
    """Every KPI with its newest figure and its trend up to that.

    The newest is that of the newest whole window; of what takes its time, of the newest that has at least half as many
    records as usual. While there is none, that of the newest window.
    """
    windows = ", ".join(f"({literal(basis)}, {literal(told)}, {literal(drawn)})" for basis, told, drawn in _WINDOWS)
    # A state's window is the day, whatever period it is compared over.
    whole = {"is_complete_window": "coalesce(day.is_complete_window, newest.is_complete_window)"}
    figures = ", ".join(whole.get(column, f"newest.{column}") for column in FIGURE_COLUMNS)
    rows = connection.execute(
        f"""
        WITH windows AS (
            SELECT dim_kpi.kpi, dim_kpi.basis, of_basis.told, of_basis.drawn
            FROM dim_kpi INNER JOIN (VALUES {windows}) AS of_basis (basis, told, drawn) USING (basis)
        ),
        near AS (
            SELECT * FROM mart_kpi_daily
            WHERE dimension = 'all' AND date_day BETWEEN $as_of::date - {2 * TREND_DAYS} AND $as_of
        ),
        told AS (
            SELECT near.*, windows.basis, windows.drawn
            FROM near INNER JOIN windows ON windows.kpi = near.kpi AND windows.told = near.period
        ),
        newest AS (
            SELECT * FROM told
            WHERE date_day > $as_of::date - {NEWEST_DAYS}
            QUALIFY row_number() OVER (
                PARTITION BY kpi
                ORDER BY is_complete_window OR basis = 'stock' DESC, date_day DESC
            ) = 1
        ),
        trends AS (
            SELECT
                near.kpi,
                list(
                    row(near.date_day, near.value, near.ci_low, near.ci_high) ORDER BY near.date_day
                ) FILTER (NOT near.is_suppressed) AS points
            FROM near INNER JOIN newest ON newest.kpi = near.kpi AND newest.drawn = near.period
            WHERE
                near.date_day <= newest.date_day
                AND (
                    near.period = 'quarter'
                    OR near.date_day > newest.date_day - {TREND_DAYS} AND (newest.date_day - near.date_day) % 7 = 0
                )
            GROUP BY near.kpi
        )
        SELECT {", ".join(f"dim_kpi.{column}" for column in DEFINITION_COLUMNS)}, trends.points, {figures}
        FROM dim_kpi
        LEFT JOIN newest ON newest.kpi = dim_kpi.kpi
        LEFT JOIN trends ON trends.kpi = dim_kpi.kpi
        LEFT JOIN near AS day
            ON day.kpi = newest.kpi AND day.date_day = newest.date_day AND day.period = 'day' AND newest.drawn = 'day'
        ORDER BY dim_kpi.owner_department, dim_kpi.objective, dim_kpi.kpi
        """,
        {"as_of": as_of},
    ).fetchall()
    width = len(DEFINITION_COLUMNS)
    for row in rows:
        points, figure = row[width], row[width + 1 :]
        yield Kpi(
            definition=list(row[:width]),
            now=None if figure[0] is None else without_what_is_hidden(as_it_travels(figure), FIGURE_COLUMNS),
            trend=[as_it_travels(point) for point in points or ()],
        )


def members_of_month(connection: duckdb.DuckDBPyConnection, month: date) -> list[tuple[Any, ...]]:
    """The figures of a month by dimension and KPI, the largest member first."""
    return connection.execute(
        f"""
        SELECT dimension, kpi, {", ".join(MEMBER_COLUMNS)} FROM mart_kpi_daily
        WHERE period = 'month' AND date_day = ?
        ORDER BY dimension, kpi, CASE WHEN NOT is_suppressed THEN n END DESC NULLS LAST, member
        """,
        [month],
    ).fetchall()


def last_whole_month(as_of: date) -> date:
    """Last day of the newest month that is over on the business date."""
    tomorrow = as_of + timedelta(days=1)
    return tomorrow.replace(day=1) - timedelta(days=1)
