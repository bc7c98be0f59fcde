"""Quarantine loses nothing, explains everything, and lets rows out again once the contract is right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from assets.landing.connectors.config import FileStream
from assets.landing.land import land
from assets.landing.records import record_texts
from quality.contract.model import QuarantineBudget
from quality.gate.gate import Gate
from quality.gate.quarantine import list_quarantined, show
from quality.landed.extract import LandedExtract
from storage.errors import JourneymartError
from tests.gate_kit import DAY, STREAM, Landing, column, contract, metadata

VERSION = f"{DAY}T10:00:00Z"
STRICT = contract({"status": column("text", allowed=("open",))}, quarantine=QuarantineBudget(min_rows=3))
LENIENT = contract({"status": column("text", allowed=("open", "paused"))}, quarantine=QuarantineBudget(min_rows=3))


def test_what_is_in_quarantine_is_listed_with_its_reasons(tmp_path: Path) -> None:
    landing = Landing(tmp_path, STRICT)
    landing.land([*[["1", "open", VERSION]] * 2, ["2", "paused", "?"], ["3", "paused", VERSION]])
    landing.land([["1", "open", VERSION]] * 9 + [["2", "shut", VERSION]] * 4, DAY + timedelta(days=1))
    landing.judge(landing.extract(), landing.extract(DAY + timedelta(days=1)))
    first, second = list_quarantined(landing.folder)
    assert (first.source, first.stream, first.extract_date, first.rows) == ("helpdesk", "tickets", DAY, 2)
    no_time = "updated_at: not a timestamp (a day and a time of day, such as 2026-12-31 14:05:00)"
    assert first.reasons == {"status: not allowed": 2, no_time: 1}
    assert first.blocked_by == ()
    assert (second.rows, second.blocked_by) == (4, ("quarantine",))


def test_the_check_that_stops_a_night_says_why_records_could_not_be_read(tmp_path: Path) -> None:
    landing = Landing(tmp_path, STRICT)
    unread = [("1;open", "1 field instead of 3"), ("[1]", "not a JSON object"), ("2;open", "1 field instead of 3")]
    landing.land([["1", "open", VERSION]], rejects=unread)
    (verdict,) = landing.judge(landing.extract())
    assert verdict.blocked_by == ("quarantine",)
    said = metadata(verdict, "quarantine")
    assert (said["1 field instead of 3"], said["not a JSON object"]) == (2, 1)


def test_records_nobody_could_read_are_in_quarantine_too(tmp_path: Path) -> None:
    landing = Landing(tmp_path, STRICT)
    landing.land([["1", "open", VERSION]], rejects=[("2;open", "1 field instead of 3")])
    landing.judge(landing.extract())
    (row,) = show(landing.folder, "helpdesk", "tickets", DAY)
    assert (row.file, row.row, row.raw) == (f"tickets_{DAY}.csv", 2, "2;open")
    assert row.reasons == ("record: 1 field instead of 3",)


def test_rows_that_make_an_extract_block_are_shown(tmp_path: Path) -> None:
    asked = contract({"score": column("bigint", max=10, on_failure="block")})
    landing = Landing(tmp_path, asked)
    landing.land([["1", "5", VERSION], ["2", "50", VERSION]])
    (verdict,) = landing.judge(landing.extract())
    assert verdict.blocked_by == ("contract",)
    (row,) = show(landing.folder, "helpdesk", "tickets", DAY)
    assert (row.row, row.reasons) == (2, ("score: above 10",))


def test_showing_is_in_the_order_of_delivery_and_can_be_limited(tmp_path: Path) -> None:
    landing = Landing(tmp_path, STRICT)
    landing.land([[str(n), "paused", VERSION] for n in range(12)])
    landing.judge(landing.extract())
    assert [row.row for row in show(landing.folder, "helpdesk", "tickets", DAY)] == list(range(1, 13))
    assert [row.row for row in show(landing.folder, "helpdesk", "tickets", DAY, limit=2)] == [1, 2]


def test_asking_for_an_extract_without_quarantine_says_so(tmp_path: Path) -> None:
    landing = Landing(tmp_path, STRICT)
    with pytest.raises(JourneymartError, match="Nothing of helpdesk/tickets for 2026-03-10 is in quarantine"):
        show(landing.folder, "helpdesk", "tickets", DAY)
    assert list_quarantined(landing.folder) == []


def test_a_corrected_contract_lets_the_rows_out_as_if_they_had_been_right(tmp_path: Path) -> None:
    landing = Landing(tmp_path / "corrected", STRICT)
    rows = [["1", "open", VERSION], ["2", "paused", VERSION]]
    landing.land(rows)
    landing.judge(landing.extract())
    assert [each.rows for each in list_quarantined(landing.folder)] == [1]
    landing.contract = LENIENT
    (replayed,) = landing.judge(landing.extract())
    right_from_the_start = Landing(tmp_path / "right", LENIENT)
    right_from_the_start.land(rows)
    (verdict,) = right_from_the_start.judge(right_from_the_start.extract())
    assert replayed.batch_id == verdict.batch_id
    assert list_quarantined(landing.folder) == []
    assert not landing.folder.quarantine_partition(STREAM, DAY).exists()


@pytest.mark.promise("kills")
def test_a_kill_between_old_and_new_is_put_right_by_the_next_judgement(tmp_path: Path) -> None:
    landing = Landing(tmp_path, STRICT)
    landing.land([["1", "open", VERSION]])
    (verdict,) = landing.judge(landing.extract())
    partition = landing.folder.accepted_partition(STREAM, DAY)
    partition.rename(partition.with_name(f".old-{partition.name}"))
    half_made = partition.with_name(f".new-{partition.name}")
    half_made.mkdir()
    (half_made / "rows.parquet").write_text("torn")
    (again,) = landing.judge(landing.extract())
    assert [path.name for path in partition.parent.iterdir()] == [partition.name]
    assert landing.accepted()[0]["id"] == "1"
    assert again.batch_id == verdict.batch_id


def test_raw_text_is_what_was_delivered_where_landing_knows_it(tmp_path: Path) -> None:
    asked: list[tuple[str, list[int]]] = []

    def texts(_: Path, file: str, rows: Sequence[int]) -> Mapping[int, str]:
        asked.append((file, list(rows)))
        return {2: "2;paused;2026"}

    landing = Landing(tmp_path, STRICT)
    landing.land([["1", "open", VERSION], ["2", "paused", VERSION], ["3", "paused", VERSION]])
    with Gate(landing.folder, None, texts) as gate:
        gate.judge([landing.extract()])
    assert asked == [(f"tickets_{DAY}.csv", [2, 3])]
    known, unknown = show(landing.folder, "helpdesk", "tickets", DAY)
    assert known.raw == "2;paused;2026"
    assert unknown.raw == '{"id":"3","status":"paused","updated_at":"2026-03-10T10:00:00Z"}'


def test_an_extract_landed_from_a_real_file_goes_all_the_way(tmp_path: Path) -> None:
    inbox = tmp_path / "drop box"
    inbox.mkdir()
    (inbox / f"tickets_{DAY}.csv").write_text(
        f'id,status,updated_at\n1,open,{VERSION}\n2,"paused, or so",{VERSION}\n3,open\n4,open,{VERSION}\n'
    )
    landing = Landing(tmp_path, STRICT)
    stream = FileStream(
        stream=STREAM, location=str(inbox), pattern="{stream}_{date}.csv", first_date=DAY, complete="rename"
    )
    landed = land(stream, STRICT, landing.folder, DAY)
    assert landed is not None
    partition = landing.folder.landing_partition(STREAM, DAY)
    with Gate(landing.folder, None, record_texts) as gate:
        (verdict,) = gate.judge([LandedExtract(STREAM, STRICT, DAY, "UTC", "increment", partition)])
    assert verdict.passed, verdict
    assert (verdict.accepted_rows, verdict.quarantined_rows, verdict.rejected_records) == (2, 1, 1)
    assert [row["id"] for row in landing.accepted()] == ["1", "4"]
    paused, ragged = show(landing.folder, "helpdesk", "tickets", DAY)
    assert (paused.row, paused.raw) == (2, f'2,"paused, or so",{VERSION}')
    assert (ragged.row, ragged.raw) == (3, "3,open")
