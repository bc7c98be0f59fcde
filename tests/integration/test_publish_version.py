"""What a published version is: its manifest, modes and Parquet, what it leaves out, what is kept."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from datetime import datetime, timedelta, timezone

import duckdb
import pytest

from assets.versions.manifest import Checks, read_manifest
from assets.versions.rollback import rollback
from assets.versions.versions import Version, choose_base, current_version, list_versions
from storage.data_folder import DataFolder, marts_file
from tests.small_night import FINGERPRINT, NOW, ROWS, SmallNight, batch_id, data_folder, night_seen, run


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> tuple[DataFolder, Version]:
    """Three nights, two versions kept."""
    folder = data_folder(tmp_path_factory.mktemp("published"))
    for night in (1, 2):
        run(folder, SmallNight(night), keep=2)
    return folder, run(folder, SmallNight(3), keep=2)


def test_readers_see_the_newest_version(published):
    folder, version = published
    assert night_seen(folder) == 3
    assert current_version(folder) == version


def test_as_many_versions_are_kept_as_asked(published):
    folder, _ = published
    assert [kept.sequence for kept in list_versions(folder)] == [2, 3]
    assert not folder.build.exists()


def test_the_manifest_says_what_the_version_was_built_from_and_holds(published):
    folder, version = published
    manifest = read_manifest(folder.current)
    assert manifest == version.manifest
    assert manifest.batch_ids == {batch_id(night) for night in (1, 2, 3)}
    assert (manifest.version, manifest.sequence) == ("2026-01-04-run00003", 3)
    assert manifest.base == manifest.previous == "2026-01-03-run00002"
    assert (manifest.rows_in, manifest.quarantined_rows, manifest.checks) == (
        10,
        1,
        Checks(passed=1, warned=0),
    )
    assert manifest.published_at == NOW
    rows = {f"{table.database}.{table.schema}.{table.name}": table.rows for table in manifest.tables}
    assert rows == {
        "marts.main.mart_a": ROWS,
        "marts.main.mart_b": ROWS,
        "warehouse.main.private": ROWS,
        "warehouse.night.batches": 3,
    }
    files = {file.name: file.bytes for file in manifest.files}
    assert files == {
        name: (version.path / name).stat().st_size
        for name in (
            "marts/cx_marts.duckdb",
            "parquet/mart_a.parquet",
            "parquet/mart_b.parquet",
            "report/index.html",
            "report/journey.html",
            "warehouse/warehouse.duckdb",
        )
    }


def test_the_time_of_publishing_is_kept_in_utc(tmp_path, monkeypatch):
    rome = datetime(2026, 7, 1, 4, 30, tzinfo=timezone(timedelta(hours=2)))
    monkeypatch.setattr("tests.small_night.NOW", rome)
    folder = data_folder(tmp_path)
    run(folder, SmallNight(1))
    text = json.loads((folder.current / "manifest.json").read_text())["published_at"]
    assert datetime.fromisoformat(text) == rome
    assert text.endswith("+00:00")


def test_what_the_next_model_needs_to_know_is_not_for_readers(published):
    folder, _ = published
    with duckdb.connect(marts_file(folder.current), read_only=True) as connection:
        assert connection.execute("SELECT current_database()").fetchall() == [("cx_marts",)]
        schemas = connection.execute("SELECT schema_name FROM duckdb_schemas() WHERE NOT internal").fetchall()
        assert schemas == []


def test_parquet_holds_the_rows_and_types_of_the_marts(published):
    folder, _ = published
    with duckdb.connect(marts_file(folder.current), read_only=True) as connection:
        for mart in ("mart_a", "mart_b"):
            copy = connection.read_parquet(str(folder.current / "parquet" / f"{mart}.parquet"))
            table = connection.table(mart)
            assert copy.types == table.types
            assert copy.columns == table.columns
            assert copy.except_(table).fetchall() == table.except_(copy).fetchall() == []


@pytest.mark.parametrize("umask", ["000", "022", "077"])
def test_marts_are_readable_and_the_warehouse_private_whatever_the_umask(tmp_path, umask):
    folder = data_folder(tmp_path)
    program = [sys.executable, "-m", "tests.small_night", str(folder.root), "1"]
    subprocess.run(program, check=True, umask=int(umask, 8))
    version = folder.current.resolve()
    modes = {
        path.relative_to(folder.root).as_posix(): stat.S_IMODE(path.stat().st_mode)
        for path in (folder.versions, version, *version.rglob("*"))
    }
    for name, mode in modes.items():
        is_folder = (folder.root / name).is_dir()
        private = "/warehouse" in name
        assert (
            mode
            == {(True, True): 0o700, (True, False): 0o755, (False, True): 0o600, (False, False): 0o644}[
                is_folder, private
            ]
        ), name


def test_a_build_is_closed_to_other_users_until_it_is_published(tmp_path):
    seen: list[int] = []
    run(
        data_folder(tmp_path),
        SmallNight(1),
        spoil=lambda build: seen.append(stat.S_IMODE(build.stat().st_mode)),
    )
    assert seen == [0o700]


def test_two_nights_of_the_same_content_differ_in_no_hash(tmp_path):
    tables = [run(data_folder(tmp_path / name), SmallNight(1)).manifest.tables for name in ("a", "b")]
    assert tables[0] == tables[1]


def test_a_night_after_a_rollback_builds_on_the_newest_version_and_is_what_readers_see(tmp_path):
    folder = data_folder(tmp_path)
    run(folder, SmallNight(1))
    second = run(folder, SmallNight(2))
    rollback(folder)
    assert night_seen(folder) == 1
    third = run(folder, SmallNight(3))
    assert (third.manifest.base, third.sequence, night_seen(folder)) == (second.id, 3, 3)


def test_a_deploy_leaves_no_base_and_starts_from_nothing(tmp_path):
    folder = data_folder(tmp_path)
    run(folder, SmallNight(1))
    other = run(folder, SmallNight(2, fingerprint="e" * 64))
    assert other.manifest.base is None
    base = choose_base(list_versions(folder), {batch_id(1)}, FINGERPRINT)
    assert base is not None
    assert base.sequence == 1


def test_readers_keep_a_version_that_was_pruned_under_them(tmp_path):
    folder = data_folder(tmp_path)
    run(folder, SmallNight(1), keep=1)
    with duckdb.connect(marts_file(folder.current), read_only=True) as reader:
        run(folder, SmallNight(2), keep=1)
        assert len(list_versions(folder)) == 1
        assert reader.execute("SELECT DISTINCT night FROM mart_b").fetchall() == [(1,)]
    assert night_seen(folder) == 2


def test_verifying_starts_fast_because_it_imports_little():
    program = "import sys, assets.versions.verify; print(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    heavy = {"pandas", "pyarrow", "pydantic", "yaml", "dagster", "great_expectations", "numpy"}
    assert not heavy & set(result.stdout.split())
