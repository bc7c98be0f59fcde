"""Which dates a night has to do, and what its build is made of.

Pure decisions over what lies on disk; nothing is changed here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from orchestration.setup import Setup
from quality.errors import JourneymartError

if TYPE_CHECKING:
    from assets.connectors.config import FileStream
    from assets.manifest import Batch, DefinitionChange
    from assets.versions import Version
    from quality.accepted import Batch as AcceptedBatch


@dataclass(frozen=True)
class BuildPlan:
    """What the next version is made of.

    Attributes:
        as_of: Its business date.
        base: The version it starts from; None: from nothing.
        accepted: Every accepted batch, which is what it will hold.
        lacking: Those the base lacks.
        restated: Those it holds with the same rows, but of which the gate now says something else.
        definition_changes: When definitions changed, this night's changes included.
        stale_sources: Sources that delivered nothing for the business date and are carried forward.
        is_current: Readers already see exactly this.
    """

    as_of: date
    base: Version | None
    accepted: tuple[AcceptedBatch, ...]
    lacking: tuple[AcceptedBatch, ...]
    restated: tuple[AcceptedBatch, ...]
    definition_changes: tuple[DefinitionChange, ...]
    stale_sources: tuple[str, ...]
    is_current: bool

    @property
    def batches(self) -> tuple[Batch, ...]:
        """Every batch as the version's manifest lists it."""
        from assets.manifest import Batch

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


def plan_build(setup: Setup, last_date: date) -> BuildPlan:
    """Decide what the next version is made of. Stands still while the data lock is held.

    Args:
        setup: Settings and sources.
        last_date: Last extract date of the run.
    """
    from assets.definitions import definition_log
    from assets.versions import choose_base, current_id, list_versions
    from quality.accepted import accepted_batches

    streams = {stream.stream for stream in setup.sources.streams}
    accepted = tuple(batch for batch in accepted_batches(setup.folder) if batch.stream_id in streams)
    as_of = max([last_date, *(batch.extract_date for batch in accepted)])
    versions = list_versions(setup.folder)
    base = choose_base(versions, {batch.batch_id for batch in accepted}, setup.fingerprint)
    held = {batch.batch_id: batch.judgement for batch in base.manifest.batches} if base else {}
    lacking = tuple(batch for batch in accepted if batch.batch_id not in held)
    restated = tuple(batch for batch in accepted if held.get(batch.batch_id, batch.judgement) != batch.judgement)
    newest = versions[-1].manifest if versions else None
    delivered = {batch.stream_id for batch in accepted if batch.extract_date == as_of}
    missing = {stream.stream.source for stream in setup.sources.streams if stream.stream not in delivered}
    stale = tuple(sorted(missing))
    return BuildPlan(
        as_of=as_of,
        base=base,
        accepted=accepted,
        lacking=lacking,
        restated=restated,
        definition_changes=definition_log(newest, setup.definitions, as_of),
        stale_sources=stale,
        is_current=base is not None
        and not (lacking or restated)
        and base.id == current_id(setup.folder)
        and (base.manifest.as_of, base.manifest.stale_sources) == (as_of, stale),
    )


def newest_complete_date(setup: Setup) -> date:
    """The newest date for which every source that may not be missing has delivered.

    Streams whose file names carry no date say nothing about dates; where all are so, it is yesterday.

    Raises:
        JourneymartError: A stream has delivered nothing at all.
    """
    dated = [stream for stream in setup.sources.streams if "{date}" in stream.pattern]
    blocking = [stream for stream in dated if stream.when_missing == "block"]
    newest = []
    for stream in blocking or dated:
        days = delivered_dates(stream)
        if not days:
            raise JourneymartError(
                f"No complete extract of {stream.stream} lies in {stream.location} (looked for "
                f"{stream.pattern}): deliver one, write the sample company's with `journeymart sample`, or "
                "set when_missing: carry_forward."
            )
        newest.append(days[-1])
    if newest:
        return min(newest)
    return datetime.now(ZoneInfo(setup.sources.reporting_timezone)).date() - timedelta(days=1)


def outstanding_dates(setup: Setup, through: date, begin: date | None = None) -> list[date]:
    """Extract dates a run up to `through` has to do, without gaps; none if everything is published.

    Begins after the current version's business date, or earlier where an extract arrived late. Where no
    date is left to do but a batch, the project or a contract changed, it is the current business date
    once more.

    Args:
        setup: Settings and sources.
        through: The last extract date wanted.
        begin: Extract again from here.

    Raises:
        JourneymartError: A date lies before the first extract date.
    """
    from assets.versions import current_version

    first = setup.sources.first_date
    if too_early := [day for day in (through, begin) if day and day < first]:
        raise JourneymartError(
            f"{too_early[0]} lies before {first}, the first_date of {setup.sources.file}: name a later date."
        )
    current = current_version(setup.folder)
    following = current.manifest.as_of + timedelta(days=1) if current else first
    late = [day for stream in setup.sources.streams for day in _not_landed(setup, stream)]
    start = min([begin or following, *(day for day in late if day <= through)])
    if start <= through:
        return [start + timedelta(days=n) for n in range((through - start).days + 1)]
    as_of = following - timedelta(days=1)
    return [] if plan_build(setup, as_of).is_current else [as_of]


def delivered_dates(stream: FileStream) -> list[date]:
    """Extract dates for which a stream's drop folder holds a complete delivery."""
    from assets.connectors.drop_folder import available_dates

    return available_dates(stream)


def _not_landed(setup: Setup, stream: FileStream) -> list[date]:
    return [day for day in delivered_dates(stream) if not setup.folder.landing_partition(stream.stream, day).exists()]
