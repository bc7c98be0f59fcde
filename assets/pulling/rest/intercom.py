"""Intercom's API: what is asked for each stream of its contracts.

What lives here: searches, the lists of companies and admins, what conversations and contacts lack in a
search, records made flat, the login and limits. Not here: asking (pull.py). Written from Intercom's public description
of its API (docs/sources.md says what of it was tried against what).

A search names a place behind its last row. It is asked from the newest change on: what changes meanwhile comes to the
front, where it moves nothing that is still to come, and the next extract begins before this one did. Contacts are
found by whole days of the workspace's zone, so a day more is asked for, and what did not change since is left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from assets.pulling.rest.http import ErrorCodes, Request
from assets.pulling.rest.login import Bearer
from assets.pulling.rest.paging import Following, NotAPage, Params, Row
from assets.pulling.rest.rows import parse, rows_of
from assets.pulling.rest.vendor import Addition, Endpoint, Limit, LoginKind, Vendor

# Counted by Intercom in windows of ten seconds; workspaces with the fewest have 167.
_REQUESTS = Limit("requests", 160, seconds=10.0)
_PAGE_ROWS = 150
_MOST_COMPANIES = 10_000
# How much earlier a search is asked from: whether "later than" takes in the second itself, is told both ways; contacts
# are found by whole days.
_SECOND, _DAY = 1, 86_400
# The key rows stand under in what a search is turned into.
_ROWS = "rows"
# An index knows a record some minutes after it was made.
_OVERLAP = timedelta(hours=1)
_CONTACTS = frozenset({"user", "lead", "contact"})
# The address of the machine that some releases show as a teammate.
_OPERATOR = re.compile(r"operator\+.*@intercom\.io", re.IGNORECASE)


class Search:
    """Pages of a search, as `_read` leaves them.

    A place is `since`, the second the window begins with, and behind the first page `after`, the vendor's place.
    """

    def following(self, answer: Mapping[str, Any], asked: Params, began: datetime | None) -> Following:
        """As `Paging.following`. The last page names no next one; a first page that is the last holds all it counts."""
        found, pages, total = answer["found"], answer["pages"], answer["total_count"]
        if not isinstance(pages, dict) or not isinstance(total, int) or isinstance(total, bool):
            raise NotAPage("without the end marker 'pages', or without the number of all results 'total_count'")
        behind = pages.get("next")
        if behind is None:
            if "after" not in asked and total > found:
                raise NotAPage("that says it is the last, and holds fewer rows than it counts")
            return Following(None, end=True)
        after = behind.get("starting_after") if isinstance(behind, dict) else None
        if not isinstance(after, str) or not after:
            raise NotAPage("that says more follows, but not where ('pages.next.starting_after' is empty)")
        if not found:
            raise NotAPage("that says more follows, and holds nothing")
        return Following({"since": asked["since"], "after": after}, end=False, requests=ceil(total / found))

    def instead_of(self, asked: Params) -> Params | None:
        """As `Paging.instead_of`: the beginning of the search."""
        return {"since": asked["since"]} if "after" in asked else None


class Numbered:
    """Pages of the list of companies, by their numbers; it is not asked for by time, and read whole every night.

    Those that were seen last come first, so one that is seen meanwhile moves the others to later pages, not to earlier
    ones. Intercom has a scroll besides, which a kill or a broken connection would skip a page of.

    A place is `since`, the second the window begins with, and behind the first page `page`.
    """

    def following(self, answer: Mapping[str, Any], asked: Params, began: datetime | None) -> Following:
        """As `Paging.following`. The last page has the highest number there is."""
        pages, total = answer.get("pages"), answer.get("total_count")
        number, last = _at(pages, "page"), _at(pages, "total_pages")
        if type(number) is not int or type(last) is not int or type(total) is not int:
            raise NotAPage("without the end marker 'pages', or without the number of all results 'total_count'")
        if total > _MOST_COMPANIES:
            raise NotAPage(
                f"that counts {total:,} companies, of which Intercom lists {_MOST_COMPANIES:,} (take companies out of "
                "the streams in company.yml, or deliver them as files)"
            )
        if number != int(asked.get("page", "1")):
            raise NotAPage("with the number of another page")
        if number >= last:
            return Following(None, end=True)
        if not answer["data"]:
            raise NotAPage("that says more follows, and holds nothing")
        return Following({"since": asked["since"], "page": str(number + 1)}, end=False, requests=last - number)

    def instead_of(self, asked: Params) -> Params | None:
        """As `Paging.instead_of`: a number is known always."""
        return None


class OneAnswer:
    """A list that is told at once, and says which it is."""

    def following(self, answer: Mapping[str, Any], asked: Params, began: datetime | None) -> Following:
        """As `Paging.following`."""
        if answer.get("type") != "admin.list":
            raise NotAPage("without the end marker 'type'")
        return Following(None, end=True)

    def instead_of(self, asked: Params) -> Params | None:
        """As `Paging.instead_of`: there is but one place."""
        return None


def _search(path: str, place: Params, earlier: int) -> Request:
    """A search for what changed since so many seconds before the window."""
    since = max(0, int(place["since"]) - earlier)
    after = {"starting_after": place["after"]} if "after" in place else {}
    said = {
        "query": {"operator": "AND", "value": [{"field": "updated_at", "operator": ">", "value": since}]},
        "sort": {"field": "updated_at", "order": "descending"},
        "pagination": {"per_page": _PAGE_ROWS, **after},
    }
    return Request(path, body=said)


def _companies(place: Params, _: Sequence[str]) -> Request:
    return Request("/companies/list", {"per_page": "50", "order": "desc", "page": place.get("page", "1")}, body={})


def _at(row: Any, *keys: str) -> Any:  # noqa: ANN401 - whatever JSON holds
    """What stands at the end of some keys; None: something on the way is no object."""
    for key in keys:
        row = row.get(key) if isinstance(row, dict) else None
    return row


def _listed(row: Row, *keys: str) -> list[Row]:
    """The objects of a list that may not be there."""
    found = _at(row, *keys)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _changed(rows: Sequence[Row], place: Params) -> list[Row]:
    """Those of some rows that changed in the window."""
    if not all(type(row.get("updated_at")) is int for row in rows):
        raise NotAPage("with a record whose time of change is none")
    return [row for row in rows if row["updated_at"] >= int(place["since"])]


def _read(data: str) -> Callable[[bytes, Params], Mapping[str, Any]]:
    """Takes what changed in the window from a page of a search, whose rows stand under a key."""

    def read(body: bytes, place: Params) -> Mapping[str, Any]:
        answer = parse(body)
        found, about = rows_of(answer, data), {name: answer.get(name) for name in ("pages", "total_count")}
        return {_ROWS: _changed(found, place), "found": len(found), **about}

    return read


def _conversation(row: Row) -> Row:
    """A conversation without what names people, but by their ids."""
    rating, author = _at(row, "conversation_rating"), _at(row, "source", "author")
    contacts = [str(each.get("id")) for each in _listed(row, "contacts", "contacts")]
    begun_by = str(_at(author, "id")) if _at(author, "type") in _CONTACTS else None
    return {
        **row,
        "contact_id": begun_by if begun_by in contacts else min(contacts, default=begun_by),
        "company_id": _at(row, "company", "id"),
        "tags": [each.get("name") for each in _listed(row, "tags", "tags")],
        "source_type": _at(row, "source", "type"),
        "source_delivered_as": _at(row, "source", "delivered_as"),
        "source_subject": _at(row, "source", "subject"),
        "source_body": _at(row, "source", "body"),
        "source_author_id": _at(author, "id"),
        "source_author_type": _kind(author),
        "rating": _at(rating, "rating"),
        "rating_remark": _at(rating, "remark"),
        "rating_requested_at": _at(rating, "created_at"),
        "rating_updated_at": _at(rating, "updated_at"),
        "rating_contact_id": _at(rating, "contact", "id"),
        "rating_teammate_id": _at(rating, "teammate", "id"),
        "has_statistics": isinstance(_at(row, "statistics"), dict),
        "first_admin_reply_at": _at(row, "statistics", "first_admin_reply_at"),
        "first_close_at": _at(row, "statistics", "first_close_at"),
        "last_close_at": _at(row, "statistics", "last_close_at"),
    }


def _kind(author: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
    """What kind of author one is; a machine that is shown as a teammate is one all the same."""
    is_machine = _at(author, "from_ai_agent") is True or _OPERATOR.fullmatch(str(_at(author, "email")))
    return "bot" if is_machine else _at(author, "type")


def _each_conversation(rows: Sequence[Row]) -> list[Request]:
    return [Request(f"/conversations/{row.get('id')}") for row in rows]


def _only_parts(rows: Sequence[Row], answers: Sequence[Mapping[str, Any] | None]) -> list[Row]:
    """The parts of some conversations; of one that was deleted meanwhile, none."""
    return [
        part for row, answer in zip(rows, answers, strict=True) if answer is not None for part in _parts(row, answer)
    ]


def _parts(row: Row, answer: Mapping[str, Any]) -> Iterator[Row]:
    """The parts of a conversation, the first of them with how many before it are not told."""
    listed = answer.get("conversation_parts")
    total = _at(listed, "total_count")
    if str(answer.get("id")) != str(row.get("id")) or type(total) is not int or not isinstance(listed, dict):
        raise NotAPage("about one of its conversations that is none")
    parts = rows_of(listed, "conversation_parts")
    for place, part in enumerate(parts):
        author = part.get("author")
        yield {
            **part,
            "conversation_id": row["id"],
            "author_id": _at(author, "id"),
            "author_type": _kind(author),
            "assigned_to_id": _at(part, "assigned_to", "id"),
            "assigned_to_type": _at(part, "assigned_to", "type"),
            # What was said is of no use here, only that something was.
            "has_body": bool(part.get("body") or part.get("attachments")),
            "parts_left_out": max(0, total - len(parts)) if place == 0 else 0,
        }


def _each_user(rows: Sequence[Row]) -> list[Request]:
    """Leads have no merge history: they are what is merged."""
    return [
        Request(f"/contacts/{row.get('id')}", {"include_merge_history": "true"})
        for row in rows
        if row.get("role") == "user"
    ]


def _with_merged(rows: Sequence[Row], answers: Sequence[Mapping[str, Any] | None]) -> list[Row]:
    """Contacts, and those that were merged into them, of which no list tells any more."""
    merged = [each for answer in answers if answer is not None for each in _merged(answer)]
    return [*rows, *merged]


def _merged(user: Mapping[str, Any]) -> Iterator[Row]:
    for each in rows_of(user, "merge_history"):
        yield {
            "id": each.get("source_contact_id"),
            "role": each.get("source_contact_role"),
            "merged_into_id": user.get("id"),
            "updated_at": each.get("merged_at") or user.get("updated_at"),
        }


def _contact(row: Row) -> Row:
    companies = [str(each.get("id")) for each in _listed(row, "companies", "data")]
    return {
        **row,
        "country": _at(row, "location", "country"),
        "language": row.get("language_override") or row.get("browser_language"),
        "company_id": min(companies, default=None),
    }


def _admin(row: Row) -> Row:
    teams = row.get("team_ids")
    return {**row, "team_id": min(map(str, teams), default=None) if isinstance(teams, list) else None}


def _found(name: str, data: str, earlier: int, **more: Any) -> Endpoint:  # noqa: ANN401 - fields of Endpoint
    path = f"/{name}/search"
    return Endpoint(
        path=path,
        data=_ROWS,
        paging=Search(),
        asks=lambda place, _: _search(path, place, earlier),
        read=_read(data),
        begin="since",
        limit=_REQUESTS,
        overlap=_OVERLAP,
        ordered_by="updated_at",
        **more,
    )


def _whole(path: str, data: str, paging: Numbered | OneAnswer, **more: Any) -> Endpoint:  # noqa: ANN401 - fields of Endpoint
    return Endpoint(
        path=path,
        data=data,
        paging=paging,
        begin="since",
        limit=_REQUESTS,
        overlap=_OVERLAP,
        # Nothing is in the order of time.
        ordered_by="",
        **more,
    )


def _code_of(body: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
    errors = _listed(body, "errors") if isinstance(body, dict) else []
    return errors[0].get("code") if errors else None


INTERCOM = Vendor(
    system="intercom",
    example="https://api.intercom.io",
    logins=(LoginKind(("access_token",), Bearer),),
    streams={
        "conversations": _found(
            "conversations", "conversations", _SECOND, reshape=lambda rows, _: list(map(_conversation, rows))
        ),
        "conversation_parts": _found(
            "conversations",
            "conversations",
            _SECOND,
            additions=(Addition(_each_conversation, _only_parts, gone=frozenset({404})),),
        ),
        "contacts": _found(
            "contacts",
            "data",
            _DAY,
            additions=(Addition(_each_user, _with_merged, gone=frozenset({404, 410})),),
            reshape=lambda rows, _: list(map(_contact, rows)),
        ),
        "companies": _whole("/companies/list", "data", Numbered(), asks=_companies),
        "admins": _whole(
            "/admins",
            "admins",
            OneAnswer(),
            asks=lambda *_: Request("/admins"),
            reshape=lambda rows, _: [_admin(row) for row in rows],
        ),
    },
    forgotten=frozenset({400, 404}),
    version="2.16",
    version_header="Intercom-Version",
    errors=ErrorCodes(
        _code_of,
        remedies={
            "api_plan_restricted": "the workspace's plan does not include this: ask Intercom which does",
            "intercom_version_invalid": "the release of the API is not known there: correct api_version in company.yml",
        },
        again_at="X-RateLimit-Reset",
    ),
)
