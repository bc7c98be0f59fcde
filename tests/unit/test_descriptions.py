"""Descriptions read from an index say what the files say, whatever became of files and index in between."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage import files
from storage.descriptions import INDEX, read_described
from storage.folders import replaced_folder

DAYS = ("2026-01-01", "2026-01-02", "2026-01-03")


def put(home: Path, day: str, value: int, *, in_place: bool = False) -> None:
    if in_place and (home / day).exists():
        (home / day / "batch.json").write_text(json.dumps(value))
        return
    with replaced_folder(home / day) as folder:
        (folder / "batch.json").write_text(json.dumps(value))


def tear(index: Path, value: int) -> None:
    if index.exists():
        index.write_bytes(index.read_bytes()[: value % (index.stat().st_size + 1)])


# What may happen to a stream's folder between two readings: to a day's description, or to the index.
CHANGES: dict[str, Callable[[Path, str, int], None]] = {
    "put in place": put,
    "written again": lambda home, day, value: put(home, day, value, in_place=True),
    "removed": lambda home, day, _: shutil.rmtree(home / day, ignore_errors=True),
    "index lost": lambda home, *_: (home / INDEX).unlink(missing_ok=True),
    "index torn": lambda home, _, value: tear(home / INDEX, value),
    "nothing": lambda *_: None,
}


def parsed(_: Path, text: bytes) -> Any:
    return json.loads(text)


def one_by_one(home: Path) -> dict[str, Any]:
    return {path.parent.name: json.loads(path.read_text()) for path in sorted(home.glob("[0-9]*/batch.json"))}


@given(changes=st.lists(st.tuples(st.sampled_from(sorted(CHANGES)), st.sampled_from(DAYS), st.integers(0, 9999))))
@settings(max_examples=60)
def test_the_index_says_what_the_files_say(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[str, str, int]]
) -> None:
    home = tmp_path_factory.mktemp("stream")
    for change, day, value in changes:
        CHANGES[change](home, day, value)
        assert read_described(home, "batch.json", "a number", parsed) == one_by_one(home)


@pytest.fixture
def settled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stream whose descriptions are old enough to be entered, and are."""
    monkeypatch.setattr(files, "_SETTLES_AFTER_NS", -(10**9))
    for number, day in enumerate(DAYS):
        put(tmp_path, day, number)
    read_described(tmp_path, "batch.json", "a number", parsed)
    return tmp_path


def refuse(path: Path, _: bytes) -> Any:
    raise AssertionError(path)


def test_what_is_entered_is_not_opened_again(settled: Path) -> None:
    assert read_described(settled, "batch.json", "a number", refuse) == dict(zip(DAYS, range(3), strict=True))


def test_only_what_is_new_is_opened(settled: Path) -> None:
    opened: list[str] = []
    put(settled, DAYS[1], 7)

    def noted(path: Path, text: bytes) -> Any:
        opened.append(path.parent.name)
        return parsed(path, text)

    assert read_described(settled, "batch.json", "a number", noted) == one_by_one(settled)
    assert opened == [DAYS[1]]


def test_what_another_release_entered_is_read_again(settled: Path) -> None:
    assert read_described(settled, "batch.json", "a text", lambda _, text: text.decode()) == {
        day: str(number) for number, day in enumerate(DAYS)
    }


def test_an_entry_of_a_file_that_was_replaced_by_its_like_is_not_believed(settled: Path) -> None:
    index = (settled / INDEX).read_bytes()
    put(settled, DAYS[0], 5)
    (settled / INDEX).write_bytes(index)

    assert read_described(settled, "batch.json", "a number", parsed)[DAYS[0]] == 5


def test_a_file_just_written_is_not_entered(tmp_path: Path) -> None:
    put(tmp_path, DAYS[0], 1)
    read_described(tmp_path, "batch.json", "a number", parsed)
    put(tmp_path, DAYS[0], 2, in_place=True)

    assert read_described(tmp_path, "batch.json", "a number", parsed) == {DAYS[0]: 2}


def test_an_error_of_reading_is_told_and_not_entered(settled: Path) -> None:
    (settled / DAYS[0] / "batch.json").write_text("{")
    for _ in range(2):
        with pytest.raises(json.JSONDecodeError):
            read_described(settled, "batch.json", "a number", parsed)
