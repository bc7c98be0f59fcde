"""A landing partition is there whole or not at all, is replaced by new bytes only, and says what it holds."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from assets.landing import deliveries
from assets.landing.land import land
from assets.landing.records import record_texts
from quality.landed.manifest import read_manifest
from storage.errors import JourneymartError
from storage.faults import FAULT_VARIABLE
from tests.landing_kit import FIRST, Drop

NAME = f"tickets_{FIRST}.csv"
SECOND = date(2026, 3, 2)


@pytest.fixture
def drop(tmp_path: Path) -> Drop:
    drop = Drop.at(tmp_path)
    drop.deliver(NAME, 'id,status\n1,open\n2,"two\nlines"\n3\n')
    return drop


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name != deliveries.NAME]


def test_nobody_but_the_owner_looks_into_landing(drop: Drop) -> None:
    drop.land()

    assert drop.folder.landing.stat().st_mode & 0o777 == 0o700


def test_the_manifest_says_what_the_partition_holds(drop: Drop) -> None:
    landed = drop.land()

    manifest = read_manifest(drop.partition())
    assert landed.manifest == manifest
    assert landed.changed
    (file,) = manifest.files
    delivered = (drop.inbox / NAME).read_bytes()
    assert (drop.partition() / "files" / NAME).read_bytes() == delivered
    assert (file.name, file.bytes, file.sha256) == (
        NAME,
        len(delivered),
        hashlib.sha256(delivered).hexdigest(),
    )
    assert (manifest.records, manifest.rows, manifest.rejects) == (3, 2, 1)
    assert manifest.columns == ("id", "status")
    assert manifest.window == (None, "2026-03-02")
    assert not manifest.is_history


def test_the_same_bytes_again_change_nothing(drop: Drop) -> None:
    drop.land()
    inode = drop.partition().stat().st_ino

    again = drop.land()

    assert not again.changed
    assert drop.partition().stat().st_ino == inode


def test_other_bytes_replace_the_partition(drop: Drop) -> None:
    first = drop.land()
    drop.deliver(NAME, "id,status\n9,new\n")

    second = drop.land()

    assert second.changed
    assert second.manifest.sha256 != first.manifest.sha256
    assert drop.column("id") == ["9"]


def test_the_same_bytes_read_otherwise_replace_the_partition(drop: Drop) -> None:
    drop.land()

    assert drop.having(header_rows=2).land().changed


def test_landing_twice_gives_the_same_bytes(drop: Drop, tmp_path: Path) -> None:
    other = Drop.at(tmp_path / "other")
    other.deliver(NAME, (drop.inbox / NAME).read_bytes())
    drop.land()
    other.land()

    assert content(drop.partition()) == content(other.partition())


def test_nothing_but_partitions_stays_in_landing(drop: Drop) -> None:
    drop.land()

    assert names(drop.partition().parent) == [FIRST.isoformat()]


@pytest.mark.promise("kills")
def test_a_killed_landing_leaves_no_partition_and_the_next_sweeps_it_up(drop: Drop) -> None:
    code = "import sys, pathlib; from tests.landing_kit import Drop; Drop.at(pathlib.Path(sys.argv[1])).land()"
    killed = subprocess.run(
        [sys.executable, "-c", code, str(drop.inbox.parent)],
        env={**os.environ, FAULT_VARIABLE: "in_extract", "PYTHONPATH": str(Path(__file__).parents[2])},
        check=False,
    )
    home = drop.partition().parent
    assert killed.returncode == -9
    assert not drop.partition().exists()
    assert list(home.glob(".*"))

    drop.land()

    assert names(home) == [FIRST.isoformat()]


@pytest.mark.promise("kills")
def test_a_partition_moved_aside_by_a_killed_replacement_comes_back(drop: Drop) -> None:
    drop.land()
    before = content(drop.partition())
    drop.partition().rename(drop.partition().parent / f".old-{FIRST}")

    again = drop.land()

    assert not again.changed
    assert content(drop.partition()) == before


def test_a_missing_delivery_blocks_or_is_carried_forward(drop: Drop) -> None:
    with pytest.raises(JourneymartError, match=r"for 2026-03-02 is missing: no complete file 'tickets_2026-03-02.csv'"):
        drop.land(SECOND)

    lenient = drop.having(when_missing="carry_forward")
    assert land(lenient.stream, lenient.contract, lenient.folder, SECOND) is None
    assert [landed.manifest.date for landed in lenient.land_many(FIRST, SECOND)] == [FIRST]


def test_a_date_before_the_first_is_refused(drop: Drop) -> None:
    with pytest.raises(JourneymartError, match="first extract date"):
        drop.land(date(2026, 2, 1))


def test_fewer_records_than_declared_are_told(drop: Drop) -> None:
    drop.declare(NAME, rows=4)

    manifest = drop.having(complete="manifest").land().manifest

    assert not manifest.as_declared
    assert manifest.files[0].declared_rows == 4


def test_several_files_land_as_one_extract(drop: Drop) -> None:
    drop.deliver(f"tickets_{FIRST}_b.csv", "status,id\nclosed,7\n")

    manifest = drop.having(pattern="{stream}_{date}*.csv").land().manifest

    assert [(file.name, file.rows) for file in manifest.files] == [(NAME, 2), (f"tickets_{FIRST}_b.csv", 1)]
    assert drop.column("id") == ["1", "2", "7"]


def test_files_of_one_extract_with_other_columns_are_refused(drop: Drop) -> None:
    drop.deliver(f"tickets_{FIRST}_b.csv", "id\n7\n")

    with pytest.raises(JourneymartError, match="different columns"):
        drop.having(pattern="{stream}_{date}*.csv").land()


def test_records_can_be_read_back_as_delivered(drop: Drop) -> None:
    drop.land()

    assert record_texts(drop.partition(), NAME, [2, 3]) == {2: '2,"two\nlines"', 3: "3"}


def test_an_unreadable_manifest_says_what_to_do(drop: Drop) -> None:
    drop.land()
    (drop.partition() / "manifest.json").write_text("{}")

    with pytest.raises(JourneymartError, match=r"journeymart doctor. says what to do"):
        drop.land()
