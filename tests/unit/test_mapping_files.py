"""What a mapping file may say, and the one line a person gets for a mistake in it, before anything runs."""

from __future__ import annotations

import re

import pytest

from orchestration.config.mapping_file import LookUpKeys, MappingFile, StreamMappingKeys, UnpivotKeys, ValueKeys
from quality.mapping.expressions import ExpressionError, columns_of
from storage.errors import JourneymartError
from tests.mapping_kit import ANSWERS, TICKETS, Company

MISTAKES = {
    "a column the contract does not have": (
        ("requester_email:", "requester_mail:"),
        "line 5: ticket.columns.requester_mail: stream 'ticket' has no column 'requester_mail'; did you mean "
        "'requester_email'?",
    ),
    "a column nobody can do without": (
        ("    updated_at: {from: Geändert", "    solved_at: {from: Geändert"),
        "line 3: ticket.columns: updated_at of stream 'ticket' is not mapped",
    ),
    "a stream the source does not deliver": (
        ("ticket:\n", "tickets:\n"),
        "line 1: tickets: the source delivers no stream 'tickets' by company.yml; did you mean 'ticket'?",
    ),
    "a key nobody knows": (
        ("{const: email}", "{constant: email}"),
        "line 6: ticket.columns.channel.constant: unknown key; did you mean 'const'?",
    ),
    "two origins of one column": (
        ("{const: email}", "{const: email, from: Kanal}"),
        "line 6: ticket.columns.channel: a column comes from one of from, const, sql, key; here stands from and const",
    ),
    "no origin": (
        ("{const: email}", "{values: {a: b}}"),
        "line 6: ticket.columns.channel: a column comes from one of from, const, sql, key; here stands none",
    ),
    "a zone without a format": (
        ("team: Gruppe", "team: {from: Gruppe, timezone: Europe/Berlin}"),
        "line 7: ticket.columns.team.timezone: says nothing without 'format'",
    ),
    "a format of what is no time": (
        ("team: Gruppe", 'team: {from: Gruppe, format: "%d.%m.%Y"}'),
        "line 7: ticket.columns.team.format: is for dates and times, and team is of type text",
    ),
    "a format nobody can read": (
        ('created_at: {from: Angelegt, format: "%d.%m.%Y %H:%M"}', 'created_at: {from: Angelegt, format: "%d.%Q"}'),
        "line 10: ticket.columns.created_at.format: it does not fit together",
    ),
    "no SQL": (
        ("'lower(trim(\"E-Mail\"))'", "'lower(trim(\"E-Mail\")'"),
        "line 5: ticket.columns.requester_email.sql: it is no SQL expression",
    ),
    "another table": (
        ("'lower(trim(\"E-Mail\"))'", "\"(select x from read_csv('/etc/passwd'))\""),
        "line 5: ticket.columns.requester_email.sql: it asks another table",
    ),
    "a condition that is none": (
        ('"\\"Ist Test\\" is distinct from \'ja\'"', "'\"Ist Test\" is distinct'"),
        "line 2: ticket.where: it is no SQL expression",
    ),
    "a text that YAML took for something else": (
        ("{const: email}", "{const: 2026-03-01}"),
        "line 6: ticket.columns.channel.const: must be text (in quotes if it looks like a number, a date or yes/no)",
    ),
    "a column that stands twice": (
        ("    team: Gruppe", "    team: Gruppe\n    team: Gruppe"),
        "line 8: ticket.columns.team: the key stands twice, first on line 7",
    ),
    "an unpivot without columns": (
        ("  columns:", "  unpivot: {columns: []}\n  columns:"),
        "line 3: ticket.unpivot.columns: nothing stands here; at least one is needed",
    ),
}


@pytest.mark.parametrize(("change", "said"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_line_with_its_place(tmp_path, change, said):
    before, after = change
    assert before in TICKETS
    with pytest.raises(JourneymartError) as mistake:
        Company(tmp_path).says("ticket:", TICKETS.replace(before, after, 1))
    assert f"mappings/desk.yml, {said}" in str(mistake.value)
    assert "\n" not in str(mistake.value)


LOOKED_UP = """\
ticket:
  lookup:
    Team: {from: Agent, stream: agent, column: team}
  columns: {ticket_id: Nr, team: Team, status: Status, created_at: Zeit, updated_at: Zeit}
agent:
  columns: {agent_id: Nr, team: Gruppe, updated_at: Zeit}
"""
MISTAKES_OF_LOOK_UPS = {
    "a stream the source does not deliver": (
        ("stream: agent", "stream: agents"),
        "line 3: ticket.lookup.Team.stream: the source delivers no stream 'agents' by company.yml; did you mean "
        "'agent'?",
    ),
    "a column the other stream does not have": (
        ("column: team", "column: teams"),
        "line 3: ticket.lookup.Team.column: stream 'agent' has no column 'teams'; did you mean 'team'?",
    ),
    "a column the other stream does not map": (
        ("column: team", "column: tier"),
        "line 3: ticket.lookup.Team.column: line 6 says not where 'tier' of stream 'agent' comes from",
    ),
    "a column that is written by rules": (
        ("column: team", "column: updated_at"),
        "line 3: ticket.lookup.Team.column: 'updated_at' is of type timestamp, written as files of 'agent' write it",
    ),
    "the stream itself": (
        ("stream: agent", "stream: ticket"),
        "line 3: ticket.lookup.Team.stream: this goes in a circle: ticket looks up ticket",
    ),
    "a circle": (
        ("agent:\n", "agent:\n  lookup: {Status: {from: Nr, stream: ticket, column: status}}\n"),
        "line 6: agent.lookup.Status.stream: this goes in a circle: ticket looks up agent looks up ticket",
    ),
    "a key that is looked up": (
        ("    Team:", "    Mail: {from: Team, stream: agent, column: team}\n    Team:"),
        "line 3: ticket.lookup.Mail.from: 'Team' is made in this block; what names the key is delivered",
    ),
    "two names that are one": (
        ("    Team:", "    team: {from: Agent, stream: agent, column: team}\n    Team:"),
        "line 3: ticket.lookup.team: 'team' is the name of another column of this block, too",
    ),
    "a key nobody knows": (
        ("column: team", "columns: team"),
        "line 3: ticket.lookup.Team.columns: unknown key; did you mean 'column'?",
    ),
}


@pytest.mark.parametrize(("change", "said"), MISTAKES_OF_LOOK_UPS.values(), ids=MISTAKES_OF_LOOK_UPS)
def test_a_mistake_in_what_is_looked_up_is_one_line_with_its_place(tmp_path, change, said):
    assert change[0] in LOOKED_UP
    with pytest.raises(JourneymartError) as mistake:
        Company(tmp_path).says("ticket:\nagent:", LOOKED_UP.replace(*change, 1))
    assert f"mappings/desk.yml, {said}" in str(mistake.value)
    assert "\n" not in str(mistake.value)


def test_a_cursor_that_cuts_a_file_is_not_looked_up(tmp_path):
    looked_up = LOOKED_UP.replace("updated_at: Zeit}\nagent", "updated_at: {sql: 'coalesce(Zeit, team)'}}\nagent")
    with pytest.raises(JourneymartError, match=r"cursor: line 4 of mappings/desk.yml makes it of 'team', but its day"):
        Company(tmp_path).says("ticket: {pattern: tickets.csv, cursor: updated_at}\nagent:", looked_up)


def test_the_mapping_of_a_source_is_found_by_its_name_or_named(tmp_path):
    company = Company(tmp_path)
    streams = company.says("ticket:\nagent:", TICKETS).streams
    assert [stream.mapping is not None for stream in streams] == [True, False]
    (tmp_path / "mappings" / "desk.yml").rename(tmp_path / "mappings" / "german_desk.yml")
    assert company.says("ticket:", None).streams[0].mapping is None
    named = (tmp_path / "company.yml").read_text().replace("    streams:", "    mapping: german_disk\n    streams:")
    (tmp_path / "company.yml").write_text(named)
    with pytest.raises(JourneymartError, match=re.escape("line 12: sources.desk.mapping")) as mistake:
        company.read()
    assert "did you mean 'german_desk'?" in str(mistake.value)
    (tmp_path / "company.yml").write_text(named.replace("disk", "desk"))
    found, before = company.read().streams[0].mapping, streams[0].mapping
    assert found and before and found.fingerprint == before.fingerprint


def test_two_streams_share_files_only_where_a_mapping_says_what_each_takes(tmp_path):
    shared = "ticket: {pattern: 'export_{date}.csv'}\ncontact: {pattern: 'export_{date}.csv'}"
    contacts = "contact:\n  columns: {contact_id: E-Mail, email: E-Mail, updated_at: Geändert}\n"
    assert len(Company(tmp_path).says(shared, TICKETS + contacts).streams) == 2
    with pytest.raises(JourneymartError, match="reads the same files as stream"):
        Company(tmp_path).says(shared, TICKETS)


def test_the_cursor_that_cuts_a_file_is_a_column_that_is_mapped(tmp_path):
    streams = "ticket: {pattern: tickets.csv, cursor: solved_at}"
    with pytest.raises(JourneymartError, match=r"cursor: line 1 of mappings/desk.yml says not where 'solved_at'"):
        Company(tmp_path).says(streams, TICKETS)
    assert Company(tmp_path).says(streams.replace("solved_at", "updated_at"), TICKETS).streams[0].cursor == "updated_at"


def test_what_a_mapping_means_has_one_fingerprint_wherever_it_stands(tmp_path):
    def fingerprint(text: str) -> str:
        mapping = Company(tmp_path).says("ticket:", text).streams[0].mapping
        assert mapping is not None
        return mapping.fingerprint

    before = fingerprint(TICKETS)
    assert fingerprint("# a word\n" + TICKETS.replace("Intern *", "Extern *")) == before
    assert fingerprint(TICKETS.replace("Erledigt: solved", "Erledigt: closed")) != before


def test_a_name_of_a_value_is_as_it_is_written(tmp_path):
    """YAML reads 01 as a number and Ja or Yes as it likes: a table of texts means the texts."""
    text = TICKETS.replace("{1: urgent, 2: high}", "{01: urgent, Yes: high, null: low}")
    mapping = Company(tmp_path).says("ticket:", text).streams[0].mapping
    assert mapping is not None
    assert dict(mapping.columns)["priority"].values == (("01", "urgent"), ("Yes", "high"), ("null", "low"))


def test_an_expression_sees_its_record_and_nothing_else():
    assert columns_of('lower("E-Mail") || coalesce(x, y)') == ("E-Mail", "x", "y")
    assert columns_of("list_transform([a], lambda part: part || b)[1]") == ("a", "b")
    for refused in (
        "(select 1)",
        "a in (select b)",
        "sum(a)",
        "row_number() over ()",
        "now()",
        "random()",
        "uuid()",
        "current_setting('x')",
        "read_text('/etc/passwd')",
        "a) , (b",
        "a) from x; select (b",
        "*",
        "$1",
        "a +",
        "",
        "a, b",
    ):
        with pytest.raises(ExpressionError):
            columns_of(refused)


def test_every_key_says_what_it_means():
    models = (LookUpKeys, StreamMappingKeys, UnpivotKeys, ValueKeys)
    assert [name for model in models for name, known in model.model_fields.items() if not known.description] == []
    assert MappingFile.model_validate({}).root == {}
    assert ANSWERS
