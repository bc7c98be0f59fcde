"""Names of time zones. Not here: what is dated by them."""

from __future__ import annotations

from functools import cache
from zoneinfo import available_timezones


@cache
def time_zones() -> frozenset[str]:
    """IANA names of all time zones; finding them reads a folder of hundreds of files, so it is done once."""
    return frozenset(available_timezones())
