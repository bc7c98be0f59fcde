"""Mode full: only what changed goes on, and applying the changes in turn gives each dump again."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.landing_kit import FIRST, Drop

DAYS = [FIRST + timedelta(days=n) for n in range(4)]


@pytest.fixture
def drop(tmp_path: Path) -> Drop:
    return Drop.at(tmp_path, mode="full")


def dump(drop: Drop, day: date, rows: list[tuple[str, str]], header: str = "id,status") -> None:
    drop.deliver(f"tickets_{day}.csv", f"{header}\n" + "".join(f"{','.join(row)}\n" for row in rows))


def changes(drop: Drop, day: date) -> list[tuple[str, str | None, str]]:
    return [(row["id"], row["status"], row["_op"]) for row in drop.read("changes", day)]


def test_the_first_dump_passes_on_whole(drop: Drop) -> None:
    dump(drop, DAYS[0], [("1", "open"), ("2", "new")])

    manifest = drop.land().manifest

    assert changes(drop, DAYS[0]) == [("1", "open", "upsert"), ("2", "new", "upsert")]
    assert (manifest.known, manifest.vanished, manifest.delete_breaker) == (0, 0, False)


def test_new_and_changed_rows_and_vanished_keys_go_on(drop: Drop) -> None:
    dump(drop, DAYS[0], [(str(n), "open") for n in range(1, 11)])
    dump(drop, DAYS[1], [("11", "new"), ("1", "solved"), *((str(n), "open") for n in range(2, 10))])

    _, second = drop.land_many(*DAYS[:2])

    assert changes(drop, DAYS[1]) == [
        ("11", "new", "upsert"),
        ("1", "solved", "upsert"),
        ("10", None, "delete"),
    ]
    deleted = drop.read("changes", DAYS[1])[-1]
    assert (deleted["_file"], deleted["_row"]) == (None, None)
    assert len(drop.read("rows", DAYS[1])) == 10
    assert (second.manifest.known, second.manifest.vanished, second.manifest.delete_breaker) == (10, 1, False)


def test_a_mass_deletion_trips_the_breaker_until_it_is_allowed(drop: Drop) -> None:
    dump(drop, DAYS[0], [(str(n), "open") for n in range(10)])
    dump(drop, DAYS[1], [("1", "open")])

    assert drop.land_many(*DAYS[:2])[1].manifest.delete_breaker
    allowed = drop.having(max_delete_share=0.9).land(DAYS[1])

    assert allowed.changed
    assert not allowed.manifest.delete_breaker


def test_an_empty_dump_without_a_header_says_that_everything_vanished(drop: Drop) -> None:
    lines = drop.having(pattern="{stream}_{date}.jsonl", complete="manifest")
    for day, content in ((DAYS[0], '{"id": "1"}\n{"id": "2"}\n'), (DAYS[1], ""), (DAYS[2], '{"id": "2"}\n')):
        lines.deliver(f"tickets_{day}.jsonl", content)
        lines.declare(f"tickets_{day}.jsonl", rows=content.count("\n"))

    _, empty, _ = lines.land_many(*DAYS[:3])

    assert [(row["id"], row["_op"]) for row in lines.read("changes", DAYS[1])] == [("1", "delete"), ("2", "delete")]
    assert (empty.manifest.known, empty.manifest.vanished, empty.manifest.delete_breaker) == (2, 2, True)
    assert [(row["id"], row["_op"]) for row in lines.read("changes", DAYS[2])] == [("2", "upsert")]


def test_the_same_file_every_night_changes_nothing(tmp_path: Path) -> None:
    drop = Drop.at(tmp_path, mode="full", pattern="{stream}.csv")
    drop.deliver("tickets.csv", "id,status\n1,open\n")

    for day in DAYS:
        drop.land_many(day)

    assert [changes(drop, day) for day in DAYS] == [[("1", "open", "upsert")], [], [], []]


def test_a_dump_without_a_date_says_how_things_stand_on_the_last_date_of_a_range(tmp_path: Path) -> None:
    drop = Drop.at(tmp_path, mode="full", pattern="{stream}.csv")
    drop.deliver("tickets.csv", "id,status\n1,open\n")

    landed = drop.land_many(*DAYS)

    assert [extract.manifest.extract_date for extract in landed] == [str(DAYS[0]), str(DAYS[-1])]
    assert changes(drop, DAYS[-1]) == []


def test_keys_delivered_twice_do_not_explode(drop: Drop) -> None:
    dump(drop, DAYS[0], [("1", "open"), ("1", "new"), ("1", "new"), ("2", "open")])
    dump(drop, DAYS[1], [("1", "new"), ("2", "open"), ("1", "open"), ("1", "new")])
    dump(drop, DAYS[2], [("1", "new"), ("2", "open")])

    drop.land_many(*DAYS[:3])

    assert changes(drop, DAYS[1]) == []
    assert changes(drop, DAYS[2]) == [("1", "new", "upsert")]


def test_the_order_of_columns_is_no_change_but_a_new_column_is(drop: Drop) -> None:
    dump(drop, DAYS[0], [("1", "open")])
    dump(drop, DAYS[1], [("open", "1")], header="status,id")
    dump(drop, DAYS[2], [("1", "open", "x")], header="id,status,extra")

    drop.land_many(*DAYS[:3])

    assert changes(drop, DAYS[1]) == []
    assert changes(drop, DAYS[2]) == [("1", "open", "upsert")]


def test_a_dump_without_its_key_passes_on_whole(drop: Drop) -> None:
    dump(drop, DAYS[0], [("1", "open")])
    dump(drop, DAYS[1], [("1", "open")], header="nr,status")

    drop.land_many(*DAYS[:2])

    assert [row["_op"] for row in drop.read("changes", DAYS[1])] == ["upsert"]


def test_another_dump_before_derives_the_next_changes_again(drop: Drop) -> None:
    dump(drop, DAYS[0], [("1", "open")])
    dump(drop, DAYS[2], [("1", "solved")])
    drop.land_many(DAYS[0], DAYS[2])
    sha256 = drop.land(DAYS[2]).manifest.sha256
    dump(drop, DAYS[1], [("1", "solved")])

    between = drop.land(DAYS[1])

    assert between.also_changed == (DAYS[2],)
    assert changes(drop, DAYS[2]) == []
    again = drop.land(DAYS[2])
    assert not again.changed
    assert again.manifest.sha256 != sha256


@pytest.mark.promise("kills")
def test_changes_left_behind_by_a_killed_run_are_derived_again(drop: Drop) -> None:
    dump(drop, DAYS[0], [("1", "open")])
    dump(drop, DAYS[1], [("1", "solved")])
    drop.land(DAYS[1])
    aside = drop.folder.root / "aside"
    drop.partition(DAYS[1]).rename(aside)
    drop.land(DAYS[0])
    aside.rename(drop.partition(DAYS[1]))

    assert drop.land(DAYS[0]).also_changed == (DAYS[1],)
    assert drop.land(DAYS[0]).also_changed == ()


states = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from(["open", "new", ""]), max_size=6)


@settings(max_examples=6)
@given(st.lists(states, min_size=2, max_size=4), st.randoms(use_true_random=False))
def test_applying_changes_in_turn_gives_each_dump_whatever_the_order_of_landing(
    tmp_path_factory: pytest.TempPathFactory, dumps: list[dict[str, str]], random: object
) -> None:
    drop = Drop.at(tmp_path_factory.mktemp("dumps"), mode="full")
    days = DAYS[: len(dumps)]
    for day, state in zip(days, dumps, strict=True):
        dump(drop, day, list(state.items()))
    shuffled = list(days)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    for day in shuffled:
        drop.land(day)

    table: dict[str, str | None] = {}
    for day, state in zip(days, dumps, strict=True):
        for key, status, operation in changes(drop, day):
            if operation == "delete":
                del table[key]
            else:
                table[key] = status
        assert table == {key: status or None for key, status in state.items()}
