"""What KPIs leave out, from the record to the sentence: counted by reason, gone once mended, the same in any order.

Not here: why a record of some kind is left out (the tests of its facts), how it is drawn
(tests/e2e/test_scorecard_page.py).
"""

from __future__ import annotations

from datetime import date

import pytest
from dbt_harness import DbtProject, Warehouse

SELECT = "mart_data_health mart_kpi_left_out"
LAW = (
    "intermediate.int_kpi__left_out_answer",
    "intermediate.int_kpi__left_out_order",
    "intermediate.int_data_health__left_out",
    "cx_marts.main.mart_kpi_left_out",
    "cx_marts.main.mart_data_health",
)
EFFORT = {"survey_id": "s1", "question_id": "q1", "metric": "ces", "scale_min": 1, "scale_max": 7}
SATISFACTION = {
    **{"survey_id": "s2", "question_id": "q1", "metric": "csat"},
    **{"scale_min": 1, "scale_max": 5, "positive_values": [4, 5]},
}


def answer(number: int, survey: str, day: str, score: float) -> dict[str, object]:
    return {
        "answer_id": f"a{number}",
        "survey_id": survey,
        "question_id": "q1",
        "answered_at": f"{day}T10:00:00Z",
        "score": score,
        "contact_id": f"c{number}",
    }


def order(name: str, **known: object) -> dict[str, object]:
    bought = {"order_id": name, "status": "completed", "ordered_at": "2026-02-02T10:00:00Z", "item_amount": 10}
    return bought | known


NOT_ALL_KNOWN = [
    order("of an account", account_id="nobody's"),
    order("came back", status="returned", contact_id="buyer"),
    order("dollars", currency="USD", contact_id="buyer"),
]


@pytest.fixture(scope="module")
def nights(dbt_project: DbtProject, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """An effort survey without a direction beside a satisfaction survey; on the second night one more of each."""
    warehouse = Warehouse(dbt_project, tmp_path_factory.mktemp("left out"))
    answers = [answer(number, "s1", "2026-03-02", 6) for number in range(3)]
    answers += [answer(number, "s2", "2026-03-02", 4) for number in range(10, 15)]
    warehouse.night(
        {
            "canonical.survey_question": [EFFORT, SATISFACTION],
            "canonical.survey_answer": answers,
            "canonical.contact": [{"contact_id": "buyer"}],
            "canonical.order": [order(f"o{number}", contact_id="buyer") for number in range(3)] + NOT_ALL_KNOWN,
        },
        select=SELECT,
        as_of=date(2026, 3, 10),
    )
    late = [answer(20, "s1", "2026-04-01", 2), answer(21, "s2", "2026-04-01", 1)]
    warehouse.night({"canonical.survey_answer": late}, as_of=date(2026, 4, 2))
    return warehouse


def test_what_a_kpi_leaves_out_is_counted_by_month_and_reason_beside_what_it_counts(nights):
    found = nights.rows(
        "select month_start::varchar as month, part, reason, records, counted from cx_marts.main.mart_kpi_left_out "
        "where kpi = 'ces' order by month_start"
    )
    assert found == [
        {"month": month, "part": "question q1 of survey s1", "reason": "no_direction", "records": records, "counted": 0}
        for month, records in (("2026-03-01", 3), ("2026-04-01", 1))
    ]


def test_orders_nobody_is_known_of_are_held_against_the_orders_of_those_who_are(nights):
    found = nights.rows(
        "select kpi, reason, records, counted from cx_marts.main.mart_kpi_left_out "
        "where kpi in ('active_customers', 'revenue') order by 1, 2"
    )
    assert found == [
        {"kpi": "active_customers", "reason": "account_of_nobody", "records": 1, "counted": 5},
        {"kpi": "revenue", "reason": "other_currency", "records": 1, "counted": 4},
        {"kpi": "revenue", "reason": "unknown_refund", "records": 1, "counted": 4},
    ]


def test_the_health_of_the_data_says_how_many_of_what_why_and_what_to_do(nights):
    (found,) = nights.rows(
        "select status, n, value, message from cx_marts.main.mart_data_health "
        "where area = 'left_out' and date_day = '2026-03-01'"
    )
    assert (found["status"], found["n"], found["value"]) == ("warn", 3, 100)
    what = "3 records of canonical/survey_answer (question q1 of survey s1) are left out of "
    assert found["message"].startswith(what)
    assert found["message"].endswith(
        " because nobody said which end of the effort scale is easy: declare scale_direction of the question: "
        "high_is_good or low_is_good."
    )


def test_a_kpi_that_counts_all_there_is_leaves_nothing_out(nights):
    assert nights.rows("from cx_marts.main.mart_kpi_left_out where kpi = 'csat'") == []


def test_nights_leave_out_what_one_rebuild_does_and_nothing_once_the_question_says_its_direction(nights):
    assert nights.differences(nights.rebuilt(), LAW) == {}
    told = {**EFFORT, "scale_direction": "high_is_good", "updated_at": "2026-04-03T10:00:00Z"}
    nights.night({"canonical.survey_question": [told]})
    assert nights.rows("from cx_marts.main.mart_kpi_left_out where kpi = 'ces'") == []
    assert nights.rows("from cx_marts.main.mart_data_health where measure like 'no_direction%'") == []
    assert nights.differences(nights.rebuilt("told"), LAW) == {}
