"""A vendor's host over HTTP on loopback, with faults on demand: what the emulators of all vendors share.

What lives here: the server, the faults a request may meet, the clock. Not here: what a vendor answers (one file per
vendor), which is written from its documentation and from what public clients of its API rely on: what holds there is
likely, not known, to hold at the vendor.
"""

from __future__ import annotations

import json
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

Row = dict[str, Any]
Body = Any
# The name of what a request meets in place of its answer.
Fault = str
_MINUTE = 60


@dataclass(frozen=True)
class Asked:
    """A request: its body as it came, its login as the header of the vendor says it."""

    path: str
    query: Mapping[str, str]
    body: bytes
    login: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Told:
    """An answer: a body of bytes as it is, any other as JSON."""

    status: int
    body: Body
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(kw_only=True)
class Host:
    """What a vendor's host knows and does wrong; a vendor answers.

    Attributes:
        now: Its clock, seconds since 1970; at first 2026-06-02 02:00.
        page_rows: Rows of a page at most, whatever is asked for.
        faults: What requests meet, by their number from 1 on; each is used up by one.
        before_page: Called before each page of data is made, with the number of the request: changes of records.
        per_minute: Requests a minute let through; more are answered 429. None: any number.
        login_header: Which header says who asks.
        tells_its_time: Its answers say its own time, and not that of this machine.
        requests: Path and query of each request so far.
        tokens: Tokens of its login that are good.
    """

    now: int = 1_780_365_600
    page_rows: int = 1000
    faults: dict[int, Fault] = field(default_factory=dict)
    before_page: Callable[[int], None] | None = None
    per_minute: int | None = None
    login_header: str = "Authorization"
    tells_its_time: bool = False
    requests: list[str] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    _sent: list[float] = field(default_factory=list)

    def token(self, asked: Asked) -> Told | None:
        """The answer to a request for a token; None: it asks for something else."""
        return None

    def page(self, asked: Asked) -> Told:
        """The answer to a request for data, by somebody who is known."""
        raise NotImplementedError

    def is_known(self, login: str) -> bool:
        """Whether a login is good."""
        return login.removeprefix("Bearer ") in self.tokens

    def spoilt(self, fault: Fault, asked: Asked, body: Body) -> Told | None:
        """What a fault of this vendor's makes of an answer; None: it is a fault of every host's."""
        return None

    def is_too_fast(self) -> bool:
        """Whether this request is one too many of its minute."""
        now = time.monotonic()
        self._sent = [at for at in self._sent if at > now - _MINUTE]
        if self.per_minute is not None and len(self._sent) >= self.per_minute:
            return True
        self._sent.append(now)
        return False


def iso(at: int) -> str:
    """A time as most vendors write it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def written(body: Body) -> bytes:
    """A body as it is sent."""
    return body if isinstance(body, bytes) else json.dumps(body).encode()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    host: Host
    lock: threading.Lock

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        login = self.headers.get(self.host.login_header, "")
        asked = Asked(parts.path, dict(parse_qsl(parts.query)), body, login, dict(self.headers))
        with self.lock:
            self.host.requests.append(self.path)
            number = len(self.host.requests)
            told, fault = self._told(asked, number)
        spoilt = self.host.spoilt(fault, asked, told.body) if fault else None
        if spoilt is not None:
            self.tell(spoilt)
        elif fault:
            FAULTS[fault](self, told.body)
        else:
            self.tell(told)

    def do_POST(self) -> None:
        self.do_GET()

    def _told(self, asked: Asked, number: int) -> tuple[Told, Fault | None]:
        """What is answered, and the fault that comes in place of it."""
        if given := self.host.token(asked):
            return given, None
        fault = self.host.faults.pop(number, None)
        if self.host.is_too_fast():
            return Told(429, {"error": "RateLimited"}, {"Retry-After": "1"}), None
        if not self.host.is_known(asked.login):
            return Told(401, [{"message": "Session expired or invalid"}]), None
        if self.host.before_page:
            self.host.before_page(number)
        return self.host.page(asked), fault

    def tell(self, told: Told) -> None:
        self.send(told.status, written(told.body), told.headers)

    def send(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.start(status, len(body), headers)
        self.wfile.write(body)

    def start(self, status: int, size: int, headers: Mapping[str, str] | None = None) -> None:
        now = formatdate(self.host.now if self.host.tells_its_time else None, usegmt=True)
        self.send_response_only(status)
        for name, value in {"Date": now, "Content-Type": "application/json", **(headers or {})}.items():
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
    text = written(body)
    handler.start(200, len(text))
    handler.wfile.write(text[: len(text) // 2])
    handler.hang_up()


def _skewed(handler: _Handler, _: Body) -> None:
    """Come back now: by a clock that is an hour ahead of everybody else's."""
    now = formatdate(time.time() + 3600, usegmt=True)
    handler.send(429, b"{}", {"Date": now, "Retry-After": now})


def _huge(handler: _Handler, _: Body) -> None:
    handler.start(200, 1024**3)
    while handler.wrote(b" " * 1024**2):
        pass


def _trickled(handler: _Handler, body: Body) -> None:
    """An answer that never fails and never comes: a byte is always on its way."""
    text = written(body)
    handler.start(200, len(text))
    _trickle(handler, text[: len(text) // 2] + b" " * 10_000)


def _endless(handler: _Handler, _: Body) -> None:
    """The same where the end of the connection is the end of the answer, as old proxies have it."""
    handler.wrote(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n")
    _trickle(handler, b'{"tickets":[],"after_cursor":null,"end_of_stream":true}' + b" " * 10_000)


def _head_trickled(handler: _Handler, _: Body) -> None:
    handler.wrote(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    _trickle(handler, b"x" * 10_000)


def _trickle(handler: _Handler, text: bytes) -> None:
    while text and handler.wrote(text[:1]):
        text = text[1:]
        time.sleep(0.02)
    handler.close_connection = True


def _fixed(status: int, body: bytes, headers: Mapping[str, str] | None = None) -> Callable[[_Handler, Body], None]:
    return lambda handler, _: handler.send(status, body, headers)


# What a request may meet at every host, by name; it is handed what would have been answered.
FAULTS: dict[Fault, Callable[[_Handler, Body], None]] = {
    "429": _fixed(429, b'{"error":"RateLimited"}', {"Retry-After": "0"}),
    "429 at a time": _skewed,
    "429 for hours": _fixed(429, b"{}", {"Retry-After": "86400"}),
    "500": _fixed(500, b"{}"),
    "502": _fixed(502, b"<html>Bad gateway</html>"),
    "503": _fixed(503, b""),
    "cut": _cut,
    "hang up": lambda handler, _: handler.hang_up(),
    "error page": _fixed(200, b'{"error":"try later"}'),
    "web page": _fixed(200, b"<html>Please log in to the wireless network</html>"),
    "list": _fixed(200, b"[]"),
    "other host": _fixed(302, b"", {"Location": "http://elsewhere.invalid/api/v2/tickets.json"}),
    "this host": lambda handler, _: handler.send(302, b"", {"Location": handler.path}),
    "half a character": lambda handler, body: handler.send(200, written(body).replace(b"Made up", b"Made \\ud83d")),
    "huge": _huge,
    "trickle": _trickled,
    "trickle without a size": _endless,
    "trickle of a head": _head_trickled,
}
# Those that pass by themselves.
PASSING: tuple[Fault, ...] = ("429", "429 at a time", "500", "502", "503", "cut", "hang up", "this host")


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up, or that is hung up on, is no error here."""


@contextmanager
def serving(host: Host) -> Iterator[str]:
    """Serve a host on a port the system picks; gives its address."""
    handler = type("Handler", (_Handler,), {"host": host, "lock": threading.Lock()})
    server = _Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
