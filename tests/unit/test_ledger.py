"""The ledger knows which checks a night had to run and what each said, and publishing fails closed on it."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quality.gate.ledger import Check, Expected, Ledger, Recorded
from storage.errors import JourneymartError

TICKETS = "helpdesk/tickets/2026-03-10"


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger of nights" / "run.jsonl")


def test_a_night_that_expected_nothing_may_not_publish(ledger: Ledger) -> None:
    assert not ledger.verdict().may_publish


def test_a_blocking_check_that_did_not_run_blocks(ledger: Ledger) -> None:
    ledger.expect("extract", TICKETS, "schema", blocking=True)
    ledger.expect("extract", TICKETS, "volume", blocking=True)
    ledger.record("extract", TICKETS, "schema", "pass")
    verdict = ledger.verdict()
    assert verdict.missing == verdict.blockers == (Check("extract", TICKETS, "volume"),)
    assert not verdict.may_publish


@pytest.mark.parametrize("outcome", ["fail", "error"])
def test_a_blocking_check_that_failed_or_errored_blocks(ledger: Ledger, outcome: str) -> None:
    ledger.expect("marts", "mart_kpi_daily", "identity", blocking=True)
    ledger.record("marts", "mart_kpi_daily", "identity", outcome, {"rows": 3})  # type: ignore[arg-type]
    assert not ledger.verdict().may_publish


@pytest.mark.parametrize("outcome", ["pass", "warn"])
def test_a_pass_or_a_warning_lets_the_night_through(ledger: Ledger, outcome: str) -> None:
    ledger.expect("extract", TICKETS, "schema", blocking=True)
    ledger.record("extract", TICKETS, "schema", outcome)  # type: ignore[arg-type]
    assert ledger.verdict().may_publish


def test_a_check_that_does_not_block_never_blocks(ledger: Ledger) -> None:
    ledger.expect("extract", TICKETS, "schema", blocking=True)
    ledger.record("extract", TICKETS, "schema", "pass")
    for number, outcome in enumerate(("fail", "error", None)):
        ledger.expect("extract", TICKETS, f"hint {number}", blocking=False)
        if outcome:
            ledger.record("extract", TICKETS, f"hint {number}", outcome)  # type: ignore[arg-type]
    assert ledger.verdict().may_publish


def test_recording_what_nobody_expected_is_an_error_and_records_nothing(ledger: Ledger) -> None:
    ledger.expect("extract", TICKETS, "schema", blocking=True)
    both = [
        Recorded(Check("extract", TICKETS, "schema"), "pass"),
        Recorded(Check("extract", TICKETS, "shema"), "pass"),
    ]
    with pytest.raises(JourneymartError, match="without being expected"):
        ledger.record_all(both)
    assert not ledger.recorded()
    assert not Ledger.read(ledger.path).recorded()


def test_a_retry_replaces_what_the_first_try_said(ledger: Ledger) -> None:
    ledger.expect("extract", TICKETS, "schema", blocking=True)
    ledger.record("extract", TICKETS, "schema", "fail", {"missing": 1})
    ledger.record("extract", TICKETS, "schema", "pass")
    assert ledger.verdict().may_publish


def test_a_retry_that_died_leaves_the_check_missing_not_passed(ledger: Ledger) -> None:
    ledger.expect("extract", TICKETS, "schema", blocking=True)
    ledger.record("extract", TICKETS, "schema", "pass")
    ledger.expect("extract", TICKETS, "schema", blocking=True)
    assert ledger.verdict().missing == (Check("extract", TICKETS, "schema"),)


def test_expecting_again_cannot_stop_a_check_from_blocking(ledger: Ledger) -> None:
    ledger.expect("extract", TICKETS, "schema", blocking=True)
    ledger.expect("extract", TICKETS, "schema", blocking=False)
    assert not ledger.verdict().may_publish


def test_what_one_writes_every_other_sees(ledger: Ledger) -> None:
    other = Ledger(ledger.path)
    ledger.expect("extract", TICKETS, "schema", blocking=True)
    other.record("extract", TICKETS, "schema", "pass", {"columns": 24})
    assert ledger.verdict().may_publish
    assert ledger.recorded()[Check("extract", TICKETS, "schema")].detail == {"columns": 24}


def test_a_torn_last_line_never_happened_and_hurts_nobody(ledger: Ledger) -> None:
    ledger.expect("extract", TICKETS, "schema", blocking=True)
    ledger.record("extract", TICKETS, "schema", "pass")
    whole = ledger.path.read_bytes()
    for length in range(len(whole.splitlines(keepends=True)[0]), len(whole)):
        ledger.path.write_bytes(whole[:length])
        torn = Ledger.read(ledger.path)
        assert torn.verdict().missing == (Check("extract", TICKETS, "schema"),)
    torn.record("extract", TICKETS, "schema", "pass")
    assert Ledger.read(ledger.path).verdict().may_publish


@pytest.mark.parametrize(
    "line",
    [
        "pass",
        "[]",
        '{"event": "record", "gate": "extract"}',
        '{"event": "forget", "gate": "extract", "subject": "s", "kind": "k"}',
        '{"event": "record", "gate": "extract", "subject": "s", "kind": "k", "outcome": "ok", "detail": {}}',
        '{"event": "record", "gate": "extract", "subject": "s", "kind": "k", "outcome": "pass"}',
    ],
)
def test_a_line_that_is_no_event_is_refused(ledger: Ledger, line: str) -> None:
    ledger.expect("extract", "s", "k", blocking=True)
    with ledger.path.open("a") as file:
        file.write(line + "\n")
    with pytest.raises(JourneymartError, match="run the night again"):
        Ledger.read(ledger.path).verdict()


def test_a_night_without_a_ledger_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JourneymartError, match="left no ledger"):
        Ledger.read(tmp_path / "none.jsonl")


def test_many_checks_cost_one_flush(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[int] = []
    flush = os.fsync
    monkeypatch.setattr(os, "fsync", lambda descriptor: (flushed.append(descriptor), flush(descriptor))[1])
    ledger.expect("extract", "first", "schema", blocking=True)
    flushed.clear()
    ledger.expect_all(Expected(Check("extract", TICKETS, f"check {n}"), True) for n in range(300))
    ledger.record_all(Recorded(Check("extract", TICKETS, f"check {n}"), "pass") for n in range(300))
    assert len(flushed) == 2


def _write_until_killed(path: Path) -> None:
    ledger = Ledger(path)
    for number in range(10_000):
        ledger.expect("extract", TICKETS, f"check {number}", blocking=True)
        ledger.record("extract", TICKETS, f"check {number}", "pass")


def test_a_killed_writer_leaves_a_ledger_that_can_be_read_and_continued(ledger: Ledger) -> None:
    writer = multiprocessing.get_context("spawn").Process(target=_write_until_killed, args=(ledger.path,))
    writer.start()
    while not ledger.path.exists() or ledger.path.stat().st_size < 2_000:
        assert writer.is_alive()
    os.kill(writer.pid or 0, signal.SIGKILL)
    writer.join()
    left = Ledger.read(ledger.path)
    assert len(left.verdict().missing) <= 1
    ledger.expect("extract", TICKETS, "after the kill", blocking=True)
    assert left.verdict().blockers


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from(["expect", "pass", "warn", "fail", "error"])),
        max_size=12,
    )
)
def test_the_verdict_follows_from_the_last_word_on_each_check(
    tmp_path_factory: pytest.TempPathFactory, events: Sequence[tuple[str, str]]
) -> None:
    ledger = Ledger(tmp_path_factory.mktemp("ledger") / "run.jsonl")
    last: dict[str, str] = {}
    for kind, event in events:
        if event == "expect":
            ledger.expect("extract", TICKETS, kind, blocking=True)
        elif kind in last:
            ledger.record("extract", TICKETS, kind, event)  # type: ignore[arg-type]
        else:
            continue
        last[kind] = event
    assert ledger.verdict().may_publish == (bool(last) and set(last.values()) <= {"pass", "warn"})
