"""Small companies: what each of their products delivers on a day, and what may then be counted.

What lives here: a catalogue of products, a company that has some of them on each of its nights, the files, and the
figures by plain arithmetic from the same rows. Not here: running a night, what must hold (test_small_companies.py).

Everybody has one address, which every product knows them by, so the customers of a company are the people its products
know, however many records they are.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

FIRST = date(2026, 3, 28)
AMOUNT = 1250

Row = dict[str, Any]


@dataclass(frozen=True)
class Day:
    """A day of a company.

    Attributes:
        number: Counted from the first.
        date: The extract date, in the reporting time zone.
        zone: That zone.
        currency: The company's.
    """

    number: int
    date: date
    zone: str
    currency: str

    def at(self, hour: int, minute: int) -> str:
        """A moment of the day by its own clock, as a source in UTC writes it."""
        local = datetime.combine(self.date, time(hour, minute), ZoneInfo(self.zone))
        return local.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    @property
    def edges(self) -> tuple[str, str]:
        """Moments that lie in another day by most other clocks."""
        return self.at(0, 5), self.at(23, 55)

    @property
    def people(self) -> list[int]:
        """Who is new on the day."""
        return [0, 1, 2, 3] if self.number == 0 else [self.number + 3]


def address(person: int) -> str:
    """The one address of a person."""
    return f"p{person}@home-{person}.example"


def _zendesk(day: Day) -> dict[str, list[Row]]:
    open_at, solved_at = day.edges
    first, second = f"{day.number}1", f"{day.number}2"
    return {
        "users": [
            {"id": f"u{n}", "role": "end-user", "email": address(n), "created_at": open_at, "updated_at": open_at}
            for n in day.people
        ],
        "tickets": [
            {"id": first, "requester_id": "u0", "submitter_id": "u0", "status": "open", "created_at": open_at,
             "updated_at": open_at, "via": {"channel": "email"}},
            {"id": second, "requester_id": "u1", "submitter_id": "u1", "status": "solved", "created_at": day.at(12, 0),
             "updated_at": solved_at, "via": {"channel": "web"}},
        ],
        "ticket_audits": [
            {"id": f"a{second}", "ticket_id": second, "author_id": "u1", "created_at": day.at(12, 0),
             "events": [{"type": "Create", "field_name": "status", "value": "open"},
                        {"type": "Comment", "author_id": "u1", "public": True}]},
            {"id": f"b{second}", "ticket_id": second, "author_id": "g", "created_at": solved_at,
             "events": [{"type": "Change", "field_name": "status", "previous_value": "open", "value": "solved"}]},
        ],
    }  # fmt: skip


def _contacts(prefix: str, day: Day) -> list[Row]:
    return [
        {"contact_id": f"{prefix}{n}", "email": address(n), "created_at": day.edges[0], "updated_at": day.edges[0]}
        for n in day.people
    ]


def _desk(day: Day) -> dict[str, list[Row]]:
    return {
        "contact": _contacts("d", day),
        "ticket": [
            {"ticket_id": f"{day.number}{n}", "requester_id": "d0", "channel": "email", "status": "open",
             "created_at": at, "updated_at": at}
            for n, at in enumerate(day.edges)
        ],
    }  # fmt: skip


def _tickets(day: Day) -> dict[str, list[Row]]:
    """A desk that delivers nothing but tickets, which name addresses."""
    return {
        "ticket": [
            {"ticket_id": f"t{day.number}", "requester_email": address(0), "status": "closed",
             "created_at": day.edges[0], "solved_at": day.edges[1], "updated_at": day.edges[1]}
        ]
    }  # fmt: skip


def _orders(prefix: str, day: Day) -> list[Row]:
    return [
        {"order_id": f"{prefix}{day.number}{n}", "contact_id": f"{prefix}{n}", "status": "completed", "ordered_at": at,
         "item_amount": AMOUNT, "currency": day.currency, "updated_at": at}
        for n, at in enumerate(day.edges)
    ]  # fmt: skip


def _shop(day: Day) -> dict[str, list[Row]]:
    return {"contact": _contacts("s", day), "order": _orders("s", day)}


def _till(day: Day) -> dict[str, list[Row]]:
    """A shop that delivers nothing but orders."""
    return {"order": _orders("o", day)}


def _crm(day: Day) -> dict[str, list[Row]]:
    at = day.edges[0]
    return {
        "contact": [{**row, "account_id": "a"} for row in _contacts("c", day)],
        "account": [{"account_id": "a", "name": "A", "created_at": at, "updated_at": at}] if day.number == 0 else [],
    }


def _salesforce(day: Day) -> dict[str, list[Row]]:
    at = day.edges[0]
    stamps = {"IsDeleted": False, "CreatedDate": at, "SystemModstamp": at}
    return {
        "account": [{"Id": "001000000000001AAA", "Name": "A", **stamps}] if day.number == 0 else [],
        "contact": [
            {"Id": f"00300000000{n:04}AAA", "AccountId": "001000000000001AAA", "Email": address(n), **stamps}
            for n in day.people
        ],
    }


def _survey(day: Day) -> dict[str, list[Row]]:
    at = day.edges[0]
    question = {"survey_id": "s", "question_id": "q", "metric": "nps", "scale_min": 0, "scale_max": 10,
                "scale_direction": "high_is_good", "survey_kind": "relational", "updated_at": at}  # fmt: skip
    return {
        "survey_question": [question] if day.number == 0 else [],
        "survey_answer": [
            {"answer_id": f"{day.number}{n}", "survey_id": "s", "question_id": "q", "email": address(n),
             "score": 10 * n, "answered_at": moment, "updated_at": moment}
            for n, moment in enumerate(day.edges)
        ],
    }  # fmt: skip


def _qualtrics(day: Day) -> dict[str, list[Row]]:
    at = day.edges[0]
    question = {"survey_id": "SV_1", "question_id": "QID1", "metric": "nps", "scale_min": 0, "scale_max": 10,
                "scale_direction": "high_is_good", "survey_kind": "relational", "last_modified": at}  # fmt: skip
    return {
        "survey_definitions": [question] if day.number == 0 else [],
        "responses": [
            {"ResponseId": f"R_{day.number}{n}", "SurveyId": "SV_1", "StartDate": moment, "EndDate": moment,
             "RecordedDate": moment, "Finished": True, "RecipientEmail": address(n), "QID1": 10 * n}
            for n, moment in enumerate(day.edges)
        ],
    }  # fmt: skip


@dataclass(frozen=True)
class Product:
    """What a company may use: its system, and what it delivers on a day."""

    system: str
    delivers: Callable[[Day], Mapping[str, list[Row]]]


CATALOGUE: Mapping[str, Product] = {
    "zendesk": Product("zendesk", _zendesk),
    "desk": Product("canonical", _desk),
    "tickets": Product("canonical", _tickets),
    "shop": Product("canonical", _shop),
    "till": Product("canonical", _till),
    "crm": Product("canonical", _crm),
    "salesforce": Product("salesforce", _salesforce),
    "survey": Product("canonical", _survey),
    "qualtrics": Product("qualtrics", _qualtrics),
}
# Streams whose records are counted: of tickets and orders the day, of answers the day of each address, of people the
# address.
TICKETS, ORDERS, ANSWERS = {"tickets", "ticket"}, {"order"}, {"survey_answer", "responses"}
PEOPLE = {"users", "contact"}


@dataclass(frozen=True)
class Company:
    """A company, and what it has on each of its nights.

    Attributes:
        zone: Its reporting time zone.
        currency: Its currency.
        nights: By source its product, night by night; what is not there any more has left `sources.yml`.
        quiet: Nights (from 0) on which nothing happens: files of a header alone.
        without: By night, streams that `sources.yml` no longer names.
    """

    zone: str
    currency: str
    nights: tuple[Mapping[str, str], ...]
    quiet: frozenset[int] = frozenset()
    without: Mapping[int, frozenset[str]] = field(default_factory=dict)

    def day(self, night: int) -> Day:
        """The day of a night."""
        return Day(night, FIRST + timedelta(days=night), self.zone, self.currency)

    def deliver(self, folder: Path, night: int) -> date:
        """Write `sources.yml`, and what the sources of a night have to deliver up to its day; what lies there stays.

        A source that was away delivers the days it was away on, too.
        """
        sources = self.nights[night]
        streams = {source: self._streams(source, night) for source in sources}
        for source, names in streams.items():
            for earlier in range(night + 1):
                for stream in names:
                    self._write(folder, source, stream, sources[source], earlier)
        said = {
            "company": "Small",
            "reporting_timezone": self.zone,
            "currency": self.currency,
            "first_date": FIRST,
            "sources": {
                source: {
                    "system": CATALOGUE[product].system,
                    "location": f"drop/{source}",
                    "pattern": "{stream}_{date}.csv",
                    "complete": "rename",
                    "timezone": "UTC",
                    "streams": dict.fromkeys(streams[source]),
                }
                for source, product in sources.items()
            },
        }
        (folder / "sources.yml").write_text(yaml.safe_dump(said, sort_keys=False), encoding="utf-8")
        return self.day(night).date

    def figures(self, night: int) -> dict[str, Any]:
        """What is published after a night: tickets, revenue and who answered by day, and the people known.

        Who answers several surveys on a day counts once: of each customer the latest answer is taken.
        """
        tickets: Counter[date] = Counter()
        revenue: Counter[date] = Counter()
        answered: set[tuple[date, str]] = set()
        people: set[str] = set()
        for stream, day, rows in self._rows(night):
            if stream in TICKETS:
                tickets[day] += len(rows)
            elif stream in ORDERS:
                revenue[day] += AMOUNT * len(rows)
            elif stream in ANSWERS:
                answered |= {(day, row.get("email") or row["RecipientEmail"]) for row in rows}
            elif stream in PEOPLE:
                people |= {row.get("email") or row["Email"] for row in rows}
        respondents = Counter(day for day, _ in answered)
        counted = {"tickets_created": tickets, "revenue": revenue, "nps_relational": respondents}
        return {
            **{kpi: {day: n for day, n in days.items() if n} for kpi, days in counted.items()},
            "customers": len(people),
        }

    def _streams(self, source: str, night: int) -> list[str]:
        everything = CATALOGUE[self.nights[night][source]].delivers(self.day(0))
        return [stream for stream in everything if stream not in self.without.get(night, frozenset())]

    def _rows(self, night: int) -> Iterable[tuple[str, date, list[Row]]]:
        for source, product in self.nights[night].items():
            for earlier in range(night + 1):
                delivered = self._delivered(product, earlier)
                for stream in self._streams(source, night):
                    yield stream, self.day(earlier).date, delivered.get(stream, [])

    def _delivered(self, product: str, night: int) -> Mapping[str, list[Row]]:
        return {} if night in self.quiet else CATALOGUE[product].delivers(self.day(night))

    def _write(self, folder: Path, source: str, stream: str, product: str, night: int) -> None:
        path = folder / "drop" / source / f"{stream}_{self.day(night).date}.csv"
        if path.exists():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = self._delivered(product, night).get(stream, [])
        header = list(CATALOGUE[product].delivers(self.day(0))[stream][0])
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, header)
            writer.writeheader()
            for row in rows:
                writer.writerow({name: _text(value) for name, value in row.items()})


def _text(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, dict | list | bool) else value
