"""A rollback with a pin holds: nights are kept and lead nobody past it, until somebody lifts it."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from assets.versions.retention import prune, remove
from assets.versions.rollback import rollback, unpin
from assets.versions.standing import look, mend_link
from assets.versions.versions import current_id, list_versions
from orchestration.cli import app as cli
from storage.data_folder import DataFolder, marts_file
from storage.errors import JourneymartError
from tests.small_night import SmallNight, data_folder, night_seen, run

ROWS = 200
FIRST, SECOND = "2026-01-02-run00001", "2026-01-03-run00002"


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    """Two nights, which nobody changes."""
    folder = data_folder(tmp_path_factory.mktemp("published"))
    for number in (1, 2):
        run(folder, SmallNight(number, rows=ROWS))
    return folder


@pytest.fixture
def folder(published: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataFolder:
    """A copy of them, which commands find."""
    monkeypatch.setenv("JOURNEYMART_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("JOURNEYMART_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("JOURNEYMART_USER", "Ada")
    monkeypatch.delenv("JOURNEYMART_COMPANY", raising=False)
    monkeypatch.delenv("JOURNEYMART_SOURCES", raising=False)
    return DataFolder(Path(shutil.copytree(published.root, tmp_path / "data", symlinks=True)))


@pytest.mark.promise("pinned")
def test_nights_go_on_behind_a_pin_and_readers_see_the_newest_when_it_is_lifted(folder):
    rollback(folder, pinned_by="Ada")
    made = run(folder, SmallNight(3, rows=ROWS), keep=1)
    assert (made.manifest.base, current_id(folder), night_seen(folder)) == (SECOND, FIRST, 1)
    assert [version.id for version in list_versions(folder)] == [FIRST, made.id], "what is pinned is kept beside"
    assert look(folder).reached == look(folder).newest, "the next night goes on from the newest"
    assert unpin(folder).id == made.id
    assert night_seen(folder) == 3
    assert look(folder).pin is None


@pytest.mark.promise("pinned")
def test_a_rollback_without_a_pin_is_what_it_was(folder):
    rollback(folder)
    assert look(folder).reached == look(folder).seen
    run(folder, SmallNight(3, rows=ROWS))
    assert night_seen(folder) == 3


@pytest.mark.promise("pinned")
def test_status_says_who_reads_what_since_when_and_how_to_end_it(folder, capsys):
    assert cli.command_line(["rollback", FIRST, "--pin"]) == 0
    assert "until `journeymart unpin`" in capsys.readouterr().out.replace("\n", " ")
    assert cli.command_line(["status", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    today = f"{datetime.now(UTC):%Y-%m-}"
    assert said["current"] == FIRST
    assert f"held to version {FIRST} by Ada since {today}" in said["pinned"]
    assert "`journeymart unpin`" in said["pinned"]
    assert cli.command_line(["unpin", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"from": FIRST, "to": SECOND, "is_pinned": False}
    assert cli.command_line(["status", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["pinned"] is None


@pytest.mark.promise("pinned")
def test_who_is_pinned_is_on_record(folder):
    rollback(folder, FIRST, pinned_by="Ada")
    unpin(folder)
    pinned, lifted = (json.loads(line) for line in (folder.root / "rollbacks.jsonl").read_text().splitlines())
    assert (pinned["to"], pinned["pinned_by"]) == (FIRST, "Ada")
    assert (lifted["to"], lifted["because"]) == (SECOND, "unpinned")


@pytest.mark.promise("pinned")
def test_a_pin_is_not_lost_by_a_rollback_that_does_not_name_it(folder):
    rollback(folder, FIRST, pinned_by="Ada")
    with pytest.raises(JourneymartError, match=f"held to version {FIRST} by Ada .* say --pin"):
        rollback(folder, SECOND)
    assert rollback(folder, SECOND, pinned_by="Ada").id == SECOND
    assert look(folder).pin.version == SECOND


@pytest.mark.promise("pinned")
def test_nothing_removes_what_is_pinned(folder):
    rollback(folder, FIRST, pinned_by="Ada")
    folder.current.unlink()
    assert prune(folder, keep=1) == ()
    assert remove(folder, [FIRST]) == (FIRST,)
    assert (folder.versions / FIRST).exists()


@pytest.mark.promise("pinned")
def test_a_link_that_is_mended_does_not_lead_past_a_pin(folder):
    rollback(folder, FIRST, pinned_by="Ada")
    folder.current.unlink()
    assert "lets readers see 2026-01-02-run00001" in look(folder).sentences[0]
    mend_link(folder)
    assert current_id(folder) == FIRST
    marts_file(folder.versions / FIRST).unlink()
    assert mend_link(folder) is None, "no other version is as old"


@pytest.mark.promise("pinned")
def test_a_pin_that_cannot_be_read_leads_nobody_anywhere_and_can_be_set_or_lifted(folder):
    rollback(folder, FIRST, pinned_by="Ada")
    folder.pin.write_text("{")
    with pytest.raises(JourneymartError, match="does not say which version"):
        run(folder, SmallNight(3, rows=ROWS))
    assert current_id(folder) == FIRST
    rollback(folder, FIRST, pinned_by="Ada")
    assert look(folder).pin.by == "Ada"
    folder.pin.write_text("{")
    assert unpin(folder).sequence == 3


@pytest.mark.promise("pinned")
def test_there_is_nothing_to_unpin_where_nothing_is_pinned(folder):
    with pytest.raises(JourneymartError, match="nothing to unpin"):
        unpin(folder)
