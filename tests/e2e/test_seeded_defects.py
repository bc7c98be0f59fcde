"""Defects seeded into the real night: each is found by a named check, and nothing wrong is published.

What is blocked leaves every byte readers see as it was. What is quarantined leaves the marts of a night into which the
record was never delivered. `make test` seeds all records for quarantine into one night; the long campaign does the
rest, those between two steps of one night one after the other. Not here: the defects (tests/seeded_defects.py).
"""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from assets.audit import audit as audits
from assets.versions import publish as publishing
from assets.versions.manifest import read_manifest
from quality.gate.ledger import Ledger
from storage.data_folder import StreamId
from storage.errors import JourneymartError
from tests.e2e.conftest import THIRD
from tests.e2e.installation import Installation, differences
from tests.e2e.test_gate_gates import DELIVERED, TAMPERED
from tests.seeded_defects import (
    AUDITED,
    ENVIRONMENT,
    PUBLISHED,
    QUARANTINED,
    REFUSED,
    VERIFIED,
    WARNED,
    Defect,
    Night,
    Spoiled,
)

LONG = pytest.mark.skipif(
    os.environ.get("JOURNEYMART_CHAOS") != "long", reason="the long campaign runs under `make chaos`"
)
# What a version says of its night: how much is in quarantine, and why.
SAYS_OF_ITS_NIGHT = {"mart_data_health"}
DEFECTS = (*REFUSED, *QUARANTINED, *WARNED, *AUDITED, *PUBLISHED, *VERIFIED, *ENVIRONMENT)


def test_there_are_more_than_forty_kinds_of_defects_and_some_everywhere() -> None:
    names = [*(each.name for each in DEFECTS), *DELIVERED, *TAMPERED]
    assert len(set(names)) == len(names) > 40
    places = Counter(each.place for each in DEFECTS)
    assert places.keys() == {"extract", "rows", "build", "report", "environment"}
    assert min(places.values()) >= 3


def reasons(company: Installation, stream: str) -> dict[str, Any]:
    """Records of the night's extract in quarantine, by why."""
    source, _, name = stream.partition("/")
    system = next(each.stream.system for each in company.setup.sources.streams if str(each.stream) == stream)
    partition = company.setup.folder.quarantine_partition(StreamId(source, system, name), THIRD)
    (check,) = (
        each for each in json.loads((partition / "verdict.json").read_text())["checks"] if each["kind"] == "quarantine"
    )
    found: dict[str, Any] = check["metadata"]
    return found


@pytest.mark.promise("audited")
def test_records_at_fault_go_to_quarantine_each_by_its_reason_and_readers_see_the_night_without_them(
    company: Installation,
    three_nights: Installation,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    record_property("cases", len(QUARANTINED))
    for defect in QUARANTINED:
        defect.seed(Night(company, monkeypatch, tmp_path))
    company.night(THIRD)
    for defect in QUARANTINED:
        found = reasons(company, defect.stream)
        assert [why for why in found if defect.by in why and found[why]], (defect.name, found)
    tables = sorted(set(three_nights.mart_tables()) - SAYS_OF_ITS_NIGHT)
    assert differences(company, three_nights, tables) == {}


def failed_checks(company: Installation) -> str:
    """All checks of the newest night that failed; a message names the first of them."""
    newest = max(company.setup.folder.ledgers.glob("*.jsonl"), key=lambda path: path.stat().st_mtime_ns)
    return ", ".join(each.kind for each in Ledger.read(newest).verdict().failed)


@pytest.mark.promise("audited")
@LONG
@pytest.mark.parametrize(
    "defect", [*REFUSED, *ENVIRONMENT], ids=lambda each: f"{each.place}: {each.name}".replace(" ", "_")
)
def test_a_defect_is_blocked_by_its_check_and_not_one_published_byte_changes(
    company: Installation, defect: Defect, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = company.published_hashes()
    company = defect.seed(Night(company, monkeypatch, tmp_path))
    with pytest.raises(JourneymartError) as refused:
        company.night(THIRD)
    assert defect.by in f"{refused.value} {failed_checks(company)}"
    assert company.published_hashes() == before


@pytest.mark.promise("audited")
@LONG
def test_what_a_person_should_look_at_is_published_and_warned_of(
    company: Installation,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    record_property("cases", len(WARNED))
    for defect in WARNED:
        defect.seed(Night(company, monkeypatch, tmp_path))
    company.night(THIRD)
    ledger = Ledger(company.setup.folder.ledger(read_manifest(company.data / "current").run_id))
    warned = {(each.subject, each.kind) for each in ledger.verdict().warned}
    for defect in WARNED:
        assert (defect.stream if defect.stream == "marts" else f"{defect.stream}/{THIRD}", defect.by) in warned


@contextmanager
def spoiled(build: Path, defect: Spoiled, aside: Path) -> Iterator[None]:
    """The build with a defect, and as it was afterwards."""
    shutil.copytree(build, aside)
    try:
        defect.do(build)
        yield
    finally:
        shutil.rmtree(build)
        aside.rename(build)


@pytest.mark.promise("audited")
@LONG
def test_what_is_done_to_a_build_between_its_steps_is_found_each_by_its_check_and_the_rest_is_published(
    company: Installation,
    three_nights: Installation,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
) -> None:
    """One night, whose audit and publish are asked again and again: with every defect, and at last as it is."""
    record_property("cases", len(AUDITED) + len(PUBLISHED) + len(VERIFIED))
    before = company.published_hashes()
    build = company.data / "build"
    aside = company.data.with_name("build as it is")
    audit, publish, verify = audits.audit, publishing.publish, publishing.verify_in_fresh_process
    found: dict[str, str] = {}

    def audited(*arguments: Any) -> Any:
        for defect in AUDITED:
            with spoiled(build, defect, aside):
                said = {each.audit: each.outcome for each in audit(*arguments)}
            found[defect.name] = said[defect.by]
        return audit(*arguments)

    def refused(defect: Spoiled, *arguments: Any, **named: Any) -> None:
        with pytest.raises(JourneymartError) as why:
            publish(*arguments, **named)
        found[defect.name] = str(why.value)
        assert company.published_hashes() == before

    def published(*arguments: Any, **named: Any) -> Any:
        for defect in PUBLISHED:
            with spoiled(build, defect, aside):
                refused(defect, *arguments, **named)
        for defect in VERIFIED:

            def spoil_and_verify(*folders: Any, defect: Spoiled = defect) -> None:
                defect.do(build)
                verify(*folders)

            shutil.copytree(build, aside)
            monkeypatch.setattr(publishing, "verify_in_fresh_process", spoil_and_verify)
            refused(defect, *arguments, **named)
            shutil.rmtree(build)
            aside.rename(build)
        monkeypatch.setattr(publishing, "verify_in_fresh_process", verify)
        return publish(*arguments, **named)

    monkeypatch.setattr(audits, "audit", audited)
    monkeypatch.setattr(publishing, "publish", published)
    company.night(THIRD)
    assert {each.name: found[each.name] for each in AUDITED if found[each.name] not in ("fail", "error")} == {}
    assert {each.name: found[each.name] for each in (*PUBLISHED, *VERIFIED) if each.by not in found[each.name]} == {}
    assert differences(company, three_nights, three_nights.mart_tables()) == {}
