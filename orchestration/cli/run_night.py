"""Runs a night in this process, as the command line does.

Not here: which dates (orchestration/operations/plan_night.py), how it looks (console.py).

The run goes through the same Dagster job and instance as one started by the schedule, so the UI shows both
alike.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

import dagster as dg
from dagster import DagsterEventType, DagsterInstance
from dagster._core.events.log import EventLogEntry
from dagster._core.utils import make_new_run_id
from dagster_shared.error import SerializableErrorInfo

from orchestration.keys import JOB
from orchestration.partitions import again_tags, range_tags
from storage.errors import JourneymartError


class Watcher(Protocol):
    """Who is told how a run goes."""

    def started(self, step_key: str) -> None:
        """A step began."""

    def ended(self, step_key: str, outcome: str) -> None:
        """A step ended: `done`, `failed` or `skipped`."""


@dataclass(frozen=True)
class RunOutcome:
    """How a night went. `published` is False when nothing was new."""

    run_id: str
    published: bool


_ENDINGS = {
    DagsterEventType.STEP_SUCCESS: "done",
    DagsterEventType.STEP_FAILURE: "failed",
    DagsterEventType.STEP_SKIPPED: "skipped",
}


def run_night(
    defs: dg.Definitions,
    instance: DagsterInstance,
    days: Sequence[date],
    watcher: Watcher,
    again_from: date | None = None,
) -> RunOutcome:
    """Run one night over a range of dates; extracts from `again_from` on are pulled again, though they have landed.

    Raises:
        JourneymartError: It failed; says in one sentence why. Nothing was published then.
    """
    run_id = make_new_run_id()
    instance.add_event_listener(run_id, _teller(watcher))
    result = defs.resolve_job_def(JOB).execute_in_process(
        instance=instance,
        run_id=run_id,
        raise_on_error=False,
        partition_key=days[0].isoformat() if len(days) == 1 else None,
        tags={**(range_tags(days) if len(days) > 1 else {}), **again_tags(again_from)},
        # The display says what there is to say; the event log keeps the rest.
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
    )
    if not result.success:
        raise JourneymartError(_why(instance, run_id))
    return RunOutcome(run_id, published=bool(result.asset_materializations_for_node("publish")))


def _teller(watcher: Watcher) -> Callable[[EventLogEntry], None]:
    def tell(entry: EventLogEntry) -> None:
        event = entry.dagster_event
        if event is None or event.step_key is None:
            return
        if event.event_type is DagsterEventType.STEP_START:
            watcher.started(event.step_key)
        elif event.event_type in _ENDINGS:
            watcher.ended(event.step_key, _ENDINGS[event.event_type])

    return tell


def _why(instance: DagsterInstance, run_id: str) -> str:
    """Why a run failed, in one sentence: the first failed step's own words, or the innermost error's."""
    events = [entry.dagster_event for entry in instance.all_logs(run_id) if entry.dagster_event]
    failed = [event for event in events if event.event_type is DagsterEventType.STEP_FAILURE]
    for event in failed:
        said = event.step_failure_data.user_failure_data
        if said and said.description:
            return said.description
    errors = [event.step_failure_data.error for event in failed]
    errors += [getattr(event.event_specific_data, "error", None) for event in reversed(events)]
    error = next((error for error in errors if isinstance(error, SerializableErrorInfo)), None)
    where = f"step {failed[0].step_key}" if failed else "the run"
    return _said(error, f"{where} (run {run_id}, to be seen with `journeymart ui`)")


def _said(error: SerializableErrorInfo | None, where: str) -> str:
    """The innermost error's words if they are ours; others may quote rows, so only their kind is told."""
    while error and error.cause:
        error = error.cause
    if error is None:
        return f"Nothing was published, because {where} failed without saying why."
    if error.cls_name == JourneymartError.__name__:
        return re.sub(rf"^[\w.]*{JourneymartError.__name__}: ", "", error.message.strip()).split("\n")[0]
    return f"Nothing was published, because of an unexpected {error.cls_name} in {where}."
