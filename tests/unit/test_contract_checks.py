"""From counts to outcomes: what neither of two judges is sure of is an error, and counts decide the rest."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quality.contract.model import Contract, Freshness, QuarantineBudget, Rule, Volume, all_contracts
from quality.contract.reading import Reading
from quality.gate import delivery_checks, past_checks, row_checks
from quality.gate.great_expectations import Result
from quality.gate.row_checks import TwoJudgements
from quality.landed.extract import judged_by
from quality.landed.manifest import LandingManifest, ReadAs
from quality.past.profiles import Profile
from quality.rows.counts import BatchCounts
from quality.rows.predicates import predicates
from quality.rows.suite import Expectation
from tests.gate_kit import DAY, STREAM, column, contract

BLOCKING = Rule(name="blocks", description="Blocks.", sql="true", on_failure="block")
ASKED = contract({"score": column("bigint", max=10)}, rules=[BLOCKING])


def manifest(rows: int, rejects: int = 0, mode: str = "increment", **said: object) -> LandingManifest:
    settings = {
        "source": STREAM.source,
        "system": STREAM.system,
        "stream": STREAM.stream,
        "extract_date": DAY.isoformat(),
        "mode": mode,
        "window": (None, (DAY + timedelta(days=1)).isoformat()),
        "cursor": None,
        "files": (),
        "records": rows + rejects,
        "rows": rows,
        "rejects": rejects,
        "columns": tuple(ASKED.columns),
        "schema_fingerprint": "",
        "sha256": "",
        "is_history": False,
        "as_declared": True,
        "damaged": (),
        "unplaced": 0,
        "read_as": ReadAs(1, "UTC", "utf-8", ",", 1, 1_000_000, ASKED.key),
        **said,
    }
    return LandingManifest(**settings)  # type: ignore[arg-type]


def counted(accepted: int, quarantined: int = 0, **found: int) -> BatchCounts:
    every = dict.fromkeys((each.name for each in predicates(ASKED)), 0)
    return BatchCounts(
        rows=accepted + quarantined,
        accepted=accepted,
        deletions=0,
        found={**every, **{name.replace("__", "."): count for name, count in found.items()}},
        newest=None,
    )


def judged(result: Result, violations: Sequence[int], counts: Sequence[BatchCounts]) -> list[str]:
    expected = [Expectation("score.range", "between", True, "score > 10")]
    judgement = TwoJudgements(expected, {"score.range": result}, {"score.range": violations})
    return [row_checks.contract_met(ASKED, [judgement], counts, batch).outcome for batch in range(len(counts))]


@pytest.mark.parametrize(
    ("result", "violations", "outcomes"),
    [
        ("pass", [0, 0], ["pass", "pass"]),
        ("fail", [0, 2], ["pass", "fail"]),
        # One judge says yes, the other no: nothing is believed.
        ("pass", [0, 2], ["error", "error"]),
        ("fail", [0, 0], ["error", "error"]),
        ("error", [0, 0], ["error", "error"]),
        ("error", [1, 0], ["error", "error"]),
    ],
)
def test_both_judges_have_to_agree(result: Result, violations: list[int], outcomes: list[str]) -> None:
    assert judged(result, violations, [counted(5), counted(5)]) == outcomes


def test_a_blocking_fault_blocks_even_on_a_row_that_is_quarantined_for_another() -> None:
    counts = [counted(5), counted(5, quarantined=1, rule__blocks=1)]
    assert judged("pass", [0, 0], counts) == ["pass", "fail"]


def test_an_empty_batch_fails_beside_a_full_one() -> None:
    expected = [Expectation("table.rows", "row_count", True, "false", {"min_value": 1})]
    judgement = TwoJudgements(expected, {"table.rows": "pass"}, {"table.rows": [0, 0]})
    counts = [counted(5), counted(0, quarantined=5)]
    assert [row_checks.contract_met(ASKED, [judgement], counts, batch).outcome for batch in (0, 1)] == [
        "pass",
        "fail",
    ]


def described(day: date, rows: int, **said: object) -> Profile:
    return Profile(extract_date=day, contract="", is_history=False, delivered=rows, rows=rows, **said)  # type: ignore[arg-type]


def past_of(counts: Sequence[int]) -> list[Profile]:
    """Profiles of the nights before, the last count of the night before."""
    newest_first = reversed(counts)
    return [described(DAY - timedelta(days=back), rows) for back, rows in enumerate(newest_first, 1)]


def volume_of(rows: int, counts: Sequence[int], **limits: float) -> str:
    asked = contract(volume=Volume(**limits))  # type: ignore[arg-type]
    return past_checks.volume(asked, described(DAY, rows), past_of(counts))[0].outcome


@given(st.integers(0, 5000), st.lists(st.integers(0, 400), max_size=6))
def test_nothing_is_unusual_before_a_week_is_known(rows: int, earlier: list[int]) -> None:
    assert volume_of(rows, earlier) == "pass"


@given(st.lists(st.integers(0, 400), min_size=7, max_size=90), st.data())
def test_a_number_of_rows_that_came_on_the_same_weekday_is_never_a_failure(
    earlier: list[int], data: st.DataObject
) -> None:
    rows = data.draw(st.sampled_from(earlier[::-1][6::7]))
    assert volume_of(rows, earlier) != "fail"


@given(st.integers(0, 60), st.integers(2, 12))
def test_a_holiday_on_which_as_much_comes_as_on_a_sunday_is_never_a_failure(of_sundays: int, weeks: int) -> None:
    """The night before is a Monday; the tenth of March 2026 is a Tuesday."""
    week = [100, 100, 100, 100, 100, of_sundays, of_sundays]
    earlier = [week[(DAY - timedelta(days=back)).weekday()] for back in range(7 * weeks, 0, -1)]
    assert volume_of(of_sundays, earlier) in ("pass", "warn")
    assert volume_of(0, [0 if rows == of_sundays else rows for rows in earlier]) == "warn"


def test_what_a_contract_calls_impossible_blocks_and_chance_does_not() -> None:
    month = [40] * 28
    assert volume_of(15, month) == "warn"
    assert volume_of(15, month, min_ratio=0.5) == "fail"
    # Within chance: 32 of 40.
    assert volume_of(32, month, min_ratio=0.9) == "pass"
    assert volume_of(1500, month) == "fail"
    assert volume_of(1500, month, max_ratio=50) == "warn"
    # Few rows are never too many to be accepted: a list of contacts typed in.
    assert volume_of(900, month) == "warn"
    assert volume_of(0, month, min_nights=60) == "warn"


def test_a_stream_of_which_nothing_is_usual_may_be_empty() -> None:
    assert volume_of(0, [0, 1, 0, 2, 0, 0, 1] * 8) == "pass"


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (0, "no rows at all on a Tuesday, where 266 to 336 are usual"),
        (148, "half as many rows as on a usual Tuesday: 148 where 266 to 336 are usual"),
        (30, "a tenth as many rows as on a usual Tuesday: 30 where 266 to 336 are usual"),
        (610, "twice as many rows as on a usual Tuesday: 610 where 266 to 336 are usual"),
        (3000, "10 times as many rows as on a usual Tuesday: 3000 where 266 to 336 are usual"),
    ],
)
def test_what_is_unusual_is_said_as_a_person_would(rows: int, said: str) -> None:
    week = [290, 300, 310]
    earlier = [week[back % 3] for back in range(56)]
    result, many_more = past_checks.volume(contract(), described(DAY, rows), past_of(earlier))
    assert result.metadata["in words"] == said
    assert many_more == (rows > 300)


def test_without_a_limit_the_newest_row_is_as_young_as_it_usually_is() -> None:
    asked = contract()
    end = datetime(DAY.year, DAY.month, DAY.day + 1, tzinfo=UTC)
    ages = [0.1, 0.5, 2.0] * 5

    def of(days: float, ages: Sequence[float] = ages) -> str:
        return past_checks.freshness(asked, DAY, 5, end - timedelta(days=days), ages).outcome

    assert [of(days) for days in (1, 3.9, 4.1, 12.9, 13.1)] == ["pass", "pass", "warn", "warn", "fail"]
    assert of(400, ages[:6]) == "pass"
    assert of(400, ages[:9]) == "warn"


@pytest.mark.parametrize(("hours", "expected"), [(47, "pass"), (48, "pass"), (48.1, "fail"), (-30, "pass")])
def test_age_is_counted_from_the_end_of_the_extract_date(hours: float, expected: str) -> None:
    asked = contract(freshness=Freshness(column="updated_at", max_age_days=2))
    newest = datetime(DAY.year, DAY.month, DAY.day + 1, tzinfo=UTC) - timedelta(hours=hours)
    assert past_checks.freshness(asked, DAY, 5, newest).outcome == expected


@pytest.mark.parametrize("asked", all_contracts(), ids=lambda each: f"{each.system}/{each.stream}")
def test_a_quiet_day_is_normal_for_every_stream(asked: Contract) -> None:
    assert past_checks.volume(asked, described(DAY, 0), [])[0].outcome == "pass"
    assert past_checks.freshness(asked, DAY, 0, None).outcome == "pass"


def test_rows_without_a_time_are_not_fresh() -> None:
    asked = contract(freshness=Freshness(column="updated_at", max_age_days=2))
    assert past_checks.freshness(asked, DAY, 5, None).outcome == "fail"


@pytest.mark.parametrize(
    ("rows", "quarantined", "rejects", "expected"),
    [
        (100, 2, 0, "pass"),
        (100, 1, 1, "pass"),
        (100, 3, 0, "fail"),
        (100, 0, 3, "fail"),
        (200, 2, 2, "pass"),
        (5, 2, 0, "pass"),  # a few are tolerated,
        (4, 2, 0, "pass"),
        (3, 2, 0, "fail"),  # but never more than half
        (0, 0, 1, "fail"),
        (1, 1, 0, "fail"),
        (0, 0, 0, "pass"),
    ],
)
def test_the_budget_counts_rows_and_records_together(rows: int, quarantined: int, rejects: int, expected: str) -> None:
    asked = contract(quarantine=QuarantineBudget(max_share=0.02, min_rows=2))
    counts = counted(rows - quarantined, quarantined)
    assert row_checks.quarantine(asked, manifest(rows, rejects), counts, {}).outcome == expected


def test_in_a_dump_changed_rows_are_held_against_each_other() -> None:
    asked = contract(quarantine=QuarantineBudget(max_share=0.02, min_rows=2))
    of_a_dump = manifest(10_000, mode="full")
    assert row_checks.quarantine(asked, of_a_dump, counted(7, 3), {}).outcome == "fail"
    assert row_checks.quarantine(asked, of_a_dump, counted(9_997, 3), {}).outcome == "pass"
    unreadable = manifest(10_000, rejects=100, mode="full")
    assert row_checks.quarantine(asked, unreadable, counted(5), {}).outcome == "pass"


def test_a_column_that_is_missing_is_offered_the_place_of_one_that_is_nearly_named_so() -> None:
    said = delivery_checks.schema(ASKED, manifest(3, columns=("id", "score", "updatedd_at"))).metadata
    assert said["missing columns"] == "updated_at (column 3 is named nearly so)"
    said = delivery_checks.schema(ASKED, manifest(3, columns=("id", "score", "Ann Lee"))).metadata
    assert said["missing columns"] == "updated_at"


def test_another_reading_rule_is_another_judgement() -> None:
    readings = [
        Reading(),
        Reading(decimal=","),
        Reading(thousands="."),
        Reading(dates="day-first"),
        Reading(empty=("?",)),
    ]
    assert len({judged_by(ASKED, reading) for reading in readings}) == len(readings)
