"""What a run holds from its first step to its last, as Dagster resources: the data folder, and the gate.

Not here: the lock (storage/locks.py) and the gate's processes (orchestration/processes/gate.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import dagster as dg

from orchestration.config.setup import Setup
from orchestration.processes.gate import GATE, GateProcess
from storage.disk import explaining_the_disk


def data_lock_resource(setup: Setup) -> dg.ResourceDefinition:
    """A resource that holds the data folder's lock for the length of a run (steps share one process)."""

    @dg.resource(description="Holds the data folder: one night at a time.")
    def held(context: dg.InitResourceContext) -> Iterator[None]:
        from orchestration.operations.mend import mend
        from storage.locks import data_lock

        run = context.run_id or "unknown"
        with ExitStack() as stack:
            with explaining_the_disk():
                stack.enter_context(data_lock(setup.folder, f"night {run[:8]}"))
            if context.instance:
                _end_dead_runs(context.instance, run)
            with explaining_the_disk():
                said = mend(setup)
            for sentence in said:
                dg.get_dagster_logger().warning(sentence)
            yield

    return held


def _end_dead_runs(instance: dg.DagsterInstance, holder: str) -> None:
    """Say of runs that still count as running that they are not: no other run lives while this one holds the folder.

    A run whose process was killed could not say so itself, and the queue would wait for it.
    """
    for run in instance.get_runs(filters=dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])):
        if run.run_id != holder:
            instance.report_run_failed(
                run, "Its process ended without a word: it was killed, or the machine stopped. A later night took over."
            )


@dg.resource(
    required_resource_keys={"data_lock"},
    description="Judges extracts. Lets go of the data folder only when nothing is being judged any more.",
)
def gate_resource(_: dg.InitResourceContext) -> Iterator[GateProcess]:
    """The gate's process, at rest again when the run ends."""
    try:
        yield GATE
    finally:
        GATE.finish()
