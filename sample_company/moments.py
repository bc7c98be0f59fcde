"""What happened between the company and its customers, moment by moment, as the delivered extracts can know it.

What lives here: touchpoint events made of the truth's tables. Not here: which of them make one journey (journeys.py).
"""

from __future__ import annotations

import pandas as pd

from sample_company.journeys import EVENT_COLUMNS, TEXTS
from sample_company.kpis import TIMEZONE
from sample_company.surveys import SURVEYS

CHANNELS = {"voice": "phone", "facebook": "social"}
"""Channels of the sources that the company calls otherwise."""

ACTIVITIES = {
    "email_sent": "campaign_email", "ad_click": "ad_seen", "web_visit": "website_visit", "login": "login",
    "call": "sales_call", "store_visit": "store_visit", "onboarding_call": "onboarding_call",
    "delivery_notice": "delivery_notice", "referral": "referral",
}  # fmt: skip
"""Touchpoint of each kind of activity."""

OF_SURVEY = {survey.id: survey.touchpoint or "relationship_survey" for survey in SURVEYS}
OF_SURVEY["zendesk_satisfaction"] = "support_solved"
"""Touchpoint each survey asks about."""


def moments(
    customers: pd.DataFrame,
    orders: pd.DataFrame,
    tickets: pd.DataFrame,
    answers: pd.DataFrame,
    activities: pd.DataFrame,
) -> pd.DataFrame:
    """All events of the truth's tables. What was deleted or merged, or is no answer, is no event."""
    there = orders[orders["excluded_reason"].fillna("") != "deleted"]
    parts = [
        _registrations(customers),
        *_of_orders(there[there["source"] == "shop"]),
        *_of_deals(there[there["source"] == "salesforce"]),
        *_of_tickets(tickets[tickets["excluded_reason"].isna()]),
        _of_activities(activities[~activities["is_deleted"]], orders),
        _of_answers(answers[answers["excluded_reason"].isna()], orders, tickets),
    ]
    events = pd.concat(parts, ignore_index=True)
    return events.sort_values(["at", "object", "event", "record"]).reset_index(drop=True)


def _events(rows: pd.DataFrame, object_: str, event: str, at: str, **values: object) -> pd.DataFrame:
    """One event for each row that has the moment."""
    rows = rows[rows[at].notna()]
    table = pd.DataFrame({"object": object_, "event": event, "at": rows[at]}, index=rows.index)
    for name in EVENT_COLUMNS:
        if name not in table:
            given = values.get(name)
            table[name] = rows[name] if name in rows and given is None else given
    return table[list(EVENT_COLUMNS)].astype({"score": float, "at": "datetime64[us]"} | dict.fromkeys(TEXTS, "str"))


def _registrations(customers: pd.DataFrame) -> pd.DataFrame:
    """Everybody is known to the CRM from the first record of theirs that is not deleted there."""
    rows = customers.assign(record=customers["person"])
    return _events(
        rows,
        "contact",
        "created",
        "registered_at",
        touchpoint="customer_registered",
        channel="web",
        direction="inbound",
    )


def is_late(orders: pd.DataFrame) -> pd.Series:
    """Whether an order came on a later day of the reporting time zone than the extracts say was promised."""
    delivered, promised = (
        orders[name].dt.tz_localize("UTC").dt.tz_convert(TIMEZONE).dt.tz_localize(None).dt.normalize()
        for name in ("delivered_at", "promised_as_known")
    )
    return delivered > promised


def _of_orders(orders: pd.DataFrame) -> list[pd.DataFrame]:
    rows = orders.assign(record=orders["order_id"], late=is_late(orders))
    late, on_time = rows[rows["late"]], rows[~rows["late"]]
    return [
        _events(rows, "order", "placed", "ordered_at", touchpoint="order_" + rows["channel"], direction="inbound"),
        _events(rows, "order", "shipped", "shipped_at", touchpoint="order_shipped", direction="outbound"),
        _events(on_time, "order", "delivered", "delivered_at", touchpoint="order_delivered", direction="outbound"),
        _events(
            late, "order", "delivered_late", "delivered_at", touchpoint="order_delivered_late", direction="outbound"
        ),
        _events(rows, "order", "cancelled", "cancelled_at", touchpoint="order_cancelled", direction="inbound"),
        _events(rows, "order", "returned", "returned_at", touchpoint="order_returned", direction="inbound"),
    ]


def _of_deals(deals: pd.DataFrame) -> list[pd.DataFrame]:
    """A deal is opened, then won or lost; a renewal is a journey of its own."""
    parts = []
    deals = deals.assign(record=deals["order_id"], channel="sales")
    for is_renewal, name, won in ((False, "deal", "order_sales"), (True, "renewal", "renewal_won")):
        rows = deals[(deals["order_type"] == "Renewal") == is_renewal]
        closed_won, closed_lost = rows[rows["status"] == "completed"], rows[rows["status"] == "lost"]
        parts += [
            _events(rows, "order", f"{name}_opened", "created_at", touchpoint=f"{name}_opened", direction="outbound"),
            _events(closed_won, "order", f"{name}_won", "ordered_at", touchpoint=won, direction="inbound"),
            _events(closed_lost, "order", f"{name}_lost", "ordered_at", touchpoint=f"{name}_lost", direction="inbound"),
        ]
    return parts


def _of_tickets(tickets: pd.DataFrame) -> list[pd.DataFrame]:
    channel = tickets["channel"].replace(CHANNELS)
    rows = tickets.assign(
        record=tickets["ticket_id"], topic=tickets["reason"], channel=channel.astype("str"), order_id=None
    )
    theirs, ours = rows[rows["is_customer_initiated"]], rows[~rows["is_customer_initiated"]]
    begun = "support_" + theirs["channel"]
    solved = rows[rows["status"].isin(["solved", "closed"])]
    return [
        _events(theirs, "ticket", "created", "created_at", touchpoint=begun, direction="inbound"),
        _events(ours, "ticket", "created_by_us", "created_at", touchpoint="support_outreach", direction="outbound"),
        _events(
            rows, "ticket", "first_automated_reply", "first_automated_reply_at",
            touchpoint="support_auto_reply", direction="outbound",
        ),
        _events(rows, "ticket", "first_reply", "first_reply_at", touchpoint="support_reply", direction="outbound"),
        _events(solved, "ticket", "solved", "last_solved_at", touchpoint="support_solved", direction="outbound"),
    ]  # fmt: skip


def handoffs(tickets: pd.DataFrame) -> pd.Series:
    """By ticket: from one member of staff to another, and from a machine to a person."""
    to_person = tickets["first_automated_reply_at"] < tickets["first_reply_at"]
    return (tickets["reassignments"].fillna(0) + to_person).set_axis(tickets["ticket_id"]).astype(int)


def _of_activities(activities: pd.DataFrame, orders: pd.DataFrame) -> pd.DataFrame:
    """What people did and what was sent to them; a notice about an order belongs to that order."""
    rows = activities.assign(
        record=activities["activity_id"],
        touchpoint=activities["activity_type"].map(ACTIVITIES),
        order_id=activities["order_id"].where(activities["order_id"].isin(orders["order_id"]), None),
    )
    return _events(rows, "activity", "", "occurred_at").assign(event=rows["activity_type"])


def _of_answers(answers: pd.DataFrame, orders: pd.DataFrame, tickets: pd.DataFrame) -> pd.DataFrame:
    """Scores on 0 to 1. About a late delivery is another touchpoint than about one in time.

    An answer belongs to the order or ticket it names only if the extracts know that one.
    """
    known = {"order_id": set(orders["order_id"]), "ticket_id": set(tickets["ticket_id"])}
    about = {name: answers[name].where(answers[name].isin(ids), None) for name, ids in known.items()}
    late = set(orders.loc[is_late(orders), "order_id"])
    touchpoint = answers["survey_id"].map(OF_SURVEY)
    came_late = (touchpoint == "order_delivered") & about["order_id"].isin(late)
    touchpoint = touchpoint.mask(came_late, "order_delivered_late")
    share = (answers["score"] - answers["scale_min"]) / (answers["scale_max"] - answers["scale_min"])
    bounds = answers["scale_min"].astype(int).astype(str) + "-" + answers["scale_max"].astype(int).astype(str)
    rows = answers.assign(
        record=answers["answer_id"],
        touchpoint=touchpoint,
        scale=answers["metric"] + " " + bounds,
        score=share.where(answers["scale_direction"] == "high_is_good", 1 - share),
        **about,
    )
    found = _events(rows, "survey_answer", "", "answered_at", channel="", direction="inbound")
    return found.assign(event=rows["metric"])
