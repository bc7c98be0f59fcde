"""Which day's rows an extract date holds: its window, and whether the delivery is history or is cut by day.

Not here: cutting (portions.py, cursor_window.py).
"""

from __future__ import annotations

from datetime import date, timedelta

from assets.landing.connectors.config import FileStream


def is_history(stream: FileStream, day: date) -> bool:
    """Whether the delivery of a date is the bulk history."""
    return stream.history is not None and day == stream.first_date


def is_cut(stream: FileStream, day: date) -> bool:
    """Whether the delivery serves other dates too, and holds rows of theirs."""
    return "{date}" not in stream.pattern and stream.mode == "increment" and not is_history(stream, day)


def window_of(stream: FileStream, day: date) -> tuple[str | None, str]:
    """Cursor window of a date, [from, to) as ISO days; the first reaches back to the beginning."""
    return (None if day == stream.first_date else day.isoformat(), (day + timedelta(days=1)).isoformat())
