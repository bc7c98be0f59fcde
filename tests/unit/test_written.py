"""How a text file is written is seen in its bytes, and said with the line to declare.

Not here: numbers and dates (test_number_formats.py), the command (test_check.py).
"""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from assets.inspect.columns import best_fits, fit, is_clear, perhaps
from assets.inspect.text_file import Written, examine_text
from assets.inspect.values import ColumnLook
from assets.landing.connectors.config import FileFormat, FileLimits
from quality.contract.model import all_contracts, load_contract

PLAIN = FileFormat("utf-8", ",", 1, FileLimits())
KNOWN = load_contract("canonical", "ticket").columns
HEADER = "ticket_id,topic,status,created_at\n"
ROWS = "".join(f"T-{n},Rückgabe für Größe {n} — „schön“,open,2026-03-10T10:00:00Z\n" for n in range(30))


def seen(tmp_path: Path, content: bytes, name: str = "tickets.csv", form: FileFormat = PLAIN) -> Written:
    file = tmp_path / name
    file.write_bytes(content)
    return examine_text(file, form, KNOWN)


def lines(written: Written) -> list[str]:
    return [each.choice for each in written.proposals]


def test_nothing_is_proposed_for_what_is_written_as_declared(tmp_path: Path) -> None:
    for content in ((HEADER + ROWS).encode(), b"\xef\xbb\xbf" + (HEADER + ROWS).encode(), HEADER.encode(), b""):
        found = seen(tmp_path, content)
        assert (found.form, found.proposals, found.notes) == (PLAIN, (), ())


@pytest.mark.parametrize(
    ("encoding", "declared", "sure"),
    [("utf-16", "utf-16", "certain"), ("utf-16-le", "utf-16-le", "certain"), ("utf-16-be", "utf-16-be", "certain"),
     ("cp1252", "cp1252", "likely"), ("mac_roman", "mac_roman", "likely")],
)  # fmt: skip
@pytest.mark.parametrize("packed", [False, True])
def test_an_encoding_is_told_by_all_bytes(
    tmp_path: Path, encoding: str, declared: str, sure: str, packed: bool
) -> None:
    content = (HEADER + ROWS).encode(encoding)
    found = seen(tmp_path, gzip.compress(content) if packed else content, "t.csv.gz" if packed else "t.csv")
    assert lines(found) == [f"encoding: {declared}"]
    assert found.proposals[0].sure == sure
    assert found.form.encoding == declared


def test_letters_of_old_terminals_are_told_by_the_words_they_stand_in(tmp_path: Path) -> None:
    found = seen(tmp_path, (HEADER + "T-1,Rückgabe für schöne Grüße,open,\n" * 9).encode("cp850"))
    assert lines(found) == ["encoding: cp850"]


def test_what_several_encodings_read_alike_is_said(tmp_path: Path) -> None:
    found = seen(tmp_path, (HEADER + "T-1,für,open,\n").encode("latin-1"))
    assert lines(found) == ["encoding: cp1252"]
    assert "latin-1" in found.proposals[0].saw


def test_an_utf_8_file_with_a_few_broken_records_stays_utf_8(tmp_path: Path) -> None:
    found = seen(tmp_path, (HEADER + ROWS).encode() + "T-99,für,open,\n".encode("cp1252"))
    assert found.proposals == ()


def test_a_declared_encoding_that_the_file_is_not_in_is_corrected(tmp_path: Path) -> None:
    declared = FileFormat("cp1252", ",", 1, FileLimits())
    assert lines(seen(tmp_path, (HEADER + ROWS).encode(), form=declared)) == ["encoding: utf-8"]
    assert lines(seen(tmp_path, (HEADER + ROWS).encode("cp1252"), form=declared)) == []


@pytest.mark.parametrize(
    ("mark", "line"), [(";", 'delimiter: ";"'), ("\t", 'delimiter: "\\t"'), ("|", 'delimiter: "|"')]
)
def test_a_delimiter_is_told_by_the_records(tmp_path: Path, mark: str, line: str) -> None:
    text = (HEADER + "T-1,one,open,2026-03-10\n" * 9).replace(",", mark).replace("one", "1,50 and 2,50")
    assert lines(seen(tmp_path, text.encode())) == [line]


def test_commas_in_the_fields_of_another_delimiter_mislead_nobody(tmp_path: Path) -> None:
    text = "ticket_id;topic\n" + "T-1;a, b\n" * 20
    assert lines(seen(tmp_path, text.encode())) == ['delimiter: ";"']


def test_rows_of_words_below_the_names_belong_to_the_header(tmp_path: Path) -> None:
    header = 'ticket_id,score,created_at\nTicket,Score,Created\n"{""ImportId"":""a""}",{b},{c}\n'
    text = header + "T-1,5,2026-03-10 10:00\n" * 9
    assert lines(seen(tmp_path, text.encode())) == ["header_rows: 3"]
    assert seen(tmp_path, text.encode(), form=FileFormat("utf-8", ",", 3, FileLimits())).proposals == ()


def test_what_stands_above_the_names_or_in_their_place_is_said(tmp_path: Path) -> None:
    above = seen(tmp_path, f"Report of March\n\n{HEADER}{ROWS}".encode())
    assert "stand in record 2" in above.notes[0]
    without = seen(tmp_path, b"1,2,2026-03-10\n2,3,2026-03-10\n")
    assert "no" not in lines(without)
    assert "looks like data" in without.notes[0]


def test_a_stream_is_told_by_its_columns() -> None:
    contracts = all_contracts()
    for contract in contracts:
        fits = best_fits(list(contract.columns), contracts, f"{contract.stream}_2026-03-10.csv")
        assert fits[0].contract is contract
        assert is_clear(fits), f"{contract.system}/{contract.stream}"


def test_columns_that_any_stream_has_tell_none() -> None:
    assert not is_clear(best_fits(["updated_at"], all_contracts()))
    assert not is_clear(best_fits(["id", "created_at", "updated_at"], all_contracts()))
    assert best_fits(["nothing", "known"], all_contracts()) == []


def test_an_unknown_column_is_offered_for_one_that_is_not_there() -> None:
    ticket = load_contract("canonical", "ticket")
    found = fit(["ID", "Created", "Requester E-mail", "status", "Colour", "Solved"], ticket)
    looks = [ColumnLook("Created", 3, 3, {"day": 3}, ()), ColumnLook("Solved", 3, 3, {"text": 3}, ())]
    offered = perhaps(found, looks)
    assert found.found["requester_email"] == "Requester E-mail"
    assert offered == {"ID": "ticket_id", "Created": "created_at"}
    assert found.missing == ("ticket_id", "created_at", "updated_at")
