"""The ways to get journeys wrong, each as a few rows and what the marts must say of them.

One warehouse, three nights, looked at after each. Not here: the formulas (dbt unit tests), all journeys of a random
company (test_journeys_retold.py), the law over random deliveries (test_marts_history.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import pytest
from dbt_harness import PROJECT, DbtProject, Warehouse
from journeys_retold import key_of

MARTS = ("dim_journey_step", "dim_touchpoint", "fct_journey", "fct_journey_event", "fct_survey_answer")
STEPS = sorted(path.stem for path in (PROJECT / "models" / "intermediate" / "journey").glob("*.sql"))
TABLES = (*(f"intermediate.{step}" for step in STEPS), *(f"cx_marts.main.{mart}" for mart in MARTS))


def contact(name: str, created: str | None = None, updated: str = "2026-01-01", **more: object) -> dict[str, Any]:
    return {"contact_id": name, "created_at": created and noon(created), "updated_at": noon(updated)} | more


def visit(name: str, who: str | None, day: str, kind: str = "web_visit", **more: object) -> dict[str, Any]:
    about = {"activity_id": name, "contact_id": who, "activity_type": kind, "channel": "web", "direction": "inbound"}
    return about | {"occurred_at": noon(day), "updated_at": noon(day)} | more


def order(name: str, who: str | None, day: str, updated: str | None = None, **more: object) -> dict[str, Any]:
    about = {"order_id": name, "contact_id": who, "status": "completed", "channel": "web"}
    times = {"ordered_at": noon(day), "created_at": noon(day), "updated_at": noon(updated or day)}
    return about | times | {name: noon(str(at)) if name.endswith("_at") else at for name, at in more.items()}


def ticket(name: str, who: str | None, day: str, updated: str | None = None, **more: object) -> dict[str, Any]:
    about = {"ticket_id": name, "requester_id": who, "status": "open", "channel": "email", "topic": "billing"}
    return about | {"created_at": noon(day), "updated_at": noon(updated or day)} | more


def said(name: str, about: str, at: str, **event: object) -> dict[str, Any]:
    return {"event_id": name, "ticket_id": about, "occurred_at": at, "updated_at": at, "is_public": True} | event


def became(name: str, about: str, day: str, before: str, after: str) -> dict[str, Any]:
    return said(name, about, noon(day), event_type="status_change", from_value=before, to_value=after)


def answer(name: str, survey: str, score: int, day: str, updated: str | None = None, **more: object) -> dict[str, Any]:
    about = {"answer_id": name, "survey_id": survey, "question_id": "q", "score": score}
    return about | {"answered_at": noon(day), "updated_at": noon(updated or day)} | more


def question(name: str, metric: str, low: int, high: int, touchpoint: str) -> dict[str, Any]:
    scale = {"scale_min": low, "scale_max": high, "scale_direction": "high_is_good"}
    about = {"survey_id": name, "question_id": "q", "metric": metric, "touchpoint": touchpoint}
    return about | scale | {"survey_kind": "transactional", "updated_at": noon("2026-01-01")}


def noon(day: str) -> str:
    return f"{day} 12:00:00+00"


def at(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T12:00:00").replace(tzinfo=UTC)


FIRST_NIGHT = {
    "canonical.survey_question": [
        question("came", "csat", 1, 5, "order_delivered"),
        question("helped", "csat", 1, 5, "support_solved"),
        question("recommend", "nps", 0, 10, "order_web"),
    ],
    "canonical.contact": [
        *(contact(name) for name in ("cat", "dan", "eve", "fay", "gus", "hal", "ida", "joe")),
        contact("ann", "2026-01-05"),
        contact("bob", "2026-01-02"),
        contact("kim", "2026-01-10"),
    ],
    "canonical.activity": [
        visit("cat-1", "cat", "2026-01-01"),
        visit("dan-1", "dan", "2026-01-09"),
        visit("bob-1", "bob", "2026-01-15"),
        visit("nobody-1", None, "2026-01-15"),
        visit("nobody-2", "a stranger", "2026-01-16"),
        visit("ida-told", "ida", "2026-01-12", "delivery_notice", order_id="ida-order", direction="outbound"),
        visit("kim-late", "kim", "2026-03-11", "login"),
        visit("yawn", "kim", "2026-01-11", "yawn"),
        visit("eve-told", "eve", "2026-01-12", "delivery_notice", order_id="moved", direction="outbound"),
    ],
    "canonical.order": [
        order("cat-order", "cat", "2026-01-20"),
        order("dan-1", "dan", "2026-01-10", delivered_at="2026-01-14"),
        order("dan-2", "dan", "2026-01-10", shipped_at="2026-01-11"),
        order("ann-order", "ann", "2026-01-20"),
        order("nobody-order", None, "2026-01-20", delivered_at="2026-01-21"),
        order("ida-order", "ida", "2026-01-10", delivered_at="2026-01-14", promised_at="2026-01-15"),
        order("joe-order", "joe", "2026-02-20"),
        order("moved", "fay", "2026-01-10"),
        order("hal-deal", "hal", "2026-01-10", status="open", channel="sales", order_type="renewal"),
    ],
    "canonical.ticket": [
        ticket("reopened", "eve", "2026-01-10", status="solved"),
        ticket("kept", "fay", "2026-01-10"),
        ticket("merged", "fay", "2026-01-12", channel="phone"),
        ticket("nobody-ticket", None, "2026-01-10"),
        ticket("other topic", "fay", "2026-01-11", topic="delivery"),
        ticket("handed", "gus", "2026-01-10", channel="chat"),
        ticket("moved", "fay", "2026-01-10", topic="moving"),
    ],
    "canonical.ticket_event": [
        became("r1", "reopened", "2026-01-11", "open", "solved"),
        said("h0", "handed", noon("2026-01-10"), event_type="comment", author_role="customer"),
        said("h1", "handed", "2026-01-10 12:01:00+00", event_type="comment", author_role="bot"),
        said("h2", "handed", "2026-01-10 13:00:00+00", event_type="comment", author_role="agent"),
    ],
    "canonical.survey_answer": [
        answer("edited", "came", 5, "2026-01-16", order_id="ida-order"),
        answer("of scale", "recommend", 0, "2026-01-17", order_id="ida-order"),
        answer("anonymous", "came", 1, "2026-01-16", order_id="ida-order", contact_id="ida", is_anonymous=True),
        answer("of merged", "helped", 1, "2026-01-13", ticket_id="merged"),
        answer("by time", "came", 3, "2026-01-18", contact_id="dan"),
        answer("left alone", "came", 4, "2026-01-16", order_id="ida-order"),
        answer("of moved ticket", "helped", 3, "2026-01-13", ticket_id="moved", contact_id="eve"),
        answer("of moved order", "came", 3, "2026-01-13", order_id="moved", contact_id="eve"),
    ],
}

SECOND_NIGHT = {
    "canonical.activity": [visit("cat-late", "cat", "2026-01-10", updated_at=noon("2026-02-28"))],
    "canonical.contact": [contact("bob", "2026-01-02", "2026-03-02", merged_into_contact_id="ann")],
    "canonical.order": [
        order("ida-order", "ida", "2026-01-10", "2026-03-02", delivered_at="2026-01-14", promised_at="2026-01-13"),
        order("moved", "gus", "2026-01-10", "2026-03-02"),
        order("hal-deal", "hal", "2026-03-01", "2026-03-02", channel="sales", order_type="renewal")
        | {"created_at": noon("2026-01-10")},
    ],
    "canonical.ticket": [
        ticket("reopened", "eve", "2026-01-10", "2026-03-02"),
        ticket("moved", "gus", "2026-01-10", "2026-03-02", topic="moving"),
        ticket("merged", "fay", "2026-01-12", "2026-03-02", channel="phone", merged_into_ticket_id="kept"),
    ],
    "canonical.ticket_event": [
        became("r2", "reopened", "2026-01-12", "solved", "open"),
        said("h3", "handed", noon("2026-01-11"), event_type="assignee_change", from_value="a", to_value="b"),
    ],
    "canonical.survey_answer": [answer("edited", "came", 1, "2026-01-16", "2026-03-02", order_id="ida-order")],
}

THIRD_NIGHT = {
    "canonical.activity": [visit("fay-late", "fay", "2026-02-20", updated_at=noon("2026-03-03"))],
    "canonical.ticket": [ticket("reopened", "eve", "2026-01-10", "2026-03-03", status="solved")],
    "canonical.ticket_event": [became("r3", "reopened", "2026-01-15", "open", "solved")],
}


@dataclass
class Nights:
    """The journeys after each night, and the warehouse after the last."""

    warehouse: Warehouse
    journeys: list[dict[int, dict[str, Any]]]
    events: list[dict[tuple[str, str], dict[str, Any]]]

    def journey(self, what: str, name: str, night: int = 3, event: str | None = None) -> dict[str, Any]:
        """The journey an event of a record is part of; empty for none."""
        return self.journeys[night - 1].get(self.event(what, name, night, event)["journey_key"], {})

    def event(self, what: str, name: str, night: int = 3, event: str | None = None) -> dict[str, Any]:
        """An event of a record, or its only one."""
        ref = key_of("canonical", name)
        found = [
            row
            for (kind, happened), row in self.events[night - 1].items()
            if row["source_ref"] == ref and kind == what and event in (None, row["event"])
        ]
        assert found, f"{what} {name} has no such event"
        return min(found, key=lambda row: (row["occurred_at"], row["event_key"]))

    def named(self, what: str, name: str, night: int = 3) -> list[str]:
        """What happened to a record, in order."""
        ref = key_of("canonical", name)
        rows = [row for (kind, _), row in self.events[night - 1].items() if row["source_ref"] == ref and kind == what]
        return [row["event"] for row in sorted(rows, key=lambda row: row["occurred_at"])]


@pytest.fixture(scope="module")
def nights(dbt_project: DbtProject, tmp_path_factory: pytest.TempPathFactory) -> Nights:
    """Three nights: March; then late rows, a merge and edits in May; then the business date steps back to March."""
    warehouse = Warehouse(dbt_project, tmp_path_factory.mktemp("journeys"), "fct_journey")
    journeys, events = [], []
    for rows, as_of in ((FIRST_NIGHT, 1), (SECOND_NIGHT, 70), (THIRD_NIGHT, 3)):
        warehouse.night(rows, as_of=date.fromordinal(date(2026, 2, 28).toordinal() + as_of))
        found = warehouse.rows("select * from cx_marts.main.fct_journey")
        journeys.append({row["journey_key"]: row for row in found})
        found = warehouse.rows(
            "select * from cx_marts.main.fct_journey_event "
            "join (select touchpoint_key, touchpoint from cx_marts.main.dim_touchpoint) using (touchpoint_key)"
        )
        events.append({(row["object"], str(row["event_key"])): row for row in found})
    return Nights(warehouse, journeys, events)


def test_a_late_visit_bridges_the_pause_and_moves_the_journey(nights: Nights) -> None:
    before, after = nights.journey("order", "cat-order", night=1), nights.journey("order", "cat-order")
    assert before["started_at"] == at("2026-01-20")
    assert nights.journey("activity", "cat-1", night=1)["journey_key"] != before["journey_key"]
    assert (after["started_at"], after["n_events"]) == (at("2026-01-01"), 3)
    assert nights.journey("activity", "cat-1")["journey_key"] == after["journey_key"] == before["journey_key"]


def test_two_orders_of_one_moment_never_share_a_journey(nights: Nights) -> None:
    one, other = nights.journey("order", "dan-1"), nights.journey("order", "dan-2")
    assert one["journey_key"] != other["journey_key"]
    assert (one["is_completed"], other["is_completed"]) == (True, False)
    assert nights.event("order", "dan-1", event="delivered")["journey_key"] == one["journey_key"]
    assert nights.event("order", "dan-2", event="shipped")["journey_key"] == other["journey_key"]


def test_the_visit_before_two_orders_leads_to_one_of_them(nights: Nights) -> None:
    visited = nights.journey("activity", "dan-1")["journey_key"]
    assert [nights.journey("order", name)["journey_key"] for name in ("dan-1", "dan-2")].count(visited) == 1


def test_visits_of_unknown_customers_belong_to_no_journey(nights: Nights) -> None:
    for name in ("nobody-1", "nobody-2"):
        event = nights.event("activity", name)
        assert (event["customer_key"], event["journey_key"], event["journey"]) == (-1, -1, "none")
        assert event["seq_no"] is None


def test_orders_and_tickets_of_unknown_customers_are_journeys_of_their_own(nights: Nights) -> None:
    bought, asked = nights.journey("order", "nobody-order"), nights.journey("ticket", "nobody-ticket")
    assert (bought["customer_key"], bought["is_completed"], bought["n_events"]) == (-1, True, 2)
    assert (asked["customer_key"], asked["n_events"]) == (-1, 1)


def test_a_reopened_ticket_is_not_solved_until_it_is_solved_again(nights: Nights) -> None:
    solved = [nights.journey("ticket", "reopened", night)["step_3_at"] for night in (1, 2, 3)]
    assert solved == [at("2026-01-11"), None, at("2026-01-15")]
    assert nights.named("ticket", "reopened", night=2) == ["created"]


def test_a_merged_ticket_leaves_its_journey_and_what_was_answered_about_it_too(nights: Nights) -> None:
    before, after = nights.journey("ticket", "kept", night=1), nights.journey("ticket", "kept")
    assert (before["n_contacts"], before["n_switches"], before["trough_score"]) == (2, 1, 0)
    assert (after["n_contacts"], after["n_switches"], after["trough_score"]) == (1, 0, None)
    assert nights.named("ticket", "merged") == []
    assert nights.event("survey_answer", "of merged")["journey_key"] == -1


def test_contacts_about_another_topic_are_another_journey(nights: Nights) -> None:
    assert nights.journey("ticket", "other topic")["journey_key"] != nights.journey("ticket", "kept")["journey_key"]


def test_a_machine_that_hands_over_is_no_switch(nights: Nights) -> None:
    before, after = nights.journey("ticket", "handed", night=1), nights.journey("ticket", "handed")
    assert (before["n_handoffs"], after["n_handoffs"]) == (1, 2)
    assert after["n_switches"] == 0
    assert nights.event("ticket", "handed", event="first_automated_reply")["handled_by"] == "automated"


def test_an_edited_answer_changes_how_the_journey_felt(nights: Nights) -> None:
    before, after = nights.journey("order", "ida-order", night=1), nights.journey("order", "ida-order")
    assert (before["peak_score"], before["peak_scale"]) == (1, "csat 1-5")
    assert (after["peak_score"], after["peak_scale"]) == (0.75, "csat 1-5")


def test_scores_of_two_scales_stay_two_scores(nights: Nights) -> None:
    journey = nights.journey("order", "ida-order", night=1)
    assert (journey["trough_score"], journey["trough_scale"]) == (0, "nps 0-10")
    assert journey["end_scale"] == "nps 0-10"


def test_a_promise_corrected_later_moves_the_delivery_and_its_answer_to_the_late_touchpoint(nights: Nights) -> None:
    assert nights.named("order", "ida-order", night=1) == ["placed", "delivered"]
    assert nights.named("order", "ida-order") == ["placed", "delivered_late"]
    touchpoints = [nights.event("survey_answer", "left alone", night)["touchpoint"] for night in (1, 3)]
    assert touchpoints == ["order_delivered", "order_delivered_late"]
    assert nights.event("survey_answer", "of scale")["touchpoint"] == "order_web"


def test_a_message_that_names_an_order_is_part_of_its_journey(nights: Nights) -> None:
    event = nights.event("activity", "ida-told")
    assert event["journey_key"] == nights.journey("order", "ida-order")["journey_key"]
    assert (event["touchpoint"], event["step"]) == ("delivery_notice", None)


def test_what_names_a_record_follows_it_to_another_customer(nights: Nights) -> None:
    for what, name, about in (
        ("survey_answer", "of moved ticket", "ticket"),
        ("survey_answer", "of moved order", "order"),
        ("activity", "eve-told", "order"),
    ):
        journey = nights.journey(about, "moved")
        assert journey["customer_key"] == nights.journey("ticket", "handed")["customer_key"]
        assert nights.event(what, name)["journey_key"] == journey["journey_key"], name
        assert nights.event(what, name)["customer_key"] == nights.event("ticket", "reopened")["customer_key"]


def test_a_merge_of_customers_threads_their_journeys_anew(nights: Nights) -> None:
    visited, bought = nights.journey("activity", "bob-1", night=1), nights.journey("order", "ann-order", night=1)
    assert visited["journey_key"] != bought["journey_key"]
    joined = nights.journey("order", "ann-order")
    assert nights.journey("activity", "bob-1")["journey_key"] == joined["journey_key"]
    assert (joined["started_at"], joined["steps_reached"]) == (at("2026-01-15"), 2)
    registered = [row for row in nights.journeys[2].values() if row["journey"] == "onboarding"]
    assert sorted(row["started_at"] for row in registered) == [at("2026-01-02"), at("2026-01-10")]


def test_an_anonymous_answer_is_never_linked_to_a_journey(nights: Nights) -> None:
    event = nights.event("survey_answer", "anonymous")
    assert (event["customer_key"], event["journey_key"], event["score_norm"]) == (-1, -1, 0)


def test_an_answer_without_a_record_belongs_to_the_latest_journey_that_lists_its_touchpoint(nights: Nights) -> None:
    orders = [nights.journey("order", name)["journey_key"] for name in ("dan-1", "dan-2")]
    event = nights.event("survey_answer", "by time")
    assert event["journey_key"] in orders
    assert event["step"] is None


def test_first_use_in_the_last_second_of_the_window_counts_and_later_does_not(nights: Nights) -> None:
    """Registered on 10 January, used 60 days later at the same hour."""
    journey = nights.journey("activity", "kim-late")
    assert (journey["journey"], journey["is_completed"]) == ("onboarding", True)
    assert journey["completed_at"] == journey["window_ends_at"] == at("2026-03-11")


def test_an_open_journey_is_not_dropped_until_its_window_has_elapsed(nights: Nights) -> None:
    before, after = nights.journey("order", "joe-order", night=1), nights.journey("order", "joe-order", night=2)
    assert (before["is_matured"], before["is_open"], before["exit_reason"]) == (False, True, None)
    assert (after["is_matured"], after["is_open"], after["exit_reason"]) == (True, False, "dropped")
    assert after["exit_step"] == "order"


def test_a_business_date_that_steps_back_opens_the_journey_again(nights: Nights) -> None:
    journey = nights.journey("order", "joe-order", night=3)
    assert (journey["is_matured"], journey["is_open"], journey["exit_reason"]) == (False, True, None)


def test_a_renewal_is_opened_when_it_was_made_and_won_when_it_closed(nights: Nights) -> None:
    assert nights.named("order", "hal-deal", night=1) == ["renewal_opened"]
    journey = nights.journey("order", "hal-deal")
    assert (journey["journey"], journey["is_completed"]) == ("renewal", True)
    assert (journey["started_at"], journey["completed_at"]) == (at("2026-01-10"), at("2026-03-01"))


def test_an_event_without_a_rule_stays_with_the_unknown_touchpoint(nights: Nights) -> None:
    event = nights.event("activity", "yawn")
    assert (event["touchpoint_key"], event["handled_by"], event["journey_key"]) == (-1, "unknown", -1)


def test_the_nights_make_the_journeys_of_one_full_rebuild(nights: Nights) -> None:
    warehouse = nights.warehouse
    assert warehouse.differences(warehouse.rebuilt(), TABLES) == {}
