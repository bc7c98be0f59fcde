"""Which dates are extracted where nothing else is to be done: history that is fetched in pieces before a night.

Not here: which dates a night does (plan_night.py), pulling and landing (assets/pulling/extract.py).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta

from orchestration.config.setup import Setup
from orchestration.operations.plan_night import excused_dates, last_day_over, newest_complete_date
from storage.errors import JourneymartError
from storage.folders import dated


def dates_to_extract(
    setup: Setup, sources: Collection[str], through: date | None = None, begin: date | None = None
) -> list[date]:
    """Dates that some sources have to land, without gaps, oldest first; none if everything has landed.

    Args:
        setup: Settings and sources.
        sources: Names of the sources.
        through: The last date wanted; None: the newest that every source has delivered.
        begin: Extract again from here, though it has landed.

    Raises:
        JourneymartError: A date lies before the first extract date or is not over, they are the wrong way round, or no
            date is named and a stream has delivered nothing at all.
    """
    first, over = setup.sources.first_date, last_day_over(setup)
    last = through or newest_complete_date(setup)
    if last > over:
        raise JourneymartError(f"{last} is not over in {setup.sources.reporting_timezone}: name an earlier date.")
    if early := [day for day in (last, begin) if day and day < first]:
        raise JourneymartError(
            f"{early[0]} lies before {first}, the first_date of {setup.sources.file}: name a later date."
        )
    if begin and begin > last:
        raise JourneymartError(f"{begin} lies behind {last}: name an earlier --from, or a later --to.")
    start = min([*_lacking(setup, sources, last), *([begin] if begin else [])], default=None)
    return [start + timedelta(days=n) for n in range((last - start).days + 1)] if start else []


def _lacking(setup: Setup, sources: Collection[str], last: date) -> set[date]:
    """Dates of which a stream has landed nothing, though it owes an extract."""
    lacking: set[date] = set()
    for stream in setup.sources.streams:
        if stream.stream.source not in sources:
            continue
        # How things stand now is asked for once a day; how they stood on another day nobody can ask any more.
        first = last if stream.pull and not stream.is_dated else stream.first_date
        owed = {first + timedelta(days=n) for n in range((last - first).days + 1)}
        waiting = owed - set(dated(setup.folder.landing_partition(stream.stream, first).parent))
        lacking |= waiting - excused_dates(setup, stream, waiting)
    return lacking
