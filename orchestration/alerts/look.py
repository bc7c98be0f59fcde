"""Finds out what is true of the nights now: from the published version, the gate's verdicts and Dagster's run history.

Not here: what is wrong about it (causes.py). Nothing is changed, and nothing of what was delivered is read.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime
from statistics import NormalDist
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from orchestration.alerts.facts import Blocked, Facts, LastNight, Outcome, Restated, Sampled, Seen, Worse

if TYPE_CHECKING:
    import duckdb
    from dagster import DagsterInstance

    from assets.closed_months.changes import Change
    from assets.versions.versions import Version
    from orchestration.config.setup import Setup
    from storage.data_folder import DataFolder

# How likely it is that any KPI is told as worse at a look though none is.
_CHANCE = 0.05
# What the published intervals of differences hold to each side.
_PUBLISHED = NormalDist().inv_cdf(0.975)


def look(setup: Setup, instance: DagsterInstance, job: str, *, figures_of: str, asked: datetime | None) -> Facts:
    """Find out what is true now.

    Args:
        setup: Settings and sources.
        instance: Dagster's instance, which keeps the run history.
        job: Name of the job that is a night.
        figures_of: The version whose figures were looked at last; they are not read again.
        asked: When a night was asked for that came to no good end; None: none was.
    """
    version, damage = _seen_version(setup.folder)
    night = _last_night(instance, job)
    is_new = version is not None and version.id != figures_of
    return Facts(
        now=now_there(setup),
        seen=_seen(version),
        night=night,
        blocked=tuple(_blocked(setup.folder)),
        worse=tuple(_worse(version)) if version and is_new else None,
        restated=tuple(_restated(setup, version)) if version and is_new else None,
        sampled=_sampled(setup.folder, version) if version and is_new else None,
        damage=damage,
        stopped=asked is not None and (night is None or night.began < asked),
    )


def seen_now(setup: Setup) -> tuple[Seen | None, str | None]:
    """What readers see now, and what is wrong with it."""
    version, damage = _seen_version(setup.folder)
    return _seen(version), damage


def now_there(setup: Setup) -> datetime:
    """Now, in the reporting time zone."""
    return datetime.now(ZoneInfo(setup.sources.reporting_timezone))


def _seen_version(folder: DataFolder) -> tuple[Version | None, str | None]:
    """The version the link names, and what is wrong with the link, as far as a look without reading bytes tells."""
    from assets.versions.versions import current_id, inspect_versions, link_fault

    whole, damaged = inspect_versions(folder)
    name = current_id(folder)
    was_published = whole or damaged or os.path.lexists(folder.current)
    seen = next((version for version in whole if version.id == name), None)
    return seen, link_fault(folder, whole, damaged) if was_published else None


def _seen(version: Version | None) -> Seen | None:
    return Seen(version.id, version.manifest.as_of, version.manifest.published_at) if version else None


def _last_night(instance: DagsterInstance, job: str) -> LastNight | None:
    from dagster import DagsterEventType, DagsterRunStatus, RunsFilter

    record = next(iter(instance.get_run_records(RunsFilter(job_name=job), limit=1)), None)
    if record is None:
        return None
    outcomes: dict[DagsterRunStatus, Outcome] = {
        DagsterRunStatus.SUCCESS: "succeeded",
        DagsterRunStatus.FAILURE: "failed",
        DagsterRunStatus.CANCELED: "cancelled",
    }
    run = record.dagster_run
    outcome = outcomes.get(run.status, "running")
    failed_step = ""
    if outcome == "failed":
        events = instance.get_records_for_run(run.run_id, of_type=DagsterEventType.STEP_FAILURE, limit=1).records
        failed_step = next((each.event_log_entry.step_key or "" for each in events), "")
    return LastNight(record.create_timestamp, outcome, failed_step)


def _blocked(folder: DataFolder) -> Iterator[Blocked]:
    from quality.gate.approvals import verdicts

    for source, stream, day, said in verdicts(folder):
        for check in () if said["passed"] else said["blocked_by"]:
            yield Blocked(f"{source}/{stream}", day, check, said["rows"], said["quarantined_rows"])


def _worse(version: Version) -> Iterator[Worse]:
    from assets.report.marts import opened_marts

    if {"dim_kpi", "mart_kpi_daily"} <= {table.name for table in version.manifest.tables_of("marts")}:
        with opened_marts(version.path, "alerts") as connection:
            yield from worse_figures(connection, version)


def _restated(setup: Setup, version: Version) -> Iterator[Restated]:
    from assets.closed_months.kept import changes_since_closing

    found: defaultdict[tuple[date, str], list[Change]] = defaultdict(list)
    if "mart_kpi_daily" in {table.name for table in version.manifest.tables_of("marts")}:
        for change in changes_since_closing(setup.folder, version, setup.sources.months_close_after_days):
            found[change.month, change.kpi].append(change)
    for (month, kpi), changed in found.items():
        yield Restated(kpi, month, len(changed), f"{changed[0].where}, {changed[0].words}")


def _sampled(folder: DataFolder, version: Version) -> Sampled:
    from assets.audit.shadow import differing_keys
    from quality.gate.ledger import Ledger

    recorded = Ledger(folder.ledger(version.manifest.run_id)).recorded()
    said = next((each.detail for check, each in recorded.items() if check.kind == "shadow"), {})
    return Sampled(differing_keys(said), version.manifest.base is None)


def worse_figures(connection: duckdb.DuckDBPyConnection, version: Version) -> Iterator[Worse]:
    """KPIs whose newest figure is worse than the one before, by what dbt published: the interval of the difference.

    At 95 % each, one in forty KPIs is worse by chance alone; so the interval is stretched until all KPIs that have one,
    looked at together, are wrong about that at one look in twenty.

    Args:
        connection: The marts of the version.
        version: The version.
    """
    from assets.report.scorecard.columns import DEFINITION_COLUMNS, FIGURE_COLUMNS
    from assets.report.scorecard.figures import kpis_with_figures

    compared = []
    for kpi in kpis_with_figures(connection, version.manifest.as_of):
        definition = dict(zip(DEFINITION_COLUMNS, kpi["definition"], strict=True))
        # What the page may not know of a row is cut off at its end.
        figure = dict(zip(FIGURE_COLUMNS, kpi["now"] or (), strict=False))
        if figure.get("is_changed") is not None and figure["is_complete_window"] and not figure["is_low_n"]:
            compared.append((definition, figure))
    for definition, figure in compared:
        falls = definition["direction"] == "higher_is_better"
        if not figure["is_changed"] or (figure["difference"] < 0) != falls:
            continue
        stretch = NormalDist().inv_cdf(1 - _CHANCE / len(compared)) / _PUBLISHED
        nearest = figure["difference_high"] if falls else figure["difference_low"]
        end = figure["difference"] + stretch * (nearest - figure["difference"])
        yield Worse(
            kpi=definition["kpi"],
            name=definition["name"],
            unit=definition["unit"],
            decimals=definition["decimals"],
            value=figure["value"],
            before=figure["previous_value"],
            since=date.fromisoformat(figure["window_start"]),
            until=date.fromisoformat(figure["date_day"]),
            is_beyond_chance=end < 0 if falls else end > 0,
        )
