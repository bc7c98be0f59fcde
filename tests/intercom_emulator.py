"""A help desk that answers as Intercom's public description of its API says, over HTTP on loopback (emulator_kit.py).

Made-up records only. A search finds contacts by whole days of the workspace's zone, and its place names the time and id
of the last row, or, where a test asks for it, a number of rows, which slips when a record changes.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.emulator_kit import Asked, Body, Fault, Host, Row, Told

ACCESS_TOKEN = "access-token-of-the-test"
CREDENTIALS = {"access_token": ACCESS_TOKEN}
RELEASE = "2.16"
_DAY = 86_400
_GONE = Told(404, {"type": "error.list", "errors": [{"code": "not_found", "message": "Resource Not Found"}]})


@dataclass(kw_only=True)
class Workspace(Host):
    """The records of a workspace.

    Attributes:
        offset: Seconds its zone is ahead of UTC.
        counts_places: A search's place is a number of rows.
        age: Stands in the places of searches; those of another age are not known any more.
        most_parts: How many parts of a conversation are shown, the last ones.
        conversations: By number, without their parts.
        parts: Of conversations, by number.
        contacts: By id.
        merged: Contacts that were merged away: when, and into which.
        companies: By id.
        admins: All there are.
    """

    tells_its_time: bool = True
    offset: int = 7200
    counts_places: bool = False
    age: int = 1
    most_parts: int = 500
    conversations: dict[int, Row] = field(default_factory=dict)
    parts: dict[int, list[Row]] = field(default_factory=dict)
    contacts: dict[str, Row] = field(default_factory=dict)
    merged: dict[str, tuple[int, str]] = field(default_factory=dict)
    companies: dict[str, Row] = field(default_factory=dict)
    admins: list[Row] = field(default_factory=list)
    tokens: set[str] = field(default_factory=lambda: {ACCESS_TOKEN})

    def conversation(self, number: int, at: int | None = None, /, **more: Any) -> None:
        """Make or change a conversation: at a time, or now."""
        now = self.now if at is None else at
        old = self.conversations.get(number) or conversation(number, now)
        self.conversations[number] = {**old, **more, "updated_at": now}

    def part(self, number: int, kind: str, author: Row, at: int | None = None, /, **more: Any) -> None:
        """Add a part to a conversation, which changes it."""
        now = self.now if at is None else at
        told = self.parts.setdefault(number, [])
        place = 100 * number + len(told)
        body = "<p>Made up</p>" if kind in {"comment", "note"} else None
        made = {"id": str(place), "part_type": kind, "author": author, "body": body, "assigned_to": None}
        told.append({**made, "created_at": now, "updated_at": now, **more})
        state = {"close": "closed", "open": "open", "snoozed": "snoozed"}.get(kind)
        self.conversation(number, now, **({"state": state} if state else {}))

    def contact(self, name: str, at: int | None = None, /, **more: Any) -> None:
        """Make or change a contact: at a time, or now."""
        now = self.now if at is None else at
        made = {"type": "contact", "id": name, "role": "user", "email": f"{name}@example.org", "created_at": now}
        self.contacts[name] = {**made, **self.contacts.get(name, {}), **more, "updated_at": now}

    def merge(self, loser: str, winner: str) -> None:
        """Merge a contact into a user: it is in no list any more."""
        if loser != winner and {loser, winner} <= set(self.contacts) and self.contacts[winner]["role"] == "user":
            del self.contacts[loser]
            self.merged[loser] = self.now, winner
            self.contact(winner)

    def company(self, name: str, at: int, **more: Any) -> None:
        """Make or change a company, or have it seen again."""
        made = {"type": "company", "id": name, "name": f"Made up {name}", "updated_at": at}
        self.companies[name] = {**made, **self.companies.get(name, {}), "last_request_at": at, **more}

    def page(self, asked: Asked) -> Told:
        """As `Host.page`."""
        if asked.headers.get("Intercom-Version") != RELEASE:
            return Told(400, {"type": "error.list", "errors": [{"code": "intercom_version_invalid"}]})
        return self._searched(asked) or self._asked(asked)

    def _searched(self, asked: Asked) -> Told | None:
        if asked.path == "/conversations/search":
            return self._search("conversations", list(self.conversations.values()), asked, by_day=False)
        if asked.path == "/contacts/search":
            return self._search("data", list(self.contacts.values()), asked, by_day=True)
        return None

    def _asked(self, asked: Asked) -> Told:
        match asked.path.strip("/").split("/"):
            case ["conversations", number]:
                return self._with_parts(int(number))
            case ["contacts", name]:
                return self._with_merged(name, asked.query)
            case ["companies", "list"] if asked.body:
                return self._listed(asked.query)
            case ["admins"]:
                return Told(200, {"type": "admin.list", "admins": self.admins})
            case _:
                return _GONE

    def spoilt(self, fault: Fault, asked: Asked, body: Body) -> Told | None:
        """As `Host.spoilt`."""
        lacks = {"no rows": {"conversations", "data", "admins"}, "no pages": {"pages"}, "no total": {"total_count"}}
        lacks |= {"no marker": {"pages", "type"}}
        spoilt = {
            "no place": {"pages": {"next": {}}},
            "nothing": {"pages": {"next": {"starting_after": "x"}}, "conversations": [], "data": []},
            "fewer": {"pages": {"next": None}, "total_count": 10**6},
            "no time": {"conversations": [{"id": "1"}], "data": [{"id": "1"}]},
            "other record": {"id": "0"},
            "no parts": {"conversation_parts": {"type": "conversation_part.list"}},
            "no history": {"merge_history": None},
            "too many": {"total_count": 10_001},
            "other page": {"pages": {"page": 2, "total_pages": 2}},
            "no companies": {"data": []},
        }
        match fault:
            case "429 until":
                return Told(429, {"type": "error.list"}, {"X-RateLimit-Reset": str(self.now)})
            case "429 until tomorrow":
                return Told(429, {"type": "error.list"}, {"X-RateLimit-Reset": str(self.now + _DAY)})
            case "no plan":
                said = {"code": "api_plan_restricted", "message": "Ada Lovelace"}
                return Told(403, {"type": "error.list", "errors": [said]})
            case _ if fault in lacks:
                return Told(200, {key: value for key, value in body.items() if key not in lacks[fault]})
            case _:
                return Told(200, body | spoilt[fault]) if fault in spoilt else None

    def _search(self, data: str, rows: list[Row], asked: Asked, *, by_day: bool) -> Told:
        said = json.loads(asked.body)
        (sought,) = said["query"]["value"]
        assert (sought["field"], sought["operator"]) == ("updated_at", ">")
        assert said["sort"] == {"field": "updated_at", "order": "descending"}
        found = [row for row in rows if self._is_later(row["updated_at"], sought["value"], by_day=by_day)]
        found.sort(key=_order, reverse=True)
        size, after = min(said["pagination"]["per_page"], self.page_rows, 150), said["pagination"].get("starting_after")
        age, *place = json.loads(base64.b64decode(after)) if after else [self.age]
        if age != self.age:
            return Told(400, {"type": "error.list", "errors": [{"code": "parameter_invalid"}]})
        behind = self._behind(found, place) if place else found
        page = behind[:size]
        seen = len(found) - len(behind) + len(page)
        token = [self.age, *([seen] if self.counts_places else _order(page[-1]) if page else ())]
        more = {"next": {"starting_after": base64.b64encode(json.dumps(token).encode()).decode()}}
        pages = {"type": "pages", "per_page": size, **(more if len(behind) > size else {})}
        return Told(200, {"type": "list", data: page, "total_count": len(found), "pages": pages})

    def _behind(self, found: list[Row], place: list[Any]) -> list[Row]:
        if self.counts_places:
            return found[place[0] :]
        return [row for row in found if [*_order(row)] < place]

    def _is_later(self, at: int, than: int, *, by_day: bool) -> bool:
        """Contacts are later than a day; then, or else, seconds count."""
        if not by_day:
            return at > than
        return (at + self.offset) // _DAY > (than + self.offset) // _DAY

    def _with_parts(self, number: int) -> Told:
        if number not in self.conversations:
            return _GONE
        told = self.parts.get(number, [])
        parts = {"type": "conversation_part.list", "conversation_parts": told[-self.most_parts :]}
        return Told(200, self.conversations[number] | {"conversation_parts": parts | {"total_count": len(told)}})

    def _with_merged(self, name: str, query: Mapping[str, str]) -> Told:
        if name in self.merged:
            return Told(410, {"type": "error.list", "errors": [{"code": "contact_merged"}]})
        if name not in self.contacts:
            return _GONE
        history = [
            {"type": "merge_history", "source_contact_id": loser, "source_contact_role": "lead", "merged_at": at}
            for loser, (at, winner) in self.merged.items()
            if winner == name
        ]
        asks = query.get("include_merge_history") == "true" and self.contacts[name]["role"] == "user"
        return Told(200, self.contacts[name] | ({"merge_history": history} if asks else {}))

    def _listed(self, query: Mapping[str, str]) -> Told:
        """Those that were seen last first."""
        assert query["order"] == "desc"
        found = sorted(self.companies.values(), key=lambda row: row["last_request_at"], reverse=True)
        size, number = min(int(query["per_page"]), self.page_rows), int(query["page"])
        pages = {"type": "pages", "next": None, "page": number, "per_page": size, "total_pages": -(-len(found) // size)}
        page = found[size * (number - 1) :][:size]
        return Told(200, {"type": "list", "data": page, "pages": pages, "total_count": len(found)})


def _order(row: Row) -> tuple[int, str]:
    return row["updated_at"], str(row["id"])


def conversation(number: int, at: int) -> Row:
    """A conversation that a contact began."""
    author = {"type": "user", "id": "ann", "name": "Ann Made-Up", "email": "ann@example.org"}
    return {
        "type": "conversation",
        "id": str(number),
        "title": None,
        "created_at": at,
        "updated_at": at,
        "state": "open",
        "priority": "none",
        "admin_assignee_id": 0,
        "team_assignee_id": 0,
        "tags": {"type": "tag.list", "tags": []},
        "source": {"type": "conversation", "id": "1", "delivered_as": "customer_initiated", "subject": ""}
        | {"body": "<p>Made up</p>", "author": author},
        "contacts": {"type": "contact.list", "contacts": [{"type": "contact", "id": "ann"}]},
        "conversation_rating": None,
        "statistics": None,
    }
