"""Whatever of what is published is damaged, everybody says the same of it, readers get a sound version, nights go on.

The states are named in DAMAGES; each is made in a copy of three small published nights. Not here: damage of extracts
(test_damaged_extracts.py).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from assets.versions.rollback import rollback
from assets.versions.standing import look
from assets.versions.versions import Version, current_id, current_version, list_versions
from orchestration.cli import app as cli
from orchestration.config.setup import load_setup
from orchestration.operations.mend import damages, mend
from storage.data_folder import DataFolder, manifest_file, marts_file, parquet_folder, report_file, warehouse_file
from storage.errors import JourneymartError
from storage.locks import data_lock
from tests.small_night import SmallNight, data_folder, night_seen, run

ROWS = 300


def flip(path: Path) -> None:
    """Change one byte in the middle."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x40
    path.write_bytes(content)


def truncate(path: Path) -> None:
    """Lose the second half."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def delete(path: Path) -> None:
    """Lose all of it."""
    shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def folder_in_its_place(path: Path) -> None:
    """Put a folder where the file or link was."""
    path.unlink()
    path.mkdir()


def file_in_its_place(path: Path) -> None:
    """Put a file where the link was."""
    path.unlink()
    path.write_text("no link", encoding="utf-8")


def lead_nowhere(path: Path) -> None:
    """Let the link lead to what is not there."""
    path.unlink()
    path.symlink_to("versions/2026-01-31-nothing0")


def lead_elsewhere(path: Path) -> None:
    """Let the link lead to a folder that holds no versions."""
    path.unlink()
    path.symlink_to("ledger")


def copy_mart(folder: Path) -> Path:
    """One of the Parquet copies of a version."""
    return parquet_folder(folder) / "mart_a.parquet"


def page(folder: Path) -> Path:
    """One of the pages of a version."""
    return report_file(folder, "index")


@dataclass(frozen=True)
class Damage:
    """One state: what is done to which file, and what is said of it.

    Attributes:
        file: The file, given the folder of the current version; None: the link.
        do: What happens to it.
        said: What everybody says.
    """

    file: Callable[[Path], Path] | None
    do: Callable[[Path], None]
    said: str

    @property
    def is_of_a_version(self) -> bool:
        return self.file is not None


CURRENT_IS_DAMAGED = "names 2026-01-04-run00003, which is damaged"
DAMAGES = {
    "marts flipped": Damage(marts_file, flip, "marts/cx_marts.duckdb holds other bytes than were written"),
    "marts truncated": Damage(marts_file, truncate, "marts/cx_marts.duckdb has "),
    "marts deleted": Damage(marts_file, delete, "marts/cx_marts.duckdb is missing"),
    "marts a folder": Damage(marts_file, folder_in_its_place, "marts/cx_marts.duckdb is no file"),
    "marts a dangling link": Damage(marts_file, lead_nowhere, "marts/cx_marts.duckdb is no file"),
    "warehouse flipped": Damage(warehouse_file, flip, "warehouse/warehouse.duckdb holds other bytes than were written"),
    "warehouse truncated": Damage(warehouse_file, truncate, "warehouse/warehouse.duckdb has "),
    "warehouse deleted": Damage(warehouse_file, delete, "warehouse/warehouse.duckdb is missing"),
    "Parquet copy flipped": Damage(copy_mart, flip, "parquet/mart_a.parquet holds other bytes than were written"),
    "Parquet copy truncated": Damage(copy_mart, truncate, "parquet/mart_a.parquet has "),
    "Parquet copies deleted": Damage(parquet_folder, delete, "parquet/mart_a.parquet is missing"),
    "page flipped": Damage(page, flip, "report/index.html holds other bytes than were written"),
    "manifest flipped": Damage(manifest_file, flip, "manifest.json is not as it was written"),
    "manifest truncated": Damage(manifest_file, truncate, "manifest.json is not as it was written"),
    "manifest deleted": Damage(manifest_file, delete, "manifest.json is missing"),
    "manifest a folder": Damage(manifest_file, folder_in_its_place, "manifest.json is not as it was written"),
    "version deleted": Damage(lambda folder: folder, delete, "names 2026-01-04-run00003, which is not there"),
    "link deleted": Damage(None, delete, "current is missing"),
    "link dangling": Damage(None, lead_nowhere, "names 2026-01-31-nothing0, which is not there"),
    "link elsewhere": Damage(None, lead_elsewhere, "current leads to ledger, which is no version"),
    "link a folder": Damage(None, folder_in_its_place, "current is a folder where a link should be"),
    "link a file": Damage(None, file_in_its_place, "current is a file where a link should be"),
}


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    """Three nights, which nobody changes."""
    folder = data_folder(tmp_path_factory.mktemp("published"))
    for number in (1, 2, 3):
        run(folder, SmallNight(number, rows=ROWS))
    return folder


@pytest.fixture
def folder(published: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataFolder:
    """A copy of them, which commands find."""
    monkeypatch.setenv("JOURNEYMART_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("JOURNEYMART_STATE", str(tmp_path / "state"))
    monkeypatch.delenv("JOURNEYMART_COMPANY", raising=False)
    monkeypatch.delenv("JOURNEYMART_SOURCES", raising=False)
    return DataFolder(Path(shutil.copytree(published.root, tmp_path / "data", symlinks=True)))


@pytest.fixture(params=DAMAGES)
def damage(request: pytest.FixtureRequest, folder: DataFolder) -> Damage:
    """One state after the other."""
    done: Damage = DAMAGES[request.param]
    done.do(done.file(folder.versions / "2026-01-04-run00003") if done.file else folder.current)
    return done


def ids(versions: tuple[Version, ...]) -> list[str]:
    return [version.id for version in versions]


@pytest.mark.promise("damage")
def test_status_doctor_and_a_night_say_the_same_and_readers_see_a_sound_version(damage, folder, capsys):
    assert cli.command_line(["status", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)["damaged"]
    assert any(damage.said in sentence for sentence in said)
    assert said == list(look(folder, every=True).sentences)

    with data_lock(folder):
        night = mend(load_setup())
    assert list(night)[: len(said)] == said
    sound = "2026-01-03-run00002" if damage.is_of_a_version else "2026-01-04-run00003"
    assert night[-1] == f"Readers see {sound} now, as of {sound[:10]}."
    assert current_version(folder).id == sound
    assert night_seen(folder) == int(sound[-1])
    assert look(folder).link is None


@pytest.mark.promise("damage")
@pytest.mark.parametrize("damage", ["warehouse flipped", "manifest deleted", "link a folder"], indirect=True)
def test_the_night_builds_on_the_newest_sound_version_even_if_nobody_mended_before(damage, folder):
    made = run(folder, SmallNight(4, rows=ROWS))
    assert made.manifest.base == ("2026-01-03-run00002" if damage.is_of_a_version else "2026-01-04-run00003")
    assert night_seen(folder) == 4
    assert look(folder).link is None


@pytest.mark.promise("damage")
def test_a_rollback_leads_to_a_sound_version_in_every_state(damage, folder):
    went = rollback(folder)
    assert current_version(folder).id == went.id
    assert night_seen(folder) == int(went.id[-1])
    if damage.is_of_a_version:
        with pytest.raises(JourneymartError, match="choose one of 2026-01-02-run00001, 2026-01-03-run00002"):
            rollback(folder, "2026-01-04-run00003")
        assert current_id(folder) == went.id


@pytest.mark.promise("damage")
def test_what_is_sound_is_left_as_it_is(folder, capsys):
    assert damages(load_setup(), every=True) == mend(load_setup()) == ()
    assert cli.command_line(["status", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["damaged"] == []
    assert not (folder.root / "rollbacks.jsonl").exists()


@pytest.mark.promise("damage")
def test_an_older_version_that_is_damaged_is_no_target_of_a_rollback_and_no_base(folder):
    flip(warehouse_file(folder.versions / "2026-01-03-run00002"))
    assert rollback(folder).id == "2026-01-02-run00001"
    made = run(folder, SmallNight(2, rows=ROWS, run_id="again000-of-the-tests"))
    assert made.manifest.base == "2026-01-02-run00001"


@pytest.mark.promise("damage")
def test_where_no_version_is_sound_a_night_builds_from_nothing_and_numbers_go_on(folder):
    for version in list_versions(folder):
        flip(marts_file(version.path))
    with data_lock(folder):
        assert "`journeymart run` builds what is lacking" in mend(load_setup())[-1]
    with pytest.raises(JourneymartError, match="run a night first"):
        rollback(folder)
    made = run(folder, SmallNight(4, rows=ROWS))
    assert (made.manifest.base, made.sequence, night_seen(folder)) == (None, 4, 4)


@pytest.mark.promise("damage")
def test_what_stood_in_the_place_of_the_link_is_kept(folder):
    folder_in_its_place(folder.current)
    (folder.current / "somebody's copy").touch()
    with data_lock(folder):
        mend(load_setup())
    assert [path.name for path in folder.root.glob("current-was-no-link-*/*")] == ["somebody's copy"]


@pytest.mark.promise("damage")
def test_a_mended_link_is_on_record_as_a_rollback_is(folder):
    delete(folder.current)
    with data_lock(folder):
        mend(load_setup())
    (record,) = (json.loads(line) for line in (folder.root / "rollbacks.jsonl").read_text().splitlines())
    assert (record["from"], record["to"]) == (None, "2026-01-04-run00003")
    assert "is missing" in record["because"]


@pytest.mark.promise("damage")
def test_a_damaged_version_goes_when_as_many_newer_ones_are_kept(folder):
    damaged = folder.versions / "2026-01-02-run00001"
    flip(manifest_file(damaged))
    run(folder, SmallNight(4, rows=ROWS), keep=4)
    assert damaged.exists()
    run(folder, SmallNight(5, rows=ROWS), keep=4)
    assert not damaged.exists()
