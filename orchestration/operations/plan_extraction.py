"""Which dates are extracted where nothing else is to be done: history that is fetched in pieces before a night.

Not here: which dates a night does (plan_night.py), pulling and landing (assets/pulling/extract.py).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from orchestration.config.setup import Setup
from orchestration.operations.days_over import last_day_over
from orchestration.operations.night_dates import days_of
from orchestration.operations.plan_night import (
    excused_dates,
    newest_complete_date,
    require_not_before_the_first,
)
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
    last = through or newest_complete_date(setup)
    if last > last_day_over(setup):
        raise JourneymartError(f"{last} is not over in {setup.sources.reporting_timezone}: name an earlier date.")
    require_not_before_the_first(setup, last, begin)
    if begin and begin > last:
        raise JourneymartError(f"{begin} lies behind {last}: name an earlier --from, or a later --to.")
    start = min([*_lacking(setup, sources, last), *([begin] if begin else [])], default=None)
    return days_of(start, last) if start else []


def _lacking(setup: Setup, sources: Collection[str], last: date) -> set[date]:
    """Dates of which a stream has landed nothing, though it owes an extract."""
    lacking: set[date] = set()
    for stream in setup.sources.streams:
        if stream.stream.source not in sources:
            continue
        # How things stand now is asked for once a day; how they stood on another day nobody can ask any more.
        first = last if stream.pull and not stream.is_dated else stream.first_date
        waiting = {*days_of(first, last)} - set(dated(setup.folder.landing_partition(stream.stream, first).parent))
        lacking |= waiting - excused_dates(setup, stream, waiting)
    return lacking
