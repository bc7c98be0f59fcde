"""A sheet of an Excel workbook lands as the texts a person sees as values, every row a record, a reject or nothing."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from assets.landing.connectors.config import FileFormat, FileLimits
from assets.landing.connectors.reader import open_file
from assets.landing.connectors.xlsx_cells import number_text
from assets.landing.connectors.xlsx_file import read_xlsx
from assets.landing.connectors.xlsx_parts import format_of
from assets.landing.map_again import map_again
from assets.landing.records import record_texts
from quality.contract.model import load_contract
from storage.errors import JourneymartError
from tests.mapping_kit import Company
from tests.xlsx_kit import SHEET, changed, workbook

FORM = FileFormat("utf-8", ",", 1, FileLimits())


def read(path: Path, form: FileFormat = FORM) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows and rejects."""
    batches = list(read_xlsx(path, form).batches)
    rows = [row for batch in batches for row in batch.rows.to_pylist()]
    return rows, [row for batch in batches for row in batch.rejects.to_pylist()]


def seen(value: object) -> str | None:
    """A value as its text should be."""
    match value:
        case None | "":
            return None
        case bool():
            return str(value).lower()
        case datetime() | time():
            text = value.isoformat(*([" "] if isinstance(value, datetime) else []), timespec="milliseconds")
            return text.removesuffix(".000")
        case date():
            return value.isoformat()
        case _:
            return str(value)


TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn")), max_size=20) | st.sampled_from(
    [" a ", "_x000D_", "<&>\n"]
)


def to_the_millisecond(at: Any) -> Any:
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


TIMES = st.datetimes(datetime(1900, 3, 1), datetime(2999, 1, 1)).map(to_the_millisecond)
CELLS = (
    st.none()
    | TEXTS
    | st.integers(-(10**14), 10**14)
    | st.booleans()
    | TIMES
    | st.dates(date(1900, 3, 1), date(2999, 1, 1))
    | st.times().map(to_the_millisecond)
)


@given(rows=st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=6))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_cells_come_as_their_values_and_empty_rows_as_nothing(tmp_path: Path, rows: list[list[Any]]) -> None:
    # What looks like a formula is written as one; those have a test of their own.
    rows = [[f"'{cell}" if str(cell).startswith("=") else cell for cell in row] for row in rows]
    path = workbook(tmp_path / "any.xlsx", [["a", "b", "c"], *rows])
    found, rejects = read(path)
    wanted = [[seen(cell) for cell in row] for row in rows]
    # A text may be one that stands for a character XML cannot hold.
    wanted = [[cell.replace("_x000D_", "\r") if cell else cell for cell in row] for row in wanted]
    assert [[row["a"], row["b"], row["c"]] for row in found] == [row for row in wanted if any(row)]
    assert [row["_row"] for row in found] == list(range(1, len(found) + 1))
    assert rejects == []


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e15, max_value=1e15))
def test_a_number_of_the_machine_is_read_back_as_the_very_same(number: float) -> None:
    # Excel writes 17 digits.
    for written in (repr(number), f"{number:.17g}", f"{number:.17E}"):
        assert float(number_text(written, format_of("General"), is_1904=False)) == number


def test_numbers_keep_what_they_are_and_lose_the_digits_of_the_machine() -> None:
    for written, text in {
        "4.9000000000000004": "4.9",
        "0.30000000000000004": "0.30000000000000004",
        "1234.50": "1234.50",
        "12345678901234567": "12345678901234567",
        "1.234567890123457E+16": "1.234567890123457E+16",
        "1234567890123456789.1234": "1234567890123456789.1234",
        "-12.5": "-12.5",
    }.items():
        assert number_text(written, format_of("0.00"), is_1904=False) == text
        assert Decimal(text) == Decimal(written) or float(text) == float(written)


@pytest.mark.parametrize(
    ("code", "number", "text"),
    [
        ("yyyy-mm-dd", "46082", "2026-03-01"),
        ("dd.mm.yyyy hh:mm", "46082.416666666664", "2026-03-01 10:00:00"),
        ("m/d/yy", "46082.416666666664", "2026-03-01 10:00:00"),
        ("yyyy-mm-dd hh:mm", "46082", "2026-03-01 00:00:00"),
        ("[$-409]mmm d, yyyy;@", "46082", "2026-03-01"),
        ('yyyy" at "', "46082", "2026-03-01"),
        ("hh:mm", "0.354166666666667", "08:30:00"),
        ("[h]:mm:ss", "1.25", "30:00:00"),
        ("mm:ss.0", "0.000017361111", "00:00:01.500"),
        ("yyyy-mm-dd", "1", "1900-01-01"),
        ("yyyy-mm-dd", "59", "1900-02-28"),
        ("yyyy-mm-dd", "60", "60"),
        ("yyyy-mm-dd", "61", "1900-03-01"),
        ("yyyy-mm-dd", "-1", "-1"),
        ("yyyy-mm-dd", "2958465", "9999-12-31"),
        ("yyyy-mm-dd", "2958466", "2958466"),
        ('#,##0.00" days"', "46082", "46082"),
        ("[Red]0.00", "46082", "46082"),
        ('0.00_);[Red]"d"', "46082", "46082"),
        ("General", "46082", "46082"),
        ("@", "46082", "46082"),
        ("mmm", "46082", "2026-03-01"),
    ],
)
def test_a_number_is_a_time_where_its_format_shows_one(code: str, number: str, text: str) -> None:
    assert number_text(number, format_of(code), is_1904=False) == text


def test_days_may_be_counted_from_1904(tmp_path: Path) -> None:
    book = Workbook()
    book.epoch = CALENDAR_MAC_1904
    for cell in ("day", date(2026, 3, 1)):
        book.active.append([cell])
    book.save(tmp_path / "a.xlsx")
    assert [row["day"] for row in read(tmp_path / "a.xlsx")[0]] == ["2026-03-01"]


def test_one_sheet_is_read_the_only_visible_or_the_one_that_is_named(tmp_path: Path) -> None:
    book = Workbook()
    book.active.title = "Notes"
    book.active.append(["about"])
    book.create_sheet("Tickets 2026").append(["id"])
    book["Tickets 2026"].append(["1"])
    path = tmp_path / "two.xlsx"
    book.save(path)
    with pytest.raises(JourneymartError, match=r"has 2 sheets \('Notes', 'Tickets 2026'\): say which with `sheet`"):
        read(path)
    assert read(path, replace(FORM, sheet="Tickets 2026"))[0] == [{"id": "1", "_row": 1}]
    with pytest.raises(JourneymartError, match="has no sheet 'tickets', only 'Notes'"):
        read(path, replace(FORM, sheet="tickets"))
    book["Notes"].sheet_state = "hidden"
    book.active = 1
    book.save(path)
    assert read(path)[0] == [{"id": "1", "_row": 1}]


def test_the_result_of_a_formula_counts_and_a_row_without_one_is_a_reject(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", [["id", "sum"], ["1", "=1+1"], ["2", "=A1"], ["3", "=B1"], ["4", 7]])

    def worked_out(text: str) -> str:
        text = text.replace("<f>1+1</f><v />", "<f>1+1</f><v>2</v>").replace("<f>1+1</f><v></v>", "<f>1+1</f><v>2</v>")
        return re.sub(r'<c r="B3"><f>A1</f><v ?/?>(</v>)?', '<c r="B3" t="str"><f>A1</f><v></v>', text)

    rows, rejects = read(changed(path, SHEET, worked_out))
    assert [(row["id"], row["sum"], row["_row"]) for row in rows] == [("1", "2", 1), ("2", None, 2), ("4", "7", 4)]
    assert rejects == [{"_row": 3, "raw": '{"id": "3"}', "reason": "a formula whose result is not in the file"}]


def test_errors_stay_for_the_gate_to_see(tmp_path: Path) -> None:
    assert read(workbook(tmp_path / "a.xlsx", [["id", "amount"], ["1", "#DIV/0!"]]))[0][0]["amount"] == "#DIV/0!"


def test_cells_merged_downwards_are_said_of_every_row_they_go_over(tmp_path: Path) -> None:
    rows = [
        ["team", "id", "note"],
        ["Front", 1, None],
        [None, 2, None],
        [None, None, None],
        ["Back", 4, "x"],
        [None, 5, None],
    ]
    path = workbook(tmp_path / "a.xlsx", rows, merged=["A2:A4", "A5:A6", "C5:D5"])
    assert [(row["team"], row["id"], row["note"]) for row in read(path)[0]] == [
        ("Front", "1", None),
        ("Front", "2", None),
        ("Back", "4", "x"),
        ("Back", "5", None),
    ]


def test_rows_above_the_header_and_below_the_last_record_that_hold_nothing_are_none(tmp_path: Path) -> None:
    nothing = [None, "", None]
    rows = [nothing, ["id", None, "name"], ["names", None, "below"], nothing, ["1", "", "Ann"], nothing, nothing]
    found, rejects = read(workbook(tmp_path / "a.xlsx", rows), replace(FORM, header_rows=2))
    assert (found, rejects) == ([{"id": "1", "name": "Ann", "_row": 1}], [])
    assert list(read_xlsx(workbook(tmp_path / "b.xlsx", [nothing, nothing]), FORM).batches) == []


def test_a_value_in_a_column_without_a_name_makes_its_row_a_reject(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "a.xlsx", [["id", None, "name"], ["1", "?", "Ann"], ["2", None, "Bob"], ["3", None, None, 9]]
    )
    rows, rejects = read(path)
    assert [row["id"] for row in rows] == ["2"]
    assert [(row["_row"], row["raw"]) for row in rejects] == [
        (1, '{"id": "1", "column 2": "?", "name": "Ann"}'),
        (3, '{"id": "3", "column 4": "9"}'),
    ]


def test_a_record_of_more_than_the_limit_is_a_reject(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", [["id"], ["x" * 50], ["y"]])
    rows, rejects = read(path, replace(FORM, limits=FileLimits(max_record_bytes=20)))
    assert ([row["id"] for row in rows], [row["_row"] for row in rejects]) == (["y"], [1])


def in_sheet(old: str, new: str) -> Any:
    return lambda path: changed(path, SHEET, lambda text: text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-200]), "damaged, or no Excel workbook"),
        (lambda path: path.write_bytes(b"\xd0\xcf\x11\xe0" + bytes(600)), "protected by a password"),
        (lambda path: path.write_text("id,name\n1,Ann\n"), "damaged, or no Excel workbook"),
        (in_sheet("<worksheet", '<!DOCTYPE a [<!ENTITY b "c">]><worksheet'), "document type"),
        (in_sheet("</sheetData>", ""), "is no XML"),
        (in_sheet("</sheetData>", "<!--<row >--></sheetData>"), "holds 4 rows where the parser saw 3"),
        (in_sheet('t="inlineStr"><is><t>id</t></is>', 't="s"><v>0</v>'), "not among the texts"),
    ],
)
def test_a_damaged_workbook_is_refused_in_a_sentence(tmp_path: Path, spoil: Any, said: str) -> None:
    path = workbook(tmp_path / "a.xlsx", [["id"], ["1"], ["2"]])
    spoil(path)
    with pytest.raises(JourneymartError, match=said):
        read(path)


@pytest.mark.promise("records")
def test_flipped_bytes_never_pass_for_another_sheet(tmp_path: Path) -> None:
    rows = [["id", "text"], *([n, f"text {n}"] for n in range(40))]
    path = workbook(tmp_path / "a.xlsx", rows)
    whole, wanted = path.read_bytes(), read(path)
    for place in range(0, len(whole), 97):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x20]) + whole[place + 1 :])
        try:
            assert read(path) == wanted, place
        except JourneymartError:
            continue


def test_a_workbook_that_unpacks_to_more_than_the_limits_is_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", [["id"], ["1"]])
    changed(path, SHEET, lambda text: text.replace("<sheetData>", f"<sheetData>{' ' * 20_000_000}"))
    with pytest.raises(JourneymartError, match="unpacks to more than the limits allow"):
        read(path)
    with pytest.raises(JourneymartError, match="unpacks to more than the limits allow"):
        read(workbook(tmp_path / "b.xlsx", [["id"], ["1"]]), replace(FORM, limits=FileLimits(max_bytes=100)))


def test_parts_of_bytes_may_be_cut_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = workbook(
        tmp_path / "a.xlsx", [["team", "id"], *(["A" if n == 0 else None, n] for n in range(9))], merged=["A2:A10"]
    )
    wanted = read(path)
    assert {row["team"] for row in wanted[0]} == {"A"}
    for size in (1, 7, 64):
        monkeypatch.setattr("assets.landing.connectors.xlsx_parts._PIECE_BYTES", size)
        assert read(path) == wanted


def test_a_delivered_workbook_lands_is_mapped_and_mapped_again_as_it_was_read(tmp_path: Path) -> None:
    company = Company(tmp_path)
    mapping = "ticket: {columns: {ticket_id: Nr, status: {const: open}, created_at: Am, updated_at: Am%s}}"
    said = "ticket: {pattern: 'x_{date}.xlsx', sheet: Tickets}"
    (stream,) = company.says(said, mapping % "").streams
    rows = [["Nr", "Am", "Team"], *([n, datetime(2026, 3, 1, 8, n), "Front"] for n in range(5))]
    workbook(company.drop / "x_2026-03-01.xlsx", rows, title="Tickets")
    company.land(stream)
    landed = company.rows(stream)
    assert [(row["ticket_id"], row["created_at"]) for row in landed][1] == ("1", "2026-03-01 08:01:00")
    assert "Front" in record_texts(company.partition(stream), "x_2026-03-01.xlsx", [2])[2]
    (stream,) = company.says(said.replace("Tickets", "Other"), mapping % ", team: Team").streams
    list(map_again(stream, load_contract("canonical", "ticket"), company.partition(stream).parent, None))
    assert {row["team"] for row in company.rows(stream)} == {"Front"}, "the sheet it was read from then"


def test_an_empty_file_is_hollow_like_any_other(tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").touch()
    assert open_file(tmp_path / "a.xlsx", FORM, tmp_path).is_hollow
