"""Commands of nights: `run`, `sample`, `status`.

Not here: which dates a night does (orchestration/operations), how it looks meanwhile (console.py).
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestration.cli.alerts import watched
from orchestration.cli.current import installation
from orchestration.cli.output import Json, console, print_fields, print_json
from orchestration.cli.starting import started
from storage.errors import JourneymartError

if TYPE_CHECKING:
    from assets.versions.manifest import Manifest
    from orchestration.config.setup import Setup
    from storage.data_folder import StreamId

# Nights the first `journeymart sample` writes: history, and enough days to see a night follow another.
SAMPLE_DAYS = 3


def run(
    as_of: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Last extract date; by default the newest every source has delivered."),
    ] = None,
    begin: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="Extract again from this date on.")
    ] = None,
    night_by_night: Annotated[
        bool, typer.Option("--night-by-night", help="One run and one version per date, not one for all.")
    ] = False,
) -> None:
    """Run the nights that are due and print the scorecard."""
    began = time.monotonic()
    setup = installation()
    from orchestration.cli.console import print_damages
    from orchestration.operations.mend import mend_before_a_night
    from orchestration.operations.plan_night import delivered_again, outstanding_dates, wanted_date

    made: list[Manifest] = []
    with watched(setup):
        print_damages(console, mend_before_a_night(setup))
        through = as_of.date() if as_of else wanted_date(setup)
        days = outstanding_dates(setup, through, begin.date() if begin else None)
        again = delivered_again(setup, through)
        if days:
            before = _current_batches(setup)
            nights = [[day] for day in days] if night_by_night else [days]
            made = _run_nights(setup, nights, begin.date() if begin else None)
            _say_corrected(again, before, _current_batches(setup))
        else:
            console.print(f"Everything up to {through} is published; nothing to do.")
            _make_up_in_store(setup)
    _print_scorecard(setup, made, time.monotonic() - began)


def _make_up_in_store(setup: Setup) -> None:
    """Bring the object store in step, where no night did."""
    from orchestration.operations.object_store import make_up
    from storage.locks import data_lock

    if setup.sources.publish_to:
        with data_lock(setup.folder, "publishing to the object store"):
            make_up(setup, datetime.now(UTC))


def _current_batches(setup: Setup) -> dict[tuple[str, str, date], str]:
    """The batches published last, by source, stream and extract date."""
    from assets.versions.standing import look

    version = look(setup.folder).reached
    batches = version.manifest.batches if version else ()
    return {(each.source, each.stream, each.extract_date): each.batch_id for each in batches}


def _say_corrected(
    again: Sequence[tuple[StreamId, date]],
    before: Mapping[tuple[str, str, date], str],
    after: Mapping[tuple[str, str, date], str],
) -> None:
    """Say which published extracts were delivered again, and that the figures follow the new ones."""
    for stream, day in again:
        key = (stream.source, stream.stream, day)
        if key in before and before[key] != after.get(key):
            console.print(
                f"  {stream} of {day} was delivered again: taken, and what follows from it made anew",
                highlight=False,
                soft_wrap=True,
            )


def _run_nights(setup: Setup, nights: Sequence[Sequence[date]], again_from: date | None) -> list[Manifest]:
    """Run nights one after the other; what they published, in order."""
    from assets.versions.standing import look
    from orchestration.instance import open_instance, quiet_environment
    from orchestration.processes.gate import GATE

    quiet_environment()
    GATE.warm_up()
    defs = started(setup)
    from orchestration.cli.console import NightDisplay
    from orchestration.cli.run_night import run_night

    made = []
    with open_instance(setup.settings) as instance:
        for days in nights:
            display = NightDisplay(console)
            with display.showing("Night", days):
                outcome = run_night(defs, instance, days, display, again_from)
            version = look(setup.folder).reached
            if outcome.published and version:
                made.append(version.manifest)
            else:
                console.print("  nothing is new: the current version already holds all of it")
    return made


def _print_scorecard(setup: Setup, made: Sequence[Manifest], seconds: float) -> None:
    from assets.versions.pin import read_pin
    from assets.versions.versions import current_version
    from orchestration.cli.console import print_no_longer_named, print_scorecard
    from orchestration.cli.scorecard import read_scorecard
    from orchestration.operations.plan_night import no_longer_named

    version = current_version(setup.folder)
    if version:
        print_scorecard(console, read_scorecard(setup.folder, version, made), seconds)
    print_no_longer_named(console, no_longer_named(setup))
    if pin := read_pin(setup.folder):
        console.print(pin.sentence, style="yellow", highlight=False, markup=False, soft_wrap=True)


def sample(
    customers: Annotated[int | None, typer.Option(min=1, help="Customers at the start; by default 2,000.")] = None,
    days: Annotated[
        int | None,
        typer.Option(min=1, help="Nights of extracts to write, the first with all history; by default 3."),
    ] = None,
    through: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Write extracts up to this date, in place of --days."),
    ] = None,
    next_day: Annotated[
        bool, typer.Option("--next", help="Write the day after the last one, if there are extracts already.")
    ] = False,
) -> None:
    """Write the sample company's extracts into its drop folder."""
    setup = installation()
    if days and through:
        raise typer.BadParameter("name either --days or --through")
    from sample_company.company import Company
    from sample_company.export import write_extracts, write_next_day, written_through
    from storage.folders import make_open

    make_open(setup.settings.data)
    drop = setup.settings.data / "drop"
    first = setup.sources.first_date
    with console.status("writing extracts"):
        if next_day and written_through(drop):
            written = write_next_day(drop)
        else:
            last = through.date() if through else first + timedelta(days=(days or SAMPLE_DAYS) - 1)
            company = Company() if customers is None else Company(customers=customers)
            written = write_extracts(company, drop, first, last)
    console.print(
        f"{len(written)} extracts written to {drop}, which now reaches to {written_through(drop)}.",
        highlight=False,
        soft_wrap=True,
    )


def status(as_json: Json = False) -> None:
    """Say what readers see now, and whether a night is due."""
    setup = installation()
    from assets.versions.standing import look
    from orchestration.cli.console import print_damages, print_left_out, print_no_longer_named, print_warned
    from orchestration.cli.scorecard import left_out, warned
    from orchestration.operations.mend import damages
    from orchestration.operations.object_store import store_standing
    from orchestration.operations.plan_night import no_longer_named

    standing, damaged, store = look(setup.folder), damages(setup), store_standing(setup)
    version = standing.seen
    report = {
        "data": str(setup.settings.data),
        "current": version.id if version else None,
        "as_of": version.manifest.as_of if version else None,
        "published_at": version.manifest.published_at if version else None,
        "engine": version.manifest.engine if version else None,
        "is_stale": version.manifest.is_stale if version else None,
        "stale_since": version.manifest.stale_since if version else None,
        "missing": [f"{each.source}/{each.stream} since {each.since}" for each in version.manifest.missing]
        if version
        else [],
        "approved": [each.sentence for each in version.manifest.approvals] if version else [],
        "checks_passed": version.manifest.checks.passed if version else None,
        "checks_warned": version.manifest.checks.warned if version else None,
        "versions": len(standing.sound),
        "pinned": standing.pin.sentence if standing.pin else None,
        "store": (store.fault or f"in step, names {store.named}") if store else None,
        **_due(setup),
    }
    warnings, without = (warned(version), left_out(version)) if version else ((), ())
    # Which of the accepted extracts are in no figure is told when all of them can be read again.
    gone = () if damaged else no_longer_named(setup)
    if as_json:
        print_json({**report, "damaged": damaged, "warned": warnings, "left_out": without, "no_longer_named": gone})
    else:
        print_fields(report)
        print_damages(console, damaged)
        print_no_longer_named(console, gone)
        print_warned(console, warnings)
        print_left_out(console, without)


def _due(setup: Setup) -> dict[str, Any]:
    """Dates that wait for a night; a source that cannot be looked at is said: status must always answer."""
    from orchestration.operations.approve_extract import kept_out
    from orchestration.operations.plan_night import outstanding_dates, wanted_date

    try:
        due = outstanding_dates(setup, wanted_date(setup))
        waiting = [f"{each.extract} of {each.extract_date}: {each.state}" for each in kept_out(setup)]
    except JourneymartError as error:
        return {"due": [], "waiting_for": [], "problem": str(error)}
    return {"due": [day.isoformat() for day in due], "waiting_for": waiting, "problem": None}
