"""What the company file says of sources that are pulled, and the one line a person gets for a mistake in it."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from assets.landing.connectors.config import PostgresPull
from orchestration.config.sources import load_sources
from storage.errors import JourneymartError
from tests.unit.test_sources import assert_mistake_is_said, write

GOOD = """\
company: Acme
reporting_timezone: Europe/Berlin
currency: EUR
first_date: 2026-06-27
sources:
  desk:
    system: canonical
    connector: postgres
    connection_env: DESK_DATABASE
    timezone: Europe/Berlin
    overlap_minutes: 15
    streams:
      ticket: {table: support.ticket}
      contact: {query: select * from person, cursor: changed_at, key: [source, contact_id], since: 2020-01-01}
      agent: {table: agent, mode: full, statement_timeout: 60}
"""


def test_a_stream_is_read_from_a_table_or_query_by_the_contracts_key_and_version_unless_it_says_others(
    tmp_path: Path,
) -> None:
    ticket, contact, agent = load_sources(write(tmp_path, GOOD), tmp_path / "data").streams

    assert ticket.pull == PostgresPull(
        "DESK_DATABASE", "support.ticket", None, ("ticket_id",), "updated_at", overlap=timedelta(minutes=15)
    )
    assert contact.pull == PostgresPull(
        "DESK_DATABASE",
        None,
        "select * from person",
        ("source", "contact_id"),
        "changed_at",
        overlap=timedelta(minutes=15),
        since=date(2020, 1, 1),
    )
    assert agent.pull is not None
    assert (agent.pull.cursor, agent.pull.statement_timeout, agent.mode) == (None, timedelta(minutes=1), "full")


def test_its_pages_lie_in_the_data_folder_and_a_whole_table_has_no_date_of_its_own(tmp_path: Path) -> None:
    ticket, _, agent = load_sources(write(tmp_path, GOOD), tmp_path / "data").streams

    assert ticket.location == str(tmp_path / "data/pulled/desk")
    assert (ticket.pattern, ticket.complete, ticket.timezone) == (
        "{stream}/{date}/*.parquet",
        "manifest",
        "Europe/Berlin",
    )
    assert (ticket.is_dated, agent.is_dated) == (True, False)


@pytest.mark.parametrize(
    ("text", "replacement", "line", "said"),
    [
        (
            "    connection_env: DESK_DATABASE\n",
            "",
            6,
            "sources.desk: the key 'connection_env' is missing: the NAME of",
        ),
        ("DESK_DATABASE", "postgresql://a:b@c/d", 9, "sources.desk.connection_env: must be the NAME of an environment"),
        ("{table: support.ticket}", "", 13, "ticket: a stream read from a database needs either 'table' or 'query'"),
        (
            "table: support.ticket",
            "table: t, query: select 1",
            13,
            "ticket: a stream read from a database needs either",
        ),
        ("table: agent, ", "table: agent, cursor: updated_at, ", 15, "agent.cursor: mode: full reads the whole table"),
        (
            "    timezone: ",
            "    encoding: utf-8\n    timezone: ",
            10,
            "sources.desk.encoding: is a key of sources with connector: files, and this one has postgres",
        ),
        (
            "{table: support.ticket}",
            "{table: a, pattern: x}",
            13,
            "ticket.pattern: is a key of sources with connector: files",
        ),
        ("connector: postgres", "connector: files", 9, "connection_env: is a key of sources with connector: postgres"),
        ("connector: postgres", "connector: mysql", 8, "'mysql' is not allowed; allowed: 'files', 'postgres'"),
        ("overlap_minutes: 15", "overlap_minutes: -1", 11, "overlap_minutes: is out of range; allowed: at least 0"),
        ("key: [source, contact_id]", "key: []", 14, "contact.key: nothing stands here; at least one is needed"),
    ],
)
def test_a_mistake_is_said_with_its_line_and_what_is_allowed(
    tmp_path: Path, text: str, replacement: str, line: int, said: str
) -> None:
    message = assert_mistake_is_said(tmp_path, GOOD, (text, replacement), line, said)
    assert "postgresql://a:b" not in message


def test_a_contract_that_does_not_say_which_version_is_newer_leaves_that_to_the_file(tmp_path: Path) -> None:
    text = GOOD.partition("    streams:")[0].replace("canonical", "olist") + "    streams: {customers: {table: c}}\n"

    with pytest.raises(JourneymartError, match=r"customers: needs a 'cursor' .* or mode: full"):
        load_sources(write(tmp_path, text), tmp_path)
