"""HubSpot's CRM API: what is asked for each stream of its contracts.

What lives here: searches and lists, how their pages follow each other, what a deal lacks, records made of merges, the
login and limits. Not here: asking (pull.py). Written from HubSpot's public documentation (docs/sources.md says what of
it was tried against what).

An extract is a search of what changed since its window began, and then the list of what is archived. A search shows
10,000 results at most, and its places are counts, which slip when a record changes meanwhile. So no page asks for a
place: each is a search of its own, from the time of the last row on; where more changed in one millisecond than a page
holds, those are asked for by their ids. What was merged into another record is in no list: the record that is left
names it, and becomes one row more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any

from assets.pulling.rest.budget import Budget
from assets.pulling.rest.http import ErrorCodes, Request
from assets.pulling.rest.login import Bearer
from assets.pulling.rest.paging import Following, NotAPage, Params, Row, time_of
from assets.pulling.rest.vendor import Addition, Description, Endpoint, Limit, LoginKind, Vendor

# Of five a second that all apps of an account have together.
_SEARCHES = Limit("searches", 4, seconds=1.0)
_LISTED = 100
# Seconds before an extract began in which times are not relied on.
_SETTLED = 600
_MERGED = "hs_merged_object_ids"
# Columns that are no properties, but made of the record.
_MADE = frozenset({"id", "archived", "merged_into_id", "updated_at"})
_MADE_OF_DEALS = frozenset({"contact_id", "dealstage_history"})


@dataclass(frozen=True)
class SearchThenArchived:
    """Pages of a search in the order of change, and behind them those of the list of archived records.

    A place is `since`, the second the window begins with, and one of: `from`, the millisecond of change a search begins
    with; `at` and `id`, the millisecond and the id behind which a search of what changed then begins; `list`, and
    `after` behind its first page, a place in the list. Searches end before the millisecond `until`: what changes while
    they go on is for the next extract, and its times say nothing of where this one is.

    Attributes:
        changed: The property that says when a record changed.
    """

    changed: str

    def following(self, answer: Mapping[str, Any], asked: Params, began: datetime | None) -> Following:
        """As `Paging.following`. A search ends when no more results are there than came; the list, without a place."""
        rows, after = answer["results"], _after(answer)
        if "list" in asked:
            more = {"since": asked["since"], "list": "archived", "after": str(after)}
            return Following(None, end=True) if after is None else Following(more, end=False)
        total = answer.get("total")
        if not isinstance(total, int) or isinstance(total, bool):
            raise NotAPage("without the number of all results 'total'")
        is_over = total <= len(rows) and after is None
        if is_over and "at" not in asked:
            return Following({"since": asked["since"], "list": "archived"}, end=False)
        if not is_over and not rows:
            raise NotAPage("that says more follows, and holds nothing")
        until = {"until": str(_settled(began))} if began else {}
        behind = {"from": str(int(asked["at"]) + 1)} if is_over else self._behind(rows, asked, began)
        requests = None if is_over else ceil(total / len(rows))
        return Following({"since": asked["since"], **until, **behind}, end=False, requests=requests)

    def instead_of(self, asked: Params) -> Params | None:
        """As `Paging.instead_of`: no place of a search can be forgotten."""
        return None

    def _behind(self, rows: Sequence[Row], asked: Params, began: datetime | None) -> Params:
        if "at" in asked:
            return {"at": asked["at"], "id": str(max(map(_number, rows)))}
        times = [at for row in rows if (at := self._changed_at(row)) < (_settled(began) if began else at + 1)]
        before = _search_from(asked)
        reached = max(times, default=before)
        return {"at": str(before), "id": "0"} if times and reached <= before else {"from": str(reached)}

    def _changed_at(self, row: Row) -> int:
        return round(time_of(_properties(row).get(self.changed)).timestamp() * 1000)


def _after(answer: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a number or a text
    paging = answer.get("paging")
    following = paging.get("next") if isinstance(paging, dict) else None
    if paging is None or following is None:
        return None
    if not isinstance(following, dict) or not following.get("after"):
        raise NotAPage("that says more follows, but not where ('paging.next.after' is empty)")
    return following["after"]


def _settled(began: datetime) -> int:
    return int(1000 * (began.timestamp() - _SETTLED))


def _search_from(place: Params) -> int:
    return int(place["from"]) if "from" in place else 1000 * int(place["since"])


def _properties(row: Row) -> Mapping[str, Any]:
    properties = row.get("properties")
    if not isinstance(properties, dict):
        raise NotAPage("with a record that has no 'properties'")
    return properties


def _number(row: Row) -> int:
    number = row.get("id")
    if not isinstance(number, str) or not number.isdecimal():
        raise NotAPage("with a record whose 'id' is no number")
    return int(number)


def _records(rows: Sequence[Row], place: Params, changed: str) -> list[Row]:
    """The records of a page, those that were merged into them, and of archived ones those of the window."""
    since = datetime.fromtimestamp(int(place["since"]), UTC)
    told = (row for row in rows if not row.get("archivedAt") or time_of(row["archivedAt"]) >= since)
    return [each for row in told for each in _with_merged(row, changed)]


def _with_merged(row: Row, changed: str) -> Iterator[Row]:
    properties, made = _properties(row), {name: row[name] for name in _MADE_OF_DEALS if name in row}
    times = [properties.get(changed) or row.get("updatedAt"), row.get("archivedAt")]
    # To archive a record is a change of it that moves no property.
    updated_at = max(filter(None, times), key=time_of, default=None)
    if updated_at is None:
        raise NotAPage("with a record that does not say when it changed")
    number, archived = str(_number(row)), row.get("archived") is True
    yield {**properties, **made, "id": number, "archived": archived, "updated_at": updated_at}
    for merged in (properties.get(_MERGED) or "").split(";"):
        if merged.strip() and merged.strip() != number:
            yield {"id": merged.strip(), "merged_into_id": number, "archived": True, "updated_at": updated_at}


def _contacts_request(rows: Sequence[Row]) -> list[Request]:
    return _by_ids("/crm/v4/associations/deals/contacts/batch/read", rows)


def _history_request(rows: Sequence[Row]) -> list[Request]:
    more = {"properties": ["dealstage"], "propertiesWithHistory": ["dealstage"]}
    return _by_ids("/crm/v3/objects/deals/batch/read", rows, **more)


def _by_ids(path: str, rows: Sequence[Row], **more: Any) -> list[Request]:  # noqa: ANN401 - JSON
    """What is asked for of the deals of a page; those that are archived have nothing to be asked for any more."""
    ids = [{"id": row["id"]} for row in rows if row.get("archived") is not True]
    return [Request(path, body={"inputs": ids, **more})] if ids else []


def _with_contact(rows: Sequence[Row], answers: Sequence[Mapping[str, Any] | None]) -> list[Row]:
    """Deals with their contact: of several, the one with the lowest id, which is the same night after night."""
    contacts = _by_deal(
        answers,
        lambda found: (found["from"]["id"], min((int(each["toObjectId"]) for each in found["to"]), default=None)),
    )
    return [{**row, "contact_id": contacts.get(row["id"])} for row in rows]


def _with_history(rows: Sequence[Row], answers: Sequence[Mapping[str, Any] | None]) -> list[Row]:
    """Deals with the stages they were in and since when, and not by whom they were moved there."""
    histories = _by_deal(
        answers, lambda found: (found["id"], list(map(_stage, found["propertiesWithHistory"]["dealstage"])))
    )
    return [{**row, "dealstage_history": histories.get(row["id"])} for row in rows]


def _stage(told: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"value": told["value"], "timestamp": told["timestamp"]}


def _by_deal(answers: Sequence[Mapping[str, Any] | None], read: Callable[[Any], tuple[str, Any]]) -> dict[str, Any]:
    """What was found of what was asked for; what was not, must be said not to be there."""
    answer = answers[0] or {}
    try:
        if any(each["category"] != "OBJECT_NOT_FOUND" for each in answer.get("errors", [])):
            raise NotAPage("about its deals that lacks some of them")
        return dict(map(read, answer["results"]))
    except (KeyError, TypeError, ValueError, AttributeError):
        raise NotAPage("about its deals that is none") from None


def _stream(name: str, changed: str, rows: int = 200, additions: tuple[Addition, ...] = ()) -> Endpoint:
    path = f"/crm/v3/objects/{name}"
    made = _MADE | _MADE_OF_DEALS if additions else _MADE

    def asks(place: Params, columns: Sequence[str]) -> Request:
        taken = [*dict.fromkeys([*(each for each in columns if each not in made), changed, _MERGED])]
        if "list" in place:
            after = {"after": place["after"]} if "after" in place else {}
            listed = {"limit": str(min(rows, _LISTED)), "archived": "true", "properties": ",".join(taken)}
            return Request(path, {**listed, **after})
        if "at" in place:
            sought = [_filter(changed, "EQ", place["at"]), _filter("hs_object_id", "GT", place["id"])]
        else:
            until = [_filter(changed, "LT", place["until"])] if "until" in place else []
            sought = [_filter(changed, "GTE", str(_search_from(place))), *until]
        order = "hs_object_id" if "at" in place else changed
        said = {
            "filterGroups": [{"filters": sought}],
            "sorts": [{"propertyName": order, "direction": "ASCENDING"}],
            "properties": taken,
            "limit": rows,
        }
        return Request(f"{path}/search", body=said)

    return Endpoint(
        path=path,
        data="results",
        paging=SearchThenArchived(changed),
        begin="since",
        limit=_SEARCHES,
        # A search shows a change some time after it was made.
        overlap=timedelta(hours=1),
        ordered_by="updated_at",
        additions=additions,
        reshape=lambda page, place: _records(page, place, changed),
        described=Description(f"/crm/v3/properties/{name}", "results", frozenset({"hs_object_id", changed}), made),
        asks=asks,
    )


def _filter(name: str, operator: str, value: str) -> Mapping[str, str]:
    return {"propertyName": name, "operator": operator, "value": value}


def _budget(headers: Mapping[str, str]) -> Budget | None:
    allowed, left = (headers.get(f"X-HubSpot-RateLimit-Daily{of}", "") for of in ("", "-Remaining"))
    return Budget(int(allowed) - int(left), int(allowed)) if allowed.isdecimal() and left.isdecimal() else None


def _code_of(body: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
    return body.get("category") if isinstance(body, dict) else None


HUBSPOT = Vendor(
    system="hubspot",
    example="https://api.hubapi.com",
    logins=(LoginKind(("access_token",), Bearer),),
    streams={
        "contacts": _stream("contacts", "lastmodifieddate"),
        "companies": _stream("companies", "hs_lastmodifieddate"),
        "feedback_submissions": _stream("feedback_submissions", "hs_lastmodifieddate"),
        # With histories, 50 at once are given.
        "deals": _stream(
            "deals",
            "hs_lastmodifieddate",
            rows=50,
            additions=(Addition(_contacts_request, _with_contact), Addition(_history_request, _with_history)),
        ),
    },
    forgotten=frozenset(),
    errors=ErrorCodes(
        _code_of,
        remedies={
            "MISSING_SCOPES": "the private app lacks a scope: give it those that docs/sources.md names, "
            "or leave the stream out of company.yml"
        },
    ),
    budget=_budget,
)
