"""Which day is over: by the company's clock, and wherever a company may be. Not here: which dates follow from it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from orchestration.config.setup import Setup


def last_day_over(setup: Setup) -> date:
    """Yesterday in the reporting time zone: an extract of a later date cannot hold the whole day."""
    return datetime.now(ZoneInfo(setup.sources.reporting_timezone)).date() - timedelta(days=1)


def last_day_over_everywhere() -> date:
    """The last day that is over wherever a company is: twelve hours behind Greenwich a day ends last."""
    return (datetime.now(UTC) - timedelta(hours=12, days=1)).date()
