"""Freshdesk's API: what is asked for each stream of its contracts.

What lives here: the lists and how their pages follow each other, the way from ticket to ticket, the login and limits.
Not here: asking (pull.py). Written from Freshdesk's public documentation (docs/sources.md says what of it was tried
against what).

An answer is a bare list; that more follows, its header `Link` says. Pages are numbers, no higher than 300 for tickets,
and slip when a record goes meanwhile. So tickets are asked for in the order of their last change, each page from the
second of the last row before it on. Where that does not lead on (more changed in one second than a page holds, or a
list has no such order), pages are asked for by their numbers, up to the last and down again: what slips to a page that
has come from one that is still to come, the way down finds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from assets.pulling.rest.http import ErrorCodes, Request
from assets.pulling.rest.login import Basic
from assets.pulling.rest.paging import Following, NotAPage, Params, Row, time_of
from assets.pulling.rest.rows import parse_list, rows_of
from assets.pulling.rest.vendor import Endpoint, Limit, LoginKind, Vendor

_ROOT = "/api/v2"
_ROWS, _PAGE_ROWS = "rows", 100
# The lists of tickets and of contacts let 20 requests a minute through on the smallest plan, each.
_TICKETS, _CONTACTS = Limit("tickets", 20), Limit("contacts", 20)
# Of the 200 that plan lets through in all.
_REQUESTS = Limit("requests", 100)
_VERSION = "X-Freshdesk-API-Version"
_NEXT = re.compile(r'<[^>]*>\s*;\s*rel="?next"?')
# Stands in no id, and is written as it is in a query.
_PARTED = "."
_END = "end"
# Tickets that an agent writes for somebody: a call typed in has no first message, an e-mail that goes out is ours.
_PHONE, _OUTBOUND = 3, 10


def _turn(number: int, is_back: bool, follows: bool) -> tuple[int, bool] | None:
    """The number of the next page, and whether the way leads down; None: it is over."""
    if follows and not is_back:
        return number + 1, False
    return (number - 1, True) if number > 1 else None


def _follows(answer: Mapping[str, Any], is_back: bool) -> bool:
    """Whether more follows: a full page may be the last, which the one behind it tells."""
    rows = answer[_ROWS]
    if answer["follows"] and not rows and not is_back:
        raise NotAPage("that says more follows, and holds nothing")
    return bool(answer["follows"]) or len(rows) >= _PAGE_ROWS


@dataclass(frozen=True)
class Lists:
    """Pages of one list after another.

    A place is `since`, the second the window begins with; `list` behind the first list; `from`, the second this page
    begins with, where rows come in the order of change; `page`, a number behind 1; `down` on the way down, what is
    asked for behind it.

    Attributes:
        names: What each list is called.
        changed: The key of the time that rows come in the order of; None: they come in none.
    """

    names: tuple[str, ...] = ("",)
    changed: str | None = None

    def following(self, answer: Mapping[str, Any], asked: Params, began: datetime | None) -> Following:
        """As `Paging.following`."""
        is_back = "down" in asked
        follows = _follows(answer, is_back)
        reached = self._reached(answer[_ROWS], asked) if follows and not is_back else None
        turn = _turn(int(asked.get("page", "1")), is_back, follows and reached is None)
        behind = asked.get("down") or (_END if reached is None else str(reached))
        if turn is None:
            return self._behind(asked, behind)
        number, leads_down = turn
        return Following({**asked, "page": str(number), **({"down": behind} if leads_down else {})}, end=False)

    def instead_of(self, asked: Params) -> Params | None:
        """As `Paging.instead_of`: no number can be forgotten."""
        return None

    def begin(self, asked: Params) -> int:
        """The second a page begins with. Lists behind the first are read whole."""
        return int(asked.get("from", "0" if asked.get("list") else asked["since"]))

    def _reached(self, rows: Sequence[Row], asked: Params) -> int | None:
        """The second to go on from; None: it is no later than where this page began.

        One second less: whether its own second belongs to what changed since is not said.
        """
        if self.changed is None:
            return None
        reached = max(int(time_of(row.get(self.changed)).timestamp()) for row in rows) - 1
        return reached if reached > self.begin(asked) else None

    def _behind(self, asked: Params, behind: str) -> Following:
        name = asked.get("list", self.names[0])
        if behind != _END:
            named = {"list": name} if name else {}
            return Following({"since": asked["since"], **named, "from": behind}, end=False)
        left = self.names[self.names.index(name) + 1 :]
        return Following({"since": asked["since"], "list": left[0]} if left else None, end=not left)


@dataclass(frozen=True)
class EachTicket:
    """Pages of a list of tickets, and behind each of them what was said on its tickets.

    A place is that of the list, and with a ticket that of the page to come behind its tickets, or of the last one
    (`over`); `tickets`, those that are left, of which the first is asked; `number` and `back`, the page of it.
    """

    lists: Lists

    def following(self, answer: Mapping[str, Any], asked: Params, began: datetime | None) -> Following:
        """As `Paging.following`."""
        if "tickets" not in asked:
            listed = self.lists.following(answer, asked, began)
            tickets = list(dict.fromkeys(str(row["id"]) for row in answer[_ROWS]))
            if not tickets:
                return listed
            place = {**(listed.params or asked), **({"over": "1"} if listed.end else {})}
            return Following({**place, "tickets": _PARTED.join(tickets)}, end=False)
        is_back = "back" in asked
        turn = _turn(int(asked.get("number", "1")), is_back, _follows(answer, is_back))
        if turn:
            number, leads_down = turn
            return Following({**asked, "number": str(number), **({"back": "1"} if leads_down else {})}, end=False)
        rest = self._rest(asked)
        return Following(rest, end=rest is None)

    def instead_of(self, asked: Params) -> Params | None:
        """As `Paging.instead_of`: those behind a ticket that is gone; behind the last one, the list once more."""
        if "tickets" not in asked:
            return None
        gone, _, _ = asked["tickets"].partition(_PARTED)
        return self._rest(asked) or {**self._of_list(asked), "again": gone}

    def _rest(self, asked: Params) -> Params | None:
        _, _, left = asked["tickets"].partition(_PARTED)
        if not left:
            return None if "over" in asked else self._of_list(asked)
        over = {"over": "1"} if "over" in asked else {}
        return {**self._of_list(asked), **over, "tickets": left}

    def _of_list(self, asked: Params) -> Params:
        return {name: value for name, value in asked.items() if name not in {"tickets", "over", "number", "back"}}


def _headers(headers: Mapping[str, str]) -> Mapping[str, Any]:
    """What the headers of an answer say: whether more follows, and that it is the API's, or it is no page."""
    if not headers.get(_VERSION):
        raise NotAPage(f"without the header '{_VERSION}'")
    return {"follows": _NEXT.search(headers.get("Link", "")) is not None}


def _read(body: bytes, _: Params) -> Mapping[str, Any]:
    answer = parse_list(body, _ROWS)
    if not all(type(row.get("id")) is int for row in rows_of(answer, _ROWS)):
        raise NotAPage("with a record whose 'id' is no number")
    return answer


def _instant(second: int | str) -> str:
    return datetime.fromtimestamp(int(second), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _numbered(path: str, number: str, **more: str) -> Request:
    return Request(f"{_ROOT}/{path}", {"per_page": str(_PAGE_ROWS), "page": number, **more})


_BY_CHANGE = Lists(("", "deleted", "spam"), changed="updated_at")
_LIVE = Lists(changed="updated_at")


def _tickets_request(place: Params, **more: str) -> Request:
    # Without a time only tickets of the last 30 days are told.
    since = _instant(_BY_CHANGE.begin(place))
    order = {"updated_since": since, "order_by": "updated_at", "order_type": "asc"}
    return _numbered("tickets", place.get("page", "1"), **order, **more)


def _asks_tickets(place: Params, _: Sequence[str]) -> Request:
    named = {"filter": place["list"]} if place.get("list") else {}
    return _tickets_request(place, include="stats,description", **named)


def _ticket(rows: Sequence[Row], place: Params) -> Sequence[Row]:
    """Tickets with the list they are in, which alone tells of trash and spam folder; their custom fields as a list."""
    name = place.get("list")
    about = {"deleted": name == "deleted", "spam": name == "spam"}
    return [{**row, **about, "custom_fields": _fields(row.get("custom_fields"))} for row in rows]


def _fields(named: Any) -> list[Row]:  # noqa: ANN401 - whatever JSON holds
    if not isinstance(named, dict | None):
        raise NotAPage("with a ticket whose 'custom_fields' are none")
    return [{"name": name, "value": value} for name, value in (named or {}).items() if value is not None]


def _asks_conversations(place: Params, _: Sequence[str]) -> Request:
    if "tickets" not in place:
        return _tickets_request(place)
    ticket, _, _ = place["tickets"].partition(_PARTED)
    return _numbered(f"tickets/{ticket}/conversations", place.get("number", "1"))


def _messages(rows: Sequence[Row], place: Params) -> Sequence[Row]:
    """What was said: on the page of a ticket, its conversations; on one of the list, the first message of each."""
    if "tickets" in place:
        ticket, _, _ = place["tickets"].partition(_PARTED)
        return [{**row, "ticket_id": ticket, "kind": "conversation"} for row in rows]
    return [_first_message(row) for row in rows if row.get("source") != _PHONE]


def _first_message(ticket: Row) -> Row:
    """The description of a ticket, which is in no conversation; who wrote an e-mail that went out, is not said."""
    return {
        "id": f"{ticket['id']}-description",
        "ticket_id": ticket["id"],
        "user_id": None if ticket.get("source") == _OUTBOUND else ticket.get("requester_id"),
        "incoming": ticket.get("source") != _OUTBOUND,
        "private": False,
        "kind": "description",
        "created_at": ticket.get("created_at"),
        "updated_at": ticket.get("created_at"),
    }


def _agents(rows: Sequence[Row], _: Params) -> Sequence[Row]:
    """Agents with their names and addresses, which stand in the contact that each of them is, too."""
    told = ("name", "email", "phone", "mobile", "language", "active")
    return [{**{name: (row.get("contact") or {}).get(name) for name in told}, **row} for row in rows]


def _ratings(rows: Sequence[Row], _: Params) -> Sequence[Row]:
    """A row for each question of a rating."""
    told = []
    for row in rows:
        ratings = row.get("ratings")
        if not isinstance(ratings, dict):
            raise NotAPage("with a rating that has no 'ratings'")
        told += [{**row, "question_id": question, "rating": rating} for question, rating in ratings.items()]
    return told


def _asks(path: str, since: str | None = None, named: str = "list") -> Callable[[Params, Sequence[str]], Request]:
    """Makes the requests of a numbered list: what takes its time, and the name of the list."""

    def asks(place: Params, _: Sequence[str]) -> Request:
        window = {since: _instant(place["since"])} if since else {}
        which = {named: place["list"]} if place.get("list") else {}
        return _numbered(path, place.get("page", "1"), **window, **which)

    return asks


def _stream(
    path: str,
    paging: Lists | EachTicket,
    limit: Limit,
    asks: Callable[[Params, Sequence[str]], Request],
    *,
    reshape: Callable[[Sequence[Row], Params], Sequence[Row]] | None = None,
    overlap: timedelta = timedelta(hours=1),
) -> Endpoint:
    return Endpoint(
        path=f"{_ROOT}/{path}",
        data=_ROWS,
        paging=paging,
        begin="since",
        limit=limit,
        # A record gets its time some moments before it is seen.
        overlap=overlap,
        ordered_by="updated_at",
        reshape=reshape,
        asks=asks,
        read=_read,
        headers=_headers,
    )


def _code_of(body: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
    return body.get("code") if isinstance(body, dict) else None


FRESHDESK = Vendor(
    system="freshdesk",
    example="https://nordlicht.freshdesk.com",
    # As Freshdesk has it: the key is the user, and the password is any.
    logins=(LoginKind(("api_key",), lambda api_key: Basic(api_key, "X")),),
    streams={
        "tickets": _stream("tickets", _BY_CHANGE, _TICKETS, _asks_tickets, reshape=_ticket),
        "conversations": _stream("conversations", EachTicket(_LIVE), _REQUESTS, _asks_conversations, reshape=_messages),
        "contacts": _stream(
            "contacts", Lists(("", "blocked", "deleted")), _CONTACTS, _asks("contacts", "_updated_since", "state")
        ),
        "companies": _stream("companies", Lists(), _REQUESTS, _asks("companies")),
        "agents": _stream("agents", Lists(), _REQUESTS, _asks("agents"), reshape=_agents),
        "satisfaction_ratings": _stream(
            "surveys/satisfaction_ratings",
            Lists(),
            _REQUESTS,
            _asks("surveys/satisfaction_ratings", "created_since"),
            reshape=_ratings,
            # The list is cut by the time a rating was given, and one may change later.
            overlap=timedelta(days=30),
        ),
    },
    forgotten=frozenset({404}),
    errors=ErrorCodes(
        _code_of,
        remedies={
            "invalid_credentials": "the key is not accepted: set the environment variable of api_key anew",
            "access_denied": "the key's agent may not read this: give it a role that sees all tickets and customers",
            "require_feature": "the plan of the account does not have this: leave the stream out of company.yml",
            "account_suspended": "the account is suspended: have it opened again",
        },
    ),
)
