"""A survey tool that answers as SurveyMonkey's public documentation says, over HTTP on loopback (emulator_kit.py).

Made-up records only. Responses come by numbered pages, in the order of their last change, as they are when a page is
asked for; each answer says how many requests of the day are left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.emulator_kit import Asked, Body, Fault, Host, Row, Told

ACCESS_TOKEN = "access-token-of-the-test"
CREDENTIALS = {"access_token": ACCESS_TOKEN}


@dataclass
class Survey:
    """A survey: when it last changed, its questions, and its responses by id."""

    changed_at: int
    questions: list[Row]
    responses: dict[str, Row] = field(default_factory=dict)


@dataclass(kw_only=True)
class Account(Host):
    """The surveys of an account.

    Attributes:
        surveys: By id.
        day: Requests of a day that are let through; None: it says nothing of it.
        used: Those that are used.
        second_counts: What changed in the very second that is asked for comes too, which is not documented.
    """

    surveys: dict[str, Survey] = field(default_factory=dict)
    day: int | None = None
    used: int = 0
    second_counts: bool = True
    tokens: set[str] = field(default_factory=lambda: {ACCESS_TOKEN})

    def survey(self, name: str, questions: Sequence[Row] = (), at: int | None = None) -> Survey:
        """Make a survey."""
        return self.surveys.setdefault(name, Survey(self.now if at is None else at, list(questions)))

    def answer(self, survey: str, response: str, at: int, *answered: Row, **more: Any) -> None:
        """Give a response, or change one."""
        self.surveys[survey].responses[response] = {
            "id": response,
            "survey_id": survey,
            "recipient_id": "",
            "collection_mode": "default",
            "response_status": "completed",
            "ip_address": "192.0.2.1",
            "email_address": "",
            "date_created": _written(at - 60),
            "date_modified": _written(at),
            "custom_variables": {},
            "pages": [{"id": "1", "questions": list(answered)}],
            **more,
        }

    def page(self, asked: Asked) -> Told:
        """As `Host.page`."""
        self.used += 1
        told = self._told(asked)
        if self.day is None:
            return told
        left = {f"X-Ratelimit-App-Global-Day-{of}": str(n) for of, n in self._of_day().items()}
        return Told(told.status, told.body, {**told.headers, **left})

    def spoilt(self, fault: Fault, asked: Asked, body: Body) -> Told | None:
        """As `Host.spoilt`."""
        spoilt: dict[Fault, Body] = {
            "no data": {"links": {}, "total": 0, "per_page": 3},
            "no links": {"data": [], "total": 0, "per_page": 3},
            "no total": {"data": [], "links": {}, "per_page": 3},
            "nothing": {"data": [], "links": {"next": "?"}, "total": 900, "per_page": 3},
            "no place": {"data": [{"id": "1"}], "links": {}, "total": 900, "per_page": 1},
            "no time": {"data": [{"id": "1", "pages": [], "email_address": "ada@example.org"}]}
            | {"links": {}, "total": 1, "per_page": 3},
        }
        return Told(200, spoilt[fault]) if fault in spoilt else None

    def _of_day(self) -> dict[str, int]:
        return {"Limit": self.day or 0, "Remaining": max(0, (self.day or 0) - self.used)}

    def _told(self, asked: Asked) -> Told:
        match asked.path.removeprefix("/v3/surveys").strip("/").split("/"):
            case [""]:
                begin = asked.query.get("start_modified_at", "")
                names = [name for name, each in sorted(self.surveys.items()) if each.changed_at >= _second(begin)]
                return self._pages([{"id": name, "title": f"Survey {name}", "nickname": ""} for name in names], asked)
            case [name, "details"] if name in self.surveys:
                return Told(200, self._details(name))
            case [name, "responses", "bulk"] if name in self.surveys:
                return self._pages(self._responses(self.surveys[name], asked), asked)
            case _:
                return Told(404, {"error": {"id": "1020", "message": "Ada Lovelace"}})

    def _responses(self, survey: Survey, asked: Asked) -> list[Row]:
        assert (asked.query["sort_by"], asked.query["sort_order"]) == ("date_modified", "ASC")
        begin = _second(asked.query.get("start_modified_at", "")) + (0 if self.second_counts else 1)
        changed = [each for each in survey.responses.values() if _second(each["date_modified"]) >= begin]
        return sorted(changed, key=lambda each: (each["date_modified"], each["id"]))

    def _pages(self, rows: Sequence[Row], asked: Asked) -> Told:
        number, size = int(asked.query["page"]), min(int(asked.query["per_page"]), self.page_rows)
        following = {"next": f"https://api.surveymonkey.com{asked.path}?page={number + 1}"}
        links = {"self": "?", **(following if number * size < len(rows) else {})}
        shown = list(rows[(number - 1) * size : number * size])
        return Told(200, {"data": shown, "page": number, "per_page": size, "total": len(rows), "links": links})

    def _details(self, name: str) -> Row:
        survey = self.surveys[name]
        changed = datetime.fromtimestamp(survey.changed_at, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        pages = [{"id": "1", "questions": survey.questions}]
        return {"id": name, "title": f"Survey {name}", "date_modified": changed, "pages": pages}


def _written(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00")


def _second(said: str) -> int:
    if not said:
        return 0
    at = datetime.fromisoformat(said)
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())


def given(question: str, *answers: Row) -> Row:
    """What was answered to a question, as a response holds it."""
    return {"id": question, "answers": list(answers)}
