"""A Qualtrics, emulated, and the tables that Fivetran leaves of the same surveys.

What lives here: the surveys, and the tables made of them as Fivetran documents them; written without the product's
mapping. Not here: comparing the two (tests/integration/test_shipped_mappings.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from tests.crm_shapes_kit import snake
from tests.emulator_kit import Row, iso
from tests.qualtrics_emulator import Brand
from tests.warehouse_kit import synced, table

_ASKED: Mapping[str, Row] = {
    "QID1": {"QuestionText": "Recommend us?", "QuestionType": "MC", "Selector": "NPS"},
    "QID3": {"QuestionText": "Why?", "QuestionType": "TE", "Selector": "SL"},
    "QID4": {
        "QuestionText": "How was it?",
        "QuestionType": "Matrix",
        "Selector": "Likert",
        "Choices": {"1": {"Display": "Staff"}, "2": {"Display": "Price"}},
        "Answers": {"1": {"Display": "bad"}, "2": {"Display": "good"}},
        "RecodeValues": {"1": "1", "2": "5"},
    },
    "QID5": {"QuestionText": "Which?", "QuestionType": "MC", "Selector": "MAVR"},
    "QID6": {"QuestionText": "Thank you", "QuestionType": "DB", "Selector": "TB"},
}


def brand() -> Brand:
    """An account with answers of every kind, to a survey that is asked and to one nobody answered."""
    brand = Brand(page_rows=2)
    at = brand.now - 7200
    brand.survey("SV_1", _ASKED, at=at)
    brand.survey("SV_2", {"QID1": _ASKED["QID1"]}, at=at + 1)
    email = {"recipientEmail": "ann@example.org", "recipientLastName": "O'Hara", "externalDataReference": "C-1"}
    brand.answer("SV_1", "R_1", at, QID1=9, QID3_TEXT="42", QID4_1=5, QID4_2=1, TicketId="7", **email)
    brand.answer("SV_1", "R_2", at + 5, QID1=0, QID5=["1", "3"], distributionChannel="anonymous", finished=0)
    brand.answer("SV_1", "R_3", at + 6, QID3_TEXT='Say "hi", ü', OrderId="o 1")
    return brand


# Columns of a response in Fivetran's table, and what Qualtrics calls them.
_OF_RESPONSES = {
    "start_date": ("timestamptz", "startDate"),
    "end_date": ("timestamptz", "endDate"),
    "recorded_date": ("timestamptz", "recordedDate"),
    "last_modified_date": ("timestamptz", "recordedDate"),
    "status": ("bigint", "status"),
    "progress": ("bigint", "progress"),
    "duration_in_seconds": ("bigint", "duration"),
    "finished": ("bigint", "finished"),
    "recipient_email": ("text", "recipientEmail"),
    "recipient_last_name": ("text", "recipientLastName"),
    "distribution_channel": ("text", "distributionChannel"),
    "user_language": ("text", "userLanguage"),
}
_MARKS = {"_fivetran_deleted": "boolean", "_fivetran_synced": "timestamptz"}


def fivetran_qualtrics(brand: Brand) -> Iterator[str]:
    """Responses, and a row for each answer, each option of one, each row of a matrix, each entry of embedded data."""
    yield "create schema qualtrics"
    responses = [
        (survey, number, told["values"])
        for survey, held in brand.surveys.items()
        for number, told in held.responses.items()
    ]
    yield from _texts(
        "survey_response",
        {"id": "text", "survey_id": "text", **{name: kind for name, (kind, _) in _OF_RESPONSES.items()}},
        (
            {"id": number, "survey_id": survey, **{name: values.get(its) for name, (_, its) in _OF_RESPONSES.items()}}
            for survey, number, values in responses
        ),
    )
    said = ["loop_id", "question", "question_id", "question_option_key", "sub_question_key", "text", "value"]
    yield from _texts(
        "question_response",
        dict.fromkeys(["_fivetran_id", "response_id", *said], "text"),
        (
            {"response_id": number, **each}
            for _, number, values in responses
            for name, value in values.items()
            if name.startswith("QID")
            for each in _answers(name, value)
        ),
    )
    yield from _texts(
        "survey_embedded_data",
        dict.fromkeys(["response_id", "import_id", "key", "value"], "text"),
        (
            {"response_id": number, "import_id": key, "key": key, "value": values[key]}
            for _, number, values in responses
            for key in ("TicketId", "OrderId")
            if key in values
        ),
    )
    yield from _definitions(brand)
    yield from _texts(
        "directory_contact",
        dict.fromkeys(["directory_id", "id", "ext_ref", "email"], "text"),
        [{"id": "CID_1", "ext_ref": "C-1", "email": "ann@example.org"}, {"id": "CID_2"}],
    )
    yield from _texts(
        "distribution",
        {**dict.fromkeys(["id", "request_type", "survey_link_survey_id"], "text"), "send_date": "timestamptz"},
        [{"id": "EMD_1", "request_type": "Invite", "survey_link_survey_id": "SV_1", "send_date": _SENT}],
    )
    times = dict.fromkeys(["sent_at", "opened_at", "response_started_at", "response_completed_at"], "timestamptz")
    yield from _texts(
        "distribution_contact",
        {**dict.fromkeys(["distribution_id", "contact_id", "response_id", "status"], "text"), **times},
        [
            {"contact_id": "CID_1", "status": "SurveyFinished", "response_id": "R_1", "sent_at": _SENT, **_FINISHED},
            {"contact_id": "CID_2", "status": "Pending"},
        ],
        distribution_id="EMD_1",
    )


_SENT, _DONE = "2026-06-01 20:00:00+00:00", "2026-06-02 00:00:00+00:00"
_FINISHED = {"response_completed_at": _DONE}
_INVITED = {"distribution_id": "EMD_1", "survey_id": "SV_1", "request_type": "Invite"}
_SAID_OF_ANN = {"external_reference": "C-1", "email": "ann@example.org", "response_id": "R_1"}
# What the distributions are, as the contract has them.
INVITATIONS: Sequence[Row] = (
    {**_INVITED, **_SAID_OF_ANN, "contact_id": "CID_1", "status": "SurveyFinished", "sent_at": _SENT,
     "finished_at": _DONE, "updated_at": _DONE},
    {**_INVITED, "contact_id": "CID_2", "status": "Pending", "updated_at": _SENT},
)  # fmt: skip


def _definitions(brand: Brand) -> Iterator[str]:
    questions = [
        (name, number, each) for name, survey in brand.surveys.items() for number, each in survey.questions.items()
    ]
    yield from _texts(
        "survey",
        {"id": "text", "survey_name": "text", "survey_status": "text", "last_modified": "timestamptz"},
        (
            {"id": name, "survey_name": survey.name, "survey_status": "Active", "last_modified": iso(survey.changed_at)}
            for name, survey in brand.surveys.items()
        ),
    )
    yield from _texts(
        "question",
        dict.fromkeys(["id", "survey_id", "question_text", "question_type", "selector"], "text"),
        (
            {"id": number, "survey_id": name, **{snake(key): each[key] for key in list(each)[:3]}}
            for name, number, each in questions
        ),
    )
    for of, known in (("sub_question", "Choices"), ("question_option", "Answers")):
        yield from _texts(
            of,
            dict.fromkeys(["key", "question_id", "survey_id", "recode_value", "text"], "text"),
            (
                {
                    "key": key,
                    "question_id": number,
                    "survey_id": name,
                    "text": shown["Display"],
                    "recode_value": each["RecodeValues"][key] if known == "Answers" else None,
                }
                for name, number, each in questions
                for key, shown in each.get(known, {}).items()
            ),
        )


def _texts(name: str, columns: Mapping[str, str], rows: Iterable[Row], **said: str) -> Iterator[str]:
    yield from table(f"qualtrics.{name}", {**columns, **_MARKS}, ({**row, **said, **synced()} for row in rows))


def _answers(column: str, value: Any) -> Iterator[Row]:
    """The rows of an answer, by the column an export has it in."""
    question, _, rest = column.partition("_")
    told = {"question_id": question}
    if rest == "TEXT":
        yield {**told, "text": value}
    elif isinstance(value, list):
        yield from ({**told, "question_option_key": each, "text": f"Choice {each}", "value": each} for each in value)
    else:
        yield {**told, "sub_question_key": rest or None, "text": "Made up", "value": value}
