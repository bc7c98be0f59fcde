"""Zendesk's API: what is asked for each stream of its contracts.

What lives here: endpoints, limits, logins, and the audits made of ticket events. Not here: asking (pull.py). Written
from Zendesk's public documentation (docs/sources.md says what of it was tried against what).

Tickets and users come from the cursor exports, organizations and ticket events from the time-based ones; both exclude
the last minute and hold what was deleted. Audits are taken from the export of ticket events, as Zendesk asks: its list
of audits leaves out archived tickets and, read night after night, skips records.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from assets.pulling.rest.login import Basic, Bearer, ClientCredentials
from assets.pulling.rest.paging import BodyToken, Row
from assets.pulling.rest.vendor import Endpoint, Limit, LoginKind, Vendor

# The exports let 10 requests a minute through. Other lists count against the plan's limit; 200 is the smallest plan's.
_EXPORTS = Limit("exports", 10)
_LISTS = Limit("lists", 200)

_BY_CURSOR = BodyToken(token=("after_cursor",), asked_as="cursor", marker=("end_of_stream",), last_if=True)
_BY_TIME = BodyToken(token=("end_time",), asked_as="start_time", marker=("end_of_stream",), last_if=True)
_BY_LIST = BodyToken(
    token=("meta", "after_cursor"),
    asked_as="page[after]",
    marker=("meta", "has_more"),
    last_if=False,
    keeps=("start_time",),
    carries_on=False,
)

# Keys of a child event that name no field of the ticket.
_NO_FIELDS = frozenset(
    {"id", "via", "via_reference_id", "event_type", "previous_value", "comment_present", "comment_public"}
    | {"added_tags", "removed_tags", "audit_id", "created_at"}
)
# Names of channels as ticket events write them, where they differ from the ones of audits by more than case.
_CHANNELS = {"web_form": "web", "mail": "email", "web_service": "api", "web_service_(api)": "api"}


def _audit(event: Row) -> Row:
    """The audit that a ticket event is: the same update of a ticket, in other words."""
    return {
        "id": event.get("id"),
        "ticket_id": event.get("ticket_id"),
        "author_id": event.get("updater_id"),
        "created_at": _created_at(event),
        "events": [said for child in event.get("child_events") or [] for said in _events(child)],
        "via": _via(event.get("via")),
        "metadata": event.get("metadata") or ({"system": event["system"]} if event.get("system") else None),
    }


def _created_at(event: Row) -> str | None:
    if event.get("created_at"):
        return str(event["created_at"])
    at = event.get("timestamp")
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(at, int) else None


def _events(child: Row) -> Iterator[dict[str, Any]]:
    """What a child event tells: one event of an audit, or one for each field it sets."""
    kind = child.get("event_type") or child.get("type")
    told = {**child, "via": _via(child.get("via"))} if child.get("via") else dict(child)
    if kind not in {"Create", "Change"} or "field_name" in child:
        # A comment may be of a kind of its own, such as VoiceComment.
        told["type"] = child.get("type") or kind
        if "public" not in told and "comment_public" in told:
            told["public"] = told["comment_public"]
        yield told
        return
    about = {name: value for name, value in told.items() if name in _NO_FIELDS}
    fields = dict(_fields(child))
    if len(fields) > 1:
        # Of which of them it was the value before, nobody says.
        about.pop("previous_value", None)
    for name, value in fields.items():
        yield {**about, "type": kind, "field_name": name, "value": value}


def _fields(child: Row) -> Iterator[tuple[str, Any]]:
    for name, value in child.items():
        if name == "custom_ticket_fields" and isinstance(value, Mapping):
            yield from value.items()
        elif name not in _NO_FIELDS:
            yield name, value


def _via(via: Any) -> Any:  # noqa: ANN401 - a name, an object or nothing
    """The channel as an object, as audits have it."""
    if not isinstance(via, str):
        return via
    name = via.strip().lower().replace(" ", "_")
    return {"channel": _CHANNELS.get(name, name)}


def _token_of_user(email: str, api_token: str) -> Basic:
    return Basic(f"{email}/token", api_token)


def _client(client_id: str, client_secret: str) -> ClientCredentials:
    return ClientCredentials("/oauth/tokens", "read", client_id, client_secret, is_form=False)


def _export(path: str, data: str, paging: BodyToken, ordered_by: str, **more: Any) -> Endpoint:  # noqa: ANN401 - fields of Endpoint
    return Endpoint(
        path=f"/api/v2/incremental/{path}",
        data=data,
        paging=paging,
        begin="start_time",
        limit=_EXPORTS,
        # Asked by time only where no earlier extract left a place to go on from.
        overlap=timedelta(days=1),
        ordered_by=ordered_by,
        **{"params": {"per_page": "1000"}, **more},
    )


ZENDESK = Vendor(
    system="zendesk",
    example="https://nordlicht.zendesk.com",
    logins=(
        LoginKind(("email", "api_token"), _token_of_user),
        LoginKind(("access_token",), Bearer),
        LoginKind(("client_id", "client_secret"), _client),
    ),
    streams={
        "tickets": _export("tickets/cursor.json", "tickets", _BY_CURSOR, "generated_timestamp"),
        "users": _export("users/cursor.json", "users", _BY_CURSOR, "updated_at"),
        "organizations": _export("organizations.json", "organizations", _BY_TIME, "updated_at"),
        "ticket_audits": _export(
            "ticket_events.json",
            "ticket_events",
            _BY_TIME,
            "created_at",
            params={"per_page": "1000", "include": "comment_events"},
            reshape=lambda rows, _: [_audit(row) for row in rows],
        ),
        # Events are stamped with the time of the change and may be recorded later: the overlap catches these.
        "ticket_metric_events": _export(
            "ticket_metric_events.json", "ticket_metric_events", _BY_LIST, "time", params={"page[size]": "1000"}
        ),
        "satisfaction_ratings": Endpoint(
            path="/api/v2/satisfaction_ratings.json",
            data="satisfaction_ratings",
            paging=_BY_LIST,
            begin="start_time",
            limit=_LISTS,
            # The list is cut by the time a rating was made, but an answer may come, or change, weeks later.
            overlap=timedelta(days=30),
            ordered_by="created_at",
            params={"page[size]": "100"},
        ),
    },
    forgotten=frozenset({400, 404, 410, 422}),
)
