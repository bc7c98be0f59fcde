"""Whatever is delivered, fails and is commanded in whatever order, no version tells a date that is owed.

The planner's rules (orchestration/operations/night_dates.py) drive a company in miniature: drop folders, landing, the
gate and published versions are dictionaries, a night is what the real steps do to them. Whole nights: tests/e2e.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from assets.versions.manifest import Missing
from orchestration.operations.night_dates import Deliverer, begins_with, dates_to_do, holes, missing, owed, reach

FIRST = date(2026, 3, 1)
DAYS = [FIRST + timedelta(days=n) for n in range(6)]
BLOCKING, SECOND, LENIENT, UNDATED = "crm/contact", "desk/ticket", "shop/visit", "shop/order"
STREAMS = (BLOCKING, SECOND, LENIENT, UNDATED)


class Stopped(Exception):  # noqa: N818 - it stops a night, it is no error of ours
    """The night was not published."""


@dataclass(frozen=True)
class Version:
    """What readers see: its business date, its content by stream and date, what it says is missing."""

    as_of: date
    content: dict[tuple[str, date], int]
    missing: tuple[Missing, ...]


@dataclass
class Company:
    """All there is of a company between two commands. Content is a number; an odd one does not pass the gate."""

    drop: dict[tuple[str, date], int] = field(default_factory=dict)
    landed: dict[tuple[str, date], int] = field(default_factory=dict)
    accepted: dict[tuple[str, date], int] = field(default_factory=dict)
    approved: set[tuple[str, date, int | None]] = field(default_factory=set)
    version: Version | None = None

    @property
    def current(self) -> date | None:
        return self.version.as_of if self.version else None

    def deliverers(self) -> list[Deliverer]:
        return [
            Deliverer(
                *stream.split("/"),
                may_be_missing=stream == LENIENT,
                is_dated=stream != UNDATED,
                begins=FIRST,
                accepted=frozenset(day for name, day in self.accepted if name == stream),
                excused=frozenset(day for name, day, content in self.approved if name == stream and content is None),
            )
            for stream in STREAMS
        ]

    def due(self, through: date, begin: date | None = None) -> list[date]:
        """What `journeymart run` does next."""
        late = [
            day
            for (stream, day), content in self.drop.items()
            if stream != UNDATED and self.landed.get((stream, day)) != content
        ]
        behind = [hole.extract_date for hole in holes(self.deliverers(), self.current)] if self.current else []
        return dates_to_do(first=FIRST, current=self.current, through=through, begin=begin, late=late, behind=behind)

    def night(self, days: Sequence[date]) -> None:
        """Extract, judge, build and publish, or stop at the first thing that stops a night."""
        for each in self.deliverers():
            stream = f"{each.source}/{each.stream}"
            for day in days:
                delivered = self.drop.get((stream, FIRST if stream == UNDATED else day))
                if delivered is not None:
                    self.landed[stream, day] = delivered
                elif not (each.may_be_missing or (stream, day) in self.landed or day in each.excused):
                    raise Stopped(f"{stream} of {day} is missing")
        through = max(filter(None, (days[-1], self.current)))
        blocked = False
        for (stream, day), content in self.landed.items():
            if day <= through and self.accepted.get((stream, day)) != content:
                if content % 2 and (stream, day, content) not in self.approved:
                    blocked = True
                else:
                    self.accepted[stream, day] = content
        if blocked:
            raise Stopped("the gate stopped the night")
        reached = reach(self.deliverers(), days[-1], self.current)
        if not reached.may_be_published:
            raise Stopped("it would pass a date that is owed")
        self.version = Version(
            reached.as_of,
            {extract: content for extract, content in self.accepted.items() if extract[1] <= reached.as_of},
            missing(self.deliverers(), reached.as_of),
        )


days = st.sampled_from(DAYS)
commands = st.one_of(
    st.tuples(st.just("deliver"), st.sampled_from(STREAMS), days, st.integers(1, 9)),
    st.tuples(st.just("deliver all"), days, st.sampled_from([2, 2, 2, 3])),
    st.tuples(st.just("run"), days, st.none() | days),
    st.tuples(st.just("one partition"), days),
    st.tuples(st.just("approve"), st.sampled_from(STREAMS), days),
)


def obey(company: Company, command: tuple) -> None:
    match command:
        case "deliver", stream, day, content:
            company.drop[stream, FIRST if stream == UNDATED else day] = content
        case "deliver all", day, content:
            for stream in STREAMS:
                company.drop[stream, FIRST if stream == UNDATED else day] = content
        case "run", through, begin:
            due = company.due(through, begin)
            if due:
                company.night(due)
        case "one partition", day:
            company.night([day])
        case "approve", stream, day:
            company.approved.add((stream, day, company.landed.get((stream, day))))


@settings(max_examples=1000)
@given(st.lists(commands, max_size=25))
def test_no_version_ever_tells_a_date_that_is_owed(given_commands: list[tuple]) -> None:
    company = Company()
    for command in given_commands:
        before = company.current
        try:
            obey(company, command)
        except Stopped:
            assert company.current == before
        version = company.version
        if version is None:
            continue
        assert before is None or version.as_of >= before, "readers never go back"
        assert holes(company.deliverers(), version.as_of) == ()
        assert all(day <= version.as_of for _, day in version.content)
        owing = [stream for stream in (BLOCKING, SECOND, UNDATED) if (stream, version.as_of) not in version.content]
        assert not owing or version.missing, "nothing undelivered is called fresh"
    event("published" if company.version else "nothing published")
    # At last everything is delivered as it should be, and one run is made.
    for stream in STREAMS:
        for day in DAYS:
            company.drop[stream, FIRST if stream == UNDATED else day] = 10
    due = company.due(DAYS[-1])
    if due:
        company.night(due)
    assert company.version is not None
    in_order = Company(drop=dict(company.drop))
    for day in DAYS:
        in_order.night([day])
    assert company.version.as_of == DAYS[-1]
    assert company.version.missing == ()
    dated = {key: content for key, content in company.version.content.items() if key[0] != UNDATED}
    assert dated == {key: content for key, content in in_order.version.content.items() if key[0] != UNDATED}
    assert company.version.content[UNDATED, DAYS[-1]] == 10


@settings(max_examples=500)
@given(
    st.sets(days),
    st.sets(days),
    days,
    st.lists(commands, max_size=8),
)
def test_a_hole_behind_what_readers_see_is_due_and_stale_until_it_is_filled(
    accepted: set[date], absent: set[date], as_of: date, given_commands: list[tuple]
) -> None:
    company = Company(
        accepted={(BLOCKING, day): 2 for day in accepted} | {(SECOND, day): 2 for day in DAYS},
        approved={(BLOCKING, day, None) for day in absent},
        version=Version(as_of, {}, ()),
    )
    company.accepted |= {(UNDATED, as_of): 2}
    company.landed = dict(company.accepted)
    lacking = [day for day in DAYS if day <= as_of and day not in accepted | absent]
    hole = [each.extract_date for each in holes(company.deliverers(), as_of)]
    assert hole == lacking
    assert not lacking or set(lacking) <= set(company.due(as_of))
    found = {each.source: each for each in missing(company.deliverers(), as_of)}
    if lacking:
        assert (found["crm"].since, found["crm"].days) == (lacking[0], len(lacking))
    for command in given_commands:
        still = holes(company.deliverers(), as_of)
        with suppress(Stopped):
            obey(company, command)
        if still and holes(company.deliverers(), as_of):
            assert company.current == as_of, "a hole is not passed"


def test_the_night_after_a_failed_one_does_not_pass_what_it_lacked() -> None:
    """A day of which one stream failed, the run a person is told to make, and the night after it."""
    company = Company()
    obey(company, ("deliver all", DAYS[0], 2))
    obey(company, ("run", DAYS[0], None))
    obey(company, ("deliver", SECOND, DAYS[1], 2))
    for through in (DAYS[1], DAYS[1]):
        with pytest.raises(Stopped, match=r"crm/contact of 2026-03-02 is missing"):
            obey(company, ("run", through, None))
    obey(company, ("run", DAYS[0], None))
    assert company.current == DAYS[0]
    obey(company, ("deliver all", DAYS[2], 2))
    for command in (("run", DAYS[2], None), ("run", DAYS[2], DAYS[2])):
        with pytest.raises(Stopped, match=r"crm/contact of 2026-03-02 is missing"):
            obey(company, command)
    with pytest.raises(Stopped, match="owed"):
        obey(company, ("one partition", DAYS[2]))
    obey(company, ("approve", BLOCKING, DAYS[1]))
    obey(company, ("run", DAYS[2], None))
    assert company.current == DAYS[2]


def deliverer(**known: object) -> Deliverer:
    plain = Deliverer("crm", "contact", may_be_missing=False, is_dated=True, begins=FIRST, accepted=frozenset())
    return replace(plain, **known)


def test_a_blocked_extract_in_the_middle_of_a_backfill_stops_no_version_before_it() -> None:
    company = Company()
    for day in DAYS:
        obey(company, ("deliver all", day, 2))
    obey(company, ("deliver", BLOCKING, DAYS[3], 3))
    with pytest.raises(Stopped, match="gate"):
        obey(company, ("run", DAYS[-1], None))
    obey(company, ("run", DAYS[2], None))
    assert company.current == DAYS[2]
    with pytest.raises(Stopped, match="gate"):
        obey(company, ("run", DAYS[-1], None))
    obey(company, ("approve", BLOCKING, DAYS[3]))
    obey(company, ("run", DAYS[-1], None))
    assert (company.current, company.version.missing) == (DAYS[-1], ())


def test_before_a_source_joined_it_owed_nothing() -> None:
    joined = begins_with([DAYS[3], DAYS[4]], published=DAYS[2])
    assert owed(deliverer(begins=joined, accepted=frozenset({DAYS[3]})), DAYS[4]) == [DAYS[4]]
    assert begins_with([], published=DAYS[2]) == DAYS[3]


def test_one_file_for_every_date_owes_what_came_after_the_last_it_served() -> None:
    undated = deliverer(is_dated=False, accepted=frozenset({DAYS[0], DAYS[3]}))
    assert owed(undated, DAYS[3]) == []
    assert owed(undated, DAYS[5]) == [DAYS[4], DAYS[5]]


def test_a_stream_carried_forward_owes_nothing_and_is_said_to_be_missing() -> None:
    lenient = deliverer(may_be_missing=True, accepted=frozenset({DAYS[0]}))
    assert owed(lenient, DAYS[2]) == []
    assert missing([lenient], DAYS[2]) == (Missing("crm", "contact", DAYS[1], 2),)


def test_what_a_person_said_never_comes_is_missing_on_its_day_only() -> None:
    excused = deliverer(accepted=frozenset({DAYS[0]}), excused=frozenset({DAYS[1]}))
    assert missing([excused], DAYS[1]) == (Missing("crm", "contact", DAYS[1], 1),)
    assert missing([replace(excused, accepted=frozenset({DAYS[0], DAYS[2]}))], DAYS[2]) == ()


def test_beginning_later_than_what_is_due_does_what_is_due_all_the_same() -> None:
    assert dates_to_do(first=FIRST, current=DAYS[0], through=DAYS[3], begin=DAYS[3]) == DAYS[1:4]
    assert dates_to_do(first=FIRST, current=DAYS[3], through=DAYS[3], begin=DAYS[2]) == DAYS[2:4]
