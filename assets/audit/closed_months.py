"""Audit: figures of closed months are those they were closed with. It warns, and says which are not.

Not here: what closed means and where the figures are kept (assets/closed_months).
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from assets.audit.result import AuditResult
from assets.closed_months.changes import changes, newest_closed_day
from assets.closed_months.kept import by_month, month_files
from storage.data_folder import DataFolder

# How many figures a warning names; `journeymart restate` names all.
_NAMED = 12


@dataclass(frozen=True)
class ClosedMonths:
    """Where the figures of closed months are kept, and how many days after its end a month closes."""

    folder: DataFolder
    after_days: int


def compare_closed_months(connection: duckdb.DuckDBPyConnection, closed: ClosedMonths | None) -> AuditResult:
    """Compare what the marts show of closed months with what they were closed with.

    Args:
        connection: With the build attached as `marts` and `warehouse`.
        closed: None: nothing is kept of this build.
    """
    files = month_files(closed.folder) if closed else []
    if closed is None or not files:
        return AuditResult("closed_months", "pass", {"closed months": 0})
    as_of = connection.execute("select as_of from warehouse.night.night").fetchall()[0][0]
    found = changes(connection, "marts", files, newest_closed_day(as_of, closed.after_days))
    if not found:
        return AuditResult("closed_months", "pass", {"closed months": len(files)})
    months = ", ".join(f"{month:%Y-%m}" for month in by_month(found))
    first = found[0]
    return AuditResult(
        "closed_months",
        "warn",
        {
            "closed months": len(files),
            "figures that changed": len(found),
            "months that changed": months,
            **{change.where: change.words for change in found[:_NAMED]},
        },
        f"The audit closed_months warned because {len(found)} figures of {months}, which is closed, are others than "
        f"they were ({first.where}: {first.words}): `journeymart restate` shows all, `journeymart restate approve` "
        "takes them.",
    )
