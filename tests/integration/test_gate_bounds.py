"""What no model can work with never passes: far-off dates and numbers, dates that mean "not known", wrong JSON inside.

A second judge in plain Python says what must become of each value. Not here: formats (test_typing_casts.py), rows and
reasons in general (test_gate_rows.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest

from quality.contract.bounds import PLACEHOLDERS, bounds
from quality.contract.model import JsonField, QuarantineBudget
from tests.gate_kit import DAY, Landing, column, contract, metadata

VERSION = f"{DAY}T10:00:00Z"
# The extract date is long past, so what has happened since may stand in its file.
NOW = datetime.now(UTC).date()
LENIENT: Mapping[str, Any] = {"quarantine": QuarantineBudget(max_share=1.0)}


def judged(tmp_path: Path, settings: Mapping[str, Any], kind: str, texts: list[str], zone: str = "UTC") -> Landing:
    """Land one column of texts, one row each, and judge it."""
    landing = Landing(tmp_path, contract({"value": column(kind, **settings)}, **LENIENT), timezone=zone)
    # As many rows without a value as with one: of an extract most must be sound.
    delivered = [*texts, *([] if settings.get("required") else [None] * len(texts))]
    landing.verdict = landing.judge(landing.land([(str(n), text, VERSION) for n, text in enumerate(delivered)]))[0]
    return landing


def outcomes(landing: Landing, texts: list[str]) -> list[str]:
    """What became of each text: kept, unknown, or the reason of its row."""
    said = {int(row["id"]): "kept" if row["value"] is not None else "unknown" for row in landing.accepted()}
    said |= {row["_row"] - 1: ", ".join(row["reasons"]) for row in landing.quarantined()}
    return [said[place] for place in range(len(texts))]


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Auckland", "America/Los_Angeles"])
def test_placeholder_dates_are_not_known_in_every_spelling_and_zone(tmp_path: Path, zone: str) -> None:
    days = [day.isoformat() for day in PLACEHOLDERS]
    texts = [f"{day}{time}" for day in days for time in ("T00:00:00", " 23:59:59.999", "T00:00:00Z", "T00:00:00+12:00")]
    texts += [*days, "1900/01/01", "0000-00-00 00:00:00", "0000-00-00", "1899-12-31T23:06:32Z"]
    landing = judged(tmp_path, {}, "timestamp", texts, zone)
    assert set(outcomes(landing, texts)) == {"unknown"}
    assert metadata(landing.verdict, "warnings")["value: a date that stands for 'not known'"] == len(texts)


@pytest.mark.parametrize(
    ("kind", "texts"),
    [
        ("date", [*map(str, PLACEHOLDERS), "0000-00-00"]),
        ("epoch_s", ["0", "0.0", "-62135596800", "-2208988800", "253402214400"]),
        ("epoch_ms", ["0", "-62135596800000", "253402300799999"]),
    ],
)
def test_days_and_epochs_have_the_same_placeholders(tmp_path: Path, kind: str, texts: list[str]) -> None:
    assert set(outcomes(judged(tmp_path, {}, kind, texts), texts)) == {"unknown"}


def test_a_required_date_that_stands_for_not_known_quarantines_its_row_with_that_reason(tmp_path: Path) -> None:
    texts = ["1900-01-01T00:00:00Z", "9999-12-31", "9999-12-31 00:00:00", "2026-03-01T00:00:00Z"]
    landing = judged(tmp_path, {"required": True}, "timestamp", texts)
    unknown = "value: a date that stands for 'not known'"
    assert outcomes(landing, texts) == [unknown, unknown, unknown, "kept"]


def test_a_day_without_a_time_of_day_is_refused_in_words(tmp_path: Path) -> None:
    landing = judged(tmp_path, {"required": True}, "timestamp", ["2026-03-09", "2026-03-09 10:00:00"])
    reason = "value: not a timestamp (a day and a time of day, such as 2026-12-31 14:05:00)"
    assert metadata(landing.verdict, "quarantine")[reason] == 1


def test_a_contract_can_name_placeholders_of_its_own(tmp_path: Path) -> None:
    texts = ["2020-02-02", "2020-02-03"]
    landing = judged(tmp_path, {"placeholders": (date(2020, 2, 2),)}, "date", texts)
    assert outcomes(landing, texts) == ["unknown", "kept"]


@pytest.mark.parametrize(
    ("settings", "first", "last"),
    [
        ({}, date(1990, 1, 1), NOW),
        ({"holds": "since"}, date(1900, 1, 2), NOW),
        ({"holds": "due"}, date(1990, 1, 1), DAY + timedelta(days=50 * 366)),
        ({"min": date(2020, 1, 1), "max": date(2030, 6, 30)}, date(2020, 1, 1), date(2030, 6, 30)),
        ({"max": date(2199, 12, 31)}, date(1990, 1, 1), date(2199, 12, 31)),
    ],
)
def test_days_lie_within_what_their_column_holds(
    tmp_path: Path, settings: Mapping[str, Any], first: date, last: date
) -> None:
    # Two days after the last, because now may be tomorrow by the time it is judged.
    days = [first - timedelta(days=1), first, last, last + timedelta(days=2)]
    if first == date(1900, 1, 2):
        days[0] = date(1899, 6, 1)
    texts = [day.isoformat() for day in days]
    said = outcomes(judged(tmp_path, settings, "date", texts), texts)
    assert said[1:3] == ["kept", "kept"]
    assert all(each.startswith(f"value: not between {first} and ") for each in (said[0], said[3]))


def test_what_has_happened_lies_at_most_two_days_after_the_extract_of_today() -> None:
    outside = bounds("date", "event", None, None).outside("today() + ahead", "today()")
    days = "(select ahead::integer as ahead from range(5) as days (ahead))"
    found = duckdb.sql(f"select {outside} from {days}").fetchall()
    assert found == [(False,), (False,), (False,), (True,), (True,)]


def test_the_last_day_named_for_a_time_counts_whole(tmp_path: Path) -> None:
    texts = ["2030-06-30T23:59:59Z", "2030-07-01T00:00:01Z"]
    said = outcomes(judged(tmp_path, {"max": date(2030, 6, 30)}, "timestamp", texts), texts)
    assert said[0] == "kept"
    assert said[1].startswith("value: not between ")


@pytest.mark.parametrize(
    ("kind", "settings", "kept", "refused"),
    [
        ("decimal", {}, ["1200000000000", "1000000000000000", "-1e15"], ["1000000000000000.01", "9e15"]),
        ("decimal", {"max": 5e15}, ["5e15"], ["5000000000000000.01"]),
        ("double", {}, ["1e15", "-1e15"], ["1.1e15", "1e300"]),
        ("double", {"holds": "score"}, ["1000000"], ["1000001", "-1e9"]),
        ("double", {"holds": "duration"}, ["0", "1e9"], ["-1", "2e9"]),
        ("bigint", {}, ["1000000000000"], ["1000000000001"]),
        ("bigint", {"holds": "position"}, ["9223372036854775807", "-9223372036854775808"], []),
    ],
)
def test_numbers_lie_within_what_their_column_holds(
    tmp_path: Path, kind: str, settings: Mapping[str, Any], kept: list[str], refused: list[str]
) -> None:
    said = outcomes(judged(tmp_path, settings, kind, kept + refused), kept + refused)
    assert set(said[: len(kept)]) == {"kept"}
    assert all(each.startswith("value: not between ") for each in said[len(kept) :])


def test_where_a_column_only_warns_a_value_outside_is_not_known_and_counted(tmp_path: Path) -> None:
    texts = ["1985-01-01", "2026-03-01"]
    landing = judged(tmp_path, {"on_failure": "warn"}, "date", texts)
    assert outcomes(landing, texts) == ["unknown", "kept"]
    said = metadata(landing.verdict, "warnings")
    assert said["value: not between 1990-01-01 and 2 days after the extract date, or today"] == 1


def test_a_value_outside_blocks_where_its_column_blocks(tmp_path: Path) -> None:
    landing = judged(tmp_path, {"on_failure": "block"}, "date", ["1985-01-01", "2026-03-01"])
    assert landing.verdict.blocked_by == ("contract",)


FIELDS = {
    "$": JsonField(type="object", description="A clock."),
    "$.target": JsonField(type="double", holds="duration", description="Minutes."),
    "$.open": JsonField(type="boolean", description="Open."),
    "$.events[*]": JsonField(type="object", description="Event."),
    "$.events[*].public": JsonField(type="boolean", description="Public."),
}


DOCUMENTS = {
    "{}": "kept",
    '{"target": null, "open": null, "events": [{"public": null}, {}]}': "kept",
    '{"target": 90, "open": false, "events": [{"public": true}]}': "kept",
    '{"target": "1.5", "open": "no", "events": null}': "kept",
    "[]": "value: $ is not an object",
    '"text"': "value: $ is not an object",
    '{"target": "soon"}': "value: $.target is not a double between 0 and 1,000,000,000",
    '{"target": {"minutes": 5}}': "value: $.target is not a double between 0 and 1,000,000,000",
    '{"target": -1}': "value: $.target is not a double between 0 and 1,000,000,000",
    '{"target": 1e300}': "value: $.target is not a double between 0 and 1,000,000,000",
    '{"open": 5}': "value: $.open is not a boolean",
    '{"events": [{"public": true}, "x"]}': "value: $.events[*] is not an object",
    '{"events": [{"public": true}, {"public": "maybe"}]}': "value: $.events[*].public is not a boolean",
}


def test_values_inside_json_are_typed_by_the_contract(tmp_path: Path) -> None:
    documents = list(DOCUMENTS)
    landing = judged(tmp_path, {"fields": FIELDS}, "json", documents)
    assert dict(zip(documents, outcomes(landing, documents), strict=True)) == DOCUMENTS


def test_in_a_dump_a_far_off_version_is_neither_believed_nor_fresh(tmp_path: Path) -> None:
    dated = contract({"value": column("text")}, freshness={"column": "updated_at", "max_age_days": 3}, **LENIENT)
    landing = Landing(tmp_path, dated, mode="full")
    verdict = landing.judge(landing.land([("1", "far off", "9999-12-31T00:00:00Z"), ("1", "true", VERSION)]))[0]
    assert [row["value"] for row in landing.accepted()] == ["true"]
    assert metadata(verdict, "freshness")["age in days"] == pytest.approx(14 / 24, abs=0.01)


def test_the_zones_of_placeholders_reach_as_far_as_any_zone_does() -> None:
    offsets = [
        datetime(2026, month, 1, tzinfo=UTC).astimezone(ZoneInfo(zone)).utcoffset() or timedelta()
        for month in (1, 7)
        for zone in ("Pacific/Kiritimati", "Pacific/Apia", "Etc/GMT+12", "Pacific/Chatham")
    ]
    assert max(map(abs, offsets)) <= timedelta(hours=14)


@pytest.mark.parametrize(
    ("texts", "blocked"),
    [
        (["1900-01-01", "9999-12-31", "2026-03-01"], False),
        (["1900-01-01", "9999-12-31"], True),
        (["1900-01-01", "soon", "later", "2026-03-01"], False),
        (["1900-01-01", "soon", "later", "2026-03-01", "never"], True),
    ],
)
def test_dates_that_were_never_known_are_no_sign_of_a_broken_export_while_rows_are_left(
    tmp_path: Path, texts: list[str], blocked: bool
) -> None:
    budget = QuarantineBudget(max_share=0.01, min_rows=5)
    asked = contract({"value": column("date", required=True)}, quarantine=budget)
    landing = Landing(tmp_path, asked)
    (verdict,) = landing.judge(landing.land([(str(n), text, VERSION) for n, text in enumerate(texts)]))
    assert ("quarantine" in verdict.blocked_by) == blocked
