"""What stands on the scorecard beside figures: dimensions, names, moments, cases, recovery, health, what is left out.

Not here: figures (figures.py).
"""

from __future__ import annotations

from datetime import date
from typing import TypedDict

import duckdb

from assets.report.left_out import read_left_out
from assets.report.scorecard.columns import (
    CASE_COLUMNS,
    DIMENSION_COLUMNS,
    HEALTH_COLUMNS,
    MOMENT_COLUMNS,
    Row,
    as_it_travels,
)

CASES_SHOWN = 20
DEFINITIONS_DAYS = 28


class Cases(TypedDict):
    """Failures nobody has answered: how many there are by trigger and outcome, and the first of them by value."""

    counts: list[Row]
    rows: list[Row]


class Health(TypedDict):
    """State of the data: what is not as it should be, how many figures have which status by source, definitions."""

    counts: list[Row]
    rows: list[Row]
    definitions: list[Row]


def dimensions(connection: duckdb.DuckDBPyConnection) -> list[Row]:
    """What figures are broken down by, in the order of the table that says so."""
    rows = connection.execute(
        f"SELECT {', '.join(DIMENSION_COLUMNS)} FROM warehouse.seeds.kpi_dimensions ORDER BY rowid"
    ).fetchall()
    return [list(row) for row in rows]


def names_of_members(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, str]]:
    """Names of the members that have one, by dimension."""
    touchpoints = connection.execute("SELECT touchpoint, touchpoint_name FROM dim_touchpoint ORDER BY touchpoint")
    names = {"touchpoint": dict(touchpoints.fetchall())}
    journeys = connection.execute("SELECT DISTINCT journey, journey_name FROM dim_journey_step ORDER BY journey")
    return names | {"journey": dict(journeys.fetchall())}


def moments_of_year(connection: duckdb.DuckDBPyConnection) -> list[Row]:
    """Peaks and troughs of the last 365 days; one that is so in several journeys is told of the whole journey."""
    rows = connection.execute(
        f"""
        SELECT {", ".join(MOMENT_COLUMNS)}
        FROM mart_journey_map
        INNER JOIN (SELECT DISTINCT journey, journey_name FROM dim_journey_step) USING (journey)
        INNER JOIN (SELECT touchpoint, touchpoint_name FROM dim_touchpoint) USING (touchpoint)
        WHERE period = 'last_365_days' AND segment = 'all' AND (is_peak OR is_trough) AND NOT is_suppressed
        QUALIFY row_number() OVER (PARTITION BY touchpoint, score_scale ORDER BY journey <> 'customer', journey) = 1
        ORDER BY is_peak, abs(score_mean - journey_score_mean) * customers DESC, touchpoint
        """
    ).fetchall()
    return [list(row) for row in rows]


def open_cases(connection: duckdb.DuckDBPyConnection) -> Cases:
    """Open and overdue failures. Keys travel as text: they are larger than what a browser counts exactly."""
    columns = {
        "case_key": "case_key::varchar",
        "customer_key": "nullif(customer_key, -1)::varchar",
        "opened": "strptime(opened_date_key::varchar, '%Y%m%d')::date",
        "due": "strptime(nullif(due_date_key, -1)::varchar, '%Y%m%d')::date",
        "value_amount": "value_amount::double",
    }
    counts = connection.execute(
        """
        SELECT trigger, outcome, count(*) FROM fct_closed_loop_case
        WHERE outcome IN ('open', 'overdue') GROUP BY trigger, outcome ORDER BY trigger, outcome
        """
    ).fetchall()
    rows = connection.execute(
        f"""
        SELECT {", ".join(columns.get(column, column) for column in CASE_COLUMNS)} FROM fct_closed_loop_case
        WHERE outcome IN ('open', 'overdue')
        ORDER BY value_rank NULLS LAST, due_at, fct_closed_loop_case.case_key LIMIT {CASES_SHOWN}
        """
    ).fetchall()
    return Cases(counts=[list(row) for row in counts], rows=[as_it_travels(row) for row in rows])


def recovery(connection: duckdb.DuckDBPyConnection) -> list[Row]:
    """Failures recovered where somebody took care and where nobody did, of the last year of matured months."""
    rows = connection.execute(
        """
        SELECT month_start, member, is_suppressed, is_low_n, n, value, ci_low, ci_high FROM mart_recovery
        WHERE
            comparison = 'follow_up' AND metric = 'recovered' AND split_by = 'none' AND is_matured
            AND member IN ('touched', 'untouched', 'difference')
            AND month_start > (SELECT max(month_start) FROM mart_recovery WHERE is_matured) - INTERVAL 12 MONTH
        ORDER BY month_start DESC, member
        """
    ).fetchall()
    # Its flag of few stands behind the one that hides.
    return [as_it_travels(row[:4] if row[2] else row) for row in rows]


def health_of_data(connection: duckdb.DuckDBPyConnection, as_of: date) -> Health:
    """The newest of every measure; not the use of feedback (its bounds are the KPIs'), nor what is left out."""
    connection.execute(
        f"""
        CREATE TEMP TABLE newest_health AS
        SELECT * FROM mart_data_health
        WHERE
            area NOT IN ('definition', 'feedback_utilisation', 'left_out')
            AND date_day <= $as_of
            AND (area <> 'approval' OR date_day > $as_of::date - {DEFINITIONS_DAYS})
        QUALIFY row_number() OVER (PARTITION BY area, source, stream, measure ORDER BY date_day DESC) = 1
        """,
        {"as_of": as_of},
    )
    counts = connection.execute(
        "SELECT source, status, count(*) FROM newest_health GROUP BY source, status ORDER BY source, status"
    ).fetchall()
    columns = ", ".join("date_day" if column == "day" else column for column in HEALTH_COLUMNS)
    rows = connection.execute(
        f"""
        SELECT {columns} FROM newest_health WHERE status IN ('fail', 'warn')
        ORDER BY status <> 'fail', source, stream, measure
        """
    ).fetchall()
    definitions = connection.execute(
        f"""
        SELECT date_day, source, stream, measure FROM mart_data_health
        WHERE area = 'definition' AND date_day BETWEEN $as_of::date - {DEFINITIONS_DAYS - 1} AND $as_of
        ORDER BY date_day DESC, source, stream, measure
        """,
        {"as_of": as_of},
    ).fetchall()
    return Health(
        counts=[list(row) for row in counts],
        rows=[as_it_travels(row) for row in rows],
        definitions=[as_it_travels(row) for row in definitions],
    )


def left_out_records(connection: duckdb.DuckDBPyConnection, as_of: date) -> list[Row]:
    """What KPIs leave out and why, with [KPI, records, those it counts] for each of them."""
    return [
        [
            *(each.where, each.because, each.remedy, each.sentence),
            [[of.kpi, of.records, of.counted] for of in each.kpis],
        ]
        for each in read_left_out(connection, as_of)
    ]
