"""What a person sees when a night is done: the headline figures, read from the published marts.

Not here: drawing it (console.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from storage.data_folder import REPORT_PAGES, DataFolder, marts_file, report_file
from storage.engine import connect

if TYPE_CHECKING:
    import duckdb

    from assets.versions.manifest import Manifest, Missing
    from assets.versions.versions import Version


@dataclass(frozen=True)
class Headline:
    """One KPI of the scorecard: which one, over which period, and how it is said."""

    kpi: str
    period: str
    title: str
    unit: str


# Days up to the business date of whose extracts warnings are told.
WARNED_DAYS = 7

HEADLINES = (
    Headline("nps_relational", "rolling_90", "NPS, 90 days", "points"),
    Headline("csat", "rolling_28", "CSAT, 28 days", "%"),
    Headline("ces", "rolling_28", "CES (ease), 28 days", "%"),
    Headline("logo_retention", "day", "Retention, 90 days", "%"),
    Headline("first_reply_minutes_median", "rolling_28", "First reply, median of 28 days", "min"),
    Headline("backlog", "day", "Backlog, end of day", "tickets"),
    Headline("revenue", "rolling_28", "Revenue, 28 days", ""),
    Headline("return_rate", "rolling_28", "Returned orders, 28 days", "%"),
)


@dataclass(frozen=True)
class Figure:
    """One line of the scorecard; `value` and the interval are None where there is nothing to show.

    `last`: the day before the business date on which there was something, where there is nothing now.
    """

    title: str
    unit: str
    value: float | None
    low: float | None
    high: float | None
    n: int | None
    last: date | None = None


@dataclass(frozen=True)
class Scorecard:
    """The headline figures of a published version.

    `stale`, `approved`, `warned`, `left_out`: what is missing, what a person approved, what checks of the last days
    warned of and what KPIs leave out, a sentence each.
    """

    version: str
    as_of: date
    stale: tuple[str, ...]
    approved: tuple[str, ...]
    figures: tuple[Figure, ...]
    rows_in: int
    rows_quarantined: int
    rows_published: int
    marts: Path
    report: Path | None
    warned: tuple[str, ...]
    left_out: tuple[str, ...]


def read_scorecard(folder: DataFolder, version: Version, made: Sequence[Manifest]) -> Scorecard:
    """Read the headline figures of the current version out of its marts, as any reader would.

    Args:
        folder: The data folder.
        version: The current version.
        made: What was just published, for the rows that came in; empty: the current version alone.
    """
    path = marts_file(folder.current)
    with connect(path, read_only=True) as connection:
        figures = tuple(_figure(connection, each, version.manifest.as_of) for each in HEADLINES)
    return Scorecard(
        version=version.id,
        as_of=version.manifest.as_of,
        stale=tuple(_stale(each) for each in version.manifest.missing),
        approved=tuple(each.sentence for each in version.manifest.approvals),
        figures=figures,
        rows_in=sum(manifest.rows_in for manifest in made or [version.manifest]),
        rows_quarantined=sum(manifest.quarantined_rows for manifest in made or [version.manifest]),
        rows_published=sum(table.rows for table in version.manifest.tables_of("marts")),
        marts=path,
        report=page if (page := report_file(folder.current, REPORT_PAGES[0])).exists() else None,
        warned=warned(version),
        left_out=left_out(version),
    )


def _figure(connection: duckdb.DuckDBPyConnection, of: Headline, as_of: date) -> Figure:
    found = connection.execute(
        """
        select value, ci_low, ci_high, n, date_day from mart_kpi_daily
        where dimension = 'all' and kpi = ? and period = ? and date_day <= ? and value is not null and not is_suppressed
        order by date_day desc limit 1
        """,
        [of.kpi, of.period, as_of],
    ).fetchone()
    *said, day = found or (None, None, None, None, None)
    return Figure(of.title, of.unit, *said) if day == as_of else Figure(of.title, of.unit, None, None, None, None, day)


def warned(version: Version) -> tuple[str, ...]:
    """What checks of extracts warned of in the days up to the business date, a sentence per extract, newest first."""
    if "mart_data_health" not in {table.name for table in version.manifest.tables_of("marts")}:
        return ()
    with connect(marts_file(version.path), read_only=True) as connection:
        rows = connection.execute(
            f"""
            select date_day, message from mart_data_health
            where measure = 'checks_warned' and status = 'warn'
                and date_day between $as_of::date - {WARNED_DAYS - 1} and $as_of
            order by date_day desc, source, stream
            """,
            {"as_of": version.manifest.as_of},
        ).fetchall()
    return tuple(f"{day}: {message}" for day, message in rows)


def left_out(version: Version) -> tuple[str, ...]:
    """What the KPIs of a version leave out, a sentence per reason; nothing is said by one older than the mart."""
    from assets.report.left_out import MART, read_left_out

    if MART not in {table.name for table in version.manifest.tables_of("marts")}:
        return ()
    with connect(marts_file(version.path), read_only=True) as connection:
        return tuple(each.sentence for each in read_left_out(connection, version.manifest.as_of))


def _stale(missing: Missing) -> str:
    dates = "1 extract is" if missing.days == 1 else f"{missing.days} extracts are"
    return f"{missing.source}/{missing.stream}: {dates} missing since {missing.since}"
