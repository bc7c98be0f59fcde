"""What is wrong at one moment, and which of what was wrong has ended. Pure: facts in, causes out.

Not here: who was told (record.py), how a message reads (words.py).

A cause is what a person would look after once: a step that fails, a check that stops a stream, an hour that passed. It
bears the same name night after night, so that it is told once, and its end once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from orchestration.alerts.facts import Blocked, Facts, Promise, Seen
from orchestration.config.sources_file import AlertKind
from orchestration.operations.step_words import JUDGES, TO_STORE, step_words

# A night that ended before its first step.
_BEFORE = "before its first step"
_STARTED, _PUBLISHED = "started", "published"
_AGE, _DAMAGE = "age", "damage"


@dataclass(frozen=True)
class Cause:
    """One thing that is wrong.

    Attributes:
        kind: What kind of thing.
        subject: What of; with the kind its name.
        sentence: What happened.
        since: Since when, with an offset.
        command: What to run.
    """

    kind: AlertKind
    subject: str
    sentence: str
    since: datetime
    command: str

    @property
    def name(self) -> tuple[str, str]:
        """What makes it the same cause on another night."""
        return self.kind, self.subject


def causes(facts: Facts, promise: Promise) -> tuple[Cause, ...]:
    """All that is wrong now, of the kinds that are told."""
    found = (
        *_failed(facts),
        *_blocked(facts),
        *_late(facts, promise),
        *_stale(facts, promise),
        *_worse(facts),
        *_restated(facts),
        *_shadow(facts),
    )
    return tuple(cause for cause in found if cause.kind in promise.alerts.kinds)


def has_ended(cause: Cause, facts: Facts) -> bool:
    """Whether something that is not wrong any more, as far as one can see, really has ended.

    A failure ends when a night that began after it succeeds, a KPI's fall when figures were looked at, and age only
    where there is a version to be young.
    """
    match cause.kind:
        case "failed":
            return facts.night is not None and facts.night.outcome == "succeeded" and facts.night.began > cause.since
        case "kpi":
            return facts.worse is not None and cause.subject not in {each.kpi for each in facts.worse}
        case "shadow":
            # Other keys are drawn every night: that none of them differs says nothing of those that did.
            return facts.sampled is not None and facts.sampled.is_built_anew
        case "restated":
            return facts.restated is not None
        case "stale" if cause.subject == _AGE:
            return facts.seen is not None
        case _:
            return True


def _failed(facts: Facts) -> Iterator[Cause]:
    if facts.stopped:
        yield Cause("failed", _BEFORE, f"The night ended {_BEFORE}.", facts.now, "journeymart run")
    night = facts.night
    if night is None or night.outcome != "failed" or (night.failed_step.startswith(JUDGES) and facts.blocked):
        # What the gate keeps out is told as that.
        return
    where = f"in the step '{step_words(night.failed_step)}'" if night.failed_step else "without a word of a step"
    subject = night.failed_step or "no step"
    became = (
        "it is published in the data folder, and readers of the object store see what they saw before"
        if night.failed_step == TO_STORE
        else "nothing was published"
    )
    yield Cause("failed", subject, f"The night failed {where}; {became}.", night.began, "journeymart run")


def _blocked(facts: Facts) -> Iterator[Cause]:
    by_check: defaultdict[tuple[str, str], list[Blocked]] = defaultdict(list)
    for each in facts.blocked:
        by_check[each.stream, each.check].append(each)
    for (stream, check), extracts in sorted(by_check.items()):
        first = min(extracts, key=lambda each: each.extract_date)
        several = len(extracts) > 1
        which = f"The extract{'s' if several else ''} of {stream} for {first.extract_date}"
        which += f" and {len(extracts) - 1} more" if several else ""
        if check == "quarantine":
            of = f" of {first.rows}" if first.rows is not None else ""
            count = f"{first.quarantined}{of} are in quarantine{', of the first' if several else ''}"
            said = f"{which} {'have' if several else 'has'} too many rows at fault: {count}."
            yield Cause(
                "quarantine", stream, said, facts.now, f"journeymart quarantine show {stream} {first.extract_date}"
            )
        else:
            yield Cause(
                "blocked", f"{stream}: {check}", f"{which} failed the check {check}.", facts.now, "journeymart gate"
            )


def _late(facts: Facts, promise: Promise) -> Iterator[Cause]:
    """Hours that passed, each judged by the newest day on which it has passed."""
    for what, by in ((_STARTED, promise.nights.started_by), (_PUBLISHED, promise.nights.published_by)):
        passed = _passed(facts.now, by)
        due = passed.date() - timedelta(days=1)
        reached = facts.seen is not None and facts.seen.as_of >= due
        # A night that began on the day itself is no late start, however it went.
        began = facts.night is not None and facts.night.began.astimezone(facts.now.tzinfo).date() >= passed.date()
        if due < promise.first_date or reached or (what == _STARTED and began):
            continue
        said = "had not begun" if what == _STARTED else "was not published"
        yield Cause("late", what, f"The night of {due} {said} by {by:%H:%M}.", passed, "journeymart status")


def _passed(now: datetime, by: time) -> datetime:
    today = now.replace(hour=by.hour, minute=by.minute, second=0, microsecond=0)
    return today if now >= today else today - timedelta(days=1)


def _stale(facts: Facts, promise: Promise) -> Iterator[Cause]:
    if facts.damage:
        yield Cause("stale", _DAMAGE, f"{facts.damage}.", facts.now, "journeymart run")
    if facts.seen is None:
        return
    hours = promise.alerts.stale_after_hours
    since = facts.seen.published_at + timedelta(hours=hours)
    if facts.now >= since:
        yield Cause("stale", _AGE, f"No version was published for {hours:g} hours.", since, "journeymart status")


def _worse(facts: Facts) -> Iterator[Cause]:
    for each in facts.worse or ():
        if each.is_beyond_chance:
            value, before = (f"{figure:,.{each.decimals}f}" for figure in (each.value, each.before))
            said = (
                f"{each.name} got worse beyond chance: {value} {each.unit} from {each.since} to {each.until}, "
                f"{before} in the period before."
            )
            yield Cause("kpi", each.kpi, said, facts.now, f"journeymart explain {each.kpi}")


def _restated(facts: Facts) -> Iterator[Cause]:
    for each in facts.restated or ():
        month = f"{each.month:%Y-%m}"
        said = f"{each.kpi} of {month}, which is closed, has {each.figures} figures that are others than they were: "
        yield Cause("restated", f"{each.kpi} {month}", f"{said}{each.example}.", facts.now, "journeymart restate")


def _shadow(facts: Facts) -> Iterator[Cause]:
    for model, keys in facts.sampled.differing.items() if facts.sampled else ():
        said = f"Of the model {model}, {keys} sampled keys derived anew are not what stands: nights did not touch them."
        yield Cause("shadow", model, said, facts.now, "journeymart ui")


def readers_see(seen: Seen | None, damage: str | None) -> str:
    """What readers have, whatever went wrong."""
    if seen is None:
        return "Readers see nothing that is whole." if damage else "Readers see nothing yet: no version was published."
    return f"Readers see version {seen.version}, business date {seen.as_of}."
