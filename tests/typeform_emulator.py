"""A tool for forms that answers as Typeform's public documentation says, over HTTP on loopback (emulator_kit.py).

Made-up records only. Responses come from the newest on, those before a token where one is named.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.emulator_kit import Asked, Body, Fault, Host, Row, Told, iso

ACCESS_TOKEN = "personal-token-of-the-test"
CREDENTIALS = {"access_token": ACCESS_TOKEN}


@dataclass
class Form:
    """A form: its questions, and its responses by token."""

    changed_at: int
    fields: list[Row]
    responses: dict[str, Row] = field(default_factory=dict)


@dataclass(kw_only=True)
class Workspace(Host):
    """The forms of an account.

    Attributes:
        forms: By id.
        counts_all: The total of a page that is asked for by a token counts those behind the token too.
    """

    forms: dict[str, Form] = field(default_factory=dict)
    counts_all: bool = False
    tokens: set[str] = field(default_factory=lambda: {ACCESS_TOKEN})

    def form(self, name: str, fields: Sequence[Row] = (), at: int | None = None) -> Form:
        """Make a form."""
        made = Form(self.now if at is None else at, list(fields))
        return self.forms.setdefault(name, made)

    def answer(self, form: str, token: str, at: int, *answers: Row, **hidden: str) -> None:
        """Submit a response."""
        self.forms[form].responses[token] = {
            "landing_id": token,
            "token": token,
            "response_id": token,
            "landed_at": iso(at - 60),
            "submitted_at": iso(at),
            "metadata": {"user_agent": "Made up"},
            "hidden": hidden,
            "calculated": {"score": 0},
            "answers": list(answers) or None,
        }

    def page(self, asked: Asked) -> Told:
        """As `Host.page`."""
        match asked.path.strip("/").split("/"):
            case ["forms"]:
                return self._list(int(asked.query["page"]), min(int(asked.query["page_size"]), self.page_rows))
            case ["forms", name] if name in self.forms:
                return Told(200, {"id": name, "title": f"Form {name}", "fields": self.forms[name].fields})
            case ["forms", name, "responses"] if name in self.forms:
                return self._responses(self.forms[name], asked)
            case _:
                return Told(404, {"code": "FORM_NOT_FOUND", "description": "Ada Lovelace"})

    def spoilt(self, fault: Fault, asked: Asked, body: Body) -> Told | None:
        """As `Host.spoilt`."""
        spoilt: dict[Fault, Body] = {
            "no items": {"total_items": 3, "page_count": 2},
            "no total": {"items": []},
            "nothing": {**body, "items": [], "page_count": 9} if isinstance(body, dict) else body,
            "no token": {"items": [{"response_id": "a", "submitted_at": iso(0)}], "total_items": 3},
            "no time": {"items": [{"response_id": "a", "token": "a", "email": "ada@example.org"}], "total_items": 3},
        }
        return Told(200, spoilt[fault]) if fault in spoilt else None

    def _list(self, number: int, size: int) -> Told:
        names = sorted(self.forms)
        shown = [
            {"id": name, "title": f"Form {name}", "last_updated_at": iso(self.forms[name].changed_at)}
            for name in names[(number - 1) * size : number * size]
        ]
        return Told(200, {"total_items": len(names), "page_count": -(-len(names) // size), "items": shown})

    def _responses(self, form: Form, asked: Asked) -> Told:
        since, before = asked.query.get("since", ""), asked.query.get("before")
        order = sorted(form.responses.values(), key=lambda each: (each["submitted_at"], each["token"]), reverse=True)
        wanted = [each for each in order if _second(each["submitted_at"]) >= (_second(f"{since}Z") if since else 0)]
        begin = 0
        if before:
            tokens = [each["token"] for each in wanted]
            if before not in tokens:
                return Told(400, {"code": "TOKEN_NOT_FOUND"})
            begin = tokens.index(before) + 1
        size = min(int(asked.query["page_size"]), self.page_rows)
        total = len(wanted) - (0 if self.counts_all else begin)
        shown = wanted[begin : begin + size]
        return Told(200, {"total_items": total, "page_count": -(-total // size), "items": shown})


def _second(said: str) -> int:
    return int(datetime.fromisoformat(said).astimezone(UTC).timestamp())


def given(question: str, kind: str, value: Any) -> Row:
    """An answer, as a response holds it."""
    return {"field": {"id": f"id-{question}", "ref": question, "type": kind}, "type": kind, kind: value}
