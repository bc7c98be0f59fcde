"""What `sources.yml` may say, and the one line a person gets for a mistake in it."""

from __future__ import annotations

import re
from datetime import date, time
from pathlib import Path
from typing import get_args

import pytest

from orchestration.config.settings import PROJECT
from orchestration.config.sources import load_sources
from orchestration.config.sources_file import AlertKind, NightKeys
from quality.contract.reading import Reading
from storage.company_folder import COMPANY_FILE, SAMPLE
from storage.errors import JourneymartError

GOOD = """\
company: Acme
reporting_timezone: Europe/Berlin
currency: EUR
first_date: 2026-06-27
sources:
  desk:
    system: zendesk
    connector: files
    location: "{data}/drop/desk"
    pattern: "{stream}_{date}.jsonl.gz"
    complete: rename
    streams:
      tickets:
      users:
        pattern: "people-{date}.csv"
        header_rows: 2
        mode: full
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "sources.yml"
    path.write_text(text, encoding="utf-8")
    return path


def assert_mistake_is_said(folder: Path, good: str, change: tuple[str, str], line: int, said: str) -> str:
    """Change a company file that is good in one place: the one line a person gets names file and line, and says it."""
    assert change[0] in good
    path = write(folder, good.replace(*change, 1))
    with pytest.raises(JourneymartError) as caught:
        load_sources(path, folder)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{path}, line {line}: ")
    assert said in message
    return message


def test_a_streams_own_words_win_over_its_sources(tmp_path):
    sources = load_sources(write(tmp_path, GOOD), tmp_path / "my data")
    tickets, users = sources.streams
    assert (tickets.pattern, tickets.mode, tickets.header_rows) == (
        "{stream}_{date}.jsonl.gz",
        "increment",
        1,
    )
    assert (users.pattern, users.mode, users.header_rows) == ("people-{date}.csv", "full", 2)
    assert tickets.complete == users.complete == "rename"
    assert sources.first_date == users.first_date == date(2026, 6, 27)
    assert [str(stream) for stream in sources.streams_of("zendesk", "users")[0:1]] == [str(users)]


def with_sources(streams: dict[str, str]) -> str:
    """A company whose sources deliver these streams; `a/salesforce` is source `a` of that system."""
    text = GOOD.partition("sources:")[0] + "sources:\n"
    for place, said in streams.items():
        name, _, system = place.partition("/")
        *lines, delivered = said.split("; ")
        entry = [f"system: {system or 'canonical'}", "location: drop", "pattern: '{stream}_{date}.csv'", *lines]
        entry.append(f"streams: {{{', '.join(f'{stream}: ' for stream in delivered.split())}}}")
        text += f"  {name}:\n" + "".join(f"    {line}\n" for line in entry)
    return text


@pytest.mark.parametrize(
    ("streams", "crms"),
    [
        ({"a": "contact", "b": "contact ticket", "c": "survey_answer survey_question"}, ("a",)),
        ({"a": "account contact activity agent"}, ("a",)),
        ({"a": "contact order ticket", "b": "contact ticket ticket_event"}, ("a",)),
        ({"a": "contact account", "b": "contact order"}, ("a", "b")),
        ({"a": "ticket contact account"}, ()),
        ({"a": "order activity", "b": "contact survey_answer"}, ()),
        ({"a/salesforce": "contact case", "b": "contact order"}, ("a",)),
        ({"a/salesforce": "role: other; contact", "b": "contact order"}, ("b",)),
        ({"a": "contact order", "b": "role: crm; contact ticket"}, ("b",)),
        ({"a/zendesk": "role: crm; users tickets", "b/zendesk": "users tickets"}, ("a",)),
        ({"a/olist": "customers orders", "b": "role: other; contact"}, ()),
    ],
)
def test_what_the_crm_is_the_file_says_or_the_streams_hint_at(tmp_path, streams, crms):
    sources = load_sources(write(tmp_path, with_sources(streams)), tmp_path)
    assert sources.crms == crms
    assert {source.role for source in sources.sources} <= {"crm", "other"}


def test_a_source_that_began_later_says_its_own_first_date(tmp_path):
    later = GOOD.replace("    complete:", "    first_date: 2026-07-01\n    complete:")
    sources = load_sources(write(tmp_path, later), tmp_path)
    assert (sources.first_date, sources.streams[0].first_date) == (date(2026, 6, 27), date(2026, 7, 1))
    earlier = later.replace("2026-07-01", "2026-06-01")
    with pytest.raises(JourneymartError, match="its first_date lies before the company's, 2026-06-27"):
        load_sources(write(tmp_path, earlier), tmp_path)


def test_the_data_folder_and_relative_paths_are_filled_in(tmp_path):
    path = write(tmp_path, GOOD)
    assert load_sources(path, tmp_path / "my data").streams[0].location == str(tmp_path / "my data/drop/desk")
    path.write_text(GOOD.replace("{data}/drop/desk", "extracts"))
    assert load_sources(path, tmp_path).streams[0].location == str(tmp_path / "extracts")
    path.write_text(GOOD.replace("{data}/drop/desk", "s3://bucket/desk"))
    assert load_sources(path, tmp_path).streams[0].location == "s3://bucket/desk"


def test_secrets_are_named_and_never_held(tmp_path):
    text = GOOD.replace("    complete:", "    storage_options_env: {key: DESK_KEY}\n    complete:")
    stream = load_sources(write(tmp_path, text), tmp_path).streams[0]
    assert stream.storage_options_env == (("key", "DESK_KEY"),)


def test_nobody_is_told_unless_the_file_says_who_and_hours_have_defaults(tmp_path):
    said = load_sources(write(tmp_path, GOOD), tmp_path)
    assert said.alerts is None
    assert said.nights == NightKeys(started_by="05:00", published_by="09:00", tried_until="20:00")
    told = "currency: EUR\nnights: {started_by: '04:30'}\nalerts: {to: [OPS, CHAT]}\n"
    said = load_sources(write(tmp_path, GOOD.replace("currency: EUR\n", told)), tmp_path)
    assert said.nights.started_by == time(4, 30)
    assert said.alerts.to == ("OPS", "CHAT")
    assert said.alerts.kinds == get_args(AlertKind)


def test_no_text_is_estimated_unless_the_file_says_in_which_language_texts_are(tmp_path):
    assert load_sources(write(tmp_path, GOOD), tmp_path).text_sentiment is None
    said = GOOD.replace("currency: EUR\n", 'currency: EUR\ntext_sentiment: "de"\n')
    assert load_sources(write(tmp_path, said), tmp_path).text_sentiment == "de"


def test_reading_rules_are_said_for_a_source_and_differ_for_a_stream(tmp_path):
    rules = """    decimal: ","
    dates: day-first
    empty: ["k.A.", "-"]
    complete:"""
    text = GOOD.replace("    complete:", rules).replace("header_rows: 2", 'decimal: "."\n        thousands: " "')
    tickets, users = load_sources(write(tmp_path, text), tmp_path).streams
    assert tickets.reading == Reading(decimal=",", dates="day-first", empty=("k.A.", "-"))
    assert users.reading == Reading(decimal=".", thousands=" ", dates="day-first", empty=("k.A.", "-"))


def test_the_sample_companys_file_is_right_and_every_line_of_it_is_explained():
    path = SAMPLE / COMPANY_FILE
    sources = load_sources(path, PROJECT / "data")
    assert [source.name for source in sources.sources] == ["salesforce", "zendesk", "qualtrics", "shop"]
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    assert [line for line in lines if "#" not in line and not line.startswith("#")] == []


MISTAKES = {
    "an unknown order of dates": (
        "    complete:",
        "    dates: dmy\n    complete:",
        11,
        "desk.dates: 'dmy' is not allowed; allowed: 'day-first', 'month-first'",
    ),
    "one mark for two things": (
        "header_rows: 2",
        'decimal: "."\n        thousands: "."',
        14,
        "users: '.' cannot be both 'decimal' and 'thousands'",
    ),
    "a number that stands for nothing": (
        "    complete:",
        "    empty: [0]\n    complete:",
        11,
        "must be text (in quotes if it looks like a number, a date or yes/no)",
    ),
    "an unknown key has a neighbour": (
        "currency: EUR",
        "curency: EUR",
        3,
        "curency: unknown key; did you mean 'currency'?",
    ),
    "an unknown key of a source": (
        "    complete:",
        "    completed:",
        11,
        "desk.completed: unknown key; did you mean 'complete'?",
    ),
    "an unknown key of a stream": (
        "header_rows: 2",
        "header: 2",
        16,
        "users.header: unknown key; did you mean 'header_rows'?",
    ),
    "a secret beside the point": (
        "    complete:",
        "    password: s3cr3t\n    complete:",
        11,
        "under storage_options_env",
    ),
    "a missing key": (
        "currency: EUR\n",
        "",
        1,
        "the key 'currency' is missing: an ISO 4217 code such as EUR",
    ),
    "a missing system": (
        "    system: zendesk\n",
        "",
        6,
        "sources.desk: the key 'system' is missing: the vendor",
    ),
    "a missing location": (
        '    location: "{data}/drop/desk"\n',
        "",
        6,
        "sources.desk: the key 'location' is missing",
    ),
    "a missing pattern": (
        '    pattern: "{stream}_{date}.jsonl.gz"\n',
        "",
        12,
        "the key 'pattern' is missing",
    ),
    "an unknown time zone": (
        "Europe/Berlin",
        "Europe/Berln",
        2,
        "'Europe/Berln' is not a time zone; did you mean 'Europe/Berlin'?",
    ),
    "a time zone like no other": ("Europe/Berlin", "Qqqq", 2, "allowed: IANA names such as Europe/Berlin"),
    "an unknown currency": ("EUR", "EURO", 3, "'EURO' is not a currency; did you mean 'EUR'?"),
    "an unknown system": (
        "system: zendesk",
        "system: zendesc",
        7,
        "'zendesc' is not a system; did you mean 'zendesk'?",
    ),
    "an address where its name belongs": (
        "currency: EUR\n",
        "currency: EUR\nalerts: {to: ['slack://T/B/C']}\n",
        4,
        "must be the NAME of an environment variable that holds the secret",
    ),
    "alerts to nobody": ("currency: EUR\n", "currency: EUR\nalerts: {kinds: [kpi]}\n", 4, "the key 'to' is missing"),
    "one address that is no list": ("currency: EUR\n", "currency: EUR\nalerts: {to: OPS}\n", 4, "must be a list"),
    "an unknown kind of alert": (
        "currency: EUR\n",
        "currency: EUR\nalerts: {to: [OPS], kinds: [fail]}\n",
        4,
        "'fail' is not allowed; allowed: 'failed', 'blocked'",
    ),
    "an hour that YAML takes for a number": (
        "currency: EUR\n",
        "currency: EUR\nnights: {published_by: 10:30}\n",
        4,
        'must be a time of day in quotes, such as "08:30"',
    ),
    "a last try before the first": (
        "currency: EUR\n",
        "currency: EUR\nnights: {tried_until: '03:50'}\n",
        4,
        "must be 04:00 or later, because a night is first tried at 03:30",
    ),
    "an unknown stream": (
        "      tickets:",
        "      ticket:",
        13,
        "system 'zendesk' has no stream 'ticket'; did you mean 'tickets'?",
    ),
    "an unknown connector": (
        "connector: files",
        "connector: ftp",
        8,
        "'ftp' is not allowed; allowed: 'files'",
    ),
    "an unknown mode": (
        "mode: full",
        "mode: fully",
        17,
        "'fully' is not allowed; allowed: 'increment', 'full'",
    ),
    "an unknown way to be complete": (
        "complete: rename",
        "complete: done",
        11,
        "allowed: 'manifest', 'rename'",
    ),
    "an unknown encoding": (
        "    complete:",
        "    encoding: utf-9\n    complete:",
        11,
        "'utf-9' is not an encoding; allowed:",
    ),
    "a wrong type": ("header_rows: 2", "header_rows: two", 16, "header_rows: must be a whole number"),
    "a number as text": ("header_rows: 2", 'header_rows: "2"', 16, "header_rows: must be a whole number"),
    "a number out of range": ("header_rows: 2", "header_rows: 0", 16, "is out of range; allowed: at least 1"),
    "a delimiter of two": ("header_rows: 2", 'delimiter: "||"', 16, "is too long; allowed: 1 character"),
    "text where keys belong": (
        "  desk:\n",
        "  desk: here\n  other:\n",
        6,
        "sources.desk: must be a list of keys",
    ),
    "no text": ("company: Acme", "company:", 1, "company: must be text"),
    "yes for text": ("company: Acme", "company: yes", 1, "company: must be text (in quotes if it looks like"),
    "a wrong day": ("2026-06-27", "2026-06-31", 4, "first_date: must be a day: a day written as 2026-06-27"),
    "no sources": (
        GOOD[GOOD.index("sources:") :],
        "sources: {}\n",
        5,
        "sources: nothing stands here; at least one",
    ),
    "no streams": (
        GOOD[GOOD.index("    streams:") :],
        "    streams: {}\n",
        12,
        "streams: nothing stands here",
    ),
    "a key twice": ("currency: EUR", "company: Acme2", 3, "company: the key stands twice, first on line 1"),
    "a stream twice": (
        "      users:",
        "      tickets:",
        14,
        "tickets: the key stands twice, first on line 13",
    ),
    "a tab": ("    system:", "\tsystem:", 7, "a tab stands at the start of the line; indent with spaces"),
    "a character that is no text": (
        "currency: EUR",
        "currency: EUR\x07",
        3,
        "a character stands here that YAML forbids: take it out",
    ),
    "broken YAML": ('"{data}/drop/desk"', '"{data}/drop/desk', 10, "this is not valid YAML"),
    "an unknown placeholder": (
        "people-{date}",
        "people-{day}",
        15,
        "unknown placeholder {day}; allowed: {stream}, {date}",
    ),
    "an unknown placeholder of a place": (
        "{data}/drop",
        "{home}/drop",
        9,
        "unknown placeholder {home}; allowed: {data}",
    ),
    "a password in a URL": (
        '"{data}/drop/desk"',
        "sftp://me:pw@host/x",
        9,
        "no user name or password may stand in the location",
    ),
    "a cursor that is no column": (
        "header_rows: 2",
        "cursor: updated",
        16,
        "stream 'users' has no column 'updated'",
    ),
    "a source's name": (
        "  desk:",
        "  Help Desk:",
        6,
        "a source's name has small letters, digits and underscores",
    ),
    "a file for all nights without a cursor": (
        '"{stream}_{date}.jsonl.gz"',
        '"{stream}.jsonl.gz"',
        13,
        "needs a 'cursor'",
    ),
    "a language that yaml takes for a truth": (
        "currency: EUR\n",
        "currency: EUR\ntext_sentiment: no\n",
        4,
        "text_sentiment: must be the language of texts whose source names none",
    ),
    "an engine that is somewhere else": (
        "currency: EUR\n",
        "currency: EUR\nengine: {name: spark, address: http://spark:15002}\n",
        4,
        "engine.address: must be sc://host:port, or a master: local[4], spark://host:port, yarn or k8s://",
    ),
    "an engine that is not known": (
        "currency: EUR\n",
        "currency: EUR\nengine: {name: trino, address: yarn}\n",
        4,
        "engine.name: 'trino' is not allowed; allowed: 'spark'",
    ),
    "a store with a password in its address": (
        "currency: EUR\n",
        "currency: EUR\npublish: {to: 's3://key:secret@bucket/prefix'}\n",
        4,
        "publish.to: must be a place in an object store, s3://bucket/prefix, gs://bucket/prefix or az://",
    ),
    "a mood to be estimated by an engine": (
        "currency: EUR\n",
        "currency: EUR\ntext_sentiment: 'en'\nengine: {name: spark, address: yarn}\n",
        4,
        "text_sentiment: moods are estimated on DuckDB only: take this key out, or 'engine'",
    ),
    "one file for two streams": (
        '        pattern: "people-{date}.csv"\n',
        '        pattern: "tickets_{date}.jsonl.gz"\n',
        14,
        "reads the same files as stream 'tickets'",
    ),
}


@pytest.mark.parametrize(("old", "new", "line", "said"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_line_with_file_line_key_and_what_is_allowed(tmp_path, old, new, line, said):
    assert_mistake_is_said(tmp_path, GOOD, (old, new), line, said)


@pytest.mark.parametrize(
    "address",
    [
        "sc://spark.acme.com:15002",
        "local",
        "local[4]",
        "local[*]",
        "spark://a:7077,b:7077",
        "yarn",
        "k8s://https://k:6443",
    ],
)
def test_an_engine_has_an_address_or_a_master(tmp_path, address):
    text = GOOD.replace("currency: EUR\n", f"currency: EUR\nengine: {{name: spark, address: '{address}'}}\n")
    engine = load_sources(write(tmp_path, text), tmp_path).engine
    assert engine is not None
    assert engine.address == address


@pytest.mark.parametrize("secret", ["hunter2", "AKIA-very/secret", "Bearer abc"])
def test_a_literal_secret_is_refused_and_not_repeated(tmp_path, secret):
    text = GOOD.replace("    complete:", f"    storage_options_env: {{key: '{secret}'}}\n    complete:")
    with pytest.raises(JourneymartError, match="must be the NAME of an environment variable") as caught:
        load_sources(write(tmp_path, text), tmp_path)
    assert secret not in str(caught.value)


def test_a_file_that_is_not_there_says_what_to_set(tmp_path):
    with pytest.raises(JourneymartError, match=r"No such file.*set JOURNEYMART_COMPANY"):
        load_sources(tmp_path / "none.yml", tmp_path)


def test_what_holds_itself_is_refused(tmp_path):
    path = write(tmp_path, GOOD.replace("currency: EUR", "currency: &a [*a]"))
    with pytest.raises(JourneymartError, match=r"sources\.yml: an alias \(\*\) stands in what it names"):
        load_sources(path, tmp_path)


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "just words"])
def test_a_file_without_keys_says_so(tmp_path, text):
    with pytest.raises(JourneymartError, match="not a list of keys"):
        load_sources(write(tmp_path, text), tmp_path)


def test_what_is_allowed_is_listed_where_it_is_short(tmp_path):
    text = GOOD.replace("system: zendesk", "system: qqq")
    with pytest.raises(JourneymartError) as caught:
        load_sources(write(tmp_path, text), tmp_path)
    assert re.search(
        r"allowed: canonical, freshdesk, hubspot, intercom, olist, qualtrics, salesforce, surveymonkey, typeform, "
        "zendesk",
        str(caught.value),
    )
