"""Salesforce's API: what is asked for each stream of its contracts.

What lives here: the queries, how their pages follow each other, the login, limits and errors. Not here: asking
(pull.py). Written from Salesforce's public documentation (docs/sources.md says what of it was tried against what).

A stream is one query of what changed since the window began, deleted and merged records included, in the order of
SystemModstamp, which every change moves, those of the system too. Its pages are places in a list that the vendor keeps
for two days. In their order, the last row of a page says where a query of the rest begins, so nothing is asked twice,
and nothing lost, when that list is gone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any

from assets.pulling.rest.budget import Budget
from assets.pulling.rest.http import ErrorCodes, Request
from assets.pulling.rest.login import ClientCredentials
from assets.pulling.rest.paging import Following, NotAPage, Params, time_of
from assets.pulling.rest.vendor import Description, Endpoint, Limit, LoginKind, Vendor

_ROOT = "/services/data/v{version}"
_CHANGED = "SystemModstamp"
# Salesforce counts by the day (`_budget`); this only keeps a night from crowding out the people who work there.
_REQUESTS = Limit("requests", 300)
# Seconds by which clocks of the vendor's may differ, and much more than that.
_SETTLED = 600
_LOCATOR = re.compile(r"[0-9A-Za-z]+-[0-9]+")
_USAGE = re.compile(r"api-usage=(\d+)/(\d+)")


@dataclass(frozen=True)
class QueryPages:
    """Pages of a query in the order of SystemModstamp.

    A place is `from`, the second the query begins with, and behind its first page `locator`, the place in the list of
    its results, and `seen`, how many of them came before. `from` moves with the rows, so the list can be done without.
    """

    def following(self, answer: Mapping[str, Any], asked: Params, began: datetime | None) -> Following:
        """As `Paging.following`. It is the last page only if as many rows came as the query was said to have."""
        done, total, rows = answer.get("done"), answer.get("totalSize"), answer["records"]
        if not isinstance(done, bool):
            raise NotAPage("without the end marker 'done'")
        if not isinstance(total, int):
            raise NotAPage("without the number of all rows 'totalSize'")
        seen = int(asked.get("seen", "0")) + len(rows)
        if done and seen >= total:
            return Following(None, end=True)
        begin = {"from": str(_come_to(rows, int(asked["from"]), began))}
        if done:
            return Following(begin, end=False)
        locator = str(answer.get("nextRecordsUrl")).rpartition("/")[2]
        if not _LOCATOR.fullmatch(locator):
            raise NotAPage("that says more follows, but not where ('nextRecordsUrl' names no place)")
        if locator == asked.get("locator") or seen >= total:
            raise NotAPage("that leads back to a page that was there before")
        requests = ceil((total - seen) / max(1, len(rows)))
        return Following({**begin, "locator": locator, "seen": str(seen)}, end=False, requests=requests)

    def instead_of(self, asked: Params) -> Params | None:
        """As `Paging.instead_of`: the query of what is left."""
        return {"from": asked["from"]} if "locator" in asked else None


def _come_to(rows: Sequence[Mapping[str, Any]], before: int, began: datetime | None) -> int:
    """The second up to which all has come.

    Rows that changed since the query keep their place in its list, so times later than it began say nothing.
    """
    settled = int(began.timestamp()) - _SETTLED if began else 0
    return max([before, *(at for row in rows if (at := int(time_of(row.get(_CHANGED)).timestamp())) < settled)])


def _query(name: str) -> Endpoint:
    def asks(place: Params, columns: Sequence[str]) -> Request:
        if "locator" in place:
            return Request(f"{_ROOT}/queryAll/{place['locator']}")
        since = datetime.fromtimestamp(int(place["from"]), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        taken = ", ".join(dict.fromkeys([*columns, "Id", _CHANGED]))
        soql = f"select {taken} from {name} where {_CHANGED} >= {since} order by {_CHANGED}, Id"
        return Request(f"{_ROOT}/queryAll", {"q": soql})

    return Endpoint(
        path=f"{_ROOT}/queryAll",
        data="records",
        paging=QueryPages(),
        begin="from",
        limit=_REQUESTS,
        # A record gets its time within a transaction and is seen when that is committed.
        overlap=timedelta(hours=1),
        ordered_by=_CHANGED,
        described=Description(f"{_ROOT}/sobjects/{name}/describe", "fields", frozenset({"Id", _CHANGED})),
        asks=asks,
    )


def _budget(headers: Mapping[str, str]) -> Budget | None:
    usage = _USAGE.search(headers.get("Sforce-Limit-Info", ""))
    return Budget(int(usage[1]), int(usage[2])) if usage else None


def _code_of(body: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
    first = body[0] if isinstance(body, list) and body else None
    return first.get("errorCode") if isinstance(first, dict) else None


def _client(client_id: str, client_secret: str) -> ClientCredentials:
    return ClientCredentials("/services/oauth2/token", None, client_id, client_secret)


SALESFORCE = Vendor(
    system="salesforce",
    example="https://nordlicht.my.salesforce.com",
    logins=(LoginKind(("client_id", "client_secret"), _client),),
    streams={
        "account": _query("Account"),
        "case": _query("Case"),
        "contact": _query("Contact"),
        "opportunity": _query("Opportunity"),
        "opportunity_history": _query("OpportunityHistory"),
    },
    forgotten=frozenset({"INVALID_QUERY_LOCATOR"}),
    # Of autumn 2024. Older ones are answered for years; a newer one only adds.
    version="62.0",
    errors=ErrorCodes(
        _code_of,
        remedies={
            "INVALID_QUERY_LOCATOR": "the place in the list of results is not known any more: run the night again",
            "INVALID_TYPE": "there is no such object for this user: let its permission set read it",
            "INVALID_FIELD": "a field is not there for this user: let its permission set read it",
            "REQUEST_LIMIT_EXCEEDED": "all requests of 24 hours are used: run the night again when some are free",
            "API_DISABLED_FOR_ORG": "this edition of Salesforce has no API, or the user may not use it",
            "QUERY_TIMEOUT": "the query took longer than Salesforce lets it: run the night again, at a quieter hour",
            "SERVER_UNAVAILABLE": "it is busy: run the night again",
        },
        passing=frozenset({"REQUEST_LIMIT_EXCEEDED", "QUERY_TIMEOUT", "SERVER_UNAVAILABLE"}),
    ),
    budget=_budget,
)
