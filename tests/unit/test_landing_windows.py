"""A file that serves every night is cut into days by its cursor, in its own time zone, each row once."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.landing.records import record_texts
from storage.errors import JourneymartError
from tests.landing_kit import FIRST, Drop, contract

DAYS = [FIRST + timedelta(days=n) for n in range(4)]


def cut(root: Path, text: str, **settings: object) -> Drop:
    drop = Drop.at(root, **{"pattern": "{stream}.csv", "cursor": "at", "timezone": "America/Sao_Paulo", **settings})
    drop.deliver("tickets.csv", text)
    return drop


def test_each_night_takes_its_day_and_the_first_all_before(tmp_path: Path) -> None:
    drop = cut(
        tmp_path,
        "id,at\n1,2020-01-01 00:00:00\n2,2026-03-01 23:59:59\n3,2026-03-02\n"
        "4,2026-03-03T00:30:00Z\n5,\n6,soon\n7,2026-03-02T01:00:00-0300\n8\n",
    )

    landed = drop.land_many(*DAYS)

    assert [drop.column("id", day) for day in DAYS] == [["1", "2", "5", "6"], ["3", "4", "7"], [], []]
    assert drop.column("_row", DAYS[0], "rejects") == [8]
    assert [each.manifest.window for each in landed[:2]] == [
        (None, "2026-03-02"),
        ("2026-03-02", "2026-03-03"),
    ]
    assert {each.manifest.unplaced for each in landed} == {3}
    for each in landed:
        (file,) = each.manifest.files
        assert file.records == file.rows + file.rejects == each.manifest.records
        assert file.records + file.outside_window == 8


def test_nights_one_by_one_land_what_a_range_lands(tmp_path: Path) -> None:
    text = "id,at\n1,2026-03-01\n2,2026-03-02\n3,2026-03-02\n"
    one_by_one, together = cut(tmp_path / "a", text), cut(tmp_path / "b", text)

    for day in DAYS:
        one_by_one.land(day)
    together.land_many(*DAYS)

    for day in DAYS:
        assert (one_by_one.partition(day) / "rows.parquet").read_bytes() == (
            together.partition(day) / "rows.parquet"
        ).read_bytes()
    assert not any(landed.changed for landed in together.land_many(*DAYS))


@pytest.mark.promise("once")
def test_a_date_alone_takes_what_no_date_before_it_has_and_nothing_lands_twice(tmp_path: Path) -> None:
    drop = cut(tmp_path, "id,at\n1,2026-03-01\n2,2026-03-02\n3,2026-03-03\n")

    drop.land(DAYS[1])
    drop.land_many(*DAYS[:3])

    assert [drop.column("id", day) for day in DAYS[:3]] == [[], ["1", "2"], ["3"]]


def test_a_row_that_came_late_is_the_newest_nights(tmp_path: Path) -> None:
    drop = cut(tmp_path, "id,at\n1,2026-03-01\n")
    drop.land(DAYS[0])
    drop.deliver("tickets.csv", "id,at\n1,2026-03-01\nlate,2026-03-01\n2,2026-03-02\n")

    landed = drop.land(DAYS[1])

    assert drop.column("id", DAYS[1]) == ["late", "2"]
    assert landed.manifest.late == 1
    assert landed.manifest.files[0].outside_window == 1
    assert drop.column("id", DAYS[0]) == ["1"]


def test_a_landed_date_stays_as_it_is_while_its_file_grows(tmp_path: Path) -> None:
    drop = cut(tmp_path, "id,at\n1,2026-03-01\n")
    drop.land(DAYS[0])
    before = (drop.partition(DAYS[0]) / "manifest.json").read_bytes()
    drop.deliver("tickets.csv", "id,at\n0,2026-03-01\n1,2026-03-01\n2,2026-03-02\n")

    drop.land_many(*DAYS[:2])

    assert (drop.partition(DAYS[0]) / "manifest.json").read_bytes() == before
    assert drop.column("id", DAYS[1]) == ["0", "2"]


def test_the_same_night_again_takes_what_the_file_has_grown_by(tmp_path: Path) -> None:
    drop = cut(tmp_path, "id,at\n1,2026-03-01\n")
    drop.land(DAYS[0])
    drop.deliver("tickets.csv", "id,at\n1,2026-03-01\n2,2026-03-02\n")
    drop.land(DAYS[1])
    drop.deliver("tickets.csv", "id,at\n1,2026-03-01\n2,2026-03-02\n3,2026-03-02\nlate,2026-03-01\n")

    again = drop.land(DAYS[1])
    drop.deliver("tickets.csv", "id,at\nlate,2026-03-01\n3,2026-03-02\n2,2026-03-02\n1,2026-03-01\n")
    reordered = drop.land(DAYS[1])

    assert again.changed
    assert sorted(drop.column("id", DAYS[1])) == ["2", "3", "late"]
    assert not reordered.changed, "the same rows in another order are nothing new"


@pytest.mark.promise("records")
def test_records_nobody_can_read_are_not_lost_when_they_come_late(tmp_path: Path) -> None:
    drop = cut(tmp_path, "id,at\n1,2026-03-01\nragged\n")
    drop.land(DAYS[0])
    drop.deliver("tickets.csv", "id,at\n1,2026-03-01\nragged\nmore,of,it\n5,someday\n")

    landed = drop.land(DAYS[1])

    assert drop.column("raw", DAYS[0], "rejects") == ["ragged"]
    assert drop.column("raw", DAYS[1], "rejects") == ["more,of,it"]
    assert drop.column("id", DAYS[1]) == ["5"]
    assert (landed.manifest.records, landed.manifest.rejects) == (2, 1)


def test_a_new_column_makes_no_old_row_a_late_one(tmp_path: Path) -> None:
    drop = cut(tmp_path, "id,at\n1,2026-03-01\n")
    drop.land(DAYS[0])
    drop.deliver("tickets.csv", "id,at,status\n1,2026-03-01,open\n2,2026-03-02,open\n")
    drop.land(DAYS[1])

    assert drop.column("id", DAYS[1]) == ["2"]


@pytest.mark.promise("once")
@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=15),
    st.lists(st.sampled_from(range(4)), max_size=4),
)
def test_every_row_lands_once_whenever_it_was_committed(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, int]], again: list[int]
) -> None:
    """Rows are of one day and come into the file on that night or a later one; some nights are run again."""
    drop = cut(tmp_path_factory.mktemp("cut"), "id,at\n")
    for night in [*range(4), *again]:
        came = [
            (number, day) for number, (day, later) in enumerate(rows) if day + later <= max(night, 3 * (night in again))
        ]
        drop.deliver("tickets.csv", "id,at\n" + "".join(f"{number},{DAYS[day]}\n" for number, day in came))
        drop.land_many(*DAYS[: night + 1])
        landed = [row for day in DAYS[: night + 1] for row in drop.column("id", day)]
        assert sorted(landed) == sorted(set(landed))
    drop.deliver("tickets.csv", "id,at\n" + "".join(f"{number},{DAYS[day]}\n" for number, (day, _) in enumerate(rows)))
    drop.land_many(*DAYS)
    landed = [row for day in DAYS for row in drop.column("id", day)]
    assert sorted(landed) == sorted(str(number) for number in range(len(rows)))


def test_records_of_a_day_are_found_in_the_whole_file(tmp_path: Path) -> None:
    drop = cut(tmp_path, "id,at\n1,2026-03-01\n2,2026-03-02\n")
    drop.land_many(*DAYS)

    assert record_texts(drop.partition(DAYS[1]), "tickets.csv", drop.column("_row", DAYS[1])) == {2: "2,2026-03-02"}


@pytest.mark.parametrize(("kind", "factor"), [("epoch_s", 1), ("epoch_ms", 1000)])
def test_numbers_count_from_1970_if_the_contract_says_so(tmp_path: Path, kind: str, factor: int) -> None:
    at = int(datetime(2026, 3, 2, 12, tzinfo=UTC).timestamp()) * factor
    drop = cut(tmp_path, f"id,at\n1,{at}\n")
    Drop(drop.inbox, drop.folder, drop.stream, contract("at", at=kind)).land_many(*DAYS)

    assert [drop.column("id", day) for day in DAYS] == [[], ["1"], [], []]


def test_the_history_comes_first_and_whole(tmp_path: Path) -> None:
    drop = cut(tmp_path, "id,at\n1,2026-03-01\n2,2026-03-02\n", history="{stream}_history.csv")
    drop.deliver("tickets_history.csv", "id,at\n8,2019-01-01\n9,2026-03-09\n")

    first, second = drop.land_many(*DAYS[:2])

    assert (first.manifest.is_history, second.manifest.is_history) == (True, False)
    # The first day's row is in the growing file only, so the next date takes it.
    assert [drop.column("id", day) for day in DAYS[:2]] == [["8", "9"], ["1", "2"]]


def test_a_file_without_the_cursor_column_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JourneymartError, match="no column 'at'"):
        cut(tmp_path, "id,when\n1,2026-03-01\n").land()


@settings(max_examples=8)
@given(
    st.lists(st.datetimes(datetime(2026, 2, 27), datetime(2026, 3, 4, 23)), max_size=20),
    st.sampled_from(["", "Z", "+05:30"]),
)
def test_every_row_lands_on_the_local_day_python_computes(
    tmp_path_factory: pytest.TempPathFactory, times: list[datetime], offset: str
) -> None:
    zone = ZoneInfo("America/Sao_Paulo")
    texts = [time.isoformat() + offset for time in times]
    drop = cut(tmp_path_factory.mktemp("cut"), "id,at\n" + "".join(f"{n},{text}\n" for n, text in enumerate(texts)))
    days = [*DAYS, date(2026, 3, 5)]

    drop.land_many(*days)

    expected = Counter(
        max((parsed.astimezone(zone) if parsed.tzinfo else parsed).date(), FIRST)
        for parsed in map(datetime.fromisoformat, texts)
    )
    assert {day: len(drop.read(day=day)) for day in days} == {day: expected[day] for day in days}
