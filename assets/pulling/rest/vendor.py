"""What is said of a vendor so that it can be pulled: one table per vendor, as plain values.

Not here: the tables (one file per vendor), pulling (pull.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from assets.pulling.rest.login import Login
from assets.pulling.rest.paging import Paging, Row


@dataclass(frozen=True)
class Limit:
    """Requests a vendor lets through in a minute, counted over all endpoints under this limit."""

    name: str
    per_minute: int


@dataclass(frozen=True)
class Endpoint:
    """How one stream is asked for.

    Attributes:
        path: Absolute path on the vendor's host.
        data: The key its rows stand under.
        paging: How pages follow each other.
        begin: The parameter that takes the beginning of the window, in seconds since 1970.
        limit: Which limit its requests count against.
        overlap: How far before its day the window begins, where the vendor keeps no place from extract to extract.
            Rows that come twice are settled by their versions.
        ordered_by: The column that says how far an extract has come, because rows are in its order.
        params: What every page is asked with besides.
        reshape: Makes of a row as it comes the row the contract describes; None: they are alike.
    """

    path: str
    data: str
    paging: Paging
    begin: str
    limit: Limit
    overlap: timedelta
    ordered_by: str
    params: Mapping[str, str] = field(default_factory=dict)
    reshape: Callable[[Row], Row] | None = None


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
        forgotten: Statuses that say a place in a list is not known any more.
    """

    system: str
    example: str
    logins: tuple[LoginKind, ...]
    streams: Mapping[str, Endpoint]
    forgotten: frozenset[int]
