"""Which version is current, which is a base, what a build starts from, what is kept, who may change it."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.versions.manifest import Batch, Checks, File, Manifest, Missing, read_manifest, write_manifest
from assets.versions.pin import read_pin
from assets.versions.retention import prune
from assets.versions.rollback import rollback
from assets.versions.versions import (
    Version,
    base_of_build,
    choose_base,
    current_id,
    current_version,
    list_versions,
    start_build,
    swing,
    version_id,
)
from storage.data_folder import DataFolder, marts_file, warehouse_file
from storage.errors import JourneymartError
from storage.files import clone_file
from storage.locks import data_lock


def manifest(sequence: int, batches: set[str], fingerprint: str = "same") -> Manifest:
    """Manifest of a version whose two files hold the version's number."""
    as_of = date(2026, 1, sequence)
    return Manifest(
        version=version_id(as_of, f"{sequence:08d}"),
        sequence=sequence,
        as_of=as_of,
        run_id=f"{sequence:08d}-1111-2222",
        published_at=datetime(2026, 1, sequence, 3, tzinfo=UTC),
        previous=None,
        base=None,
        fingerprint=fingerprint,
        missing=(Missing("zendesk", "tickets", as_of, 1),),
        rows_in=5,
        quarantined_rows=1,
        checks=Checks(passed=3, warned=0),
        duckdb_version="2.0.0",
        storage_version="v1.2.0",
        batches=tuple(Batch(name, "shop", "canonical", "order", as_of, 1) for name in sorted(batches)),
        tables=(),
        files=tuple(
            File(name, 1, hashlib.sha256(str(sequence).encode()).hexdigest())
            for name in ("marts/cx_marts.duckdb", "warehouse/warehouse.duckdb")
        ),
    )


def add_version(folder: DataFolder, sequence: int, batches: set[str] = frozenset(), fingerprint: str = "same") -> str:
    """Lay a whole version into the data folder, as publish would, and let readers see it."""
    made = manifest(sequence, batches, fingerprint)
    path = folder.versions / made.version
    for file in (marts_file(path), warehouse_file(path)):
        file.parent.mkdir(parents=True)
        file.write_text(str(sequence))
    write_manifest(path, made)
    swing(folder, made.version)
    return made.version


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    return DataFolder(tmp_path / "a data folder")


def id_of(version: Version | None) -> str | None:
    return version and version.id


def test_a_new_data_folder_has_no_versions(folder):
    assert list_versions(folder) == ()
    assert current_version(folder) is None
    assert choose_base(list_versions(folder), set(), "same") is None


def test_a_manifest_reads_back_as_it_was_written(tmp_path):
    written = manifest(3, {"a", "b"})
    write_manifest(tmp_path, written)
    assert read_manifest(tmp_path) == written


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"version": 1}', "null"])
def test_a_damaged_manifest_is_named(tmp_path, text):
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(JourneymartError, match="damaged"):
        read_manifest(tmp_path)


def test_versions_are_listed_oldest_first(folder):
    names = [add_version(folder, sequence) for sequence in (3, 1, 2)]
    assert [version.id for version in list_versions(folder)] == sorted(names)


@settings(max_examples=40)
@given(
    histories=st.lists(st.tuples(st.frozensets(st.sampled_from("abcd")), st.sampled_from("xy")), max_size=6),
    accepted=st.frozensets(st.sampled_from("abcd")),
)
def test_the_base_is_the_newest_version_of_this_project_whose_batches_all_stand(tmp_path_factory, histories, accepted):
    folder = DataFolder(tmp_path_factory.mktemp("data"))
    folder.versions.mkdir()
    names = [
        add_version(folder, sequence, set(batches), project)
        for sequence, (batches, project) in enumerate(histories, start=1)
    ]
    good = [
        name
        for name, (batches, project) in zip(names, histories, strict=True)
        if batches <= accepted and project == "x"
    ]
    assert id_of(choose_base(list_versions(folder), accepted, "x")) == (good[-1] if good else None)


def test_a_rollback_does_not_change_the_base(folder):
    add_version(folder, 1, {"a"})
    newest = add_version(folder, 2, {"a", "b"})
    rollback(folder)
    assert id_of(choose_base(list_versions(folder), {"a", "b"}, "same")) == newest


def test_after_a_rollback_a_withdrawn_batch_leads_to_the_version_without_it(folder):
    first = add_version(folder, 1, {"a"})
    add_version(folder, 2, {"a", "bad"})
    rollback(folder)
    assert id_of(choose_base(list_versions(folder), {"a", "mended"}, "same")) == first


def test_a_version_that_lost_a_file_is_neither_listed_nor_a_base_nor_a_target(folder):
    whole, broken = add_version(folder, 1), add_version(folder, 2)
    add_version(folder, 3)
    marts_file(folder.versions / broken).unlink()
    assert broken not in [version.id for version in list_versions(folder)]
    with pytest.raises(JourneymartError, match=rf"damaged \(marts/cx_marts.duckdb is missing\): choose one of {whole}"):
        rollback(folder, broken)
    assert rollback(folder).id == whole


def test_a_current_link_to_a_broken_version_is_reported_and_the_next_swing_mends_it(folder):
    broken = add_version(folder, 1)
    marts_file(folder.versions / broken).write_text("longer than it was")
    with pytest.raises(JourneymartError, match=f"names {broken}, which is damaged"):
        current_version(folder)
    mended = add_version(folder, 2)
    assert id_of(current_version(folder)) == mended


@pytest.mark.parametrize("name", ["2026-01-09-nobody00", "../../etc", "", ".", "current"])
def test_a_rollback_to_an_unknown_version_is_refused_and_names_the_known(folder, name):
    known = add_version(folder, 1)
    with pytest.raises(JourneymartError, match=known):
        rollback(folder, name)
    assert current_id(folder) == known


def test_there_is_nothing_to_roll_back_to_before_the_second_version(folder):
    with pytest.raises(JourneymartError, match="run a night first"):
        rollback(folder)
    add_version(folder, 1)
    with pytest.raises(JourneymartError, match="No sound version older"):
        rollback(folder)


def test_rollbacks_are_recorded_and_can_go_forward_again(folder):
    first, second = add_version(folder, 1), add_version(folder, 2)
    rollback(folder)
    rollback(folder, second)
    records = [json.loads(line) for line in (folder.root / "rollbacks.jsonl").read_text().splitlines()]
    assert [(record["from"], record["to"]) for record in records] == [(second, first), (first, second)]
    assert all(datetime.fromisoformat(record["at"]).tzinfo for record in records)


def test_a_rollback_takes_less_than_a_second_with_a_year_of_batches_while_a_night_holds_the_lock(folder):
    batches = {f"{number:064x}" for number in range(34 * 366)}
    first, _ = add_version(folder, 1, batches), add_version(folder, 2, batches)
    with data_lock(folder):
        # Of CPU: the machine may do much else.
        began = time.process_time()
        assert rollback(folder).id == first
        assert time.process_time() - began < 1


def test_the_link_is_relative_so_the_data_folder_can_move(folder, tmp_path):
    name = add_version(folder, 1)
    moved = DataFolder(folder.root.rename(tmp_path / "elsewhere"))
    assert id_of(current_version(moved)) == name


def test_a_current_that_is_no_link_is_explained(folder):
    folder.current.mkdir(parents=True)
    with pytest.raises(JourneymartError, match="is a folder where a link should be"):
        current_version(folder)


def test_a_build_starts_as_a_private_clone_of_the_base_without_its_parquet_and_manifest(folder):
    add_version(folder, 1)
    base = list_versions(folder)[0]
    build = start_build(folder, base)
    assert marts_file(build).read_text() == warehouse_file(build).read_text() == "1"
    assert build.stat().st_mode & 0o777 == warehouse_file(build).parent.stat().st_mode & 0o777 == 0o700
    assert not (build / "manifest.json").exists()
    marts_file(build).write_text("changed")
    assert marts_file(base.path).read_text() == "1"


def test_a_build_clears_what_killed_nights_left(folder):
    add_version(folder, 1)
    start_build(folder, None)
    (folder.build / "parquet").mkdir()
    (folder.versions / ".removing-2025-01-01-killed00" / "marts").mkdir(parents=True)
    (folder.root / ".current-next").symlink_to("nowhere")
    build = start_build(folder, None)
    assert {path.name for path in build.iterdir()} == {"marts", "warehouse", "base.json"}
    assert {path.name for path in folder.root.iterdir()} == {"build", "current", "versions"}
    assert {path.name for path in folder.versions.iterdir()} == {".lock", current_id(folder)}


def test_a_build_waits_for_a_child_of_a_killed_night_that_still_writes(folder):
    build = start_build(folder, None)
    orphan = (
        "import duckdb, sys, time; c = duckdb.connect(sys.argv[1]); c.execute('create table t (i int)'); "
        "print('open', flush=True); time.sleep(0.6)"
    )
    command = [sys.executable, "-c", orphan, str(warehouse_file(build))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        started = time.perf_counter()
        start_build(folder, None)
        assert time.perf_counter() - started > 0.3
        assert not warehouse_file(build).exists()


@pytest.mark.parametrize(("has_base", "arriving", "needed"), [(True, 0, 6), (False, 2, 140), (True, 2, 146)])
def test_a_build_needs_room_for_its_base_and_for_what_arrives(folder, monkeypatch, has_base, arriving, needed):
    add_version(folder, 1)
    base = list_versions(folder)[0] if has_base else None
    usage = type("usage", (), {"free": needed - 1})
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    with pytest.raises(JourneymartError, match="are needed to build the next version: free some space"):
        start_build(folder, base, arriving)
    usage.free = needed
    start_build(folder, base, arriving)


@settings(max_examples=30)
@given(
    count=st.integers(1, 7),
    keep=st.integers(1, 7),
    current=st.integers(1, 7),
    base=st.none() | st.integers(1, 7),
)
def test_pruning_keeps_the_newest_the_current_and_the_base_of_a_running_build(
    tmp_path_factory, count, keep, current, base
):
    folder = DataFolder(tmp_path_factory.mktemp("data"))
    folder.versions.mkdir()
    names = [add_version(folder, sequence) for sequence in range(1, count + 1)]
    swing(folder, names[min(current, count) - 1])
    start_build(folder, None if base is None else list_versions(folder)[min(base, count) - 1])
    kept = {*names[-keep:], current_id(folder), base_of_build(folder)}
    removed = prune(folder, keep)
    assert [version.id for version in list_versions(folder)] == [name for name in names if name in kept]
    assert set(removed) == set(names) - kept


def test_pruning_needs_something_to_keep(folder):
    add_version(folder, 1)
    with pytest.raises(JourneymartError, match="At least one"):
        prune(folder, 0)


def test_a_run_id_that_is_no_name_is_refused():
    with pytest.raises(JourneymartError, match="cannot name a version"):
        version_id(date(2026, 1, 1), "../../x")


def test_a_clone_holds_the_same_bytes_and_never_overwrites(tmp_path):
    content = os.urandom(300_000)
    (tmp_path / "a b").write_bytes(content)
    clone_file(tmp_path / "a b", tmp_path / "c d")
    assert (tmp_path / "c d").read_bytes() == content
    with pytest.raises(FileExistsError):
        clone_file(tmp_path / "a b", tmp_path / "c d")


def test_the_data_lock_turns_the_second_taker_away_and_says_who_holds_it(folder):
    with data_lock(folder, "a replay"), pytest.raises(JourneymartError) as refused, data_lock(folder):
        pass
    assert all(word in str(refused.value) for word in ("a replay", str(os.getpid()), os.uname().nodename, "+00:00"))
    with data_lock(folder):
        pass


def test_the_data_lock_of_a_killed_process_is_free(folder):
    holder = (
        "import sys, time; from pathlib import Path; from storage.locks import data_lock; "
        "from storage.data_folder import DataFolder\n"
        "with data_lock(DataFolder(Path(sys.argv[1]))): print('held', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", holder, str(folder.root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(JourneymartError, match=str(process.pid)), data_lock(folder):
            pass
        process.kill()
    with data_lock(folder):
        pass


def test_a_file_where_the_data_folder_should_be_is_called_one(tmp_path):
    path = tmp_path / "data"
    path.touch()
    with pytest.raises(JourneymartError, match="data is a file where the data folder should be: move it away"):
        read_pin(DataFolder(path))
