"""The marts of the closed loop against their definitions counted again, and the ways to get them wrong, by name.

One warehouse, three nights, the business date stepping back in between, read by every test. Not here: the second
writing of the definitions (loop_recount.py), formulas on single numbers (dbt unit tests).
"""

from __future__ import annotations

import os
import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from dbt_harness import PROJECT, DbtProject, Warehouse
from loop_recount import Company, Recount
from random_history import random_history

from tests.counting.equality import unequal

MODELS = "fct_closed_loop_case mart_recovery"
STEPS = sorted(path.stem for path in (PROJECT / "models" / "intermediate" / "loop").glob("*.sql"))
TABLES = [*(f"intermediate.{step}" for step in STEPS), *(f"cx_marts.main.{model}" for model in MODELS.split())]
NIGHTS = (date(2025, 11, 20), date(2025, 7, 14), date(2025, 12, 17))
AS_OF = NIGHTS[-1]
COLUMNS = (
    "ticket", "channel", "team", "reason", "value_rank", "value_amount", "value_currency", "opened_at", "due_at",
    "responded_at", "addressed_at", "communicated_at", "closed_at", "outcome", "is_touched", "is_responded_in_time",
    "is_recovery_matured", "is_recovered", "recovered_at", "is_retained_90", "is_retained_180", "failure_no",
)  # fmt: skip
FIGURES = ("numerator", "denominator", "n", "value", "ci_low", "ci_high", "is_matured", "is_suppressed", "is_low_n")

Row = dict[str, Any]


@pytest.fixture(scope="module")
def company() -> Company:
    return Company(7, 110)


@pytest.fixture(scope="module")
def marts(company: Company, dbt_project: DbtProject, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    warehouse = Warehouse(dbt_project, tmp_path_factory.mktemp("loop"), select=MODELS)
    for rows, as_of in zip(company.nights(len(NIGHTS)), NIGHTS, strict=True):
        warehouse.night(rows, as_of=as_of)
    return warehouse


@pytest.fixture(scope="module")
def recount(company: Company, marts: Warehouse) -> Recount:
    return Recount(company, AS_OF)


@pytest.fixture(scope="module")
def cases(marts: Warehouse) -> dict[tuple[str, str, str], Row]:
    """Published cases by trigger, kind of record and its id."""
    return cases_of(marts)


def cases_of(marts: Warehouse) -> dict[tuple[str, str, str], Row]:
    rows = marts.rows(
        """
        select
            cases.*, tickets.ticket_id as ticket,
            coalesce(answers.answer_id, feedback.feedback_id, about.ticket_id) as record, people.contact_id as person
        from cx_marts.main.fct_closed_loop_case as cases
        left join intermediate.int_ticket__unioned as tickets using (ticket_key)
        left join intermediate.int_survey_answer__unioned as answers on answers.survey_answer_key = cases.answer_key
        left join intermediate.int_feedback__unioned as feedback on feedback.feedback_key = cases.source_ref
        left join intermediate.int_ticket__unioned as about on about.ticket_key = cases.source_ref
        left join intermediate.map_customer_identity as people
            on people.customer_key = cases.customer_key and people.customer_key <> -1
        """
    )
    return {(row["trigger"], row["source_object"], row["record"]): row for row in rows}


def the_case(cases: dict[tuple[str, str, str], Row], customer: str) -> Row:
    """The only case of a customer."""
    (row,) = [row for row in cases.values() if row["person"] == customer]
    return row


def of_customer(cases: dict[tuple[str, str, str], Row], customer: str) -> list[Row]:
    """The cases of a customer, oldest first."""
    return sorted((row for row in cases.values() if row["person"] == customer), key=lambda row: row["opened_at"])


def test_every_case_is_what_its_definition_makes_of_the_records(cases: Any, recount: Recount) -> None:
    expected = {(case["trigger"], case["source_object"], case["record"]): case for case in recount.cases}
    assert unequal(cases, expected, (*COLUMNS, "person"))[:5] == []


def test_every_figure_of_recovery_is_what_its_definition_counts(marts: Warehouse, recount: Recount) -> None:
    key = ("month_start", "comparison", "metric", "split_by", "split", "member")
    published = {tuple(row[name] for name in key): row for row in marts.rows("from cx_marts.main.mart_recovery")}
    assert unequal(published, recount.months(), FIGURES)[:5] == []


def test_the_company_shows_every_outcome_and_every_answer_to_the_question_of_recovery(
    cases: Any, marts: Warehouse
) -> None:
    rows = list(cases.values())
    assert {row["outcome"] for row in rows} == {"open", "overdue", "responded", "addressed", "closed"}
    assert {(row["trigger"], row["is_recovered"]) for row in rows} >= {
        (trigger, said) for trigger in ("low_score", "complaint", "unanswered") for said in (True, False)
    }
    for column in ("is_recovered", "is_responded_in_time", "is_retained_90", "is_retained_180"):
        assert {row[column] for row in rows} == {True, False, None}
    shown = marts.rows("from cx_marts.main.mart_recovery where not is_suppressed and is_matured")
    assert {row["metric"] for row in shown} == {
        "customers", "retained_90", "retained_180", "satisfied_later", "recovered", "satisfied_next",
    }  # fmt: skip
    assert {row["member"] for row in shown} >= {
        "never_failed",
        "failed_recovered",
        "touched",
        "untouched",
        "difference",
    }


@pytest.mark.parametrize("customer", ["won back", "rated again"])
def test_a_bad_answer_that_became_good_is_recovered(cases: Any, customer: str) -> None:
    row = the_case(cases, customer)
    days = [f"{row[name]:%Y-%m-%d}" for name in ("opened_at", "recovered_at")]
    assert (row["is_recovered"], *days) == (True, "2025-03-01", "2025-03-20")


def test_a_good_answer_that_became_bad_is_a_case_and_not_recovered(cases: Any) -> None:
    row = the_case(cases, "soured")
    assert (row["is_recovered"], row["recovered_at"]) == (False, None)


def test_a_time_that_was_corrected_opens_no_case_in_the_past(cases: Any) -> None:
    assert f"{the_case(cases, 'mistyped')['opened_at']:%Y-%m-%d}" == "2025-03-01"


def test_a_change_of_mind_after_the_window_is_no_recovery(cases: Any) -> None:
    assert the_case(cases, "won back late")["is_recovered"] is False


def test_who_is_not_low_the_next_time_is_recovered(cases: Any) -> None:
    assert the_case(cases, "happy next time")["is_recovered"] is True


def test_a_second_failure_is_told_from_the_first(cases: Any) -> None:
    first, second = of_customer(cases, "failed twice")
    assert (first["failure_no"], second["failure_no"]) == (1, 2)
    assert first["is_recovered"] is False


def test_two_low_answers_of_one_response_are_one_failure(cases: Any, recount: Recount) -> None:
    moments: dict[tuple[str, datetime], set[int]] = {}
    together = 0
    for row in cases.values():
        if row["person"]:
            numbers = moments.setdefault((row["person"], row["opened_at"]), set())
            together += bool(numbers)
            numbers.add(row["failure_no"])
    assert together > 0
    assert {len(numbers) for numbers in moments.values()} == {1}


def test_what_has_not_had_its_days_is_not_known_rather_than_not_so(cases: Any) -> None:
    row = the_case(cases, "just now")
    assert (row["is_recovery_matured"], row["is_recovered"]) == (False, None)
    assert (row["is_retained_90"], row["is_retained_180"]) == (None, None)


def test_a_case_is_open_until_its_answer_is_due(cases: Any) -> None:
    row = the_case(cases, "this morning")
    assert (row["outcome"], row["is_responded_in_time"]) == ("open", None)
    assert row["due_at"] == datetime(2025, 12, 18, 12, tzinfo=UTC)


@pytest.mark.parametrize("customer", ["nobody said a word", "only a machine"])
def test_a_question_no_person_answered_opens_a_case_after_seven_days(cases: Any, customer: str) -> None:
    row = the_case(cases, customer)
    assert (row["trigger"], row["outcome"]) == ("unanswered", "overdue")
    assert row["opened_at"] == datetime(2025, 3, 8, 12, tzinfo=UTC)


def test_a_late_answer_does_not_undo_the_case_but_answers_it(cases: Any) -> None:
    row = the_case(cases, "answered on day ten")
    assert (row["outcome"], row["is_responded_in_time"]) == ("responded", False)
    assert row["responded_at"] > row["due_at"]


def test_an_answer_in_time_that_was_delivered_late_takes_the_case_away(cases: Any) -> None:
    assert of_customer(cases, "answered in time") == []


def test_a_removed_ticket_opens_no_case(cases: Any) -> None:
    assert of_customer(cases, "gone") == []


def test_a_complaint_nobody_answers_is_a_second_failure(cases: Any) -> None:
    complaint, unanswered = of_customer(cases, "complained to nobody")
    assert (complaint["trigger"], unanswered["trigger"]) == ("complaint", "unanswered")
    assert unanswered["failure_no"] == 2


def test_a_ticket_solved_without_a_word_closes_no_loop(cases: Any) -> None:
    complaint, unanswered = of_customer(cases, "solved without a word")
    assert (complaint["outcome"], complaint["communicated_at"]) == ("addressed", None)
    assert (unanswered["outcome"], unanswered["addressed_at"]) == ("overdue", None)


def test_a_case_of_somebody_unknown_is_a_case(cases: Any) -> None:
    unknown = [row for row in cases.values() if row["customer_key"] == -1]
    assert {row["trigger"] for row in unknown} == {"low_score", "complaint", "unanswered"}
    assert {row["failure_no"] for row in unknown} == {row["value_rank"] for row in unknown} == {None}


def test_what_employees_say_opens_no_case(cases: Any, company: Company) -> None:
    theirs = {row["answer_id"] for row in company.answers if row["survey"] in ("pulse", "staff")}
    theirs |= {row["feedback_id"] for row in company.feedback if row["source_type"] == "employee"}
    assert theirs
    assert theirs.isdisjoint(record for _, _, record in cases)


def test_what_was_done_is_told_after_it_was_done_and_both_after_the_case_was_opened(cases: Any) -> None:
    for row in cases.values():
        steps = [row[name] for name in ("opened_at", "addressed_at", "communicated_at", "closed_at") if row[name]]
        assert steps == sorted(steps)
        assert not row["responded_at"] or row["responded_at"] >= row["opened_at"]
        assert (row["outcome"] == "closed") == bool(
            row["responded_at"] and row["addressed_at"] and row["communicated_at"]
        )


def test_no_figure_of_recovery_is_shown_of_fewer_than_five_customers(marts: Warehouse) -> None:
    shown = marts.values("select min(n) from cx_marts.main.mart_recovery where n is not null and member <> 'all'")
    hidden = marts.rows(
        "select count(*) as hidden, count(value) + count(n) + count(ci_low) as told "
        "from cx_marts.main.mart_recovery where is_suppressed"
    )
    assert shown[0] >= 5
    assert hidden[0]["hidden"] > 0
    assert hidden[0]["told"] == 0


def test_any_order_of_nights_makes_the_loop_of_one_full_rebuild(marts: Warehouse) -> None:
    assert marts.differences(marts.rebuilt(), TABLES) == {}


LONG = pytest.mark.skipif(
    os.environ.get("JOURNEYMART_CHAOS") != "long", reason="the long campaign runs under `make chaos`"
)


@pytest.mark.promise("figures")
@pytest.mark.chaos
@LONG
@pytest.mark.parametrize("seed", range(100, 112))
def test_many_companies_on_many_nights(
    dbt_project: DbtProject, tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    """What was late, wrong, changed or taken back, the business date going anywhere, ends as counted and as rebuilt."""
    chance = random.Random(seed)  # noqa: S311
    warehouse = Warehouse(dbt_project, tmp_path_factory.mktemp("loops"), select=MODELS)
    company = Company(seed, 60)
    for rows in (*company.nights(4), {}, {}):
        as_of = AS_OF + timedelta(days=chance.choice((-200, -61, -1, 0, 1, 7, 30)))
        warehouse.night(rows, as_of=as_of)
    counted = Recount(company, as_of)
    expected = {(case["trigger"], case["source_object"], case["record"]): case for case in counted.cases}
    assert unequal(cases_of(warehouse), expected, (*COLUMNS, "person"))[:5] == []
    assert warehouse.differences(warehouse.rebuilt(), TABLES) == {}


@pytest.mark.promise("order")
@pytest.mark.chaos
@LONG
@pytest.mark.parametrize("seed", range(200, 212))
def test_many_random_histories(dbt_project: DbtProject, tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    """Rows of every stream that mean nothing together, on nights in any order, end as rebuilt."""
    chance = random.Random(seed)  # noqa: S311
    warehouse = Warehouse(dbt_project, tmp_path_factory.mktemp("histories"), select=MODELS)
    as_of = date(2026, 1, 3)
    for rows in random_history(chance, 5, rows_per_stream=12):
        warehouse.night(rows, as_of=as_of)
        as_of += timedelta(days=chance.choice((-3, -1, 0, 1, 2, 7, 60, 120)))
    assert warehouse.differences(warehouse.rebuilt(), TABLES) == {}
