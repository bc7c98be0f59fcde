"""Runs a night, or its first step alone, in this process, as the command line does.

Not here: which dates (orchestration/operations/plan_night.py), how it looks (console.py).

The run goes through the same Dagster job and instance as one started by the schedule, so the UI shows both
alike.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

import dagster as dg
from dagster import DagsterEventType, DagsterInstance
from dagster._core.events.log import EventLogEntry
from dagster._core.utils import make_new_run_id
from dagster_shared.error import SerializableErrorInfo

from orchestration.keys import JOB, landed
from orchestration.partitions import again_tags, range_tags
from storage.data_folder import StreamId
from storage.errors import JourneymartError


class Watcher(Protocol):
    """Who is told how a run goes."""

    def started(self, step_key: str) -> None:
        """A step began."""

    def ended(self, step_key: str, outcome: str) -> None:
        """A step ended: `done`, `failed` or `skipped`."""


@dataclass(frozen=True)
class LandedStream:
    """What one stream has landed.

    Attributes:
        name: The stream, as `source/stream`.
        extracts: Extracts asked for that are in landing now.
        new: Those that were not there, or not so.
        pulled_rows: Rows that were pulled; None: it is not pulled.
        pages: Pages they came in.
        kept: Those of them that an earlier pull had left.
        unreached: Why some could not be pulled; None: none.
    """

    name: str
    extracts: int
    new: int
    pulled_rows: int | None = None
    pages: int = 0
    kept: int = 0
    unreached: str | None = None


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
    result = _run(defs, instance, days, watcher, again_from=again_from)
    return RunOutcome(result.run_id, published=bool(result.asset_materializations_for_node("publish")))


def run_extraction(
    defs: dg.Definitions,
    instance: DagsterInstance,
    days: Sequence[date],
    streams: Sequence[StreamId],
    watcher: Watcher,
    *,
    again_from: date | None = None,
) -> list[LandedStream]:
    """Land the extracts of some streams over a range of dates, and do nothing else.

    Raises:
        JourneymartError: An extract could not be landed; says in one sentence why. What landed before it stays.
    """
    wanted = [landed(stream) for stream in streams]
    result = _run(defs, instance, days, watcher, again_from=again_from, selection=wanted)
    # What a step says of each extract comes before what it says of the stream, which comes last.
    said = {event.asset_key: event for event in result.get_asset_materialization_events()}
    return [
        _landed_stream(stream, said[key].materialization.metadata)
        for stream, key in zip(streams, wanted, strict=True)
        if key in said
    ]


def _landed_stream(stream: StreamId, said: Mapping[str, dg.MetadataValue[Any]]) -> LandedStream:
    def number(name: str) -> int:
        return int(str(said[name].value))

    pulled: dict[str, Any] = {}
    if "pulled_rows" in said:
        pulled = {
            "pulled_rows": number("pulled_rows"),
            "pages": number("pulled_pages"),
            "kept": number("pages_kept_from_before"),
            "unreached": str(said["not_pulled"].value) if "not_pulled" in said else None,
        }
    return LandedStream(str(stream), number("extracts"), number("new_extracts"), **pulled)


def _run(
    defs: dg.Definitions,
    instance: DagsterInstance,
    days: Sequence[date],
    watcher: Watcher,
    *,
    again_from: date | None,
    selection: Sequence[dg.AssetKey] | None = None,
) -> dg.ExecuteInProcessResult:
    """Run the job, or the part of it that makes some assets.

    Raises:
        JourneymartError: It failed.
    """
    run_id = make_new_run_id()
    instance.add_event_listener(run_id, _teller(watcher))
    result = defs.resolve_job_def(JOB).execute_in_process(
        instance=instance,
        run_id=run_id,
        raise_on_error=False,
        partition_key=days[0].isoformat() if len(days) == 1 else None,
        tags={**(range_tags(days) if len(days) > 1 else {}), **again_tags(again_from)},
        asset_selection=selection,
        # The display says what there is to say; the event log keeps the rest.
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
    )
    if not result.success:
        raise JourneymartError(_why(instance, run_id))
    return result


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
