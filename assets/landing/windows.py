"""Which dates have an extract, and which day's rows it holds: its window, and whether it is history or is cut by day.

Not here: cutting (portions.py, cursor_window.py).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta

from assets.landing.connectors.config import FileStream


def is_history(stream: FileStream, day: date) -> bool:
    """Whether the delivery of a date is the bulk history."""
    return stream.history is not None and day == stream.first_date


def is_cut(stream: FileStream, day: date) -> bool:
    """Whether the delivery serves other dates too, and holds rows of theirs."""
    return "{date}" not in stream.pattern and stream.mode == "increment" and not is_history(stream, day)


def dates_to_land(stream: FileStream, dates: Collection[date]) -> list[date]:
    """Those of some dates that have an extract of their own, ascending.

    What says how things stand now is the last one's, and the first extract date's, which holds what there was before.
    """
    ordered = sorted(set(dates))
    if stream.mode == "full" and not stream.is_dated:
        return [day for day in ordered if day in (stream.first_date, ordered[-1])]
    return ordered


def window_of(stream: FileStream, day: date) -> tuple[str | None, str]:
    """Cursor window of a date, [from, to) as ISO days; the first reaches back to the beginning."""
    return (None if day == stream.first_date else day.isoformat(), (day + timedelta(days=1)).isoformat())
