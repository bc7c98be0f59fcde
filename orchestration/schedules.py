"""When a night starts by itself: every night, for all dates still to be done.

Not here: which dates those are (orchestration/operations/plan_night.py).
"""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import dagster as dg

from orchestration.config.setup import Setup
from orchestration.partitions import range_tags

# After midnight, when extracts of yesterday are complete, and outside the hours that daylight saving skips or
# repeats.
AT = "30 3 * * *"


def nightly_schedule(setup: Setup, job: dg.UnresolvedAssetJobDefinition) -> dg.ScheduleDefinition:
    """The schedule, on by default, in the reporting time zone.

    Nights missed while the machine slept are part of the next.
    """
    zone = setup.sources.reporting_timezone

    @dg.schedule(
        job=job,
        cron_schedule=AT,
        execution_timezone=zone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Every night at 03:30, reporting time: yesterday's extracts, and those of nights missed.",
    )
    def every_night(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        from orchestration.operations.plan_night import outstanding_dates

        yesterday = context.scheduled_execution_time.astimezone(ZoneInfo(zone)).date() - timedelta(days=1)
        days = outstanding_dates(setup, yesterday)
        if not days:
            return dg.SkipReason(f"Everything up to {yesterday} is published.")
        return dg.RunRequest(run_key=yesterday.isoformat(), tags=range_tags(days))

    return every_night
