"""Which figures of closed months a build shows otherwise than they were closed with.

What lives here: the comparison. Not here: the files it compares with (kept.py).

A month is closed so many days after its end; its figures are those of the whole month in mart_kpi_daily, of the company
and of each part of it. Late rows go on counting in the month they belong to, so that any order of nights equals one
rebuild; that a closed figure moved by it is what is found here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb

from assets.versions.contents import literal
from storage.errors import JourneymartError

# What a figure is, beside the month: named in the files that keep it, and compared.
FIGURE = ("kpi", "dimension", "member", "numerator", "denominator", "value", "n", "is_suppressed")
_COUNTED = ("numerator", "denominator", "value")


@dataclass(frozen=True)
class Change:
    """One figure of a closed month that is another now.

    Attributes:
        kpi: Code.
        month: First day of the month.
        dimension: What it is a part of the company by; `all` for the whole.
        member: Which part.
        before: As it was closed; None: there was none, or it was hidden.
        after: As it is now.
        n_before: Records behind it then.
        n_after: Records behind it now.
        was_hidden: Whether it was hidden then.
        is_hidden: Whether it is hidden now.
    """

    kpi: str
    month: date
    dimension: str
    member: str
    before: float | None
    after: float | None
    n_before: int | None
    n_after: int | None
    was_hidden: bool
    is_hidden: bool

    @property
    def where(self) -> str:
        """KPI, month and part."""
        part = "" if self.dimension == "all" else f", {self.dimension} {self.member}"
        return f"{self.kpi} of {self.month:%Y-%m}{part}"

    @property
    def words(self) -> str:
        """From what to what, with the records behind both."""
        then = _figure(self.before, self.n_before, self.was_hidden)
        return f"{then} before, {_figure(self.after, self.n_after, self.is_hidden)} now"


def newest_closed_day(as_of: date, after_days: int) -> date:
    """The last day of the newest month that is closed on a business date."""
    return (as_of - timedelta(days=after_days) + timedelta(days=1)).replace(day=1) - timedelta(days=1)


def closed_figures(marts: str, until: date) -> str:
    """A select statement: the figures of whole months up to a day, with their `month`.

    Args:
        marts: The database that holds the marts.
        until: A month's last day.
    """
    return (
        f"select cast(date_trunc('month', date_day) as date) as month, {', '.join(FIGURE)} "
        f"from {marts}.main.mart_kpi_daily "
        f"where period = 'month' and date_day = last_day(date_day) and date_day <= date {literal(until.isoformat())}"
    )


def changes(
    connection: duckdb.DuckDBPyConnection, marts: str, files: Sequence[Path], until: date
) -> tuple[Change, ...]:
    """What differs from the figures that are kept, the company as a whole first in its month.

    What was not told at all of a month when it was closed (a KPI or a breakdown that is newer than that) is no change.

    Args:
        connection: With the marts attached.
        marts: The database that holds them.
        files: The files of closed months (kept.py).
        until: Last day of the newest month that is closed for the build.

    Raises:
        JourneymartError: A file cannot be read.
    """
    if not files:
        return ()
    listed = ", ".join(literal(str(file)) for file in files)
    same = " and ".join(
        [
            "kept.n is not distinct from shown.n",
            "kept.is_suppressed is not distinct from shown.is_suppressed",
            # Sums may be added up in another order by another release of the engine.
            *(
                f"(kept.{name} is not distinct from shown.{name} or "
                f"abs(kept.{name} - shown.{name}) <= 1e-9 * greatest(1, abs(kept.{name})))"
                for name in _COUNTED
            ),
        ]
    )
    sql = f"""
        with kept as (
            select * from read_parquet([{listed}]) as files
            where month <= date {literal(until.isoformat())} and kpi in (select kpi from {marts}.main.dim_kpi)
        ),
        told as (select distinct month, kpi, dimension from kept),
        shown as (
            select figures.* from ({closed_figures(marts, until)}) as figures
            inner join told using (month, kpi, dimension)
        )
        select
            kpi, month, dimension, member, kept.value, shown.value, kept.n, shown.n,
            coalesce(kept.is_suppressed, false), coalesce(shown.is_suppressed, false)
        from kept full outer join shown using (month, kpi, dimension, member)
        where not coalesce({same}, false)
        order by month, dimension <> 'all', kpi, dimension, member
    """
    try:
        rows = connection.execute(sql).fetchall()
    except (duckdb.IOException, duckdb.InvalidInputException) as error:
        raise JourneymartError(
            f"A file in {files[0].parent} does not hold the figures of a closed month ({type(error).__name__}): "
            "restore it, or remove it, and the month is closed with what the next night shows."
        ) from error
    return tuple(Change(*row) for row in rows)


def _figure(value: float | None, n: int | None, is_hidden: bool) -> str:
    if is_hidden:
        return "hidden"
    return "none" if value is None else f"{value:,.4g} of {n or 0:,} records"
