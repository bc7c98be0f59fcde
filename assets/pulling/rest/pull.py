"""Pulls the extract of one stream from a vendor's API, page by page, into a delivery that landing takes.

What lives here: where an extract begins, which columns it has, the way from page to page, and what a person is told
when a page is none.
Not here: one request (http.py), what follows a page (paging.py), the vendors (vendors.py), keeping pages
(assets/pulling/delivery.py).
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from zoneinfo import ZoneInfo

import pyarrow as pa

from assets.landing.connectors.config import FileStream, RestPull
from assets.pulling.delivery import Delivery, ended_before, open_delivery
from assets.pulling.rest.budget import OutOfBudget
from assets.pulling.rest.http import Answer, Http, Patience, RefusedError, Request
from assets.pulling.rest.login import Login
from assets.pulling.rest.pace import OutOfTime, Pace, turns_at
from assets.pulling.rest.paging import Following, NotAPage, NotMade, Params, Row
from assets.pulling.rest.rows import parse, rows_of, text_columns, uncollected
from assets.pulling.rest.vendor import Addition, Description, Endpoint, Vendor
from assets.pulling.rest.vendors import VENDORS
from quality.contract.model import Contract
from quality.gate.delivery_checks import needed_columns
from storage.data_folder import DataFolder
from storage.errors import JourneymartError, PassingError

_PATIENCE = Patience()
# When the extract began, by the host's clock: beside what the next page is asked with, and no part of that.
_BEGAN = "journeymart.began"


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
    of that extract, or when that was pulled, if its day was not over by the vendor's clock, less an overlap. It ends
    with what the vendor knows by now, which may be more than its day: rows come twice rather than never, and their
    versions settle it.

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
    extract = _Extract(
        stream, pull, vendor, vendor.streams[stream.stream.stream], extract_date, tuple(contract.columns)
    )
    http = Http(pull.base, login_of(stream, pull, vendor), extract.pace(), patience, vendor.errors)
    try:
        if extract.endpoint.described:
            extract = replace(extract, columns=_described(http, extract, extract.endpoint.described, contract))
        carried = ended_before(folder, stream.stream, extract_date)
        places = carried.split() if carried else [urlencode(extract.window())]
        for place in places:
            delivery = extract.opened(folder, place)
            if _pulled(http, extract, delivery, dict(parse_qsl(place)), is_last=place == places[-1]):
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
    vendor: Vendor
    endpoint: Endpoint
    day: date
    columns: tuple[str, ...]

    @property
    def host(self) -> str:
        return str(urlsplit(self.pull.base).hostname)

    def pace(self) -> Pace:
        limit = self.endpoint.limit
        return Pace(turns_at(self.pull.base, limit.name, limit.requests, limit.seconds), self.pull.hours * 3600)

    def window(self) -> Params:
        """What its first page is asked with, where no extract before it says where to begin."""
        if self.day > self.stream.first_date:
            return self._from(self._midnight(self.day) - self.endpoint.overlap)
        return self._from(self._midnight(self.pull.since)) if self.pull.since else {self.endpoint.begin: "0"}

    def ends_with(self, place: Params | None, began: datetime | None) -> str:
        """Where the next extract begins: at a place of the vendor's, and if that is forgotten, behind this day."""
        over = self._midnight(self.day + timedelta(days=1))
        if began:
            # What changes in the rest of a day that is not over yet, by the host's clock, comes then, too.
            over = min(over, began)
        behind = urlencode(self._from(over - self.endpoint.overlap))
        return f"{urlencode(place)} {behind}" if place else behind

    def opened(self, folder: DataFolder, place: str) -> Delivery:
        """Its delivery, begun or gone on with: of the same question, from the same place on."""
        asked = f"{self.endpoint.path}?{urlencode(self.endpoint.params)}&{place} for {','.join(self.columns)}"
        return open_delivery(folder, self.stream.stream, self.day, asked)

    def ask(self, http: Http, request: Request) -> Answer:
        """Ask the release of the API that is to be asked."""
        version, header = self.pull.version or self.vendor.version or "", self.vendor.version_header
        path, named = request.path.replace("{version}", version), {header: version} if header else {}
        return http.ask(replace(request, path=path, headers={**request.headers, **named}))

    def is_forgotten(self, refused: RefusedError) -> bool:
        """Whether a refusal says that a place is not known any more."""
        return refused.status in self.vendor.forgotten or refused.code in self.vendor.forgotten

    def require_budget(self, answer: Answer, following: Following) -> None:
        """Go on only while requests of the day are left.

        Raises:
            OutOfBudget: None is.
        """
        budget = self.vendor.budget(answer.headers) if self.vendor.budget and not following.end else None
        if budget:
            budget.require(following.requests)

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), ZoneInfo(self.stream.timezone)).astimezone(UTC)

    def _from(self, at: datetime) -> Params:
        return {self.endpoint.begin: str(int(at.timestamp()))}


def _described(http: Http, extract: _Extract, said_at: Description, contract: Contract) -> tuple[str, ...]:
    """The columns of the contract that the account has, for the one who asks.

    Raises:
        JourneymartError: One is not there that the contract cannot do without, or nobody says which are.
    """
    try:
        fields = rows_of(parse(extract.ask(http, Request(said_at.path)).body), said_at.data)
        there = said_at.besides | {field.get("name") for field in fields}
        if not said_at.certain <= there:
            raise NotAPage("that lacks fields every account has")
    except (NotAPage, RefusedError, OutOfTime) as reason:
        what = f"is an answer {reason}" if isinstance(reason, NotAPage) else f"cannot be had: {reason}"
        raise JourneymartError(
            f"The list of fields of {extract.stream.stream} {what}; run the night again when {extract.host} gives it."
        ) from None
    if lacking := sorted(needed_columns(contract) - there):
        raise JourneymartError(
            f"{extract.host} shows no {', '.join(lacking)} of {extract.stream.stream} to the user of this login, which "
            "its contract cannot do without: give the user the right to read it."
        )
    return tuple(name for name in contract.columns if name in there)


def _pulled(http: Http, extract: _Extract, delivery: Delivery, first: Params, *, is_last: bool) -> bool:
    """Add pages until one is the last; False: the vendor does not know the place to go on from any more.

    `is_last`: there is no other place to begin with.
    """
    params: Params = dict(parse_qsl(delivery.next)) if delivery.next else first
    began = datetime.fromtimestamp(int(params[_BEGAN]), UTC) if _BEGAN in params else None
    params = {name: value for name, value in params.items() if name != _BEGAN}
    asked_before: set[str] = set()
    reached: str | None = None
    times = 0
    while not delivery.is_ended:
        asked_before.add(urlencode(params))
        try:
            answer = extract.ask(http, extract.endpoint.request(params, extract.columns))
            began = began or answer.at
            rows, following = _page(http, answer, extract, params, began)
            times = 0 if following.is_ready else times + 1
            if times:
                http.wait_for(times)
                continue
            if not following.end and urlencode(following.params or {}) in asked_before:
                raise NotAPage("that leads back to a page that was there before")
        except NotAPage as reason:
            raise _strange(extract, delivery, reason) from None
        except OutOfTime as wait:
            raise _out_of_time(extract, delivery, wait, reached) from None
        except (RefusedError, NotMade) as refused:
            if isinstance(refused, RefusedError) and not extract.is_forgotten(refused):
                raise _refused(extract, delivery, refused) from None
            instead = extract.endpoint.paging.instead_of(params)
            if instead and urlencode(instead) not in asked_before:
                params = instead
                continue
            if isinstance(refused, NotMade):
                raise _not_made(extract, delivery, refused) from None
            if is_last:
                raise _refused(extract, delivery, refused) from None
            return False
        params = following.params or {}
        beside = {_BEGAN: str(int(began.timestamp()))} if began else {}
        said = extract.ends_with(following.params, began) if following.end else urlencode({**params, **beside})
        delivery.add(rows, said, end=following.end)
        reached = _reached(extract, rows) or reached
        try:
            extract.require_budget(answer, following)
        except OutOfBudget as spent:
            raise _out_of_budget(extract, delivery, spent) from None
    delivery.complete()
    return True


def _page(
    http: Http, answer: Answer, extract: _Extract, params: Params, began: datetime | None
) -> tuple[pa.Table, Following]:
    """The rows of an answer, with what they lack, and what follows it."""
    endpoint = extract.endpoint
    with uncollected():
        beside = endpoint.headers(answer.headers) if endpoint.headers else {}
        said = {**(endpoint.read(answer.body, params) if endpoint.read else parse(answer.body)), **beside}
        rows: Sequence[Row] = rows_of(said, endpoint.data)
        following = endpoint.paging.following(said, params, began)
        for addition in endpoint.additions:
            if requests := addition.requests(rows):
                rows = addition.add(rows, [_added(http, extract, addition, each) for each in requests])
        if endpoint.reshape:
            rows = endpoint.reshape(rows, params)
        return text_columns(rows, extract.columns), following


def _added(http: Http, extract: _Extract, addition: Addition, request: Request) -> Mapping[str, Any] | None:
    """What is told of some rows besides; None: it is gone."""
    try:
        return parse(extract.ask(http, request).body)
    except RefusedError as refused:
        if refused.status in addition.gone:
            return None
        raise


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


def _not_made(extract: _Extract, delivery: Delivery, reason: NotMade) -> PassingError:
    return PassingError(
        f"{_page_name(extract, delivery)} is not there: {reason}; run the night again, which asks {extract.host} for "
        f"it anew{_kept(delivery)}."
    )


def _out_of_time(extract: _Extract, delivery: Delivery, wait: OutOfTime, reached: str | None) -> JourneymartError:
    hourly = extract.endpoint.limit.hourly
    so_far = f"; it has come to what changed on {reached}" if reached else ""
    return JourneymartError(
        f"{_page_name(extract, delivery)} cannot be asked for in time: {wait.seconds:.0f} s must be waited, more "
        f"than is left of the {extract.pull.hours:g} hours of an extract, in each of which {hourly:,} requests may be "
        f"sent to {extract.host}{so_far}; run the night again, which goes on there{_kept(delivery)}, or raise "
        "pull_hours in company.yml."
    )


def _out_of_budget(extract: _Extract, delivery: Delivery, spent: OutOfBudget) -> PassingError:
    budget = spent.budget
    needed = "more are" if spent.needed is None else f"{spent.needed:,} more are"
    return PassingError(
        f"{_page_name(extract, delivery)} is not asked for: of the {budget.allowed:,} requests that {extract.host} "
        f"lets through in 24 hours {budget.used:,} are used and {budget.allowed - budget.ours:,} are left to others, "
        f"and {needed} needed to come to the end; run the night again when they are free, which goes on "
        f"there{_kept(delivery)}."
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
