"""What there is for a night to take, as one short text: the same text, and a night that failed would fail again.

Not here: which dates are due (plan_night.py), when it is looked (orchestration/schedules.py).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestration.config.setup import Setup


def what_has_arrived(setup: Setup, days: Sequence[date], now: datetime) -> str:
    """Tell one state of what is delivered and approved from another.

    Each day is a new state, so that a night that failed is tried once a day at least. A source that is pulled delivers
    nothing that could be looked at, so with one among them each hour is a new state: it may be reached again.

    Args:
        setup: Settings and sources.
        days: The dates a night would do.
        now: The moment of the look.

    Raises:
        JourneymartError: A drop folder cannot be read.
    """
    from assets.landing.connectors.drop_folder import deliveries

    streams = setup.sources.streams
    said = {
        "days": [days[0].isoformat(), days[-1].isoformat()],
        "delivered": {
            str(stream.stream): {day.isoformat(): stamps for day, stamps in deliveries(stream).items()}
            for stream in streams
            if stream.pull is None
        },
        "approved": sorted(path.name for path in setup.folder.approvals.glob("*.json")),
        "looked": now.strftime("%Y-%m-%d %H" if any(stream.pull for stream in streams) else "%Y-%m-%d"),
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:32]
