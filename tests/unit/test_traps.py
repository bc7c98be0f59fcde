"""The ways to get customer metrics wrong, and the tests that keep each from happening: one list.

What lives here: the list, and that what it names exists. Not here: the tests themselves. A test is named by its file
and function, or by the name of a unit test of dbt (`dbt: ...`).
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]

MARTS = "tests/integration/test_marts_traps.py::"
SERVICE = "tests/integration/test_service_marts.py::"
VALUE = "tests/integration/test_value_marts.py::"
RECOUNT = "tests/integration/test_kpi_recount.py::"
LOOP = "tests/integration/test_loop_marts.py::"
ATTACK = "tests/integration/test_suppression_attack.py::"
PEOPLE = "tests/integration/test_intermediate_customers.py::"

TRAPS: dict[int, tuple[str, tuple[str, ...]]] = {
    1: (
        "NPS with skipped answers in its denominator",
        (MARTS + "test_skipped_questions_are_not_in_the_denominator_of_nps",),
    ),
    2: (
        "NPS of a question asked from 1 to 10",
        (
            MARTS + "test_nps_asked_from_1_to_10_is_refused_and_never_rescaled",
            "dbt: answers_are_classed_on_their_own_scale_or_refused",
        ),
    ),
    3: (
        "satisfaction whose vendor calls it promoter or detractor, in NPS",
        (
            RECOUNT + "test_satisfaction_called_promoter_by_its_vendor_is_not_in_nps",
            MARTS + "test_satisfaction_scores_never_enter_nps",
        ),
    ),
    4: (
        "a rating from bad to good taken for one that soured",
        (
            LOOP + "test_a_bad_answer_that_became_good_is_recovered",
            LOOP + "test_a_good_answer_that_became_bad_is_a_case_and_not_recovered",
            MARTS + "test_a_rating_changed_from_bad_to_good_is_good_on_its_day",
        ),
    ),
    5: (
        "no ticket ever unanswered",
        (
            RECOUNT + "test_questions_nobody_answered_are_some_and_not_none",
            SERVICE + "test_unanswered_tickets_are_found_and_have_no_reply_time",
        ),
    ),
    6: (
        "a first reply after 0 minutes where there was none",
        (
            MARTS + "test_unanswered_tickets_are_counted_and_have_no_reply_time",
            "dbt: a_ticket_is_unanswered_unknown_or_answered_by_what_is_told_of_it",
        ),
    ),
    7: (
        "the mean of NPSs instead of the NPS of all",
        (
            RECOUNT + "test_one_delighted_answer_in_a_small_channel_does_not_make_the_company_loved",
            MARTS + "test_nps_of_all_is_pooled_and_not_the_mean_of_channels",
        ),
    ),
    8: (
        "one answer, certain to the point",
        (
            MARTS + "test_one_answer_has_a_wide_interval_and_is_flagged",
            RECOUNT + "test_nps_and_its_interval_are_the_published_examples",
        ),
    ),
    9: (
        "effort asked the other way round",
        (
            MARTS + "test_low_effort_is_good_on_a_reversed_scale",
            "dbt: answers_are_classed_on_their_own_scale_or_refused",
        ),
    ),
    10: (
        "three of five stars taken for satisfied",
        (MARTS + "test_three_of_five_is_not_satisfied",),
    ),
    11: (
        "a rating credited to whom the ticket went later",
        (
            MARTS + "test_a_rating_is_credited_to_the_agent_of_that_time",
            SERVICE + "test_a_changed_rating_is_credited_to_the_agent_of_its_time",
        ),
    ),
    12: (
        "a service level judged by the priority set after its breach",
        (
            SERVICE + "test_a_breach_stays_with_the_priority_it_happened_under",
            "dbt: a_target_keeps_the_priority_and_the_outcome_it_had",
        ),
    ),
    13: (
        "a backlog made smaller by a purge",
        (
            MARTS + "test_a_purge_is_removed_work_and_not_solved_work",
            SERVICE + "test_a_purge_is_neither_solved_work_nor_a_better_first_contact",
            SERVICE + "test_the_backlog_is_replayed_with_its_ages",
        ),
    ),
    14: (
        "the day on which the clocks change",
        (
            MARTS + "test_an_hour_on_the_day_the_clocks_go_back_is_an_hour",
            SERVICE + "test_a_wait_across_the_change_to_summer_time_is_as_long_as_it_was",
        ),
    ),
    15: (
        "the day of the clock in Greenwich",
        (
            MARTS + "test_the_day_is_the_day_of_the_reporting_timezone",
            SERVICE + "test_a_ticket_shortly_before_midnight_utc_is_one_of_the_next_day",
        ),
    ),
    16: (
        "rows that an export repeats",
        (MARTS + "test_a_row_delivered_twice_counts_once",),
    ),
    17: (
        "an answer edited after its day",
        (MARTS + "test_a_late_edit_changes_the_day_of_the_answer",),
    ),
    18: (
        "a contact merged into another",
        (
            MARTS + "test_orders_of_a_merged_contact_follow_it",
            "tests/e2e/test_sample_identity.py::test_a_merged_contact_is_whoever_it_was_merged_into",
        ),
    ),
    19: (
        "an inbox that several people share",
        (
            PEOPLE + "test_an_inbox_that_several_people_share_joins_nobody_whatever_their_names",
            PEOPLE + "test_a_shared_address_matches_nobody_until_one_living_contact_has_it",
        ),
    ),
    20: (
        "two people of one name",
        (MARTS + "test_two_people_with_one_name_stay_two",),
    ),
    21: (
        "cohorts and first contacts judged before their time",
        (
            SERVICE + "test_first_contact_is_judged_after_seven_whole_days",
            VALUE + "test_nothing_is_said_of_the_90_days_after_a_score_before_they_have_passed",
            VALUE + "test_a_cohort_ends_with_the_month_of_the_business_date",
            "dbt: a_journey_is_dropped_only_after_its_window_and_late_completion_does_not_count",
        ),
    ),
    22: (
        "retention of a month that is running",
        (
            VALUE + "test_a_month_that_is_running_says_nothing_of_retention",
            "dbt: revenue_retention_is_that_of_the_year_before_and_running_months_say_nothing",
        ),
    ),
    23: (
        "a customer's value in years times months",
        ("dbt: lifetime_value_is_said_in_years_and_never_mixes_units",),
    ),
    24: (
        "customers alike in different bins",
        (
            "dbt: equal_values_share_a_bin_and_the_top_fifth_is_rounded_up",
            VALUE + "test_equal_values_share_a_bin",
        ),
    ),
    25: (
        "a hidden cell found by subtraction",
        (
            ATTACK + "test_nothing_hidden_can_be_worked_out",
            ATTACK + "test_hiding_nothing_but_small_cells_would_give_them_away",
            "tests/integration/test_kpi_suppression.py::test_nothing_hidden_can_be_worked_out",
            "tests/integration/test_kpi_suppression.py::test_hiding_nothing_but_small_cells_would_give_them_away",
        ),
    ),
    26: (
        "somebody erased who comes back with the next extract",
        (
            "tests/e2e/test_erased_person.py::test_the_customer_is_in_no_mart",
            "tests/e2e/test_erased_person.py::test_no_byte_and_no_value_below_the_data_folder_names_the_person",
            "tests/unit/test_erasure.py::test_a_new_record_of_the_person_is_known_under_any_spelling",
        ),
    ),
    27: (
        "an address in a comment that reaches a mart",
        (
            "tests/e2e/test_published_texts.py::test_no_published_table_holds_an_address_or_what_was_told",
            "tests/integration/test_voice_marts.py::test_no_word_of_a_verbatim_is_in_the_public_file",
        ),
    ),
    28: (
        "an empty file taken for a day on which nothing happened",
        (
            "tests/integration/test_file_drop.py::test_a_file_unusable_as_a_whole_is_refused_in_one_sentence",
            "tests/e2e/test_gate_gates.py::test_defects_in_extracts_publish_nothing_and_are_all_named",
        ),
    ),
    29: (
        "three rows of headers",
        ("tests/integration/test_file_drop.py::test_three_header_rows_with_line_breaks_are_skipped",),
    ),
    30: (
        "an anonymous answer linked to somebody",
        (
            MARTS + "test_an_anonymous_answer_is_never_linked",
            "tests/e2e/test_sample_identity.py::test_an_anonymous_answer_is_linked_to_nobody",
        ),
    ),
    31: (
        "a refund after the month was closed",
        (
            MARTS + "test_a_refund_after_the_close_lowers_the_order_on_its_own_day",
            VALUE + "test_a_refund_after_the_close_lowers_the_month_of_its_order",
        ),
    ),
    32: (
        "amounts of two currencies in one sum",
        (
            VALUE + "test_amounts_of_two_currencies_are_never_added",
            MARTS + "test_amounts_keep_their_currency",
        ),
    ),
}

GOLDEN: dict[str, tuple[str, ...]] = {
    "NPS of (5, 3, 2), (50, 30, 20), (400, 350, 250), (0, 10, 0), (1, 0, 0), adjusted Wald beside trinomial": (
        RECOUNT + "test_nps_and_its_interval_are_the_published_examples",
    ),
    "Wilson's interval of 4 of 5, 27 of 30, 85 of 100, 1 of 1": (
        RECOUNT + "test_shares_and_their_intervals_are_the_published_examples",
    ),
    "NPS +100 and -30: +35 on the mean, -28.7 of all": (
        RECOUNT + "test_one_delighted_answer_in_a_small_channel_does_not_make_the_company_loved",
    ),
    "six answers of which two ask for NPS: 0, not +50": (
        RECOUNT + "test_satisfaction_called_promoter_by_its_vendor_is_not_in_nps",
    ),
    "a value of 70 x 4 x 3 = 840": ("dbt: lifetime_value_is_said_in_years_and_never_mixes_units",),
    "six customers of whom four are alike, in thirds and fifths": (
        "dbt: equal_values_share_a_bin_and_the_top_fifth_is_rounded_up",
        "dbt: fifths_follow_the_percent_rank",
    ),
    "a difference of shares of 56 of 70 and 48 of 80, by Newcombe": (
        RECOUNT + "test_the_difference_of_shares_is_a_little_wider_than_newcombes",
    ),
}


@cache
def functions_of(file: str) -> frozenset[str]:
    """The test functions of a file."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return frozenset(
        node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    )


@cache
def unit_tests_of_models() -> frozenset[str]:
    """The unit tests of the dbt project."""
    files = (ROOT / "dbt_project" / "models").rglob("*unit_tests.yml")
    return frozenset(
        test["name"] for file in files for test in yaml.safe_load(file.read_text(encoding="utf-8"))["unit_tests"]
    )


def exists(test: str) -> bool:
    """Whether there is a test of this name."""
    if test.startswith("dbt: "):
        return test.removeprefix("dbt: ") in unit_tests_of_models()
    file, _, function = test.partition("::")
    return (ROOT / file).exists() and function in functions_of(file)


@pytest.mark.parametrize(
    "test", ["dbt: nobody_wrote_this", RECOUNT + "test_nobody_wrote_this", "tests/unit/test_nothing.py::test_traps"]
)
def test_a_test_nobody_wrote_is_missed(test: str) -> None:
    assert not exists(test)


def test_every_trap_has_a_number_and_is_held_by_a_test() -> None:
    assert sorted(TRAPS) == list(range(1, 33))
    assert all(tests for _, tests in TRAPS.values())
    assert all(GOLDEN.values())


@pytest.mark.parametrize("number", TRAPS)
def test_the_tests_that_hold_a_trap_exist(number: int) -> None:
    _, tests = TRAPS[number]
    assert [test for test in tests if not exists(test)] == []


@pytest.mark.parametrize("example", GOLDEN)
def test_the_tests_of_a_published_example_exist(example: str) -> None:
    assert [test for test in GOLDEN[example] if not exists(test)] == []
