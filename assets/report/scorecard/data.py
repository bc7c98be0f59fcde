"""What the scorecard shows, read from the marts of a build: all of it together; no person.

What lives here: what the page knows, and in what shape it travels. Not here: reading the parts (figures.py, parts.py),
the columns of rows (columns.py), what they mean (dbt_project), words and arithmetic of the page (index.js).

Rows are lists in the order of the `*_COLUMNS`. A hidden figure's list ends after its flags: whatever the marts hold of
it, the page cannot give it away.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TypedDict

import duckdb

from assets.report.marts import opened_marts
from assets.report.scorecard.columns import (
    CASE_COLUMNS,
    CHANGE_COLUMNS,
    DEFINITION_COLUMNS,
    DIMENSION_COLUMNS,
    FIGURE_COLUMNS,
    HEALTH_COLUMNS,
    LEFT_OUT_COLUMNS,
    MEMBER_COLUMNS,
    MOMENT_COLUMNS,
    RECOVERY_COLUMNS,
    Row,
    without_what_is_hidden,
)
from assets.report.scorecard.figures import Kpi, kpis_with_figures, last_whole_month, members_of_month
from assets.report.scorecard.parts import (
    Cases,
    Health,
    dimensions,
    health_of_data,
    left_out_records,
    moments_of_year,
    names_of_members,
    open_cases,
    recovery,
)
from assets.versions.versions import version_id


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
    dimensions: list[Row]
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
    month = last_whole_month(as_of)
    whole: dict[str, Row] = {}
    breakdowns: dict[str, dict[str, list[Row]]] = {}
    for dimension, kpi, *row in members_of_month(connection, month):
        if dimension == "all":
            whole[kpi] = without_what_is_hidden(row, MEMBER_COLUMNS)
        else:
            breakdowns.setdefault(dimension, {}).setdefault(kpi, []).append(without_what_is_hidden(row, MEMBER_COLUMNS))
    return ScorecardData(
        as_of=as_of.isoformat(),
        version=version_id(as_of, run_id),
        currency=currency,
        is_stale=is_stale,
        stale_since=stale_since.isoformat() if stale_since else None,
        columns={
            "definition": DEFINITION_COLUMNS,
            "figure": FIGURE_COLUMNS,
            "dimension": DIMENSION_COLUMNS,
            "member": MEMBER_COLUMNS,
            "moment": MOMENT_COLUMNS,
            "case": CASE_COLUMNS,
            "recovery": RECOVERY_COLUMNS,
            "health": HEALTH_COLUMNS,
            "change": CHANGE_COLUMNS,
            "left_out": LEFT_OUT_COLUMNS,
        },
        kpis=list(kpis_with_figures(connection, as_of)),
        month=month.isoformat(),
        whole=whole,
        dimensions=dimensions(connection),
        breakdowns=breakdowns,
        names=names_of_members(connection),
        moments=moments_of_year(connection),
        cases=open_cases(connection),
        recovery=recovery(connection),
        health=health_of_data(connection, as_of),
        left_out=left_out_records(connection, as_of),
    )
