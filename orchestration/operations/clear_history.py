"""What is known of nights long past goes: Dagster's runs with all their events, and the nights' ledgers.

What lives here: which of them, and that it never stops a night. Not here: how Dagster's storage lets go of a run
(orchestration/event_log.py), the versions that go (assets/versions/retention.py), for how long Dagster keeps its ticks
(dagster.yaml).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dagster import DagsterInstance

    from storage.data_folder import DataFolder

_log = logging.getLogger(__name__)

# After years without clearing, a night lets go of so many runs, and the next of as many again.
_AT_ONCE = 50


@dataclass(frozen=True)
class Cleared:
    """How many runs and ledgers went."""

    runs: int
    ledgers: int


def clear_history(folder: DataFolder, instance: DagsterInstance, keep_days: int, now: datetime) -> Cleared:
    """Let go of what is older than it is kept.

    The night that asks has published by now and stays published, whatever happens here: what could not go goes the
    next night.

    Args:
        folder: Data folder.
        instance: Dagster's instance.
        keep_days: Days to keep.
        now: Now, with an offset.
    """
    since = now - timedelta(days=keep_days)
    cleared = Cleared(0, 0)
    try:
        cleared = Cleared(_clear_runs(instance, since), _clear_ledgers(folder, since))
    except Exception as error:  # noqa: BLE001 - the version is published, and this is no part of it
        _log.warning("The history of nights was not cleared (%s): the next night tries again.", type(error).__name__)
    return cleared


def _clear_runs(instance: DagsterInstance, since: datetime) -> int:
    from dagster import DagsterRunStatus, RunsFilter

    ended = [DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED]
    old = instance.get_runs(RunsFilter(statuses=ended, created_before=since), limit=_AT_ONCE, ascending=True)
    for run in old:
        instance.delete_run(run.run_id)
    return len(old)


def _clear_ledgers(folder: DataFolder, since: datetime) -> int:
    old = [path for path in folder.ledgers.glob("*.jsonl") if path.stat().st_mtime < since.timestamp()]
    for path in old:
        path.unlink()
    return len(old)
