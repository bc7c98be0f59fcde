"""A small company with journeys: its records, made up by a seed, and the nights on which it told them.

What lives here: visits, orders, calls, requests for help and what people said of them, over most of a year. Parcels
that come late disappoint and onboarding calls delight, so that there is a trough and a peak to find. Not here: any
expectation.
"""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from typing import Any

AS_OF = date(2026, 6, 30)
START = datetime(2025, 10, 1, tzinfo=UTC)
DAYS = (AS_OF - START.date()).days - 8
"""Nobody orders in the last week, so that nothing but time moves anything in it."""

QUESTIONS = (
    # survey, metric, lowest, highest, touchpoint
    ("parcel", "csat", 1, 5, "order_delivered"),
    ("parcel_long", "csat", 1, 7, "order_delivered"),
    ("shop", "nps", 0, 10, "order_web"),
    ("help", "csat", 1, 5, "support_solved"),
    ("ease", "ces", 1, 7, "support_solved"),
    ("call", "csat", 1, 5, "onboarding_call"),
    ("visit", "csat", 1, 5, "website_visit"),
    ("relation", "nps", 0, 10, "relationship_survey"),
)
Row = dict[str, Any]


class JourneyCompany:
    """What the company knows in the end, by stream of the canonical system."""

    def __init__(self, seed: int, contacts: int = 220) -> None:
        self.chance = random.Random(seed)  # noqa: S311 (no secrets here)
        self.records: dict[str, list[Row]] = defaultdict(list)
        self.organizations: list[Row] = []
        self.contacts = [f"c{number}" for number in range(contacts)]
        self._questions()
        self._accounts()
        for contact in self.contacts:
            self._contact(contact)
        for number in range(contacts * 3):
            self._order(number)
        for number in range(contacts * 2):
            self._ticket(number)
        for number in range(contacts * 8):
            self._visit(number)

    def nights(self, count: int) -> list[dict[str, list[Row]]]:
        """The final records in random nights, some of them after an older version that was wrong."""
        arrivals: list[dict[str, list[Row]]] = [defaultdict(list) for _ in range(count)]
        for stream, records in self.records.items():
            for record in records:
                night = self.chance.randrange(count)
                arrivals[night][f"canonical.{stream}"].append(_version(record, 2))
                if self.chance.random() < 0.15:
                    wrong = _version(self._wrong(stream, record), 1)
                    arrivals[self.chance.randrange(count)][f"canonical.{stream}"].append(wrong)
        for organization in self.organizations:
            arrivals[self.chance.randrange(count)]["zendesk.organizations"].append(_version(organization, 2))
        return [dict(streams) for streams in arrivals]

    def _wrong(self, stream: str, record: Row) -> Row:
        moved = {"contact_id": "c0"} if record.get("contact_id") and stream != "contact" else {}
        changes: dict[str, Row] = {
            "contact": {"segment": "premium", "account_id": "a1"},
            "account": {"parent_account_id": "a5", "merged_into_account_id": None},
            "order": {"delivered_at": None, "channel": "store"},
            "survey_answer": {"score": 1},
            "ticket": {"channel": "email", "topic": "billing"},
            "activity": {"activity_type": "web_visit"},
        }
        return {**record, **moved, **changes.get(stream, {})}

    def _questions(self) -> None:
        for survey, metric, low, high, touchpoint in QUESTIONS:
            self.records["survey_question"].append(
                {
                    "survey_id": survey, "question_id": "q", "metric": metric, "scale_min": low, "scale_max": high,
                    "scale_direction": "high_is_good", "touchpoint": touchpoint,
                    "survey_kind": "relational" if survey == "relation" else "transactional",
                }
            )  # fmt: skip

    def _accounts(self) -> None:
        """Accounts with any other above them or merged into any other, a tower of seven, and organizations."""
        for number in range(60):
            self.records["account"].append(
                {
                    "account_id": f"a{number}", "account_type": "Household" if number % 3 else "Customer",
                    "parent_account_id": f"a{number - 1}" if 40 < number < 48 else self._any_account(0.4),
                    "merged_into_account_id": self._any_account(0.15) if number < 40 else None,
                    "is_deleted": self.chance.random() < 0.2 or number == 40,
                    "created_at": START + timedelta(days=self.chance.randrange(20)),
                }
            )  # fmt: skip
        self.records["account"][40]["parent_account_id"] = None
        for number in range(20):
            self.organizations.append({"id": f"z{number}", "external_id": self._any_account(0.7), "created_at": START})

    def _any_account(self, share: float) -> str | None:
        return f"a{self.chance.randrange(64)}" if self.chance.random() < share else None

    def _moment(self, first: datetime = START, days: float = DAYS) -> datetime:
        return first + timedelta(seconds=self.chance.randrange(round(days * 86400)))

    def _after(self, days: tuple[float, float] = (0, 0), hours: tuple[float, float] = (0, 0)) -> timedelta:
        """Some whole seconds between two numbers of days, or of hours."""
        return timedelta(seconds=round(86400 * self.chance.uniform(*days) + 3600 * self.chance.uniform(*hours)))

    def _someone(self) -> str | None:
        return None if self.chance.random() < 0.04 else self.chance.choice(self.contacts)

    def _contact(self, contact: str) -> None:
        created = self._moment(days=DAYS - 20)
        segment = self.chance.choice((None, "basic", "basic", "premium", "enterprise" if contact < "c13" else "basic"))
        self.records["contact"].append(
            {
                "contact_id": contact, "created_at": created, "segment": segment, "country": "DE",
                "account_id": self.chance.choice((None, f"a{self.chance.randrange(40)}")),
                "has_opted_out": self.chance.choice((None, False, False, True)),
            }
        )  # fmt: skip
        if self.chance.random() < 0.5:
            call = created + self._after(days=(0.5, 20))
            self._activity("onboarding_call", contact, call, "phone", "outbound")
            if self.chance.random() < 0.7:
                self._answer("call", contact, call + timedelta(days=1), self.chance.choice((4, 5, 5, 5)))
        for _ in range(self.chance.randrange(4)):
            self._activity("login", contact, created + self._after(days=(0, 70)), "app", "inbound")
        if self.chance.random() < 0.5:
            self._answer("relation", contact, self._moment(), self.chance.randrange(3, 11))
        if self.chance.random() < 0.1:
            invitation = {
                "invitation_id": f"i-{contact}",
                "survey_id": "relation",
                "contact_id": contact,
                "sent_at": created,
            }
            self.records["survey_invitation"].append({**invitation, "opted_out_at": created + timedelta(days=1)})

    def _activity(self, kind: str, contact: str | None, at: datetime, channel: str, direction: str) -> None:
        number = len(self.records["activity"])
        self.records["activity"].append(
            {
                "activity_id": f"v{number}", "contact_id": contact, "activity_type": kind, "channel": channel,
                "direction": direction, "occurred_at": at,
            }
        )  # fmt: skip

    def _visit(self, number: int) -> None:
        kind, channel, direction = self.chance.choice(
            (
                ("web_visit", "web", "inbound"), ("web_visit", "web", "inbound"), ("ad_click", "social", "inbound"),
                ("store_visit", "store", "inbound"), ("call", "phone", "outbound"),
                ("campaign_email", "email", "outbound"),
            )
        )  # fmt: skip
        contact = self._someone()
        at = self._moment()
        self._activity(kind, contact, at, channel, direction)
        if number % 12 == 0:
            self._answer("visit", contact, at, self.chance.randrange(2, 6), is_anonymous=True)

    def _answer(self, survey: str, contact: str | None, at: datetime, score: int, **more: Any) -> None:
        number = len(self.records["survey_answer"])
        self.records["survey_answer"].append(
            {
                "answer_id": f"s{number}", "survey_id": survey, "question_id": "q", "contact_id": contact,
                "score": score, "answered_at": at, "channel": "email", **more,
            }
        )  # fmt: skip

    def _order(self, number: int) -> None:
        order, contact, ordered = f"o{number}", self._someone(), self._moment()
        shipped = ordered + self._after(hours=(2, 60))
        promised = ordered + timedelta(days=4)
        is_late = self.chance.random() < 0.25
        delivered = ordered + (self._after(days=(6, 12)) if is_late else self._after(days=(2.6, 3.5)))
        status = self.chance.choice(("completed",) * 9 + ("cancelled", "returned", "placed"))
        is_sent = status in ("completed", "returned")
        self.records["order"].append(
            {
                "order_id": order, "contact_id": contact, "status": status, "ordered_at": ordered,
                "created_at": ordered, "shipped_at": shipped if is_sent else None,
                "delivered_at": delivered if is_sent else None,
                "promised_at": promised, "item_amount": self.chance.randrange(20, 400),
                "cancelled_at": ordered + timedelta(hours=9) if status == "cancelled" else None,
                "returned_at": delivered + timedelta(days=5) if status == "returned" else None,
                "channel": self.chance.choice(("web", "web", "app", "store")), "currency": "EUR",
            }
        )  # fmt: skip
        if is_sent and self.chance.random() < 0.5:
            survey = "parcel" if self.chance.random() < 0.85 else "parcel_long"
            score = self.chance.choice((1, 1, 2, 3)) if is_late else self.chance.choice((3, 4, 4, 5))
            self._answer(survey, contact, delivered + timedelta(days=2), score, order_id=order)
        if status == "placed" and self.chance.random() < 0.8:
            self._answer("shop", contact, ordered + timedelta(hours=3), self.chance.randrange(4, 11), order_id=order)

    def _ticket(self, number: int) -> None:
        ticket, contact, created = f"t{number}", self._someone(), self._moment()
        channel = self.chance.choice(("email", "email", "web", "phone", "chat"))
        is_slow = channel == "email"
        answered = created + (self._after(hours=(3, 50)) if is_slow else self._after(hours=(0.05, 1.5)))
        solved = answered + self._after(hours=(1, 90))
        is_solved = self.chance.random() < 0.8
        self.records["ticket"].append(
            {
                "ticket_id": ticket, "requester_id": contact, "channel": channel, "created_at": created,
                "topic": self.chance.choice((None, "billing", "delivery")), "status": "solved" if is_solved else "open",
            }
        )  # fmt: skip
        said: list[Row] = [{"event_type": "comment", "author_role": "customer", "occurred_at": created}]
        if self.chance.random() < 0.3:
            bot = created + timedelta(minutes=1)
            said.append({"event_type": "comment", "author_role": "bot", "occurred_at": bot})
        said.append({"event_type": "comment", "author_role": "agent", "occurred_at": answered})
        if is_solved:
            said.append(
                {"event_type": "status_change", "from_value": "open", "to_value": "solved", "occurred_at": solved}
            )
        for place, event in enumerate(said):
            self.records["ticket_event"].append(
                {"event_id": f"{ticket}-{place}", "ticket_id": ticket, "is_public": True, **event}
            )
        if is_solved and self.chance.random() < 0.4:
            survey, score = self.chance.choice(
                (("help", self.chance.randrange(2, 6)), ("ease", self.chance.randrange(2, 8)))
            )
            self._answer(survey, contact, solved + timedelta(hours=5), score, ticket_id=ticket)


def _version(record: Row, version: int) -> Row:
    return {**record, "updated_at": datetime(2026, 6, version, tzinfo=UTC)}
