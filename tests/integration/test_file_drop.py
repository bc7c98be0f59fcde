"""Hostile files in the drop folder: each lands with every record accounted for, or is refused as a whole."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import zlib
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.landing.connectors.config import FileLimits
from storage.errors import JourneymartError
from tests.landing_kit import FIRST, Drop

NAME = f"tickets_{FIRST}"
CSV = b'id,status,note\n1,open,hello\n2,solved,"two\nlines"\n3,,""\n'


@pytest.fixture
def drop(tmp_path: Path) -> Drop:
    return Drop.at(tmp_path)


def assert_law(drop: Drop) -> None:
    manifest = drop.land().manifest
    assert manifest.records == manifest.rows + manifest.rejects
    assert manifest.rows == len(drop.read())
    assert manifest.rejects == len(drop.read("rejects"))


def assert_nothing_landed(drop: Drop) -> None:
    assert not drop.partition().exists()
    assert not list(drop.partition().parent.glob(".*"))


# --- content
# -----------------------------------------------------------------------------------------------------------


def test_empty_fields_are_null_in_quotes_or_not(drop: Drop) -> None:
    drop.deliver(f"{NAME}.csv", CSV)

    drop.land()

    assert drop.column("status") == ["open", "solved", None]
    assert drop.column("note") == ["hello", "two\nlines", None]
    assert drop.column("_row") == [1, 2, 3]
    assert set(drop.column("_file")) == {f"{NAME}.csv"}


@pytest.mark.promise("records")
@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (b"9,open", "number of fields"),
        (b"9,open,a,b", "number of fields"),
        (b"9,op\xffen,a", "encoding"),
        (b"9,op\0en,a", "NUL"),
        (b'9,"op"en,a', "closing quote"),
        (b"9,open," + b"x" * 2_000_000, "longer"),
        (b"9,open," + b"x" * 40_000_000, "longer"),
    ],
    ids=["short", "wide", "bad-utf8", "nul", "text-after-quote", "2-MB-record", "40-MB-record"],
)
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gz"])
def test_one_bad_record_is_rejected_and_the_others_stay(drop: Drop, record: bytes, reason: str, packed: bool) -> None:
    text = CSV.replace(b"2,solved", record + b"\n2,solved")
    suffix = ".csv.gz" if packed else ".csv"
    drop.deliver(f"{NAME}{suffix}", gzip.compress(text, 1) if packed else text)
    drop = drop.having(pattern=f"{{stream}}_{{date}}{suffix}", limits=FileLimits(max_ratio=1e6))

    assert_law(drop)

    assert drop.column("id") == ["1", "2", "3"]
    assert drop.column("_row") == [1, 3, 4]
    (reject,) = drop.read("rejects")
    assert (reject["_row"], reason in reject["reason"]) == (2, True)
    assert reject["raw"] == record[: 1024**2].decode("utf-8", "replace")


@pytest.mark.promise("records")
def test_a_huge_last_and_only_record_is_not_lost(drop: Drop) -> None:
    drop.deliver(f"{NAME}.csv", b"id,status\n1," + b"x" * 40_000_000)

    assert_law(drop)

    assert drop.column("_row", what="rejects") == [1]


def test_an_unterminated_quote_makes_the_rest_one_reject_and_a_note(drop: Drop) -> None:
    good = b"".join(b"%d,open,x\n" % n for n in range(100))
    drop.deliver(f"{NAME}.csv", b"id,status,note\n" + good + b'100,open,"lost\n' + good)

    landed = drop.land()

    assert (landed.manifest.records, landed.manifest.rows, landed.manifest.rejects) == (101, 100, 1)
    assert "never closed" in landed.manifest.damaged[0]


def test_wrong_quotes_that_join_lines_are_noted(drop: Drop) -> None:
    drop.deliver(f"{NAME}.csv", b'id,status\n1,"open\n2,"open"\n3,open\n')

    manifest = drop.land().manifest

    assert drop.column("id") == ["3"]
    assert len(manifest.damaged) == 1


def test_mixed_line_endings_and_stray_quotes_are_read_as_spreadsheets_do(drop: Drop) -> None:
    drop.deliver(f"{NAME}.csv", b'\xef\xbb\xbfid,note\r\n1,5" pipe\n2,b\r3,"a ""b"""\r\n\r\n\n4,=cmd()')

    assert_law(drop)

    assert drop.column("note") == ['5" pipe', "b", 'a "b"', "=cmd()"]


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "utf-16", "utf-16-le", "utf-8-sig"])
def test_other_encodings_become_utf8(drop: Drop, encoding: str) -> None:
    drop.deliver(f"{NAME}.csv", "id,name\n1,Zoë Müller\n2,Łódź\n".replace("Łódź", "x").encode(encoding))

    drop.having(encoding=encoding).land()

    assert drop.column("name") == ["Zoë Müller", "x"]


def test_a_byte_the_encoding_does_not_know_rejects_its_record_only(drop: Drop) -> None:
    drop.deliver(f"{NAME}.csv", b"id,name\n1,\x80\n2,\x81\n3,c\n")

    drop.having(encoding="cp1252").land()

    assert drop.column("name") == ["€", "c"]
    assert drop.column("_row", what="rejects") == [2]


def test_three_header_rows_with_line_breaks_are_skipped(drop: Drop) -> None:
    header = (
        b'ResponseId,QID1\n"Response ID","How likely\nare you, ""honestly""?"\n'
        b'"{""ImportId"":""_recordId""}","{""ImportId"":""QID1""}"\n'
    )
    drop.deliver(f"{NAME}.csv", header + b"R_1,9\nR_2,\n")

    drop.having(header_rows=3).land()

    assert drop.column("ResponseId") == ["R_1", "R_2"]
    assert drop.column("QID1") == ["9", None]
    assert drop.column("_row") == [1, 2]


def test_json_values_become_text_without_loss(drop: Drop) -> None:
    lines = [
        '{"id": 12345678901234567890123, "a": "x", "b": null, "c": true, "d": 0.12345678901234567890}',
        '{"id": "2", "a": "é\\n\\"", "e": {"f": [1, 2]}}',
        "{}",
        '{"id": 1e999}',
    ]
    drop.deliver(f"{NAME}.jsonl.gz", gzip.compress("\r\n".join(lines).encode()))

    drop.having(pattern="{stream}_{date}.jsonl.gz").land()

    first, second, third, fourth = drop.read()
    assert first == {
        "id": "12345678901234567890123",
        "a": "x",
        "b": None,
        "c": "true",
        "d": "0.12345678901234567890",
        "e": None,
        "_file": f"{NAME}.jsonl.gz",
        "_row": 1,
    }
    assert (second["a"], second["e"]) == ('é\n"', '{"f":[1,2]}')
    assert third["id"] is None
    assert fourth["id"] == "1e999"


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b'{"id":1,}',
        b'{"id":NaN}',
        b'{"id":1} {"id":2}',
        b"[1]",
        b"null",
        b'{"id":1,"id":2}',
        b'{"ID":1}',
        b'{"":1}',
        b'{"_row":1}',
        b'{"id":"\xff"}',
        b'{"id":"\\u0000"}',
        b'{"id":"\\ud800"}',
        b'{"id":"\0"}',
        b'{"id":' + b"[" * 200_000,
    ],
    ids=lambda line: ascii(line[:24]),
)
def test_a_bad_json_line_is_rejected_and_the_others_stay(drop: Drop, line: bytes) -> None:
    drop.deliver(f"{NAME}.jsonl", b'{"id":1}\n' + line + b'\n{"id":3}\n')
    drop = drop.having(pattern="{stream}_{date}.jsonl")

    assert_law(drop)

    assert drop.column("id") == ["1", "3"]
    assert drop.column("_row", what="rejects") == [2]


def test_parquet_types_become_exact_text(drop: Drop) -> None:
    import datetime as dt
    from decimal import Decimal

    when = dt.datetime(2026, 3, 1, 12, 30, 0, 120000)
    table = pa.table(
        {
            "id": pa.array([2**63 - 1], pa.int64()),
            "amount": pa.array([Decimal("1.50")], pa.decimal128(18, 2)),
            "naive": pa.array([when], pa.timestamp("us")),
            "instant": pa.array([when.replace(tzinfo=dt.UTC)], pa.timestamp("us", "America/New_York")),
            "day": pa.array([when.date()]),
            "tags": pa.array([["a", "b"]]),
            "kind": pa.array(["x"]).dictionary_encode(),
            "nothing": pa.nulls(1),
            "raw": pa.array([b"abc"]),
        }
    )
    pq.write_table(table, drop.inbox / f"{NAME}.parquet")

    drop.having(pattern="{stream}_{date}.parquet").land()

    (row,) = drop.read()
    assert row["id"] == "9223372036854775807"
    assert row["amount"] == "1.50"
    assert row["naive"] == "2026-03-01T12:30:00.120000"
    assert row["instant"] == "2026-03-01T12:30:00.120000Z"
    assert (row["day"], row["kind"], row["nothing"], row["raw"]) == ("2026-03-01", "x", None, "abc")
    assert json.loads(row["tags"]) == ["a", "b"]


def test_a_parquet_row_with_undecodable_text_is_rejected(drop: Drop) -> None:
    values = pa.Array.from_buffers(pa.string(), 3, pa.array([b"good", b"\xff", b"nul\0"], pa.binary()).buffers())
    pq.write_table(pa.table({"id": [1, 2, 3], "note": values}), drop.inbox / f"{NAME}.parquet")
    drop = drop.having(pattern="{stream}_{date}.parquet")

    assert_law(drop)

    assert drop.column("id") == ["1"]
    assert drop.column("_row", what="rejects") == [2, 3]


# --- files refused as a whole
# ------------------------------------------------------------------------------------------


def flip_checksum(packed: bytes) -> bytes:
    return packed[:-8] + bytes([packed[-8] ^ 1]) + packed[-7:]


def parquet() -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({"id": list(range(1000))}), sink)
    return sink.getvalue()


@pytest.mark.promise("records")
@pytest.mark.parametrize(
    ("suffix", "content", "said"),
    [
        (".csv.gz", flip_checksum(gzip.compress(CSV)), "damaged"),
        (".csv.gz", gzip.compress(CSV)[:-9], "damaged"),
        (".csv.gz", b"no gzip", "damaged"),
        (".csv.gz", gzip.compress(b"id\n" + b"0" * 30_000_000), "unpacks"),
        (".csv", b"", "empty .0 bytes.* no manifest says so"),
        (".csv", b"\xef\xbb\xbf\r\n", "empty .5 bytes.* no manifest says so"),
        (".csv.gz", gzip.compress(b"", mtime=0), "empty .* no manifest says so"),
        (".jsonl", b"", "empty .0 bytes.* no manifest says so"),
        (".jsonl.gz", gzip.compress(b"\n"), "empty .* no manifest says so"),
        (".parquet", b"", "empty .0 bytes.* no manifest says so"),
        (".csv", b"id,\n1,2\n", "no name for column 2"),
        (".csv", b"id,Id\n1,2\n", "two columns"),
        (".csv", b"id,_row\n1,2\n", "reserved"),
        (".csv", b'id,"status\n1,2\n', "header"),
        (".csv", b"id\xff,status\n1,2\n", "header"),
        (".csv", b"id;status\n1;open\n", "delimiter"),
        (".csv", CSV.decode().encode("utf-16"), "UTF-16"),
        (".parquet", b"PAR1 not really PAR1", "damaged"),
        (".parquet", parquet()[:-20], "damaged"),
        (".xls", b"PK", "no known format"),
    ],
    ids=[
        "gz-checksum",
        "gz-cut",
        "gz-fake",
        "gz-bomb",
        "csv-of-no-bytes",
        "csv-of-a-mark-and-a-line-end",
        "gz-of-nothing",
        "jsonl-of-no-bytes",
        "jsonl-gz-of-a-line-end",
        "parquet-of-no-bytes",
        "unnamed-column",
        "repeated-column",
        "reserved-column",
        "open-header",
        "undecodable-header",
        "semicolons",
        "utf-16",
        "parquet-fake",
        "parquet-cut",
        "unknown",
    ],
)
def test_a_file_unusable_as_a_whole_is_refused_in_one_sentence(
    drop: Drop, suffix: str, content: bytes, said: str
) -> None:
    drop.deliver(f"{NAME}{suffix}", content)

    with pytest.raises(JourneymartError, match=said) as refused:
        drop.having(pattern=f"{{stream}}_{{date}}{suffix}").land()

    assert str(refused.value).endswith(".")
    assert_nothing_landed(drop)


@pytest.mark.parametrize("complete", ["manifest", "rename"])
@pytest.mark.parametrize(
    ("suffix", "content"),
    [
        (".csv", b""),
        (".csv", b"id,status\n"),
        (".csv.gz", gzip.compress(b"", mtime=0)),
        (".jsonl", b""),
        (".jsonl.gz", gzip.compress(b"", mtime=0)),
        (".parquet", b""),
    ],
)
def test_a_manifest_of_no_rows_makes_an_empty_file_a_quiet_day(
    drop: Drop, complete: str, suffix: str, content: bytes
) -> None:
    quiet = drop.having(pattern=f"{{stream}}_{{date}}{suffix}", complete=complete)
    quiet.deliver(f"{NAME}{suffix}", content)
    quiet.declare(f"{NAME}{suffix}", rows=0)

    landed = quiet.land()

    assert (landed.manifest.records, landed.manifest.as_declared, quiet.read()) == (0, True, [])


def test_a_header_without_rows_is_a_quiet_day(drop: Drop) -> None:
    drop.deliver(f"{NAME}.csv", b"id,status\n")

    assert drop.land().manifest.rows == 0


def test_an_empty_file_declared_to_hold_rows_is_not_what_its_sender_says(drop: Drop) -> None:
    declared = drop.having(complete="manifest")
    declared.deliver(f"{NAME}.csv", b"")
    declared.declare(f"{NAME}.csv", rows=7)

    assert not declared.land().manifest.as_declared


def test_a_refusal_names_the_file_as_delivered(drop: Drop) -> None:
    drop.deliver(f"{NAME}.csv.gz", gzip.compress(b"id,id\n"))

    with pytest.raises(JourneymartError, match=rf"^{NAME}\.csv\.gz "):
        drop.having(pattern="{stream}_{date}.csv.gz").land()


def test_several_gzip_members_are_all_read(drop: Drop) -> None:
    drop.deliver(f"{NAME}.csv.gz", gzip.compress(b"id\n1\n") + gzip.compress(b"2\n"))

    drop.having(pattern="{stream}_{date}.csv.gz").land()

    assert drop.column("id") == ["1", "2"]


def test_a_file_over_the_size_limit_is_refused(drop: Drop) -> None:
    drop.deliver(f"{NAME}.csv", CSV)

    with pytest.raises(JourneymartError, match="larger than the limit"):
        drop.having(limits=FileLimits(max_bytes=10)).land()

    assert_nothing_landed(drop)


def test_a_symbolic_link_is_refused(drop: Drop, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_bytes(CSV)
    (drop.inbox / f"{NAME}.csv").symlink_to(secret)

    with pytest.raises(JourneymartError, match="symbolic link"):
        drop.land()

    assert_nothing_landed(drop)


def test_a_linked_folder_is_not_entered(drop: Drop, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / f"{FIRST}.csv").write_bytes(CSV)
    (drop.inbox / "tickets").symlink_to(tmp_path / "outside", target_is_directory=True)

    with pytest.raises(JourneymartError, match="symbolic link"):
        drop.having(pattern="{stream}/{date}.csv").land()


def test_a_named_pipe_is_refused_without_waiting_for_its_writer(drop: Drop) -> None:
    os.mkfifo(drop.inbox / f"{NAME}.csv")

    with pytest.raises(JourneymartError, match="regular file"):
        drop.land()


@pytest.mark.parametrize("pattern", ["../{stream}_{date}.csv", "/etc/{stream}_{date}.csv", "a/../{stream}_{date}.csv"])
def test_a_pattern_out_of_the_drop_folder_is_refused(drop: Drop, pattern: str) -> None:
    with pytest.raises(JourneymartError, match="leaves its drop folder"):
        drop.having(pattern=pattern).land()


# --- mutated bytes
# -----------------------------------------------------------------------------------------------------


def mutations(valid: bytes) -> st.SearchStrategy[bytes]:
    """The bytes with a few of them overwritten, removed, inserted or repeated, or the end cut off."""
    spot = st.integers(0, len(valid) - 1)
    byte = st.one_of(st.sampled_from(b'"",\n\r\\{}:[]0\xff\x00'), st.integers(0, 255)).map(lambda value: bytes([value]))
    edit = st.tuples(st.sampled_from(["set", "drop", "insert", "cut", "repeat"]), spot, byte)

    def apply(edits: list[tuple[str, int, bytes]]) -> bytes:
        text = valid
        for kind, at, value in edits:
            ends = {
                "set": text[at + 1 :],
                "drop": text[at + 1 :],
                "insert": text[at:],
                "cut": b"",
                "repeat": text[at:],
            }
            middle = {"set": value, "insert": value, "repeat": text[at : at + 20]}.get(kind, b"")
            text = text[:at] + middle + ends[kind]
        return text

    return st.lists(edit, min_size=1, max_size=4).map(apply)


def landed_counts(root: Path, suffix: str, content: bytes) -> tuple[int, int] | None:
    """(records, rows) of what landed; None if it was refused in one sentence and left nothing."""
    drop = Drop.at(root, pattern=f"{{stream}}_{{date}}{suffix}")
    drop.deliver(f"{NAME}{suffix}", content)
    try:
        manifest = drop.land().manifest
    except JourneymartError:
        assert_nothing_landed(drop)
        return None
    assert manifest.records == manifest.rows + manifest.rejects
    assert (manifest.rows, manifest.rejects) == (len(drop.read()), len(drop.read("rejects")))
    return manifest.records, manifest.rows


def unpacked(content: bytes) -> bytes | None:
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error):
        return None


many = settings(max_examples=60)


@pytest.mark.promise("records")
@many
@given(content=mutations(CSV + b'4,open,"a ""b"""\r\n5,new,x\n'))
def test_mutated_csv_loses_no_record(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    counts = landed_counts(tmp_path_factory.mktemp("csv"), ".csv", content)

    text = content.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
    rows = [row for row in csv.reader(io.StringIO(text, newline="")) if row]
    if counts is not None:
        assert counts[0] == len(rows) - 1
        assert counts[1] <= sum(len(row) == len(rows[0]) for row in rows[1:])


@pytest.mark.promise("records")
@many
@given(content=mutations(b'{"id":1,"a":"x","b":null}\n{"id":2,"a":{"c":[1,2.5]}}\r\n{"id":3,"b":1e5}\n'))
def test_mutated_json_lines_lose_no_record(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    counts = landed_counts(tmp_path_factory.mktemp("jsonl"), ".jsonl", content)

    def is_object(line: bytes) -> bool:
        try:
            return isinstance(json.loads(line.decode("utf-8")), dict)
        except ValueError:
            return False

    lines = [line for line in content.removeprefix(b"\xef\xbb\xbf").split(b"\n") if line.removesuffix(b"\r")]
    if counts is not None:
        assert counts[0] == len(lines)
        assert counts[1] <= sum(map(is_object, lines))


@pytest.mark.promise("records")
@many
@given(content=mutations(gzip.compress(CSV, mtime=0)))
def test_mutated_gzip_lands_just_what_python_unpacks(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    counts = landed_counts(tmp_path_factory.mktemp("gz"), ".csv.gz", content)

    plain = unpacked(content)
    if counts is not None:
        assert plain is not None
        assert counts[0] == len([row for row in csv.reader(io.StringIO(plain.decode(), newline="")) if row]) - 1


@pytest.mark.promise("records")
@many
@given(content=mutations(parquet()))
def test_mutated_parquet_loses_no_record(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    counts = landed_counts(tmp_path_factory.mktemp("parquet"), ".parquet", content)

    assert counts is None or counts[0] == pq.read_metadata(io.BytesIO(content)).num_rows


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_an_encoding_that_is_not_declared_is_named(drop: Drop, encoding: str) -> None:
    drop.deliver(f"{NAME}.csv", "id,status,note\n1,open,hello\n".encode(encoding))
    with pytest.raises(JourneymartError, match=f"declare `encoding: {encoding}` for its stream in company.yml"):
        drop.land()
    assert drop.having(encoding=encoding).land().manifest.columns == ("id", "status", "note")


def test_a_dump_with_its_ids_as_floats_is_the_dump_before(drop: Drop) -> None:
    dumps = drop.having(mode="full")
    dumps.deliver(f"{NAME}.csv", "id,status\n1,open\n2,open\n")
    dumps.deliver(f"tickets_{FIRST + timedelta(days=1)}.csv", "id,status\n1.0,open\n3.0,open\n")
    _, landed = dumps.land_many(FIRST, FIRST + timedelta(days=1))
    assert (landed.manifest.known, landed.manifest.vanished) == (2, 1)
    changes = dumps.read("changes", FIRST + timedelta(days=1))
    assert [(row["id"], row["_op"]) for row in changes if row["_op"] == "delete"] == [("2", "delete")]
