"""Folders and limits come from the environment, and a mistake in them is one sentence."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Event, Thread

import pytest

from orchestration.config.settings import PROJECT, load_settings
from storage.company_folder import SAMPLE, CompanyFolder, named_company
from storage.errors import JourneymartError
from storage.folders import make_open
from storage.permissions import make_private


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch):
    for name in ("COMPANY", "DATA", "SOURCES", "STATE", "KEEP_VERSIONS", "MIN_FREE_GB"):
        monkeypatch.delenv(f"JOURNEYMART_{name}", raising=False)


def test_everything_lies_in_the_project_unless_said_otherwise():
    settings = load_settings()
    assert (settings.data, settings.company_folder) == (PROJECT / "data", CompanyFolder.at(SAMPLE))
    assert (settings.state, settings.keep_versions) == (PROJECT / ".dagster", 7)


def test_relative_folders_lie_in_the_working_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JOURNEYMART_DATA", "my data")
    assert load_settings().data == tmp_path / "my data"


def test_a_company_folder_holds_everything_unless_said_otherwise(monkeypatch, tmp_path):
    monkeypatch.setenv("JOURNEYMART_COMPANY", str(tmp_path / "acme"))
    settings = load_settings()
    assert settings.company_folder == CompanyFolder(tmp_path / "acme" / "company.yml", tmp_path / "acme")
    assert (settings.data, settings.state) == (tmp_path / "acme" / "data", tmp_path / "acme" / ".dagster")
    monkeypatch.setenv("JOURNEYMART_DATA", str(tmp_path / "data"))
    assert load_settings().data == tmp_path / "data"


def test_a_company_file_alone_is_a_company_without_a_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("JOURNEYMART_SOURCES", str(tmp_path / "sources.yml"))
    settings = load_settings()
    assert settings.company_folder == CompanyFolder(tmp_path / "sources.yml", None) == named_company()
    assert settings.data == PROJECT / "data"


def test_a_folder_and_a_file_are_one_too_many(monkeypatch, tmp_path):
    monkeypatch.setenv("JOURNEYMART_COMPANY", str(tmp_path))
    monkeypatch.setenv("JOURNEYMART_SOURCES", str(tmp_path / "sources.yml"))
    with pytest.raises(JourneymartError, match="Both JOURNEYMART_COMPANY and JOURNEYMART_SOURCES are set"):
        load_settings()


def test_the_home_folder_may_be_abbreviated(monkeypatch):
    monkeypatch.setenv("JOURNEYMART_SOURCES", "~/sources.yml")
    assert load_settings().sources == Path.home() / "sources.yml"


def test_an_empty_variable_says_nothing(monkeypatch):
    monkeypatch.setenv("JOURNEYMART_DATA", "")
    assert load_settings().data == PROJECT / "data"


@pytest.mark.parametrize("value", ["none", "0", "-3"])
def test_a_wrong_number_names_its_variable(monkeypatch, value):
    monkeypatch.setenv("JOURNEYMART_KEEP_VERSIONS", value)
    with pytest.raises(JourneymartError, match="JOURNEYMART_KEEP_VERSIONS is not usable") as caught:
        load_settings()
    assert "\n" not in str(caught.value)


def test_files_that_others_are_done_with_meanwhile_are_no_trouble(tmp_path: Path) -> None:
    ended = Event()

    def come_and_go() -> None:
        while not ended.is_set():
            journals = [tmp_path / "history" / f"{number}.db-journal" for number in range(50)]
            for journal in journals:
                journal.parent.mkdir(exist_ok=True)
                journal.touch(0o644)
            for journal in journals:
                journal.unlink()
            journals[0].parent.rmdir()

    writer = Thread(target=come_and_go)
    writer.start()
    try:
        for _ in range(300):
            make_private(tmp_path)
    finally:
        ended.set()
        writer.join()


def test_what_stood_open_is_closed_and_what_readers_look_into_is_open(tmp_path: Path) -> None:
    log = tmp_path / "state" / "dbt" / "dbt.log"
    log.parent.mkdir(parents=True)
    log.touch(0o644)
    (tmp_path / "elsewhere").touch(0o644)
    (tmp_path / "state" / "link").symlink_to(tmp_path / "elsewhere")
    make_private(tmp_path / "state")
    made = [tmp_path / "state", log.parent, log, tmp_path / "elsewhere"]
    assert [path.stat().st_mode & 0o777 for path in made] == [0o700, 0o700, 0o600, 0o644]
    before = os.umask(0o077)
    try:
        make_open(tmp_path / "srv" / "data")
    finally:
        os.umask(before)
    assert [path.stat().st_mode & 0o777 for path in (tmp_path / "srv", tmp_path / "srv" / "data")] == [0o755, 0o755]
