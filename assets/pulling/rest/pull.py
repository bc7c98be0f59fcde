"""Pulls the extract of one stream from a vendor's API, page by page, into a delivery that landing takes.

What lives here: where an extract begins, the way from page to page, and what a person is told when a page is none.
Not here: one request (http.py), what follows a page (paging.py), the vendors (one file each), keeping pages
(assets/pulling/delivery.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from urllib.parse import parse_qsl, urlencode, urlsplit
from zoneinfo import ZoneInfo

import pyarrow as pa

from assets.pulling.delivery import Delivery, ended_before, open_delivery
from assets.pulling.rest.http import Http, Patience, RefusedError
from assets.pulling.rest.login import Login
from assets.pulling.rest.pace import OutOfTime, Pace
from assets.pulling.rest.paging import Following, NotAPage, Params
from assets.pulling.rest.rows import parse, rows_of, text_columns
from assets.pulling.rest.vendor import Endpoint, Vendor
from storage.data_folder import DataFolder, StreamId
from storage.errors import JourneymartError


@dataclass(frozen=True)
class Wanted:
    """An extract that is to be pulled.

    Attributes:
        stream: Which stream.
        extract_date: Which day's changes.
        is_first: It holds all history before its day, too.
        timezone: IANA zone whose midnight begins the day.
        columns: Columns of the contract; nothing else is taken.
    """

    stream: StreamId
    extract_date: date
    is_first: bool
    timezone: str
    columns: Sequence[str]


class RestApi:
    """A vendor's API at one host, for one night: its streams share the night's time and the vendor's limits."""

    def __init__(
        self,
        vendor: Vendor,
        base: str,
        credentials: Mapping[str, str],
        hours: float,
        patience: Patience | None = None,
    ) -> None:
        """Begin the night's time.

        Args:
            vendor: What is said of its API.
            base: Scheme and host, `https://nordlicht.zendesk.com`.
            credentials: Those of one of the vendor's ways to log in, by name.
            hours: How long the night may pull.
            patience: What one request may cost.
        """
        self._vendor = vendor
        self._base = base
        self._credentials = credentials
        self._hours = hours
        self._patience = patience
        limits = {endpoint.limit for endpoint in vendor.streams.values()}
        self._paces = {limit: Pace(limit.per_minute, hours * 3600) for limit in limits}

    def pull(self, wanted: Wanted, folder: DataFolder) -> Delivery:
        """Pull an extract, or go on where a killed pull stopped; give its complete delivery.

        Args:
            wanted: What to pull.
            folder: The data folder.

        Raises:
            JourneymartError: It cannot be pulled; the pages that came are kept.
        """
        endpoint = self._vendor.streams[wanted.stream.stream]
        carried = ended_before(folder, wanted.stream, wanted.extract_date)
        begin = {endpoint.begin: str(_begin_of(wanted, endpoint))}
        http = Http(self._base, self._login(), self._paces[endpoint.limit], self._patience)
        try:
            if carried is not None:
                delivery = _open(folder, wanted, endpoint, carried)
                if self._pulled(http, endpoint, wanted, delivery, dict(parse_qsl(carried)), or_forgotten=True):
                    return delivery
            # Its own place is not known to the vendor any more: the window is, and its rows may come twice.
            delivery = _open(folder, wanted, endpoint, urlencode(begin))
            self._pulled(http, endpoint, wanted, delivery, begin, or_forgotten=False)
            return delivery
        finally:
            http.close()

    def _pulled(
        self,
        http: Http,
        endpoint: Endpoint,
        wanted: Wanted,
        delivery: Delivery,
        first: Params,
        *,
        or_forgotten: bool,
    ) -> bool:
        """Add pages until one is the last; whether the place to go on from was known to the vendor."""
        params: Params = dict(parse_qsl(delivery.next)) if delivery.next else first
        asked_before: set[str] = set()
        while not delivery.is_ended:
            asked = urlencode(params)
            asked_before.add(asked)
            try:
                rows, following = _page(http, endpoint, wanted, params)
                said = None if following.params is None else urlencode(following.params)
                if not following.end and said in asked_before:
                    raise NotAPage("that leads back to a page that was there before")
            except NotAPage as reason:
                raise self._strange(wanted, delivery, reason) from None
            except OutOfTime as wait:
                raise self._out_of_time(wanted, delivery, endpoint, wait) from None
            except RefusedError as refused:
                if or_forgotten and refused.status in self._vendor.forgotten:
                    return False
                raise self._refused(wanted, delivery, refused) from None
            delivery.add(rows, said, end=following.end)
            params = following.params or {}
        delivery.complete()
        return True

    def _login(self) -> Login:
        kind = next(kind for kind in self._vendor.logins if set(kind.credentials) == set(self._credentials))
        return kind.login(*(self._credentials[name] for name in kind.credentials))

    def _strange(self, wanted: Wanted, delivery: Delivery, reason: NotAPage) -> JourneymartError:
        return JourneymartError(
            f"{_page_name(wanted, delivery)} is an answer {reason}, so it is no page and not the end: see what stands "
            f"between this machine and {urlsplit(self._base).hostname}, and run the night again, which goes on there"
            f"{_kept(delivery)}."
        )

    def _out_of_time(self, wanted: Wanted, delivery: Delivery, endpoint: Endpoint, wait: OutOfTime) -> JourneymartError:
        return JourneymartError(
            f"{_page_name(wanted, delivery)} cannot be asked for in time: {wait.seconds:.0f} s must be waited for it, "
            f"more than is left of the {self._hours:g} hours for pulling, in which {urlsplit(self._base).hostname} "
            f"lets {endpoint.limit.per_minute} requests a minute through; run the night again, which goes on there"
            f"{_kept(delivery)}, or raise pull_hours in company.yml."
        )

    def _refused(self, wanted: Wanted, delivery: Delivery, refused: RefusedError) -> JourneymartError:
        forgotten = delivery.pages > 0 and refused.status in self._vendor.forgotten
        hint = (
            " If the host does not know the place any more that the last page named, remove the folder "
            f"pulled/{wanted.stream}/{wanted.extract_date} of the data folder: the extract then begins anew."
        )
        return JourneymartError(f"{_page_name(wanted, delivery)}: {refused}{hint if forgotten else ''}")


def _begin_of(wanted: Wanted, endpoint: Endpoint) -> int:
    """Where the window of an extract begins, in seconds since 1970."""
    if wanted.is_first:
        return 0
    midnight = datetime.combine(wanted.extract_date, time(), ZoneInfo(wanted.timezone))
    return int(midnight.timestamp() - endpoint.overlap.total_seconds())


def _open(folder: DataFolder, wanted: Wanted, endpoint: Endpoint, first: str) -> Delivery:
    asked = f"{endpoint.path}?{urlencode(endpoint.params)}&{first} for {','.join(wanted.columns)}"
    return open_delivery(folder, wanted.stream, wanted.extract_date, asked)


def _page(http: Http, endpoint: Endpoint, wanted: Wanted, params: Params) -> tuple[pa.Table, Following]:
    """Ask for a page: its rows, and what follows it."""
    answer = parse(http.get(endpoint.path, {**endpoint.params, **params}))
    rows = rows_of(answer, endpoint.data)
    following = endpoint.paging.following(answer, params)
    if endpoint.reshape:
        rows = [endpoint.reshape(row) for row in rows]
    return text_columns(rows, wanted.columns), following


def _page_name(wanted: Wanted, delivery: Delivery) -> str:
    return f"Page {delivery.pages + 1} of {wanted.stream} for {wanted.extract_date}"


def _kept(delivery: Delivery) -> str:
    if not delivery.pages:
        return ""
    return f" (the {delivery.pages:,} pages before it, {delivery.rows:,} rows, are kept)"
