"""Which dates a stream still owes, and how far a version may therefore reach. Pure: plain values in, plain values out.

What lives here: the rules of a night's dates. Not here: looking at the disk (plan_night.py).

A stream that may not be missing owes every date from its first on: its extract must be delivered and accepted, or a
person must have approved that it never comes. A business date never passes a date that is owed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from assets.versions.manifest import Missing


@dataclass(frozen=True)
class Deliverer:
    """What is known of one stream.

    Attributes:
        source: Installation.
        stream: Object.
        may_be_missing: Its last rows are carried forward where it delivers nothing.
        is_dated: Each date has a delivery of its own; else what lies there now serves every date before it, too.
        begins: The first date it owes.
        accepted: Dates of which an extract was accepted.
        excused: Dates of which a person said that nothing will come.
    """

    source: str
    stream: str
    may_be_missing: bool
    is_dated: bool
    begins: date
    accepted: frozenset[date]
    excused: frozenset[date] = frozenset()


@dataclass(frozen=True)
class Hole:
    """One extract that a stream owes."""

    source: str
    stream: str
    extract_date: date


@dataclass(frozen=True)
class Reach:
    """How far a version built now may say it reaches.

    Attributes:
        as_of: Its business date.
        holes: What is owed up to it.
        advances: It reaches further than what readers see; with holes it must not.
    """

    as_of: date
    holes: tuple[Hole, ...]
    advances: bool

    @property
    def may_be_published(self) -> bool:
        """Whether nothing is owed, or readers are told no later date than before."""
        return not (self.holes and self.advances)


def owed(deliverer: Deliverer, through: date) -> list[date]:
    """Dates up to `through` that a stream owes, oldest first."""
    if deliverer.may_be_missing:
        return []
    begins = deliverer.begins
    if not deliverer.is_dated:
        begins = max([begins, *(day + timedelta(days=1) for day in deliverer.accepted)])
    days = (begins + timedelta(days=n) for n in range((through - begins).days + 1))
    return [day for day in days if day not in deliverer.accepted and day not in deliverer.excused]


def holes(deliverers: Iterable[Deliverer], through: date) -> tuple[Hole, ...]:
    """All that is owed up to a date, oldest first."""
    found = [Hole(each.source, each.stream, day) for each in deliverers for day in owed(each, through)]
    return tuple(sorted(found, key=lambda hole: (hole.extract_date, hole.source, hole.stream)))


def begins_with(seen: Iterable[date], published: date) -> date:
    """The first date owed by a stream that joined when a version was published already: of its first delivery.

    Args:
        seen: Dates of which it delivered anything.
        published: Business date of the newest version, which knows nothing of the stream.
    """
    return min(seen, default=published + timedelta(days=1))


def missing(deliverers: Iterable[Deliverer], as_of: date) -> tuple[Missing, ...]:
    """Streams that owe something, or have nothing for the business date itself, and since when."""
    found = []
    for each in deliverers:
        if lacking := owed(each, as_of):
            found.append(Missing(each.source, each.stream, lacking[0], len(lacking)))
        elif as_of not in each.accepted:
            last = max((day for day in each.accepted if day < as_of), default=None)
            since = last + timedelta(days=1) if last else min(each.begins, as_of)
            found.append(Missing(each.source, each.stream, since, (as_of - since).days + 1))
    return tuple(sorted(found, key=lambda each: (each.source, each.stream)))


def reach(deliverers: Iterable[Deliverer], last_date: date, current: date | None) -> Reach:
    """How far a version built after a run up to `last_date` reaches, if readers now see one as of `current`.

    It never falls behind what readers see: a hole found behind that is said, and due.
    """
    as_of = max(last_date, current) if current else last_date
    return Reach(as_of, holes(deliverers, as_of), advances=current is None or as_of > current)


def dates_to_do(
    *,
    first: date,
    current: date | None,
    through: date,
    begin: date | None = None,
    late: Iterable[date] = (),
    behind: Iterable[date] = (),
) -> list[date]:
    """Extract dates a run up to `through` has to do, without gaps, oldest first; none if there are none.

    Args:
        first: The first extract date of all.
        current: Business date of what readers see; None: nothing yet.
        through: The last date wanted.
        begin: A person wants to begin here; what is due before it is done all the same.
        late: Dates delivered, or delivered again, since they were last looked at.
        behind: Dates owed up to `current`.
    """
    following = current + timedelta(days=1) if current else first
    wanted = [following, *late, *behind, *([begin] if begin else [])]
    return days_of(min(wanted), through)


def days_of(first: date, last: date) -> list[date]:
    """Every date from one to another, both included, oldest first; none if the last lies before the first."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]
