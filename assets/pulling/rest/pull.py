"""Pulls the extract of one stream from a vendor's API, page by page, into a delivery that landing takes.

What lives here: where an extract begins, the way from page to page, and what a person is told when a page is none.
Not here: one request (http.py), what follows a page (paging.py), the vendors (vendors.py), keeping pages
(assets/pulling/delivery.py).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit
from zoneinfo import ZoneInfo

import pyarrow as pa

from assets.landing.connectors.config import FileStream, RestPull
from assets.pulling.delivery import Delivery, ended_before, open_delivery
from assets.pulling.rest.http import Http, Patience, RefusedError
from assets.pulling.rest.login import Login
from assets.pulling.rest.pace import OutOfTime, Pace, turns_at
from assets.pulling.rest.paging import Following, NotAPage, Params
from assets.pulling.rest.rows import parse, rows_of, text_columns, uncollected
from assets.pulling.rest.vendor import Endpoint, Vendor
from assets.pulling.rest.vendors import VENDORS
from quality.contract.model import Contract
from storage.data_folder import DataFolder
from storage.errors import JourneymartError

_PATIENCE = Patience()


def pull_rest(
    stream: FileStream,
    pull: RestPull,
    contract: Contract,
    folder: DataFolder,
    extract_date: date,
    *,
    vendor: Vendor | None = None,
    patience: Patience = _PATIENCE,
) -> Delivery:
    """Pull an extract, or go on where a killed pull stopped; give its complete delivery.

    It begins where the extract before it ended, if the vendor keeps such places and knows it still; else behind the day
    of that extract, less an overlap. It ends with what the vendor knows by now, which may be more than its day: rows
    come twice rather than never, and their versions settle it.

    Args:
        stream: Which stream, its zone and first date.
        pull: Where it is asked for, and by whom.
        contract: Its columns are taken and nothing else.
        folder: The data folder.
        extract_date: Which date's extract.
        vendor: What is said of its API; None: what is known of its system.
        patience: What one request may cost.

    Raises:
        JourneymartError: It cannot be pulled; the pages that came are kept.
        PassingError: The host cannot be reached; the pages that came are kept.
    """
    vendor = vendor or VENDORS[stream.stream.system]
    extract = _Extract(stream, pull, vendor.streams[stream.stream.stream], extract_date, tuple(contract.columns))
    carried = ended_before(folder, stream.stream, extract_date)
    places = carried.split() if carried else [urlencode(extract.window())]
    http = Http(pull.base, login_of(stream, pull, vendor), extract.pace(), patience)
    try:
        for place in places:
            delivery = extract.opened(folder, place)
            forgotten = frozenset() if place == places[-1] else vendor.forgotten
            if _pulled(http, extract, delivery, dict(parse_qsl(place)), forgotten):
                break
    finally:
        http.close()
    return delivery


def login_of(stream: FileStream, pull: RestPull, vendor: Vendor | None = None) -> Login:
    """Who asks for a stream, with the secrets the environment holds; nothing is asked.

    Raises:
        JourneymartError: A variable is not set.
    """
    names = dict(pull.credentials_env)
    logins = (vendor or VENDORS[stream.stream.system]).logins
    kind = next(kind for kind in logins if set(kind.credentials) == set(names))
    missing = [names[each] for each in kind.credentials if not os.environ.get(names[each])]
    if missing:
        raise JourneymartError(
            f"{stream.stream} cannot be pulled: set the environment variable {', '.join(missing)}, which company.yml "
            "names under credentials_env."
        )
    return kind.login(*(os.environ[names[each]] for each in kind.credentials))


@dataclass(frozen=True)
class _Extract:
    """An extract that is to be pulled."""

    stream: FileStream
    pull: RestPull
    endpoint: Endpoint
    day: date
    columns: tuple[str, ...]

    @property
    def host(self) -> str:
        return str(urlsplit(self.pull.base).hostname)

    def pace(self) -> Pace:
        limit = self.endpoint.limit
        return Pace(turns_at(self.pull.base, limit.name, limit.per_minute), self.pull.hours * 3600)

    def window(self) -> Params:
        """What its first page is asked with, where no extract before it says where to begin."""
        if self.day > self.stream.first_date:
            return self._from(self.day)
        since = self.pull.since
        return self._from(since, overlap=timedelta()) if since else {self.endpoint.begin: "0"}

    def ends_with(self, place: Params | None) -> str:
        """Where the next extract begins: at a place of the vendor's, and if that is forgotten, behind this day."""
        behind = urlencode(self._from(self.day + timedelta(days=1)))
        return f"{urlencode(place)} {behind}" if place else behind

    def opened(self, folder: DataFolder, place: str) -> Delivery:
        """Its delivery, begun or gone on with: of the same question, from the same place on."""
        asked = f"{self.endpoint.path}?{urlencode(self.endpoint.params)}&{place} for {','.join(self.columns)}"
        return open_delivery(folder, self.stream.stream, self.day, asked)

    def _from(self, day: date, overlap: timedelta | None = None) -> Params:
        midnight = datetime.combine(day, time(), ZoneInfo(self.stream.timezone)).timestamp()
        before = (self.endpoint.overlap if overlap is None else overlap).total_seconds()
        return {self.endpoint.begin: str(int(midnight - before))}


def _pulled(http: Http, extract: _Extract, delivery: Delivery, first: Params, forgotten: frozenset[int]) -> bool:
    """Add pages until one is the last; False: the vendor does not know the place to go on from any more."""
    params: Params = dict(parse_qsl(delivery.next)) if delivery.next else first
    asked_before: set[str] = set()
    reached: str | None = None
    while not delivery.is_ended:
        asked_before.add(urlencode(params))
        try:
            rows, following = _page(http, extract, params)
            if following.end:
                said = extract.ends_with(following.params)
            elif (said := urlencode(following.params or {})) in asked_before:
                raise NotAPage("that leads back to a page that was there before")
        except NotAPage as reason:
            raise _strange(extract, delivery, reason) from None
        except OutOfTime as wait:
            raise _out_of_time(extract, delivery, wait, reached) from None
        except RefusedError as refused:
            if refused.status in forgotten:
                return False
            raise _refused(extract, delivery, refused) from None
        delivery.add(rows, said, end=following.end)
        reached = _reached(extract, rows) or reached
        params = following.params or {}
    delivery.complete()
    return True


def _page(http: Http, extract: _Extract, params: Params) -> tuple[pa.Table, Following]:
    """Ask for a page: its rows, and what follows it."""
    endpoint = extract.endpoint
    body = http.get(endpoint.path, {**endpoint.params, **params})
    with uncollected():
        answer = parse(body)
        rows = rows_of(answer, endpoint.data)
        following = endpoint.paging.following(answer, params)
        if endpoint.reshape:
            rows = [endpoint.reshape(row) for row in rows]
        return text_columns(rows, extract.columns), following


def _reached(extract: _Extract, rows: pa.Table) -> str | None:
    """The day of the last row's change, as far as the endpoint's rows come in that order."""
    at = extract.endpoint.ordered_by
    if at not in extract.columns or not rows.num_rows:
        return None
    value = rows[at][-1].as_py() or ""
    return datetime.fromtimestamp(int(value), UTC).date().isoformat() if value.isdecimal() else value[:10] or None


def _strange(extract: _Extract, delivery: Delivery, reason: NotAPage) -> JourneymartError:
    return JourneymartError(
        f"{_page_name(extract, delivery)} is an answer {reason}, so it is no page and not the end: see what stands "
        f"between this machine and {extract.host}, and run the night again, which goes on there{_kept(delivery)}."
    )


def _out_of_time(extract: _Extract, delivery: Delivery, wait: OutOfTime, reached: str | None) -> JourneymartError:
    hourly = 60 * extract.endpoint.limit.per_minute
    so_far = f"; it has come to what changed on {reached}" if reached else ""
    return JourneymartError(
        f"{_page_name(extract, delivery)} cannot be asked for in time: {wait.seconds:.0f} s must be waited, more "
        f"than is left of the {extract.pull.hours:g} hours of an extract, in each of which {extract.host} lets "
        f"{hourly:,} requests through{so_far}; run the night again, which goes on there{_kept(delivery)}, or raise "
        "pull_hours in company.yml."
    )


def _refused(extract: _Extract, delivery: Delivery, refused: RefusedError) -> JourneymartError:
    hint = ""
    if delivery.pages:
        hint = (
            " If the host does not know the place any more that the last page named, remove the folder "
            f"pulled/{extract.stream.stream}/{extract.day} of the data folder: the extract then begins anew."
        )
    return JourneymartError(f"{_page_name(extract, delivery)}: {refused}{hint}")


def _page_name(extract: _Extract, delivery: Delivery) -> str:
    return f"Page {delivery.pages + 1} of {extract.stream.stream} for {extract.day}"


def _kept(delivery: Delivery) -> str:
    if not delivery.pages:
        return ""
    return f" (the {delivery.pages:,} pages before it, {delivery.rows:,} rows, are kept)"
