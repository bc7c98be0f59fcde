"""How a message reads: what happened, since when, what readers see meanwhile, what to run. Pure.

Not here: what is wrong (causes.py), sending (send.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from orchestration.alerts.causes import Cause, readers_see
from orchestration.alerts.facts import Facts, Seen
from orchestration.config.sources_file import AlertKind

# Causes that a message names; the rest is counted.
_NAMED = 8

_TITLES: dict[AlertKind, str] = {
    "failed": "a night failed",
    "blocked": "the gate keeps extracts out",
    "quarantine": "too many rows are at fault",
    "late": "a night is late",
    "stale": "readers see an old version, or none",
    "kpi": "a figure got worse",
    "restated": "a figure of a closed month changed",
    "shadow": "what stands is not what its records make",
    "recovery": "over",
}


@dataclass(frozen=True)
class Message:
    """One message, and when it was written, with an offset."""

    kind: AlertKind
    title: str
    body: str
    at: datetime


def alert(kind: AlertKind, found: Sequence[Cause], facts: Facts, company: str) -> Message:
    """The message of all new causes of a kind."""
    lines = []
    for cause in found[:_NAMED]:
        lines += [cause.sentence, f"Since {_moment(cause.since, facts)}. Run: {cause.command}"]
    return _message(kind, [*lines, *_more(found)], facts, company)


def recovery(ended: Sequence[Cause], facts: Facts, company: str) -> Message:
    """The message of all that has ended."""
    lines = [f"Over, since {_moment(cause.since, facts)}: {cause.sentence}" for cause in ended[:_NAMED]]
    return _message("recovery", [*lines, *_more(ended)], facts, company)


def trial(seen: Seen | None, damage: str | None, now: datetime, company: str) -> Message:
    """The message by which a person tries an address."""
    said = f"This address is told of {company}'s nights. Nothing has happened; somebody ran: journeymart alerts test"
    return Message("recovery", f"{company}: a test", "\n".join([said, readers_see(seen, damage)]), now)


def _message(kind: AlertKind, lines: Sequence[str], facts: Facts, company: str) -> Message:
    return Message(
        kind, f"{company}: {_TITLES[kind]}", "\n".join([*lines, readers_see(facts.seen, facts.damage)]), facts.now
    )


def _more(found: Sequence[Cause]) -> list[str]:
    return [f"And {len(found) - _NAMED} more: journeymart status"] if len(found) > _NAMED else []


def _moment(at: datetime, facts: Facts) -> str:
    return f"{at.astimezone(facts.now.tzinfo):%Y-%m-%d %H:%M}"
