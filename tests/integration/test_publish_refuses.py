"""A night that is not fit to be seen is not published: readers keep the version they had, byte for byte."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from assets.versions.contents import attach, literal
from assets.versions.publish import publish
from assets.versions.versions import Version, current_id, list_versions
from assets.warehouse.load import prepare
from quality.gate.ledger import Ledger
from storage.data_folder import DataFolder, marts_file, report_file, warehouse_file
from storage.errors import JourneymartError
from tests.small_night import NOW, PUBLIC, SmallNight, data_folder, night_seen, run, write_page

WRITE_TO_MARTS = "import duckdb, sys; c = duckdb.connect(sys.argv[1])\nprint('open', flush=True); sys.stdin.read()"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> tuple[DataFolder, Version]:
    """A data folder with one good version."""
    folder = data_folder(tmp_path_factory.mktemp("served"))
    return folder, run(folder, SmallNight(1))


def refuse(
    served: tuple[DataFolder, Version],
    match: str,
    night: SmallNight | None = None,
    spoil: Callable[[Path], object] | None = None,
) -> None:
    """Run a second night and see it refused, with nothing changed for readers."""
    folder, version = served
    before = snapshot(version.path)
    with pytest.raises(JourneymartError, match=match):
        run(folder, night or SmallNight(2), spoil=spoil)
    assert current_id(folder) == version.id
    assert [kept.id for kept in list_versions(folder)] == [version.id]
    assert snapshot(version.path) == before
    assert night_seen(folder) == 1


def snapshot(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def sql(*statements: str) -> Callable[[Path], None]:
    """Run statements on a build whose files are attached as `marts` and `warehouse`."""

    def spoil(build: Path) -> None:
        with duckdb.connect() as connection:
            attach(connection, build, read_only=False)
            for statement in statements:
                connection.execute(statement)

    return spoil


@pytest.mark.promise("audited")
@pytest.mark.parametrize(
    ("outcome", "said"),
    [("fail", "failed"), ("error", "broke"), (None, "did not run")],
)
def test_a_ledger_that_does_not_say_yes_blocks(served, outcome, said):
    refuse(served, f"reconciliation of mart_a {said}", replace(SmallNight(2), outcome=outcome))


@pytest.mark.promise("audited")
def test_a_ledger_that_expects_nothing_blocks(served, monkeypatch):
    monkeypatch.setattr(SmallNight, "ledger", lambda self, folder: Ledger(folder.ledger("of nobody")))
    refuse(served, "nothing was judged")


@pytest.mark.promise("audited")
@pytest.mark.parametrize(
    ("match", "statement"),
    [
        ("holds secret, which is not declared", "CREATE TABLE marts.secret AS SELECT 1 AS a"),
        (
            "holds other.mart_a, which is not declared",
            "CREATE SCHEMA marts.other; CREATE TABLE marts.other.mart_a (a int)",
        ),
        ("holds peek, which is not declared", "CREATE VIEW marts.peek AS SELECT 1 AS a"),
        ("mart_b is a view", "DROP TABLE marts.mart_b; CREATE VIEW marts.mart_b AS SELECT 1 AS a"),
        ("lacks mart_b", "DROP TABLE marts.mart_b"),
        ("mart_a has an index", "CREATE INDEX by_id ON marts.mart_a (id)"),
        ("mart_a has an index or a key", "CREATE OR REPLACE TABLE marts.mart_a (id int PRIMARY KEY)"),
        ("mart_a has an index or a key", "CREATE OR REPLACE TABLE marts.mart_a (id int UNIQUE)"),
        (
            "name of mart mart_a is HUGEINT",
            "CREATE OR REPLACE TABLE marts.mart_a AS SELECT 1::hugeint AS name",
        ),
        (
            "pair of mart mart_a is INTEGER.2",
            "CREATE OR REPLACE TABLE marts.mart_a AS SELECT [1, 2]::int[2] AS pair",
        ),
        ("but not the 2 the night names", "DELETE FROM warehouse.night.batches WHERE batch_id LIKE '%2'"),
        ("but not the 2 the night names", "INSERT INTO warehouse.night.batches VALUES ('more')"),
    ],
)
def test_marts_that_are_not_what_was_declared_or_cannot_be_kept_safe_block(served, match, statement):
    refuse(served, match, spoil=sql(statement))


def test_a_file_of_a_version_too_new_for_old_clients_blocks(served):
    def spoil(build: Path) -> None:
        new = build / "new.duckdb"
        with duckdb.connect() as connection:
            attach(connection, build, read_only=True)
            connection.execute(f"ATTACH {literal(str(new))} AS new (STORAGE_VERSION 'v1.5.0')")
            connection.execute("COPY FROM DATABASE marts TO new")
        new.replace(marts_file(build))

    refuse(served, r"storage version v1\.5\.0", spoil=spoil)


@pytest.mark.promise("audited")
@pytest.mark.parametrize("spoil", [Path.unlink, lambda page: page.write_text("")], ids=["missing", "empty"])
def test_a_build_without_its_report_blocks(served, spoil):
    refuse(served, r"lacks .*journey\.html", spoil=lambda build: spoil(report_file(build, "journey")))


def test_a_stray_page_blocks(served):
    refuse(served, "does not belong", spoil=lambda build: report_file(build, "other").write_text("<!doctype html>"))


def test_a_stray_write_ahead_log_blocks(served):
    refuse(served, "does not belong", spoil=lambda build: (build / "marts" / "other.duckdb.wal").write_text("x"))


def test_a_write_ahead_log_of_another_file_blocks(served, tmp_path):
    def spoil(build: Path) -> None:
        kill_after_writing(tmp_path / "other.duckdb")
        (tmp_path / "other.duckdb.wal").rename(f"{marts_file(build)}.wal")

    refuse(served, "could not be finished", spoil=spoil)


def test_what_an_unclean_end_of_dbt_left_in_the_write_ahead_log_is_not_lost(tmp_path):
    def spoil(build: Path) -> None:
        kill_after_writing(warehouse_file(build))
        assert Path(f"{warehouse_file(build)}.wal").exists()

    version = run(data_folder(tmp_path), SmallNight(1), spoil=spoil)
    assert {"late": 3}.items() <= {table.name: table.rows for table in version.manifest.tables}.items()


def kill_after_writing(path: Path) -> None:
    """Commit a table to a DuckDB file and die before it is closed."""
    program = (
        "import duckdb, os, sys; c = duckdb.connect(sys.argv[1]); "
        "c.execute('CREATE TABLE late AS SELECT range FROM range(3)'); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", program, str(path)], check=True)


@pytest.mark.promise("audited")
def test_a_damaged_build_blocks(served):
    def spoil(build: Path) -> None:
        with warehouse_file(build).open("r+b") as file:
            for block in range(3 * 4096, warehouse_file(build).stat().st_size, 256 * 1024):
                file.seek(block + 1000)
                file.write(b"\xff" * 64)

    refuse(served, "could not be finished", spoil=spoil)


@pytest.mark.promise("audited")
def test_a_process_that_still_writes_the_marts_blocks(served):
    writers: list[subprocess.Popen[str]] = []

    def spoil(build: Path) -> None:
        command = [sys.executable, "-c", WRITE_TO_MARTS, str(marts_file(build))]
        writers.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        assert writers[0].stdout and writers[0].stdout.readline()

    try:
        refuse(served, "no other process has its files open", spoil=spoil)
    finally:
        writers[0].communicate()


def test_a_version_is_never_overwritten(served):
    folder, version = served
    refuse(served, f"{version.id} is there already", SmallNight(1))
    assert folder.build.exists()


def test_the_night_after_a_refused_one_is_published(tmp_path):
    folder = data_folder(tmp_path)
    run(folder, SmallNight(1))
    with pytest.raises(JourneymartError):
        run(folder, replace(SmallNight(2), outcome="fail"))
    version = run(folder, SmallNight(3))
    assert (night_seen(folder), version.sequence, version.manifest.base) == (3, 2, version.manifest.previous)
    assert not folder.build.exists()


def test_a_build_without_any_table_is_refused(tmp_path):
    folder = data_folder(tmp_path)
    night = SmallNight(1)
    folder.build.mkdir()
    prepare(folder.build)
    write_page(folder.build)
    sql("CREATE SCHEMA warehouse.night; CREATE TABLE warehouse.night.batches (batch_id varchar)")(folder.build)
    with pytest.raises(JourneymartError, match="lacks mart_a, mart_b"):
        publish(
            folder,
            folder.build,
            ledger=night.ledger(folder),
            night=night.night,
            public_tables=PUBLIC,
            published_at=NOW,
            keep=1,
        )
