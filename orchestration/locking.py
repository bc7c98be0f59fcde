"""What a run holds from its first step to its last, as Dagster resources: the data folder, and the gate.

Not here: the lock (assets/lock.py) and the gate's processes (gatekeeper.py).
"""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg

from orchestration.gatekeeper import GATEKEEPER, Gatekeeper
from orchestration.setup import Setup


def data_lock_resource(setup: Setup) -> dg.ResourceDefinition:
    """A resource that holds the data folder's lock for the length of a run (steps share one process)."""

    @dg.resource(description="Holds the data folder: one night at a time.")
    def held(context: dg.InitResourceContext) -> Iterator[None]:
        from assets.lock import data_lock

        run = context.run_id or "unknown"
        with data_lock(setup.folder, f"night {run[:8]}"):
            yield

    return held


@dg.resource(
    required_resource_keys={"data_lock"},
    description="Judges extracts. Lets go of the data folder only when nothing is being judged any more.",
)
def gate_resource(_: dg.InitResourceContext) -> Iterator[Gatekeeper]:
    """The gate's process, at rest again when the run ends."""
    try:
        yield GATEKEEPER
    finally:
        GATEKEEPER.finish()
