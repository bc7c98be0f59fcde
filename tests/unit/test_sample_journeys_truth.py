"""The judge is judged: the true journeys of worlds small enough to tell by hand."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from sample_company import shopping
from sample_company.company import Company, days_since_1970, simulate
from sample_company.draw import day_of
from sample_company.emotions import feelings
from sample_company.journeys import EVENT_COLUMNS, KINDS, bound, journeys
from sample_company.moments import ACTIVITIES, OF_SURVEY, handoffs, is_late, moments

NO_HANDOFFS = pd.Series(dtype=int)
OBJECTS = {"order": "order", "renewal": "order", "deal": "order", "support": "ticket", "customer": "contact"}


def event(at: str, touchpoint: str, record: str = "", person: str | None = "Ann", **more: object) -> dict[str, object]:
    """One event; its object follows from its touchpoint, and a record from its time where none is given."""
    kind = str(more.pop("object", OBJECTS.get(touchpoint.partition("_")[0], "activity")))
    record = record or at
    values: dict[str, object] = dict.fromkeys(EVENT_COLUMNS)
    values |= {"object": kind, "event": "", "record": record, "person": person, "touchpoint": touchpoint}
    values |= {"at": pd.Timestamp(at), "channel": "web", "direction": "inbound", "score": np.nan}
    values |= {"order_id": record if kind == "order" else None, "ticket_id": record if kind == "ticket" else None}
    return values | more


def answer(at: str, touchpoint: str, score: float, **about: object) -> dict[str, object]:
    return event(at, touchpoint, object="survey_answer", score=score, scale="csat 1-5", **about)


def told(*events: dict[str, object], as_of: date = date(2026, 6, 30), handed: pd.Series = NO_HANDOFFS) -> pd.DataFrame:
    """The journeys of events, by kind and start."""
    found = journeys(bound(pd.DataFrame(list(events))), handed, as_of)
    return found.sort_values(["kind", "started_at"]).reset_index(drop=True)


def test_visits_lead_to_one_order_and_a_second_order_is_another_purchase() -> None:
    found = told(
        event("2026-01-01", "ad_seen", channel="social"),
        event("2026-01-14", "website_visit"),
        event("2026-01-15", "order_app", "A", channel="app"),
        event("2026-01-16", "order_web", "B"),
        event("2026-01-17", "order_shipped", "A", direction="outbound"),
        event("2026-01-19", "order_delivered", "A", direction="outbound"),
    )
    assert list(found["anchor_record"]) == ["A", "B"]
    first, second = found.to_dict("records")
    assert [first[f"step_{n}_at"].day for n in range(1, 6)] == [1, 14, 15, 17, 19]
    assert (first["n_contacts"], first["n_switches"], first["n_events"]) == (3, 2, 5)
    assert first["is_completed"]
    assert first["completed_at"] == pd.Timestamp("2026-01-19")
    assert pd.isna(second["step_2_at"])
    assert (second["exit_reason"], second["exit_step"]) == ("dropped", "order")


@pytest.mark.parametrize(("second", "n"), [("2026-01-15 00:00:00", 1), ("2026-01-15 00:00:01", 2)])
def test_silence_of_more_than_the_gap_begins_another_journey(second: str, n: int) -> None:
    assert len(told(event("2026-01-01", "website_visit"), event(second, "website_visit"))) == n


def test_a_visit_that_leads_to_no_order_is_dropped_once_its_window_has_passed() -> None:
    visit = event("2026-05-01 22:00:00", "website_visit")
    # The window ends on 30 June at 22:00 UTC, which is midnight in Berlin.
    assert told(visit)["exit_reason"][0] == "dropped"
    before = told(visit, as_of=date(2026, 6, 29)).loc[0]
    assert not before["is_matured"]
    assert pd.isna(before["exit_reason"])


def test_what_nobody_known_does_leads_nowhere_but_an_order_stands_alone() -> None:
    found = told(
        event("2026-01-01", "website_visit", person=None),
        event("2026-01-01", "order_store", "A", person=None),
        event("2026-01-02", "order_store", "B", person=None),
        event("2026-01-03", "support_email", "T", person=None, topic="billing"),
        event("2026-01-04", "support_email", "U", person=None, topic="billing"),
    )
    assert list(found["anchor_record"]) == ["A", "B", "T", "U"]


def test_a_delivery_after_the_window_completes_nothing_but_is_told() -> None:
    (found,) = told(
        event("2026-01-01", "order_web", "A"), event("2026-03-03", "order_delivered_late", "A", direction="outbound")
    ).to_dict("records")
    assert found["step_5_at"] == pd.Timestamp("2026-03-03")
    assert not found["is_completed"]
    assert (found["exit_reason"], found["exit_step"], found["current_step"]) == ("dropped", "delivery", "delivery")


def test_a_return_after_the_delivery_is_an_exit_of_a_completed_purchase() -> None:
    (found,) = told(
        event("2026-01-01", "order_web", "A"),
        event("2026-01-03", "order_delivered", "A"),
        event("2026-01-05", "order_returned", "A"),
    ).to_dict("records")
    assert found["is_completed"]
    assert (found["exit_reason"], found["exit_step"]) == ("order_returned", "delivery")
    assert found["exited_at"] == pd.Timestamp("2026-01-05")


def test_required_steps_are_reached_in_order_and_optional_ones_between_them() -> None:
    (found,) = told(
        event("2026-01-01", "customer_registered", "Ann"),
        event("2026-01-03", "login"),
        event("2026-01-05", "onboarding_call", direction="outbound"),
    ).to_dict("records")
    assert pd.isna(found["step_2_at"]), "the call came after the first use"
    assert found["step_3_at"] == pd.Timestamp("2026-01-03")
    assert (found["n_events"], found["n_contacts"]) == (3, 1)
    early = told(
        event("2026-01-01", "login"), event("2026-01-02", "customer_registered", "Ann"), event("2026-01-03", "login")
    )
    assert list(early["step_3_at"]) == [pd.Timestamp("2026-01-03")]


@pytest.mark.parametrize(("login", "reached"), [("2026-03-02", True), ("2026-03-02 00:00:01", False)])
def test_a_login_belongs_to_the_onboarding_within_its_window_only(login: str, reached: bool) -> None:
    found = told(event("2026-01-01", "customer_registered", "Ann"), event(login, "login"))
    assert found["step_3_at"].notna()[0] == reached
    other = told(event("2026-01-01", "customer_registered", "Ann"), event("2026-01-02", "login", person="Bea"))
    assert other["step_3_at"].isna()[0]


def test_contacts_about_one_topic_are_one_request_across_channels_and_systems() -> None:
    found = told(
        event("2026-01-01", "support_email", "T1", topic="billing", channel="email"),
        event("2026-01-02", "support_phone", "T2", topic="billing", channel="phone"),
        event("2026-01-03", "support_outreach", "T3", topic="billing", channel="email", direction="outbound"),
        event("2026-01-04", "support_phone", "T4", topic="defect", channel="phone"),
        event("2026-01-04", "support_phone", "T5", person="Bea", topic="billing", channel="phone"),
        event("2026-01-05", "support_auto_reply", "T2", direction="outbound"),
        event("2026-01-06", "support_reply", "T1", direction="outbound"),
        event("2026-01-07", "support_solved", "T2", direction="outbound"),
        event("2026-01-30", "support_email", "T6", topic="billing", channel="email"),
        handed=pd.Series({"T1": 2, "T2": 1, "T3": 0, "T4": 5, "T5": 0, "T6": 0}),
    )
    assert sorted(found["anchor_record"]) == ["T1", "T4", "T5", "T6"]
    chain = found.set_index("anchor_record").loc["T1"]
    assert (chain["n_contacts"], chain["n_switches"], chain["n_handoffs"]) == (2, 1, 3)
    assert (chain["step_2_at"].day, chain["step_3_at"].day) == (5, 7)


def test_an_answer_goes_where_its_record_went_and_reaches_no_step() -> None:
    (purchase, support) = told(
        event("2026-01-01", "order_web", "A"),
        event("2026-01-02", "support_chat", "T", topic="billing"),
        answer("2026-02-20", "order_web", 0.9, order_id="A"),
        answer("2026-02-21", "order_delivered_late", 0.2, order_id="A"),
        answer("2026-02-22", "order_delivered_late", 0.2, order_id="A"),
        answer("2026-02-23", "support_solved", 1.0, order_id="A", ticket_id="T"),
        answer("2026-02-24", "order_delivered", 0.0, person=None),
    ).to_dict("records")
    assert purchase["n_events"] == 4
    assert (purchase["peak_score"], purchase["trough_score"], purchase["end_score"]) == (0.9, 0.2, 0.2)
    assert (purchase["peak_touchpoint"], purchase["trough_touchpoint"]) == ("order_web", "order_delivered_late")
    assert pd.isna(purchase["step_5_at"])
    assert (support["end_score"], support["end_touchpoint"]) == (1.0, "support_solved")
    assert pd.isna(support["step_3_at"]), "asked about the solution, yet not solved"


def test_an_answer_about_the_welcome_call_belongs_to_the_onboarding() -> None:
    begin = event("2026-01-01", "customer_registered", "Ann")
    (found,) = told(begin, answer("2026-01-09", "onboarding_call", 0.75)).to_dict("records")
    assert (found["peak_score"], found["n_events"]) == (0.75, 2)
    assert pd.isna(found["step_2_at"])
    (late,) = told(begin, answer("2026-03-09", "onboarding_call", 0.75)).to_dict("records")
    assert pd.isna(late["peak_score"])


def test_a_lost_renewal_exits_where_it_stood() -> None:
    (found,) = told(
        event("2026-01-01", "renewal_opened", "D", direction="outbound"), event("2026-02-01", "renewal_lost", "D")
    ).to_dict("records")
    assert (found["kind"], found["exit_reason"], found["exit_step"]) == ("renewal", "renewal_lost", "opened")
    assert found["n_contacts"] == 0


def test_every_event_of_a_journey_is_of_its_kind_and_no_order_is_in_two() -> None:
    names = [kind.name for kind in KINDS]
    assert len(names) == len(set(names)) == 5
    begins = [touchpoint for kind in KINDS for touchpoint in (*kind.leads, *kind.anchors)]
    assert len(begins) == len(set(begins)), "a touchpoint begins one kind of journey only"
    known = set().union(*(kind.known for kind in KINDS)) | {"campaign_email", "referral", "relationship_survey"}
    assert {*ACTIVITIES.values(), *OF_SURVEY.values()} <= known


def at_times(**columns: list[str | None]) -> pd.DataFrame:
    return pd.DataFrame({name: pd.to_datetime(values) for name, values in columns.items()})


def test_late_is_a_later_day_in_berlin_not_in_utc() -> None:
    orders = at_times(
        delivered_at=["2026-01-10 23:30", "2026-01-10 22:30", "2026-07-10 22:30", None, "2026-01-10 12:00"],
        promised_as_known=["2026-01-10 18:00", "2026-01-10 18:00", "2026-07-10 18:00", "2026-01-01 18:00", None],
    )
    assert list(is_late(orders)) == [True, False, True, False, False]


def test_a_person_after_a_machine_is_a_hand_over() -> None:
    tickets = at_times(
        first_automated_reply_at=["2026-01-01 10:00", "2026-01-01 10:00", None],
        first_reply_at=["2026-01-01 11:00", None, "2026-01-01 11:00"],
    ).assign(ticket_id=["T1", "T2", "T3"], reassignments=[1, np.nan, 0])
    assert handoffs(tickets).to_dict() == {"T1": 2, "T2": 0, "T3": 0}


def test_feelings_name_what_stands_out_only_with_enough_answers_on_one_scale() -> None:
    def many(touchpoint: str, scores: list[float], scale: str) -> pd.DataFrame:
        at = pd.Timestamp("2026-05-01")
        return pd.DataFrame({"touchpoint": touchpoint, "score": scores, "scale": scale, "at": at})

    events = pd.concat([
        many("good", [1.0, 0.9] * 15, "csat 1-5"),
        many("usual", [0.7, 0.8] * 100, "csat 1-5"),
        many("bad", [0.0, 0.2] * 14, "csat 1-5"),
        many("alone", [0.1, 0.2] * 100, "ces 1-7"),
    ])  # fmt: skip
    felt = feelings(events, date(2026, 6, 30)).set_index("touchpoint")
    assert list(felt.index[felt["is_peak"]]) == ["good"]
    assert not felt["is_trough"].any(), "28 answers are too few"
    more = feelings(pd.concat([events, many("bad", [0.1] * 2, "csat 1-5")]), date(2026, 6, 30)).set_index("touchpoint")
    assert list(more.index[more["is_trough"]]) == ["bad"]
    assert feelings(events, date(2027, 6, 30)).empty


@pytest.fixture(scope="module")
def no_records() -> dict[str, pd.DataFrame]:
    """The truth's tables without rows but for one late order and two deals, one of them deleted."""
    nothing = pd.NaT
    order = {
        "source": "shop", "order_id": "NH-1", "person": "P1", "channel": "web", "status": "completed",
        "order_type": None,
        "ordered_at": pd.Timestamp("2026-01-01"), "created_at": pd.Timestamp("2026-01-01"),
        "shipped_at": pd.Timestamp("2026-01-02"), "delivered_at": pd.Timestamp("2026-01-05"), "cancelled_at": nothing,
        "returned_at": nothing, "promised_as_known": pd.Timestamp("2026-01-04"), "excluded_reason": None,
    }  # fmt: skip
    deal = order | {
        "source": "salesforce", "order_id": "006", "status": "lost", "order_type": "Renewal", "channel": "sales",
        "ordered_at": pd.Timestamp("2026-02-01"), "shipped_at": nothing, "delivered_at": nothing,
        "promised_as_known": nothing, "excluded_reason": "lost",
    }  # fmt: skip
    gone = deal | {"order_id": "007", "excluded_reason": "deleted"}
    texts = ("ticket_id", "reason", "channel", "status", "person", "excluded_reason")
    empty: dict[str, list[object]] = {name: [] for name in texts}
    times = {name: pd.Series([], dtype="datetime64[us]") for name in (
        "created_at", "first_reply_at", "first_automated_reply_at", "last_solved_at"
    )}  # fmt: skip
    said = {
        "answer_id": ["R1", "R2"], "survey_id": ["SV_csat_delivery", "SV_ces_live"], "metric": ["csat", "ces"],
        "person": ["P1", "P1"], "order_id": ["NH-1", None], "ticket_id": [None, "unknown"], "score": [2.0, 2.0],
        "scale_min": [1.0, 1.0], "scale_max": [5.0, 7.0], "scale_direction": ["high_is_good", "low_is_good"],
        "answered_at": pd.to_datetime(["2026-01-06", "2026-01-07"]), "excluded_reason": [None, None],
    }  # fmt: skip
    did = {
        "activity_id": ["ACT-1", "ACT-2"], "activity_type": ["delivery_notice", "login"], "person": ["P1", "P1"],
        "channel": ["email", "app"], "direction": ["outbound", "inbound"], "order_id": ["NH-1", None],
        "occurred_at": pd.to_datetime(["2026-01-03", "2026-01-03"]), "is_deleted": [False, True],
    }  # fmt: skip
    return {
        "customers": pd.DataFrame({"person": ["P1"], "registered_at": [pd.Timestamp("2025-12-01")]}),
        "orders": pd.DataFrame([order, deal, gone]),
        "tickets": pd.DataFrame({**empty, **times, "is_customer_initiated": pd.Series([], dtype=bool)}),
        "answers": pd.DataFrame(said),
        "activities": pd.DataFrame(did),
    }


def test_moments_are_what_the_tables_tell(no_records: dict[str, pd.DataFrame]) -> None:
    events = moments(**no_records)
    assert list(zip(events["touchpoint"], events["at"].dt.strftime("%m-%d"), strict=True)) == [
        ("customer_registered", "12-01"),
        ("order_web", "01-01"),
        ("renewal_opened", "01-01"),
        ("order_shipped", "01-02"),
        ("delivery_notice", "01-03"),
        ("order_delivered_late", "01-05"),
        ("order_delivered_late", "01-06"),
        ("support_solved", "01-07"),
        ("renewal_lost", "02-01"),
    ]
    scores = events[events["object"] == "survey_answer"]
    assert list(scores["score"]) == [0.25, pytest.approx(5 / 6)]
    assert list(scores["scale"]) == ["csat 1-5", "ces 1-7"]
    assert scores["ticket_id"].isna().all(), "a ticket nobody delivered is no ticket"


def test_customers_of_before_had_their_onboarding_calls_too() -> None:
    company = Company(seed=5, customers=1_000)
    world = simulate(company, company.start)
    kinds, people = world.activities["kind"], world.activities["person"]
    start = days_since_1970(company.start)
    past = day_of(world.activities["occurred_at"]) < start
    called = np.unique(people[past & (kinds == shopping.ONBOARDING)])
    assert 0.6 < len(called) / company.customers < 0.75
    at = world.activities["occurred_at"][past]
    assert (at > world.people.people["joined_at"][people[past]]).all()
    assert 0.75 < len(np.unique(people[past & (kinds == shopping.LOGIN)])) / company.customers < 0.95
