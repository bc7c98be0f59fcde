"""The command line says what it does, what is wrong in one sentence, and ends with the right code."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
from datetime import datetime
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from assets.identity.suggest import suggest
from orchestration.cli import app as cli
from orchestration.config.settings import PROJECT, load_settings
from storage.company_folder import COMPANY_FILE, SAMPLE
from storage.data_folder import StreamId
from storage.errors import JourneymartError
from tests.gate_kit import DAY, Landing, contract
from tests.small_night import SmallNight, run


@pytest.fixture(autouse=True)
def own_folders(monkeypatch, tmp_path):
    monkeypatch.setenv("JOURNEYMART_DATA", str(tmp_path / "da ta"))
    monkeypatch.setenv("JOURNEYMART_STATE", str(tmp_path / "state"))
    monkeypatch.delenv("JOURNEYMART_COMPANY", raising=False)
    monkeypatch.delenv("JOURNEYMART_SOURCES", raising=False)


@pytest.fixture
def journeymart(capsys):
    """Run a command in this process: exit code, what it printed, what it complained."""

    def call(*arguments):
        code = cli.command_line(arguments)
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return call


def test_help_answers_at_once():
    began = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-m", "orchestration.cli", "--help"], capture_output=True, text=True, check=True
    )
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    # Of CPU: the machine may do much else.
    assert ended.ru_utime + ended.ru_stime - began.ru_utime - began.ru_stime < 2
    for command in (
        "run",
        "explain",
        "erase",
        "sample",
        "status",
        "versions",
        "rollback",
        "quarantine",
        "identity",
        "report",
        "ui",
        "doctor",
    ):
        assert command in done.stdout


def test_an_error_is_one_sentence_on_stderr_and_code_1(journeymart):
    code, out, err = journeymart("run")
    assert (code, out) == (1, "")
    assert err.startswith("journeymart: No complete extract of salesforce/account lies in ")
    assert err.count("\n") == 1
    assert err.endswith("set when_missing: carry_forward.\n")


def test_wrong_usage_is_code_2(journeymart):
    assert journeymart("run", "--as-of", "yesterday")[0] == 2
    assert journeymart("fly")[0] == 2
    assert journeymart("sample", "--days", "2", "--through", "2026-07-01")[0] == 2


def test_a_mistake_in_sources_names_its_line(journeymart, monkeypatch, tmp_path):
    path = tmp_path / "sources.yml"
    path.write_text("company: Acme\ncurency: EUR\n")
    monkeypatch.setenv("JOURNEYMART_SOURCES", str(path))
    code, _, err = journeymart("status")
    assert code == 1
    assert err == f"journeymart: {path}, line 2: curency: unknown key; did you mean 'currency'?; " + (
        "allowed: alerts, company, currency, engine, first_date, months_close_after_days, nights, publish, "
        "reporting_timezone, sources, text_sentiment.\n"
    )


def test_what_is_unexpected_quotes_nothing_unless_asked(journeymart, monkeypatch):
    def broken():
        raise ValueError("jane@example.com")

    monkeypatch.setattr("orchestration.config.setup.load_setup", broken)
    code, _, err = journeymart("status")
    assert code == 1
    assert err == "journeymart: Unexpected ValueError: run the command again with --debug to see what and where.\n"


def test_debug_shows_the_traceback():
    done = subprocess.run(
        [sys.executable, "-m", "orchestration.cli", "run", "--debug"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "JourneymartError" in done.stderr


def test_status_answers_before_the_first_night(journeymart):
    code, out, _ = journeymart("status", "--json")
    said = json.loads(out)
    assert code == 0
    assert said["current"] is None
    assert said["problem"].startswith("No complete extract of")


def test_status_says_which_streams_delivered_and_are_named_no_more(journeymart, tmp_path, monkeypatch):
    landing = Landing(tmp_path, contract(), stream=StreamId("old_desk", "zendesk", "tickets"))
    monkeypatch.setenv("JOURNEYMART_DATA", str(landing.folder.root))
    landing.judge(landing.land([["1", f"{DAY}T10:00:00Z"]]))
    told = json.loads(journeymart("status", "--json")[1])["no_longer_named"]
    assert len(told) == 1
    assert told[0].startswith("old_desk/tickets: 1 accepted extract is in no figure, because ")
    assert "put it back with when_missing: carry_forward" in told[0]
    assert "No longer among the sources" in journeymart("status")[1]


def test_versions_and_quarantine_are_empty_lists_before_the_first_night(journeymart):
    assert journeymart("versions", "--json")[:2] == (0, "[]\n")
    assert journeymart("quarantine", "list", "--json")[:2] == (0, "[]\n")
    assert "journeymart run" in journeymart("versions")[1]


def test_rollback_needs_something_to_go_back_to(journeymart):
    code, _, err = journeymart("rollback")
    assert code == 1
    assert "run a night first" in err


def test_there_is_no_report_before_the_first_night(journeymart):
    code, out, err = journeymart("report")
    assert (code, out) == (1, "")
    assert err == "journeymart: No version is published yet: run `journeymart run`.\n"


def test_the_report_of_the_current_version_is_named_and_opened_on_demand(journeymart, monkeypatch):
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    folder = load_settings().folder
    assert journeymart("report")[0] == 1
    version = run(folder, SmallNight(1))
    path = folder.current / "report" / "index.html"
    assert journeymart("report")[:2] == (0, f"{path}\n")
    assert opened == []
    assert journeymart("report", "--open")[0] == 0
    assert opened == [path.as_uri()]
    (version.path / "report" / "journey.html").unlink()
    assert "which is damaged" in journeymart("report")[2]


def test_identity_is_not_explained_before_the_first_night(journeymart):
    code, _, err = journeymart("identity", "explain", "1")
    assert (code, err) == (1, "journeymart: No version is published yet: run `journeymart run`.\n")


def test_suggestions_say_what_they_need(monkeypatch):
    monkeypatch.setitem(sys.modules, "splink", None)
    with pytest.raises(
        JourneymartError, match=r"^Suggestions need Splink: install it with `pip install 'journeymart\[splink\]'`\.$"
    ):
        suggest(Path("nowhere"), Path("nowhere"), 0.9)


def test_a_stream_that_is_none_is_told_with_those_that_are(journeymart):
    code, _, err = journeymart("quarantine", "show", "zendesk/ticket", "2026-06-27")
    assert code == 1
    assert "There is no stream 'zendesk/ticket'" in err
    assert "zendesk/tickets" in err


def test_a_date_before_the_first_is_refused(journeymart):
    code, _, err = journeymart("run", "--as-of", "2026-06-01")
    assert code == 1
    assert "2026-06-01 lies before 2026-06-27, the first_date of" in err


def test_doctor_says_what_to_do(journeymart, monkeypatch, tmp_path):
    monkeypatch.setenv("JOURNEYMART_STATE", str(PROJECT / ".dagster"))
    monkeypatch.setenv("JOURNEYMART_MIN_FREE_GB", "1000000")
    code, out, _ = journeymart("doctor", "--json")
    found = {finding["what"]: finding for finding in json.loads(out)}
    assert code == 1
    assert found["disk"]["health"] == "problem"
    assert "free some space" in found["disk"]["said"]
    assert found["source shop"]["health"] == "warning"
    assert "journeymart sample" in found["source shop"]["said"]
    assert {found[what]["health"] for what in ("python", "dagster", "dbt project", "sources")} == {"ok"}
    assert found["CRM"]["said"] == "salesforce"


def test_a_day_that_is_not_over_is_no_night_yet(journeymart):
    today = datetime.now(ZoneInfo("Europe/Berlin")).date()
    code, _, err = journeymart("run", "--as-of", str(today))
    assert code == 1
    assert f"{today} is not over in Europe/Berlin: run it after midnight there, or name an earlier date." in err


def test_doctor_says_that_texts_cannot_be_estimated_before_a_night_does(journeymart, monkeypatch, tmp_path):
    def missing(name):
        raise PackageNotFoundError(name)

    wanted = shutil.copytree(SAMPLE, tmp_path / "wanted")
    sample = (SAMPLE / COMPANY_FILE).read_text(encoding="utf-8")
    (wanted / COMPANY_FILE).write_text(sample.replace("\n# text_sentiment", "\ntext_sentiment"), encoding="utf-8")
    monkeypatch.setenv("JOURNEYMART_STATE", str(PROJECT / ".dagster"))
    monkeypatch.setenv("JOURNEYMART_COMPANY", str(wanted))
    monkeypatch.setattr("assets.text.sentiment.installed_version", missing)
    code, out, _ = journeymart("doctor", "--json")
    found = {finding["what"]: finding for finding in json.loads(out)}
    assert code == 1
    assert found["text sentiment"]["health"] == "problem"
    assert "journeymart[sentiment]" in found["text sentiment"]["said"]


def test_doctor_goes_on_after_a_problem(journeymart, monkeypatch, tmp_path):
    monkeypatch.setenv("JOURNEYMART_STATE", str(PROJECT / ".dagster"))
    nameless = shutil.copytree(SAMPLE, tmp_path / "nameless")
    (nameless / COMPANY_FILE).unlink()
    monkeypatch.setenv("JOURNEYMART_COMPANY", str(nameless))
    code, out, _ = journeymart("doctor")
    assert code == 1
    assert "set JOURNEYMART_COMPANY" in out
    assert "versions" in out
