"""A file that serves every night is cut into days by its cursor, in its own time zone, each row once."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.landing import record_texts
from quality.errors import JourneymartError
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


def test_one_night_alone_lands_what_a_range_lands(tmp_path: Path) -> None:
    text = "id,at\n1,2026-03-01\n2,2026-03-02\n3,2026-03-02\n"
    alone, together = cut(tmp_path / "a", text), cut(tmp_path / "b", text)

    alone.land(DAYS[1])
    together.land_many(*DAYS)

    assert alone.read(day=DAYS[1]) == together.read(day=DAYS[1])
    assert (alone.partition(DAYS[1]) / "rows.parquet").read_bytes() == (
        together.partition(DAYS[1]) / "rows.parquet"
    ).read_bytes()
    assert not any(landed.changed for landed in together.land_many(*DAYS))


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
    assert [drop.column("id", day) for day in DAYS[:2]] == [["8", "9"], ["2"]]


def test_a_file_without_the_cursor_column_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JourneymartError, match="no column 'at'"):
        cut(tmp_path, "id,when\n1,2026-03-01\n").land()


@settings(max_examples=8, deadline=None)
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
