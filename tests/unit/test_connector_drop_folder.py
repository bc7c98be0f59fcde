"""Which files of a drop folder are taken: complete ones, by name, on any file system."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import fsspec
import pytest

from assets.landing.connectors.drop_folder import DroppedFile, available_dates, copy_out, find_delivery
from storage.errors import JourneymartError
from tests.landing_kit import FIRST, Drop

SECOND = date(2026, 3, 2)


@pytest.fixture
def drop(tmp_path: Path) -> Drop:
    return Drop.at(tmp_path)


def paths(drop: Drop, day: date = FIRST) -> list[str]:
    return [file.path for file in find_delivery(drop.stream, day)]


def test_dates_are_those_with_a_delivery_from_the_first_date_on(drop: Drop) -> None:
    for day in ("2026-02-28", "2026-03-02", "2026-03-01", "2026-13-01", "1.3.2026"):
        drop.deliver(f"tickets_{day}.csv", "id\n")
    drop.deliver("ticket_audits_2026-03-09.csv", "id\n")

    assert available_dates(drop.stream) == [FIRST, SECOND]


@pytest.mark.parametrize("name", ["{}.tmp", "{}.part", "{}.partial", "{}.filepart", "{}._COPYING_", ".{}"])
def test_a_file_still_being_written_is_never_taken(drop: Drop, name: str) -> None:
    drop.deliver(name.format(f"tickets_{FIRST}.csv"), "id\n")
    greedy = drop.having(pattern="*{stream}_{date}*")

    assert available_dates(greedy.stream) == []
    assert paths(greedy) == []


def test_with_manifests_only_files_named_by_one_are_taken(drop: Drop) -> None:
    drop = drop.having(complete="manifest")
    drop.deliver(f"tickets_{FIRST}.csv", "id\n1\n")

    assert available_dates(drop.stream) == []
    drop.declare(f"tickets_{FIRST}.csv", rows=1)

    assert available_dates(drop.stream) == [FIRST]
    assert find_delivery(drop.stream, FIRST)[0].declared is not None


def test_a_delivery_of_several_files_is_complete_when_all_are(drop: Drop) -> None:
    drop = drop.having(pattern="{stream}_{date}_*.csv", complete="manifest")
    for part in "ab":
        drop.deliver(f"tickets_{FIRST}_{part}.csv", "id\n1\n")
    drop.declare(f"tickets_{FIRST}_a.csv", rows=1)

    assert paths(drop) == []
    drop.declare(f"tickets_{FIRST}_b.csv", rows=1)

    assert paths(drop) == [f"tickets_{FIRST}_a.csv", f"tickets_{FIRST}_b.csv"]


def test_folders_may_be_part_of_the_pattern(drop: Drop) -> None:
    drop = drop.having(pattern="{date}/*/{stream}.csv")
    drop.deliver(f"{FIRST}/eu/tickets.csv", "id\n")

    assert available_dates(drop.stream) == [FIRST]
    assert paths(drop) == [f"{FIRST}/eu/tickets.csv"]


def test_two_files_that_would_land_under_one_name_are_refused(drop: Drop) -> None:
    drop = drop.having(pattern="{date}/*/{stream}.csv")
    for region in ("eu", "us"):
        drop.deliver(f"{FIRST}/{region}/tickets.csv", "id\n")

    with pytest.raises(JourneymartError, match="same name"):
        paths(drop)


def test_the_history_is_the_first_extract_even_beside_a_file_of_that_date(drop: Drop) -> None:
    drop = drop.having(history="{stream}_history.csv")
    drop.deliver(f"tickets_{FIRST}.csv", "id\n")

    assert available_dates(drop.stream) == []
    drop.deliver("tickets_history.csv", "id\n")

    assert available_dates(drop.stream) == [FIRST]
    assert paths(drop) == ["tickets_history.csv"]


def test_a_file_for_every_night_is_there_from_the_first_date_on(drop: Drop) -> None:
    drop = drop.having(pattern="{stream}.csv", mode="full")
    drop.deliver("tickets.csv", "id\n")

    assert available_dates(drop.stream) == [FIRST]
    assert paths(drop, SECOND) == ["tickets.csv"]


@pytest.mark.parametrize(
    "said",
    [
        "",
        "[]",
        "{}",
        '{"rows": -1, "bytes": 1, "sha256": ""}',
        '{"rows": true, "bytes": 1, "sha256": ""}',
        "[" * 9999,
    ],
)
def test_a_manifest_that_is_none_is_refused(drop: Drop, said: str) -> None:
    drop.deliver(f"tickets_{FIRST}.csv", "id\n")
    drop.deliver(f"tickets_{FIRST}.csv.manifest.json", said)

    with pytest.raises(JourneymartError, match="is not a manifest"):
        find_delivery(drop.having(complete="manifest").stream, FIRST)


def test_a_manifest_of_another_mode_is_refused(drop: Drop) -> None:
    drop.deliver(f"tickets_{FIRST}.csv", "id\n")
    drop.declare(f"tickets_{FIRST}.csv", rows=0, mode="full")

    with pytest.raises(JourneymartError, match="declares mode full"):
        find_delivery(drop.having(complete="manifest").stream, FIRST)


def test_a_file_that_is_not_the_declared_one_is_refused(drop: Drop, tmp_path: Path) -> None:
    drop = drop.having(complete="manifest")
    drop.deliver(f"tickets_{FIRST}.csv", "id\n1\n")
    drop.declare(f"tickets_{FIRST}.csv", rows=1)
    drop.deliver(f"tickets_{FIRST}.csv", "id\n2\n")
    (file,) = find_delivery(drop.stream, FIRST)

    with pytest.raises(JourneymartError, match="not the file its manifest describes"):
        copy_out(drop.stream, file, tmp_path / "copy")


@pytest.mark.parametrize(("name", "room"), [("a.csv", 3), ("a.csv.gz", 20)])
def test_a_file_the_disk_has_no_room_for_is_not_copied(
    drop: Drop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, room: int
) -> None:
    drop.deliver(name, b"x" * 10)
    usage = SimpleNamespace(free=10 * room - 1)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    with pytest.raises(JourneymartError, match=f"are needed to land {name}"):
        copy_out(drop.stream, DroppedFile(name, None, ""), tmp_path / "refused")
    usage.free += 1
    copy_out(drop.stream, DroppedFile(name, None, ""), tmp_path / "taken")


def test_a_name_with_control_characters_is_refused(drop: Drop) -> None:
    drop.deliver(f"tickets_{FIRST}\n.csv", "id\n")

    with pytest.raises(JourneymartError, match="rename it"):
        paths(drop.having(pattern="{stream}_{date}*.csv"))


@pytest.mark.parametrize("scheme", ["memory", "file"])
def test_any_fsspec_url_will_do(drop: Drop, tmp_path: Path, scheme: str) -> None:
    url = f"memory://{tmp_path.name}" if scheme == "memory" else drop.inbox.as_uri().replace("%20", " ")
    with fsspec.open(f"{url}/tickets_{FIRST}.csv", "wb") as file:
        file.write(b"id,status\n1,open\n")
    remote = replace(drop, stream=replace(drop.stream, location=url))

    assert available_dates(remote.stream) == [FIRST]
    remote.land()

    assert remote.column("id") == ["1"]


def test_a_missing_drop_folder_is_a_missing_delivery(drop: Drop) -> None:
    gone = drop.having(location=str(drop.inbox / "gone"))

    assert available_dates(gone.stream) == []
    with pytest.raises(JourneymartError, match="is missing"):
        gone.land()
