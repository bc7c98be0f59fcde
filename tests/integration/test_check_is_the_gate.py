"""What `journeymart check` says is what a night does: the same extract, landed and judged by the real gate.

Extracts are drawn with faults of every kind; the second path is the landing and the gate of a night, told as
`journeymart quarantine list` tells it. Not here: how it is shown (tests/unit/test_check.py).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from assets.landing.connectors.config import FileStream
from assets.landing.land import land_many
from assets.landing.records import record_texts
from orchestration.config.setup import Setup, load_setup
from orchestration.operations.check_extract import check_all, check_file, check_stream
from quality.contract.model import load_contract
from quality.gate.gate import Gate
from quality.gate.quarantine import list_quarantined
from quality.gate.verdict import Verdict
from quality.landed.extract import LandedExtract
from storage.data_folder import DataFolder, StreamId

DAY = date(2026, 3, 10)
AT = "2026-03-10T08:00:00Z"
COLUMNS = ("order_id", "contact_id", "status", "ordered_at", "item_amount", "currency", "updated_at", "colour")
VALUES = (
    st.sampled_from(["1", "2", "9.1E+15", "", "A-7"]),
    st.sampled_from(["c1", "", "NULL"]),
    st.sampled_from(["completed", "Canceled", "lost", "sold", ""]),
    st.sampled_from([AT, "2026-03-10 08:00", "10.03.2026", "1900-01-01T00:00:00Z", "2031-01-01T00:00:00Z", ""]),
    st.sampled_from(["12.50", "12,50", "1.000", "1e30", "-3", "n/a", "viel", ""]),
    st.sampled_from(["EUR", "eur", "XXX", ""]),
    st.sampled_from([AT, AT, AT, "yesterday", ""]),
    st.text(alphabet='ab",;\n é', max_size=4),
)
GOOD = ("1", "c1", "completed", AT, "12.50", "EUR", AT, "blue")
Row = tuple[str, ...]
ROWS = st.lists(st.one_of(st.just(GOOD), st.tuples(*VALUES)), max_size=12)


def written(rows: Sequence[Row], delimiter: str = ",", encoding: str = "utf-8", ragged: bool = False) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerows([COLUMNS, *rows])
    if ragged:
        text.write("too;few\n" if delimiter == ";" else "too,few\n")
    return text.getvalue().encode(encoding)


def judged(stream: FileStream, folder: DataFolder, day: date) -> Verdict:
    """An extract landed and judged as a night does it."""
    contract = load_contract(stream.stream.system, stream.stream.stream)
    land_many(stream, contract, folder, [day])
    partition = folder.landing_partition(stream.stream, day)
    extract = LandedExtract(stream.stream, contract, day, stream.timezone, stream.mode, partition, stream.reading)
    with Gate(folder, None, record_texts) as gate:
        return gate.judge([extract])[0]


# One odd value above numbers is a fault of its row, whatever else that leaves empty, and no second row of names.
ODD_FIRST = ("A-7", "c1", "completed", "", "12.50", "EUR", AT, "")
NO_AMOUNT = ("1", "c1", "completed", AT, "n/a", "EUR", "yesterday", "")


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, ragged=st.booleans())
@example(rows=[ODD_FIRST, GOOD, GOOD, GOOD, GOOD, NO_AMOUNT], ragged=False)
def test_a_file_is_judged_as_the_gate_judges_it(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Row], ragged: bool
) -> None:
    drop, data = tmp_path_factory.mktemp("drop"), DataFolder(tmp_path_factory.mktemp("data"))
    file = drop / f"order_{DAY}.csv"
    file.write_bytes(written(rows, ragged=ragged))
    name = StreamId("shop", "canonical", "order")
    verdict = judged(FileStream(name, str(drop), "{stream}_{date}.csv", DAY, complete="rename"), data, DAY)
    quarantined = {reason: count for each in list_quarantined(data) for reason, count in each.reasons.items()}

    (said,) = check_file(file, "order", None, None).deliveries

    assert {kind for kind, _ in said.as_declared.blocked_by} <= set(verdict.blocked_by)
    assert said.as_declared.passes == verdict.passed
    lines = [line for each in said.proposals for group in each.lines for line in group]
    taken_for_names = sum(int(line.split(": ")[1]) - 1 for line in lines if line.startswith("header_rows: "))
    assert (said.rows, said.rejects) == (len(rows) - taken_for_names, int(ragged))
    if not said.proposals:
        assert said.as_declared is said.judged
        assert [kind for kind, _ in said.judged.blocked_by] == list(verdict.blocked_by)
        assert {each.reason: each.rows for each in said.judged.reasons} == quarantined
        assert said.judged.verdict is not None
        assert (said.judged.verdict.accepted_rows, said.judged.verdict.quarantined_rows) == (
            verdict.accepted_rows,
            verdict.quarantined_rows,
        )


def company(root: Path, monkeypatch: pytest.MonkeyPatch, more: str = "") -> Setup:
    """A company with a shop that delivers orders."""
    root.joinpath("company.yml").write_text(
        f"company: Case\nreporting_timezone: UTC\ncurrency: EUR\nfirst_date: {DAY}\nsources:\n  shop:\n"
        '    system: canonical\n    location: drop\n    pattern: "{stream}_{date}.csv"\n    complete: rename\n'
        + more
        + "    streams:\n      order:\n      ticket:\n",
        encoding="utf-8",
    )
    (root / "drop").mkdir()
    monkeypatch.setenv("JOURNEYMART_SOURCES", str(root / "company.yml"))
    monkeypatch.setenv("JOURNEYMART_DATA", str(root / "data"))
    monkeypatch.setenv("JOURNEYMART_STATE", str(root / "state"))
    return load_setup()


def orders(count: int) -> list[Row]:
    return [(f"o{number}", *GOOD[1:]) for number in range(count)]


def test_lines_that_are_proposed_are_what_a_company_needs_to_declare(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [("1", "c1", "completed", AT, "1.012,50", "EUR", AT, "für")] * 3
    content = written(rows, delimiter=";", encoding="cp1252")
    file = tmp_path / "order.csv"
    file.write_bytes(content)
    (said,) = check_file(file, "order", DAY, None).deliveries
    lines = [line for each in said.proposals for choice in each.lines for line in choice]
    assert not said.as_declared.passes
    assert said.judged.passes

    setup = company(tmp_path, monkeypatch, "".join(f"    {line}\n" for line in lines))
    (tmp_path / "drop" / f"order_{DAY}.csv").write_bytes(content)
    stream = setup.sources.named("shop/order")
    found = check_stream(setup, "shop/order")
    assert found.deliveries[0].proposals == ()
    assert not found.would_block
    assert judged(stream, setup.folder, DAY).passed
    assert {each.state for each in found.kpis if each.kpi == "revenue"} == {"counts"}


def test_a_delivery_is_held_against_the_past_and_nothing_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    setup = company(tmp_path, monkeypatch, "    mode: full\n")
    stream = setup.sources.named("shop/order")
    first, second = DAY, date(2026, 3, 11)
    (tmp_path / "drop" / f"order_{first}.csv").write_bytes(written(orders(20)))
    assert judged(stream, setup.folder, first).passed
    (tmp_path / "drop" / f"order_{second}.csv").write_bytes(written(orders(4)))
    before = sorted(setup.folder.root.rglob("*"))

    found = check_stream(setup, "shop/order")

    assert sorted(setup.folder.root.rglob("*")) == before
    (said,) = found.deliveries
    assert said.extract_date == second
    assert [kind for kind, _ in said.judged.blocked_by] == ["deletes"]
    assert judged(stream, setup.folder, second).blocked_by == ("deletes",)


def test_all_deliveries_of_a_company_are_looked_at_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    setup = company(tmp_path, monkeypatch)
    (tmp_path / "drop" / f"order_{DAY}.csv").write_bytes(written(orders(4)))
    found = check_all(setup)
    assert [each.stream for each in found.deliveries] == ["shop/order"]
    assert found.not_delivered == ("shop/ticket",)
    states = {each.kpi: (each.state, each.counted, each.lacks) for each in found.kpis}
    assert states["revenue"] == ("counts", 4, "")
    assert states["backlog"] == ("empty", 0, "ticket")
    assert states["active_customers"] == ("empty", 0, "contact")
