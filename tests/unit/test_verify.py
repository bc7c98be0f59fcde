"""Whatever differs between a version's files and its manifest is refused: bytes, rows, tables, strays."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.versions.manifest import File, Manifest, read_manifest, write_manifest
from assets.versions.publish import verify_in_fresh_process
from assets.versions.verify import verify
from assets.versions.versions import Version
from storage.data_folder import manifest_file, marts_file, warehouse_file
from storage.errors import JourneymartError
from storage.files import sha256_of
from tests.small_night import SmallNight, data_folder, run

# DuckDB's file header and its two database headers; blocks of 256 kB, each with a checksum, follow.
_HEADERS = 3 * 4096


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Version:
    return run(data_folder(tmp_path_factory.mktemp("published")), SmallNight(1))


@contextmanager
def copy_of(published: Version) -> Iterator[Path]:
    with TemporaryDirectory() as folder:
        yield shutil.copytree(published.path, Path(folder) / "a copy")


@pytest.fixture
def copy(published: Version) -> Iterator[Path]:
    with copy_of(published) as path:
        yield path


def flip(path: Path, offset: int, bits: int) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        (byte,) = file.read(1)
        file.seek(offset)
        file.write(bytes([byte ^ bits]))


def sign(version: Path, **changes: object) -> Manifest:
    """Make the manifest tell of the bytes that are there, as if they had been written damaged."""
    manifest = replace(read_manifest(version), **changes)
    files = (version / file.name for file in manifest.files)
    signed = tuple(File(p.relative_to(version).as_posix(), p.stat().st_size, sha256_of(p)) for p in files if p.exists())
    write_manifest(version, replace(manifest, files=signed))
    return manifest


def change(path: Path, sql: str) -> None:
    """Change a DuckDB file behind the manifest's back, leaving no write-ahead log."""
    with duckdb.connect(path) as connection:
        connection.execute(sql)
        connection.execute("CHECKPOINT")


def test_a_version_as_it_was_written_is_verified(published):
    verify(published.path)
    verify_in_fresh_process(published.path)


@pytest.mark.promise("verified")
@settings(max_examples=60)
@given(data=st.data())
def test_every_flipped_byte_is_refused(published, data):
    file = data.draw(st.sampled_from(published.manifest.files))
    with copy_of(published) as copy:
        flip(copy / file.name, data.draw(st.integers(0, file.bytes - 1)), data.draw(st.integers(1, 255)))
        with pytest.raises(JourneymartError, match="damaged"):
            verify(copy)


@pytest.mark.promise("verified")
@settings(max_examples=40)
@given(data=st.data())
def test_every_byte_flipped_before_it_was_hashed_is_refused_too(published, data):
    file_of = data.draw(st.sampled_from([marts_file, warehouse_file]))
    with copy_of(published) as copy:
        path = file_of(copy)
        flip(path, data.draw(st.integers(_HEADERS, path.stat().st_size - 1)), data.draw(st.integers(1, 255)))
        sign(copy)
        with pytest.raises(JourneymartError, match="cannot be read back"):
            verify(copy)


def test_the_files_of_the_flip_tests_have_no_unused_blocks(published):
    for path in (marts_file(published.path), warehouse_file(published.path)):
        with duckdb.connect(path, read_only=True) as connection:
            assert connection.execute("SELECT free_blocks FROM pragma_database_size()").fetchall() == [(0,)]


@pytest.mark.promise("verified")
@pytest.mark.parametrize(
    "name", ["marts/cx_marts.duckdb.wal", "warehouse/.spill/x", "parquet/mart_c.parquet", "base.json"]
)
def test_a_stray_file_is_refused(copy, name):
    (copy / name).parent.mkdir(exist_ok=True)
    (copy / name).write_bytes(b"")
    with pytest.raises(JourneymartError, match="does not belong"):
        verify(copy)


@pytest.mark.promise("verified")
@pytest.mark.parametrize("name", ["marts/cx_marts.duckdb", "warehouse/warehouse.duckdb", "parquet/mart_a.parquet"])
def test_a_lost_file_is_refused(copy, name):
    (copy / name).unlink()
    with pytest.raises(JourneymartError, match="missing"):
        verify(copy)


def test_a_lost_manifest_is_refused(copy):
    manifest_file(copy).unlink()
    with pytest.raises(JourneymartError, match="no manifest"):
        verify(copy)


def test_a_link_in_place_of_a_file_is_refused(copy, tmp_path):
    marts_file(copy).rename(tmp_path / "elsewhere")
    marts_file(copy).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(JourneymartError, match="damaged"):
        verify(copy)


@pytest.mark.promise("verified")
@pytest.mark.parametrize("file_of", [marts_file, warehouse_file])
@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE {table} SET name = 'somebody else' WHERE id = 17",
        "UPDATE {table} SET id = 17 WHERE id = 18",
        "UPDATE {table} SET amount = NULL WHERE id = 1",
        "DELETE FROM {table} WHERE id = 5",
        "INSERT INTO {table} SELECT * FROM {table} LIMIT 2",
        "DELETE FROM {table}",
        "DROP TABLE {table}",
        "CREATE TABLE stray AS SELECT 1 AS a",
        "ALTER TABLE {table} RENAME COLUMN name TO title",
        "ALTER TABLE {table} ALTER id TYPE integer",
    ],
)
def test_tables_that_are_not_those_of_the_manifest_are_refused(copy, file_of, sql):
    change(file_of(copy), sql.format(table="mart_a" if file_of is marts_file else "private"))
    sign(copy)
    with pytest.raises(JourneymartError, match="not what the manifest says"):
        verify(copy)


@pytest.mark.promise("verified")
def test_a_parquet_copy_that_differs_from_its_mart_is_refused(copy):
    path = copy / "parquet" / "mart_b.parquet"
    with duckdb.connect(marts_file(copy), read_only=True) as connection:
        connection.table("mart_b").filter("id <> 3").write_parquet(str(path))
    sign(copy)
    with pytest.raises(JourneymartError, match=r"mart_b\.parquet does not hold"):
        verify(copy)


def test_a_file_that_old_clients_cannot_open_is_refused(copy, tmp_path):
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{tmp_path}/new.duckdb' AS new (STORAGE_VERSION 'v1.5.0')")
        connection.execute(f"ATTACH '{marts_file(copy)}' AS old (READ_ONLY)")
        connection.execute("COPY FROM DATABASE old TO new")
    (tmp_path / "new.duckdb").replace(marts_file(copy))
    sign(copy)
    with pytest.raises(JourneymartError, match=r"storage version v1\.5\.0"):
        verify(copy)


def test_a_version_of_another_duckdb_is_judged_by_rows_and_bytes_not_by_its_hashes(published, copy):
    tables = tuple(replace(table, hash="1") for table in published.manifest.tables)
    sign(copy, tables=tables)
    with pytest.raises(JourneymartError):
        verify(copy)
    sign(copy, tables=tables, duckdb_version="9.9.9")
    verify(copy)


def test_the_fresh_process_says_why_it_refuses_and_where(copy):
    flip(marts_file(copy), 20_000, 255)
    with pytest.raises(JourneymartError, match=r"nothing was published: .*is damaged: marts/cx_marts\.duckdb holds"):
        verify_in_fresh_process(copy)
