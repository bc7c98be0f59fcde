"""What the company file says of sources whose API is asked, and the one line a person gets for a mistake in it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from assets.landing.connectors.config import RestPull
from assets.pulling.extract import require_ready
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
    system: zendesk
    connector: rest
    location: https://acme.zendesk.com/
    credentials_env: {email: DESK_EMAIL, api_token: DESK_TOKEN}
    streams:
      tickets:
      users: {since: 2020-01-01, pull_hours: 2}
"""


def test_a_stream_is_asked_of_the_account_by_whom_the_environment_names(tmp_path: Path) -> None:
    tickets, users = load_sources(write(tmp_path, GOOD), tmp_path / "data").streams

    login = (("email", "DESK_EMAIL"), ("api_token", "DESK_TOKEN"))
    assert tickets.pull == RestPull("https://acme.zendesk.com", login, hours=8)
    assert users.pull == RestPull("https://acme.zendesk.com", login, hours=2, since=date(2020, 1, 1))
    assert (tickets.location, tickets.pattern) == (str(tmp_path / "data/pulled/desk"), "{stream}/{date}/*.parquet")


def test_a_login_that_is_not_set_is_said_before_a_night(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tickets, _ = load_sources(write(tmp_path, GOOD), tmp_path).streams
    monkeypatch.setenv("DESK_EMAIL", "robot@acme.example")
    monkeypatch.delenv("DESK_TOKEN", raising=False)
    with pytest.raises(JourneymartError, match=r"set the environment variable DESK_TOKEN, which company\.yml names"):
        require_ready(tickets)
    monkeypatch.setenv("DESK_TOKEN", "any")
    require_ready(tickets)


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("https://acme", "http://acme", 9, "must be the account's own address, such as https://nordlicht.zendesk.com"),
        ("zendesk.com/", "zendesk.com/api/v2", 9, "must be the account's own address"),
        ("https://acme.zendesk.com/", "acme.zendesk.com", 9, "must be the account's own address"),
        ("https://acme", "https://me:sesame@acme", 9, "no user name or password may stand in the location"),
        ("location:", "role: other #", 6, "the key 'location' is missing"),
        ("api_token: DESK_TOKEN", "token: DESK_TOKEN", 10, "takes email and api_token; or access_token; or client_id"),
        ("api_token: DESK_TOKEN", "api_token: sesame", 10, "must be the NAME of an environment variable"),
        ("credentials_env:", "role: other #", 6, "the key 'credentials_env' is missing"),
        ("api_token: DESK_TOKEN}", "api_token: DESK_TOKEN}\n    api_key: K", 11, "connection_env or credentials_env"),
        ("tickets:", "tickets: {pattern: x}", 12, "is a key of sources with connector: files, and this one has rest"),
        ("tickets:", "tickets: {mode: full}", 12, "is a key of sources with connector: files or postgres"),
        ("    streams:", "    api_version: '2'\n    streams:", 11, "API of 'zendesk' has no releases to choose from"),
        ("pull_hours: 2", "pull_hours: 0", 13, "is out of range; allowed: at least 0.1"),
    ],
)
def test_a_mistake_is_said_with_its_line_and_what_is_allowed(
    tmp_path: Path, old: str, new: str, line: int, said: str
) -> None:
    assert "sesame" not in assert_mistake_is_said(tmp_path, GOOD, (old, new), line, said)


def test_the_release_of_an_api_may_be_named(tmp_path: Path) -> None:
    text = GOOD.replace("zendesk\n", "salesforce\n").replace(
        "email: DESK_EMAIL, api_token", "client_id: A, client_secret"
    )
    text = text.replace("      tickets:", "      account:").partition("      users")[0]
    for said, version in (("", None), ("    api_version: '65.0'\n", "65.0")):
        (stream,) = load_sources(write(tmp_path, text.replace("    streams:", f"{said}    streams:")), tmp_path).streams
        assert isinstance(stream.pull, RestPull)
        assert stream.pull.version == version


def test_a_system_whose_api_is_not_known_delivers_files(tmp_path: Path) -> None:
    text = GOOD.replace("zendesk\n", "olist\n").replace("tickets:", "orders:").partition("      users")[0]
    with pytest.raises(JourneymartError, match=r"line 8: .*no API of 'olist' is known here; allowed: .*hubspot"):
        load_sources(write(tmp_path, text), tmp_path)


def test_a_stream_of_a_companys_own_that_no_api_is_known_for_is_said_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The contract is the company's; what is asked of the vendor is known for those of the product alone."""
    own = tmp_path / "company" / "contracts" / "zendesk"
    own.mkdir(parents=True)
    (own / "calls.yml").write_text(
        "system: zendesk\nstream: calls\ndescription: Calls. One row per call.\nkey: [id]\nversion: null\n"
        "columns:\n  id: {type: id, required: true, pii: indirect, description: Call.}\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("JOURNEYMART_COMPANY", str(tmp_path / "company"))
    assert_mistake_is_said(
        tmp_path, GOOD, ("tickets:\n", "calls:\n"), 12, "is not asked of the API of 'zendesk'; allowed: tickets, users"
    )
