"""A publish killed at any point leaves readers a whole version, and the next night never notices."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from assets.versions.contents import literal
from assets.versions.manifest import Table
from assets.versions.versions import current_id, list_versions, start_build
from storage.data_folder import DataFolder, marts_file
from storage.faults import FAULT_VARIABLE
from tests.small_night import SmallNight, data_folder, night_seen, run


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Table, ...]:
    """What three nights that nobody killed come to."""
    folder = data_folder(tmp_path_factory.mktemp("undisturbed"))
    for night in (1, 2):
        run(folder, SmallNight(night))
    return run(folder, SmallNight(3)).manifest.tables


def kill(folder: DataFolder, night: int, point: str) -> None:
    program = [sys.executable, "-m", "tests.small_night", str(folder.root), str(night)]
    result = subprocess.run(program, env={**os.environ, FAULT_VARIABLE: point}, check=False)
    assert result.returncode == -signal.SIGKILL


@pytest.mark.promise("kills")
@pytest.mark.parametrize(
    ("point", "seen"), [("before_verify", 1), ("before_rename", 1), ("before_swing", 1), ("after_swing", 2)]
)
def test_readers_see_a_whole_version_and_the_next_night_is_undisturbed(tmp_path, undisturbed, point, seen):
    folder = data_folder(tmp_path)
    run(folder, SmallNight(1))
    path = marts_file(folder.current)
    with duckdb.connect(path, read_only=True) as held, duckdb.connect() as attaching:
        attach = f"ATTACH {literal(str(path))} AS marts (READ_ONLY)"
        attaching.execute(attach)

        kill(folder, 2, point)
        assert night_seen(folder) == seen
        attaching.execute("DETACH marts")
        attaching.execute(attach)
        assert attaching.execute("SELECT DISTINCT night FROM marts.mart_a").fetchall() == [(seen,)]
        with duckdb.connect(path, read_only=True) as fresh:
            assert fresh.execute("SELECT DISTINCT night FROM mart_a").fetchall() == [(seen,)]

        version = run(folder, SmallNight(3))
        assert held.execute("SELECT DISTINCT night FROM mart_a").fetchall() == [(1,)]
        with duckdb.connect(path, read_only=True) as fresh:
            assert fresh.execute("SELECT DISTINCT night FROM mart_a").fetchall() == [(3,)]

    assert version.manifest.tables == undisturbed
    assert [kept.sequence for kept in list_versions(folder)] == list(range(1, version.sequence + 1))
    assert not folder.build.exists()


@pytest.mark.promise("kills")
def test_a_night_killed_before_the_first_swing_leaves_no_version_and_the_next_one_makes_it(tmp_path):
    folder = data_folder(tmp_path)
    kill(folder, 1, "before_swing")
    assert current_id(folder) is None
    run(folder, SmallNight(2))
    assert night_seen(folder) == 2


@pytest.mark.promise("kills")
def test_the_same_night_can_be_run_again_under_another_run(tmp_path):
    folder = data_folder(tmp_path)
    kill(folder, 1, "before_swing")
    run(folder, replace(SmallNight(1), run_id="again"))
    assert night_seen(folder) == 1


@pytest.mark.promise("kills")
def test_a_build_killed_while_it_is_cloned_is_made_anew(tmp_path):
    folder = data_folder(tmp_path)
    base = run(folder, SmallNight(1))
    build = start_build(folder, base)
    with marts_file(build).open("r+b") as file:
        file.truncate(100)
    run(folder, SmallNight(2))
    assert night_seen(folder) == 2


@pytest.mark.promise("kills")
def test_a_version_half_removed_is_cleared_by_the_next_night(tmp_path):
    folder = data_folder(tmp_path)
    version = run(folder, SmallNight(1))
    half = Path(f"{folder.versions}/.removing-{version.id}")
    version.path.rename(half)
    marts_file(half).unlink()
    run(folder, SmallNight(2))
    assert not half.exists()
    assert night_seen(folder) == 2
