"""What is wrong is told once, its end once, and messages say what a person needs. Sending: test_alerts_sent.py."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.alerts.causes import causes, has_ended
from orchestration.alerts.facts import Blocked, Facts, LastNight, Promise, Restated, Sampled, Seen, Worse
from orchestration.alerts.record import Record, Waiting, decide, read_record, without, write_record
from orchestration.config.sources_file import AlertKeys, NightKeys

BERLIN = ZoneInfo("Europe/Berlin")
MORNING = datetime(2026, 7, 1, 9, 30, tzinfo=BERLIN)
YESTERDAY = date(2026, 6, 30)
PROMISE = Promise("Acme", date(2026, 6, 27), NightKeys(), AlertKeys(to=("OPS", "CHAT")))
WELL = Facts(
    now=MORNING,
    seen=Seen("2026-06-30-aaaa", YESTERDAY, MORNING - timedelta(hours=5)),
    night=LastNight(MORNING - timedelta(hours=6), "succeeded"),
    blocked=(),
    worse=(),
)
BEHIND = replace(WELL, seen=Seen("2026-06-29-aaaa", date(2026, 6, 29), MORNING - timedelta(hours=29)))
SCHEMA = Blocked("desk/ticket", YESTERDAY, "schema", 100, 0)
FALL = Worse("csat", "Customer satisfaction", "percent", 1, 70, 80, date(2026, 6, 3), YESTERDAY, is_beyond_chance=True)

MAY = Restated("csat", date(2026, 5, 1), 3, "csat of 2026-05, 70 of 100 records before, 71 of 101 records now")


def names(facts: Facts, promise: Promise = PROMISE) -> list[str]:
    return [f"{cause.kind}: {cause.subject}" for cause in causes(facts, promise)]


def test_nothing_is_told_of_a_night_that_went_well():
    assert names(WELL) == []
    assert decide(Record(), WELL, PROMISE) == Record(figures_of="2026-06-30-aaaa")


@pytest.mark.parametrize(
    ("facts", "found"),
    [
        (replace(WELL, night=LastNight(MORNING, "failed", "dbt_build")), ["failed: dbt_build"]),
        (replace(WELL, night=LastNight(MORNING, "failed")), ["failed: no step"]),
        (replace(WELL, stopped=True), ["failed: before its first step"]),
        (replace(WELL, blocked=(SCHEMA,)), ["blocked: desk/ticket: schema"]),
        # What the gate stopped is told as that, once.
        (
            replace(WELL, night=LastNight(MORNING, "failed", "accept_desk"), blocked=(SCHEMA,)),
            ["blocked: desk/ticket: schema"],
        ),
        (replace(WELL, night=LastNight(MORNING, "failed", "accept_desk")), ["failed: accept_desk"]),
        (replace(WELL, blocked=(replace(SCHEMA, check="quarantine"),)), ["quarantine: desk/ticket"]),
        (BEHIND, ["late: published"]),
        (replace(BEHIND, night=None), ["late: started", "late: published"]),
        (replace(BEHIND, seen=None), ["late: published"]),
        (replace(WELL, seen=replace(WELL.seen, published_at=MORNING - timedelta(hours=36))), ["stale: age"]),
        (replace(WELL, damage="The link current is missing", seen=None), ["late: published", "stale: damage"]),
        (replace(WELL, worse=(FALL,)), ["kpi: csat"]),
        (replace(WELL, restated=(MAY,)), ["restated: csat 2026-05"]),
        (replace(WELL, sampled=Sampled({"fct_order": 3}, is_built_anew=False)), ["shadow: fct_order"]),
        (replace(WELL, worse=(replace(FALL, is_beyond_chance=False),)), []),
    ],
)
def test_each_kind_is_found_by_what_is_true(facts, found):
    assert names(facts) == found


def test_the_same_check_of_a_stream_is_one_cause_however_many_dates_it_stops():
    facts = replace(WELL, blocked=(SCHEMA, replace(SCHEMA, extract_date=date(2026, 6, 29))))
    (cause,) = causes(facts, PROMISE)
    assert cause.sentence == "The extracts of desk/ticket for 2026-06-29 and 1 more failed the check schema."


@pytest.mark.parametrize(
    ("at", "late"),
    [
        (time(4, 59), []),
        (time(5), ["late: started"]),
        (time(8, 59), ["late: started"]),
        (time(9), ["late: started", "late: published"]),
    ],
)
def test_hours_are_those_of_the_reporting_time_zone(at, late):
    now = datetime.combine(MORNING.date(), at, BERLIN)
    behind = Seen("2026-06-29-aaaa", date(2026, 6, 29), now - timedelta(hours=20))
    began_the_day_before = LastNight(datetime(2026, 6, 30, 3, 30, tzinfo=BERLIN), "succeeded")
    assert names(replace(WELL, now=now, seen=behind, night=began_the_day_before)) == late


def test_an_hour_that_was_missed_stays_missed_after_midnight():
    after = replace(BEHIND, now=MORNING.replace(hour=0) + timedelta(days=1), night=None)
    after = replace(after, seen=replace(BEHIND.seen, published_at=MORNING))
    assert names(after) == ["late: started", "late: published"]


def test_nothing_is_late_before_the_first_extract_date():
    assert names(replace(WELL, seen=None, night=None), replace(PROMISE, first_date=date(2026, 7, 1))) == []


def test_a_failure_ends_with_a_later_night_that_succeeds_and_with_nothing_less():
    failed = replace(WELL, night=LastNight(MORNING, "failed", "publish"))
    (cause,) = causes(failed, PROMISE)
    later = MORNING + timedelta(hours=1)
    for night in (None, LastNight(later, "running"), LastNight(later, "cancelled"), WELL.night):
        assert not has_ended(cause, replace(WELL, night=night))
    assert has_ended(cause, replace(WELL, night=LastNight(later, "succeeded")))


def test_a_fall_ends_when_figures_are_looked_at_that_do_not_fall_at_all():
    (cause,) = causes(replace(WELL, worse=(FALL,)), PROMISE)
    assert not has_ended(cause, replace(WELL, worse=None))
    assert not has_ended(cause, replace(WELL, worse=(replace(FALL, is_beyond_chance=False),)))
    assert has_ended(cause, WELL)


def test_a_message_says_what_happened_since_when_what_readers_see_and_what_to_run():
    after = decide(Record(), replace(BEHIND, blocked=(SCHEMA,), now=MORNING.replace(hour=8)), PROMISE)
    assert [each.to for each in after.waiting] == ["OPS", "CHAT"]
    message = after.waiting[0].message
    assert (message.kind, message.title) == ("blocked", "Acme: the gate keeps extracts out")
    assert message.body == (
        "The extract of desk/ticket for 2026-06-30 failed the check schema.\n"
        "Since 2026-07-01 08:30. Run: journeymart gate\n"
        "Readers see version 2026-06-29-aaaa, business date 2026-06-29."
    )


def test_a_sample_that_differed_is_over_when_everything_was_built_anew():
    (cause,) = causes(replace(WELL, sampled=Sampled({"fct_order": 3}, is_built_anew=False)), PROMISE)
    assert not has_ended(cause, replace(WELL, sampled=Sampled({}, is_built_anew=False)))
    assert has_ended(cause, replace(WELL, sampled=Sampled({}, is_built_anew=True)))


def test_only_kinds_that_are_wanted_are_told():
    facts = replace(BEHIND, blocked=(SCHEMA,), worse=(FALL,))
    only = replace(PROMISE, alerts=AlertKeys(to=("OPS",), kinds=("kpi",)))
    after = decide(Record(), facts, only)
    assert [each.message.kind for each in after.waiting] == ["kpi"]
    # Nor is the end of anything, if recoveries are not wanted.
    assert decide(after, replace(WELL, worse=()), only).waiting == after.waiting


def test_many_causes_of_a_kind_are_one_message_that_counts_those_it_does_not_name():
    many = tuple(replace(SCHEMA, stream=f"desk/stream_{n}") for n in range(20))
    (ops, _) = decide(Record(), replace(WELL, blocked=many), PROMISE).waiting
    assert ops.message.body.count("failed the check schema") == 8
    assert "And 12 more: journeymart status" in ops.message.body


def test_what_cannot_be_sent_waits_a_week_and_goes_with_its_address():
    first = decide(Record(), replace(WELL, blocked=(SCHEMA,)), PROMISE)
    soon = decide(first, replace(WELL, blocked=(SCHEMA,), now=MORNING + timedelta(days=6)), PROMISE)
    assert {each.message.kind for each in soon.waiting if each in first.waiting} == {"blocked"}
    late = decide(first, replace(WELL, blocked=(SCHEMA,), now=MORNING + timedelta(days=8)), PROMISE)
    assert not set(late.waiting) & set(first.waiting)
    alone = replace(PROMISE, alerts=AlertKeys(to=("CHAT",)))
    assert {each.to for each in decide(first, replace(WELL, blocked=(SCHEMA,)), alone).waiting} == {"CHAT"}


MOMENTS = st.builds(
    lambda failed, blocked, seen, worse: replace(
        WELL,
        seen=replace(WELL.seen, as_of=YESTERDAY if seen else date(2026, 6, 1)),
        night=LastNight(MORNING, "failed", failed) if failed else LastNight(MORNING, "succeeded"),
        blocked=tuple(replace(SCHEMA, stream=stream) for stream in sorted(blocked)),
        worse=worse,
    ),
    st.sampled_from(["", "", "publish", "dbt_build"]),
    st.sets(st.sampled_from(["desk/ticket", "crm/contact"])),
    st.booleans(),
    st.sampled_from([None, (), (FALL,), (replace(FALL, is_beyond_chance=False),)]),
)


@pytest.mark.promise("told")
@settings(max_examples=200)
@given(st.lists(MOMENTS, max_size=12), st.data())
def test_whatever_happens_each_cause_is_told_once_and_its_end_once(moments, data):
    """In any order of nights, with sending that fails at any time: told and ended take turns, and nothing is lost."""
    record, told = Record(), Counter()
    delivered: list[Waiting] = []
    for number, moment in enumerate(moments):
        later = timedelta(hours=number / 10)
        night = replace(moment.night, began=moment.night.began + later)
        before = record
        record = decide(record, replace(moment, now=MORNING + later, night=night), PROMISE)
        opened = {cause.name for cause in record.open} - {cause.name for cause in before.open}
        ended = {cause.name for cause in before.open} - {cause.name for cause in record.open}
        told.update(opened)
        new = record.waiting[len(before.waiting) :]
        assert len(new) == 2 * (len({kind for kind, _ in opened}) + bool(ended))
        assert all(told[name] > 0 for name in ended)
        # The same facts again tell nothing.
        assert decide(record, replace(moment, now=MORNING + later, night=night, worse=None), PROMISE) == record
        sent = set(data.draw(st.lists(st.sampled_from(record.waiting), unique=True)) if record.waiting else ())
        delivered += [each for each in record.waiting if each in sent]
        record = without(record, sent)
    assert len(delivered) == len(set(delivered))


def test_the_record_is_read_back_as_it_was_written(tmp_path):
    record = decide(Record(), replace(BEHIND, blocked=(SCHEMA,), worse=(FALL,)), PROMISE)
    assert len(record.open) == 3
    path = tmp_path / "alerts.json"
    assert read_record(path) == Record()
    write_record(path, record)
    again = read_record(path)
    assert again == record
    # Times keep their offset, so a night is later or not whatever the time zone.
    assert [cause.since for cause in again.open] == [cause.since for cause in record.open]


def test_a_night_that_reached_readers_but_not_the_store_says_so():
    night = LastNight(MORNING - timedelta(hours=6), "failed", "publish_to_store")
    (cause,) = causes(replace(WELL, night=night), PROMISE)
    assert cause.sentence == (
        "The night failed in the step 'publish to the object store'; it is published in the data folder, and readers "
        "of the object store see what they saw before."
    )
