"""SurveyMonkey's API: what is asked for each stream of its contracts.

What lives here: the list of surveys, the pages of a survey's responses, questions made of its details, the login and
limits. Not here: asking (pull.py), the way from survey to survey (surveys.py). Written from SurveyMonkey's public
documentation (docs/sources.md says what of it was tried against what).

Responses come in the order of their last change. Pages are numbers in that order, which slip when a response changes
meanwhile: so each page is asked for from the second of the last change before it on, and the next number only where
more changed within that than a page holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from assets.pulling.rest.budget import Budget
from assets.pulling.rest.http import Request
from assets.pulling.rest.login import Bearer
from assets.pulling.rest.paging import NotAPage, Params, Row, time_of
from assets.pulling.rest.rows import parse, rows_of
from assets.pulling.rest.surveys import each_survey, is_list, listed, of_a_survey, survey_of
from assets.pulling.rest.vendor import Limit, LoginKind, Vendor

# Of 120 a minute; the day's are counted by the vendor (`_budget`).
_REQUESTS = Limit("requests", 100)
_PAGE_ROWS = 100
_DAY = "X-Ratelimit-App-Global-Day-"


def _instant(at: str) -> str:
    return datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _rows(answer: Mapping[str, Any], number: int) -> tuple[list[Row], bool]:
    """The rows of a numbered page, and whether it is the last: by its links and by the number of all."""
    rows, links, total = rows_of(answer, "data"), answer.get("links"), answer.get("total")
    size = answer.get("per_page")
    if not isinstance(links, dict) or type(total) is not int or type(size) is not int:
        raise NotAPage("without the end marker 'links', 'total' and 'per_page'")
    follows = total > number * size
    if follows and (not rows or not links.get("next")):
        raise NotAPage("that says more follows, but not where ('links.next' is empty), or holds nothing")
    return rows, not follows


def _list_request(place: Params, changed: Params) -> Request:
    return Request("/v3/surveys", {"page": place.get("list", "1"), "per_page": str(_PAGE_ROWS), **changed})


def _surveys(body: bytes, place: Params) -> Mapping[str, Any]:
    number = int(place.get("list", "1"))
    surveys, is_last = _rows(parse(body), number)
    return listed((survey.get("id") for survey in surveys), None if is_last else str(number + 1))


def _asks_responses(place: Params, _: Sequence[str]) -> Request:
    if is_list(place):
        return _list_request(place, {})
    begin = place.get("from", place["since"])
    return Request(
        f"/v3/surveys/{survey_of(place)}/responses/bulk",
        {
            "page": place.get("page", "1"),
            "per_page": str(_PAGE_ROWS),
            "sort_by": "date_modified",
            "sort_order": "ASC",
            **({"start_modified_at": _instant(begin)} if begin != "0" else {}),
        },
    )


def _read_responses(body: bytes, place: Params) -> Mapping[str, Any]:
    if is_list(place):
        return _surveys(body, place)
    number, begin = int(place.get("page", "1")), int(place.get("from", place["since"]))
    rows, is_last = _rows(parse(body), number)
    told = [_response(row, survey_of(place)) for row in rows]
    if is_last:
        return of_a_survey(told, None)
    # One second less: whether its own second belongs to what changed since is not said.
    reached = max(int(time_of(row["date_modified"]).timestamp()) for row in told) - 1
    return of_a_survey(
        told, {"from": str(reached)} if reached > begin else {"from": str(begin), "page": str(number + 1)}
    )


def _response(told: Row, survey: str) -> Row:
    """A response: custom variables by their names, answers by question and row."""
    variables, pages = told.get("custom_variables") or {}, told.get("pages")
    if not isinstance(told.get("id"), str) or not isinstance(variables, dict) or not isinstance(pages, list):
        raise NotAPage("with a response that has no 'id' or no 'pages'")
    time_of(told.get("date_modified"))
    answers: dict[str, Any] = {}
    for question, value in _answers(pages):
        before = answers.get(question)
        answers[question] = value if before is None else [*(before if isinstance(before, list) else [before]), value]
    taken = ("response_status", "collection_mode", "date_created", "date_modified", "email_address")
    return {
        **variables,
        **{name: told.get(name) or None for name in taken},
        "response_id": told["id"],
        "survey_id": survey,
        "answers": answers or None,
    }


def _answers(pages: Sequence[Any]) -> Iterator[tuple[str, str]]:
    """What was answered to which question: the id of a choice, else the words."""
    try:
        for page in pages:
            for question in page.get("questions") or []:
                for answer in question["answers"]:
                    name = f"{question['id']}_{answer['row_id']}" if answer.get("row_id") else question["id"]
                    if value := answer.get("choice_id") or answer.get("text"):
                        yield str(name), str(value)
    except (KeyError, TypeError, AttributeError):
        raise NotAPage("with a response whose answers are none") from None


def _asks_questions(place: Params, _: Sequence[str]) -> Request:
    if is_list(place):
        return _list_request(place, {"start_modified_at": _instant(place["since"])} if place["since"] != "0" else {})
    return Request(f"/v3/surveys/{survey_of(place)}/details")


def _read_questions(body: bytes, place: Params) -> Mapping[str, Any]:
    if is_list(place):
        return _surveys(body, place)
    details = parse(body)
    if not isinstance(details.get("date_modified"), str):
        raise NotAPage("without 'date_modified'")
    about = {
        "survey_id": survey_of(place),
        "survey_title": details.get("title"),
        "date_modified": details["date_modified"],
    }
    asked = [question for page in rows_of(details, "pages") for question in rows_of(page, "questions")]
    return of_a_survey([{**about, **row} for question in asked for row in _questions(question)], None)


def _questions(asked: Row) -> Iterator[Row]:
    """The columns that answers to a question stand in: itself, or each row of it."""
    if asked.get("family") == "presentation":
        return
    try:
        held, headings = asked.get("answers") or {}, asked.get("headings") or [{}]
        choices, rows = held.get("choices") or [], held.get("rows") or []
        told = {
            "question_text": headings[0].get("heading"),
            "question_type": f"{asked['family']} {asked.get('subtype')}",
            "metric": "other",
            "choices": {choice["id"]: choice.get("text") for choice in choices} or None,
            **_worth(choices),
        }
        names = [f"{asked['id']}_{row['id']}" for row in rows] or [asked["id"]]
    except (KeyError, TypeError, AttributeError):
        raise NotAPage("with a question that is none") from None
    for name in names:
        yield {**told, "question_id": name}


def _worth(choices: Sequence[Row]) -> Row:
    """What choices are worth: their weights, which make a scale; without weights their places, which make none."""
    weights = {choice["id"]: choice["weight"] for choice in choices if type(choice.get("weight")) is int}
    if weights:
        return {"recode_values": weights, "scale_min": min(weights.values()), "scale_max": max(weights.values())}
    places = {choice["id"]: choice["position"] for choice in choices if type(choice.get("position")) is int}
    return {"recode_values": places or None}


def _budget(headers: Mapping[str, str]) -> Budget | None:
    allowed, left = (headers.get(f"{_DAY}{of}", "") for of in ("Limit", "Remaining"))
    return Budget(int(allowed) - int(left), int(allowed)) if allowed.isdecimal() and left.isdecimal() else None


SURVEYMONKEY = Vendor(
    system="surveymonkey",
    example="https://api.surveymonkey.com",
    logins=(LoginKind(("access_token",), Bearer),),
    streams={
        "responses": each_survey(
            "/v3/surveys/responses",
            _REQUESTS,
            overlap=timedelta(hours=1),
            ordered_by="date_modified",
            asks=_asks_responses,
            read=_read_responses,
        ),
        "questions": each_survey(
            "/v3/surveys/details",
            _REQUESTS,
            # Dates of surveys bear no offset: a day more than any zone is off.
            overlap=timedelta(days=2),
            ordered_by="date_modified",
            asks=_asks_questions,
            read=_read_questions,
        ),
    },
    forgotten=frozenset({404}),
    budget=_budget,
)
