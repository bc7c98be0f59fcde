"""What is said of a vendor so that it can be pulled: one table per vendor, as plain values.

Not here: the tables (one file per vendor), pulling (pull.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from assets.pulling.rest.budget import Budget
from assets.pulling.rest.http import ErrorCodes, Request
from assets.pulling.rest.login import Login
from assets.pulling.rest.paging import Paging, Params, Row


@dataclass(frozen=True)
class Limit:
    """Requests sent to a vendor in any so many seconds at most, counted over all endpoints under this limit."""

    name: str
    requests: int
    seconds: float = 60.0

    @property
    def hourly(self) -> int:
        """Requests of an hour at most."""
        return int(3600 / self.seconds * self.requests)


@dataclass(frozen=True)
class Description:
    """Where an account says which fields a stream has there, for the one who asks.

    Attributes:
        path: Absolute path on the vendor's host.
        data: The key of the list of fields; each says its `name`.
        certain: Fields every account has: a list without them is none.
        besides: Columns that are made here, of what every account has.
    """

    path: str
    data: str
    certain: frozenset[str]
    besides: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Addition:
    """What the rows of a page lack, and is asked for by them.

    Attributes:
        requests: Makes the requests for some rows; of those that need none, none.
        add: Makes of the rows and the answers, one for each request, the rows with them; an answer is None where what
            was asked for is gone. Raises `NotAPage` where one is none.
        gone: Statuses that say that what is asked for is not there any more.
    """

    requests: Callable[[Sequence[Row]], Sequence[Request]]
    add: Callable[[Sequence[Row], Sequence[Mapping[str, Any] | None]], Sequence[Row]]
    gone: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Endpoint:
    """How one stream is asked for.

    Attributes:
        path: Absolute path on the vendor's host; `{version}` stands for the release of the API.
        data: The key its rows stand under.
        paging: How pages follow each other.
        begin: The parameter that takes the beginning of the window, in seconds since 1970.
        limit: Which limit its requests count against.
        overlap: How far before its day the window begins, where the vendor keeps no place from extract to extract.
            Rows that come twice are settled by their versions.
        ordered_by: The column that says how far an extract has come, because rows are in its order.
        params: What every page is asked with besides.
        additions: What its rows lack, in this order.
        reshape: Makes of the rows of a page as they come, and its place, the rows the contract describes; None: as they
            come.
        described: Where the fields of the account are named, because not every account has those of the contract; None:
            every one has.
        asks: Makes the request for a page of its place and the columns to take; None: the place is the query.
        read: Makes of the bytes of an answer, and its place, the object that holds the rows; None: it is one, as JSON.
        headers: Makes of the headers of an answer what they say beside that object; raises `NotAPage` where they are
            none of the vendor's. None: they say nothing.
    """

    path: str
    data: str
    paging: Paging
    begin: str
    limit: Limit
    overlap: timedelta
    ordered_by: str
    params: Mapping[str, str] = field(default_factory=dict)
    additions: tuple[Addition, ...] = ()
    reshape: Callable[[Sequence[Row], Params], Sequence[Row]] | None = None
    described: Description | None = None
    asks: Callable[[Params, Sequence[str]], Request] | None = None
    read: Callable[[bytes, Params], Mapping[str, Any]] | None = None
    headers: Callable[[Mapping[str, str]], Mapping[str, Any]] | None = None

    def request(self, place: Params, columns: Sequence[str]) -> Request:
        """What is sent for the page at a place."""
        if self.asks:
            return self.asks(place, columns)
        return Request(self.path, {**self.params, **place})


@dataclass(frozen=True)
class LoginKind:
    """A way to log in.

    Attributes:
        credentials: What it needs, by the names used in the company file.
        login: Makes the login of these, in this order.
    """

    credentials: tuple[str, ...]
    login: Callable[..., Login]


@dataclass(frozen=True)
class Vendor:
    """A vendor's API.

    Attributes:
        system: The vendor, as contracts name it.
        example: The address of an account.
        logins: The ways to log in.
        streams: How each stream is asked for.
        forgotten: Statuses and codes of errors that say a place in a list is not known any more.
        version: The release of its API that is asked where the company file names none; None: it has none to choose.
        version_header: The header that names the release; None: the path does.
        errors: Its own codes of errors.
        budget: Reads in the headers of an answer how many requests a day holds and how many are left; None: it does not
            say.
    """

    system: str
    example: str
    logins: tuple[LoginKind, ...]
    streams: Mapping[str, Endpoint]
    forgotten: frozenset[int | str]
    version: str | None = None
    version_header: str | None = None
    errors: ErrorCodes = field(default_factory=ErrorCodes)
    budget: Callable[[Mapping[str, str]], Budget | None] | None = None
