"""Asks a vendor's host over HTTP, with patience where a fault passes by itself, and says what is wrong where not.

What lives here: one request until it is answered with 200: repeats with growing waits, Retry-After, bodies that break
off, redirects, sizes, TLS. Not here: who asks (login.py), how fast (pace.py), what an answer means (paging.py).

Messages name the host, the path and the status, never a header, a parameter or anything of a body.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

import orjson
import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from assets.pulling.rest.login import Login
from assets.pulling.rest.pace import Pace
from storage.errors import JourneymartError, PassingError

_CONNECT_SECONDS, _READ_SECONDS = 10.0, 120.0
_PIECE_BYTES = 1024**2
_REDIRECTS = 5
_REDIRECT = frozenset({301, 302, 303, 307, 308})
_TOO_MANY = 429
_UNAUTHORIZED = 401
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
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Patience:
    """What one request may cost.

    Attributes:
        tries: How often it is sent before its faults are taken for lasting.
        first_wait: Seconds to wait after the first fault; they double with each, to `longest_wait`, and vary by half.
        longest_wait: Seconds.
        max_bytes: Size of an answer, unpacked.
    """

    tries: int = 7
    first_wait: float = 1.0
    longest_wait: float = 120.0
    max_bytes: int = 128 * 1024**2


@dataclass(frozen=True)
class _Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


class Http:
    """A vendor's host, asked by one thread."""

    def __init__(self, base: str, login: Login, pace: Pace, patience: Patience | None = None) -> None:
        """Prepare to ask; nothing is sent yet.

        Args:
            base: Scheme and host, `https://nordlicht.zendesk.com`.
            login: Who asks.
            pace: How fast, and until when.
            patience: What one request may cost.
        """
        self._base = base.rstrip("/")
        self._login = login
        self._pace = pace
        self._patience = patience or Patience()
        self._session = requests.Session()
        # Repeats are counted here, where broken bodies and the night's time are known.
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=Retry(0, read=False, redirect=False)))

    def get(self, path: str, params: Mapping[str, str]) -> bytes:
        """The body of a page.

        Args:
            path: Absolute path on the host.
            params: The query.

        Raises:
            RefusedError: The host says no.
            PassingError: It cannot be reached.
            JourneymartError: What it sends is too large or leads elsewhere.
            OutOfTime: Waiting for it would take longer than the night has.
        """
        answer = self._patiently("GET", path, params=params)
        if answer.status == _UNAUTHORIZED and self._login.renew():
            answer = self._patiently("GET", path, params=params)
        return self._body(answer, path)

    def close(self) -> None:
        """Let go of the connection."""
        self._session.close()

    def _post(self, path: str, said: Mapping[str, str]) -> Mapping[str, Any]:
        """Ask for a token: without a login."""
        body = self._body(self._patiently("POST", path, json=said), path)
        try:
            answer: Mapping[str, Any] = orjson.loads(body)
            answer["access_token"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            raise JourneymartError(
                f"{self._base}{path} answered without a token: correct the location in company.yml."
            ) from None
        return answer

    def _body(self, answer: _Answer, path: str) -> bytes:
        if answer.status != requests.codes.ok:
            remedy = _REMEDIES.get(answer.status, "the request is not understood: this version may be too old for it")
            raise RefusedError(f"{self._base}{path} answered {answer.status}, {remedy}.", answer.status)
        return answer.body

    def _patiently(self, method: str, path: str, **sent: Any) -> _Answer:  # noqa: ANN401 - as requests takes it
        """Send a request until it is answered with something that would not pass by itself."""
        faults = 0
        while True:
            # The header may be asked for at another path, which takes a turn of its own.
            headers = {} if method == "POST" else {"Authorization": self._login.header(self._post)}
            self._pace.turn()
            try:
                answer = self._once(method, self._base + path, headers, **sent)
            except requests.exceptions.SSLError:
                raise JourneymartError(
                    f"The certificate of {self._base} is not valid: correct the location in company.yml, or, where a "
                    "proxy of your own stands between, name its certificate in REQUESTS_CA_BUNDLE."
                ) from None
            except _FAULTS as fault:
                told, wait = type(fault).__name__, None
            else:
                if answer.status not in {_TOO_MANY, *_PASSING}:
                    return answer
                told, wait = f"status {answer.status}", retry_after(answer.headers)
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

    def _backoff(self, faults: int) -> float:
        longest = min(self._patience.longest_wait, self._patience.first_wait * 2.0 ** (faults - 1))
        # Not for secrecy: so that clients that failed together do not come again together.
        return longest * random.uniform(0.5, 1.0)  # noqa: S311

    def _once(self, method: str, url: str, headers: Mapping[str, str], **sent: Any) -> _Answer:  # noqa: ANN401
        """Send a request once, and follow where it leads on the same host."""
        for _ in range(_REDIRECTS + 1):
            with self._session.request(
                method,
                url,
                # Without an `auth`, requests would take a login from a file of the user's.
                auth=_as_it_is,
                headers={"Accept": "application/json", **headers},
                timeout=(_CONNECT_SECONDS, _READ_SECONDS),
                allow_redirects=False,
                stream=True,
                **sent,
            ) as response:
                if response.status_code not in _REDIRECT:
                    return _Answer(response.status_code, response.headers, self._read(response))
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


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds the host asks to wait; None: it does not say, or not in a way that can be read.

    A time is taken against the host's own clock, so that ours may be wrong.
    """
    said = headers.get("Retry-After", "").strip()
    if said.isdecimal():
        return float(said)
    try:
        until = parsedate_to_datetime(said)
        now = parsedate_to_datetime(headers.get("Date", ""))
        return max(0.0, (until - now).total_seconds())
    except (TypeError, ValueError):
        return None


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)
