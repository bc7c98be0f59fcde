"""Journeys of a random company against journeys counted again in Python (journeys_retold.py), row for row.

Not here: single traps (test_journeys.py), the law on random deliveries of every stream (test_marts_history.py).
"""

from __future__ import annotations

import os
import random
from collections import defaultdict
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
from dbt_harness import DbtProject, Warehouse
from journeys_retold import UNKNOWN, Event, Seeds, journeys_of, key_of, row_of

from storage.data_folder import warehouse_file

BERLIN = ZoneInfo("Europe/Berlin")
START = datetime(2025, 9, 1, tzinfo=UTC)
AS_OF = date(2026, 1, 15)
CHANNELS = ("web", "phone", "email", "chat", None, "carrier pigeon")
KNOWN = {None: "unknown", "carrier pigeon": "other"}
# Who answers surveys, and of whom there is no contact record.
STRANGERS = tuple(f"stranger {number}" for number in range(10))
SCALES = {
    "came": ("csat", 1, 5, "order_delivered"),
    "helped": ("csat", 0, 1, "support_solved"),
    "looked": ("ces", 1, 7, "website_visit"),
    "plain": ("csat", 1, 5, None),
    "relation": ("nps", 0, 10, None),
}


class Company:
    """Four months of a small company, on a coarse clock: times tie, and pauses are exactly as long as allowed."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311
        self.contacts = [self._contact(number) for number in range(14)]
        self.orders = [self._order(number) for number in range(45)]
        self.tickets = [self._ticket(number) for number in range(50)]
        self.activities = [self._activity(number) for number in range(150)]
        self.answers = [self._answer(number) for number in range(110)]
        self.seeds = Seeds.read()
        for journey in self.seeds.journeys.values():
            journey["order_mode"] = self.chance.choice(("ordered", "strict", "any"))

    def nights(self, count: int) -> list[dict[str, list[dict[str, Any]]]]:
        """What is true, in random nights, some of it after something wrong."""
        arrivals: list[dict[str, list[dict[str, Any]]]] = [defaultdict(list) for _ in range(count)]
        arrivals[0]["canonical.survey_question"] = [
            {"survey_id": name, "question_id": "q", "metric": metric, "scale_min": low, "scale_max": high,
             "scale_direction": "high_is_good", "touchpoint": touchpoint,
             "survey_kind": "relational" if name == "relation" else "transactional"}
            for name, (metric, low, high, touchpoint) in SCALES.items()
        ]  # fmt: skip
        wrong: dict[str, dict[str, Any]] = {
            "contact": {"merged_into_contact_id": "c0", "created_at": START},
            "order": {"status": "placed", "contact_id": "c1", "ordered_at": START, "delivered_at": None},
            "ticket": {"requester_id": "c1", "topic": "billing", "created_at": START},
            "activity": {"contact_id": "c1", "order_id": "o1", "is_deleted": True},
            "survey_answer": {"score": 1, "contact_id": "c1", "ticket_id": "t1", "answered_at": START},
        }
        for stream, records in (
            ("contact", self.contacts),
            ("order", self.orders),
            ("ticket", self.tickets),
            ("activity", self.activities),
            ("survey_answer", self.answers),
        ):
            for record in records:
                row = {name: value for name, value in record.items() if name != "events"}
                night = self.chance.randrange(count)
                arrivals[night][f"canonical.{stream}"].append(row | _version(2))
                if night and self.chance.random() < 0.4:
                    earlier = self.chance.randrange(night)
                    arrivals[earlier][f"canonical.{stream}"].append(row | wrong[stream] | _version(1))
                for number, event in enumerate(record.get("events", ())):
                    about = {"event_id": f"{record['ticket_id']}-{number}", "ticket_id": record["ticket_id"]}
                    arrivals[self.chance.randrange(count)]["canonical.ticket_event"].append(about | event | _version(2))
        return [dict(streams) for streams in arrivals]

    def events(self, customers: dict[str, int]) -> list[Event]:
        """What happened, of the customers the contacts are."""
        strangers = self.strangers(customers)
        return [
            *self._registrations(customers),
            *(event for order in self.orders for event in self._moments_of_order(order, customers)),
            *(event for ticket in self.tickets for event in self._moments_of_ticket(ticket, customers)),
            *(event for activity in self.activities for event in self._visit(activity, customers)),
            *(event for answer in self.answers for event in self._given(answer, customers, strangers)),
        ]

    def strangers(self, customers: dict[str, int]) -> dict[str, int]:
        """Who those without a contact record are: the customer whose tickets they were asked about, scored or not.

        Those who were asked about several customers are nobody, and so is who shares a customer with them.
        """
        requesters = {ticket["ticket_id"]: ticket["requester_id"] for ticket in self.tickets}
        met: dict[str, set[int]] = defaultdict(set)
        for answer in self.answers:
            who, asked = answer["contact_id"], requesters.get(answer["ticket_id"])
            is_evidence = not (answer["is_anonymous"] or answer["is_test"])
            if is_evidence and who and who not in customers and asked in customers:
                met[who].add(customers[asked])
        for _ in met:
            for theirs in met.values():
                theirs.update(*(others for others in met.values() if theirs & others))
        return {who: theirs.pop() if len(theirs) == 1 else UNKNOWN for who, theirs in met.items()}

    def hand_offs(self) -> dict[int, int]:
        """By ticket: reassignments, and one where a person answered after a machine."""
        found = {}
        for ticket in self.tickets:
            at = _firsts(ticket)
            follows = bool(at["agent"] and at["bot"] and at["agent"] > at["bot"])
            moves = sum(event["event_type"] == "assignee_change" for event in ticket["events"])
            found[_key(ticket["ticket_id"])] = moves + follows
        return found

    def _moment(self) -> datetime:
        return START + timedelta(hours=12 * self.chance.randrange(240))

    def _later(self, moment: datetime, days: int) -> datetime:
        return moment + timedelta(hours=12 * self.chance.randrange(2 * days))

    def _maybe(self, value: Any, share: float = 0.5) -> Any:
        return value if self.chance.random() < share else None

    def _who(self) -> str | None:
        return self.chance.choice((*(f"c{number}" for number in range(14)), None, "nobody"))

    def _contact(self, number: int) -> dict[str, Any]:
        return {
            "contact_id": f"c{number}",
            "created_at": self._maybe(self._moment(), 0.8),
            "merged_into_contact_id": f"c{self.chance.randrange(number)}" if number and number % 5 == 0 else None,
            "is_deleted": self.chance.random() < 0.1,
        }

    def _order(self, number: int) -> dict[str, Any]:
        ordered = self._moment()
        shipped = self._maybe(self._later(ordered, 6), 0.8)
        return {
            "order_id": f"o{number}",
            "contact_id": self._who(),
            "status": self.chance.choice(("placed", "completed", "completed", "cancelled", "open", "lost", "returned")),
            "channel": self.chance.choice(("web", "app", "sales", None)),
            "order_type": self.chance.choice(("new", "renewal", None)),
            "created_at": self._maybe(ordered - timedelta(days=self.chance.randrange(-3, 10))),
            "ordered_at": ordered,
            "shipped_at": shipped,
            # Sooner than it was sent, at times; later than the window, at others.
            "delivered_at": self._maybe(self._later(ordered, self.chance.choice((3, 9, 90))), 0.8),
            "promised_at": self._maybe(self._later(ordered, 9), 0.8),
            "cancelled_at": self._maybe(self._later(ordered, 9), 0.15),
            "returned_at": self._maybe(self._later(ordered, 20), 0.15),
            "is_deleted": self.chance.random() < 0.08,
        }

    def _ticket(self, number: int) -> dict[str, Any]:
        created = self._moment()
        by_us = self.chance.random() < 0.15
        events: list[dict[str, Any]] = [
            {"event_type": "created", "author_role": "agent" if by_us else "customer", "occurred_at": created},
            {"event_type": "comment", "author_role": "customer", "occurred_at": created},
        ]
        for role, share in (("bot", 0.4), ("agent", 0.7), ("agent", 0.3)):
            if self.chance.random() < share:
                at = self._later(created, 3) + timedelta(minutes=1)
                events.append({"event_type": "comment", "author_role": role, "occurred_at": at})
        for _ in range(self.chance.randrange(3)):
            change = {"event_type": "assignee_change", "from_value": "a", "to_value": "b"}
            events.append(change | {"occurred_at": self._later(created, 3)})
        at, status = created, "open"
        for _ in range(self.chance.randrange(4)):
            at += timedelta(hours=12 * self.chance.randrange(1, 12))
            before, status = status, "solved" if status == "open" else "open"
            events.append({"event_type": "status_change", "from_value": before, "to_value": status, "occurred_at": at})
        return {
            "ticket_id": f"t{number}",
            "requester_id": self._who(),
            "created_at": created,
            "status": status,
            "topic": self.chance.choice(("billing", "billing", "delivery", None)),
            "channel": self.chance.choice(CHANNELS),
            "merged_into_ticket_id": "t0" if number and self.chance.random() < 0.06 else None,
            "is_deleted": self.chance.random() < 0.05,
            "events": [event | {"is_public": True} for event in events],
        }

    def _activity(self, number: int) -> dict[str, Any]:
        kinds = ("web_visit", "web_visit", "ad_click", "call", "login", "onboarding_call", "delivery_notice", "yawn")
        return {
            "activity_id": f"a{number}",
            "contact_id": self._who(),
            "order_id": self._maybe(self.chance.choice((*(f"o{one}" for one in range(45)), "o-unheard")), 0.25),
            "activity_type": self.chance.choice(kinds),
            "channel": self.chance.choice(CHANNELS),
            "direction": self.chance.choice(("inbound", "inbound", "outbound", None)),
            "occurred_at": self._moment(),
            "is_deleted": self.chance.random() < 0.05,
        }

    def _answer(self, number: int) -> dict[str, Any]:
        survey = self.chance.choice(tuple(SCALES))
        _, low, high, _ = SCALES[survey]
        return {
            "answer_id": f"s{number}",
            "survey_id": survey,
            "question_id": "q",
            "contact_id": self._maybe(self.chance.choice((self._who(), self.chance.choice(STRANGERS))), 0.5),
            "order_id": self._maybe(self.chance.choice((*(f"o{one}" for one in range(45)), "o-unheard")), 0.4),
            "ticket_id": self._maybe(self.chance.choice((*(f"t{one}" for one in range(50)), "t-unheard")), 0.3),
            "score": self.chance.choice((None, *range(low, high + 1), high + 1)),
            "channel": self.chance.choice(CHANNELS),
            "answered_at": self._moment(),
            "is_anonymous": self.chance.random() < 0.15,
            "is_test": self.chance.random() < 0.05,
        }

    def _registrations(self, customers: dict[str, int]) -> list[Event]:
        records = defaultdict(list)
        for contact in self.contacts:
            records[customers[contact["contact_id"]]].append(contact)
        found = []
        for customer, theirs in records.items():
            times = [
                contact["created_at"]
                for contact in theirs
                if contact["created_at"] and (not contact["is_deleted"] or contact["merged_into_contact_id"])
            ]
            if times and customer != UNKNOWN and not all(contact["is_deleted"] for contact in theirs):
                found.append(
                    self._event(
                        "contact", "created", customer, customer, channel="web", direction="inbound", at=min(times)
                    )
                )
        return found

    def _moments_of_order(self, order: dict[str, Any], customers: dict[str, int]) -> list[Event]:
        if order["is_deleted"]:
            return []
        channel, status = order["channel"] or "unknown", order["status"]
        moments: list[tuple[str, str, datetime | None]] = []
        if channel == "sales" or status in ("open", "lost"):
            word = "renewal" if order["order_type"] == "renewal" else "deal"
            opened = min(order["created_at"] or order["ordered_at"], order["ordered_at"])
            moments.append((f"{word}_opened", "outbound", opened))
            if status != "open":
                moments.append((f"{word}_{'lost' if status == 'lost' else 'won'}", "inbound", order["ordered_at"]))
        else:
            moments.append(("placed", "inbound", order["ordered_at"]))
        moments += [
            ("shipped", "outbound", order["shipped_at"]),
            ("delivered_late" if _is_late(order) else "delivered", "outbound", order["delivered_at"]),
            ("cancelled", "inbound", order["cancelled_at"]),
            ("returned", "inbound", order["returned_at"]),
        ]
        who = customers.get(order["contact_id"], UNKNOWN)
        key = _key(order["order_id"])
        return [
            self._event("order", event, key, who, channel=channel, direction=direction, at=at, record=("order", key))
            for event, direction, at in moments
            if at
        ]

    def _moments_of_ticket(self, ticket: dict[str, Any], customers: dict[str, int]) -> list[Event]:
        if ticket["is_deleted"] or ticket["merged_into_ticket_id"]:
            return []
        firsts = _firsts(ticket)
        by_us = ticket["events"][0]["author_role"] == "agent" and not _is_call_typed_in(ticket)
        solved = [event["occurred_at"] for event in ticket["events"] if event.get("to_value") == "solved"]
        moments = [
            ("created_by_us" if by_us else "created", "outbound" if by_us else "inbound", ticket["created_at"]),
            ("first_reply", "outbound", firsts["agent"]),
            ("first_automated_reply", "outbound", firsts["bot"]),
            ("solved", "outbound", solved[-1] if ticket["status"] == "solved" else None),
        ]
        who = customers.get(ticket["requester_id"], UNKNOWN)
        key = _key(ticket["ticket_id"])
        about = {"record": ("ticket", key), "topic": ticket["topic"]}
        channel = KNOWN.get(ticket["channel"], ticket["channel"])
        return [
            self._event("ticket", event, key, who, channel=channel, direction=direction, at=at, **about)
            for event, direction, at in moments
            if at
        ]

    def _visit(self, activity: dict[str, Any], customers: dict[str, int]) -> list[Event]:
        if activity["is_deleted"]:
            return []
        known = {order["order_id"] for order in self.orders}
        record = ("order", _key(activity["order_id"])) if activity["order_id"] in known else None
        return [
            self._event(
                "activity",
                activity["activity_type"],
                _key(activity["activity_id"]),
                customers.get(activity["contact_id"], UNKNOWN),
                channel=KNOWN.get(activity["channel"], activity["channel"]),
                direction=activity["direction"] or "unknown",
                at=activity["occurred_at"],
                record=record,
            )
        ]

    def _is_rated_again(self, answer: dict[str, Any]) -> bool:
        """Whether a later answer to the same question about the same ticket stands in its place."""
        if answer["ticket_id"] is None:
            return False
        same = ("survey_id", "ticket_id")
        return any(
            (other["answered_at"], _key(other["answer_id"])) > (answer["answered_at"], _key(answer["answer_id"]))
            for other in self.answers
            if _counts(other) and all(other[name] == answer[name] for name in same)
        )

    def _given(self, answer: dict[str, Any], customers: dict[str, int], strangers: dict[str, int]) -> list[Event]:
        metric, low, high, touchpoint = SCALES[answer["survey_id"]]
        if not _counts(answer) or self._is_rated_again(answer):
            return []
        orders = {order["order_id"]: order for order in self.orders}
        tickets = {ticket["ticket_id"]: ticket for ticket in self.tickets}
        order = None if answer["is_anonymous"] else orders.get(answer["order_id"])
        ticket = None if answer["is_anonymous"] else tickets.get(answer["ticket_id"])
        who = UNKNOWN
        if not answer["is_anonymous"]:
            named = (
                (strangers | customers, answer["contact_id"]),
                (customers, ticket["requester_id"] if ticket else None),
                (customers, order["contact_id"] if order else None),
            )
            who = next((people[name] for people, name in named if name in people), UNKNOWN)
        if touchpoint is None:
            about = "about_ticket" if answer["ticket_id"] else "about_order" if answer["order_id"] else None
            kind = "relational" if answer["survey_id"] == "relation" else "transactional"
            touchpoint = self.seeds.touchpoint("canonical", "survey_answer", about or kind, "*")
        if order and _is_late(order):
            touchpoint = self.seeds.late.get(touchpoint, touchpoint)
        channel = KNOWN.get(answer["channel"], answer["channel"])
        if answer["channel"] is None and ticket:
            channel = KNOWN.get(ticket["channel"], ticket["channel"])
        record = ("order", _key(order["order_id"])) if order else None
        if ticket:
            record = ("ticket", _key(ticket["ticket_id"]))
        event = self._event(
            "survey_answer",
            metric,
            _key(answer["answer_id"]),
            who,
            channel=channel,
            direction="inbound",
            at=answer["answered_at"],
            record=record,
            touchpoint=touchpoint,
            scale=f"{metric} {low}-{high}",
            score=(answer["score"] - low) / (high - low),
        )
        return [event]

    def _event(self, what: str, event: str, ref: int, who: int, *, channel: str, **more: Any) -> Event:
        more.setdefault("touchpoint", self.seeds.touchpoint("canonical", what, event, channel))
        return Event(what, event, ref, who, channel=channel, **more)


def _version(number: int) -> dict[str, datetime]:
    return {"updated_at": START + timedelta(days=number)}


def _counts(answer: dict[str, Any]) -> bool:
    *_, high, _ = SCALES[answer["survey_id"]]
    return not answer["is_test"] and answer["score"] is not None and answer["score"] <= high


def _key(*natural: str) -> int:
    return key_of("canonical", *natural)


def _is_late(order: dict[str, Any]) -> bool:
    came, promised = order["delivered_at"], order["promised_at"]
    return bool(came and promised and came.astimezone(BERLIN).date() > promised.astimezone(BERLIN).date())


def _is_call_typed_in(ticket: dict[str, Any]) -> bool:
    """Whether an agent wrote down a call: the customer's, as they called."""
    return bool(ticket["channel"] == "phone" and ticket["events"][0]["author_role"] == "agent")


def _firsts(ticket: dict[str, Any]) -> dict[str, datetime | None]:
    """First answers of a person and of a machine; what was answered on the phone nobody knows."""
    if _is_call_typed_in(ticket):
        return {"agent": None, "bot": None}
    said = [event for event in ticket["events"] if event["event_type"] == "comment"]
    return {
        role: min((event["occurred_at"] for event in said if event["author_role"] == role), default=None)
        for role in ("agent", "bot")
    }


def built(project: DbtProject, folder: Path, company: Company, nights: int) -> Warehouse:
    """The company's nights under seeds of its own; the business date goes forth, back and to its place."""
    warehouse = Warehouse(project, folder, "fct_journey", crms=("canonical",))
    warehouse._build = folder / "build"
    project.stand(warehouse.build)
    with duckdb.connect(str(warehouse_file(warehouse.build))) as connection:
        for name, journey in company.seeds.journeys.items():
            connection.execute(
                "update seeds.journeys set order_mode = ? where journey = ?", [journey["order_mode"], name]
            )
    for place, rows in enumerate(company.nights(nights)):
        days = (0, -40, 20, -5)[(nights - 1 - place) % 4]
        warehouse.night(rows, as_of=AS_OF + timedelta(days=days))
    return warehouse


def check(project: DbtProject, folder: Path, seed: int, nights: int = 2) -> None:
    company = Company(seed)
    warehouse = built(project, folder, company, nights)
    customers = {
        row["contact_id"]: row["customer_key"]
        for row in warehouse.rows("select contact_id, customer_key from intermediate.map_customer_identity")
    }
    journeys = journeys_of(company.events(customers), company.seeds)
    ends_at = datetime.combine(AS_OF + timedelta(days=1), time(), BERLIN)
    expected = {journey.key: row_of(journey, company.seeds, ends_at, company.hand_offs()) for journey in journeys}
    published = {
        row.pop("journey_key"): row
        for row in warehouse.rows("select * exclude (start_date_key) from cx_marts.main.fct_journey")
    }
    assert set(published) == set(expected)
    for key, row in expected.items():
        assert {"journey_key": key, **published[key]} == row
    places = {
        event.key: (journey.key, journey.kind, place)
        for journey in journeys
        for place, event in enumerate(journey.events, 1)
    }
    members = {
        row["event_key"]: (row["customer_key"], row["journey_key"], row["journey"], row["seq_no"])
        for row in warehouse.rows("select * from cx_marts.main.fct_journey_event")
    }
    assert members == {
        event.key: (event.customer, *places.get(event.key, (UNKNOWN, "none", None)))
        for event in company.events(customers)
    }


def test_journeys_are_what_their_definition_says(
    dbt_project: DbtProject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    check(dbt_project, tmp_path_factory.mktemp("recount"), seed=2)


@pytest.mark.promise("figures")
@pytest.mark.chaos
@pytest.mark.skipif(os.environ.get("JOURNEYMART_CHAOS") != "long", reason="the long campaign runs under `make chaos`")
@pytest.mark.parametrize("seed", range(100, 130))
def test_journeys_of_many_companies_are_what_their_definition_says(
    dbt_project: DbtProject, tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    check(dbt_project, tmp_path_factory.mktemp("recount"), seed, nights=2 + seed % 4)
