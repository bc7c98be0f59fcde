"""A survey tool that answers as Qualtrics' public documentation says, over HTTP on loopback (emulator_kit.py).

Made-up records only. Responses are exported by jobs, which take some asking until they are complete, fail, or are
forgotten; the file is a ZIP archive of one response a line.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from tests.emulator_kit import Asked, Body, Fault, Host, Row, Told, iso

API_TOKEN = "api-token-of-the-test"
CREDENTIALS = {"api_token": API_TOKEN}


@dataclass
class Survey:
    """A survey: its questions as its definition has them, what was recorded, its letters and what became of them."""

    name: str
    changed_at: int
    questions: dict[str, Row] = field(default_factory=dict)
    responses: dict[str, Row] = field(default_factory=dict)
    letters: dict[str, Row] = field(default_factory=dict)
    history: dict[str, list[Row]] = field(default_factory=dict)


@dataclass
class _Job:
    """An export: of which survey, of what was recorded from when on, and how often it was asked for."""

    survey: str
    since: str
    asked_for: int


@dataclass(kw_only=True)
class Brand(Host):
    """The surveys of an account.

    Attributes:
        surveys: By id.
        asking: How often a job is asked for until it is complete.
        failing: How many of the next jobs fail.
        jobs: Those that are known, by id.
        files: Those that are there, by id: what they hold.
    """

    login_header: str = "X-API-TOKEN"
    surveys: dict[str, Survey] = field(default_factory=dict)
    asking: int = 1
    failing: int = 0
    jobs: dict[str, _Job] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=lambda: {API_TOKEN})
    _made: int = 0

    def survey(self, name: str, questions: Mapping[str, Row] | None = None, at: int | None = None) -> Survey:
        """Make a survey, or say anew what it asks."""
        held = self.surveys.get(name)
        changed_at = self.now if at is None else at
        made = Survey(f"Survey {name}", changed_at, dict(questions or {}), held.responses if held else {})
        return self.surveys.setdefault(name, made) if held is None else self._replace(name, made)

    def answer(self, survey: str, response: str, at: int, **values: Any) -> None:
        """Record a response, or correct one: that moves no time of it."""
        responses = self.surveys[survey].responses
        held = responses.get(response)
        times = {"startDate": iso(at - 60), "endDate": iso(at), "recordedDate": iso(at)}
        told = {"status": 0, "progress": 100, "duration": 60, "finished": 1, "distributionChannel": "email"}
        begun = held["values"] if held else {**times, **told, "_recordId": response, "userLanguage": "EN"}
        labels = {name: f"Made up {name}" for name in values}
        responses[response] = {"responseId": response, "values": {**begun, **values}, "labels": labels}

    def letter(self, survey: str, name: str, at: int, *became: Row, kind: str = "Invite") -> None:
        """Send a letter to some people, or say anew what became of it."""
        held = self.surveys[survey]
        held.letters[name] = {"id": name, "requestType": kind, "sendDate": iso(at), "modifiedDate": iso(at)}
        held.history[name] = list(became)

    def forget(self) -> None:
        """Know nothing any more of what was exported."""
        self.jobs, self.files = {}, {}

    def page(self, asked: Asked) -> Told:
        """As `Host.page`."""
        return self._of_letters(asked) or self._of_surveys(asked)

    def _of_letters(self, asked: Asked) -> Told | None:
        match asked.path.removeprefix("/API/v3/").split("/"):
            case ["distributions"] if asked.query.get("surveyId") in self.surveys:
                assert asked.query["useNewPaginationScheme"] == "true"
                letters, since = self.surveys[asked.query["surveyId"]].letters, asked.query.get("sendStartDate", "")
                return self._paged([each for each in letters.values() if each["sendDate"] >= since], asked)
            case ["distributions", name, "history"]:
                return self._paged([row for each in self.surveys.values() for row in each.history.get(name, [])], asked)
        return None

    def _of_surveys(self, asked: Asked) -> Told:
        match asked.path.removeprefix("/API/v3/").split("/"):
            case ["surveys"]:
                return self._list(int(asked.query.get("offset", 0)))
            case ["survey-definitions", name] if name in self.surveys:
                return _result(self._definition(name))
            case ["surveys", name, "export-responses"] if name in self.surveys:
                said = json.loads(asked.body)
                assert said["format"] == "ndjson"
                return _result({**self._begin(name, said.get("startDate", "")), "status": "inProgress"})
            case ["surveys", _, "export-responses", job] if job in self.jobs:
                return _result(self._progress(job))
            case ["surveys", _, "export-responses", file, "file"] if file in self.files:
                return Told(200, self.files[file], {"Content-Type": "application/zip"})
            case _:
                return Told(404, {"meta": {"error": {"errorCode": "SR_404", "errorMessage": "Ada Lovelace"}}})

    def spoilt(self, fault: Fault, asked: Asked, body: Body) -> Told | None:
        """As `Host.spoilt`."""
        spoilt: dict[Fault, Body] = {
            "no result": {"meta": {}},
            "no marker": {"result": {"elements": []}},
            "odd state": {"result": {"status": "resting", "percentComplete": 100}},
            "no file": {"result": {"status": "complete", "fileId": None}},
            "no job": {"result": {"progressId": None, "status": "inProgress"}},
            "bomb": zipped(b"0" * 64 * 1024**2),
            "no archive": b"PK\x03\x04 Ada Lovelace",
            "two files": zipped(b"", b""),
            "damaged": zipped(b'{"responseId": "R_1", "values": {}}\n')[:-30],
            "no values": zipped(b'{"responseId": "R_1", "recipientEmail": "ada@example.org"}\n'),
            "no kind": {"result": {"elements": [{"id": "EMD_1"}], "nextPage": None}},
            "no status": {"result": {"elements": [{"contactId": "CID_1"}], "nextPage": None}},
            "half a line": zipped(b'{"responseId": "R_1", "val'),
        }
        return Told(200, spoilt[fault]) if fault in spoilt else None

    def _replace(self, name: str, made: Survey) -> Survey:
        self.surveys[name] = made
        return made

    def _list(self, offset: int) -> Told:
        names = sorted(self.surveys)
        shown = [
            {"id": name, "name": self.surveys[name].name, "lastModified": iso(self.surveys[name].changed_at)}
            for name in names[offset : offset + self.page_rows]
        ]
        more = offset + self.page_rows < len(names)
        following = f"https://fra1.qualtrics.com/API/v3/surveys?offset={offset + self.page_rows}" if more else None
        return _result({"elements": shown, "nextPage": following})

    def _paged(self, rows: list[Row], asked: Asked) -> Told:
        """A page of a list, with the whole query of the next one."""
        begin = int(asked.query.get("skipToken", 0))
        end = begin + self.page_rows
        query = urlencode({**asked.query, "skipToken": str(end)})
        following = f"https://fra1.qualtrics.com{asked.path}?{query}" if end < len(rows) else None
        return _result({"elements": rows[begin:end], "nextPage": following})

    def _definition(self, name: str) -> Row:
        survey = self.surveys[name]
        told = {"SurveyID": name, "SurveyName": survey.name, "SurveyStatus": "Active"}
        return {**told, "LastModified": iso(survey.changed_at), "Questions": survey.questions or []}

    def _begin(self, name: str, since: str) -> Row:
        self._made += 1
        job = f"ES_{self._made}"
        self.jobs[job] = _Job(name, since, 0)
        return {"progressId": job, "percentComplete": 0.0}

    def _progress(self, number: str) -> Row:
        job = self.jobs[number]
        job.asked_for += 1
        if job.asked_for <= self.asking:
            return {"percentComplete": 50.0, "status": "inProgress"}
        if self.failing:
            self.failing -= 1
            return {"percentComplete": 100.0, "status": "failed", "fileId": None}
        file = f"file-{number}"
        rows = [
            row for row in self.surveys[job.survey].responses.values() if row["values"]["recordedDate"] >= job.since
        ]
        self.files.setdefault(file, zipped(b"".join(json.dumps(row).encode() + b"\n" for row in rows)))
        return {"percentComplete": 100.0, "status": "complete", "fileId": file}


def _result(told: Row) -> Told:
    return Told(200, {"result": told, "meta": {"httpStatus": "200 - OK"}})


def zipped(*files: bytes) -> bytes:
    """An archive of some files."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, file in enumerate(files):
            archive.writestr(f"survey {number}.ndjson", file)
    return made.getvalue()
