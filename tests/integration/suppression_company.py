"""A company with many small cells, as facts: what happened to few people, in every segment, channel, team and month.

What lives here: random rows of the facts that the marts with hidden cells are made of. Not here: how records become
facts, any expectation.
"""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb
import pyarrow as pa

from storage.data_folder import marts_file

AS_OF = date(2025, 12, 31)
"""The last 365 days are whole months, so that months can be subtracted from them."""

Row = dict[str, Any]
SEGMENTS = ("basic",) * 40 + ("business",) * 14 + ("loyal",) * 8 + ("premium",) * 3 + ("enterprise",)
MONTHS = [date(2025, month, 1) for month in range(1, 13)]


class SmallCompany:
    """Rows of facts by table; a tenth of everything is rare, and in some months hardly anything happens."""

    def __init__(self, seed: int, customers: int = 330) -> None:
        self.chance = random.Random(seed)  # noqa: S311 (no secrets here)
        self.tables: dict[str, list[Row]] = {}
        self.busy = {month: self.chance.choice((0.05, 0.3, 1, 1, 1.5)) for month in MONTHS}
        keys = range(1, customers + 1)
        self.customers = {key: SEGMENTS[0] if key < 3 else self.chance.choice(SEGMENTS) for key in keys}
        self.favourite = {key: self.chance.choice(("email", "phone")) for key in keys}

    def fill(self, build: Any) -> None:
        """Write the rows into the marts of a build in which all facts are empty."""
        with duckdb.connect(str(marts_file(build))) as marts:
            marts.execute("set TimeZone = 'UTC'")
            touchpoints = {
                name: (key, stage, place, channel)
                for name, key, stage, place, channel in marts.execute(
                    "select touchpoint, touchpoint_key, stage, stage_order, channel from dim_touchpoint"
                ).fetchall()
            }
            themes = [
                key for (key,) in marts.execute("select theme_key from dim_theme where theme_key <> -1").fetchall()
            ]
            self._dimensions()
            self._events({name: key for name, (key, *_) in touchpoints.items()})
            self._journeys({name: key for name, (key, *_) in touchpoints.items()})
            self._tickets()
            self._invitations()
            self._feedback(themes[:6])
            self._customer_months()
            for table, rows in self.tables.items():
                arrived = pa.Table.from_pylist(rows)  # noqa: F841 (DuckDB reads it by name)
                marts.execute(f"insert into {table} by name select * from arrived")

    def _day(self) -> date:
        month = self.chance.choices(MONTHS, [self.busy[month] for month in MONTHS])[0]
        return month + timedelta(days=self.chance.randrange(28))

    def _moment(self, day: date) -> datetime:
        return datetime(day.year, day.month, day.day, 8, self.chance.randrange(60), tzinfo=UTC)

    def _someone(self) -> int:
        return self.chance.randrange(1, len(self.customers) + 1)

    def _dimensions(self) -> None:
        self.tables["dim_date"] = [
            {"date_key": key(day), "date_day": day, "month_start": day.replace(day=1)}
            for day in (date(2025, 1, 1) + timedelta(days=days) for days in range(364))
        ]
        self.tables["dim_customer"] = [
            {"customer_key": customer, "segment": segment, "preferred_channel": self.favourite[customer]}
            for customer, segment in self.customers.items()
        ]

    def _events(self, touchpoints: dict[str, int]) -> None:
        """Steps of the whole journey with touchpoints many, some and hardly any come to; one in four leaves a score."""
        weights = {"order_web": 30, "order_app": 12, "order_store": 5, "order_phone": 2, "order_sales": 1,
                   "support_email": 20, "support_phone": 6, "support_chat": 2, "login": 10,
                   "referral": 8, "renewal_won": 1, "relationship_survey": 12}  # fmt: skip
        events = self.tables.setdefault("fct_journey_event", [])
        for number in range(3600):
            name, day = self.chance.choices(list(weights), list(weights.values()))[0], self._day()
            score = self.chance.randrange(5) if self.chance.random() < 0.35 else None
            scale = "csat 1-5" if self.chance.random() < 0.97 or name != "order_app" else "csat 1-7"
            events.append(
                {
                    "event_key": number, "customer_key": self._someone(), "touchpoint_key": touchpoints[name],
                    "journey_key": -1, "journey": "none", "step": None, "event": "seen", "source_ref": number,
                    "object": "activity" if score is None else "survey_answer", "channel": self.chance.choice(
                        ("email",) * 9 + ("phone",) * 4 + ("app", "chat")),
                    "direction": self.chance.choice(("inbound", "outbound")), "occurred_at": self._moment(day),
                    "date_key": key(day), "metric": None if score is None else "csat",
                    "score_scale": None if score is None else scale,
                    "score_norm": None if score is None else score / 4,
                }
            )  # fmt: skip

    def _journeys(self, touchpoints: dict[str, int]) -> None:
        """Requests for help: one contact each, so that touchpoints add up to the step, and mostly an answer."""
        ways = ("support_email",) * 20 + ("support_phone",) * 5 + ("support_chat",) * 2 + ("support_social",)
        journeys = self.tables.setdefault("fct_journey", [])
        for number in range(1, 1100):
            day, contact, customer = self._day(), self.chance.choice(ways), self._someone()
            began = self._moment(day)
            answered = began + timedelta(hours=3) if self.chance.random() < 0.8 else None
            journeys.append(
                {
                    "journey_key": number, "journey": "support", "customer_key": customer, "start_date_key": key(day),
                    "started_at": began, "window_ends_at": began + timedelta(days=30), "step_1_at": began,
                    "step_2_at": answered, "is_matured": True, "is_completed": False, "is_open": False,
                    "n_switches": self.chance.randrange(2), "first_channel": contact.removeprefix("support_"),
                }
            )  # fmt: skip
            for step, name, at in (("contact", contact, began), ("answer", "support_reply", answered)):
                if at is not None:
                    self.tables["fct_journey_event"].append(
                        {
                            "event_key": 10_000 + 2 * number + (step == "answer"), "customer_key": customer,
                            "touchpoint_key": touchpoints[name], "journey_key": number, "journey": "support",
                            "step": step, "event": "told", "source_ref": number, "object": "ticket",
                            "channel": "other", "direction": "inbound", "occurred_at": at, "date_key": key(day),
                        }
                    )  # fmt: skip

    def _tickets(self) -> None:
        agents = [(f"t{team}", 100 * team + agent) for team in range(1, 5) for agent in range(team + 1)]
        weights = [self.chance.choice((0.3, 1, 1, 4)) for _ in agents]
        tickets, answers = self.tables.setdefault("fct_ticket", []), self.tables.setdefault("fct_survey_answer", [])
        for number in range(1, 1900):
            (team, agent), day = self.chance.choices(agents, weights)[0], self._day()
            channel = self.chance.choice(("email",) * 12 + ("phone",) * 5 + ("chat", "web"))
            customer = self._someone()
            tickets.append(
                {
                    "ticket_key": number, "customer_key": customer, "agent_key": agent, "team": team,
                    "channel": channel,
                    "is_customer_initiated": True, "first_reply_at": self._moment(day),
                    "first_reply_date_key": key(day),
                    "first_solved_date_key": key(day) if self.chance.random() < 0.9 else -1,
                    "last_solved_at": self._moment(day), "last_solved_date_key": key(day),
                    "first_reply_minutes": self.chance.randrange(600),
                    "full_resolution_minutes": self.chance.randrange(6000),
                    "is_reopened": self.chance.random() < 0.2, "is_escalated": False,
                    "is_fcr": self.chance.choice((True, False, None)), "is_one_touch": self.chance.choice((True, None)),
                    "is_first_tier_resolution": True,
                }
            )  # fmt: skip
            if self.chance.random() < 0.5:
                good = self.chance.random() < 0.7
                answers.append(
                    {
                        "answer_key": number, "customer_key": customer, "ticket_key": number, "order_key": -1,
                        "agent_key": agent, "metric": "csat", "survey_kind": "transactional", "channel": "email",
                        "score_norm": 1.0 if good else 0.0, "is_positive": good, "is_counted": True,
                        "answer_class": "positive" if good else "negative", "answered_date_key": key(day),
                    }
                )  # fmt: skip

    def _invitations(self) -> None:
        surveys = [f"s{number}" for number in range(5)]
        weights = {name: self.chance.choice((1, 3, 20)) for name in surveys}
        ways = ("email",) * 6 + ("sms", "sms", "phone")
        rows = self.tables.setdefault("fct_survey_invitation", [])
        for number in range(900):
            survey = self.chance.choices(surveys, list(weights.values()))[0]
            rows.append(
                {
                    "invitation_key": number, "survey_key": 1 + surveys.index(survey), "survey_id": survey,
                    "customer_key": self._someone(), "is_employee": False, "date_key": key(self._day()),
                    "channel": "email" if survey == "s4" else self.chance.choice(ways),
                    "is_counted": True, "is_delivered": self.chance.random() < 0.9,
                    "is_completed": self.chance.random() < 0.3, "is_partial": False,
                }
            )  # fmt: skip

    def _feedback(self, themes: list[int]) -> None:
        weights = [12, 6, 3, 1, 1, 1][: len(themes)]
        sources = ("survey",) * 12 + ("ticket",) * 5 + ("review", "social", "employee")
        items, bridge = self.tables.setdefault("fct_feedback", []), self.tables.setdefault("bridge_feedback_theme", [])
        for number in range(1, 800):
            items.append(
                {
                    "feedback_key": number, "customer_key": self._someone(), "date_key": key(self._day()),
                    "source_type": self.chance.choice(sources),
                    "is_counted": True,
                }
            )  # fmt: skip
            theme = self.chance.choices(themes, weights)[0]
            bridge.append({"feedback_key": number, "theme_key": theme, "weight": 1.0})

    def _customer_months(self) -> None:
        rows = self.tables.setdefault("fct_customer_month", [])
        for customer, segment in self.customers.items():
            joined = self.chance.choice(MONTHS[:8])
            currency = self.chance.choice(("EUR",) * 9 + ("CHF",))
            for month in (month for month in MONTHS if month >= joined):
                orders = self.chance.choice((0, 1, 2))
                rows.append(
                    {
                        "customer_month_key": 1000 * customer + month.month, "customer_key": customer,
                        "month_start": month,
                        "is_complete_month": True, "cohort_month": joined, "segment": segment, "is_referral": False,
                        "has_contract": False, "currency": currency, "orders": orders, "cumulative_orders": 1 + orders,
                        "orders_365_days": orders, "net_amount_365_days": 50 * orders, "recency_days": 5,
                        "contacts": orders,
                        "lifecycle_state": "new" if month == joined else "active",
                        "is_active": self.chance.random() < 0.8,
                        "nps_class": self.chance.choice((None, "promoter", "passive", "detractor")),
                        "cost_to_serve": 10, "cost_currency": "EUR",
                    }
                )  # fmt: skip


def key(day: date) -> int:
    """A day as the marts' date key."""
    return day.year * 10000 + day.month * 100 + day.day
