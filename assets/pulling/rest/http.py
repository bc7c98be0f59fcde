"""Asks a vendor's host over HTTP, with patience where a fault passes by itself, and says what is wrong where not.

What lives here: one request until it is answered with 200: repeats with growing waits, Retry-After, bodies that break
off, redirects, sizes, TLS. Not here: who asks (login.py), how fast (pace.py), what an answer means (paging.py).

Messages name the host, the path, the status and those of a vendor's codes of errors that are known, never a header, a
parameter or anything else of a body.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

import orjson
import requests
from urllib3.util import Retry

from assets.pulling.rest.deadline import Deadline
from assets.pulling.rest.login import Login
from assets.pulling.rest.pace import Pace
from storage.errors import JourneymartError, PassingError

_CONNECT_SECONDS, _READ_SECONDS = 10.0, 120.0
_PIECE_BYTES = 1024**2
_REDIRECTS = 5
_REDIRECT = frozenset({301, 302, 303, 307, 308})
_TOO_MANY = 429
_UNAUTHORIZED = 401
_ANSWERED = frozenset({200, 207})
# What passes by itself; 408 and 425 ask for the same request once more.
_PASSING = frozenset({408, 425, 500, 502, 503, 504})
_FAULTS = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
)
_REMEDIES = {
    401: "the login is not accepted: set the environment variables named under credentials_env anew",
    403: "the login may not read this: give its user or its scope the right to",
    404: "nothing is there: correct the location in company.yml",
}


class RefusedError(JourneymartError):
    """The host answered, and the same request would be answered so again.

    Attributes:
        status: The HTTP status.
        code: The vendor's own code, if it is a known one.
    """

    def __init__(self, message: str, status: int, code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@dataclass(frozen=True)
class Patience:
    """What one request may cost.

    Attributes:
        tries: How often it is sent before its faults are taken for lasting.
        first_wait: Seconds to wait after the first fault; they double with each, to `longest_wait`, and vary by half.
        longest_wait: Seconds.
        max_bytes: Size of an answer, unpacked.
        longest_answer: Seconds from sending it to the last byte of its answer.
    """

    tries: int = 7
    first_wait: float = 1.0
    longest_wait: float = 120.0
    max_bytes: int = 128 * 1024**2
    longest_answer: float = 900.0


def _no_code(_: Any) -> None:  # noqa: ANN401 - whatever JSON holds
    return None


@dataclass(frozen=True)
class ErrorCodes:
    """What a vendor's own codes of errors say, which tell apart what has the same status.

    Attributes:
        code_of: Finds the code in the parsed body of a refusal.
        remedies: What a code means and what to do, as the second half of a sentence; others are not known.
        passing: Codes of what passes by itself, though not while one waits.
        again_at: The header that says with a 429 when to come again, in seconds since 1970; None: there is none but
            Retry-After.
    """

    code_of: Callable[[Any], Any] = _no_code
    remedies: Mapping[str, str] = field(default_factory=dict)
    passing: frozenset[str] = frozenset()
    again_at: str | None = None


@dataclass(frozen=True)
class Request:
    """What is sent for an answer.

    Attributes:
        path: Absolute path on the host.
        params: The query.
        body: Sent as JSON with POST; None: GET.
        accept: The kind of answer that is asked for.
        headers: Those of the vendor's own.
    """

    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    accept: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What came for a request."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def at(self) -> datetime | None:
        """When it was given, by the host's own clock; None: it does not say."""
        return _time(self.headers.get("Date", ""))


class Http:
    """A vendor's host, asked by one thread."""

    def __init__(
        self,
        base: str,
        login: Login,
        pace: Pace,
        patience: Patience | None = None,
        errors: ErrorCodes | None = None,
    ) -> None:
        """Prepare to ask; nothing is sent yet.

        Args:
            base: Scheme and host, `https://nordlicht.zendesk.com`.
            login: Who asks.
            pace: How fast, and until when.
            patience: What one request may cost.
            errors: The vendor's own codes.
        """
        self._base = base.rstrip("/")
        self._login = login
        self._pace = pace
        self._patience = patience or Patience()
        self._errors = errors or ErrorCodes()
        self._session = requests.Session()
        # Repeats are counted here, where broken bodies and the night's time are known.
        self._deadline = Deadline(max_retries=Retry(0, read=False, redirect=False))
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, self._deadline)

    def ask(self, request: Request) -> Answer:
        """The answer to a request, whose status is 200, or 207 where some of what is asked for is not there.

        Raises:
            RefusedError: The host says no.
            PassingError: It cannot be reached, or says no for now.
            JourneymartError: What it sends is too large or leads elsewhere.
            OutOfTime: Waiting for it would take longer than the night has.
        """
        answer = self._patiently(request)
        if answer.status == _UNAUTHORIZED and self._login.renew():
            answer = self._patiently(request)
        if answer.status not in _ANSWERED:
            raise self._refused(answer, request.path)
        return answer

    def wait_for(self, times: int) -> None:
        """Wait for what the host is still making, longer each time it was asked for.

        Raises:
            OutOfTime: That would be too long; nothing was waited.
        """
        self._pace.wait(min(self._patience.longest_wait, self._patience.first_wait * 2.0 ** min(times, 10)))

    def close(self) -> None:
        """Let go of the connection."""
        self._session.close()

    def _token(self, path: str, said: Mapping[str, str], is_form: bool) -> Mapping[str, Any]:
        """Ask for a token: without a login."""
        given = self._patiently(Request(path, body=said), is_form=is_form, has_login=False)
        if given.status == requests.codes.bad_request:
            # As OAuth has it for a client that is not known.
            given = Answer(_UNAUTHORIZED, given.headers, given.body)
        if given.status != requests.codes.ok:
            raise self._refused(given, path)
        try:
            answer: Mapping[str, Any] = orjson.loads(given.body)
            answer["access_token"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            raise JourneymartError(
                f"{self._base}{path} answered without a token: correct the location in company.yml."
            ) from None
        return answer

    def _refused(self, answer: Answer, path: str) -> JourneymartError:
        code = self._code(answer.body)
        if code is None:
            remedy = _REMEDIES.get(answer.status, "the request is not understood: this version may be too old for it")
            return RefusedError(f"{self._base}{path} answered {answer.status}, {remedy}.", answer.status)
        told = f"{self._base}{path} answered {answer.status} ({code}), {self._errors.remedies[code]}."
        return PassingError(told) if code in self._errors.passing else RefusedError(told, answer.status, code)

    def _code(self, body: bytes) -> str | None:
        """The vendor's code, if it is a known one: what else stands there may be anything."""
        try:
            code = self._errors.code_of(orjson.loads(body))
        except orjson.JSONDecodeError:
            return None
        return code if isinstance(code, str) and code in self._errors.remedies else None

    def _patiently(self, request: Request, *, is_form: bool = False, has_login: bool = True) -> Answer:
        """Send a request until it is answered with something that would not pass by itself."""
        faults = 0
        path, method = request.path, "GET" if request.body is None else "POST"
        sent = {"params": request.params, "data" if is_form else "json": request.body}
        while True:
            # The header may be asked for at another path, which takes a turn of its own.
            login = self._login.header(self._token) if has_login else {}
            headers = {"Accept": request.accept, **request.headers, **login}
            self._pace.turn()
            try:
                with self._deadline.within(self._patience.longest_answer):
                    answer = self._once(method, self._base + path, headers, **sent)
                if self._deadline.is_over:
                    # The end of a connection may be the end of a body, and this one was cut.
                    raise requests.Timeout
            except _FAULTS as fault:
                told, wait = self._fault(fault), None
            else:
                if answer.status not in {_TOO_MANY, *_PASSING}:
                    return answer
                told, wait = f"status {answer.status}", retry_after(answer.headers, self._errors.again_at)
                if answer.status == _TOO_MANY and wait is not None:
                    # No fault: the host says when to come again, for as long as the night has time.
                    self._pace.wait(max(wait, self._patience.first_wait))
                    continue
            faults += 1
            if faults == self._patience.tries:
                raise PassingError(
                    f"{self._base}{path} did not answer in {faults} tries (the last: {told}): see whether the host can "
                    "be reached, and run the night again; it goes on where it stopped."
                ) from None
            self._pace.wait(wait if wait is not None else self._backoff(faults))

    def _fault(self, fault: requests.RequestException) -> str:
        """What a request met that may pass by itself, for a sentence."""
        # A connection that is cut may look like anything.
        if self._deadline.is_over:
            return f"no whole answer within {self._patience.longest_answer:g} s"
        if isinstance(fault, requests.exceptions.SSLError):
            raise JourneymartError(
                f"The certificate of {self._base} is not valid: correct the location in company.yml, or, where a "
                "proxy of your own stands between, name its certificate in REQUESTS_CA_BUNDLE."
            ) from None
        return type(fault).__name__

    def _backoff(self, faults: int) -> float:
        longest = min(self._patience.longest_wait, self._patience.first_wait * 2.0 ** (faults - 1))
        # Not for secrecy: so that clients that failed together do not come again together.
        return longest * random.uniform(0.5, 1.0)  # noqa: S311

    def _once(self, method: str, url: str, headers: Mapping[str, str], **sent: Any) -> Answer:  # noqa: ANN401 - as requests
        """Send a request once, and follow where it leads on the same host."""
        for _ in range(_REDIRECTS + 1):
            with self._session.request(
                method,
                url,
                # Without an `auth`, requests would take a login from a file of the user's.
                auth=_as_it_is,
                headers=headers,
                timeout=(_CONNECT_SECONDS, _READ_SECONDS),
                allow_redirects=False,
                stream=True,
                **sent,
            ) as response:
                if response.status_code not in _REDIRECT:
                    return Answer(response.status_code, response.headers, self._read(response))
                target = urljoin(url, response.headers.get("Location", ""))
            if _origin(target) != _origin(url):
                raise JourneymartError(
                    f"{self._base} leads to another host ({urlsplit(target).hostname}), which gets no login from us: "
                    "correct the location in company.yml."
                )
            # The new address holds the query, if there is to be one.
            url, sent = target, {name: value for name, value in sent.items() if name != "params"}
        raise JourneymartError(f"{self._base} leads in a circle: correct the location in company.yml.")

    def _read(self, response: requests.Response) -> bytes:
        pieces, total = [], 0
        for piece in response.iter_content(_PIECE_BYTES):
            total += len(piece)
            if total > self._patience.max_bytes:
                raise JourneymartError(
                    f"{self._base} sends an answer of more than {self._patience.max_bytes:,} bytes, which no page of "
                    "its API has: see what stands between it and this machine."
                )
            pieces.append(piece)
        return b"".join(pieces)


def retry_after(headers: Mapping[str, str], again_at: str | None = None) -> float | None:
    """Seconds the host asks to wait; None: it does not say, or not in a way that can be read.

    A time is taken against the host's own clock, so that ours may be wrong.

    Args:
        headers: Of its answer.
        again_at: A header of its own that says a time, in seconds since 1970.
    """
    said = headers.get("Retry-After", "").strip()
    if said.isdecimal():
        return float(said)
    until, now = _time(said), _time(headers.get("Date", ""))
    if until is None and (second := headers.get(again_at or "", "").strip()).isdecimal():
        until = datetime.fromtimestamp(int(second), UTC)
    return None if until is None or now is None else max(0.0, (until - now).total_seconds())


def _time(said: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(said)
    except (TypeError, ValueError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)
