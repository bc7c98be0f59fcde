"""What Dagster does every few minutes beside the schedule: it looks after the nights, and tells.

Not here: what is told, and to whom (orchestration/alerts).
"""

from __future__ import annotations

import dagster as dg

from orchestration.alerts.watch import watch
from orchestration.config.setup import Setup

_SECONDS = 300


def watch_sensor(setup: Setup, job: str) -> dg.SensorDefinition:
    """The sensor that looks after nights, on by default; it starts none.

    Args:
        setup: Settings and sources.
        job: Name of the job that is a night.
    """

    @dg.sensor(
        name="watch",
        minimum_interval_seconds=_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Tells those named in company.yml of what goes wrong with nights, once per cause, and of its end.",
    )
    def look_after_nights(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        return dg.SkipReason(watch(setup, context.instance, job))

    return look_after_nights
