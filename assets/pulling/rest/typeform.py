"""Typeform's API: what is asked for each stream of its contracts.

What lives here: the list of forms, the pages of a form's responses, questions made of a form, the login and limits. Not
here: asking (pull.py), the way from form to form (surveys.py). Written from Typeform's public documentation
(docs/sources.md says what of it was tried against what).

Responses come from the newest on; the token of the last one of a page leads to older ones, down to the beginning of the
window, so what is submitted meanwhile moves no page. A response does not change once it is submitted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from assets.pulling.rest.http import Request
from assets.pulling.rest.login import Bearer
from assets.pulling.rest.paging import NotAPage, Params, Row, time_of
from assets.pulling.rest.rows import parse, rows_of
from assets.pulling.rest.surveys import each_survey, is_list, listed, of_a_survey, survey_of
from assets.pulling.rest.vendor import Limit, LoginKind, Vendor

# Two a second are let through.
_REQUESTS = Limit("requests", 2, seconds=1.0)
_PAGE_ROWS, _PAGE_FORMS = 1000, 200
# Parts a form's id from the second it last changed in, which the form itself does not say.
_CHANGED = "~"
# Answers that name the one who gives them, or hold what nobody here reads: the address is a column of its own.
_NOT_TAKEN = frozenset({"email", "phone_number", "file_url", "payment"})
# Parts of a form that ask nothing by themselves; what groups hold is asked.
_NO_QUESTIONS = frozenset({"statement", "group", "matrix", "contact_info"})


def _count(answer: Mapping[str, Any], key: str) -> int:
    count = answer.get(key)
    if not isinstance(count, int) or isinstance(count, bool):
        raise NotAPage(f"without the end marker '{key}'")
    return count


def _list_request(place: Params) -> Request:
    return Request("/forms", {"page": place.get("list", "1"), "page_size": str(_PAGE_FORMS)})


def _forms(body: bytes, place: Params) -> tuple[list[Row], str | None]:
    """The forms of a page of their list, and the number of the next one."""
    answer = parse(body)
    forms, number = rows_of(answer, "items"), int(place.get("list", "1"))
    is_last = number >= _count(answer, "page_count")
    if not forms and not is_last:
        raise NotAPage("that says more follows, and holds nothing")
    return forms, None if is_last else str(number + 1)


def _asks_responses(place: Params, _: Sequence[str]) -> Request:
    if is_list(place):
        return _list_request(place)
    since = datetime.fromtimestamp(int(place["since"]), UTC).strftime("%Y-%m-%dT%H:%M:%S")
    window = {"since": since} if place["since"] != "0" else {}
    before = {"before": place["before"]} if "before" in place else {}
    return Request(f"/forms/{survey_of(place)}/responses", {"page_size": str(_PAGE_ROWS), **window, **before})


def _read_responses(body: bytes, place: Params) -> Mapping[str, Any]:
    if is_list(place):
        forms, following = _forms(body, place)
        return listed((form.get("id") for form in forms), following)
    answer = parse(body)
    items, total = rows_of(answer, "items"), _count(answer, "total_items")
    rows = [_response(item, survey_of(place)) for item in items]
    seen = int(place.get("seen", "0")) + len(items)
    at_first = int(place.get("total", total))
    if len(items) >= total or (not items and _is_over(total, at_first, seen)):
        return of_a_survey(rows, None)
    if not items:
        raise NotAPage("that says more follows, and holds nothing")
    token = items[-1].get("token")
    if not isinstance(token, str) or not token:
        raise NotAPage("that says more follows, but not where (the last 'token' is empty)")
    return of_a_survey(rows, {"before": token, "seen": str(seen), "total": str(at_first)})


def _is_over(total: int, at_first: int, seen: int) -> bool:
    """Whether nothing behind a token is the end. What a total counts there is not said: what is left, or all.

    What is left would be 0. All grows with what is submitted meanwhile, which no page shows, and shrinks with what is
    deleted.
    """
    is_all = total > at_first - seen
    return is_all and seen >= min(total, at_first)


def _response(item: Row, form: str) -> Row:
    """A response: hidden fields by their names, answers by the references of their questions."""
    hidden, given = item.get("hidden") or {}, item.get("answers") or []
    response, submitted_at = item.get("response_id") or item.get("token"), item.get("submitted_at")
    if not isinstance(response, str) or not isinstance(hidden, dict) or not isinstance(given, list):
        raise NotAPage("with a response that has no 'response_id', or whose 'answers' or 'hidden' are none")
    time_of(submitted_at)
    answers, email = {}, None
    for each in given:
        kind, question = _kind(each)
        if kind == "email":
            email = email or each.get(kind)
        if kind not in _NOT_TAKEN:
            answers[question] = _value(kind, each.get(kind))
    return {
        **hidden,
        "response_id": response,
        "form_id": form,
        "landed_at": item.get("landed_at"),
        "submitted_at": submitted_at,
        "email": email or hidden.get("email"),
        "answers": answers or None,
    }


def _kind(answer: Any) -> tuple[str, str]:  # noqa: ANN401 - whatever JSON holds
    """The kind of an answer, and the reference of its question."""
    field = answer.get("field") if isinstance(answer, dict) else None
    question = (field.get("ref") or field.get("id")) if isinstance(field, dict) else None
    if not isinstance(question, str) or not isinstance(answer.get("type"), str):
        raise NotAPage("with an answer that names no question")
    return answer["type"], question


def _value(kind: str, said: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
    """An answer in one value: of a choice its label, of yes and no 1 and 0."""
    if kind == "boolean":
        return int(bool(said))
    if kind == "choice" and isinstance(said, dict):
        return said.get("label") or said.get("other")
    if kind == "choices" and isinstance(said, dict):
        return [*(said.get("labels") or []), *([said["other"]] if said.get("other") else [])]
    return said


def _asks_questions(place: Params, _: Sequence[str]) -> Request:
    return _list_request(place) if is_list(place) else Request(f"/forms/{survey_of(place).partition(_CHANGED)[0]}")


def _read_questions(body: bytes, place: Params) -> Mapping[str, Any]:
    if is_list(place):
        forms, following = _forms(body, place)
        changed = [(form.get("id"), int(time_of(form.get("last_updated_at")).timestamp())) for form in forms]
        return listed(
            (f"{form}{_CHANGED}{at}" if form else None for form, at in changed if at >= int(place["since"])), following
        )
    name, _, at = survey_of(place).partition(_CHANGED)
    form = parse(body)
    about = {
        "form_id": name,
        "form_title": form.get("title"),
        "last_updated_at": datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    return of_a_survey([{**about, **each} for each in _questions(rows_of(form, "fields"))], None)


def _questions(fields: Sequence[Row]) -> Iterator[Row]:
    """The questions of a form, those in groups too."""
    for field in fields:
        properties = field.get("properties") or {}
        if not isinstance(properties, dict) or not isinstance(field.get("type"), str):
            raise NotAPage("with a field that has no 'type', or whose 'properties' are none")
        if field["type"] not in _NO_QUESTIONS:
            yield {
                "question_id": field.get("ref") or field.get("id"),
                "question_text": field.get("title"),
                "question_type": field["type"],
                "metric": "nps" if field["type"] == "nps" else "other",
                **_scale(field["type"], properties),
            }
        if "fields" in properties:
            yield from _questions(rows_of(properties, "fields"))


def _scale(kind: str, properties: Row) -> Row:
    if kind == "nps":
        return {"scale_min": 0, "scale_max": 10}
    steps = properties.get("steps")
    if kind not in ("opinion_scale", "rating") or not isinstance(steps, int):
        return {}
    lowest = 1 if kind == "rating" or properties.get("start_at_one") is True else 0
    return {"scale_min": lowest, "scale_max": lowest + steps - 1}


TYPEFORM = Vendor(
    system="typeform",
    example="https://api.typeform.com",
    logins=(LoginKind(("access_token",), Bearer),),
    streams={
        # The newest responses may be shown half an hour late, and a form in a list that changes one day late.
        "responses": each_survey(
            "/forms/responses",
            _REQUESTS,
            overlap=timedelta(days=2),
            ordered_by="submitted_at",
            asks=_asks_responses,
            read=_read_responses,
        ),
        "questions": each_survey(
            "/forms/questions",
            _REQUESTS,
            overlap=timedelta(days=1),
            ordered_by="last_updated_at",
            asks=_asks_questions,
            read=_read_questions,
        ),
    },
    forgotten=frozenset({400, 404}),
)
