"""What the scorecard shows, read from the marts of a build: figures, keys of open cases, health of the data; no person.

What lives here: which rows and columns, and in what shape they travel. Not here: what they mean (dbt_project), words
and arithmetic of the page (index.js).

Rows are lists in the order of the `*_COLUMNS`. A hidden figure's list ends after its flags: whatever the marts hold of
it, the page cannot give it away.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any, TypedDict

import duckdb

from assets.report.left_out import read_left_out
from assets.report.marts import opened_marts
from assets.versions.contents import literal
from assets.versions.versions import version_id

CASES_SHOWN = 20
# A year of weekly points and both its ends; twice that for quarters.
TREND_DAYS = 371
# How far back the newest figure may lie.
NEWEST_DAYS = 180
DEFINITIONS_DAYS = 28

# By dim_kpi.basis: the window a figure is told over, and those its trend is made of. States are told as they stand,
# against the end of the month before.
_WINDOWS = (
    ("flow", "rolling_28", "rolling_28"),
    ("latest", "rolling_90", "rolling_90"),
    ("stock", "month", "day"),
    ("employee", "quarter", "quarter"),
)

DEFINITION_COLUMNS = (
    "kpi",
    "name",
    "definition",
    "formula",
    "unit",
    "decimals",
    "direction",
    "timestamp_basis",
    "basis",
    "lookback_days",
    "objective",
    "owner_department",
    "source_fact",
    "method",
    "cause",
    "min_n",
    "benchmark_year",
)
_FLAGS = ("is_suppressed", "is_low_n", "is_complete_window", "is_stale")
FIGURE_COLUMNS = (
    "window_start",
    "date_day",
    *_FLAGS,
    "value",
    "ci_low",
    "ci_high",
    "n",
    "previous_value",
    "difference",
    "difference_low",
    "difference_high",
    "is_changed",
    "target",
    "is_target_met",
    "benchmark",
    "benchmark_source",
)
MEMBER_COLUMNS = (
    "member",
    "is_suppressed",
    "is_low_n",
    "value",
    "ci_low",
    "ci_high",
    "n",
    "previous_value",
    "difference",
    "is_changed",
    "target",
    "is_target_met",
)
MOMENT_COLUMNS = (
    "journey",
    "journey_name",
    "touchpoint",
    "touchpoint_name",
    "owner_department",
    "is_peak",
    "score_scale",
    "scores",
    "customers",
    "score_mean",
    "score_ci_low",
    "score_ci_high",
    "journey_score_mean",
)
CASE_COLUMNS = (
    "case_key",
    "customer_key",
    "trigger",
    "reason",
    "channel",
    "team",
    "outcome",
    "opened",
    "due",
    "value_rank",
    "value_amount",
    "value_currency",
)
RECOVERY_COLUMNS = ("month", "member", "is_suppressed", "is_low_n", "n", "value", "ci_low", "ci_high")
HEALTH_COLUMNS = ("area", "source", "stream", "measure", "day", "status", "value", "unit", "threshold", "message")
CHANGE_COLUMNS = ("day", "kind", "name", "change")
LEFT_OUT_COLUMNS = ("where", "because", "remedy", "sentence", "kpis")

Row = list[Any]


class Kpi(TypedDict):
    """One KPI: its definition, its newest figure (None: nothing was measured), its trend of [day, value, low, high]."""

    definition: Row
    now: Row | None
    trend: list[Row]


class Cases(TypedDict):
    """Failures nobody has answered: how many there are by trigger and outcome, and the first of them by value."""

    counts: list[Row]
    rows: list[Row]


class Health(TypedDict):
    """State of the data: what is not as it should be, how many figures have which status by source, definitions."""

    counts: list[Row]
    rows: list[Row]
    definitions: list[Row]


class ScorecardData(TypedDict):
    """All the page knows. The keys of `breakdowns` are dimension, KPI; those of `names` dimension, member."""

    as_of: str
    version: str
    currency: str
    is_stale: bool
    stale_since: str | None
    columns: dict[str, Sequence[str]]
    kpis: list[Kpi]
    month: str
    whole: dict[str, Row]
    breakdowns: dict[str, dict[str, list[Row]]]
    names: dict[str, dict[str, str]]
    moments: list[Row]
    cases: Cases
    recovery: list[Row]
    health: Health
    left_out: list[Row]


def read_scorecard_data(build: Path, as_of: date) -> ScorecardData:
    """Read what the page shows from the marts of a build, and from the build's night what it is called.

    Args:
        build: The build; nobody writes its files any more.
        as_of: Business date of the night.

    Raises:
        JourneymartError: The marts cannot be read, or lack what the page shows.
    """
    with opened_marts(build, "the scorecard") as connection:
        return _read(connection, as_of)


def _read(connection: duckdb.DuckDBPyConnection, as_of: date) -> ScorecardData:
    ((run_id, currency, is_stale, stale_since),) = connection.execute(
        "SELECT run_id, currency, is_stale, stale_since FROM warehouse.night.night"
    ).fetchall()
    month = _last_whole_month(as_of)
    whole: dict[str, Row] = {}
    breakdowns: dict[str, dict[str, list[Row]]] = {}
    for dimension, kpi, *row in _members(connection, month):
        if dimension == "all":
            whole[kpi] = _shown(row, MEMBER_COLUMNS)
        else:
            breakdowns.setdefault(dimension, {}).setdefault(kpi, []).append(_shown(row, MEMBER_COLUMNS))
    return ScorecardData(
        as_of=as_of.isoformat(),
        version=version_id(as_of, run_id),
        currency=currency,
        is_stale=is_stale,
        stale_since=stale_since.isoformat() if stale_since else None,
        columns={
            "definition": DEFINITION_COLUMNS,
            "figure": FIGURE_COLUMNS,
            "member": MEMBER_COLUMNS,
            "moment": MOMENT_COLUMNS,
            "case": CASE_COLUMNS,
            "recovery": RECOVERY_COLUMNS,
            "health": HEALTH_COLUMNS,
            "change": CHANGE_COLUMNS,
            "left_out": LEFT_OUT_COLUMNS,
        },
        kpis=list(_kpis(connection, as_of)),
        month=month.isoformat(),
        whole=whole,
        breakdowns=breakdowns,
        names=_names(connection),
        moments=_moments(connection),
        cases=_cases(connection),
        recovery=_recovery(connection),
        health=_health(connection, as_of),
        left_out=_left_out(connection, as_of),
    )


def _shown(row: Sequence[Any], columns: Sequence[str]) -> Row:
    """What the page may know of a row: of a hidden one nothing after its flags; no empty values at its end."""
    is_hidden = row[columns.index("is_suppressed")]
    values = list(row[: columns.index("value")] if is_hidden else row)
    while values and values[-1] is None:
        values.pop()
    return values


def _kpis(connection: duckdb.DuckDBPyConnection, as_of: date) -> Iterator[Kpi]:
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
            now=None if figure[0] is None else _shown(_told(figure), FIGURE_COLUMNS),
            trend=[_told(point) for point in points or ()],
        )


def _members(connection: duckdb.DuckDBPyConnection, month: date) -> list[tuple[Any, ...]]:
    """The figures of a month by dimension and KPI, the largest member first."""
    return connection.execute(
        f"""
        SELECT dimension, kpi, {", ".join(MEMBER_COLUMNS)} FROM mart_kpi_daily
        WHERE period = 'month' AND date_day = ?
        ORDER BY dimension, kpi, CASE WHEN NOT is_suppressed THEN n END DESC NULLS LAST, member
        """,
        [month],
    ).fetchall()


def _names(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, str]]:
    """Names of the members that have one, by dimension."""
    touchpoints = connection.execute("SELECT touchpoint, touchpoint_name FROM dim_touchpoint ORDER BY touchpoint")
    names = {"touchpoint": dict(touchpoints.fetchall())}
    journeys = connection.execute("SELECT DISTINCT journey, journey_name FROM dim_journey_step ORDER BY journey")
    return names | {"journey": dict(journeys.fetchall())}


def _moments(connection: duckdb.DuckDBPyConnection) -> list[Row]:
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


def _cases(connection: duckdb.DuckDBPyConnection) -> Cases:
    """Open and overdue failures. Keys travel as text: they are larger than what a browser counts exactly."""
    columns = {
        "case_key": "case_key::varchar",
        "customer_key": "nullif(customer_key, -1)::varchar",
        "opened": "strptime(opened_date_key::varchar, '%Y%m%d')::date",
        "due": "strptime(due_date_key::varchar, '%Y%m%d')::date",
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
    return Cases(counts=[list(row) for row in counts], rows=[_told(row) for row in rows])


def _recovery(connection: duckdb.DuckDBPyConnection) -> list[Row]:
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
    return [_told(row[:4] if row[2] else row) for row in rows]


def _health(connection: duckdb.DuckDBPyConnection, as_of: date) -> Health:
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
        rows=[_told(row) for row in rows],
        definitions=[_told(row) for row in definitions],
    )


def _left_out(connection: duckdb.DuckDBPyConnection, as_of: date) -> list[Row]:
    """What KPIs leave out and why, with [KPI, records, those it counts] for each of them."""
    return [
        [
            *(each.where, each.because, each.remedy, each.sentence),
            [[of.kpi, of.records, of.counted] for of in each.kpis],
        ]
        for each in read_left_out(connection, as_of)
    ]


def _told(row: Sequence[Any]) -> Row:
    """A row as it travels: days as text."""
    return [value.isoformat() if isinstance(value, date) else value for value in row]


def _last_whole_month(as_of: date) -> date:
    """Last day of the newest month that is over on the business date."""
    tomorrow = as_of + timedelta(days=1)
    return tomorrow.replace(day=1) - timedelta(days=1)
