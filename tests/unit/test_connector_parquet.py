"""What a small Parquet file unpacks to is reckoned before it is written out: by texts said once and meant often.

Not here: the types and the damage that Parquet may bring (tests/integration/test_file_drop.py).
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from assets.landing.connectors import parquet_file
from assets.landing.connectors.config import FileFormat, FileLimits
from assets.landing.connectors.parquet_file import read_parquet
from storage.errors import JourneymartError

LONG = "x" * 10_000
ROWS = 2_000
TEN_MEGABYTES = FileFormat("utf-8", ",", 1, FileLimits(max_bytes=10_000_000))
AS_USUAL = FileFormat("utf-8", ",", 1, FileLimits())

REPEATED = {
    "text": pa.array([LONG] * ROWS),
    "list": pa.array([[LONG]] * ROWS),
    "struct": pa.array([{"a": LONG}] * ROWS),
    "map": pa.array([[("a", LONG)]] * ROWS, pa.map_(pa.string(), pa.string())),
    "fixed": pa.array([LONG.encode()] * ROWS, pa.binary(len(LONG))),
}


def written(folder: Path, **columns: pa.Array) -> Path:
    file = folder / "rows.parquet"
    pq.write_table(pa.table(columns), file)
    return file


@pytest.mark.parametrize("kind", REPEATED)
def test_a_small_file_that_says_a_long_text_often_is_refused_in_one_sentence(tmp_path: Path, kind: str) -> None:
    file = written(tmp_path, value=REPEATED[kind])
    assert file.stat().st_size < 100_000
    with pytest.raises(JourneymartError, match=r"unpacks to [\d,]+ bytes, more than the limit of 10,000,000: deliver"):
        list(read_parquet(file, TEN_MEGABYTES).batches)


@pytest.mark.parametrize("kind", ["list", "fixed"])
def test_a_record_that_no_memory_holds_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setattr(parquet_file, "_BATCH_BYTES", 5_000)
    with pytest.raises(
        JourneymartError, match=r"holds (a record|records) of 10,000 bytes, more than the limit of 5,000"
    ):
        list(read_parquet(written(tmp_path, value=REPEATED[kind]), AS_USUAL).batches)


def test_what_is_read_in_many_parts_is_what_is_read_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = range(300)
    file = written(
        tmp_path,
        id=pa.array(numbers),
        word=pa.array([None if n % 7 == 0 else f"word {n % 5}" for n in numbers]),
        raw=pa.array([b"\xff" if n == 5 else b"fine" for n in numbers]),
        many=pa.array([[f"{n}"] * (n % 4) for n in numbers]),
        named=pa.array([[("k", f"{n % 3}")] for n in numbers], pa.map_(pa.string(), pa.string())),
        both=pa.array([{"a": f"{n % 2}", "b": [{"c": "q"}]} for n in numbers]),
    )

    def read() -> tuple[list[object], list[object], int]:
        batches = list(read_parquet(file, TEN_MEGABYTES).batches)
        rows = [row for batch in batches for row in batch.rows.to_pylist()]
        return rows, [reject for batch in batches for reject in batch.rejects.to_pylist()], len(batches)

    rows, rejects, parts = read()
    assert (len(rows), len(rejects), parts) == (299, 1, 1)
    monkeypatch.setattr(parquet_file, "_BATCH_BYTES", 500)
    assert read()[:2] == (rows, rejects)
    assert read()[2] > 10
