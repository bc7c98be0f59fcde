"""The figures of closed months as they were closed: a small file per month, and a record of each approval.

What lives here: the files, and when they change: once when a month closes, and when a person says so. Not here: the
comparison (changes.py). They lie beside the versions, because a version is built anew and goes.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb

from assets.closed_months.changes import FIGURE, Change, changes, closed_figures, newest_closed_day
from assets.versions.contents import literal
from assets.versions.versions import Version
from storage.data_folder import DataFolder, marts_file
from storage.engine import connect
from storage.errors import JourneymartError
from storage.files import whole_file

_APPROVED = "approved"


@dataclass(frozen=True)
class Restated:
    """A person's word that figures of a closed month are others from now on.

    Attributes:
        month: First day of the month.
        kpis: The KPIs whose figures were replaced.
        figures: How many figures.
        version: The version whose figures they are now.
        by: Who says so.
        at: When, with an offset.
        because: Why; without personal data.
    """

    month: date
    kpis: tuple[str, ...]
    figures: int
    version: str
    by: str
    at: datetime
    because: str

    @property
    def sentence(self) -> str:
        """The same for a person, without its full stop."""
        return (
            f"{self.by} approved {self.figures} figures of {self.month:%Y-%m} ({', '.join(self.kpis)}) as version "
            f"{self.version} shows them, on {self.at:%Y-%m-%d}: {self.because}"
        )


def month_files(folder: DataFolder) -> list[Path]:
    """The files of closed months, oldest first."""
    return sorted(folder.closed_months.glob("[0-9]*.parquet"))


def changes_since_closing(folder: DataFolder, version: Version, after_days: int) -> tuple[Change, ...]:
    """What a version shows otherwise than its closed months were closed with."""
    with connect() as connection:
        _attach(connection, version)
        return changes(connection, "marts", month_files(folder), newest_closed_day(version.manifest.as_of, after_days))


def close_months(folder: DataFolder, version: Version, after_days: int) -> int:
    """Keep the figures of months that closed, and of what was not told of a month when it was; no other changes.

    Args:
        folder: The data folder; the caller holds its lock.
        version: The version that was published last.
        after_days: How long after its end a month closes.

    Returns:
        How many months were written.
    """
    with connect() as connection:
        _attach(connection, version)
        until = newest_closed_day(version.manifest.as_of, after_days)
        connection.execute(f"create temp table shown as {closed_figures('marts', until)}")
        _read_kept(connection, month_files(folder))
        connection.execute(
            "create temp table added as select shown.* from shown anti join kept using (month, kpi, dimension)"
        )
        months = connection.execute("select distinct month from added order by month").fetchall()
        return _write(
            connection, folder, "select * from kept union all select * from added", [day for (day,) in months]
        )


def restate(
    folder: DataFolder,
    version: Version,
    after_days: int,
    month: date,
    *,
    is_meant: Callable[[Change], bool],
    by: str,
    at: datetime,
    because: str,
) -> Restated:
    """Take what a version shows of a closed month as its figures from now on.

    Args:
        folder: The data folder; the caller holds its lock.
        version: The version.
        after_days: How long after its end a month closes.
        month: First day of the month.
        is_meant: Whether a change is approved; all changes of its KPI are, or none.
        by: Who says so.
        at: Now, with an offset.
        because: Why.

    Raises:
        JourneymartError: Nothing that is meant has changed.
    """
    found = [c for c in changes_since_closing(folder, version, after_days) if c.month == month and is_meant(c)]
    if not found:
        raise JourneymartError(
            f"No such figure of {month:%Y-%m} is other than it was closed with: `journeymart restate` says which are."
        )
    kpis = tuple(dict.fromkeys(change.kpi for change in found))
    said = Restated(month, kpis, len(found), version.id, by, at.astimezone(UTC), because)
    # The word first: killed in between, the figures warn again.
    name = f"{month:%Y-%m}-{_APPROVED}-{said.at:%Y%m%dT%H%M%S%f}.json"
    with whole_file(folder.closed_months / name) as new:
        new.write_text(json.dumps(asdict(said), indent=1, default=lambda each: each.isoformat()) + "\n", "utf-8")
    with connect() as connection:
        _attach(connection, version)
        until = newest_closed_day(version.manifest.as_of, after_days)
        connection.execute(f"create temp table shown as {closed_figures('marts', until)}")
        _read_kept(connection, month_files(folder))
        chosen = ", ".join(map(literal, kpis))
        meant = f"month = date {literal(month.isoformat())} and kpi in ({chosen})"
        connection.execute(
            "create temp table added as "
            f"select shown.* from shown semi join kept using (month, kpi, dimension) where {meant}"
        )
        # Written also where nothing is shown any more: that, too, is what was approved.
        _write(connection, folder, f"select * from kept where not ({meant}) union all select * from added", [month])
    return said


def restatements(folder: DataFolder) -> list[Restated]:
    """What was approved, oldest month first.

    Raises:
        JourneymartError: A record cannot be read.
    """
    return [_read(path) for path in sorted(folder.closed_months.glob(f"[0-9]*-{_APPROVED}-*.json"))]


def _attach(connection: duckdb.DuckDBPyConnection, version: Version) -> None:
    connection.execute(f"attach {literal(str(marts_file(version.path)))} as marts (read_only)")


def _read_kept(connection: duckdb.DuckDBPyConnection, files: Sequence[Path]) -> None:
    listed = ", ".join(literal(str(file)) for file in files)
    source = f"select month, {', '.join(FIGURE)} from read_parquet([{listed}])" if files else "from shown limit 0"
    connection.execute(f"create temp table kept as {source}")


def _write(connection: duckdb.DuckDBPyConnection, folder: DataFolder, figures: str, months: Sequence[date]) -> int:
    """Write the files of some months, each whole or not at all."""
    if months:
        folder.closed_months.mkdir(mode=0o700, parents=True, exist_ok=True)
    for month in months:
        with whole_file(folder.closed_months / f"{month:%Y-%m}.parquet") as new:
            connection.execute(
                f"copy (select * from ({figures}) where month = date {literal(month.isoformat())} "
                f"order by kpi, dimension, member) to {literal(str(new))} (format parquet, compression zstd)"
            )
            new.chmod(0o600)
    return len(months)


def _read(path: Path) -> Restated:
    try:
        said: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        dates = {"month": date.fromisoformat(said["month"]), "at": datetime.fromisoformat(said["at"])}
        return Restated(**{**said, **dates, "kpis": tuple(said["kpis"])})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise JourneymartError(
            f"{path} does not say what was approved of a closed month ({type(error).__name__}): restore it, or "
            "remove it."
        ) from error


def by_month(found: Sequence[Change]) -> dict[date, list[Change]]:
    """Changes by their month."""
    grouped: defaultdict[date, list[Change]] = defaultdict(list)
    for change in found:
        grouped[change.month].append(change)
    return dict(grouped)
