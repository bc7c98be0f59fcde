"""From delivered text to typed values: what is read as what, and that nothing else is read at all.

Expected values are computed in Python, by other means than the SQL under test: `decimal`, `zoneinfo`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quality.contract.model import DUCKDB_TYPES, ColumnType
from quality.rows.casts import cast, present
from quality.rows.connection import set_up


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        set_up(connection)
        yield connection


def read(
    connection: duckdb.DuckDBPyConnection, kind: ColumnType, texts: Sequence[str], timezone: str = "UTC"
) -> list[object]:
    """The typed values of texts; DuckDB's catalog has to say that they are of the contract's type."""
    value = cast(kind, present(kind, "text"), timezone)
    relation = connection.sql(
        f"select {value} as value from (select unnest($texts::varchar[]) as text)",
        params={"texts": list(texts)},
    )
    assert str(relation.types[0]).lower().replace("timestamp with time zone", "timestamptz") == DUCKDB_TYPES[kind]
    return [row[0] for row in relation.fetchall()]


TEN = datetime(2026, 3, 10, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-10T10:00:00Z", TEN),
        ("2026-03-10 10:00:00Z", TEN),
        ("2026-03-10T10:00:00.000Z", TEN),
        ("2026-03-10T10:00Z", TEN),
        ("2026-03-10T10:00:00+00:00", TEN),
        ("2026-03-10T10:00:00.000+0000", TEN),
        ("2026-03-10 10:00:00+00", TEN),
        ("2026-03-10T15:30:00+05:30", TEN),
        ("2026-03-09T22:30:00-11:30", TEN),
        ("2026-03-10 10:00:00", TEN),
        (" 2026-03-10T10:00:00Z\n", TEN),
        ("2026-03-10T10:00:00.123456789Z", TEN + timedelta(microseconds=123456)),
        ("9999-12-31T23:59:59Z", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_times_are_read_in_every_iso_shape(
    connection: duckdb.DuckDBPyConnection, text: str, expected: datetime
) -> None:
    assert read(connection, "timestamp", [text]) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-10T23:59:60Z",  # a leap second
        "2026-03-10T24:00:00Z",
        "2026-03-10T10:60:00Z",
        "2026-02-29T10:00:00Z",  # no leap year
        "2026-03-10",  # a day is no time
        "10:00:00",
        "10/03/2026 10:00",
        "2026-3-10 10:00:00",
        "2026-03-10T10:00:00+15:00",  # no such zone
        "2026-03-10T10:00:00 Europe/London",
        "2026-03-10T10:00:00ZZ",
        "0000-01-01T00:00:00Z",
        "1773136800",
        "now",
        "infinity",
        "epoch",
    ],
)
def test_what_is_no_time_is_not_read(connection: duckdb.DuckDBPyConnection, text: str) -> None:
    assert read(connection, "timestamp", [text]) == [None]


@pytest.mark.parametrize(
    ("timezone", "text", "expected"),
    [
        ("Europe/London", "2026-01-10 10:00:00", "2026-01-10T10:00:00+00:00"),
        ("Europe/London", "2026-07-10 10:00:00", "2026-07-10T09:00:00+00:00"),
        # Skipped in spring: moved forward by what the clock skips.
        ("Europe/London", "2026-03-29 01:30:00", "2026-03-29T01:30:00+00:00"),
        ("America/New_York", "2026-03-08 02:30:00", "2026-03-08T07:30:00+00:00"),
        # Shown twice in autumn: the later one, in winter time.
        ("Europe/London", "2026-10-25 01:30:00", "2026-10-25T01:30:00+00:00"),
        ("America/New_York", "2026-11-01 01:30:00", "2026-11-01T06:30:00+00:00"),
        # An offset says more than the zone of the source.
        ("America/New_York", "2026-07-10T10:00:00Z", "2026-07-10T10:00:00+00:00"),
    ],
)
def test_a_time_without_an_offset_is_in_the_zone_of_its_source(
    connection: duckdb.DuckDBPyConnection, timezone: str, text: str, expected: str
) -> None:
    assert read(connection, "timestamp", [text], timezone) == [datetime.fromisoformat(expected)]


@given(
    local=st.datetimes(datetime(1990, 1, 1), datetime(2035, 1, 1)),
    timezone=st.sampled_from(["UTC", "Europe/London", "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Kolkata"]),
)
def test_zones_agree_with_another_implementation(
    connection: duckdb.DuckDBPyConnection, local: datetime, timezone: str
) -> None:
    zone = ZoneInfo(timezone)
    skipped = local.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) != local
    # In zoneinfo, fold 0 reads a skipped time with the offset before, fold 1 a doubled one with that after.
    expected = local.replace(tzinfo=zone, fold=0 if skipped else 1).astimezone(UTC)
    assert read(connection, "timestamp", [local.isoformat(sep=" ")], timezone) == [expected]


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("bigint", "42", 42),
        ("bigint", "+42", 42),
        ("bigint", "-42", -42),
        ("bigint", "42.0", 42),
        ("bigint", "9223372036854775807", 2**63 - 1),
        ("bigint", "9223372036854775808", None),
        ("bigint", "1.5", None),
        ("bigint", "1e3", None),
        ("bigint", "1_000", None),
        ("bigint", "1,000", None),
        ("bigint", "0x10", None),
        ("bigint", "٣", None),
        ("double", "1.5", 1.5),
        ("double", ".5", 0.5),
        ("double", "1e3", 1000.0),
        ("double", "1e400", None),
        ("double", "nan", None),
        ("double", "inf", None),
        ("double", "1,5", None),
        ("decimal", "1200", Decimal("1200.00")),
        ("decimal", "1.5E7", Decimal("15000000.00")),
        ("decimal", "1.005", Decimal("1.01")),
        ("decimal", "1,234.50", None),
        ("decimal", "12345678901234567", None),
        ("boolean", "TRUE", True),
        ("boolean", "Yes", True),
        ("boolean", "1", True),
        ("boolean", "False", False),
        ("boolean", "no", False),
        ("boolean", "0", False),
        ("boolean", "t", True),
        ("boolean", "N", False),
        ("boolean", "1.0", True),
        ("boolean", "true-ish", None),
        ("boolean", "2", None),
        ("date", "2026-03-10", date(2026, 3, 10)),
        ("date", "2026-02-30", None),
        ("date", "2026-03-10T00:00:00Z", None),
        ("date", "0000-01-01", None),
        ("epoch_s", "1773136800", TEN),
        ("epoch_s", "1773136800.25", TEN + timedelta(milliseconds=250)),
        ("epoch_s", "-1", datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("epoch_s", "1773136800000", None),
        ("epoch_s", "2026-03-10T10:00:00Z", None),
        ("epoch_ms", "1773136800000", TEN),
        ("epoch_ms", "1.7e12", None),
        ("json", '{"a": [1, null]}', '{"a": [1, null]}'),
        ("json", "{'a': 1}", None),
        ("json", "null", None),
        ("date", "2026/03/10", date(2026, 3, 10)),
        ("date", "10/03/2026", None),
        ("double", "NaN", None),
        ("json", '{"a": "NULL"}', '{"a": "NULL"}'),
        ("text", " of two words\u00a0", "of two words"),
        ("text", "NULL", "NULL"),
        ("text", "NA", "NA"),
        ("id", "NULL", None),
        ("id", " 1001.0", "1001"),
        ("id", "-1.0", "-1"),
        ("id", "0042", "0042"),
        ("id", "12e5", "12e5"),
        ("id", "9.1E+15", None),
        ("id", "9007199254740993.0", None),
        ("id", "--", None),
        ("currency", "eur ", "EUR"),
        ("currency", "HRK", "HRK"),
        ("currency", "euros", None),
    ],
)
def test_each_type_reads_its_own_formats_and_no_other(
    connection: duckdb.DuckDBPyConnection, kind: ColumnType, text: str, expected: object
) -> None:
    assert read(connection, kind, [text]) == [expected]


@pytest.mark.parametrize("kind", DUCKDB_TYPES)
def test_nothing_delivered_is_no_value(connection: duckdb.DuckDBPyConnection, kind: ColumnType) -> None:
    assert read(connection, kind, ["", "  ", "\t\r\n"]) == [None] * 3


@given(st.lists(st.text(alphabet=" \t\r\n\u00a0aé\u0301\u2003🇩🇪", max_size=6), max_size=50))
def test_a_text_loses_the_blanks_around_it_and_nothing_else(
    connection: duckdb.DuckDBPyConnection, texts: list[str]
) -> None:
    assert read(connection, "text", texts) == [text.strip(" \t\r\n\u00a0") or None for text in texts]


@given(st.integers())
def test_integers_are_read_or_refused_whole(connection: duckdb.DuckDBPyConnection, number: int) -> None:
    fits = -(2**63) <= number < 2**63
    assert read(connection, "bigint", [str(number)]) == [number if fits else None]


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**18), max_value=10**18, places=4))
def test_amounts_are_rounded_to_cents_away_from_zero(connection: duckdb.DuckDBPyConnection, amount: Decimal) -> None:
    cents = amount.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
    expected = cents if abs(cents) < 10**16 else None
    assert read(connection, "decimal", [f"{amount:f}"]) == [expected]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_finite_number_is_read_exactly(connection: duckdb.DuckDBPyConnection, number: float) -> None:
    assert read(connection, "double", [repr(number)]) == [number]


@given(st.integers(-62_135_596_800_000, 253_402_300_799_999))
def test_epochs_are_read_to_the_millisecond(connection: duckdb.DuckDBPyConnection, millis: int) -> None:
    expected = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=millis)
    assert read(connection, "epoch_ms", [str(millis)]) == [expected]
    assert read(connection, "epoch_s", [f"{Decimal(millis) / 1000:f}"]) == [expected]


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=10))
@settings(max_examples=50)
def test_json_keeps_its_meaning(connection: duckdb.DuckDBPyConnection, value: object) -> None:
    (read_back,) = read(connection, "json", [json.dumps(value)])
    assert json.loads(str(read_back)) == value if value is not None else read_back is None


@given(st.lists(st.text(alphabet="0123456789+-.:eETZ tfrualsy/{}[]\",'", max_size=26), max_size=50))
@settings(max_examples=50)
def test_no_text_breaks_the_reading_and_none_is_read_as_more_than_it_is(
    connection: duckdb.DuckDBPyConnection, texts: list[str]
) -> None:
    for kind in DUCKDB_TYPES:
        values = read(connection, kind, texts, "Europe/London")
        assert len(values) == len(texts)
    for text, number in zip(texts, read(connection, "bigint", texts), strict=True):
        whole = re.fullmatch(r"[+-]?\d+(\.0*)?", text.strip())
        assert number == (int(text.strip().split(".")[0]) if whole and len(text.strip()) < 19 else number)
        assert whole or number is None
    for text, amount in zip(texts, read(connection, "decimal", texts), strict=True):
        if amount is not None:
            try:
                assert abs(Decimal(text.strip()) - amount) <= Decimal("0.005")  # type: ignore[operator]
            except InvalidOperation:
                pytest.fail("an amount that is no number was read")
