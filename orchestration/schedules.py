"""When a night starts by itself: every night, and again whenever something that was late has arrived.

Not here: which dates are due (orchestration/operations/plan_night.py), and what has arrived
(orchestration/operations/arrivals.py).
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import dagster as dg

from orchestration.config.setup import Setup
from orchestration.config.sources_file import FIRST_TRY
from orchestration.keys import JOB
from orchestration.partitions import range_tags
from storage.errors import JourneymartError

# Minutes between two looks for what was late.
EVERY = 10
# What a run found when it was asked for: the same is not tried twice.
ARRIVED = "journeymart/arrived"


def nightly_schedule(setup: Setup, job: dg.UnresolvedAssetJobDefinition) -> dg.ScheduleDefinition:
    """The schedule, on by default, in the reporting time zone.

    Nights missed while the machine slept are part of the next. A tick that starts nothing reads listings, no more.
    """
    zone, until = setup.sources.reporting_timezone, setup.sources.nights.tried_until

    @dg.schedule(
        job=job,
        cron_schedule=crons(until),
        execution_timezone=zone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"Every night at {FIRST_TRY:%H:%M}, reporting time, for all dates whose extracts are there; "
        f"every {EVERY} minutes again when more has arrived, until {until:%H:%M}.",
    )
    def every_night(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        from orchestration.operations.mend import mend_before_a_night
        from storage.locks import is_held

        now = context.scheduled_execution_time.astimezone(ZoneInfo(zone))
        if now.time() > until:
            return dg.SkipReason(f"It is later than {until:%H:%M}: the next night takes what arrives now.")
        if is_held(setup.folder):
            return dg.SkipReason("The data folder is being changed; what is due then is seen at the next look.")
        try:
            for sentence in mend_before_a_night(setup):
                context.log.warning(sentence)
        except JourneymartError as error:
            return dg.SkipReason(str(error))
        return _ask(setup, context.instance, now)

    return every_night


def crons(until: time) -> list[str]:
    """The times of a day's looks, the first at `FIRST_TRY`, as cron writes them."""
    hour, minute = FIRST_TRY.hour, FIRST_TRY.minute
    return [f"{minute}-59/{EVERY} {hour} * * *", f"*/{EVERY} {hour + 1}-{until.hour} * * *"]


def _ask(setup: Setup, instance: dg.DagsterInstance, now: datetime) -> dg.RunRequest | dg.SkipReason:
    """A run of all that is due, unless one was asked for with just this before."""
    from orchestration.operations.arrivals import what_has_arrived
    from orchestration.operations.plan_night import outstanding_dates

    yesterday = now.date() - timedelta(days=1)
    through, waits = _through(setup, yesterday)
    # The last look asks for the whole day before, so that what is lacking fails a night and is seen in the history.
    until = setup.sources.nights.tried_until
    if now + timedelta(minutes=EVERY) > now.replace(hour=until.hour, minute=until.minute, second=0):
        through = yesterday
    days = outstanding_dates(setup, through) if through else []
    if not days:
        return dg.SkipReason(waits or f"Everything up to {through} is published.")
    arrived = what_has_arrived(setup, days, now)
    if instance.get_runs(dg.RunsFilter(job_name=JOB, tags={ARRIVED: arrived}), limit=1):
        return dg.SkipReason(f"Nothing has arrived since the last night was tried, which was up to {days[-1]}.")
    return dg.RunRequest(run_key=arrived, tags={**range_tags(days), ARRIVED: arrived})


def _through(setup: Setup, yesterday: date) -> tuple[date | None, str]:
    """The newest date that all who may not be missing have delivered, up to yesterday, and what is waited for."""
    from orchestration.operations.plan_night import wanted_date

    try:
        through = wanted_date(setup)
    except JourneymartError as error:
        return None, str(error)
    return min(through, yesterday), f"Not every extract of {yesterday} is there yet." if through < yesterday else ""
