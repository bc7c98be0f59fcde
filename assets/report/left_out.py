"""What the KPIs leave out because it is not known, as people are told it.

What lives here: the one query on `mart_kpi_left_out` for the scorecard and the terminal, and the sentence. Not here:
why a record is left out (dbt_project), how it is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import duckdb

MART = "mart_kpi_left_out"
# Months up to that of the business date that people are told of.
MONTHS = 12


@dataclass(frozen=True)
class LeftOutOf:
    """How many records one KPI leaves out for a reason, and how many it counts in the same months."""

    kpi: str
    name: str
    records: int
    counted: int


@dataclass(frozen=True)
class LeftOut:
    """Records of one stream that some KPIs leave out for one reason.

    Attributes:
        source: Source system.
        stream: Its stream.
        part: Which part of the stream the reason concerns, such as a question; empty: all of it.
        because: Why, in words that follow "because".
        remedy: What to deliver, declare or do.
        kpis: The KPIs, the one that leaves out most first.
    """

    source: str
    stream: str
    part: str
    because: str
    remedy: str
    kpis: tuple[LeftOutOf, ...]

    @property
    def sentence(self) -> str:
        """The same for a person."""
        most = self.kpis[0].records
        names = ", ".join(f"{of.name} ({of.records:,})" if of.records < most else of.name for of in self.kpis)
        noun, verb = ("record", "is") if most == 1 else ("records", "are")
        return f"{most:,} {noun} of {self.where} {verb} left out of {names} because {self.because}: {self.remedy}."

    @property
    def where(self) -> str:
        """What the records are of."""
        return f"{self.source}/{self.stream}" + (f" ({self.part})" if self.part else "")


def read_left_out(connection: duckdb.DuckDBPyConnection, as_of: date) -> list[LeftOut]:
    """What is left out of the last months, most records first.

    Args:
        connection: Its default database are the marts.
        as_of: Business date.
    """
    rows = connection.execute(
        f"""
        WITH by_kpi AS (
            SELECT
                kpi, source, stream, part, reason,
                any_value(because) AS because, any_value(remedy) AS remedy,
                sum(records)::bigint AS records, sum(counted)::bigint AS counted
            FROM {MART}
            WHERE month_start > date_trunc('month', $as_of::date) - INTERVAL {MONTHS} MONTH
            GROUP BY kpi, source, stream, part, reason
        )
        SELECT
            source, stream, part, because, remedy,
            list(row(kpi, name, records, counted) ORDER BY records DESC, name) AS kpis
        FROM by_kpi INNER JOIN dim_kpi USING (kpi)
        GROUP BY source, stream, part, reason, because, remedy
        ORDER BY max(records) DESC, source, stream, part, reason
        """,
        {"as_of": as_of},
    ).fetchall()
    return [
        LeftOut(source, stream, part, because, remedy, tuple(LeftOutOf(*of) for of in kpis))
        for source, stream, part, because, remedy, kpis in rows
    ]
