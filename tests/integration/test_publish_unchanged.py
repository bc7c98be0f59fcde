"""The Parquet copy of a mart a night left as it was is the base's, by another name; each version stays whole."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from assets.versions.contents import attach, literal
from assets.versions.manifest import File, read_manifest, write_manifest
from assets.versions.publish import verify_in_fresh_process
from assets.versions.retention import remove
from assets.versions.verify import verify
from assets.versions.versions import Version
from storage.data_folder import DataFolder, parquet_folder
from storage.errors import JourneymartError
from storage.faults import FAULT_VARIABLE
from storage.files import sha256_of
from storage.locks import data_lock
from tests.small_night import SmallNight, build, data_folder, run, write_quiet_night


def copy(version: Version, mart: str) -> Path:
    return parquet_folder(version.path) / f"{mart}.parquet"


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    return data_folder(tmp_path)


@pytest.fixture
def versions(folder: DataFolder) -> tuple[Version, Version]:
    """A night, and one that changed mart_a and left mart_b as it was."""
    return run(folder, SmallNight(1)), run(folder, SmallNight(2), spoil=write_quiet_night)


def test_only_what_changed_is_written(versions: tuple[Version, Version]) -> None:
    first, second = versions
    assert copy(first, "mart_b").samefile(copy(second, "mart_b"))
    assert not copy(first, "mart_a").samefile(copy(second, "mart_a"))
    assert {file.name: file.sha256 for file in second.manifest.files}["parquet/mart_b.parquet"] == sha256_of(
        copy(first, "mart_b")
    )
    for version in versions:
        verify(version.path)


@pytest.mark.parametrize("goes", [0, 1])
def test_a_version_that_goes_takes_nothing_from_the_other(
    folder: DataFolder, versions: tuple[Version, Version], goes: int
) -> None:
    if goes == 1:
        third = run(folder, SmallNight(3), spoil=write_quiet_night)
        assert copy(third, "mart_b").samefile(copy(versions[0], "mart_b"))
    remove(folder, [versions[goes].id])

    assert not versions[goes].path.exists()
    verify(versions[1 - goes].path)


def test_a_version_built_from_nothing_shares_nothing(folder: DataFolder, versions: tuple[Version, Version]) -> None:
    # Another fingerprint, as an erased person's batch that is no longer accepted, leaves it without a base.
    anew = run(folder, replace(SmallNight(3), fingerprint="e" * 64), spoil=write_quiet_night)

    assert anew.manifest.base is None
    assert anew.manifest.tables_of("marts")[1] == versions[1].manifest.tables_of("marts")[1]
    assert os.stat(copy(anew, "mart_b")).st_nlink == 1  # noqa: PTH116


def test_a_copy_damaged_since_is_written_anew(folder: DataFolder) -> None:
    first = run(folder, SmallNight(1))
    damaged = copy(first, "mart_b")
    damaged.write_bytes(damaged.read_bytes()[:-9] + b"\0" * 9)
    second = run(folder, SmallNight(2), spoil=write_quiet_night)

    assert not copy(second, "mart_b").samefile(damaged)
    verify(second.path)


def test_bytes_the_base_does_not_have_are_read_back(folder: DataFolder, versions: tuple[Version, Version]) -> None:
    first, second = versions
    path = copy(second, "mart_b")
    path.unlink()
    with duckdb.connect() as connection:
        attach(connection, second.path, read_only=True)
        connection.execute(f"copy (from marts.main.mart_b limit 5) to {literal(str(path))}")
    other = File("parquet/mart_b.parquet", path.stat().st_size, sha256_of(path))
    files = tuple(other if file.name == other.name else file for file in second.manifest.files)
    write_manifest(second.path, replace(read_manifest(second.path), files=files))

    with pytest.raises(JourneymartError, match="does not hold the rows of its mart"):
        verify_in_fresh_process(second.path, first.path)


@pytest.mark.promise("kills")
@pytest.mark.parametrize("point", ["before_verify", "before_swing"])
def test_a_night_killed_with_shared_copies_leaves_its_base_whole(folder: DataFolder, point: str) -> None:
    first = run(folder, SmallNight(1))
    program = [sys.executable, "-m", "tests.small_night", str(folder.root), "2", "quiet"]
    killed = subprocess.run(program, env={**os.environ, FAULT_VARIABLE: point}, check=False)
    assert killed.returncode == -signal.SIGKILL

    verify(first.path)
    third = run(folder, SmallNight(3), spoil=write_quiet_night)
    assert copy(third, "mart_b").samefile(copy(first, "mart_b"))
    for version in (first, third):
        verify(version.path)


def test_a_build_thrown_away_takes_nothing_from_its_base(folder: DataFolder) -> None:
    first = run(folder, SmallNight(1))
    with pytest.raises(JourneymartError, match="not declared public"):
        run(folder, SmallNight(2), spoil=lambda path: (write_quiet_night(path), stray(path)))
    with data_lock(folder):
        build(folder, SmallNight(2))

    verify(first.path)


def stray(path: Path) -> None:
    with duckdb.connect() as connection:
        attach(connection, path, read_only=False)
        connection.execute("create table marts.main.stray as select 1 as one")
