"""A help desk that answers as Zendesk's public documentation says, over HTTP on loopback, with faults on demand.

Made-up records only. Whoever uses it changes records between requests, moves its clock, and says which request meets
which fault. It is written from the documentation and from what public clients of the API rely on: what holds here is
likely, not known, to hold at Zendesk.

    python -m tests.zendesk_emulator TICKETS     for measuring: prints its address and who may ask, ends with its input
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.emulator_kit import Asked, Body, Fault, Host, Row, Told, iso, serving

EMAIL, API_TOKEN, ACCESS_TOKEN = "robot@nordlicht-home.example", "api-token-of-the-test", "access-token-of-the-test"
CLIENT_ID, CLIENT_SECRET = "journeymart", "client-secret-of-the-test"
CREDENTIALS = {"email": EMAIL, "api_token": API_TOKEN}

_MINUTE = 60


@dataclass
class _Listed:
    """A record, and when it changed last of all: that orders the exports."""

    at: int
    row: Row


@dataclass(kw_only=True)
class Desk(Host):
    """The records of a help desk.

    Attributes:
        cursors_forgotten: Cursors given so far are not known any more.
        tables: Its records by id, by table.
    """

    cursors_forgotten: bool = False
    tables: dict[str, dict[int, _Listed]] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=lambda: {ACCESS_TOKEN})

    def put(self, table: str, row: Row, at: int | None = None) -> None:
        """Make or change a record: at a time, or now."""
        at = self.now if at is None else at
        self.tables.setdefault(table, {})[row["id"]] = _Listed(at, row)

    def ticket(self, number: int, status: str = "open", at: int | None = None) -> None:
        """Make or change a ticket; `deleted` is a status as any other."""
        at = self.now if at is None else at
        self.put("tickets", ticket(number, status, at), at)

    def rows(self, table: str) -> dict[int, Row]:
        """All records of a table as they are now, by id."""
        return {number: listed.row for number, listed in self.tables.get(table, {}).items()}

    def token(self, asked: Asked) -> Told | None:
        """As `Host.token`."""
        if asked.path != "/oauth/tokens":
            return None
        said = json.loads(asked.body)
        if (said.get("client_id"), said.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return Told(401, {"error": "invalid_client"})
        token = f"token-{len(self.requests)}"
        self.tokens.add(token)
        return Told(200, {"access_token": token, "token_type": "bearer"})

    def is_known(self, login: str) -> bool:
        """As `Host.is_known`."""
        kind, _, said = login.partition(" ")
        if kind == "Basic":
            return base64.b64decode(said).decode() == f"{EMAIL}/token:{API_TOKEN}"
        return super().is_known(login)

    def page(self, asked: Asked) -> Told:
        """As `Host.page`."""
        return Told(*self.answer(asked.path, asked.query))

    def spoilt(self, fault: Fault, asked: Asked, body: Body) -> Told | None:
        """As `Host.spoilt`."""
        match fault:
            case "no place":
                told = {"after_cursor": None, "end_time": None, "end_of_stream": False, "meta": {"has_more": True}}
                return Told(200, {key: told.get(key, value) for key, value in body.items()})
            case "same place":
                return Told(200, body | {"after_cursor": asked.query.get("cursor"), "end_of_stream": False})
            case "no marker":
                return Told(200, {key: value for key, value in body.items() if key not in {"end_of_stream", "meta"}})
        return None

    def answer(self, path: str, query: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
        """Status and body of a page of data."""
        match path.removesuffix(".json").removeprefix("/api/v2/").split("/"):
            case ["incremental", "tickets" | "users" as table, "cursor"]:
                return self._cursor_export(table, query)
            case ["incremental", "organizations" | "ticket_events" as table]:
                return self._time_export(table, query)
            case ["incremental", "ticket_metric_events"]:
                return self._list("ticket_metric_events", query)
            case ["satisfaction_ratings"]:
                return self._list("satisfaction_ratings", query)
            case _:
                return 404, {"error": "InvalidEndpoint"}

    def _cursor_export(self, table: str, query: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
        if "cursor" in query:
            place = self._place(query["cursor"])
            if place is None:
                return 422, {"error": "InvalidCursor"}
        else:
            place = (int(query["start_time"]), 0)
        rows, end, last = self._page(table, place, query)
        return 200, {
            table: rows,
            "after_cursor": _cursor(last),
            "after_url": f"https://desk.invalid/api/v2/incremental/{table}/cursor.json?cursor={_cursor(last)}",
            "before_cursor": None,
            "end_of_stream": end,
        }

    def _time_export(self, table: str, query: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
        start = int(query["start_time"])
        if start > self.now - _MINUTE:
            return 422, {"error": "InvalidValue", "description": "Too recent start_time."}
        rows, end, last = self._page(table, (start, 0), query)
        if not end:
            # The next page begins at the time of the last row: all rows of that time are on this one.
            rows = [each.row for _, each in self._visible(table, (start, 0)) if each.at <= last[0]]
            end = not any(each.at > last[0] for _, each in self._visible(table, (start, 0)))
        told = last[0] if rows else None
        return 200, {table: rows, "count": len(rows), "end_time": told, "next_page": None, "end_of_stream": end}

    def _list(self, table: str, query: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
        place: tuple[int, int] | None = (int(query.get("start_time", "0")), 0)
        if "page[after]" in query:
            place = self._place(query["page[after]"])
            if place is None:
                return 400, {"error": "InvalidPaginationParameter"}
        rows, end, last = self._page(table, place or (0, 0), query, key="page[size]")
        meta: dict[str, Any] = {"has_more": not end}
        return 200, {table: rows, "meta": meta | ({"after_cursor": _cursor(last)} if rows else {}), "links": {}}

    def _page(
        self, table: str, place: tuple[int, int], query: Mapping[str, str], key: str = "per_page"
    ) -> tuple[list[Row], bool, tuple[int, int]]:
        size = min(self.page_rows, int(query.get(key, self.page_rows)))
        found = self._visible(table, place)
        taken = found[:size]
        last = (taken[-1][1].at, taken[-1][0] + 1) if taken else place
        return [each.row for _, each in taken], len(found) <= size, last

    def _visible(self, table: str, place: tuple[int, int]) -> list[tuple[int, _Listed]]:
        """Records from a place on, by time of change; those of the last minute are not shown yet."""
        known = self.tables.get(table, {}).items()
        shown = [(n, each) for n, each in known if place <= (each.at, n) and each.at <= self.now - _MINUTE]
        return sorted(shown, key=lambda pair: (pair[1].at, pair[0]))

    def _place(self, cursor: str) -> tuple[int, int] | None:
        if self.cursors_forgotten:
            return None
        at, number = base64.b64decode(cursor).decode().split("||")
        return int(at), int(number)


def ticket(number: int, status: str, at: int) -> Row:
    """A ticket, with fields the contract knows and fields it does not."""
    return {
        "id": number,
        "url": f"https://desk.invalid/api/v2/tickets/{number}.json",
        "external_id": None,
        "subject": f"Made up {number}",
        "raw_subject": f"Made up {number}",
        "description": "Where is what I ordered? " * 8,
        "type": "question",
        "priority": "normal",
        "status": status,
        "requester_id": 5_000 + number % 997,
        "submitter_id": 5_000 + number % 997,
        "assignee_id": 17 + number % 5,
        "group_id": 3,
        "organization_id": None,
        "brand_id": 360000000001,
        "collaborator_ids": [],
        "tags": ["topic_delivery", "vip"],
        "custom_fields": [{"id": 36001, "value": "order"}, {"id": 36002, "value": None}],
        "fields": [{"id": 36001, "value": "order"}, {"id": 36002, "value": None}],
        "via": {"channel": "email", "source": {"from": {}, "to": {}, "rel": None}},
        "satisfaction_rating": {"score": "unoffered"},
        "problem_id": None,
        "has_incidents": False,
        "is_public": True,
        "followup_ids": [],
        "created_at": iso(at - 86_400),
        "updated_at": iso(at),
        "generated_timestamp": at,
    }


def _cursor(place: tuple[int, int]) -> str:
    return base64.b64encode(f"{place[0]}||{place[1]}".encode()).decode()


@dataclass(kw_only=True)
class _ManyTickets(Desk):
    """So many tickets, each page made when it is asked for, so that they need no memory."""

    tickets: int

    def answer(self, path: str, query: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
        """As `Desk.answer`."""
        begin = self.now - 2 * self.tickets
        first = int(base64.b64decode(query["cursor"]).decode().split("||")[1]) if "cursor" in query else 1
        numbers = range(first, min(first + 1000, self.tickets + 1))
        return 200, {
            "tickets": [ticket(number, "open", begin + number) for number in numbers],
            "after_cursor": _cursor((begin + numbers.stop, numbers.stop)),
            "end_of_stream": numbers.stop > self.tickets,
        }


if __name__ == "__main__":
    with serving(_ManyTickets(tickets=int(sys.argv[1]))) as address:
        print(address, EMAIL, API_TOKEN, flush=True)
        sys.stdin.read()
