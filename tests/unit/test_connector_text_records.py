"""Record boundaries found with NumPy agree with Python's csv and with splitting lines, whatever the bytes."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from assets.landing.connectors.text_records import Records, csv_records, damage, line_records

SNIPPETS = st.sampled_from([b'"', b'""', b",", b"\n", b"\r\n", b"\r", b"a", b"5", "é".encode(), b" "])
TEXTS = st.lists(SNIPPETS, max_size=40).map(b"".join)
WINDOWS = st.sampled_from([1, 2, 3, 7, 1024])


def array(text: bytes) -> np.ndarray:
    return np.frombuffer(text, dtype=np.uint8)


def bodies(found: list[Records]) -> list[bytes]:
    return [
        records.data[start:end].tobytes()
        for records in found
        for start, end in zip(records.starts, records.ends, strict=True)
    ]


def oracle_csv(text: bytes) -> list[list[str]]:
    return [row for row in csv.reader(io.StringIO(text.decode(), newline="")) if row]


@settings(max_examples=400)
@given(TEXTS, WINDOWS)
@example(b'5" x,1\n"a,b\nc"\n', 4)
@example(b'x""",\n"y"\n', 1)
@example(b'"a"b",c\n"\n"', 2)
@example(b'a\r"b\r\n"\r', 3)
def test_csv_records_are_those_of_pythons_csv_reader(text: bytes, window: int) -> None:
    found = list(csv_records(array(text), 0, ",", window))

    assert sum(map(len, found)) == len(oracle_csv(text))
    assert [row for body in bodies(found) for row in oracle_csv(body)] == oracle_csv(text)


@settings(max_examples=200)
@given(TEXTS, WINDOWS)
def test_the_size_of_the_window_changes_nothing(text: bytes, window: int) -> None:
    small, whole = (list(csv_records(array(text), 0, ",", size)) for size in (window, 10_000))

    assert bodies(small) == bodies(whole)
    assert np.array_equal(
        np.concatenate([np.zeros(0, bool), *(each.misquoted for each in small)]),
        np.concatenate([np.zeros(0, bool), *(each.misquoted for each in whole)]),
    )
    assert any(each.unterminated for each in small) == any(each.unterminated for each in whole)


@settings(max_examples=200)
@given(TEXTS, WINDOWS)
def test_lines_are_those_between_newlines_without_the_empty_ones(text: bytes, window: int) -> None:
    expected = [line.removesuffix(b"\r") for line in text.split(b"\n")]

    assert bodies(list(line_records(array(text), 0, window))) == [line for line in expected if line]


@given(st.lists(st.binary(max_size=12).map(lambda raw: raw.replace(b"\n", b"").replace(b"\r", b"")), max_size=8))
def test_only_the_lines_that_python_cannot_decode_have_bad_encoding(lines: list[bytes]) -> None:
    lines = [line.replace(b"\0", b"") or b"x" for line in lines]
    found = list(line_records(array(b"\n".join(lines)), 0))

    def decodes(line: bytes) -> bool:
        try:
            line.decode("utf-8")
        except UnicodeDecodeError:
            return False
        return True

    wrong = {index for index, line in enumerate(lines) if not decodes(line)}
    assert (set(damage(found[0], 1000)) if found else set()) == wrong


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"a\nb\0\nc\n", "NUL"),
        (b"a\nb\xff\nc\n", "encoding"),
        (b"a\nbbbbbbbbb\nc\n", "longer"),
        (b'a\n"b"b\nc\n', "closing quote"),
    ],
)
def test_a_damaged_record_is_named_with_its_reason(text: bytes, reason: str) -> None:
    (records,) = csv_records(array(text), 0, ",")

    found = damage(records, max_record_bytes=6)

    assert list(found) == [1]
    assert reason in found[1]


def test_a_quote_never_closed_takes_everything_behind_it() -> None:
    (records,) = csv_records(array(b'a,1\nb,"2\nc,3\nd,4\n'), 0, ",")

    assert len(records) == 2
    assert records.unterminated
    assert records.text(1, 1000) == 'b,"2\nc,3\nd,4\n'
