"""What KPIs need is true: taken away, the KPI is gone; any one of the alternatives brings it back.

One build of one small company in many copies, each a source of its own that lacks something. What `journeymart check`
says of each copy's rows (assets/inspect) is held against the records that the models make of them. Not here: how it is
shown (tests/unit/test_check.py).
"""

from __future__ import annotations

import csv
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from dbt_harness import DbtProject, Warehouse

from assets.inspect.kpi_needs import TOLD_AGAIN, Term, load_needs
from assets.inspect.kpi_outlook import Kpi, Outlook, Told, kpi_outlooks
from assets.warehouse.load import accepted_table
from orchestration.company.mapped_columns import mapped_columns
from quality.contract.files import canonical_objects, streams_of
from quality.contract.model import load_contract
from storage.data_folder import warehouse_file
from tests.checkout import CHECKOUT

Row = dict[str, Any]
Streams = dict[str, list[Row]]

AS_OF = date(2026, 6, 30)
BEGAN = datetime(2026, 1, 5, 9, tzinfo=UTC)
LONG = os.environ.get("JOURNEYMART_CHAOS") == "long"
FAMILIES = ("answer", "case", "customer", "journey", "order", "ticket", "voice")
SEEDS = CHECKOUT.composed_project() / "seeds"
KPIS = [
    Kpi(row["kpi"], row["name"], row["measure"], row["counted"])
    for row in csv.DictReader((SEEDS / "kpis.csv").open(encoding="utf-8"))
]
REASONS = {
    row["reason"]: (row["words"], row["remedy"])
    for row in csv.DictReader((SEEDS / "left_out_reasons.csv").open(encoding="utf-8"))
}
TERMS = [
    term
    for needs in load_needs().values()
    for terms in [*(each.any for each in needs.clauses), needs.reads_0]
    for term in terms
]
TABLES = frozenset({"team_schedules.schedule", "loop_targets.respond_within_hours"})
# Whose records, and positive ones, each measure has, by source.
COUNTED = """
    with owners as (
        select distinct customer_key, source from intermediate.map_customer_identity where customer_key <> -1
    ),
    tickets as (select ticket_key as key, source from intermediate.int_ticket__unioned),
    answers as (select survey_answer_key as key, source from intermediate.int_survey_answer__unioned),
    feedback as (select feedback_key as key, source from intermediate.int_feedback__unioned),
    voices as (
        select items.feedback_key as key, coalesce(tickets.source, answers.source, feedback.source) as source
        from cx_marts.main.fct_feedback as items
        left join tickets on items.source_object = 'ticket' and tickets.key = items.source_ref
        left join answers on items.source_object = 'survey_answer' and answers.key = items.source_ref
        left join feedback on items.source_object = 'feedback' and feedback.key = items.source_ref
    ),
    cases as (
        select cases.case_key as key, coalesce(tickets.source, answers.source, feedback.source) as source
        from cx_marts.main.fct_closed_loop_case as cases
        left join tickets on cases.source_object = 'ticket' and tickets.key = cases.source_ref
        left join answers on cases.source_object = 'survey_answer' and answers.key = cases.source_ref
        left join feedback on cases.source_object = 'feedback' and feedback.key = cases.source_ref
    ),
    records as (
        select measure, tickets.source, positives, responses from intermediate.int_kpi__ticket as r
        inner join tickets on tickets.key = r.ticket_key
        union all
        select measure, answers.source, positives, responses from intermediate.int_kpi__answer as r
        inner join answers on answers.key = r.answer_key
        union all
        select measure, orders.source, positives, responses from intermediate.int_kpi__order as r
        inner join intermediate.int_order__unioned as orders on orders.order_key = r.order_key
        union all
        select measure, owners.source, positives, responses from intermediate.int_kpi__customer as r
        inner join owners on owners.customer_key = r.customer_key
        union all
        select measure, owners.source, positives, responses from intermediate.int_kpi__journey as r
        left join cx_marts.main.fct_journey as journeys on r.object = 'journey' and journeys.journey_key = r.record_key
        left join cx_marts.main.fct_journey_event as events on r.object = 'event' and events.event_key = r.record_key
        inner join owners on owners.customer_key = coalesce(journeys.customer_key, events.customer_key)
        union all
        select measure, invitations.source, positives, responses from intermediate.int_kpi__voice as r
        inner join intermediate.int_survey_invitation__unioned as invitations
            on invitations.survey_invitation_key = r.record_key and r.object = 'invitation'
        union all
        select measure, voices.source, positives, responses from intermediate.int_kpi__voice as r
        inner join voices on voices.key = r.record_key and r.object = 'feedback'
        union all
        select measure, cases.source, positives, responses from intermediate.int_kpi__case as r
        inner join cases on cases.key = r.case_key
    )
    select source, measure, count(*) filter (where responses <> 0) as records, sum(positives) as positives
    from records group by source, measure
"""


def whole_company(source: str) -> Streams:
    """A company that fills every KPI."""

    def at(days: float) -> datetime:
        return BEGAN + timedelta(days=days)

    streams: Streams = defaultdict(list)
    for contact in ("c1", "c2"):
        streams["contact"].append(
            {"contact_id": contact, "email": f"{contact}@{source}.example", "created_at": at(-300), "role": "customer",
             "acquisition_source": "referral"}
        )  # fmt: skip
    streams["contact"].append({"contact_id": "a1", "role": "agent", "created_at": at(-300)})
    streams["agent"] += [{"agent_id": "a1", "team": "desk"}, {"agent_id": "b1", "is_automated": True}]
    for number, days in enumerate((-200, -90, 3)):
        order = {
            "order_id": f"o{number}", "contact_id": "c1", "account_id": "household", "status": "completed",
            "ordered_at": at(days), "created_at": at(days - 1), "item_amount": 10, "payment_amount": 10,
            "delivered_at": at(days + 2), "promised_at": at(days + 3), "channel": "web",
        }  # fmt: skip
        streams["order"].append(order)
    returned = {"status": "returned", "returned_at": at(9), "refund_amount": 1}
    streams["order"].append(
        {**streams["order"][-1], "order_id": "back", "contact_id": "c2", "channel": "phone", **returned}
    )
    for number, (contact, kind, channel, direction, days) in enumerate(
        [
            ("c1", "call", "phone", "outbound", 20), ("c1", "web_visit", "web", "inbound", 21),
            ("c1", "web_visit", "web", "inbound", 22), ("c2", "call", "phone", "outbound", 12),
            ("c2", "call", "phone", "inbound", 13),
        ]
    ):  # fmt: skip
        streams["activity"].append(
            {"activity_id": f"v{number}", "contact_id": contact, "activity_type": kind, "channel": channel,
             "direction": direction, "occurred_at": at(days)}
        )  # fmt: skip
    for survey, metric, kind, low, high in (
        ("rel", "nps", "relational", 0, 10), ("trans", "nps", "transactional", 0, 10),
        ("sat", "csat", "transactional", 1, 5), ("ease", "ces", "transactional", 1, 7),
        ("staff", "enps", "relational", 0, 10),
    ):  # fmt: skip
        scored = {"scale_min": low, "scale_max": high, "scale_direction": "high_is_good"}
        positive = {"positive_values": [high - 1, high]} if metric in ("csat", "ces") else {}
        streams["survey_question"].append(
            {"survey_id": survey, "question_id": "q", "metric": metric, "survey_kind": kind, **scored, **positive}
        )
        about = {} if survey in ("rel", "staff") else {"ticket_id": "t1", "order_id": "o2"}
        for number, score in enumerate((high, low)):
            streams["survey_answer"].append(
                {"answer_id": f"{survey}{number}", "survey_id": survey, "question_id": "q",
                 "contact_id": f"c{number + 1}",
                 "score": score, "answer": str(score), "answered_at": at(5 + number), **about,
                 "invitation_id": f"i{number}" if survey == "sat" else None}
            )  # fmt: skip
            about = {} if survey in ("rel", "staff") else {"ticket_id": "t2", "order_id": "o1"}
    for number in range(2):
        streams["survey_invitation"].append(
            {"invitation_id": f"i{number}", "survey_id": "sat", "contact_id": f"c{number + 1}", "channel": "email",
             **{f"{came}_at": at(4) for came in ("sent", "opened", "started", "completed")}}
        )  # fmt: skip
    for number in range(2):
        streams["feedback"].append(
            {"feedback_id": f"f{number}", "contact_id": f"c{number + 1}", "source_type": "review", "score": 1,
             "scale_min": 1, "scale_max": 5, "occurred_at": at(10), "responded_at": at(11)}
        )  # fmt: skip
    for number, (contact, channel) in enumerate((("c1", "email"), ("c2", "email"), ("c1", "phone"))):
        _ticket(streams, f"t{number + 1}", contact, channel, at(number))
    return streams


def _ticket(streams: Streams, name: str, contact: str, channel: str, created: datetime) -> None:
    """A complaint that a machine answers, then a person, who solves it after it changed hands."""

    def after(hours: float) -> datetime:
        return created + timedelta(hours=hours)

    ticket = {
        "ticket_id": name, "requester_id": contact, "channel": channel, "direction": "inbound", "topic": "parcel",
        "team": "desk", "created_at": created, "is_complaint": True, "ticket_type": "complaint",
        "is_escalated": False, "first_reply_due_at": after(8), "resolution_due_at": after(80),
        "is_first_reply_breached": False, "is_resolution_breached": False,
    }  # fmt: skip
    streams["ticket"].append({**ticket, "status": "open", "updated_at": after(1)})
    streams["ticket"].append({**ticket, "status": "solved", "solved_at": after(50), "updated_at": after(51)})
    for kind, who, role, hours, more in (
        ("created", contact, "customer", 0, {}),
        ("comment", "b1", "bot", 1, {"is_public": True}),
        ("comment", "a1", "agent", 2, {"is_public": True}),
        ("assignee_change", "a1", "agent", 3, {"from_value": "a2", "to_value": "a1"}),
        ("status_change", "a1", "agent", 50, {"from_value": "open", "to_value": "solved"}),
    ):
        streams["ticket_event"].append(
            {"event_id": f"{name}-{kind}-{role}", "ticket_id": name, "event_type": kind, "author_id": who,
             "author_role": role, "occurred_at": after(hours), **more}
        )  # fmt: skip


def without(streams: Streams, term: Term) -> None:
    """Take away what a term asks for."""
    rows = streams[term.object]
    if term.column is None:
        rows.clear()
    elif term.column == TOLD_AGAIN:
        key = load_contract("canonical", term.object).key
        newest = {tuple(row[name] for name in key): row for row in rows}
        rows[:] = newest.values()
    elif load_contract("canonical", term.object).columns[term.column].required:
        rows[:] = [row for row in rows if row[term.column] not in (term.values or ())]
    else:
        for row in rows:
            if term.values is None or str(row.get(term.column)).lower() in term.values:
                row[term.column] = "web" if term.within else None


@dataclass(frozen=True)
class Copy:
    """A copy of the company that lacks something, and in words what."""

    source: str
    lacks: str
    streams: Streams


def copies() -> Iterator[Copy]:
    """The whole company; for each need one without it, and in the long campaign one for each alternative alone."""
    yield Copy("whole", "nothing", whole_company("whole"))
    asked = {each.any for needs in load_needs().values() for each in needs.clauses}
    asked |= {needs.reads_0 for needs in load_needs().values() if needs.reads_0}
    number = 0
    for terms in sorted(asked, key=str):
        told = [term for term in terms if not term.table]
        for kept in [None, *(told if len(told) > 1 and LONG else [])] if told else []:
            number += 1
            source = f"s{number:03}"
            streams = whole_company(source)
            for term in told:
                if term != kept:
                    without(streams, term)
            yield Copy(source, f"{' and '.join(str(term) for term in told if term != kept)}", streams)


@dataclass(frozen=True)
class Found:
    """What models count of each copy, and what is said of its rows, by source and measure."""

    counted: Mapping[tuple[str, str], tuple[int, int]]
    said: Mapping[tuple[str, str], Outlook]
    lacks: Mapping[str, str]


@pytest.fixture(scope="module")
def warehouse(dbt_project: DbtProject, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    built = Warehouse(dbt_project, tmp_path_factory.mktemp("needs"))
    built.seed("team_schedules", ["team,schedule,valid_from", "*,always,"])
    built.seed("schedules", ["schedule,timezone", "always,UTC"])
    open_hours = [f"always,{day},00:00,24:00" for day in range(1, 8)]
    built.seed("schedule_hours", ["schedule,iso_weekday,opens,closes", *open_hours])
    built.seed("loop_targets", ["trigger,respond_within_hours,owner_department", "low_score,48,x", "complaint,48,x"])
    rows: dict[str, list[Row]] = defaultdict(list)
    for copy in copies():
        for stream, records in deepcopy(copy.streams).items():
            rows[f"canonical.{stream}"] += [{**record, "_source": copy.source} for record in records]
    built.night(rows, select=" ".join(f"int_kpi__{family}" for family in FAMILIES), as_of=AS_OF)
    return built


@pytest.fixture(scope="module")
def found(warehouse: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Found:
    counted = {(row["source"], row["measure"]): (row["records"], row["positives"]) for row in warehouse.rows(COUNTED)}
    said = {}
    for copy in copies():
        told = Told(_files(warehouse, copy.source, tmp_path_factory.mktemp(copy.source)), tables=TABLES, currency="EUR")
        with duckdb.connect() as connection:
            connection.execute("set TimeZone = 'UTC'")
            outlooks = kpi_outlooks(connection, KPIS, told, REASONS)
        # A count is no 0 for want of what a share of the same measure needs: the share speaks for the measure.
        by_kpi = sorted(zip(KPIS, outlooks, strict=True), key=lambda each: each[0].counted != "responses")
        said |= {(copy.source, kpi.measure): outlook for kpi, outlook in by_kpi}
    return Found(counted, said, {copy.source: copy.lacks for copy in copies()})


def _files(warehouse: Warehouse, source: str, folder: Path) -> dict[str, list[Path]]:
    """Accepted rows of one source, as files by stream."""
    files: dict[str, list[Path]] = {}
    with duckdb.connect(str(warehouse_file(warehouse.build)), read_only=True) as connection:
        for name in canonical_objects():
            file = folder / f"{name}.parquet"
            rows = f"""select * from accepted."{accepted_table("canonical", name)}" where _source = '{source}'"""
            copied = connection.execute(f"copy ({rows}) to '{file}' (format parquet)").fetchone()
            if copied and copied[0]:
                files[name] = [file]
    return files


def test_every_measure_says_what_it_needs() -> None:
    assert set(load_needs()) == {kpi.measure for kpi in KPIS}
    reasons = {each.reason for needs in load_needs().values() for each in needs.clauses if each.reason}
    assert reasons <= REASONS.keys()
    for term in TERMS:
        if not term.table:
            columns = load_contract("canonical", term.object).columns
            assert term.column is None or term.column in {*columns, TOLD_AGAIN}


def test_the_whole_company_fills_every_kpi(found: Found) -> None:
    empty = [measure for measure in load_needs() if not found.counted.get(("whole", measure), (0, 0))[0]]
    assert empty == []
    assert {m: s.because for (source, m), s in found.said.items() if source == "whole" and s.state != "counts"} == {}


def test_a_kpi_is_said_to_be_empty_where_and_only_where_the_models_count_nothing(found: Found) -> None:
    wrong = [
        f"{measure} without {found.lacks[source]}: {records} records, said: {outlook.state} {outlook.because}"
        for (source, measure), outlook in found.said.items()
        for records, _ in [found.counted.get((source, measure), (0, 0))]
        if (outlook.state == "empty") != (records == 0)
    ]
    assert wrong == []


def test_a_kpi_is_said_to_read_0_where_nothing_positive_is_told(found: Found) -> None:
    wrong = [
        f"{measure} without {found.lacks[source]}: {positives} positive, said: {outlook.state}"
        for (source, measure), outlook in found.said.items()
        if load_needs()[measure].reads_0 and outlook.state != "empty"
        for _, positives in [found.counted.get((source, measure), (0, 0))]
        if (outlook.state == "reads 0") != (positives == 0)
    ]
    assert wrong == []


@pytest.mark.parametrize(
    "system", ["zendesk", "freshdesk", "salesforce", "hubspot", "qualtrics", "surveymonkey", "typeform", "olist"]
)
def test_what_a_mapping_tells_is_read_in_its_text(warehouse: Warehouse, system: str) -> None:
    project = CHECKOUT.composed_project()
    told = mapped_columns(project, system, streams_of(system))
    assert told
    for name, columns in told.items():
        view = warehouse.values(
            "select column_name from duckdb_columns() where table_name = ?", f"int_{name}__{system}"
        )
        asked = {term.column for term in TERMS if term.object == name}
        assert columns & asked == set(view) & asked, name
