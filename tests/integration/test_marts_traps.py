"""The ways to get customer metrics wrong, each as a few rows and what the marts must say of them.

One warehouse, three nights, read by every test. Not here: the formulas on counts (dbt unit tests), random
histories (test_marts_history.py), which records are one person (the intermediate tests).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pytest
from dbt_harness import DbtProject, Warehouse

NPS, NPS_1_10, CSAT, CES_REVERSED = "nps", "nps_1_10", "csat", "ces_reversed"

MARTS = (
    "bridge_feedback_theme",
    "dim_account",
    "dim_agent",
    "dim_customer",
    "dim_date",
    "dim_journey_step",
    "dim_kpi",
    "dim_survey_question",
    "dim_theme",
    "dim_touchpoint",
    "fct_closed_loop_case",
    "fct_customer_month",
    "fct_feedback",
    "fct_journey",
    "fct_journey_event",
    "fct_order",
    "fct_sla",
    "fct_survey_answer",
    "fct_survey_invitation",
    "fct_ticket",
    "fct_ticket_backlog_daily",
    "fct_ticket_transition",
    "mart_channel_consistency",
    "mart_customer_value",
    "mart_data_health",
    "mart_feedback_theme",
    "mart_feedback_utilisation",
    "mart_journey_map",
    "mart_journey_path",
    "mart_kpi_daily",
    "mart_recovery",
    "mart_retention_cohort",
    "mart_service_scorecard",
    "mart_survey_funnel",
    "mart_ticket_volume_daily",
)


def question(name: str, metric: str, low: int, high: int, *, direction: str = "high_is_good") -> dict[str, Any]:
    return {
        "survey_id": name,
        "question_id": "q",
        "metric": metric,
        "scale_min": low,
        "scale_max": high,
        "scale_direction": direction,
        "survey_kind": "transactional",
    }


def answer(name: str, survey: str, score: float | None, day: str, **more: object) -> dict[str, Any]:
    noon = f"{day} 12:00:00+00"
    about = {"answer_id": name, "survey_id": survey, "question_id": "q", "score": score, "channel": "email"}
    return about | {"answered_at": noon, "updated_at": noon} | more


def answers(
    prefix: str, survey: str, day: str, scores: Sequence[float | None], channel: str = "email"
) -> list[dict[str, Any]]:
    return [answer(f"{prefix}{place}", survey, score, day, channel=channel) for place, score in enumerate(scores)]


def contact(name: str, country: str, updated: str = "2025-01-01", **more: object) -> dict[str, Any]:
    return {"contact_id": name, "country": country, "updated_at": f"{updated} 12:00:00+00"} | more


def order(name: str, buyer: str, day: str, updated: str | None = None, **more: object) -> dict[str, Any]:
    about = {
        "order_id": name,
        "contact_id": buyer,
        "status": "completed",
        "channel": "web",
        "item_amount": 100,
    }
    return about | {"ordered_at": f"{day} 12:00:00+00", "updated_at": f"{updated or day} 12:00:00+00"} | more


def ticket(name: str, created: str, updated: str | None = None, **more: object) -> dict[str, Any]:
    about = {
        "id": name,
        "requester_id": "u1",
        "submitter_id": "u1",
        "status": "open",
        "via": {"channel": "email"},
    }
    return about | {"created_at": f"{created}:00+00", "updated_at": f"{updated or created}:00+00"} | more


def audit(
    name: str, about: str, at: str, author: str, event: Mapping[str, Any], *, channel: str = "web"
) -> dict[str, Any]:
    return {
        "id": name,
        "ticket_id": about,
        "author_id": author,
        "created_at": f"{at}:00+00",
        "events": [event],
        "via": {"channel": channel},
    }


def rating(name: str, about: str, score: str, updated: str) -> dict[str, Any]:
    people = {"ticket_id": about, "requester_id": "u1", "assignee_id": "a1"}
    times = {"created_at": "2025-12-03 10:00:00+00", "updated_at": f"{updated}:00+00"}
    return {"id": name, "score": score} | people | times


def user(name: str, role: str, **more: object) -> dict[str, Any]:
    return {"id": name, "role": role, "updated_at": "2025-01-01 00:00:00+00"} | more


def comment(public: bool = True) -> dict[str, Any]:
    return {"type": "Comment", "public": public, "body": "text"}


def status(before: str, after: str) -> dict[str, Any]:
    return {"type": "Change", "field_name": "status", "previous_value": before, "value": after}


FIRST_NIGHT = {
    "canonical.survey_question": [
        question(NPS, "nps", 0, 10),
        question(NPS_1_10, "nps", 1, 10),
        question(CSAT, "csat", 1, 5),
        question(CES_REVERSED, "ces", 1, 7, direction="low_is_good"),
    ],
    "canonical.survey_answer": [
        *answers("skips", NPS, "2025-11-01", [9, 10, 9, 10, 9, 9, 3, None, None, None, None, None]),
        *answers("wrong", NPS_1_10, "2025-11-02", [9, 10, 9, 10, 9, 9]),
        *answers("mail", NPS, "2025-11-03", [10] * 8 + [0] * 2),
        *answers("web", NPS, "2025-11-03", [10] + [0] * 5, channel="web"),
        answer("single", NPS, 10, "2025-11-04"),
        *answers("effort", CES_REVERSED, "2025-11-05", [1, 2, 3, 5, 7]),
        *answers("three", CSAT, "2025-11-06", [3, 3, 3, 4, 5]),
        answer("edited", NPS, 9, "2025-11-07"),
        answer("withdrawn", NPS, 9, "2025-11-08"),
        answer("anonymous", NPS, 9, "2025-11-09", is_anonymous=True, contact_id="c1", ticket_id="t-agent"),
        answer("preview", NPS, 9, "2025-11-10", is_test=True),
    ],
    "canonical.contact": [
        contact("c1", "DE", email="ada@example.com", first_name="Ada", last_name="Lind"),
        contact("c2", "FR", email="ada.lind@example.org", first_name="Ada", last_name="Lind"),
        contact("c3", "DE"),
    ],
    "canonical.order": [
        order("o1", "c1", "2025-09-01"),
        order("o2", "c2", "2025-09-02", currency="USD"),
        order("o3", "c3", "2025-09-03"),
        order("o4", "nobody", "2025-09-04"),
        order("night", "c1", "2025-09-05", ordered_at="2025-09-05 23:30:00+00"),
    ],
    "zendesk.users": [
        user("u1", "end-user", email="ada@example.com"),
        user("a1", "agent"),
        user("a2", "agent"),
    ],
    "zendesk.tickets": [
        ticket("t-unanswered", "2025-12-01 10:00"),
        ticket("t-agent", "2025-12-02 10:00", assignee_id="a1"),
        ticket("t-twice", "2025-12-03 10:00"),
        ticket("t-twice", "2025-12-03 10:00"),
        ticket("t-dst", "2025-10-26 00:30"),
        ticket("t-purged", "2025-12-04 10:00"),
        ticket("t-solved-and-purged", "2025-12-04 10:00"),
    ],
    "zendesk.ticket_audits": [
        audit("1", "t-unanswered", "2025-12-01 10:00", "u1", comment()),
        audit("2", "t-unanswered", "2025-12-01 10:01", "-1", comment(), channel="rule"),
        audit("3", "t-agent", "2025-12-02 10:00", "u1", comment()),
        audit("4", "t-agent", "2025-12-02 10:20", "a1", comment(public=False)),
        audit("5", "t-agent", "2025-12-02 10:30", "a1", comment()),
        audit("6", "t-dst", "2025-10-26 00:30", "u1", comment()),
        audit("7", "t-dst", "2025-10-26 01:30", "a1", comment()),
        audit("8", "t-solved-and-purged", "2025-12-05 10:00", "a1", status("open", "solved")),
    ],
    "zendesk.satisfaction_ratings": [
        rating("r1", "t-agent", "bad", "2025-12-03 10:00"),
        rating("r2", "t-unanswered", "offered", "2025-12-03 10:00"),
    ],
}

SECOND_NIGHT = {
    "canonical.survey_answer": [
        answer("edited", NPS, 2, "2025-11-07", updated_at="2026-01-02 12:00:00+00"),
        answer("withdrawn", NPS, 9, "2025-11-08", updated_at="2026-01-02 12:00:00+00", is_deleted=True),
    ],
    "canonical.contact": [
        contact("c3", "DE", "2026-01-02", merged_into_contact_id="c1"),
        contact("c2", "IT", "2026-01-02"),
    ],
    "canonical.order": [order("o1", "c1", "2025-09-01", "2026-01-02", refund_amount=40, status="returned")],
    "zendesk.tickets": [
        ticket("t-agent", "2025-12-02 10:00", "2026-01-02 10:00", assignee_id="a2"),
        ticket("t-purged", "2025-12-04 10:00", "2026-01-02 10:00", status="deleted"),
        ticket("t-solved-and-purged", "2025-12-04 10:00", "2026-01-02 10:00", status="deleted"),
    ],
    "zendesk.satisfaction_ratings": [rating("r1", "t-agent", "good", "2026-01-02 10:00")],
}


@pytest.fixture(scope="module")
def marts(dbt_project: DbtProject, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """Both nights, and a third on which nothing arrives; every test of the models runs on the last."""
    warehouse = Warehouse(dbt_project, tmp_path_factory.mktemp("traps"))
    warehouse.night(FIRST_NIGHT, as_of=date(2026, 1, 1))
    warehouse.night(SECOND_NIGHT)
    warehouse.night({}, as_of=date(2026, 1, 5), tests=True)
    return warehouse


def kpi(marts: Warehouse, name: str, day: str, *, dimension: str = "all", member: str = "all") -> dict[str, Any]:
    """The row of one KPI and day, empty where there is none."""
    rows = marts.rows(
        "select * from cx_marts.main.mart_kpi_daily "
        "where kpi = ? and date_day = ? and period = 'day' and dimension = ? and member = ?",
        *(name, day, dimension, member),
    )
    return rows[0] if rows else {}


def one(marts: Warehouse, sql: str, *parameters: object) -> dict[str, Any]:
    (row,) = marts.rows(sql, *parameters)
    return row


def answer_row(marts: Warehouse, name: str) -> dict[str, Any]:
    return fact_row(marts, "survey_answer", name, fact_key="answer_key", key="survey_answer_key", natural="answer_id")


def ticket_row(marts: Warehouse, name: str) -> dict[str, Any]:
    return fact_row(marts, "ticket", name, fact_key="ticket_key", key="ticket_key", natural="ticket_id")


def order_row(marts: Warehouse, name: str) -> dict[str, Any]:
    return fact_row(marts, "order", name, fact_key="order_key", key="order_key", natural="order_id")


def fact_row(marts: Warehouse, record: str, name: str, *, fact_key: str, key: str, natural: str) -> dict[str, Any]:
    return one(
        marts,
        f"select f.* from cx_marts.main.fct_{record} f "
        f"join intermediate.int_{record}__unioned r on r.{key} = f.{fact_key} where r.{natural} = ?",
        name,
    )


def customer_of(marts: Warehouse, contact: str) -> int:
    return int(
        marts.values("select customer_key from intermediate.map_customer_identity where contact_id = ?", contact)[0]
    )


def test_skipped_questions_are_not_in_the_denominator_of_nps(marts: Warehouse) -> None:
    row = kpi(marts, "nps_transactional", "2025-11-01")
    assert (row["numerator"], row["denominator"], row["n"]) == (5, 7, 7)


def test_nps_asked_from_1_to_10_is_refused_and_never_rescaled(marts: Warehouse) -> None:
    assert answer_row(marts, "wrong0")["exclusion_reason"] == "scale_mismatch"
    assert kpi(marts, "nps_transactional", "2025-11-02") == {}


def test_satisfaction_scores_never_enter_nps(marts: Warehouse) -> None:
    assert kpi(marts, "nps_transactional", "2025-11-06") == {}
    assert kpi(marts, "csat", "2025-11-06")["n"] == 5


def test_nps_of_all_is_pooled_and_not_the_mean_of_channels(marts: Warehouse) -> None:
    day = "2025-11-03"
    by_channel = marts.rows(
        "select numerator, value from intermediate.int_kpi__cell "
        "where kpi = 'nps_transactional' and date_day = ? and period = 'day' and dimension = 'channel'",
        day,
    )
    pooled = kpi(marts, "nps_transactional", day)
    assert pooled["value"] == pytest.approx(100 * (9 - 7) / 16, abs=1e-4)
    assert pooled["numerator"] == sum(row["numerator"] for row in by_channel)
    assert pooled["value"] != pytest.approx(sum(row["value"] for row in by_channel) / 2)


def test_one_answer_has_a_wide_interval_and_is_flagged(marts: Warehouse) -> None:
    row = kpi(marts, "nps_transactional", "2025-11-04")
    assert row["value"] == 100
    assert row["ci_low"] < -48
    assert row["is_low_n"]
    assert kpi(marts, "nps_transactional", "2025-11-04", dimension="channel", member="email") == {}


def test_low_effort_is_good_on_a_reversed_scale(marts: Warehouse) -> None:
    row = kpi(marts, "ces", "2025-11-05")
    assert (row["numerator"], row["denominator"]) == (3, 5)
    assert answer_row(marts, "effort0")["score_norm"] == 1


def test_three_of_five_is_not_satisfied(marts: Warehouse) -> None:
    row = kpi(marts, "csat", "2025-11-06")
    assert (row["numerator"], row["denominator"]) == (2, 5)


def test_unanswered_tickets_are_counted_and_have_no_reply_time(marts: Warehouse) -> None:
    row = ticket_row(marts, "t-unanswered")
    assert row["never_answered"]
    assert row["awaiting_our_reply"]
    assert row["first_reply_minutes"] is None
    assert row["first_automated_reply_minutes"] == 1


def test_a_private_note_is_no_reply(marts: Warehouse) -> None:
    assert ticket_row(marts, "t-agent")["first_reply_minutes"] == 30


def test_a_rating_is_credited_to_the_agent_of_that_time(marts: Warehouse) -> None:
    agents = {
        row["agent_id"]: row["agent_key"]
        for row in marts.rows("select agent_id, agent_key from intermediate.int_agent__unioned")
    }
    assert answer_row(marts, "r1")["agent_key"] == agents["a1"]
    assert ticket_row(marts, "t-agent")["agent_key"] == agents["a2"]


def test_a_rating_changed_from_bad_to_good_is_good_on_its_day(marts: Warehouse) -> None:
    assert answer_row(marts, "r1")["answer_class"] == "positive"


def test_an_offered_rating_is_no_answer(marts: Warehouse) -> None:
    assert marts.values("select count(*) from intermediate.int_survey_answer__unioned where answer_id = 'r2'") == [0]


def test_a_purge_is_removed_work_and_not_solved_work(marts: Warehouse) -> None:
    purge_day = one(
        marts,
        "select * from cx_marts.main.fct_ticket_backlog_daily where date_day = date '2026-01-02' and channel = 'email'",
    )
    assert (purge_day["solved"], purge_day["removed"]) == (0, 1)
    assert purge_day["closing"] == purge_day["opening"] - 1
    assert kpi(marts, "backlog", "2025-12-04")["value"] == kpi(marts, "backlog", "2025-12-03")["value"] + 2


def test_the_backlog_is_carried_to_days_on_which_nothing_arrives(marts: Warehouse) -> None:
    assert kpi(marts, "backlog", "2026-01-05")["value"] == kpi(marts, "backlog", "2026-01-02")["value"]


def test_an_hour_on_the_day_the_clocks_go_back_is_an_hour(marts: Warehouse) -> None:
    assert ticket_row(marts, "t-dst")["first_reply_minutes"] == 60


def test_the_day_is_the_day_of_the_reporting_timezone(marts: Warehouse) -> None:
    assert order_row(marts, "night")["ordered_date_key"] == 20250906


def test_a_row_delivered_twice_counts_once(marts: Warehouse) -> None:
    assert ticket_row(marts, "t-twice")["status"] == "open"
    assert kpi(marts, "backlog", "2025-12-03")["value"] == kpi(marts, "backlog", "2025-12-02")["value"] + 1


def test_a_late_edit_changes_the_day_of_the_answer(marts: Warehouse) -> None:
    row = kpi(marts, "nps_transactional", "2025-11-07")
    assert (row["numerator"], row["n"]) == (-1, 1)


def test_a_withdrawn_answer_stays_with_its_reason_and_leaves_the_kpi(marts: Warehouse) -> None:
    assert answer_row(marts, "withdrawn")["exclusion_reason"] == "deleted"
    assert kpi(marts, "nps_transactional", "2025-11-08") == {}


def test_orders_of_a_merged_contact_follow_it(marts: Warehouse) -> None:
    assert order_row(marts, "o3")["customer_key"] == order_row(marts, "o1")["customer_key"]
    assert not order_row(marts, "o3")["is_first"]


def test_two_people_with_one_name_stay_two(marts: Warehouse) -> None:
    assert customer_of(marts, "c1") != customer_of(marts, "c2")


def test_an_anonymous_answer_is_never_linked(marts: Warehouse) -> None:
    row = answer_row(marts, "anonymous")
    assert row["is_counted"]
    assert (row["customer_key"], row["ticket_key"], row["order_key"]) == (-1, -1, -1)


def test_a_preview_does_not_count(marts: Warehouse) -> None:
    assert answer_row(marts, "preview")["exclusion_reason"] == "test"


def test_an_unknown_buyer_keeps_the_order(marts: Warehouse) -> None:
    assert order_row(marts, "o4")["customer_key"] == -1
    assert order_row(marts, "o4")["is_counted"]


def test_a_refund_after_the_close_lowers_the_order_on_its_own_day(marts: Warehouse) -> None:
    row = order_row(marts, "o1")
    assert (row["net_amount"], row["ordered_date_key"]) == (60, 20250901)


def test_amounts_keep_their_currency(marts: Warehouse) -> None:
    assert order_row(marts, "o2")["currency"] == "USD"
    assert order_row(marts, "o1")["currency"] == "EUR"


def test_a_customer_who_moves_moves_in_the_breakdown_of_past_days(marts: Warehouse) -> None:
    countries = marts.values(
        "select distinct member from cx_marts.main.mart_kpi_daily "
        "where kpi = 'logo_retention' and dimension = 'country' order by 1"
    )
    assert countries == ["DE", "IT"]


def test_retention_without_a_full_year_of_history_says_so(marts: Warehouse) -> None:
    assert set(
        marts.values(
            "select distinct is_complete_window from cx_marts.main.mart_kpi_daily where kpi = 'logo_retention'"
        )
    ) == {False}


def test_marts_hold_nothing_that_names_a_customer(marts: Warehouse) -> None:
    for table in MARTS:
        for row in marts.rows(f"select * from cx_marts.main.{table}"):
            assert not any("example." in value or "Lind" in value for value in row.values() if isinstance(value, str))


def test_the_nights_make_what_one_full_rebuild_makes(marts: Warehouse) -> None:
    assert marts.differences(marts.rebuilt(), [f"cx_marts.main.{table}" for table in MARTS]) == {}
