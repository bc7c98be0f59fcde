"""The definitions of customer value written a second time, in pandas, and a company to count them on.

What lives here: a company of two and a half years whose records arrive in any order, and what the value marts must
say of it, from its records alone. Not here: the comparison (test_value_marts.py).
"""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pandas as pd
from dbt_harness import PROJECT
from hidden_recount import hidden_in_table, hidden_siblings

from tests.counting.calendar import last_day, local_day, month_of, plus_months, years_after
from tests.counting.differences import of_amounts
from tests.counting.intervals import interval_of_a_share

START = datetime(2023, 6, 1, tzinfo=UTC)
NEEDED = ("customer", "month_start", "is_complete_month", "cohort_month", "segment", "has_contract", "currency",
          "net_amount_365_days", "cumulative_orders", "is_active")  # fmt: skip
HEADCOUNTS = {
    **dict.fromkeys(("active_customers", "repeat_purchase_rate_365_days", "contacts_per_100_active"), "active"),
    "cost_to_serve_per_active": "active", "repeat_purchase_rate_lifetime": "ever", "pareto_share_of_all_buyers": "ever",
}  # fmt: skip
"""Metrics of the same people, in all or of a currency."""
NAMED = ("refunded", "traveller", "early")


class Company:
    """What a company knows of its customers at the end, and the nights on which it told."""

    def __init__(self, seed: int, customers: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311
        self.accounts = {"firm": "business", "home": "household"}
        self.contacts = [self._contact(f"c{number}") for number in range(customers)]
        self.orders = [order for contact in self.contacts for order in self._orders(contact["contact_id"])]
        self.orders += [self._order("stranger", self._moment(), 0) for _ in range(5)]
        for number, order in enumerate(self.orders):
            order.setdefault("order_id", f"o{number}")
        self.contacts += [{"contact_id": name, "account_id": None, "segment": None, "acquisition_source": None,
                           "created_at": None} for name in NAMED]  # fmt: skip
        self.orders += [
            named_order("refunded", "2025-03-10", item_amount=100, refund_amount=40),
            named_order("traveller", "2025-03-10", item_amount=100),
            named_order("traveller", "2025-04-10", item_amount=500, currency="USD"),
            named_order("early", "2025-12-30", item_amount=100),
        ]
        self.tickets = [self._ticket(number) for number in range(customers)]
        self.answers = [self._answer(number) for number in range(2 * customers)]

    def nights(self, count: int) -> list[dict[str, list[dict[str, Any]]]]:
        """The final versions in random nights, some with an older version that was wrong."""
        arrivals: list[dict[str, list[dict[str, Any]]]] = [defaultdict(list) for _ in range(count)]
        arrivals[0]["canonical.survey_question"] = [
            {"survey_id": name, "question_id": "q", "metric": name, "scale_min": low, "scale_max": high,
             "scale_direction": "high_is_good", "survey_kind": "transactional"}
            for name, low, high in (("nps", 0, 10), ("csat", 1, 5))
        ]  # fmt: skip
        arrivals[0]["canonical.account"] = [
            self._version({"account_id": name, "account_type": kind}, 2) for name, kind in self.accounts.items()
        ]
        for stream, records, wrong in (
            ("contact", self.contacts, {"segment": "enterprise", "created_at": START}),
            ("order", self.orders, {"item_amount": 1, "currency": "USD", "ordered_at": START + timedelta(days=9)}),
            ("ticket", self.tickets, {"requester_id": "c0", "is_complaint": True}),
            ("survey_answer", self.answers, {"score": 1, "answered_at": START + timedelta(days=40)}),
        ):
            for record in records:
                row = {name: value for name, value in record.items() if name != "events"}
                final = self.chance.choice((0, 0, 0, *range(count)))
                if row.get("contact_id") in NAMED:
                    final = count - 1 if row.get("refund_amount") else 0
                arrivals[final][f"canonical.{stream}"].append(self._version(row, 2))
                if self.chance.random() < 0.1:
                    earlier = self.chance.randrange(count)
                    arrivals[earlier][f"canonical.{stream}"].append(self._version({**row, **wrong}, 1))
                for place, event in enumerate(record.get("events", ())):
                    about = {"event_id": f"{record['ticket_id']}-{place}", "ticket_id": record["ticket_id"]}
                    arrivals[final]["canonical.ticket_event"].append(self._version({**about, **event}, 2))
        before_refund = {"order_id": "refunded 2025-03-10", "refund_amount": None}
        arrivals[0]["canonical.order"] += [
            self._version({**row, **before_refund}, 1) for row in self.orders if row["contact_id"] == "refunded"
        ]
        return [dict(streams) for streams in arrivals]

    def _version(self, row: dict[str, Any], version: int) -> dict[str, Any]:
        return {**row, "updated_at": datetime(2026, 1, version, tzinfo=UTC)}

    def _moment(self) -> datetime:
        """Mostly before the business date; a few lie after it and must not count yet."""
        return START + timedelta(minutes=self.chance.randrange(950 * 24 * 60))

    def _contact(self, name: str) -> dict[str, Any]:
        return {
            "contact_id": name,
            "account_id": self.chance.choice((None, None, None, "firm", "home")),
            "segment": self.chance.choice((None, None, None, "enterprise", "Premium")),
            "acquisition_source": self.chance.choice((None, "Customer Referral", "web", "Recommended by a friend")),
            "created_at": self.chance.choice((None, self._moment())),
        }

    def _orders(self, contact: str) -> Iterator[dict[str, Any]]:
        currency = self.chance.choice(("EUR", "EUR", "EUR", "EUR", "USD", None))
        if self.chance.random() < 0.12:
            yield from self._contract(contact, currency)
        for _ in range(self.chance.choice((0, 1, 1, 2, 3, 5, 12))):
            order = self._order(contact, self._moment(), self.chance.choice((0, 0, 0, 30)))
            yield {**order, "currency": currency if self.chance.random() < 0.95 else "GBP"}

    def _contract(self, contact: str, currency: str | None) -> Iterator[dict[str, Any]]:
        """A contract that is renewed every month or every year until it is lost."""
        begin, step = START + timedelta(days=self.chance.randrange(200)), self.chance.choice((30, 365))
        for place in range(900 // step):
            lost = self.chance.random() < (0.02 if step == 30 else 0.3)
            order = self._order(contact, begin + timedelta(days=place * step), 0)
            yield {**order, "status": "lost" if lost and place else "completed", "currency": currency,
                   "order_type": "renewal" if place else "new"}  # fmt: skip
            if lost and place:
                return

    def _order(self, contact: str, at: datetime, refund: int) -> dict[str, Any]:
        return {
            "contact_id": contact,
            "ordered_at": at,
            "status": self.chance.choice(("completed", "completed", "completed", "placed", "returned", "cancelled")),
            "order_type": self.chance.choice((None, "new")),
            "item_amount": self.chance.choice((None, 20, 50, 100, 400)),
            "freight_amount": self.chance.choice((None, 4.9)),
            "payment_amount": self.chance.choice((None, 60)),
            "refund_amount": refund or None,
            "currency": "EUR",
        }

    def _ticket(self, number: int) -> dict[str, Any]:
        created = self._moment()
        events = [{"event_type": "comment", "author_role": "customer", "occurred_at": created, "is_public": True}]
        if self.chance.random() < 0.7:
            replied = created + timedelta(seconds=self.chance.randrange(60, 90000))
            events.append({"event_type": "comment", "author_role": "agent", "occurred_at": replied, "is_public": True})
        if self.chance.random() < 0.1:
            events.reverse()
            events[0] = {**events[0], "author_role": "agent", "occurred_at": created}
            events.insert(0, {"event_type": "created", "author_role": "agent", "occurred_at": created})
        return {
            "ticket_id": f"t{number}",
            "requester_id": self.chance.choice(self.contacts)["contact_id"],
            "created_at": created,
            "status": "open",
            "channel": "email",
            "is_complaint": self.chance.random() < 0.2,
            "is_deleted": self.chance.random() < 0.1,
            "events": events,
        }

    def _answer(self, number: int) -> dict[str, Any]:
        survey, top = self.chance.choice((("nps", 10), ("csat", 5)))
        return {
            "answer_id": f"a{number}", "survey_id": survey, "question_id": "q", "channel": "email",
            "contact_id": self.chance.choice(self.contacts)["contact_id"], "score": self.chance.randint(1, top),
            "answered_at": self._moment(), "is_test": self.chance.random() < 0.05,
        }  # fmt: skip


def named_order(contact: str, day: str, **more: Any) -> dict[str, Any]:
    nothing = dict.fromkeys(("order_type", "freight_amount", "payment_amount", "refund_amount"))
    return nothing | {
        "order_id": f"{contact} {day}",
        "contact_id": contact,
        "ordered_at": datetime.fromisoformat(f"{day} 12:00:00+00:00"),
        "status": "completed",
        "currency": "EUR",
    } | more  # fmt: skip


class Recount:
    """The definitions once more, customer by customer and month by month. Slow and plain on purpose."""

    def __init__(self, company: Company, customer_keys: dict[str, int], as_of: date) -> None:
        self.company, self.keys, self.as_of = company, customer_keys, as_of
        self.rules = pd.read_csv(PROJECT / "seeds/segments.csv").sort_values("priority").to_dict("records")
        self.rfm_rules = pd.read_csv(PROJECT / "seeds/rfm_segments.csv").sort_values("priority").to_dict("records")
        self.orders = self._dated(company.orders, "contact_id", "ordered_at")
        self.counted = self._amounts()
        self.first_day = min(orders[0]["day"] for name, orders in self.counted.items() if name in customer_keys)
        self.tickets = self._dated(company.tickets, "requester_id", "created_at")
        self.answers = self._dated(company.answers, "contact_id", "answered_at")
        rows = [row for contact in company.contacts for row in self._customer(contact)]
        self.months = self._ranked(pd.DataFrame(rows))
        self._value_lifetimes()

    def _dated(self, records: list[dict[str, Any]], owner: str, moment: str) -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for record in records:
            found[record[owner]].append({**record, "at": record[moment], "day": local_day(record[moment])})
        return found

    def _amounts(self) -> dict[str, list[dict[str, Any]]]:
        """The orders that count, by customer, in order of time, each with its net amount."""
        counted: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for order in sorted(self.company.orders, key=lambda row: row["ordered_at"]):
            if order["status"] in ("cancelled", "lost"):
                continue
            charged = order["payment_amount"]
            if order["item_amount"] is not None:
                charged = order["item_amount"] + (order["freight_amount"] or 0)
            is_known = charged is not None and (order["status"] != "returned" or order["refund_amount"] is not None)
            amount = round(charged - (order["refund_amount"] or 0), 2) if is_known else 0
            money = {"amount": amount, "currency": order["currency"] or "EUR", "is_known": is_known}
            counted[order["contact_id"]].append({**order, **money, "day": local_day(order["ordered_at"])})
        return counted

    def _counted(self, contact: str, until: date) -> list[dict[str, Any]]:
        return [order for order in self.counted[contact] if order["day"] <= until]

    def _customer(self, contact: dict[str, Any]) -> Iterator[dict[str, Any]]:
        name = contact["contact_id"]
        ever = self._counted(name, self.as_of)
        moments = [order["day"] for order in ever[:1]]
        moments += [local_day(contact["created_at"])] if contact["created_at"] else []
        known = min(moments, default=self.as_of + timedelta(days=1))
        month = month_of(known)
        while known <= self.as_of and month <= self.as_of:
            yield self._state(contact, month)
            month = plus_months(month, 1)

    def _state(self, contact: dict[str, Any], month: date) -> dict[str, Any]:
        name = contact["contact_id"]
        on = min(last_day(month), self.as_of)
        orders = self._counted(name, on)
        before = [order for order in orders if order["day"] < month]
        currency = orders[0]["currency"] if orders else None
        own = [order for order in orders if order["currency"] == currency]

        def within(rows: list[dict[str, Any]], years: int) -> list[dict[str, Any]]:
            return [row for row in rows if years_after(row["day"], years) > on]

        def total(rows: list[dict[str, Any]]) -> float:
            return round(sum(row["amount"] for row in rows), 2)

        in_month = [order for order in orders if order["day"] >= month]
        is_active = bool(within(orders, 1))
        was_active = any(years_after(order["day"], 1) >= month for order in before)
        tickets = [row for row in self.tickets[name] if month <= row["day"] <= on and not row["is_deleted"]]
        begun = [row for row in tickets if row["events"][0]["event_type"] != "created"]
        answers = [row for row in self.answers[name] if row["day"] <= on and not row["is_test"]]
        nps = sorted((row["at"], row["score"]) for row in answers if row["survey_id"] == "nps")
        of_month = [row for row in answers if row["day"] >= month]
        low = [row for row in of_month if row["score"] <= {"nps": 6, "csat": 2}[row["survey_id"]]]
        return {
            "customer": name,
            "customer_key": self.keys[name],
            "month_start": month,
            "state_on": on,
            "is_complete_month": last_day(month) <= self.as_of,
            "cohort_month": month_of(orders[0]["day"]) if orders else None,
            "segment": self._segment(contact, within(orders, 1)),
            "is_referral": contact["acquisition_source"] in ("Customer Referral", "Recommended by a friend"),
            "has_contract": any(row["order_type"] == "renewal" and row["day"] <= on for row in self.orders[name]),
            "currency": currency,
            "orders": len(in_month),
            "orders_other_currency": sum(order["currency"] != currency for order in in_month),
            "net_amount": total([order for order in own if order["day"] >= month]),
            "cumulative_orders": len(orders),
            "cumulative_net_amount": total(own),
            "orders_365_days": len(within(orders, 1)),
            "net_amount_365_days": total(within(own, 1)),
            "lifecycle_state": self._lifecycle(orders, before, in_month, is_active, was_active),
            "is_active": is_active,
            "is_retained": was_active and is_active,
            "is_churned": was_active and not is_active,
            "contacts": len(begun),
            "wait_minutes": round(sum(self._wait(row) for row in begun), 4),
            "failures": len(low) + sum(row["is_complaint"] for row in tickets),
            "nps_class": self._nps_class(nps[-1][1]) if nps else None,
            "recency_days": (on - orders[-1]["day"]).days if orders else None,
            "frequency": len(within(orders, 2)),
            "monetary": total(within(own, 2)),
            "cost_to_serve": 5.0 * len(begun),
            "cost_currency": "EUR",
            "own_orders": len(own),
            "priced_orders": sum(order["is_known"] for order in own),
            "first_on": orders[0]["day"] if orders else None,
            "last_on": orders[-1]["day"] if orders else None,
        }

    def _lifecycle(
        self, ever: list[Any], before: list[Any], in_month: list[Any], is_active: bool, was_active: bool
    ) -> str:
        if not ever:
            return "prospect"
        if in_month:
            return "new" if not before else "returning" if was_active else "resurrected"
        return "active" if is_active else "churned" if was_active else "dormant"

    def _wait(self, ticket: dict[str, Any]) -> float:
        replies = [row["occurred_at"] for row in ticket["events"] if row["author_role"] == "agent"]
        waited: timedelta = replies[0] - ticket["created_at"] if replies else timedelta()
        return waited.total_seconds() / 60

    def _nps_class(self, score: int) -> str:
        return "promoter" if score >= 9 else "passive" if score >= 7 else "detractor"

    def _segment(self, contact: dict[str, Any], year: list[dict[str, Any]]) -> str:
        currencies = {order["currency"] for order in year}
        spent = sum(order["amount"] for order in year)
        for rule in self.rules:
            given = {name: value for name, value in rule.items() if not pd.isna(value)}
            if "crm_segment" in given and (contact["segment"] or "").lower() != given["crm_segment"]:
                continue
            if "is_business" in given and (contact["account_id"] == "firm") != given["is_business"]:
                continue
            if len(year) < given.get("min_orders_365_days", 0):
                continue
            least = given.get("min_net_amount_365_days")
            if least is not None and not (currencies == {given["currency"]} and spent >= least):
                continue
            return str(given["segment"])
        return "unknown"

    def _ranked(self, months: pd.DataFrame) -> pd.DataFrame:
        """With scores, names and ranks. Equal values share a bin: their rank is that of the first of them."""
        scored = months[months.frequency > 0]
        people = scored.groupby("month_start").customer.transform("size")
        bins = people.where(people < 500, 5).where(people >= 500, 3).astype(int)
        for score, column, by, falling in (
            ("r_score", "recency_days", ["month_start"], True),
            ("f_score", "frequency", ["month_start"], False),
            ("m_score", "monetary", ["month_start", "currency"], False),
        ):
            groups = scored.groupby(by)[column]
            place = groups.rank(method="min", ascending=not falling).astype(int) - 1
            others = (groups.transform("size") - 1).clip(lower=1)
            months[score] = (1 + place * bins // others).clip(upper=bins).reindex(months.index)
        names = []
        for row, scale in zip(months.to_dict("records"), bins.reindex(months.index), strict=True):
            fitting = [
                rule["rfm_segment"]
                for rule in self.rfm_rules
                if rule["bins"] == scale
                and all(rule[f"min_{x}"] <= row[f"{x}_score"] <= rule[f"max_{x}"] for x in "rfm")
            ]
            names.append(fitting[0] if fitting else None)
        months["rfm_segment"] = names
        paying = months[months.net_amount_365_days > 0].sort_values(
            ["net_amount_365_days", "customer_key"], ascending=[False, True]
        )
        groups = paying.groupby(["month_start", "currency"]).customer
        months["pareto_rank"] = (groups.cumcount() + 1).reindex(months.index)
        top = groups.cumcount() < (groups.transform("size") / 5).apply(math.ceil)
        months["is_top_20pct"] = top.reindex(months.index, fill_value=False)
        return months

    def _value_lifetimes(self) -> None:
        state = {(row["customer"], row["month_start"]): row for row in self.months.to_dict("records")}
        rates: dict[tuple[date, str], list[bool]] = defaultdict(list)
        for (customer, month), row in state.items():
            later = state.get((customer, plus_months(month, 12)))
            if row["is_active"] and later is not None:
                rates[plus_months(month, 12), row["segment"]].append(not later["is_active"])
        self.months = self.months.assign(
            **pd.DataFrame([self._lifetime(row, rates) for row in self.months.to_dict("records")])
        )

    def _is_matured(self, row: dict[str, Any]) -> bool:
        """Two years of the company's orders lie before the last whole month."""
        month = row["month_start"] if row["is_complete_month"] else plus_months(row["month_start"], -1)
        return years_after(self.first_day, 2) <= plus_months(month, 1)

    def _lifetime(self, row: dict[str, Any], rates: dict[tuple[date, str], list[bool]]) -> dict[str, float | None]:
        parts: dict[str, float | None] = dict.fromkeys(
            ("average_order_value", "orders_per_year", "longevity_years", "clv_revenue", "clv_margin")
        )
        parts["is_clv_matured"] = self._is_matured(row)
        if not row["own_orders"]:
            return parts
        value = row["cumulative_net_amount"] / row["priced_orders"] if row["priced_orders"] else None
        observed = (row["last_on"] - row["first_on"]).days / 365.25
        if row["is_active"]:
            month = row["month_start"] if row["is_complete_month"] else plus_months(row["month_start"], -1)
            left = rates[month, row["segment"]] if self._is_matured(row) else []
            often = row["own_orders"] / max(1, (row["state_on"] - row["first_on"]).days / 365.25)
            years = len(left) / sum(left) if len(left) >= 30 and any(left) else None
        else:
            often = row["own_orders"] / observed if observed else None
            years = observed or None
        parts |= {"average_order_value": value, "orders_per_year": often, "longevity_years": years}
        if value is not None and often is not None and years is not None:
            parts |= {"clv_revenue": value * often * years, "clv_margin": value * often * years * 0.3}
        return parts

    def cohorts(self) -> dict[tuple[Any, ...], dict[str, Any]]:
        """(cohort month, k, segment) -> what is shown."""
        months = self.months.loc[self.months.cohort_month.notna(), [*NEEDED, "orders"]]
        segment = {row.customer: row.segment for row in months[months.month_start == months.cohort_month].itertuples()}
        revenue = {(row.customer, row.month_start): row.net_amount_365_days for row in months.itertuples()}
        shown: dict[tuple[Any, ...], dict[str, Any]] = {}
        for (cohort, month), group in months.groupby(["cohort_month", "month_start"]):
            k = (month.year - cohort.year) * 12 + month.month - cohort.month
            cells: dict[str, list[Any]] = defaultdict(list)
            for row in group.itertuples():
                for name in ("all", segment[row.customer]):
                    cells[name].append(row)
            contracts = {
                name: [
                    (start, row.net_amount_365_days)
                    for row in rows
                    for start in [revenue.get((row.customer, plus_months(month, -12)), 0)]
                    if k >= 23 and row.is_complete_month and row.has_contract and row.currency == "EUR" and start > 0
                ]
                for name, rows in cells.items()
            }
            hidden = hidden_siblings({name: len(rows) for name, rows in cells.items()}, ())
            no_amounts = hidden_siblings({name: len(contracts[name]) for name in cells}, hidden)
            for name, rows in cells.items():
                row = {"is_complete_period": rows[0].is_complete_month, "is_suppressed": name in hidden,
                       "is_low_n": len(rows) < 30, "month_start": month}  # fmt: skip
                if name not in hidden:
                    row |= self._retention(rows)
                if name not in no_amounts and contracts[name]:
                    row |= self._revenue(contracts[name])
                shown[cohort, k, name] = row
        return shown

    def _retention(self, rows: list[Any]) -> dict[str, Any]:
        bought = sum(row.orders > 0 for row in rows)
        if not rows[0].is_complete_month:
            return {"customers": len(rows)}
        low, high = interval_of_a_share(bought, len(rows))
        return {"customers": len(rows), "retained": bought, "logo_retention": 100 * bought / len(rows),
                "ci_low": low, "ci_high": high}  # fmt: skip

    def _revenue(self, pairs: list[tuple[float, float]]) -> dict[str, Any]:
        start = sum(was for was, _ in pairs)
        lost = sum(was - now for was, now in pairs if now < was and now > 0)
        gone = sum(was for was, now in pairs if now <= 0)
        more = sum(now - was for was, now in pairs if now > was)
        return {
            "contract_customers": len(pairs), "start_net_amount": start, "kept_net_amount": start - lost - gone,
            "expanded_net_amount": more, "contracted_net_amount": lost, "churned_net_amount": gone,
            "gross_revenue_retention": 100 * (start - lost - gone) / start,
            "net_revenue_retention": 100 * (start + more - lost - gone) / start,
        }  # fmt: skip

    def values(self) -> dict[tuple[Any, ...], dict[str, Any]]:
        """(month, segment, metric, member, currency) -> what is shown."""
        cells: dict[tuple[Any, ...], dict[str, Any]] = {}
        more = ("nps_class", "orders_365_days", "lifecycle_state", "is_referral", "contacts", "cost_to_serve")
        months = self.months[[*NEEDED, *more]]
        before = {(row.customer, row.month_start): row for row in months.itertuples()}
        for month, everybody in months.groupby("month_start"):
            for segment in ("all", *everybody.segment.unique()):
                group = everybody if segment == "all" else everybody[everybody.segment == segment]
                for (metric, member, currency), cell in self._measures(month, group).items():
                    cells[month, segment, metric, member, currency] = cell
            for key, cell in self._contract_values(month, everybody, before):
                cells[key] = cell
        return self._suppressed({key: cell for key, cell in cells.items() if cell["n"]})

    def _suppressed(self, cells: dict[tuple[Any, ...], dict[str, Any]]) -> dict[tuple[Any, ...], dict[str, Any]]:
        siblings: dict[tuple[Any, ...], dict[str, int]] = defaultdict(dict)
        heads: dict[tuple[date, str], dict[tuple[str, str], int]] = defaultdict(dict)
        for (month, segment, metric, member, currency), cell in cells.items():
            siblings[month, metric, member, currency][segment] = cell["n"]
            if metric in HEADCOUNTS:
                heads[month, HEADCOUNTS[metric]][currency or "all", segment] = cell["n"]
        tables = {key: hidden_in_table(people, ()) for key, people in heads.items()}
        everywhere: dict[date, set[tuple[str, str]]] = defaultdict(set)
        for (month, _), places in tables.items():
            everywhere[month] |= places
        for (month, *what), sizes in siblings.items():
            metric, _, currency = what
            if metric in HEADCOUNTS:
                places = tables[month, HEADCOUNTS[metric]]
                hidden = {segment for segment in sizes if (currency or "all", segment) in places}
            else:
                hidden = hidden_siblings(sizes, {name for of, name in everywhere[month] if of == (currency or "all")})
            for segment in sizes:
                cell = cells[month, segment, *what]
                cell |= {"is_suppressed": segment in hidden, "is_low_n": cell["n"] < 30}
                if segment in hidden:
                    cell |= dict.fromkeys(("numerator", "denominator", "n", "value", "ci_low", "ci_high"))
        return cells

    def _measures(self, month: date, group: pd.DataFrame) -> dict[tuple[Any, ...], dict[str, Any]]:
        active, buyers = group[group.is_active], group[group.cumulative_orders > 0]
        joined = group[group.lifecycle_state == "new"]
        found: dict[tuple[Any, ...], dict[str, Any]] = {
            ("active_customers", "all", None): {"numerator": len(active), "n": len(active), "value": len(active)},
            ("repeat_purchase_rate_365_days", "all", None): share(sum(active.orders_365_days >= 2), len(active)),
            ("repeat_purchase_rate_lifetime", "all", None): share(sum(buyers.cumulative_orders >= 2), len(buyers)),
            ("referral_share", "all", None): share(sum(joined.is_referral), len(joined)),
            ("contacts_per_100_active", "all", None): ratio(group.contacts.sum(), len(active), len(active), 100),
            ("cost_to_serve_per_active", "all", "EUR"): ratio(group.cost_to_serve.sum(), len(active), len(active), 1),
        }
        for currency, people in buyers.groupby("currency"):
            revenue = sorted(people.net_amount_365_days.clip(lower=0), reverse=True)
            paying, total = sum(amount > 0 for amount in revenue), sum(revenue)
            top, top_of_all = sum(revenue[: math.ceil(paying / 5)]), sum(revenue[: math.ceil(len(revenue) / 5)])
            found["pareto_share", "all", currency] = ratio(top, total, paying, 100)
            found["pareto_share_of_all_buyers", "all", currency] = ratio(top_of_all, total, len(revenue), 100)
        for score, people in group.groupby("nps_class"):
            found |= self._what_followed(month, str(score), people)
        return found

    def _what_followed(self, month: date, score: str, people: pd.DataFrame) -> dict[tuple[Any, ...], dict[str, Any]]:
        end = last_day(month)
        until = end + timedelta(days=90)
        matured = until <= self.as_of
        spent: dict[str, list[float]] = defaultdict(list)
        kept = []
        for customer, currency, is_active in zip(people.customer, people.currency, people.is_active, strict=True):
            orders = self._counted(customer, until) if matured else []
            if isinstance(currency, str):
                following = [row["amount"] for row in orders if row["day"] > end and row["currency"] == currency]
                spent[currency].append(sum(following))
            if is_active:
                kept.append(any(years_after(row["day"], 1) > until for row in orders))
        found: dict[tuple[Any, ...], dict[str, Any]] = {
            ("net_amount_90_days_after", score, currency): mean(amounts, matured) for currency, amounts in spent.items()
        }
        found["retention_90_days_after", score, None] = {
            **(share(sum(kept), len(kept)) if matured else {"denominator": len(kept), "n": len(kept)}),
            "is_matured": matured,
        }
        return found

    def _contract_values(
        self, month: date, everybody: pd.DataFrame, before: dict[tuple[str, date], Any]
    ) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
        pairs: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
        for row in everybody[everybody.has_contract & everybody.is_complete_month].itertuples():
            was = before.get((row.customer, plus_months(month, -12)))
            if was is not None and was.net_amount_365_days > 0 and row.cohort_month <= plus_months(month, -23):
                for segment in ("all", was.segment):
                    pairs[segment, row.currency].append((was.net_amount_365_days, row.net_amount_365_days))
        for (segment, currency), amounts in pairs.items():
            revenue = self._revenue(amounts)
            start, n = revenue["start_net_amount"], len(amounts)
            kept = revenue["kept_net_amount"]
            net = kept + revenue["expanded_net_amount"]
            yield (month, segment, "gross_revenue_retention", "all", currency), ratio(kept, start, n, 100)
            yield (month, segment, "net_revenue_retention", "all", currency), ratio(net, start, n, 100)


def share(part: int, whole: int) -> dict[str, Any]:
    if not whole:
        return {"n": 0}
    low, high = interval_of_a_share(part, whole)
    counts = {"numerator": part, "denominator": whole, "n": whole}
    return counts | {"value": 100 * part / whole, "ci_low": low, "ci_high": high}


def ratio(part: float, whole: float, n: int, times: int) -> dict[str, Any]:
    return {"numerator": part, "denominator": whole, "n": n, "value": times * part / whole if whole else None}


def mean(amounts: list[float], matured: bool) -> dict[str, Any]:
    n = len(amounts)
    if not matured:
        return {"denominator": n, "n": n, "is_matured": False}
    value = sum(amounts) / n
    found = {"numerator": sum(amounts), "denominator": n, "n": n, "value": value}
    estimate = of_amounts(amounts)
    if estimate is not None:
        _, margin = estimate
        found |= {"ci_low": value - margin, "ci_high": value + margin}
    return found
