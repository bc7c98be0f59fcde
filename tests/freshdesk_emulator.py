"""A help desk that answers as Freshdesk's public documentation says, over HTTP on loopback (emulator_kit.py).

Made-up records only. Lists are bare, their pages numbers in the list as it is when a page is asked for; tickets come in
the order of their last change, contacts in that of their names, and no page of tickets is told behind the 300th.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.emulator_kit import Asked, Body, Fault, Host, Row, Told, iso

API_KEY = "api-key-of-the-test"
CREDENTIALS = {"api_key": API_KEY}
VERSION = {"X-Freshdesk-API-Version": "latest=v2; requested=v2"}
_MONTH = 30 * 86_400


def second(said: str) -> int:
    """A time it wrote, in seconds."""
    return int(datetime.fromisoformat(said).timestamp())


@dataclass(kw_only=True)
class Desk(Host):
    """The records of a help desk.

    Attributes:
        tables: Its records by id, by table; of messages, by ticket and id.
        state: Tickets in the trash or the spam folder, and contacts that are blocked or deleted, by table and id.
        messages: What was said, by ticket.
        second_counts: What changed in the very second that is asked for comes too, which is not documented.
        most_pages: Pages of tickets that are told.
    """

    tables: dict[str, dict[int, Row]] = field(default_factory=dict)
    state: dict[tuple[str, int], str] = field(default_factory=dict)
    messages: dict[int, list[Row]] = field(default_factory=dict)
    second_counts: bool = True
    most_pages: int = 300

    def put(self, table: str, number: int, at: int | None = None, /, **said: Any) -> None:
        """Make or change a record: at a time, or now."""
        at = self.now if at is None else at
        made = {"id": number, "created_at": iso(at)}
        before = self.tables.setdefault(table, {}).get(number, made)
        self.tables[table][number] = {**before, **said, "updated_at": iso(at)}

    def ticket(self, number: int, at: int | None = None, /, **said: Any) -> None:
        """Make or change a ticket."""
        made = ticket(number) if number not in self.rows("tickets") else {}
        self.put("tickets", number, at, **{**made, **said})

    def contact(self, number: int, at: int | None = None, /, **said: Any) -> None:
        """Make or change a contact."""
        made = {"name": f"Made up {number:03}", "email": f"person{number}@example.org", "active": True}
        self.put("contacts", number, at, **{**(made if number not in self.rows("contacts") else {}), **said})

    def say(self, number: int, on: int, at: int, user: int, **said: Any) -> None:
        """Say something on a ticket."""
        self.messages.setdefault(on, []).append(
            {"id": number, "ticket_id": on, "user_id": user, "incoming": user >= 5000, "private": False, "source": 0}
            | {"body_text": "Made up", "created_at": iso(at), "updated_at": iso(at)}
            | said
        )

    def rate(self, number: int, on: int, at: int, **ratings: int) -> None:
        """Rate a ticket."""
        asked = self.rows("tickets")[on]
        who = {"user_id": asked["requester_id"], "agent_id": asked["responder_id"], "group_id": asked["group_id"]}
        said = {"survey_id": 1, "ticket_id": on, "feedback": "Made up", "ratings": ratings}
        self.put("satisfaction_ratings", number, at, **who, **said)

    def move(self, table: str, number: int, state: str) -> None:
        """Put a record into another list, which is a change of it."""
        if number in self.rows(table):
            self.put(table, number)
            self.state[table, number] = state

    def purge(self, table: str, number: int) -> None:
        """Remove a record for good."""
        self.rows(table).pop(number, None)

    def rows(self, table: str) -> dict[int, Row]:
        """All records of a table as they are now, by id."""
        return self.tables.setdefault(table, {})

    def is_known(self, login: str) -> bool:
        """As `Host.is_known`."""
        return login == f"Basic {base64.b64encode(f'{API_KEY}:X'.encode()).decode()}"

    def page(self, asked: Asked) -> Told:
        """As `Host.page`."""
        said = asked.query
        match asked.path.removeprefix("/api/v2/").split("/"):
            case ["tickets"] if int(said["page"]) > self.most_pages:
                return Told(400, {"description": "Validation failed"}, VERSION)
            case ["tickets"]:
                rows = self._tickets(said)
            case ["tickets", number, "conversations"] if self.is_live(int(number)):
                rows = self.messages.get(int(number), [])
            case ["contacts"]:
                found = self._changed("contacts", said["_updated_since"], said.get("state", ""))
                rows = sorted(found, key=lambda each: (each["name"], each["id"]))
            case ["surveys", "satisfaction_ratings"]:
                since, known = second(said["created_since"]), self.rows("satisfaction_ratings").values()
                rows = [each for each in known if second(each["created_at"]) >= since]
            case ["companies" | "agents" as table]:
                rows = list(self.rows(table).values())
            case _:
                return Told(404, b"", VERSION)
        return self._page(asked, rows)

    def is_live(self, number: int) -> bool:
        """Whether a ticket is there, and neither in the trash nor in the spam folder."""
        return number in self.rows("tickets") and ("tickets", number) not in self.state

    def spoilt(self, fault: Fault, asked: Asked, body: Body) -> Told | None:
        """As `Host.spoilt`."""
        more = {**VERSION, "Link": f'<https://desk.invalid{asked.path}?page=2>; rel="next"'}
        match fault:
            case "no header":
                return Told(200, body)
            case "nothing":
                return Told(200, [], more)
            case "no number":
                return Told(200, [{"id": "x", "email": "ada@example.org"}], VERSION)
            case "no time":
                return Told(200, [{"id": 1, "email": "ada@example.org"}], more)
            case "not in the plan":
                return Told(403, {"code": "require_feature", "message": "Ada Lovelace"}, VERSION)
        return None

    def _tickets(self, said: Mapping[str, str]) -> list[Row]:
        assert (said["order_by"], said["order_type"]) == ("updated_at", "asc")
        found = self._changed("tickets", said.get("updated_since", iso(self.now - _MONTH)), said.get("filter", ""))
        left_out = {"stats", "description", "description_text"} - set(said.get("include", "").split(","))
        if "description" not in left_out:
            left_out.discard("description_text")
        told = [{name: value for name, value in each.items() if name not in left_out} for each in found]
        return sorted(told, key=lambda each: (each["updated_at"], each["id"]))

    def _changed(self, table: str, since: str, state: str) -> list[Row]:
        """Records of a list that changed since a time."""
        begin = second(since) + (0 if self.second_counts else 1)
        known = self.rows(table).items()
        return [
            row
            for number, row in known
            if self.state.get((table, number), "") == state and second(row["updated_at"]) >= begin
        ]

    def _page(self, asked: Asked, rows: Sequence[Row]) -> Told:
        number, size = int(asked.query["page"]), min(int(asked.query["per_page"]), self.page_rows)
        following = f'<https://desk.invalid{asked.path}?page={number + 1}>; rel="next"'
        link = {"Link": following} if number * size < len(rows) else {}
        return Told(200, list(rows[(number - 1) * size : number * size]), {**VERSION, **link})


def ticket(number: int) -> Row:
    """A ticket, with fields the contract knows and fields it does not."""
    return {
        "subject": f"Made up {number}",
        "description": "<p>Where is it?</p>",
        "description_text": "Where is it?",
        "type": "Question",
        "priority": 2,
        "status": 2,
        "source": 1,
        "requester_id": 5_000 + number % 997,
        "responder_id": 17 + number % 5,
        "group_id": 3,
        "company_id": None,
        "product_id": None,
        "cc_emails": ["ada@example.org"],
        "tags": ["vip"],
        "custom_fields": {"cf_order": "order-77", "cf_note": None},
        "due_by": "2026-06-09T10:00:00Z",
        "fr_due_by": "2026-06-03T10:00:00Z",
        "is_escalated": False,
        "fr_escalated": False,
        "stats": {"first_responded_at": None, "resolved_at": None, "closed_at": None, "reopened_at": None},
    }
