"""What lay in a drop folder when an extract landed, so that one delivered again is noticed without reading it.

What lives here: one small file per stream, beside its landing partitions, and the comparison. Not here: what lies there
now (connectors/drop_folder.py) and whether its content is another (land.py, by sha256).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path

# The leading dot keeps it out of every listing of dates.
NAME = ".deliveries.json"

# What tells one state of a file from another, by its path in the drop folder.
Stamps = Mapping[str, str]


def remember(home: Path, stamps: Mapping[date, Stamps]) -> None:
    """Keep what lay there for extracts that are in landing now.

    Args:
        home: The stream's folder in landing.
        stamps: By extract date.
    """
    known = {**_read(home), **{day.isoformat(): dict(each) for day, each in stamps.items()}}
    new = home / f"{NAME}.new"
    new.write_text(json.dumps(known, indent=0, sort_keys=True), encoding="utf-8")
    new.replace(home / NAME)


def delivered_again(home: Path, now: Mapping[date, Stamps]) -> list[date]:
    """Landed extract dates of which something else lies in the drop folder than when they landed, or nobody knows.

    Args:
        home: The stream's folder in landing.
        now: What lies there, by extract date.
    """
    known = _read(home)
    return sorted(
        day
        for day, stamps in now.items()
        if known.get(day.isoformat()) != dict(stamps) and (home / day.isoformat()).exists()
    )


def _read(home: Path) -> dict[str, dict[str, str]]:
    """What is known; nothing if the file is not there or not whole: its extracts are looked at once more then."""
    try:
        known: dict[str, dict[str, str]] = json.loads((home / NAME).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return known
