"""A disk that is full, read-only or somebody else's is said in one sentence, and nothing is left half done."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from assets.versions.standing import look
from assets.versions.versions import current_id
from orchestration.cli import app as cli
from orchestration.cli.doctor import Diagnosis, _guarded
from orchestration.config.settings import Settings
from storage.data_folder import DataFolder
from storage.disk import disk_trouble, explaining_the_disk
from storage.errors import JourneymartError
from tests.small_night import SmallNight, data_folder, night_seen, run

ROWS = 200
SECOND = "2026-01-03-run00002"


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A disk of its own, of 24 MB."""
    path = tmp_path / "disk"
    path.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(path)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.strip()}")
    monkeypatch.setenv("JOURNEYMART_STATE", str(tmp_path / "state"))
    monkeypatch.delenv("JOURNEYMART_COMPANY", raising=False)
    monkeypatch.delenv("JOURNEYMART_SOURCES", raising=False)
    yield path
    subprocess.run(["umount", "--lazy", str(path)], check=True)


@pytest.fixture
def published(disk: Path, monkeypatch: pytest.MonkeyPatch) -> DataFolder:
    """Two nights on that disk."""
    folder = data_folder(disk)
    monkeypatch.setenv("JOURNEYMART_DATA", str(folder.root))
    for number in (1, 2):
        run(folder, SmallNight(number, rows=ROWS))
    return folder


def make_read_only(disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)


def fill(disk: Path, leave: int) -> Path:
    """Fill the disk but for some bytes."""
    waste = disk / "waste"
    waste.write_bytes(b"x" * (shutil.disk_usage(disk).free - leave))
    return waste


@pytest.mark.promise("disk")
def test_commands_on_a_read_only_disk_say_so_or_answer(published, disk, capsys):
    make_read_only(disk)
    for command in (["rollback"], ["rollback", "--pin"], ["run"]):
        assert cli.command_line(command) == 1
        said = capsys.readouterr().err
        assert said.count("\n") == 1
        assert "Unexpected" not in said
        if command[0] == "rollback":
            assert "the disk is read-only: mount it for writing" in said
    assert cli.command_line(["status"]) == 0
    assert cli.command_line(["versions"]) == 0
    assert current_id(published) == SECOND


@pytest.mark.promise("disk")
def test_a_night_begins_only_where_there_is_room(published, disk):
    waste = fill(disk, leave=100_000)
    with pytest.raises(JourneymartError, match="are needed to build the next version: free some space"):
        run(published, SmallNight(3, rows=ROWS))
    assert (current_id(published), published.build.exists()) == (SECOND, False)
    waste.unlink()
    run(published, SmallNight(3, rows=ROWS))
    assert night_seen(published) == 3


@pytest.mark.promise("disk")
def test_a_disk_that_fills_up_while_a_night_builds_leaves_readers_what_they_had(published, disk):
    waste = []
    with pytest.raises(JourneymartError, match=r"the disk is (not )?full"), explaining_the_disk():
        run(published, SmallNight(3, rows=ROWS), spoil=lambda _: waste.append(fill(disk, leave=4096)))
    assert (current_id(published), night_seen(published), look(published).sentences) == (SECOND, 2, ())
    waste[0].unlink()
    run(published, SmallNight(3, rows=ROWS))
    assert night_seen(published) == 3


@pytest.mark.promise("disk")
def test_a_rollback_on_a_full_disk_changes_all_or_nothing(published, disk, capsys):
    fill(disk, leave=0)
    cli.command_line(["rollback"])
    assert current_id(published) in {SECOND, "2026-01-02-run00001"}
    assert "Unexpected" not in capsys.readouterr().err
    assert look(published).sentences == ()


@pytest.mark.promise("disk")
def test_doctor_says_it_and_goes_on(tmp_path):
    def look(_: Settings) -> Iterator[Diagnosis]:
        raise OSError(errno.EROFS, "Read-only file system", "/state/dbt")

    (found,) = _guarded("dbt project", look, Settings(data=tmp_path, state=tmp_path))
    assert (found.what, found.health) == ("dbt project", "problem")
    assert found.said.startswith("/state/dbt could not be written or read, because the disk is read-only")


@pytest.mark.promise("disk")
@pytest.mark.parametrize(("name", "said"), [("ledger", "something else lies"), ("build", "folder should be")])
def test_a_file_in_the_place_of_a_folder_is_said_and_moved_away_by_whoever_put_it_there(published, name, said):
    shutil.rmtree(published.root / name, ignore_errors=True)
    (published.root / name).touch()
    refused = pytest.raises(JourneymartError, match=rf"{name}.* could not be written or read, because .*{said}")
    with refused, explaining_the_disk():
        run(published, SmallNight(3, rows=ROWS))
    assert current_id(published) == SECOND
    (published.root / name).unlink()
    run(published, SmallNight(3, rows=ROWS))
    assert night_seen(published) == 3


@pytest.mark.promise("disk")
@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device", "/d/x"),
            "/d/x could not be written or read, because the disk",
        ),
        (OSError(errno.EROFS, "Read-only file system", "/d/x"), "the disk is read-only"),
        (PermissionError(errno.EACCES, "Permission denied", "/d/x"), "this user may not: change its owner or mode"),
        (duckdb.IOException('Could not write file "/d/x": No space left on device'), "the disk is full"),
        (sqlite3.OperationalError("database or disk is full"), "the disk is full"),
        (sqlite3.OperationalError("attempt to write a readonly database"), "the disk is read-only"),
        (ValueError("No space left on device"), None),
        (FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)), None),
    ],
    ids=str,
)
def test_trouble_with_the_disk_is_told_from_other_errors_whoever_raised_it(error, said):
    assert (said in disk_trouble(error)) if said else (disk_trouble(error) is None)
    try:
        raise RuntimeError("wrapped") from error
    except RuntimeError as wrapped:
        assert disk_trouble(wrapped) == disk_trouble(error)
