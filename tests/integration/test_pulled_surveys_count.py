"""What is asked of a survey tool passes the gate and counts, and the same answers in a plain CSV with a mapping alike.

One night for all tools. Not here: pulling (tests/unit/test_pull_*.py).
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from assets.inspect.judged import landed_extract
from assets.pulling.extract import extract
from orchestration.config.sources import load_sources
from quality.contract.model import load_contract
from quality.gate.gate import Gate
from storage.data_folder import DataFolder
from tests import qualtrics_emulator, surveymonkey_emulator, typeform_emulator
from tests.emulator_kit import Host, iso, serving
from tests.integration.dbt_harness import DbtProject, Warehouse
from tests.qualtrics_emulator import Brand
from tests.unit.test_sources import write

DAY = date(2026, 6, 1)
AT = int(datetime(2026, 6, 1, 9, 30, tzinfo=UTC).timestamp())


@dataclass(frozen=True)
class Given:
    """A response, as its giver would tell it."""

    response: str
    contact: str
    email: str
    ticket: str
    recommends: int | None
    satisfied: int | None
    reason: str
    words: str


RESPONSES = (
    Given("R1", "C-1", "ann@example.org", "7", 9, 5, "speed", "Quick, and friendly"),
    Given("R2", "C-2", "bob@example.org", "", 3, None, "price", ""),
    Given("R3", "", "", "", None, 2, "", "Könnte besser sein"),
    Given("R4", "", "eve@example.org", "8", 10, 4, "", ""),
)


@dataclass(frozen=True)
class Tool:
    """A survey tool: what its answers are known by, and an account of it in which they were given.

    Attributes:
        survey: The survey.
        questions: The ids of the questions: recommend, satisfied, reason, words.
        credentials: What its login needs.
        streams: Its streams.
        knows_nps: It says itself which question is NPS.
    """

    survey: str
    questions: tuple[str, str, str, str]
    credentials: Mapping[str, str]
    streams: tuple[str, ...]
    knows_nps: bool = True

    def host(self) -> Host:
        """Its account."""
        return ACCOUNTS[self.survey](self)


def brand(tool: Tool) -> Host:
    """An account of Qualtrics."""
    made = Brand(asking=0)
    asked = [("MC", "NPS"), ("MC", "SAVR"), ("MC", "SAVR"), ("TE", "ML")]
    names = [name.removesuffix("_TEXT") for name in tool.questions]
    made.survey(
        tool.survey,
        {
            name: {"QuestionType": kind, "Selector": selector}
            for name, (kind, selector) in zip(names, asked, strict=True)
        },
        at=AT,
    )
    for each in RESPONSES:
        values = (each.recommends, each.satisfied, each.reason, each.words)
        given = {name: value for name, value in zip(tool.questions, values, strict=True) if value not in (None, "")}
        who = {"externalDataReference": each.contact, "recipientEmail": each.email, "TicketId": each.ticket}
        made.answer(tool.survey, each.response, AT, **{name: value for name, value in who.items() if value}, **given)
    sent = {"sentAt": iso(AT - 3600)}
    answered = {"status": "SurveyFinished", "responseCompletedAt": iso(AT)}
    became = [
        {**sent, **answered, "contactId": f"CID_{each.response}", "responseId": each.response} for each in RESPONSES
    ]
    made.letter(tool.survey, "EMD_1", AT - 3600, *became, {**sent, "contactId": "CID_R5", "status": "HardBounce"})
    return made


def workspace(tool: Tool) -> Host:
    """An account of Typeform."""
    made = typeform_emulator.Workspace()
    recommend, satisfied, reason, words = tool.questions
    scale = {"ref": satisfied, "type": "opinion_scale", "properties": {"steps": 5, "start_at_one": True}}
    asked = [{"ref": recommend, "type": "nps"}, scale, {"ref": reason, "type": "dropdown"}]
    made.form(tool.survey, [*asked, {"ref": words, "type": "long_text"}], at=AT)
    for each in RESPONSES:
        given = [
            typeform_emulator.given(question, kind, value)
            for question, kind, value in (
                (recommend, "number", each.recommends),
                (satisfied, "number", each.satisfied),
                (reason, "choice", {"label": each.reason} if each.reason else None),
                (words, "text", each.words or None),
            )
            if value is not None
        ]
        who = {"contact_id": each.contact, "email": each.email, "ticket_id": each.ticket}
        hidden = {name: value for name, value in who.items() if value}
        made.answer(tool.survey, each.response, AT, *given, **hidden, channel="email", language="en")
    return made


def monkey(tool: Tool) -> Host:
    """An account of SurveyMonkey: what is answered are choices, by their ids."""
    made = surveymonkey_emulator.Account()
    recommend, satisfied, reason, words = tool.questions
    matrix, _, row = recommend.partition("_")
    reasons = sorted({each.reason for each in RESPONSES if each.reason})
    made.survey(
        tool.survey,
        [
            {"id": matrix, "family": "matrix", "answers": {"rows": [{"id": row}], "choices": weighed("1", range(11))}},
            {"id": satisfied, "family": "single_choice", "answers": {"choices": weighed("2", range(1, 6))}},
            {"id": reason, "family": "single_choice"}
            | {
                "answers": {"choices": [{"id": f"3{n}", "text": text, "position": n} for n, text in enumerate(reasons)]}
            },
            {"id": words, "family": "open_ended"},
        ],
        at=AT,
    )
    for each in RESPONSES:
        given = [
            surveymonkey_emulator.given(question, {**answer, **({"row_id": row} if question == matrix else {})})
            for question, answer, is_there in (
                (matrix, {"choice_id": f"1{each.recommends}"}, each.recommends is not None),
                (satisfied, {"choice_id": f"2{each.satisfied}"}, each.satisfied is not None),
                (reason, {"choice_id": f"3{reasons.index(each.reason) if each.reason else ''}"}, each.reason),
                (words, {"text": each.words}, each.words),
            )
            if is_there
        ]
        who = {"contact_id": each.contact, "ticket_id": each.ticket, "channel": "email", "language": "en"}
        variables = {name: value for name, value in who.items() if value}
        more = {"custom_variables": variables, "email_address": each.email}
        made.answer(tool.survey, each.response, AT, *given, **more)
    return made


def weighed(prefix: str, weights: range) -> list[dict[str, Any]]:
    """Choices with weights; an id says neither weight nor place to anybody but this test."""
    return [{"id": f"{prefix}{weight}", "text": f"Choice {weight}", "weight": weight} for weight in weights]


ACCOUNTS = {"SV_1": brand, "form1": workspace, "77": monkey}
TOOLS = {
    "qualtrics": Tool(
        "SV_1",
        ("QID1", "QID14", "QID15", "QID16_TEXT"),
        qualtrics_emulator.CREDENTIALS,
        ("survey_definitions", "responses", "distributions"),
    ),
    "surveymonkey": Tool(
        "77",
        ("10_11", "20", "30", "40"),
        surveymonkey_emulator.CREDENTIALS,
        ("questions", "responses"),
        knows_nps=False,
    ),
    "typeform": Tool(
        "form1",
        ("nps", "satisfied", "why", "words"),
        typeform_emulator.CREDENTIALS,
        ("questions", "responses"),
    ),
}
COMPANY = """\
company: Acme
reporting_timezone: Europe/Berlin
currency: EUR
first_date: 2026-06-01
sources:
"""
PULLED = """\
  {name}:
    system: {name}
    connector: rest
    location: {base}
    credentials_env: {{{credentials}}}
    streams: {{{streams}}}
"""
PLAIN = """\
  {name}_csv:
    system: canonical
    location: "{{data}}/drop/{name}"
    pattern: "{{stream}}_{{date}}.csv"
    delimiter: ";"
    timezone: Europe/Berlin
    complete: rename
    streams: {{survey_question: , survey_answer: }}
"""
MAPPING = """\
survey_answer:
  unpivot: {{columns: [Empfehlung, Zufriedenheit], name: question, value: answer}}
  columns:
    answer_id: {{key: [Antwort, question]}}
    response_id: Antwort
    survey_id: {{const: "{survey}"}}
    question_id: {{from: question, values: {{Empfehlung: "{recommend}", Zufriedenheit: "{satisfied}"}}}}
    contact_id: Kunde
    email: Adresse
    ticket_id: Ticket
    score: answer
    reason: Grund
    comment: Kommentar
    channel: {{const: email}}
    language: {{const: en}}
    answered_at: {{from: Wann, format: "%d.%m.%Y %H:%M"}}
    updated_at: {{from: Wann, format: "%d.%m.%Y %H:%M"}}
"""
# What the company says of the questions of a tool, in its own table.
DECLARED = "source,survey_id,question_id,metric,scale_min,scale_max"
SAME = """\
response_id, survey_id, question_id, contact_id, email, ticket_id, score, reason, comment, channel, language,
answered_at::varchar as answered_at, is_anonymous, is_test, is_finished, is_deleted
"""


def deliver(root: Path, name: str, tool: Tool) -> None:
    """The same answers, as a spreadsheet would hold them, and what its questions are."""
    drop = root / "data" / "drop" / name
    drop.mkdir(parents=True)
    (root / "mappings").mkdir(exist_ok=True)
    recommend, satisfied, *_ = tool.questions
    mapping = MAPPING.format(survey=tool.survey, recommend=recommend, satisfied=satisfied)
    (root / "mappings" / f"{name}_csv.yml").write_text(mapping, encoding="utf-8")
    header = ("Antwort", "Kunde", "Adresse", "Ticket", "Empfehlung", "Zufriedenheit", "Grund", "Kommentar", "Wann")
    with (drop / f"survey_answer_{DAY}.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, delimiter=";")
        rows.writerow(header)
        for each in RESPONSES:
            rows.writerow([*vars(each).values(), "01.06.2026 11:30"])
    (drop / f"survey_question_{DAY}.csv").write_text(
        "survey_id;question_id;metric;scale_min;scale_max;updated_at\n"
        f"{tool.survey};{recommend};nps;0;10;2026-06-01T00:00:00Z\n"
        f"{tool.survey};{satisfied};csat;1;5;2026-06-01T00:00:00Z\n",
        encoding="utf-8",
    )


@pytest.fixture(scope="module")
def counted(dbt_project: DbtProject, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """A night of all tools, each by both ways."""
    warehouse = Warehouse(dbt_project, tmp_path_factory.mktemp("surveys"))
    root, company = warehouse.folder, COMPANY
    folder = DataFolder(root / "data")
    declared, batches = [DECLARED], list[Path]()
    with ExitStack() as served, pytest.MonkeyPatch.context() as environment, Gate(folder, None) as gate:
        for name, tool in TOOLS.items():
            base = served.enter_context(serving(tool.host()))
            named = {each: f"{name}_{each}".upper() for each in tool.credentials}
            for each, secret in tool.credentials.items():
                environment.setenv(named[each], secret)
            said = ", ".join(f"{each}: {variable}" for each, variable in named.items())
            streams = ", ".join(f"{each}: " for each in tool.streams)
            company += PULLED.format(name=name, base=base, credentials=said, streams=streams) + PLAIN.format(name=name)
            deliver(root, name, tool)
            recommend, satisfied, reason, words = tool.questions
            declared += [] if tool.knows_nps else [f"{name},{tool.survey},{recommend},nps,,"]
            declared += [
                f"{name},{tool.survey},{satisfied},csat,1,5",
                f"{name},{tool.survey},{reason},reason,,",
                f"{name},{tool.survey},{words},comment,,",
            ]
        for stream in load_sources(write(root, company), folder.root).streams:
            contract = load_contract(stream.stream.system, stream.stream.stream)
            extract(stream, contract, folder, [DAY])
            (verdict,) = gate.judge([landed_extract(stream, contract, folder, DAY)])
            assert verdict.passed, (str(stream.stream), verdict.blocked_by)
            assert verdict.quarantined_rows == 0, str(stream.stream)
            assert [check for check in verdict.checks if check.outcome != "pass"] == [], str(stream.stream)
            batches.append(folder.accepted_partition(stream.stream, DAY))
    warehouse.seed("survey_questions", declared)
    warehouse.night(batches=batches, select="int_survey_answer__judged int_survey_invitation__unioned", as_of=DAY)
    return warehouse


def answers(warehouse: Warehouse, source: str) -> list[dict[str, Any]]:
    return warehouse.rows(
        f"select {SAME} from intermediate.int_survey_answer__unioned where source = '{source}' order by 1, 3"
    )


@pytest.mark.parametrize("name", TOOLS)
def test_the_same_answers_by_either_way_are_the_same_rows(counted: Warehouse, name: str) -> None:
    pulled, plain = answers(counted, name), answers(counted, f"{name}_csv")
    assert pulled == plain
    assert len(plain) == sum(value is not None for each in RESPONSES for value in (each.recommends, each.satisfied))


@pytest.mark.parametrize("name", TOOLS)
def test_answers_count_as_what_the_company_says_their_questions_measure(counted: Warehouse, name: str) -> None:
    told = counted.rows(
        "select metric, answer_class, count(*) as n from intermediate.int_survey_answer__judged "
        f"where system = '{name}' and exclusion_reason is null group by all order by all"
    )
    assert told == [
        {"metric": "csat", "answer_class": "negative", "n": 1},
        {"metric": "csat", "answer_class": "positive", "n": 2},
        {"metric": "nps", "answer_class": "detractor", "n": 1},
        {"metric": "nps", "answer_class": "promoter", "n": 2},
    ]


def test_who_was_invited_is_known_with_the_response_that_came_of_it(counted: Warehouse) -> None:
    told = counted.rows(
        "select response_id, survey_id, completed_at is not null as answered, bounced_at is not null as bounced "
        "from intermediate.int_survey_invitation__unioned where system = 'qualtrics' order by 1 nulls last"
    )
    survey = {"survey_id": "SV_1"}
    assert told == [
        *({"response_id": each.response, **survey, "answered": True, "bounced": False} for each in RESPONSES),
        {"response_id": None, **survey, "answered": False, "bounced": True},
    ]
