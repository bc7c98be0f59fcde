"""A help desk that answers as Zendesk's public documentation says, over HTTP on loopback, with faults on demand.

Made-up records only. Whoever uses it changes records between requests, moves its clock, and says which request meets
which fault. It is written from the documentation and from what public clients of the API rely on: what holds here is
likely, not known, to hold at Zendesk.

    python -m tests.zendesk_emulator TICKETS     for measuring by hand: prints its address, serves until it is ended
"""

from __future__ import annotations

import base64
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

EMAIL, API_TOKEN, ACCESS_TOKEN = "robot@nordlicht-home.example", "api-token-of-the-test", "access-token-of-the-test"
CLIENT_ID, CLIENT_SECRET = "journeymart", "client-secret-of-the-test"
CREDENTIALS = {"email": EMAIL, "api_token": API_TOKEN}

Row = dict[str, Any]
Body = dict[str, Any]
# The name of what a request meets in place of its answer.
Fault = str
_MINUTE = 60


def iso(at: int) -> str:
    """A time as Zendesk writes it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class _Listed:
    """A record, and when it changed last of all: that orders the exports."""

    at: int
    row: Row


@dataclass
class Desk:
    """The records of a help desk, its clock, and what its host does wrong.

    Attributes:
        now: Its clock, seconds since 1970; at first 2026-06-02 02:00.
        page_rows: Rows of a page at most, whatever is asked for.
        faults: What requests meet, by their number from 1 on; each is used up by one.
        before_page: Called before each page of data is made, with the number of the request: changes of records.
        per_minute: Requests a minute let through; more are answered 429. None: any number.
        cursors_forgotten: Cursors given so far are not known any more.
        requests: Path and query of each request so far.
    """

    now: int = 1_780_365_600
    page_rows: int = 1000
    faults: dict[int, Fault] = field(default_factory=dict)
    before_page: Callable[[int], None] | None = None
    per_minute: int | None = None
    cursors_forgotten: bool = False
    requests: list[str] = field(default_factory=list)
    tables: dict[str, dict[int, _Listed]] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=lambda: {ACCESS_TOKEN})
    _sent: list[float] = field(default_factory=list)

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

    def is_too_fast(self) -> bool:
        """Whether this request is one too many of its minute."""
        now = time.monotonic()
        self._sent = [at for at in self._sent if at > now - _MINUTE]
        if self.per_minute is not None and len(self._sent) >= self.per_minute:
            return True
        self._sent.append(now)
        return False


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


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    desk: Desk
    lock: threading.Lock

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_POST(self) -> None:
        said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.lock:
            self.desk.requests.append(self.path)
            known = (said.get("client_id"), said.get("client_secret")) == (CLIENT_ID, CLIENT_SECRET)
            if self.path != "/oauth/tokens" or not known:
                return self.send(401, b'{"error":"invalid_client"}')
            token = f"token-{len(self.desk.requests)}"
            self.desk.tokens.add(token)
        return self.send(200, json.dumps({"access_token": token, "token_type": "bearer"}).encode())

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        with self.lock:
            self.desk.requests.append(self.path)
            number = len(self.desk.requests)
            fault = self.desk.faults.pop(number, None)
            if self.desk.is_too_fast():
                return self.send(429, b'{"error":"APIRateLimitExceeded"}', Retry_After="1")
            if not self._is_known():
                return self.send(401, b'{"error":"Couldn\'t authenticate you"}')
            if self.desk.before_page:
                self.desk.before_page(number)
            status, body = self.desk.answer(parts.path, dict(parse_qsl(parts.query)))
        return FAULTS[fault](self, body) if fault else self.send(status, json.dumps(body).encode())

    def _is_known(self) -> bool:
        kind, _, said = self.headers.get("Authorization", "").partition(" ")
        if kind == "Basic":
            return base64.b64decode(said).decode() == f"{EMAIL}/token:{API_TOKEN}"
        return kind == "Bearer" and said in self.desk.tokens

    def send(self, status: int, body: bytes, **headers: str) -> None:
        self.start(status, len(body), **headers)
        self.wfile.write(body)

    def start(self, status: int, size: int, **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.send_response_only(status)
        for name, value in {"Date": formatdate(usegmt=True), "Content-Type": "application/json", **named}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(size))
        self.end_headers()

    def wrote(self, piece: bytes) -> bool:
        try:
            self.wfile.write(piece)
        except OSError:
            self.close_connection = True
            return False
        return True

    def hang_up(self) -> None:
        self.wfile.flush()
        self.close_connection = True
        self.connection.close()


def _cut(handler: _Handler, body: Body) -> None:
    text = json.dumps(body).encode()
    handler.start(200, len(text))
    handler.wfile.write(text[: len(text) // 2])
    handler.hang_up()


def _skewed(handler: _Handler, _: Body) -> None:
    """Come back now: by a clock that is an hour ahead of everybody else's."""
    now = formatdate(time.time() + 3600, usegmt=True)
    handler.send(429, b"{}", Date=now, Retry_After=now)


def _no_place(handler: _Handler, body: Body) -> None:
    told = {"after_cursor": None, "end_time": None, "end_of_stream": False, "meta": {"has_more": True}}
    handler.send(200, json.dumps({key: told.get(key, value) for key, value in body.items()}).encode())


def _same_place(handler: _Handler, body: Body) -> None:
    asked = dict(parse_qsl(urlsplit(handler.path).query)).get("cursor")
    handler.send(200, json.dumps(body | {"after_cursor": asked, "end_of_stream": False}).encode())


def _no_marker(handler: _Handler, body: Body) -> None:
    kept = {key: value for key, value in body.items() if key not in {"end_of_stream", "meta"}}
    handler.send(200, json.dumps(kept).encode())


def _huge(handler: _Handler, _: Body) -> None:
    handler.start(200, 1024**3)
    while handler.wrote(b" " * 1024**2):
        pass


def _fixed(status: int, body: bytes, **headers: str) -> Callable[[_Handler, Body], None]:
    return lambda handler, _: handler.send(status, body, **headers)


# What a request may meet, by name; it is handed what would have been answered.
FAULTS: dict[Fault, Callable[[_Handler, Body], None]] = {
    "429": _fixed(429, b'{"error":"APIRateLimitExceeded"}', Retry_After="0"),
    "429 at a time": _skewed,
    "429 for hours": _fixed(429, b"{}", Retry_After="86400"),
    "500": _fixed(500, b"{}"),
    "502": _fixed(502, b"<html>Bad gateway</html>"),
    "503": _fixed(503, b""),
    "cut": _cut,
    "hang up": lambda handler, _: handler.hang_up(),
    "error page": _fixed(200, b'{"error":"try later"}'),
    "web page": _fixed(200, b"<html>Please log in to the wireless network</html>"),
    "list": _fixed(200, b"[]"),
    "no marker": _no_marker,
    "no place": _no_place,
    "same place": _same_place,
    "other host": _fixed(302, b"", Location="http://elsewhere.invalid/api/v2/tickets.json"),
    "this host": lambda handler, _: handler.send(302, b"", Location=handler.path),
    "half a character": lambda handler, body: handler.send(
        200, json.dumps(body).encode().replace(b"Made up", b"Made \\ud83d")
    ),
    "huge": _huge,
}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up, or that is hung up on, is no error here."""


@contextmanager
def serving(desk: Desk) -> Iterator[str]:
    """Serve a desk on a port the system picks; gives its address."""
    handler = type("Handler", (_Handler,), {"desk": desk, "lock": threading.Lock()})
    server = _Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _serve_many(tickets: int) -> None:
    """Serve so many tickets, each page made when it is asked for, so that they need no memory."""
    begin = Desk().now - 2 * tickets

    class Endless(_Handler):
        def do_GET(self) -> None:
            cursor = dict(parse_qsl(urlsplit(self.path).query)).get("cursor")
            first = int(base64.b64decode(cursor).decode().split("||")[1]) if cursor else 1
            numbers = range(first, min(first + 1000, tickets + 1))
            body = {
                "tickets": [ticket(number, "open", begin + number) for number in numbers],
                "after_cursor": _cursor((begin + numbers.stop, numbers.stop)),
                "end_of_stream": numbers.stop > tickets,
            }
            self.send(200, json.dumps(body).encode())

    server = _Server(("127.0.0.1", 0), Endless)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    _serve_many(int(sys.argv[1]))
