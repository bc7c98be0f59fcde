"""Readers of the object store always see one whole version, whatever becomes of who publishes, the store or the way."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError

from assets.erasure.register import open_register, settled
from assets.object_store.mirror import mirror
from assets.object_store.standing import look_at_store
from assets.versions.retention import remove
from assets.versions.rollback import rollback, unpin
from assets.versions.versions import current_id, list_versions
from orchestration.operations.erased_versions import remove_versions_of_the_erased
from orchestration.operations.object_store import bring_to_store, left_in_store, make_up
from storage.data_folder import DataFolder
from storage.errors import JourneymartError
from tests.small_night import NOW, SmallNight, data_folder, run
from tests.store_kit import PREFIX, URL, killing, store_door

ROWS = 50
PUBLISHES = 50


@pytest.fixture
def door(monkeypatch):
    with store_door() as opened:
        for name, value in opened.environment().items():
            monkeypatch.setenv(name, value)
        yield opened


@pytest.fixture(scope="module")
def three_nights(tmp_path_factory):
    folder = data_folder(tmp_path_factory.mktemp("nights"))
    for night in (1, 2, 3):
        run(folder, SmallNight(night, rows=ROWS))
    return folder


@pytest.fixture
def folder(tmp_path, three_nights):
    target = tmp_path / "data"
    shutil.copytree(three_nights.root, target, symlinks=True)
    return DataFolder(target)


def seen_in_store(door):
    """The version readers see, every byte of it compared with the manifest that lies there; None: nothing yet."""
    try:
        name = json.loads(door.get(f"{PREFIX}current.json"))["version"]
    except ClientError as error:
        assert error.response["Error"]["Code"] == "NoSuchKey"
        return None
    home = f"{PREFIX}versions/{name}/"
    manifest = json.loads(door.get(f"{home}manifest.json"))
    assert manifest["version"] == name
    nights = set()
    for file in (each for each in manifest["files"] if each["name"].startswith("parquet/")):
        content = door.get(f"{home}{file['name']}")
        assert hashlib.sha256(content).hexdigest() == file["sha256"], file["name"]
        nights |= set(pq.read_table(io.BytesIO(content)).column("night").to_pylist())
    assert len(nights) == 1, f"torn: {nights}"
    return name


def versions_in(door):
    return {key.split("/")[1] for key in door.objects() if key.startswith("versions/")}


def sent(door):
    return [path for method, path in door.seen if method == "PUT" and "parquet" in path]


def test_the_marts_and_the_manifest_are_copied_and_nothing_private(door, folder):
    done = mirror(folder, door.store())
    home = f"versions/{done.version}"
    assert set(door.objects()) == {
        "current.json",
        f"{home}/manifest.json",
        f"{home}/parquet/mart_a.parquet",
        f"{home}/parquet/mart_b.parquet",
    }
    assert seen_in_store(door) == current_id(folder) == done.version
    assert look_at_store(folder, door.store(), every=True).fault is None


def test_what_is_there_is_not_sent_again(door, folder):
    mirror(folder, door.store())
    before = len(sent(door))
    assert before == 2
    assert mirror(folder, door.store()).sent == 0
    assert len(sent(door)) == before


PROGRAM = """
import sys
from pathlib import Path
from assets.object_store.client import open_store
from assets.object_store.mirror import mirror
from storage.data_folder import DataFolder
mirror(DataFolder(Path(sys.argv[1])), open_store("s3://drop/acme/cx"))
"""


def publisher(folder):
    return subprocess.Popen([sys.executable, "-c", PROGRAM, str(folder.root)], env={**os.environ}, stderr=-3)


@pytest.mark.promise("store")
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_killed_at_any_request_readers_see_one_whole_version_and_the_next_makes_up(door, folder, after):
    """A version is replaced by another and the one before is removed: the kill comes at each of the requests."""
    first, second, third = (version.id for version in list_versions(folder))
    number, kills = 0, 0
    while True:
        number += 1
        door.disturb = None
        rollback(folder, second)
        mirror(folder, door.store())
        for key in [key for key in door.objects() if third in key]:
            door.behind.client.delete_object(Bucket="drop", Key=f"{PREFIX}{key}")
        door.behind.put(f"{PREFIX}versions/2025-12-31-pruned/manifest.json", b"{}")
        rollback(folder, third)
        door.seen.clear()
        # Its first request comes long after it was started.
        started = []
        door.disturb = killing(started, number, after=after)
        child = publisher(folder)
        started.append(child.pid)
        code = child.wait()
        assert seen_in_store(door) in {second, third}
        if code == 0:
            break
        kills += 1
        door.disturb = None
        mirror(folder, door.store())
        assert seen_in_store(door) == third
        assert versions_in(door) == {second, third}
    print(f"{kills} kills, at each of {number - 1} requests")
    assert kills >= 10
    assert first not in versions_in(door)


@pytest.mark.promise("store")
def test_a_store_that_fails_or_loses_answers_at_any_request_shows_a_whole_version(door, folder):
    second, third = [version.id for version in list_versions(folder)][1:]
    for fault in ((False, True), (True, False)):
        rollback(folder, second)
        mirror(folder, door.store())
        rollback(folder, third)
        failed = {"left": 2}

        def disturb(request, fault=fault, failed=failed):
            # The first requests to each object fail; the ones after go through.
            if failed["left"] and request.method == "PUT":
                failed["left"] -= 1
                return fault
            return True, True

        door.disturb = disturb
        mirror(folder, door.store())
        door.disturb = None
        assert seen_in_store(door) == third
        assert failed["left"] == 0


@pytest.mark.promise("store")
def test_a_store_that_only_fails_is_one_sentence_and_its_readers_keep_what_they_had(door, folder):
    second, third = [version.id for version in list_versions(folder)][1:]
    rollback(folder, second)
    mirror(folder, door.store())
    rollback(folder, third)
    door.disturb = lambda request: (request.method != "PUT", True)
    with pytest.raises(JourneymartError, match=r"^s3://drop/acme/cx cannot be reached \(it answers 500"):
        mirror(folder, door.store())
    door.disturb = None
    assert seen_in_store(door) == second
    assert "behind: its readers see" in look_at_store(folder, door.store()).fault


@pytest.mark.promise("store")
def test_a_late_put_undoes_nothing_that_came_after_it(door, folder):
    """A move that the network held up arrives when readers were led on and back: what they see is another content."""
    second, third = [version.id for version in list_versions(folder)][1:]
    rollback(folder, second)
    mirror(folder, door.store())
    rollback(folder, third)
    held = []

    def hold(request):
        if request.method == "PUT" and request.path.endswith("current.json"):
            held.append(request.send)
            return False, True
        return True, True

    door.disturb = hold
    with pytest.raises(JourneymartError):
        mirror(folder, door.store())
    door.disturb = None
    mirror(folder, door.store())
    rollback(folder, second)
    mirror(folder, door.store())
    assert [send().status_code for send in held] == [412] * len(held)
    assert held
    assert seen_in_store(door) == second


@pytest.mark.promise("store")
def test_of_two_data_folders_at_once_one_wins_and_the_other_says_so(door, tmp_path, folder):
    """Two copies of one folder, each a night further: both have read the pointer when the first moves it."""
    mirror(folder, door.store())
    other = DataFolder(tmp_path / "copy")
    shutil.copytree(folder.root, other.root, symlinks=True)
    ours = run(folder, SmallNight(4, rows=ROWS))
    theirs = run(other, SmallNight(4, rows=ROWS, run_id="otherrun"))
    state = {"raced": False}

    def race(request):
        if request.method == "PUT" and request.path.endswith("current.json") and not state["raced"]:
            state["raced"] = True
            pointer = json.loads(door.get(f"{PREFIX}current.json"))
            body = {**pointer, "version": theirs.id, "sequence": theirs.sequence, "move": "theirs"}
            door.behind.put(f"{PREFIX}current.json", json.dumps(body).encode())
        return True, True

    for path in (theirs.path / "parquet").iterdir():
        door.behind.put(f"{PREFIX}versions/{theirs.id}/parquet/{path.name}", path.read_bytes())
    door.behind.put(f"{PREFIX}versions/{theirs.id}/manifest.json", (theirs.path / "manifest.json").read_bytes())
    door.disturb = race
    with pytest.raises(JourneymartError, match=f"names {theirs.id}, which is as new as anything"):
        mirror(folder, door.store())
    door.disturb = None
    assert state["raced"]
    assert seen_in_store(door) == theirs.id != ours.id


def test_a_folder_that_is_somebody_elses_moves_nothing(door, tmp_path, folder):
    mirror(folder, door.store())
    stranger = data_folder(tmp_path / "stranger")
    run(stranger, SmallNight(5, rows=ROWS))
    with pytest.raises(JourneymartError, match="published to from another data folder"):
        mirror(stranger, door.store())
    assert seen_in_store(door) == current_id(folder)


@pytest.mark.promise("store")
def test_a_flipped_byte_is_found_and_the_next_copy_mends_it(door, folder):
    name = mirror(folder, door.store()).version
    key = f"{PREFIX}versions/{name}/parquet/mart_b.parquet"
    content = bytearray(door.get(key))
    content[len(content) // 2] ^= 1
    door.behind.put(key, bytes(content))
    assert "mart_b.parquet is not as it was written" in look_at_store(folder, door.store(), every=True).fault
    assert mirror(folder, door.store()).sent == 1
    assert seen_in_store(door) == name
    assert look_at_store(folder, door.store(), every=True).fault is None


@pytest.mark.promise("store")
def test_a_byte_flipped_on_the_way_keeps_the_pointer_where_it_is(door, folder, monkeypatch):
    second, third = [version.id for version in list_versions(folder)][1:]
    rollback(folder, second)
    mirror(folder, door.store())
    rollback(folder, third)

    def flip(request):
        if request.method == "GET" and third in request.path and "mart_a.parquet" in request.path:
            key = request.path.removeprefix("/drop/")
            content = door.get(key)
            door.behind.put(key, content[:-1] + bytes([content[-1] ^ 1]))
        return True, True

    door.disturb = flip
    with pytest.raises(JourneymartError, match=r"mart_a.parquet does not read back as it was sent"):
        mirror(folder, door.store())
    assert seen_in_store(door) == second


@pytest.mark.promise("store")
def test_rollback_pin_and_unpin_are_followed_and_what_the_folder_lost_goes(door, folder):
    first, second, third = (version.id for version in list_versions(folder))
    mirror(folder, door.store())
    rollback(folder, first, pinned_by="anna")
    mirror(folder, door.store())
    assert seen_in_store(door) == first
    run(folder, SmallNight(4, rows=ROWS))
    mirror(folder, door.store())
    assert seen_in_store(door) == first
    newest = unpin(folder)
    mirror(folder, door.store())
    assert seen_in_store(door) == newest.id
    # As after an erasure: versions that held the person are gone from the folder, so from the store.
    remove(folder, [first, second, third])
    assert mirror(folder, door.store()).removed == (first, third)
    assert versions_in(door) == {newest.id}


@pytest.mark.promise("store")
@pytest.mark.promise("erased")
def test_an_erasure_is_done_when_the_store_holds_none_of_its_versions_any_more(door, folder, monkeypatch):
    monkeypatch.setenv("JOURNEYMART_ERASURE_KEY", "a secret of the tests, long enough to be one")
    setup = SimpleNamespace(folder=folder, sources=SimpleNamespace(publish_to=URL))
    first, second, third = (version.id for version in list_versions(folder))
    bring_to_store(setup)
    register = open_register(folder)
    register.enter(frozenset({"mark"}), NOW)
    (entry,) = register.entries
    register.save(settled(entry, (first, second, third), NOW))

    newest = run(folder, SmallNight(4, rows=ROWS))
    remove_versions_of_the_erased(folder, NOW, is_everywhere=False)
    assert [version.id for version in list_versions(folder)] == [newest.id]
    door.disturb = lambda request: (not request.path.endswith("?delete"), True)
    with pytest.raises(JourneymartError, match=f"Readers of the data folder see {newest.id}; those of the object"):
        make_up(setup, NOW)
    door.disturb = None
    assert left_in_store(setup) == (third,)
    assert [each.status for each in open_register(folder).entries] == ["rewritten"]

    make_up(setup, NOW)
    assert versions_in(door) == {newest.id}
    assert [each.status for each in open_register(folder).entries] == ["done"]


@pytest.mark.chaos
@pytest.mark.promise("store")
def test_readers_at_work_during_fifty_publishes_see_no_torn_version(door, folder, record_property):
    mirror(folder, door.store())
    ids = [version.id for version in list_versions(folder)]
    seen, faults, done = [], [], threading.Event()

    def read():
        while not done.is_set():
            try:
                seen.append(seen_in_store(door))
            except Exception as error:  # noqa: BLE001 - whatever a reader meets is what is asked
                faults.append(repr(error))

    reader = threading.Thread(target=read)
    reader.start()
    for n in range(PUBLISHES):
        rollback(folder, ids[n % len(ids)])
        mirror(folder, door.store())
    time.sleep(0.1)
    done.set()
    reader.join(60)
    record_property("cases", len(seen))
    print(f"{PUBLISHES} publishes, {len(seen)} reads, {len(faults)} faults")
    assert faults == []
    assert set(seen) == set(ids)
