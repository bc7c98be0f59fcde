"""What a mapping looks up in other streams of its source: the rows it makes, whenever what has landed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.landing.connectors.config import looked_up_first
from assets.landing.map_again import behind_their_mapping
from assets.landing.records import record_texts
from orchestration.operations.check_extract import check_stream
from quality.gate.accepted import DESCRIPTION, read_batch
from quality.gate.approvals import Approval, read_approvals, write_approval
from quality.gate.gate import Gate
from quality.landed.manifest import Mapped
from storage.data_folder import DataFolder
from storage.errors import JourneymartError
from tests.mapping_kit import FIRST, SECOND, Company

THIRD = date(2026, 3, 3)
MAPPING = """\
ticket:
  lookup:
    Agent team: {from: Agent, stream: agent, column: team}
    Mail: {from: Kunde, stream: contact, column: email}
  columns:
    ticket_id: Nr
    assignee_id: Agent
    requester_email: {sql: 'lower("Mail")'}
    team: {from: Agent team, values: {Front: first, Back: second}}
    status: {const: open}
    created_at: Zeit
    updated_at: Zeit
contact:
  columns: {contact_id: Kunde, email: Adresse, updated_at: Zeit}
"""
STREAMS = "ticket:\nagent:\ncontact:"
TICKETS, AGENTS, CONTACTS = (
    ("Nr", "Agent", "Kunde", "Zeit"),
    ("agent_id", "team", "updated_at"),
    ("Kunde", "Adresse", "Zeit"),
)


@pytest.fixture(scope="module")
def gate(tmp_path_factory):
    """One gate for all companies here: Great Expectations takes seconds to load."""
    with Gate(DataFolder(tmp_path_factory.mktemp("gate") / "data"), None, record_texts) as gate:
        yield gate


def at(day: date, hour: int = 10) -> str:
    return f"{day} {hour}:00:00"


def deliver(
    company: Company, day: date, *, agents: object = None, contacts: object = None, tickets: object = None
) -> None:
    """Deliver what some streams have on a day: rows without the time, which is the day's."""
    for name, columns, rows in (
        ("agent", AGENTS, agents),
        ("contact", CONTACTS, contacts),
        ("ticket", TICKETS, tickets),
    ):
        if rows is not None:
            company.deliver(f"{name}_{day}.csv", columns, [[*row, at(day)] for row in rows])  # type: ignore[attr-defined]


def test_a_ticket_takes_what_was_known_on_its_day_and_a_key_nobody_knew_is_counted(tmp_path, gate):
    company = Company(tmp_path)
    ticket, agent, contact = company.says(STREAMS, MAPPING).streams
    assert [each.stream.stream for each in looked_up_first([ticket, agent, contact])] == ["agent", "contact", "ticket"]
    deliver(company, FIRST, agents=[("1", "Front"), ("2", "Back")], contacts=[("c1", "Ann@Example.org")])
    deliver(company, FIRST, tickets=[("T1", "1.0", "c1"), ("T2", "2", "c9"), ("T3", "", "c8"), ("T4", "7", "c1")])
    for stream in (agent, contact, ticket):
        company.land(stream)
    rows = [(row["ticket_id"], row["team"], row["requester_email"]) for row in company.rows(ticket)]
    assert rows == [
        ("T1", "first", "ann@example.org"),
        ("T2", "second", None),
        ("T3", None, None),
        ("T4", None, "ann@example.org"),
    ]
    mapped = company.manifest(ticket).mapped
    assert isinstance(mapped, Mapped)
    alone = {"Agent team (line 3 of mappings/desk.yml)": 1, "Mail (line 4 of mappings/desk.yml)": 2}
    assert (mapped.without_partner, len(mapped.unknown_then)) == (alone, 3)
    verdict = company.judge(gate, ticket)
    warned = {check.kind: check for check in verdict.checks}["warnings"]
    assert (verdict.passed, warned.outcome) == (True, "warn")
    assert warned.metadata["keys without a partner for Mail (line 4 of mappings/desk.yml)"] == 2
    # The next day another team has the agent, and one of the two customers is delivered.
    deliver(company, SECOND, agents=[("1", "Back")], contacts=[("c9", "bob@example.org")], tickets=[("T1", "1", "c1")])
    for stream in (agent, contact, ticket):
        company.land(stream, SECOND)
    assert [row["team"] for row in company.rows(ticket, SECOND)] == ["second"]
    assert [row["requester_email"] for row in company.rows(ticket)] == [
        "ann@example.org",
        "bob@example.org",
        None,
        "ann@example.org",
    ]
    assert next(row["team"] for row in company.rows(ticket)) == "first"
    assert behind_their_mapping(ticket, company.partition(ticket).parent) == []


def test_of_several_versions_in_one_delivery_the_newest_is_taken(tmp_path):
    company = Company(tmp_path)
    ticket, agent, contact = company.says(STREAMS, MAPPING).streams
    versions = [("1", "Back", at(FIRST, 12)), ("1", "Front", at(FIRST, 11)), ("1", "x", "no time")]
    company.deliver(f"agent_{FIRST}.csv", AGENTS, versions)
    deliver(company, FIRST, contacts=[], tickets=[("T1", "1", "c1")])
    for stream in (agent, contact, ticket):
        company.land(stream)
    assert [row["team"] for row in company.rows(ticket)] == ["second"]


def test_what_is_mapped_again_to_the_same_rows_stays_accepted_and_approved(tmp_path):
    company = Company(tmp_path)
    ticket, agent, contact = company.says(STREAMS, MAPPING).streams
    deliver(company, FIRST, agents=[("1", "Front")], contacts=[("c1", "a@example.org")], tickets=[("T1", "1", "c1")])
    for stream in (agent, contact, ticket):
        company.land(stream)
    first = company.manifest(ticket).sha256
    said = Approval("desk", "ticket", FIRST, first, ("volume",), "Ann", datetime(2026, 3, 2, tzinfo=UTC), "a fair")
    write_approval(company.folder, said)
    with Gate(company.folder, None, record_texts) as own:
        company.judge(own, ticket)
    accepted = company.folder.accepted_partition(ticket.stream, FIRST) / DESCRIPTION
    deliver(company, FIRST, agents=[("1", "Front"), ("2", "Back")])
    company.land(agent)
    company.land(ticket)
    second = company.manifest(ticket).sha256
    assert second != first
    assert read_batch(accepted).landing_sha256 == second
    assert read_approvals(company.folder).of_content(ticket.stream, FIRST, second)
    # Where the rows are others, both are of what was there.
    deliver(company, FIRST, agents=[("1", "Back")])
    company.land(agent)
    company.land(ticket)
    assert [row["team"] for row in company.rows(ticket)] == ["second"]
    assert read_batch(accepted).landing_sha256 == second != company.manifest(ticket).sha256
    assert not read_approvals(company.folder).of_content(ticket.stream, FIRST, company.manifest(ticket).sha256)


def test_nothing_lands_that_looks_up_what_never_came(tmp_path):
    company = Company(tmp_path)
    ticket, agent, _ = company.says(STREAMS, MAPPING).streams
    deliver(company, FIRST, agents=[("1", "Front")], tickets=[("T1", "1", "c1")])
    company.land(agent)
    with pytest.raises(JourneymartError) as mistake:
        company.land(ticket)
    assert str(mistake.value) == (
        "desk/ticket looks up 'Mail' (line 4 of mappings/desk.yml) in desk/contact, of which nothing has landed: have "
        "it delivered first."
    )
    assert not company.partition(ticket).exists()


def test_a_delivered_column_called_like_what_is_looked_up_is_refused(tmp_path):
    company = Company(tmp_path)
    ticket, agent, contact = company.says(STREAMS, MAPPING).streams
    deliver(company, FIRST, agents=[("1", "Front")], contacts=[("c1", "a@example.org")])
    company.deliver(f"ticket_{FIRST}.csv", (*TICKETS, "mail"), [("T1", "1", "c1", at(FIRST), "x")])
    company.land(agent)
    company.land(contact)
    with pytest.raises(JourneymartError, match=r"has a column 'Mail', as line 4 of mappings/desk\.yml calls what it"):
        company.land(ticket)


def test_without_the_column_that_names_the_key_nothing_is_found_and_that_is_told(tmp_path, gate):
    company = Company(tmp_path)
    ticket, agent, contact = company.says(STREAMS, MAPPING).streams
    deliver(company, FIRST, agents=[("1", "Front")], contacts=[("c1", "a@example.org")])
    company.deliver(f"ticket_{FIRST}.csv", ("Nr", "Agent", "Zeit"), [("T1", "1", at(FIRST))])
    for stream in (agent, contact, ticket):
        company.land(stream)
    assert [(row["team"], row["requester_email"]) for row in company.rows(ticket)] == [("first", None)]
    warned = {check.kind: check for check in company.judge(gate, ticket).checks}["warnings"]
    assert warned.metadata["mapped columns not delivered"] == "Kunde (line 4 of mappings/desk.yml)"


DAYS = [FIRST + timedelta(days=number) for number in range(4)]
SAID = st.dictionaries(st.sampled_from("abc"), st.sampled_from(["Front", "Back", ""]), max_size=3)
ASKED = st.lists(st.sampled_from("abcd"), max_size=3)


@pytest.mark.promise("order")
@settings(max_examples=8)
@given(data=st.data(), agents=st.lists(SAID, min_size=4, max_size=4), asked=st.lists(ASKED, min_size=4, max_size=4))
def test_any_order_of_deliveries_makes_the_rows_that_all_at_once_make(tmp_path_factory, data, agents, asked):
    """Rows are held against a look through what was said, day by day; whether agents come as changes or as dumps."""
    company = Company(tmp_path_factory.mktemp("any"))
    mode = data.draw(st.sampled_from(["increment", "full"]))
    streams = f"ticket:\nagent: {{mode: {mode}, max_delete_share: 1.0}}\ncontact: {{pattern: 'none_{{date}}.csv'}}"
    mapping = MAPPING.replace("    Mail: {from: Kunde, stream: contact, column: email}\n", "").replace(
        'lower("Mail")', "null"
    )
    ticket, agent, _ = company.says(streams, mapping).streams
    order = data.draw(st.permutations([(stream, day) for stream in (ticket, agent) for day in DAYS]))
    for stream, day in order:
        said = agents[DAYS.index(day)]
        if stream is agent:
            deliver(company, day, agents=[*said.items()])
        else:
            deliver(company, day, tickets=[(str(n), key, "") for n, key in enumerate(asked[DAYS.index(day)])])
        if stream is agent or company.partition(agent).parent.exists():
            company.land(stream, day)
    for stream in (agent, ticket):
        company.land(stream, *DAYS)
    for day, keys in zip(DAYS, asked, strict=True):
        expected = []
        for key in keys:
            said_on = [each for each, said in zip(DAYS, agents, strict=True) if key in said]
            known = [each for each in said_on if each <= day][-1:] or said_on[:1]
            expected.append(
                {"Front": "first", "Back": "second"}.get(agents[DAYS.index(known[0])][key]) if known else None
            )
        assert [row["team"] for row in company.rows(ticket, day)] == expected
    assert behind_their_mapping(ticket, company.partition(ticket).parent) == []


def test_a_file_that_serves_every_night_takes_what_was_known_on_the_day_of_each_record(tmp_path):
    """However often it is read: a record that landed is no other one because an agent changed the team since."""
    company = Company(tmp_path)
    streams = "ticket: {pattern: all.csv, cursor: updated_at}\nagent:\ncontact:"
    ticket, agent, contact = company.says(streams, MAPPING).streams
    deliver(company, FIRST, agents=[("1", "Front")], contacts=[("c1", "a@example.org")])
    company.deliver("all.csv", TICKETS, [("T1", "1", "c1", at(FIRST))])
    for stream in (agent, contact, ticket):
        company.land(stream)
    deliver(company, SECOND, agents=[("1", "Back")], contacts=[])
    late = ("T3", "1", "c1", at(FIRST, 11))
    company.deliver("all.csv", TICKETS, [("T1", "1", "c1", at(FIRST)), ("T2", "1", "c1", at(SECOND)), late])
    for stream in (agent, contact, ticket):
        company.land(stream, SECOND)
    teams = {day: [(row["ticket_id"], row["team"]) for row in company.rows(ticket, day)] for day in (FIRST, SECOND)}
    assert teams == {FIRST: [("T1", "first")], SECOND: [("T2", "second"), ("T3", "first")]}
    assert company.manifest(ticket, SECOND).late == 1
    # The agent of the first day is delivered anew: both records of that day follow, and none is taken for a late one.
    deliver(company, FIRST, agents=[("1", "Third")])
    company.land(agent, FIRST)
    company.land(ticket, SECOND)
    teams = {day: [(row["ticket_id"], row["team"]) for row in company.rows(ticket, day)] for day in (FIRST, SECOND)}
    assert teams == {FIRST: [("T1", "Third")], SECOND: [("T2", "second"), ("T3", "Third")]}
    assert company.manifest(ticket, SECOND).late == 1


def test_a_dump_without_a_date_looks_up_what_was_known_on_each_date_it_serves(tmp_path):
    company = Company(tmp_path)
    ticket, agent, contact = company.says("ticket: {pattern: all.csv, mode: full}\nagent:\ncontact:", MAPPING).streams
    for day, team in ((FIRST, "Front"), (THIRD, "Back")):
        deliver(company, day, agents=[("1", team)], contacts=[])
        company.land(agent, day)
        company.land(contact, day)
    company.deliver("all.csv", TICKETS, [("T1", "1", "c1", at(FIRST))])
    company.land(ticket, FIRST, SECOND, THIRD)
    assert [[row["team"] for row in company.rows(ticket, day)] for day in (FIRST, THIRD)] == [["first"], ["second"]]


def test_what_is_looked_up_may_have_looked_up_itself(tmp_path):
    company = Company(tmp_path)
    chained = MAPPING.replace(
        "contact:\n  columns: {contact_id: Kunde, email: Adresse, updated_at: Zeit}",
        "contact:\n  lookup: {Team: {from: Adresse, stream: agent, column: team}}\n"
        "  columns: {contact_id: Kunde, email: Team, updated_at: Zeit}",
    )
    ticket, agent, contact = company.says(STREAMS, chained).streams
    deliver(company, FIRST, agents=[], contacts=[("c1", "1")], tickets=[("T1", "1", "c1")])
    deliver(company, SECOND, agents=[("1", "Front")])
    company.land(agent)
    company.land(contact)
    company.land(ticket)
    assert company.rows(ticket)[0]["requester_email"] is None
    company.land(agent, SECOND)
    # What follows the contact's mapping follows the agents, too.
    company.land(contact)
    company.land(ticket)
    assert company.rows(ticket)[0]["requester_email"] == "front"


def test_a_look_at_a_delivery_looks_up_what_is_delivered_beside_it(tmp_path):
    """What has landed and what lies in the drop folder, whether there was a night before or not."""
    company = Company(tmp_path)
    ticket, agent, contact = company.says(STREAMS, MAPPING).streams
    deliver(company, FIRST, agents=[("1", "Front")], contacts=[], tickets=[("T1", "1", "c1")])
    deliver(company, SECOND, contacts=[("c2", "bob@example.org")], tickets=[("T2", "1", "c2"), ("T3", "1", "c3")])
    company.land(agent)
    (checked,) = check_stream(company.setup(), "desk/ticket").deliveries
    assert checked.as_declared.passes
    assert checked.as_declared.verdict is not None and checked.as_declared.verdict.accepted_rows == 2
    told = {check.kind: check.metadata for check in checked.as_declared.verdict.checks}["warnings"]
    assert told["keys without a partner for Mail (line 4 of mappings/desk.yml)"] == 1
    assert not company.partition(contact).exists() and not company.partition(ticket).exists()
    (company.drop / f"contact_{FIRST}.csv").unlink()
    (company.drop / f"contact_{SECOND}.csv").unlink()
    (checked,) = check_stream(company.setup(), "desk/ticket").deliveries
    assert "desk/contact, of which nothing has landed" in (checked.as_declared.refused or "")
