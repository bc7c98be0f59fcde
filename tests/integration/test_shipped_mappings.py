"""A small company by two routes, its own extracts or API and tables that Fivetran or Airbyte leave: the same rows.

Tables and columns are those Fivetran and Airbyte document. Not here: those made of emulated vendors
(tests/shapes_kit.py), what a mapping may say (tests/unit/test_mapping_files.py).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from assets.landing.connectors.config import FileStream
from assets.landing.land import land
from assets.landing.records import record_texts
from assets.pulling.extract import extract
from orchestration.config.mappings import shipped_mappings
from orchestration.operations.source_entry import add_source
from quality.contract.model import load_contract
from quality.gate.gate import Gate
from quality.landed.extract import LandedExtract
from storage.data_folder import DataFolder
from tests.emulator_kit import serving
from tests.mapping_kit import Company
from tests.postgres_kit import Server, running_server
from tests.shapes_kit import VENDORS

FIVETRAN = """
create schema zendesk;
create table zendesk.ticket (
    id bigint, requester_id bigint, organization_id bigint, submitter_id bigint, assignee_id bigint, group_id bigint,
    via_channel text, via_source_rel text, type text, priority text, status text, subject text, custom_plan text,
    created_at timestamptz, updated_at timestamptz, _fivetran_deleted boolean, _fivetran_synced timestamptz);
create table zendesk."user" (
    id bigint, organization_id bigint, external_id text, email text, phone text, name text, locale text, role text,
    active boolean, created_at timestamptz, updated_at timestamptz, _fivetran_deleted boolean,
    _fivetran_synced timestamptz);
create table zendesk.organization (
    id bigint, external_id text, name text, created_at timestamptz, updated_at timestamptz,
    _fivetran_synced timestamptz);
create table zendesk.ticket_comment (
    id bigint, ticket_id bigint, user_id bigint, created timestamptz, body text, public boolean,
    _fivetran_deleted boolean, _fivetran_synced timestamptz);
create table zendesk.ticket_field_history (
    ticket_id bigint, field_name text, updated timestamptz, value text, user_id bigint, _fivetran_synced timestamptz);
create table zendesk.satisfaction_rating (
    id bigint, ticket_id bigint, requester_id bigint, assignee_id bigint, group_id bigint, score text, reason text,
    comment text, created_at timestamptz, updated_at timestamptz, url text, _fivetran_synced timestamptz)
"""
DAY = date(2026, 3, 2)
SYNCED = "23:30"
TIME = re.compile(r"\d{2}:\d{2}")

# Each record as Fivetran has it, and as the company would write it itself; times are of one day, in UTC.
TICKETS = [
    ((7, 1, 11, 1, 3, 5, "email", None, "question", "high", "solved", "Hi", "x", "08:00", "12:00", False),
     ("7", "1", "11", "1", "3", "5", "email", "", "question", "high", "solved", "08:00", "", "false", "12:00")),
    ((8, 2, None, 3, None, 5, "voice", "outbound", None, None, "open", "Hi", "", "09:00", "09:30", None),
     ("8", "2", "", "3", "", "5", "voice", "outbound", "", "", "open", "09:00", "", "false", "09:30")),
    ((9, 2, None, 2, None, None, "web", "follow_up", "task", "low", "deleted", None, None, "09:10", "10:00", False),
     ("9", "2", "", "2", "", "", "web", "", "task", "low", "deleted", "09:10", "soft", "true", "10:00")),
    ((10, 1, 11, 1, 3, 5, "chat", None, "incident", "urgent", "open", "X", None, "09:20", "09:20", True),
     ("10", "1", "11", "1", "3", "5", "chat", "", "incident", "urgent", "open", "09:20", "soft", "true", "09:20")),
]  # fmt: skip
USERS = [
    ((1, 11, "C-1", "ann@example.org", "+49301", "Ann Lee Fox", "de-AT", "end-user", True, "07:00", "07:00", False),
     ("1", "11", "C-1", "ann@example.org", "+49301", "Ann", "Lee Fox", "de", "customer", "07:00", "false", "07:00")),
    ((2, None, None, "bob@example.org", None, "Bob", "en", "end-user", False, "07:10", "08:10", None),
     ("2", "", "", "bob@example.org", "", "", "Bob", "en", "customer", "07:10", "true", "08:10")),
    ((3, None, None, "eve@desk.example", None, "Eve Desk", "en-US", "admin", True, "07:20", "07:20", False),
     ("3", "", "", "eve@desk.example", "", "Eve", "Desk", "en", "agent", "07:20", "false", "07:20")),
]  # fmt: skip
ORGANIZATIONS = [((11, "A-1", "Acme", "06:00", "06:30"), ("11", "A-1", "Acme", "06:00", "06:30"))]
COMMENTS = [
    ((100, 7, 1, "08:00", "Help", True, False), ("comment:100", "7", "comment", "08:00", "1", "", "true", "", "false")),
    ((101, 7, 3, "08:30", "Done", True, None), ("comment:101", "7", "comment", "08:30", "3", "", "true", "", "")),
    ((102, 8, -1, "09:05", "Note", False, False),
     ("comment:102", "8", "comment", "09:05", "", "bot", "false", "", "false")),
]  # fmt: skip
CHANGES = [
    ((7, "status", "08:00", "new", 1), ("7", "status_change", "08:00", "1", "", "", "new", "")),
    ((7, "status", "12:00", "solved", 3), ("7", "status_change", "12:00", "3", "", "", "solved", "")),
    ((7, "group_id", "08:00", "5", -1), ("7", "team_change", "08:00", "", "system", "", "5", "")),
    ((7, "assignee_id", "08:10", "3", 3), ("7", "assignee_change", "08:10", "3", "", "", "3", "")),
    ((8, "priority", "09:20", None, 3), ("8", "priority_change", "09:20", "3", "", "", "", "")),
    ((7, "subject", "08:00", "Hi", 1), None),
]
CREATIONS = [(ours[0], ours[-3], ours[3]) for ours, _ in TICKETS]
RATINGS = [
    ((50, 7, 1, 3, 5, "good_with_comment", "fast", "Thanks", "12:30", "13:00"),
     ("50", "50", "1", "7", "3", "1", "fast", "Thanks", "12:30", "13:00", "13:00")),
    ((51, 8, 2, None, 5, "bad", None, None, "12:40", "12:50"),
     ("51", "51", "2", "8", "", "0", "", "", "12:40", "12:50", "12:50")),
    ((52, 9, 2, None, 5, "offered", None, None, "12:45", "12:45"), None),
]  # fmt: skip
QUESTION = (
    *("zendesk_satisfaction", "Help desk satisfaction", "satisfaction", "How would you rate the help you received?"),
    *("csat", "0", "1", "high_is_good", "[1]", "transactional", "support_solved", "12:30"),
)


def events() -> Iterator[tuple[str, ...]]:
    """What happened on tickets, in our words. A change has no id: ticket, field and microsecond name it."""
    for _, plain in COMMENTS:
        yield (*plain, plain[3])
    for ticket, time, who in CREATIONS:
        yield (f"created:{ticket}", str(ticket), "created", time, str(who), "", "", "", "", time)
    for ours, told in CHANGES:
        if told:
            micros = int(datetime.fromisoformat(moment(ours[2])).timestamp()) * 1_000_000
            yield (f"{ours[0]}:{ours[1]}:{micros}", *told, told[2])


def moment(time: str) -> str:
    return f"{DAY} {time}:00+00:00"


PLAIN: Mapping[str, tuple[str, Sequence[Sequence[str]]]] = {
    "ticket": (
        "ticket_id requester_id account_id created_by_id assignee_id team channel direction ticket_type priority "
        "status created_at deletion_kind is_deleted updated_at",
        [plain for _, plain in TICKETS],
    ),
    "contact": (
        "contact_id account_id external_contact_id email phone first_name last_name language role created_at "
        "is_deleted updated_at",
        [plain for _, plain in USERS],
    ),
    "agent": ("agent_id name is_deleted updated_at", [("3", "Eve Desk", "false", "07:20")]),
    "account": ("account_id external_account_id name created_at updated_at", [plain for _, plain in ORGANIZATIONS]),
    "ticket_event": (
        "event_id ticket_id event_type occurred_at author_id author_role is_public to_value is_deleted updated_at",
        list(events()),
    ),
    "survey_answer": (
        "answer_id response_id contact_id ticket_id agent_id score reason comment asked_at answered_at updated_at "
        "survey_id question_id",
        [(*plain, "zendesk_satisfaction", "satisfaction") for _, plain in RATINGS if plain],
    ),
    "survey_question": (
        "survey_id survey_name question_id wording metric scale_min scale_max scale_direction positive_values "
        "survey_kind touchpoint updated_at",
        [QUESTION],
    ),
}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server() as server:
        server.run(*FIVETRAN.strip().split(";\n"))
        for table, rows in (
            ("ticket", [ours for ours, _ in TICKETS]),
            ('"user"', [ours for ours, _ in USERS]),
            ("organization", [ours for ours, _ in ORGANIZATIONS]),
            ("ticket_comment", [ours for ours, _ in COMMENTS]),
            ("ticket_field_history", [ours for ours, _ in CHANGES]),
            ("satisfaction_rating", [(*ours, "https://x") for ours, _ in RATINGS]),
        ):
            values = ", ".join(f"({', '.join(map(as_sql, (*row, SYNCED)))})" for row in rows)
            server.run(f"insert into zendesk.{table} values {values}")
        yield server


def as_sql(value: object) -> str:
    if value is None or isinstance(value, bool | int):
        return "null" if value is None else str(value).lower()
    return f"'{moment(str(value)) if TIME.fullmatch(str(value)) else value}'"


# Records as Zendesk's API tells them; Airbyte keeps their names, lists and objects as jsonb.
API: Mapping[str, list[dict[str, Any]]] = {
    "tickets": [
        {"id": 7, "status": "solved", "priority": "high", "requester_id": 1, "tags": ["vip", "a"], "subject": "Hi, ü",
         "via": {"channel": "web", "source": {"rel": None}}, "custom_fields": [{"id": 1, "value": "x"}],
         "has_incidents": False, "created_at": "08:00", "updated_at": "12:00", "generated_timestamp": 1772454000},
        {"id": 8, "status": "open", "priority": None, "requester_id": 2, "tags": [], "subject": None, "via": None,
         "custom_fields": None, "has_incidents": None, "created_at": "09:00", "updated_at": "09:30",
         "generated_timestamp": 1772443800},
    ],
    "users": [
        {"id": 1, "name": "Ann Fox", "email": "ann@example.org", "role": "end-user", "active": True,
         "created_at": "07:00", "updated_at": "07:00"},
    ],
    "organizations": [
        {"id": 11, "name": "Acme", "domain_names": ["acme.example"], "created_at": "06:00", "updated_at": "06:30"},
    ],
    "ticket_audits": [
        {"id": 70, "ticket_id": 7, "author_id": -1, "created_at": "08:00", "via": {"channel": "rule"},
         "events": [{"id": 1, "type": "Comment", "public": True, "body": "Help \"me\"", "author_id": 1},
                    {"id": 2, "type": "Create", "field_name": "status", "value": "new"}]},
    ],
    "ticket_metric_events": [
        {"id": 90, "ticket_id": 7, "metric": "reply_time", "instance_id": 1, "type": "activate", "time": "08:00",
         "status": {"calendar": 5, "business": 0}},
    ],
    "satisfaction_ratings": [
        {"id": 50, "ticket_id": 7, "requester_id": 1, "score": "good", "comment": "Thanks", "created_at": "12:30",
         "updated_at": "13:00"},
    ],
}  # fmt: skip


def as_airbyte(rows: Sequence[Mapping[str, Any]], table: str) -> Iterator[str]:
    """The table Airbyte leaves of records, as statements."""
    kinds = {
        "id": "bigint",
        "json": "jsonb",
        "boolean": "boolean",
        "timestamp": "timestamptz",
        "bigint": "bigint",
        "epoch_s": "bigint",
    }
    columns = {name: kinds.get(each.type, "text") for name, each in load_contract("zendesk", table).columns.items()}
    defined = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
    yield f"create table airbyte.{table} (_airbyte_raw_id text, _airbyte_extracted_at timestamptz, url text, {defined})"
    for row in rows:
        cells = [json.dumps(cell) if isinstance(cell, dict | list) else cell for cell in map(row.get, columns)]
        yield f"insert into airbyte.{table} values ({', '.join(map(as_sql, ['r', SYNCED, 'x', *cells]))})"


def accepted(
    streams: Sequence[FileStream], folder: DataFolder, day: date = DAY
) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """Rows the gate accepts, by source and stream; nothing may be in quarantine, and nothing warned of."""
    extracts = [
        LandedExtract(
            each.stream,
            load_contract(each.stream.system, each.stream.stream),
            day,
            each.timezone,
            each.mode,
            folder.landing_partition(each.stream, day),
            each.reading,
        )
        for each in streams
    ]
    with Gate(folder, None, record_texts) as gate:
        verdicts = [verdict for each in extracts for verdict in gate.judge([each])]
    for verdict in verdicts:
        assert [check for check in verdict.checks if check.outcome != "pass"] == []
        assert (verdict.quarantined_rows, verdict.rejected_records) == (0, 0)
    return {(each.stream.source, each.stream.stream): _rows(each, folder, day) for each in extracts}


def _rows(extract: LandedExtract, folder: DataFolder, day: date) -> list[dict[str, Any]]:
    """Accepted rows of an extract: columns of the contract, in the order of its key."""
    rows = pq.read_table(folder.accepted_partition(extract.stream, day) / "rows.parquet").to_pylist()
    columns = extract.contract.columns.items()
    told = [{name: _told(row.get(name), column.type) for name, column in columns} for row in rows]
    return sorted(told, key=lambda row: [row[name] for name in extract.contract.key])


def test_zendesk_by_way_of_fivetran_gives_what_plain_extracts_give(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = Company(tmp_path)
    company.says("".join(f"{stream}: {{timezone: UTC}}\n" for stream in PLAIN), None)
    file = tmp_path / "company.yml"
    file.write_text(file.read_text(encoding="utf-8").replace("first_date: 2026-03-01", f"first_date: {DAY}"))
    added = add_source(company.setup(), "zen", "canonical", "files", (), shape="fivetran_zendesk")
    assert added.variables == ("ZEN_DATABASE",)
    monkeypatch.setenv("ZEN_DATABASE", server.uri())
    streams = {(each.stream.source, each.stream.stream): each for each in company.read().streams}
    assert {name for source, name in streams if source == "zen"} == PLAIN.keys()
    for name, (header, rows) in PLAIN.items():
        cells = [[moment(cell) if TIME.fullmatch(cell) else cell for cell in row] for row in rows]
        company.deliver(f"{name}_{DAY}.csv", header.split(), cells)
        plain, fivetran = streams["desk", name], replace(streams["zen", name], first_date=DAY)
        contract = load_contract("canonical", name)
        assert land(plain, contract, company.folder, DAY) is not None
        extract(fivetran, contract, company.folder, [DAY])
    found = accepted(list(streams.values()), company.folder)
    for name, (_, rows) in PLAIN.items():
        assert found["zen", name] == found["desk", name], name
        assert len(found["desk", name]) == len(rows), name


def _told(value: Any, kind: str) -> Any:
    """A value as it is compared: JSON by what it says."""
    return json.loads(value) if kind == "json" and value is not None else value


def test_zendesk_by_way_of_airbyte_gives_what_its_own_extracts_give(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.run("create schema airbyte", *(each for table, rows in API.items() for each in as_airbyte(rows, table)))
    company = Company(tmp_path)
    company.says("ticket:", None)
    file = tmp_path / "company.yml"
    said = file.read_text(encoding="utf-8").replace("first_date: 2026-03-01", f"first_date: {DAY}")
    said = said.replace("system: canonical", "system: zendesk").replace("{date}.csv", "{date}.jsonl")
    said = said.replace("      ticket:\n", "".join(f"      {stream}:\n" for stream in API))
    file.write_text(said.replace("    timezone: Europe/Berlin\n", "    timezone: UTC\n"), encoding="utf-8")
    add_source(company.setup(), "zen", "canonical", "files", (), shape="airbyte_zendesk")
    monkeypatch.setenv("ZEN_DATABASE", server.uri())
    streams = {(each.stream.source, each.stream.stream): each for each in company.read().streams}
    assert {name for source, name in streams if source == "zen"} == API.keys()
    for name, rows in API.items():
        texts = [
            {key: moment(cell) if TIME.fullmatch(str(cell)) else cell for key, cell in row.items()} for row in rows
        ]
        lines = "".join(f"{json.dumps(row)}\n" for row in texts)
        (company.drop / f"{name}_{DAY}.jsonl").write_text(lines, encoding="utf-8")
        plain, airbyte = streams["desk", name], replace(streams["zen", name], first_date=DAY)
        contract = load_contract("zendesk", name)
        assert airbyte.mapping is not None
        assert dict(airbyte.mapping.columns).keys() == contract.columns.keys(), "what the contract knows is taken"
        assert land(plain, contract, company.folder, DAY) is not None
        extract(airbyte, contract, company.folder, [DAY])
    found = accepted(list(streams.values()), company.folder)
    for name, rows in API.items():
        assert found["zen", name] == found["desk", name], name
        assert len(found["desk", name]) == len(rows), name


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_vendor_by_way_of_a_warehouse_gives_what_its_api_gives(
    vendor: str, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told, day, company = VENDORS[vendor], date(2026, 6, 2), Company(tmp_path)
    host, file = told.host(), tmp_path / "company.yml"
    company.says("ticket:", None)
    begun = file.read_text(encoding="utf-8").partition("sources:\n")[0].replace("2026-03-01", str(day))
    for name, secret in told.credentials.items():
        monkeypatch.setenv(f"API_{name.upper()}", secret)
    with serving(host) as base:
        file.write_text(f"{begun}sources:\n{told.entry(base)}", encoding="utf-8")
        for shape, tables in told.shapes.items():
            server.run(f"create database {shape}")
            replace(server, database=shape).run(*tables(host))
            (variable,) = add_source(company.setup(), shape, "canonical", "files", (), shape=shape).variables
            monkeypatch.setenv(variable, server.uri(database=shape))
        streams = company.read().streams
        for stream in streams:
            contract = load_contract(told.system, stream.stream.stream)
            extract(replace(stream, first_date=day), contract, company.folder, [day])
    found = accepted(streams, company.folder, day)
    assert (
        found.keys()
        == {(source, name) for source in ("api", *told.shapes) for name in told.streams()} | told.more.keys()
    )
    for shape in told.shapes:
        for name in told.streams():
            assert found["api", name], name
            assert found[shape, name] == found["api", name], (shape, name)
    for place, rows in told.more.items():
        held = [{name: str(value) for name, value in row.items() if value is not None} for row in found[place]]
        assert held == list(rows), place


def test_a_shipped_mapping_needs_no_stream_that_is_not_delivered(tmp_path: Path) -> None:
    company = Company(tmp_path)
    company.says("ticket:", None)
    file = tmp_path / "company.yml"
    said = file.read_text(encoding="utf-8").replace("    streams:", "    mapping: fivetran_zendesk\n    streams:")
    file.write_text(said, encoding="utf-8")
    (stream,) = company.read().streams
    assert stream.mapping is not None
    assert stream.mapping.file == "mappings/fivetran_zendesk.yml"
    (tmp_path / "mappings" / "fivetran_zendesk.yml").write_text(
        "ticket: {columns: {ticket_id: x, status: x, created_at: x, updated_at: x}}", encoding="utf-8"
    )
    (stream,) = company.read().streams
    assert stream.mapping is not None
    assert len(stream.mapping.columns) == 4, "the company's own of that name goes before it"
    assert "fivetran_zendesk" in shipped_mappings()
