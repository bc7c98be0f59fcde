"""Which dates a night has to do, and what its build is made of.

Decisions over what lies on disk; nothing is changed here. The rules of dates are in night_dates.py.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from orchestration.config.setup import Setup
from orchestration.operations.days_over import last_day_over
from orchestration.operations.night_dates import (
    Deliverer,
    Hole,
    Reach,
    begins_with,
    dates_to_do,
    days_of,
    holes,
    missing,
    reach,
)
from quality.gate.approvals import Approval, Approvals, read_approvals
from storage.data_folder import StreamId
from storage.errors import JourneymartError
from storage.folders import dated

if TYPE_CHECKING:
    from assets.landing.connectors.config import FileStream
    from assets.versions.manifest import Batch, DefinitionChange, Manifest, Missing
    from assets.versions.versions import Version
    from quality.gate.accepted import AcceptedBatch


@dataclass(frozen=True)
class BuildPlan:
    """What the next version is made of.

    Attributes:
        reach: Its business date, and what is owed up to it.
        base: The version it starts from; None: from nothing.
        accepted: Every batch accepted up to its business date, which is what it will hold.
        lacking: Those the base lacks.
        restated: Those it holds with the same rows, but of which the gate now says something else.
        definition_changes: When definitions changed, this night's changes included.
        missing: Streams of which it lacks extracts.
        approvals: What it is built on that a person approved.
        begins: The first date each stream owes, by its name.
        is_current: Readers already see exactly this, or would if they were not pinned.
    """

    reach: Reach
    base: Version | None
    accepted: tuple[AcceptedBatch, ...]
    lacking: tuple[AcceptedBatch, ...]
    restated: tuple[AcceptedBatch, ...]
    definition_changes: tuple[DefinitionChange, ...]
    missing: tuple[Missing, ...]
    approvals: tuple[Approval, ...]
    begins: Mapping[str, date]
    is_current: bool

    @property
    def as_of(self) -> date:
        """Its business date."""
        return self.reach.as_of

    @property
    def stale_since(self) -> date | None:
        """The first date of which something is missing; None: nothing is."""
        return min((each.since for each in self.missing), default=None)

    @property
    def batches(self) -> tuple[Batch, ...]:
        """Every batch as the version's manifest lists it."""
        from assets.versions.manifest import Batch

        return tuple(
            Batch(b.batch_id, b.source, b.system, b.stream, b.extract_date, b.rows, b.judgement) for b in self.accepted
        )

    @property
    def rows_in(self) -> int:
        """Rows of the lacking batches, before quarantine."""
        return sum(batch.rows + batch.quarantined for batch in self.lacking)

    @property
    def quarantined_rows(self) -> int:
        """How many of them went to quarantine."""
        return sum(batch.quarantined for batch in self.lacking)

    def require_reach(self) -> None:
        """Refuse a version that would tell a later date than every stream has delivered.

        Raises:
            JourneymartError: Something up to its business date is owed.
        """
        if self.reach.may_be_published:
            return
        first, *others = self.reach.holes
        more = f", and {len(others)} more are lacking" if others else ""
        raise JourneymartError(
            f"The night of {self.as_of} was not published, because the extract of {first.source}/{first.stream} for "
            f"{first.extract_date} was not delivered and accepted{more}: run `journeymart run --from "
            f"{first.extract_date}`, or, if it never comes, {how_to_approve(first)}."
        )


def how_to_approve(hole: Hole) -> str:
    """The command by which a person says that an extract may pass, or that none will come."""
    return f'`journeymart gate approve {hole.source}/{hole.stream} {hole.extract_date} --because "..."`'


def plan_build(setup: Setup, last_date: date) -> BuildPlan:
    """Decide what the next version is made of. Stands still while the data lock is held.

    Args:
        setup: Settings and sources.
        last_date: Last extract date of the run.
    """
    from assets.versions.definition_log import definition_log
    from assets.versions.standing import look, sound_base
    from quality.gate.accepted import accepted_batches

    streams = {stream.stream for stream in setup.sources.streams}
    all_accepted = [batch for batch in accepted_batches(setup.folder) if batch.stream_id in streams]
    standing = look(setup.folder)
    newest, current = standing.last_said, standing.reached
    approvals = read_approvals(setup.folder)
    deliverers = _deliverers(setup, all_accepted, newest, approvals)
    reached = reach(deliverers, last_date, current.manifest.as_of if current else None)
    # What came for later dates waits for a version that reaches them.
    accepted = tuple(batch for batch in all_accepted if batch.extract_date <= reached.as_of)
    base = sound_base(standing.sound, {batch.batch_id for batch in accepted}, setup.fingerprint)
    held = {batch.batch_id: batch.judgement for batch in base.manifest.batches} if base else {}
    lacking = tuple(batch for batch in accepted if batch.batch_id not in held)
    restated = tuple(batch for batch in accepted if held.get(batch.batch_id, batch.judgement) != batch.judgement)
    lacking_extracts = missing(deliverers, reached.as_of)
    approved = tuple(
        each
        for each in approvals.that_hold(
            ((b.stream_id, b.extract_date, b.landing_sha256) for b in accepted), reached.as_of
        )
        if each.subject in {str(stream) for stream in streams}
    )
    is_current = (
        base is not None
        and current is not None
        and not (lacking or restated)
        and base.id == current.id
        and (base.manifest.as_of, base.manifest.missing, base.manifest.approvals)
        == (reached.as_of, lacking_extracts, approved)
    )
    if setup.sources.engine and not is_current:  # it makes all models anew, whatever is new
        base, lacking, restated = None, accepted, ()
    return BuildPlan(
        reach=reached,
        base=base,
        accepted=accepted,
        lacking=lacking,
        restated=restated,
        definition_changes=definition_log(newest, setup.definitions, reached.as_of),
        missing=lacking_extracts,
        approvals=approved,
        begins={f"{each.source}/{each.stream}": each.begins for each in deliverers},
        is_current=is_current,
    )


def no_longer_named(setup: Setup) -> tuple[str, ...]:
    """Streams that delivered and that `company.yml` names no more, whose past is in no figure, a sentence each."""
    from quality.gate.accepted import accepted_batches

    named = {stream.stream for stream in setup.sources.streams}
    extracts = Counter(batch.stream_id for batch in accepted_batches(setup.folder) if batch.stream_id not in named)
    return tuple(
        f"{stream}: {count} accepted extract{'s are' if count > 1 else ' is'} in no figure, because "
        f"{setup.sources.file} does not name the stream: put it back with when_missing: carry_forward to keep its "
        f"past, or remove {setup.folder.accepted / stream.source / stream.stream}, if its past is to go."
        for stream, count in sorted(extracts.items(), key=lambda each: str(each[0]))
    )


def newest_complete_date(setup: Setup) -> date:
    """The newest date that is over and for which every source that may not be missing has delivered, or need not.

    Streams whose file names carry no date, and those that are pulled, say nothing about dates; where all are so, it is
    the last day that is over.

    Raises:
        JourneymartError: A stream has delivered nothing at all.
    """
    approvals = read_approvals(setup.folder)
    dated = [stream for stream in setup.sources.streams if stream.is_dated and stream.pull is None]
    blocking = [stream for stream in dated if stream.when_missing == "block"]
    newest = []
    for stream in blocking or dated:
        days = [*delivered_dates(stream), *approvals.absent(stream.stream)]
        if not days:
            raise JourneymartError(
                f"No complete extract of {stream.stream} lies in {stream.location} (looked for "
                f"{stream.pattern}): deliver one, take {stream.stream} out of company.yml if there is none, write the "
                "sample company's with `journeymart sample`, or set when_missing: carry_forward."
            )
        newest.append(max(days))
    return min([*newest, last_day_over(setup)])


def require_not_before_the_first(setup: Setup, *days: date | None) -> None:
    """Refuse dates before the first extract date.

    Raises:
        JourneymartError: One of them is.
    """
    first = setup.sources.first_date
    if early := [day for day in days if day and day < first]:
        raise JourneymartError(
            f"{early[0]} lies before {first}, the first_date of {setup.sources.file}: name a later date."
        )


def wanted_date(setup: Setup) -> date:
    """The date a run goes up to if nobody names one: never before what readers see or saw, where what is owed is due.

    Raises:
        JourneymartError: A stream has delivered nothing at all.
    """
    from assets.versions.standing import look

    standing = look(setup.folder)
    complete = newest_complete_date(setup)
    # What readers saw before it was damaged is to be seen again.
    known = standing.reached.manifest if standing.reached and standing.seen else standing.last_said
    return max(complete, known.as_of) if known else complete


def outstanding_dates(setup: Setup, through: date, begin: date | None = None) -> list[date]:
    """Extract dates a run up to `through` has to do, without gaps; none if everything is published.

    Begins after the current version's business date, or earlier where an extract arrived late or again, or is owed.
    Where no date is left to do but a batch, an approval, the project, a contract or a mapping changed, it is the
    current business date once more.

    Args:
        setup: Settings and sources.
        through: The last extract date wanted.
        begin: Extract again from here.

    Raises:
        JourneymartError: A date lies before the first extract date, or is not over.
    """
    from assets.versions.standing import look

    first, over = setup.sources.first_date, last_day_over(setup)
    if max(first, through) > over:
        raise JourneymartError(
            f"{max(first, through)} is not over in {setup.sources.reporting_timezone}: run it after midnight there, or "
            + ("name an earlier date." if first <= over else f"give {setup.sources.file} an earlier first_date.")
        )
    require_not_before_the_first(setup, through, begin)
    version = look(setup.folder).reached
    current = version.manifest.as_of if version else None
    plan = plan_build(setup, current) if current else None
    late = [day for stream in setup.sources.streams for day in _to_land(setup, stream)]
    late += [day for stream in setup.sources.streams for day in _to_pull(setup, stream, current)]
    days = dates_to_do(
        first=first,
        current=current,
        through=through,
        begin=begin,
        late=late,
        behind=[hole.extract_date for hole in plan.reach.holes] if plan else (),
    )
    if days or plan is None:
        return days
    return [] if plan.is_current and not mapped_otherwise(setup) else [plan.as_of]


def delivered_again(setup: Setup, through: date) -> list[tuple[StreamId, date]]:
    """Landed extracts, up to a date, that were delivered anew since, by the look of the drop folder."""
    found = [(s.stream, day) for s in setup.sources.streams for day in _redelivered(setup, s) if day <= through]
    return sorted(found, key=lambda each: (each[1], str(each[0])))


def mapped_otherwise(setup: Setup) -> list[StreamId]:
    """Streams of which something landed under another mapping than they have now."""
    from assets.landing.map_again import behind_their_mapping

    homes = {s: setup.folder.landing_partition(s.stream, s.first_date).parent for s in setup.sources.streams}
    return [stream.stream for stream, home in homes.items() if behind_their_mapping(stream, home)]


def excused_dates(setup: Setup, stream: FileStream, days: Iterable[date]) -> frozenset[date]:
    """Those of some dates of which a stream owes nothing: before it began, and where a person said so."""
    from assets.versions.standing import look

    begins = _begins(setup, stream, look(setup.folder).last_said)
    absent = read_approvals(setup.folder).absent(stream.stream)
    return frozenset(day for day in days if day < begins or day in absent)


def open_holes(setup: Setup) -> tuple[Hole, ...]:
    """What streams owe up to the newest date anybody has delivered, or readers see."""
    from assets.versions.standing import look
    from quality.gate.accepted import accepted_batches

    newest = look(setup.folder).last_said
    dated = [stream for stream in setup.sources.streams if stream.is_dated]
    delivered = [day for stream in dated for day in delivered_dates(stream)[-1:]]
    through = max([*delivered, *([newest.as_of] if newest else [])], default=None)
    if through is None:
        return ()
    return holes(_deliverers(setup, accepted_batches(setup.folder), newest, read_approvals(setup.folder)), through)


def delivered_dates(stream: FileStream) -> list[date]:
    """Extract dates for which a stream's drop folder holds a complete delivery."""
    from assets.landing.connectors.drop_folder import available_dates

    return available_dates(stream)


def _deliverers(
    setup: Setup, accepted: Iterable[AcceptedBatch], newest: Manifest | None, approvals: Approvals
) -> tuple[Deliverer, ...]:
    """What is known of each configured stream.

    Args:
        setup: Settings and sources.
        accepted: Every accepted batch.
        newest: Manifest of the newest version; None: there is none.
        approvals: Every approval.
    """
    dates: defaultdict[StreamId, set[date]] = defaultdict(set)
    for batch in accepted:
        dates[batch.stream_id].add(batch.extract_date)
    return tuple(
        Deliverer(
            source=stream.stream.source,
            stream=stream.stream.stream,
            may_be_missing=stream.when_missing != "block",
            is_dated=stream.is_dated,
            begins=_begins(setup, stream, newest),
            accepted=frozenset(dates[stream.stream]),
            excused=approvals.absent(stream.stream),
        )
        for stream in setup.sources.streams
    )


def _begins(setup: Setup, stream: FileStream, newest: Manifest | None) -> date:
    """The first date a stream owes."""
    if newest is None:
        return stream.first_date
    if known := newest.begins.get(str(stream.stream)):
        return max(stream.first_date, known)
    seen = [*(delivered_dates(stream) if stream.is_dated else ()), *_landed_dates(setup, stream)]
    return max(stream.first_date, begins_with(seen, newest.as_of))


def _to_land(setup: Setup, stream: FileStream) -> list[date]:
    """Dates whose extract is delivered and not landed, or delivered anew since."""
    from assets.landing.connectors.drop_folder import deliveries

    if not (stream.is_dated or stream.history):
        return []
    landed, lying = set(_landed_dates(setup, stream)), deliveries(stream)
    return [*(day for day in lying if day not in landed), *_landed_otherwise(setup, stream, lying)]


def _to_pull(setup: Setup, stream: FileStream, current: date | None) -> list[date]:
    """Dates up to what readers see of which a pulled stream has landed nothing: nobody could reach its source."""
    if stream.pull is None or not stream.is_dated or current is None:
        return []
    lacking = sorted({*days_of(stream.first_date, current)} - {*_landed_dates(setup, stream)})
    excused = excused_dates(setup, stream, lacking) if lacking else frozenset[date]()
    return [day for day in lacking if day not in excused]


def _redelivered(setup: Setup, stream: FileStream) -> list[date]:
    from assets.landing.connectors.drop_folder import deliveries

    if not (stream.is_dated or stream.history):
        return []
    return _landed_otherwise(setup, stream, deliveries(stream))


def _landed_otherwise(setup: Setup, stream: FileStream, lying: Mapping[date, Mapping[str, str]]) -> list[date]:
    """Landed dates of which something else lies in the drop folder now."""
    from assets.landing.deliveries import delivered_again as differ

    return differ(setup.folder.landing_partition(stream.stream, stream.first_date).parent, lying)


def _landed_dates(setup: Setup, stream: FileStream) -> list[date]:
    return dated(setup.folder.landing_partition(stream.stream, stream.first_date).parent)
