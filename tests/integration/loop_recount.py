"""The definitions of the closed loop written a second time, in plain Python, and a company to count them on.

What lives here: a company whose answers are changed, whose tickets are forgotten and whose records arrive in any
order, and what the marts of the loop must say of it, from its records alone. Not here: the comparison
(test_loop_marts.py).
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from tests.counting.calendar import BERLIN, last_day, local_day, plus_months, years_after
from tests.counting.differences import difference as of_difference
from tests.counting.differences import of_share
from tests.counting.intervals import interval_of_a_share

START = datetime(2024, 6, 1, tzinfo=UTC)
HOURS = {"low_score": 48, "complaint": 24, "unanswered": 24}
SURVEYS = {
    "nps": ("nps", 0, 10),
    "csat": ("csat", 1, 5),
    "ces": ("ces", 1, 7),
    "pulse": ("csat", 1, 5),
    "staff": ("enps", 0, 10),
}
EMPLOYEES = "pulse"
"""Asks employees, in one survey with their eNPS."""

RATING = "rating"
"""The help desk's own, which keeps no other time than that of its last change."""

THEMES = {"defect": "it is broken", "billing": "the invoice", "speed": "waited for a courier", "unthemed": "hm"}
"""What people say and what it is taken for; a field such as delivery stands back behind a cause."""

BASES = ("customers", "recovered")
"""The figures of everybody: who is hidden there is hidden in every other figure."""

Row = dict[str, Any]


def at(day: str, hour: int = 12) -> datetime:
    return datetime.fromisoformat(f"{day}T{hour:02d}:00:00+00:00")


def end_of(day: date) -> datetime:
    midnight = datetime.combine(day + timedelta(days=1), datetime.min.time(), BERLIN)
    return midnight.astimezone(UTC)


def is_low(survey: str, score: float) -> bool:
    """Detractors, the lower of 1-5, and too much effort of 1-7, where 7 is the most."""
    scales = {"nps": score <= 6, "csat": score <= 2, "pulse": score <= 2, "ces": score > 4, "staff": score <= 6}
    return {**scales, RATING: score == 0}[survey]


class Company:
    """What a company knows at the end, and the nights on which it told."""

    def __init__(self, seed: int, customers: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311
        self.contacts = [f"c{number}" for number in range(customers)]
        self.orders = [order for name in self.contacts for order in self._orders(name)]
        self.tickets = [self._ticket(number) for number in range(2 * customers)]
        self.answers = [row for number in range(4 * customers) for row in self._answers(number)]
        self.activities = [self._activity(number) for number in range(2 * customers)]
        self.feedback = [self._feedback(number) for number in range(customers)]
        self._named()

    def _moment(self, days: int = 560) -> datetime:
        """Any time, but half of everything happens in one month, so that some months can be shown."""
        if self.chance.random() < 0.5:
            return at("2025-02-01") + timedelta(minutes=self.chance.randrange(28 * 24 * 60))
        return START + timedelta(minutes=self.chance.randrange(days * 24 * 60))

    def _someone(self) -> str:
        return "stranger" if self.chance.random() < 0.05 else self.chance.choice(self.contacts)

    def _orders(self, contact: str) -> Iterator[Row]:
        for place in range(self.chance.choice((0, 1, 1, 2, 4))):
            yield {
                "order_id": f"{contact}-{place}",
                "contact_id": contact,
                "ordered_at": self._moment(400) - timedelta(days=90),
                "status": self.chance.choice(("completed", "completed", "completed", "cancelled")),
                "item_amount": self.chance.choice((20, 50, 50, 400)),
                "currency": "USD" if contact.endswith("7") else "EUR",
            }

    def _ticket(self, number: int) -> Row:
        created = self._moment()
        begun_by_us = self.chance.random() < 0.15
        opener = {"type": "comment", "role": "agent" if begun_by_us else "customer", "at": created}
        events: list[Row] = [{"type": "created", "role": opener["role"], "at": created}, opener]
        status, now = "open", created
        for _ in range(self.chance.choice((0, 1, 2, 3, 4))):
            now += timedelta(minutes=self.chance.choice((30, 600, 3000, 9000, 12000)))
            kind = self.chance.choice(("reply", "reply", "note", "bot", "customer", "status", "status"))
            if kind == "status":
                before, status = status, "solved" if status == "open" else "open"
                events.append({"type": "status_change", "role": "agent", "at": now, "from": before, "to": status})
                if self.chance.random() < 0.5:
                    events.append({"type": "comment", "role": "agent", "at": now})
            else:
                role = {"reply": "agent", "note": "agent"}.get(kind, kind)
                events.append({"type": "note" if kind == "note" else "comment", "role": role, "at": now})
        if self.chance.random() < 0.1:
            events = [event for event in events if event["type"] not in ("comment", "note")]
        return {
            "ticket_id": f"t{number}",
            "contact": self._someone(),
            "created_at": created,
            "status": status,
            "channel": self.chance.choice(("email", "phone")),
            "team": self.chance.choice(("desk", None)),
            "topic": self.chance.choice(tuple(THEMES.values())),
            "is_complaint": self.chance.random() < 0.3,
            "is_deleted": self.chance.random() < 0.07,
            "events": events,
        }

    def _answers(self, number: int) -> Iterator[Row]:
        """One response of one or two answers, some of them changed since, some about a ticket."""
        ticket = self.chance.choice(self.tickets) if self.chance.random() < 0.3 else None
        moment = self._moment()
        if ticket and self.chance.random() < 0.8:
            moment = ticket["created_at"] + timedelta(hours=self.chance.randrange(1, 1000))
        contact = ticket["contact"] if ticket else self._someone()
        moves = self.chance.random() < 0.3
        for survey in self.chance.sample(tuple(SURVEYS), self.chance.choice((1, 1, 1, 2))):
            low, top = SURVEYS[survey][1:]
            yield {
                "answer_id": f"a{number}-{survey}",
                "response_id": f"r{number}",
                "survey": survey,
                "contact": contact,
                "ticket": ticket["ticket_id"] if ticket else None,
                "is_test": self.chance.random() < 0.04,
                "is_anonymous": self.chance.random() < 0.05,
                "comment": self.chance.choice(tuple(THEMES.values())),
                "versions": [
                    {"score": self.chance.randint(low, top), "updated_at": moment + timedelta(days=9 * place),
                     "answered_at": moment + timedelta(days=9 * place) if moves else moment}
                    for place in range(self.chance.choice((1, 1, 1, 1, 2, 3)))
                ],
            }  # fmt: skip

    def _activity(self, number: int) -> Row:
        return {
            "activity_id": f"v{number}",
            "contact_id": self._someone(),
            "activity_type": self.chance.choice(("call", "call", "email_sent", "onboarding_call")),
            "direction": self.chance.choice(("outbound", "outbound", "inbound")),
            "occurred_at": self._moment(),
            "is_deleted": self.chance.random() < 0.1,
        }

    def _feedback(self, number: int) -> Row:
        moment = self._moment()
        return {
            "feedback_id": f"f{number}",
            "source_type": self.chance.choice(("review", "social", "employee")),
            "contact_id": self._someone(),
            "channel": "web",
            "score": self.chance.choice((1, 2, 3, 5, None)),
            "scale_min": 1,
            "scale_max": 5,
            "text": self.chance.choice(tuple(THEMES.values())),
            "occurred_at": moment,
            "responded_at": self.chance.choice((None, moment + timedelta(hours=30), moment - timedelta(hours=1))),
            "is_deleted": self.chance.random() < 0.1,
        }

    def _named(self) -> None:
        """The ways to get it wrong, one customer each. Nights: 0 is the first, -1 the last."""

        def answer(name: str, *scores: tuple[str, int], night: int = 0) -> None:
            versions = [
                {"score": score, "answered_at": at(scores[0][0]), "updated_at": at(day),
                 "night": night if place == 0 else -1}
                for place, (day, score) in enumerate(scores)
            ]  # fmt: skip
            self.answers.append(
                {"answer_id": f"{name} {scores[0][0]}", "response_id": f"{name} {scores[0][0]}", "survey": "nps",
                 "contact": name, "ticket": None, "is_test": False, "is_anonymous": False, "comment": "hm",
                 "versions": versions}
            )  # fmt: skip

        def ticket(name: str, created: str, *events: Row, **more: Any) -> None:
            first = {"type": "comment", "role": "customer", "at": at(created)}
            self.tickets.append(
                {"ticket_id": name, "contact": name, "created_at": at(created), "status": "open", "channel": "email",
                 "team": "desk", "topic": "hm", "is_complaint": False, "is_deleted": False,
                 "events": [first, *events], **more}
            )  # fmt: skip

        reply = {"type": "comment", "role": "agent"}
        answer("won back", ("2025-03-01", 2), ("2025-03-20", 9))
        answer("soured", ("2025-03-01", 9), ("2025-03-20", 2))
        answer("mistyped", ("2025-03-01", 2), ("2025-03-02", 2))
        self.answers[-1]["versions"][0]["answered_at"] = at("2002-03-01")
        answer("won back late", ("2025-03-01", 2), ("2025-06-20", 9))
        answer("failed twice", ("2025-03-01", 2))
        answer("failed twice", ("2025-04-20", 3))
        answer("happy next time", ("2025-03-01", 2))
        answer("happy next time", ("2025-04-20", 7))
        answer("just now", ("2025-12-10", 2))
        ticket("this morning", "2025-12-17", is_complaint=True)
        ticket("nobody said a word", "2025-03-01")
        ticket("only a machine", "2025-03-01", {"type": "comment", "role": "bot", "at": at("2025-03-02")})
        ticket("answered on day ten", "2025-03-01", {**reply, "at": at("2025-03-11")})
        ticket("answered in time", "2025-03-01", {**reply, "at": at("2025-03-04"), "night": -1}, night=0)
        ticket("gone", "2025-03-01", is_complaint=True, is_deleted=True)
        ticket("complained to nobody", "2025-03-01", is_complaint=True)
        solved = {"type": "status_change", "role": "agent", "at": at("2025-03-03"), "from": "open", "to": "solved"}
        ticket("solved without a word", "2025-03-01", solved, status="solved", is_complaint=True)
        ticket("rated again", "2025-02-20", {**reply, "at": at("2025-02-21")})
        answer("rated again", ("2025-03-01", 0), ("2025-03-20", 1))
        self.answers[-1] |= {"survey": RATING, "contact": "stranger", "ticket": "rated again"}
        for version in self.answers[-1]["versions"]:
            version["answered_at"] = version["updated_at"]
        self.contacts += sorted(
            {row["contact"] for row in (*self.answers, *self.tickets)} - {*self.contacts, "stranger"}
        )

    def nights(self, count: int) -> list[dict[str, list[Row]]]:
        """Everything in random nights, with some older versions that were wrong, whenever these arrive."""
        arrivals: list[dict[str, list[Row]]] = [defaultdict(list) for _ in range(count)]

        def arrive(stream: str, row: Row, version: datetime | None = None, night: int | None = None) -> None:
            if night is None:
                night = self.chance.choice((0, 0, *range(count)))
            arrivals[night][f"canonical.{stream}"].append({"updated_at": version or at("2026-01-02"), **row})

        for name, (metric, low, top) in SURVEYS.items():
            direction = "low_is_good" if name == "ces" else "high_is_good"
            about = {"survey_id": "staff" if name == EMPLOYEES else name, "question_id": name, "metric": metric}
            arrive("survey_question", {**about, "scale_min": low, "scale_max": top, "scale_direction": direction,
                   "survey_kind": "transactional"}, night=0)  # fmt: skip
        for name in self.contacts:
            arrive("contact", {"contact_id": name, "created_at": START - timedelta(days=1)})
        for stream, rows, wrong in (
            ("order", self.orders, {"item_amount": 9000, "status": "completed"}),
            ("activity", self.activities, {"contact_id": "c0"}),
            ("feedback", self.feedback, {"score": 1, "contact_id": "c1"}),
        ):
            for row in rows:
                arrive(stream, row)
                if self.chance.random() < 0.1:
                    arrive(stream, {**row, **wrong}, at("2026-01-01"))
        for row in self.tickets:
            about = {"ticket_id": row["ticket_id"], "requester_id": row["contact"]}
            kept = {
                name: row[name]
                for name in ("created_at", "status", "channel", "team", "topic", "is_complaint", "is_deleted")
            }
            arrive("ticket", about | kept, night=row.get("night"))
            if self.chance.random() < 0.1:
                arrive("ticket", about | kept | {"is_complaint": True, "requester_id": "c2"}, at("2026-01-01"))
            for place, event in enumerate(row["events"]):
                arrive("ticket_event", {
                    "event_id": f"{row['ticket_id']}-{place}", "ticket_id": row["ticket_id"],
                    "event_type": "comment" if event["type"] == "note" else event["type"],
                    "occurred_at": event["at"], "sequence": place,
                    "author_role": event["role"], "is_public": event["type"] != "note",
                    "from_value": event.get("from"), "to_value": event.get("to"),
                }, night=event.get("night", row.get("night")))  # fmt: skip
        for row in self.answers:
            survey = "staff" if row["survey"] == EMPLOYEES else row["survey"]
            about = {
                "survey_id": survey, "question_id": row["survey"], "contact_id": row["contact"],
                "ticket_id": row["ticket"], "channel": "email",
                **{name: row[name] for name in ("answer_id", "response_id", "is_test", "is_anonymous", "comment")},
            }  # fmt: skip
            for version in row["versions"]:
                if row["survey"] == RATING:
                    rating = {"id": row["answer_id"], "score": "good" if version["score"] else "bad",
                              "ticket_id": row["ticket"], "updated_at": version["updated_at"]}  # fmt: skip
                    arrivals[version["night"]]["zendesk.satisfaction_ratings"].append(rating)
                    continue
                told = {name: version[name] for name in ("score", "answered_at")}
                arrive("survey_answer", about | told, version["updated_at"], version.get("night"))
        return [dict(streams) for streams in arrivals]


class Recount:
    """The definitions once more, case by case. Slow and plain on purpose."""

    def __init__(self, company: Company, as_of: date) -> None:
        self.company, self.as_of, self.ends = company, as_of, end_of(as_of)
        self.known = set(company.contacts)
        self.tickets = {row["ticket_id"]: row for row in company.tickets}
        self.answers = [self._answer(row) for row in company.answers]
        self.words = [row for row in self.answers if row["survey"] not in ("staff", EMPLOYEES) and not row["is_test"]]
        self.orders = defaultdict(list)
        for order in company.orders:
            if order["status"] == "completed":
                self.orders[order["contact_id"]].append((local_day(order["ordered_at"]), order["item_amount"]))
        self.cases = sorted(self._cases(), key=lambda case: (case["opened_at"], case["trigger"], case["record"]))
        self._count_failures()

    def _person(self, name: str) -> str | None:
        return name if name in self.known else None

    def _answer(self, row: Row) -> Row:
        last, hidden = row["versions"][-1], row["is_anonymous"]
        ticket = None if hidden else row["ticket"]
        owner = self._person(row["contact"]) or (ticket and self._person(self.tickets[ticket]["contact"]))
        return {**row, "person": None if hidden else owner, "ticket": ticket, "at": last["answered_at"],
                "low": is_low(row["survey"], last["score"])}  # fmt: skip

    def _cases(self) -> Iterator[Row]:
        for answer in self.words:
            lows = [version for version in answer["versions"] if is_low(answer["survey"], version["score"])]
            if lows and answer["at"] <= self.ends:
                changed = lows[0] is not answer["versions"][-1]
                opened = min(answer["at"], lows[0]["updated_at"]) if changed else answer["at"]
                yield self._case("low_score", "survey_answer", answer, opened)
        for item in self.company.feedback:
            negative = item["score"] in (1, 2) and not item["is_deleted"] and item["source_type"] != "employee"
            if negative and item["occurred_at"] <= self.ends:
                about = {
                    "answer_id": item["feedback_id"],
                    "person": self._person(item["contact_id"]),
                    "ticket": None,
                    "versions": [],
                }
                yield self._case(
                    "low_score", "feedback", {**item, **about, "comment": item["text"]}, item["occurred_at"]
                )
        for ticket in self.company.tickets:
            about = {
                "answer_id": ticket["ticket_id"], "person": self._person(ticket["contact"]),
                "ticket": ticket["ticket_id"], "comment": ticket["topic"], "versions": [], "response_id": None,
            }  # fmt: skip
            if ticket["is_deleted"]:
                continue
            if ticket["is_complaint"] and ticket["created_at"] <= self.ends:
                yield self._case("complaint", "ticket", {**ticket, **about}, ticket["created_at"])
            reply, week = self._first_reply(ticket), ticket["created_at"] + timedelta(days=7)
            if (
                self._begun_by_customer(ticket)
                and not self._is_typed_in(ticket)
                and (reply is None or reply > week)
                and week <= self.ends
            ):
                yield self._case("unanswered", "ticket", {**ticket, **about}, week)

    def _begun_by_customer(self, ticket: Row) -> bool:
        return bool(ticket["events"][0]["role"] == "customer") or self._is_typed_in(ticket)

    def _is_typed_in(self, ticket: Row) -> bool:
        """A call that one of us typed in, and did not begin with a message of ours."""
        created, *others = ticket["events"]
        wrote_first = any(
            event["role"] == "agent" and public(event) and event["at"] == created["at"] for event in others
        )
        return bool(created["role"] == "agent" and ticket["channel"] == "phone" and not wrote_first)

    def _first_reply(self, ticket: Row) -> datetime | None:
        comments = list(filter(public, ticket["events"]))
        if not self._begun_by_customer(ticket) and comments and comments[0]["role"] != "customer":
            comments = comments[1:]
        return earliest(event["at"] for event in comments if event["role"] == "agent")

    def _solved(self, ticket: Row) -> datetime | None:
        """When the solution came that stands."""
        solutions = [event["at"] for event in ticket["events"] if event.get("to") == "solved"]
        return max(solutions) if ticket["status"] == "solved" and solutions else None

    def _case(self, trigger: str, source: str, about: Row, opened: datetime) -> Row:
        due = opened + timedelta(hours=HOURS[trigger])
        case = {
            "trigger": trigger, "source_object": source, "record": about["answer_id"], "person": about["person"],
            "ticket": about["ticket"], "opened_at": opened, "opened_on": local_day(opened), "due_at": due,
            "channel": about.get("channel", "email"),
            "team": self.tickets[about["ticket"]]["team"] if about["ticket"] else None,
            "reason": next(theme for theme, words in THEMES.items() if words == about["comment"]),
        }  # fmt: skip
        case |= self._moments(case, about) | self._recovery(case, about) | self._retention(case) | self._value(case)
        late = due <= self.ends
        told, addressed, responded = case["communicated_at"], case["addressed_at"], case["responded_at"]
        case["outcome"] = (
            "closed"
            if told
            else "addressed"
            if addressed
            else "responded"
            if responded
            else "overdue"
            if late
            else "open"
        )
        case["closed_at"] = told
        case["is_touched"] = bool(responded or addressed)
        case["is_responded_in_time"] = responded <= due if responded else False if late else None
        return case

    def _contacts(self, person: str | None) -> Iterator[tuple[datetime, Row | None]]:
        """Calls to a customer, and tickets we began."""
        for row in self.company.activities:
            is_call = row["activity_type"] in ("call", "onboarding_call") and row["direction"] == "outbound"
            if person and row["contact_id"] == person and is_call and not row["is_deleted"]:
                yield row["occurred_at"], None
        for ticket in self.company.tickets:
            if (
                person
                and ticket["contact"] == person
                and not self._begun_by_customer(ticket)
                and not ticket["is_deleted"]
            ):
                yield ticket["created_at"], ticket

    def _moments(self, case: Row, about: Row) -> Row:
        opened, own = case["opened_at"], self.tickets.get(case["ticket"])
        contacts: list[tuple[datetime, Row | None]] = []
        if case["source_object"] != "ticket":
            contacts = [contact for contact in self._contacts(case["person"]) if contact[0] >= opened]
        soon = [contact for contact in contacts if contact[0] <= opened + timedelta(days=7)]
        tickets = [own] if own else []
        tickets += [ticket for _, ticket in soon if ticket and ticket is not own]
        messages = [event["at"] for ticket in tickets for event in ticket["events"]
                    if public(event) and event["role"] == "agent" and event["at"] >= opened]  # fmt: skip
        addressed = earliest(moment for moment in map(self._solved, tickets) if moment and moment >= opened)
        told = None
        if addressed:
            calls = [moment for moment, _ in contacts if addressed <= moment <= addressed + timedelta(days=7)]
            told = earliest([moment for moment in messages if moment >= addressed] + calls)
        if case["source_object"] == "ticket":
            first = self._first_reply(about)
        else:
            named = [about["responded_at"]] if about.get("responded_at") and about["responded_at"] >= opened else []
            first = earliest(messages + [moment for moment, _ in soon] + named)
        responded = earliest(moment for moment in (first, told) if moment)
        return {"responded_at": responded, "addressed_at": addressed, "communicated_at": told}

    def _recovery(self, case: Row, about: Row) -> Row:
        opened, until = case["opened_at"], case["opened_at"] + timedelta(days=60)
        last_words = []
        versions = about["versions"]
        lows = [place for place, version in enumerate(versions) if is_low(about["survey"], version["score"])]
        if lows and lows[-1] + 1 < len(versions):
            last_words.append((versions[lows[-1] + 1]["updated_at"], False, about["answer_id"]))
        next_words: list[tuple[datetime, bool, str]] = []
        for word in self.words:
            if word["answer_id"] == about["answer_id"] or word["response_id"] == about.get("response_id"):
                continue
            said = (word["at"], word["low"], word["answer_id"])
            if case["ticket"] and word["ticket"] == case["ticket"] and word["at"] > opened:
                (last_words if case["trigger"] == "low_score" else next_words).append(said)
            elif case["person"] and word["person"] == case["person"] and word["at"] > opened:
                next_words.append(said)
        last_words = [word for word in last_words if word[0] <= until]
        next_words = [word for word in next_words if word[0] <= until]
        chosen = max(last_words, key=lambda word: (word[0], word[1])) if last_words else None
        if chosen is None and next_words:
            chosen = min(next_words, key=lambda word: (word[0], not word[1]))
        over = until <= self.ends
        won = chosen is not None and not chosen[1]
        return {
            "is_recovery_matured": over,
            "is_recovered": True if won else False if over else None,
            "recovered_at": chosen[0] if chosen and won else None,
            "told_at": chosen[0] if chosen else until,
            "is_answered": chosen is not None,
        }

    def _active(self, person: str, day: date) -> bool:
        return any(bought <= day < years_after(bought, 1) for bought, _ in self.orders.get(person, ()))

    def _retention(self, case: Row) -> Row:
        said: Row = {}
        for days in (90, 180):
            then = case["opened_on"] + timedelta(days=days)
            asked = case["person"] and self._active(case["person"], case["opened_on"]) and then <= self.as_of
            said[f"is_retained_{days}"] = self._active(case["person"], then) if asked else None
        return said

    def _value(self, case: Row) -> Row:
        before = last_day(plus_months(case["opened_on"].replace(day=1), -1))
        amounts = {
            person: sum(amount for bought, amount in orders if bought <= before)
            for person, orders in self.orders.items()
            if min(bought for bought, _ in orders) <= before
        }
        if case["person"] not in amounts:
            return {"value_amount": None, "value_currency": None, "value_rank": None}
        mine, currency = amounts[case["person"]], self._currency(case["person"])
        richer = sum(amount > mine and self._currency(person) == currency for person, amount in amounts.items())
        return {"value_amount": mine, "value_currency": currency, "value_rank": richer + 1}

    def _currency(self, person: str) -> str:
        return "USD" if person.endswith("7") else "EUR"

    def _count_failures(self) -> None:
        moments: dict[str, set[datetime]] = defaultdict(set)
        for case in self.cases:
            if case["person"]:
                moments[case["person"]].add(case["opened_at"])
        for case in self.cases:
            earlier = moments[case["person"]] if case["person"] else None
            case["failure_no"] = sorted(earlier).index(case["opened_at"]) + 1 if earlier else None

    def months(self) -> dict[tuple[Any, ...], Row]:
        """mart_recovery, by month, comparison, metric, split and member."""
        known = [case for case in self.cases if case["person"]]
        month, found = min(case["opened_on"] for case in known).replace(day=1), {}
        while last_day(month) + timedelta(days=61) <= self.as_of:
            cells: dict[tuple[str, ...], list[tuple[str, bool]]] = defaultdict(list)
            for keys, person, hit in (*self._groups(known, month), *self._care(known, month)):
                cells[keys].append((person, hit))
            hidden = hidden_cells({keys: len({person for person, _ in units}) for keys, units in cells.items()})
            ends = last_day(month)
            over = {"retained_90": 90, "retained_180": 180, "satisfied_later": 180}
            for keys, units in cells.items():
                matured = ends + timedelta(days=over.get(keys[1], 0)) <= self.as_of
                found[(month, *keys)] = figure(keys, units, matured=matured, hidden=keys in hidden)
                if keys[-1] == "touched" and (*keys[:-1], "untouched") in cells:
                    others = cells[(*keys[:-1], "untouched")]
                    either = keys in hidden or (*keys[:-1], "untouched") in hidden
                    found[(month, *keys[:-1], "difference")] = difference(units, others, hidden=either)
            month = plus_months(month, 1)
        return found

    def _groups(self, known: list[Row], month: date) -> Iterator[tuple[tuple[str, ...], str, bool]]:
        ends = last_day(month)
        for person in self.known:
            if not self._active(person, ends):
                continue
            own = [case for case in known if case["person"] == person and case["opened_on"] <= ends]
            mine = [case for case in own if case["opened_on"] >= month]
            if not own:
                member, splits = "never_failed", [("none", "all")]
            elif mine:
                number = max(case["failure_no"] for case in mine)
                won = all(case["is_recovered"] for case in mine if case["failure_no"] == number)
                member = "failed_recovered" if won else "failed_not_recovered"
                splits = [("none", "all"), ("failures", "1" if number == 1 else "2+")]
            else:
                continue
            later = [
                word
                for word in self.words
                if word["person"] == person and 60 < (local_day(word["at"]) - ends).days <= 180
            ]
            first = min(later, key=lambda word: (word["at"], not word["low"]), default=None)
            for split in splits:
                yield ("recovery", "customers", *split, member), person, True
                for days in (90, 180):
                    yield (
                        ("recovery", f"retained_{days}", *split, member),
                        person,
                        self._active(person, ends + timedelta(days=days)),
                    )
                if first or ends + timedelta(days=180) > self.as_of:
                    yield (
                        ("recovery", "satisfied_later", *split, member),
                        person,
                        first is not None and not first["low"],
                    )

    def _care(self, known: list[Row], month: date) -> Iterator[tuple[tuple[str, ...], str, bool]]:
        for case in known:
            if case["opened_on"].replace(day=1) != month:
                continue
            moments = [moment for moment in (case["responded_at"], case["addressed_at"]) if moment]
            member = "touched" if any(moment <= case["told_at"] for moment in moments) else "untouched"
            number = "1" if case["failure_no"] == 1 else "2+"
            for split in (("none", "all"), ("failures", number), ("trigger", case["trigger"])):
                for name in (member, "all"):
                    yield ("follow_up", "recovered", *split, name), case["person"], case["is_recovered"]
                    if case["is_answered"]:
                        yield ("follow_up", "satisfied_next", *split, name), case["person"], case["is_recovered"]


def public(event: Row) -> bool:
    return bool(event["type"] == "comment")


def earliest(moments: Iterable[datetime]) -> datetime | None:
    return min(moments, default=None)


def figure(keys: tuple[str, ...], units: list[tuple[str, bool]], *, matured: bool, hidden: bool) -> Row:
    n, hits, shown = len(units), sum(hit for _, hit in units), matured and not hidden
    row: Row = dict.fromkeys(("numerator", "denominator", "n", "value", "ci_low", "ci_high"))
    row |= {"is_matured": matured, "is_suppressed": hidden, "is_low_n": n < 30}
    if shown and keys[1] == "customers":
        row |= {"numerator": n, "n": n, "value": n}
    elif shown:
        low, high = interval_of_a_share(hits, n)
        row |= {"numerator": hits, "denominator": n, "n": n, "value": 100 * hits / n, "ci_low": low, "ci_high": high}
    return row


def difference(touched: list[tuple[str, bool]], untouched: list[tuple[str, bool]], *, hidden: bool) -> Row:
    """Touched minus untouched, with the interval of the difference of two shares."""
    sizes, hits = (
        [len(units) for units in (touched, untouched)],
        [sum(hit for _, hit in units) for units in (touched, untouched)],
    )
    row: Row = dict.fromkeys(("numerator", "denominator", "n", "value", "ci_low", "ci_high"))
    row |= {"is_matured": True, "is_suppressed": hidden, "is_low_n": min(sizes) < 30}
    if not hidden:
        one, other = (100 * part / whole for part, whole in zip(hits, sizes, strict=True))
        gap = one - other
        estimates = (of_share(part, whole) for part, whole in zip(hits, sizes, strict=True))
        low, high = of_difference(*estimates, gap, 100)
        row |= {"n": sum(sizes), "value": gap, "ci_low": low, "ci_high": high}
    return row


def hidden_cells(people: dict[tuple[str, ...], int]) -> set[tuple[str, ...]]:
    """Which cells of a month must not be shown: parts of 1 to 4 people, and what would give them away."""
    by_split: dict[tuple[str, ...], dict[str, int]] = defaultdict(dict)
    for cell, n in people.items():
        by_split[cell[:4]][cell[4]] = n
    hidden = {(*split, member) for split, members in by_split.items() for member in hidden_members(members)}
    splits: dict[tuple[str, ...], dict[str, int]] = defaultdict(dict)
    for cell, members in by_split.items():
        if cell[2] != "none":
            splits[cell[:3]][cell[3]] = min(members.values())
    for group, sizes in splits.items():
        gone = with_smallest(sizes, {split for split in sizes if any(cell[:4] == (*group, split) for cell in hidden)})
        hidden |= {cell for cell in people if cell[:3] == group and cell[3] in gone}
    hidden |= {cell for cell in people if any((cell[0], name, *cell[2:]) in hidden for name in BASES)}
    wholes = {cell[:2] for cell in hidden if cell[2] == "none"}
    return hidden | {cell for cell in people if cell[2] != "none" and cell[:2] in wholes}


def hidden_members(sizes: dict[str, int]) -> set[str]:
    """Of members and their total; a total with one member only is that member."""
    members = {name: n for name, n in sizes.items() if name != "all"}
    hidden = with_smallest(members, few(members))
    return hidden | {"all"} if len(members) == 1 and hidden else hidden


def few(sizes: dict[str, int]) -> set[str]:
    return {name for name, n in sizes.items() if n < 5}


def with_smallest(sizes: dict[str, int], hidden: set[str]) -> set[str]:
    """What is hidden takes the smallest other with it, unless two are hidden already, one of them of five people."""
    others = sorted(set(sizes) - hidden, key=lambda name: (sizes[name], name))
    covered = len(hidden) >= 2 and max(sizes[name] for name in hidden) >= 5
    return hidden | set(others[:1]) if hidden and not covered else hidden
