"""Extract dates as Dagster's daily partitions.

A range of dates is one run; a version is a state and has no partitions.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import dagster as dg
from dagster import AssetExecutionContext

from orchestration.config.sources import Sources

RANGE_START = "dagster/asset_partition_range_start"
RANGE_END = "dagster/asset_partition_range_end"
_PARTITION = "dagster/partition"
_AGAIN = "journeymart/again_from"


def daily(sources: Sources) -> dg.DailyPartitionsDefinition:
    """One partition per extract date, complete at midnight of the reporting time zone."""
    return dg.DailyPartitionsDefinition(start_date=sources.first_date.isoformat(), timezone=sources.reporting_timezone)


def dates(context: AssetExecutionContext) -> list[date]:
    """Extract dates of a partitioned step, oldest first."""
    return sorted(date.fromisoformat(key) for key in context.partition_keys)


def last_date(context: AssetExecutionContext) -> date:
    """Last extract date of the run, from its tags: also for steps that have no partitions themselves."""
    tags = context.run.tags
    return date.fromisoformat(tags.get(RANGE_END) or tags[_PARTITION])


def again_from(context: AssetExecutionContext) -> date | None:
    """From which date on a person wants extracts pulled again that have landed; None: nobody does."""
    said = context.run.tags.get(_AGAIN)
    return date.fromisoformat(said) if said else None


def again_tags(day: date | None) -> dict[str, str]:
    """Tags that make a run pull again from a date on."""
    return {_AGAIN: day.isoformat()} if day else {}


def range_tags(days: Sequence[date]) -> dict[str, str]:
    """Tags that make one run do a range of dates."""
    return {RANGE_START: min(days).isoformat(), RANGE_END: max(days).isoformat()}
