"""Qualtrics' API: what is asked for each stream of its contracts.

What lives here: the list of surveys, the job that exports a survey's responses, questions made of a survey's
definition, who was invited and what became of it, the login and limits. Not here: asking (pull.py), the way from survey
to survey (surveys.py). Written from Qualtrics' public documentation (docs/sources.md says what of it was tried against
what).

Responses are exported by a job: it is begun, asked for until it is complete, and its file fetched. Each of these is a
page of the delivery, so a pull that is killed goes on with the job it began. A survey is exported from a time of
recording on, again and again: what changes in a response moves no time, and a continuation token tells only what was
recorded since.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from assets.pulling.rest.http import Request
from assets.pulling.rest.login import OwnHeader
from assets.pulling.rest.paging import NotAPage, NotMade, Params, Row, time_of
from assets.pulling.rest.rows import parse
from assets.pulling.rest.surveys import each_survey, is_list, listed, not_ready, of_a_survey, survey_of
from assets.pulling.rest.unzip import lines_of
from assets.pulling.rest.vendor import Limit, LoginKind, Vendor

_ROOT = "/API/v3"
_SURVEYS = f"{_ROOT}/surveys"
# Of those a brand lets through in a minute, thousands, a small part: a night is not the only one who asks.
_REQUESTS = Limit("requests", 300)
# So many responses of a file are a page; the file is fetched again for those behind them.
_PAGE_ROWS = 20_000
# What an export as JSON calls the columns of one as CSV.
_COLUMNS = {
    "startDate": "StartDate",
    "endDate": "EndDate",
    "status": "Status",
    "ipAddress": "IPAddress",
    "progress": "Progress",
    "duration": "Duration (in seconds)",
    "finished": "Finished",
    "recordedDate": "RecordedDate",
    "recipientLastName": "RecipientLastName",
    "recipientFirstName": "RecipientFirstName",
    "recipientEmail": "RecipientEmail",
    "externalDataReference": "ExternalReference",
    "locationLatitude": "LocationLatitude",
    "locationLongitude": "LocationLongitude",
    "distributionChannel": "DistributionChannel",
    "userLanguage": "UserLanguage",
}
_QUESTION = "QID"
# Part distributions that are left from each other, and what is known of each.
_PARTED, _KIND = ".", "~"
# Text that is only shown, and what the browser tells: nobody answers them.
_NO_QUESTIONS = frozenset({"DB", "Timing", "Meta", "Captcha"})


def _result(body: bytes) -> Mapping[str, Any]:
    result = parse(body).get("result")
    if not isinstance(result, dict):
        raise NotAPage("without the object 'result'")
    return result


def _elements(body: bytes) -> tuple[list[Mapping[str, Any]], str | None]:
    """What stands on a page of a list, and the query of the next one."""
    result = _result(body)
    elements, following = result.get("elements"), result.get("nextPage", "")
    if not isinstance(elements, list) or not all(isinstance(each, dict) for each in elements):
        raise NotAPage("without the list 'result.elements'")
    if following is None:
        return elements, None
    if not isinstance(following, str) or not (query := urlsplit(following).query):
        raise NotAPage("without the end marker 'result.nextPage'")
    return elements, query


def _list_request(place: Params) -> Request:
    return Request(_SURVEYS, dict(parse_qsl(place.get("list", ""))))


def _asks_responses(place: Params, _: Sequence[str]) -> Request:
    if is_list(place):
        return _list_request(place)
    exports = f"{_SURVEYS}/{survey_of(place)}/export-responses"
    if "file" in place:
        return Request(f"{exports}/{place['file']}/file", accept="application/octet-stream, application/json")
    if "job" in place:
        return Request(f"{exports}/{place['job']}")
    since = datetime.fromtimestamp(int(place["since"]), UTC)
    window = {"startDate": since.strftime("%Y-%m-%dT%H:%M:%SZ")} if place["since"] != "0" else {}
    return Request(exports, body={"format": "ndjson", "timeZone": "UTC", **window})


def _read_responses(body: bytes, place: Params) -> Mapping[str, Any]:
    if is_list(place):
        surveys, following = _elements(body)
        return listed((each.get("id") for each in surveys), following)
    if "file" in place:
        return _read_file(body, place)
    result = _result(body)
    if "job" not in place:
        return of_a_survey([], {"job": _named(result, "progressId")})
    match result.get("status"):
        case "inProgress":
            return not_ready()
        case "complete":
            return of_a_survey([], {"file": _named(result, "fileId")})
        case "failed":
            raise NotMade(f"the export of survey {survey_of(place)} failed there")
        case _:
            raise NotAPage("whose 'result.status' is neither inProgress, complete nor failed")


def _named(result: Mapping[str, Any], key: str) -> str:
    name = result.get(key)
    if not isinstance(name, str) or not name:
        raise NotAPage(f"without '{key}' in 'result'")
    return name


def _read_file(archive: bytes, place: Params) -> Mapping[str, Any]:
    """Some responses of an exported file; the rest of it is counted, so that all of its checksum is verified."""
    begin, rows, behind = int(place.get("from", "0")), [], 0
    for number, line in enumerate(lines_of(archive)):
        if begin <= number < begin + _PAGE_ROWS:
            rows.append(_response(parse(line), survey_of(place)))
        behind = number + 1
    more = behind > begin + _PAGE_ROWS
    return of_a_survey(rows, {"file": place["file"], "from": str(begin + _PAGE_ROWS)} if more else None)


def _response(told: Mapping[str, Any], survey: str) -> Row:
    """A response in the columns of an export as CSV; answers to all questions besides, as one object."""
    values = told.get("values")
    if not isinstance(told.get("responseId"), str) or not isinstance(values, dict):
        raise NotAPage("with a response that has no 'responseId' or no 'values'")
    answers = {name: value for name, value in values.items() if name.startswith(_QUESTION)}
    row: dict[str, Any] = {_COLUMNS.get(str(name), str(name)): value for name, value in values.items()}
    return {**row, "ResponseId": told["responseId"], "SurveyId": survey, "answers": answers or None}


def _asks_definitions(place: Params, _: Sequence[str]) -> Request:
    return _list_request(place) if is_list(place) else Request(f"{_ROOT}/survey-definitions/{survey_of(place)}")


def _read_definitions(body: bytes, place: Params) -> Mapping[str, Any]:
    if is_list(place):
        surveys, following = _elements(body)
        since = datetime.fromtimestamp(int(place["since"]), UTC)
        changed = [each for each in surveys if time_of(each.get("lastModified")) >= since]
        return listed((each.get("id") for each in changed), following)
    definition = _result(body)
    questions = definition.get("Questions")
    # A survey without questions has a list there, as PHP writes what is empty.
    if questions == []:
        questions = {}
    if not isinstance(questions, dict) or not all(isinstance(each, dict) for each in questions.values()):
        raise NotAPage("without the object 'result.Questions'")
    time_of(definition.get("LastModified"))
    about = {
        "survey_id": survey_of(place),
        "survey_name": definition.get("SurveyName"),
        "is_active": definition.get("SurveyStatus") == "Active",
        "last_modified": definition["LastModified"],
    }
    return of_a_survey([{**about, **each} for name, asked in questions.items() for each in _columns(name, asked)], None)


def _columns(name: str, asked: Mapping[str, Any]) -> Iterator[Row]:
    """The columns that answers to a question stand in; what it measures, whoever asks must say, but of NPS."""
    kind, selector = asked.get("QuestionType"), asked.get("Selector")
    told = {"question_id": name, "question_text": asked.get("QuestionText"), "question_type": kind, "metric": "other"}
    if kind == "MC" and selector == "NPS":
        yield {**told, "question_type": "NPS", "metric": "nps", "scale_min": 0, "scale_max": 10}
    elif kind == "TE":
        yield {**told, "question_id": f"{name}_TEXT"}
    elif kind in ("Matrix", "Slider") and isinstance(asked.get("Choices"), dict):
        scale = _scale(asked) if kind == "Matrix" else {}
        for each in asked["Choices"]:
            yield {**told, **scale, "question_id": f"{name}_{each}"}
    elif kind not in _NO_QUESTIONS:
        yield told


def _scale(asked: Mapping[str, Any]) -> Row:
    """The numbers that the columns of a matrix stand for, where they are numbers."""
    recoded, columns = asked.get("RecodeValues") or {}, asked.get("Answers") or {}
    if not isinstance(recoded, dict) or not isinstance(columns, dict):
        raise NotAPage("with a matrix whose 'RecodeValues' or 'Answers' are none")
    told = list(recoded.values() or columns)
    numbers = [int(each) for each in map(str, told) if each.isdecimal()]
    return {"scale_min": min(numbers), "scale_max": max(numbers)} if numbers and len(numbers) == len(told) else {}


def _asks_distributions(place: Params, _: Sequence[str]) -> Request:
    if is_list(place):
        return _list_request(place)
    if "letters" in place:
        return Request(f"{_ROOT}/distributions/{_letter(place)[0]}/history", dict(parse_qsl(place.get("page", ""))))
    if "more" in place:
        return Request(f"{_ROOT}/distributions", dict(parse_qsl(place["more"])))
    since = datetime.fromtimestamp(int(place["since"]), UTC)
    window = {"sendStartDate": since.strftime("%Y-%m-%dT%H:%M:%SZ")} if place["since"] != "0" else {}
    return Request(f"{_ROOT}/distributions", {"surveyId": survey_of(place), "useNewPaginationScheme": "true", **window})


def _letter(place: Params) -> tuple[str, str, str]:
    """The distribution that is asked for: its id, its kind, and the second it last changed in."""
    name, kind, changed = place["letters"].partition(_PARTED)[0].split(_KIND)
    return name, kind, changed


def _read_distributions(body: bytes, place: Params) -> Mapping[str, Any]:
    elements, following = _elements(body)
    if is_list(place):
        return listed((each.get("id") for each in elements), following)
    if "letters" not in place:
        letters = [
            _KIND.join((_named_of(each, "id"), _named_of(each, "requestType"), _second(each.get("modifiedDate"))))
            for each in elements
        ]
        return of_a_survey([], _behind_letters(letters, following))
    rows = [_invitation(each, *_letter(place), survey_of(place)) for each in elements]
    if following:
        more = {"more": place["more"]} if "more" in place else {}
        return of_a_survey(rows, {"letters": place["letters"], "page": following, **more})
    return of_a_survey(rows, _behind_letters(place["letters"].split(_PARTED)[1:], place.get("more")))


def _behind_letters(letters: Sequence[str], more: str | None) -> Params | None:
    """Where a survey's distributions go on: with those that are left, then with the next page of their list."""
    then = {"more": more} if more else {}
    return {"letters": _PARTED.join(letters), **then} if letters else then or None


def _named_of(element: Mapping[str, Any], key: str) -> str:
    name = element.get(key)
    if not isinstance(name, str) or not name or _PARTED in name or _KIND in name:
        raise NotAPage(f"with a distribution that has no '{key}'")
    return name


def _second(said: Any) -> str:  # noqa: ANN401 - whatever stands there
    return str(int(time_of(said).timestamp()))


def _invitation(told: Mapping[str, Any], distribution: str, kind: str, changed: str, survey: str) -> Row:
    """What became of a letter to somebody; its last change is the last of the times it tells, or the distribution's."""
    contact = told.get("contactId") or told.get("contactLookupId")
    times = [told.get(name) for name in ("sentAt", "openedAt", "responseStartedAt", "responseCompletedAt")]
    if not isinstance(contact, str) or not isinstance(told.get("status"), str):
        raise NotAPage("with an invitation that has no 'contactId' or no 'status'")
    sent, opened, started, finished = times
    return {
        "distribution_id": distribution,
        "survey_id": survey,
        "contact_id": contact,
        "request_type": kind,
        "channel": "email",
        "status": told["status"],
        "sent_at": sent,
        "opened_at": opened,
        "started_at": started,
        "finished_at": finished,
        "response_id": told.get("responseId"),
        "updated_at": max((each for each in times if each), key=time_of, default=None)
        or datetime.fromtimestamp(int(changed), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def _token(api_token: str) -> OwnHeader:
    return OwnHeader("X-API-TOKEN", api_token)


QUALTRICS = Vendor(
    system="qualtrics",
    example="https://fra1.qualtrics.com",
    logins=(LoginKind(("api_token",), _token),),
    streams={
        "responses": each_survey(
            _SURVEYS,
            _REQUESTS,
            # A response may be corrected, retaken or marked as spam after it was recorded, which moves no time of it.
            overlap=timedelta(days=30),
            ordered_by="RecordedDate",
            asks=_asks_responses,
            read=_read_responses,
        ),
        "distributions": each_survey(
            f"{_ROOT}/distributions",
            _REQUESTS,
            # What becomes of a letter is told with the letter, whenever it was sent.
            overlap=timedelta(days=30),
            ordered_by="updated_at",
            asks=_asks_distributions,
            read=_read_distributions,
        ),
        "survey_definitions": each_survey(
            f"{_ROOT}/survey-definitions",
            _REQUESTS,
            overlap=timedelta(days=1),
            ordered_by="last_modified",
            asks=_asks_definitions,
            read=_read_definitions,
        ),
    },
    forgotten=frozenset({404}),
)
