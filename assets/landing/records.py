"""The text of single records of a landed extract, as delivered. Not here: landing them."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from assets.erasure.stand_ins import KEPT
from assets.landing.connectors.batch import ROW_NUMBER
from assets.landing.connectors.config import FileFormat, FileLimits
from assets.landing.connectors.reader import is_text, open_file, raw_records
from quality.landed.extract import FILES, REJECTED, ROWS
from quality.landed.manifest import read_manifest


def record_texts(partition: Path, file: str, rows: Sequence[int]) -> dict[int, str]:
    """The text of some records of a landed file, by record number.

    For CSV and JSON Lines it is the record as delivered, undecodable bytes replaced; for Parquet and Excel the row as a
    JSON object of text.

    Args:
        partition: Landing partition.
        file: Name of the file in it (`_file`).
        rows: Record numbers (`_row`).
    """
    if not rows:
        return {}
    manifest = read_manifest(partition)
    read_as = manifest.read_as
    # The file passed its limits when it landed.
    limits = FileLimits(sys.maxsize, float("inf"), read_as.max_record_bytes)
    form = FileFormat(read_as.encoding, read_as.delimiter, read_as.header_rows, limits, read_as.sheet)
    if not is_text(file):
        if manifest.mapped and not file.endswith(KEPT):
            with tempfile.TemporaryDirectory(prefix="journeymart-") as workspace:
                return _delivered_texts(partition / FILES / file, form, Path(workspace), rows)
        return _parquet_texts(partition, file, rows)
    with tempfile.TemporaryDirectory(prefix="journeymart-") as workspace:
        return raw_records(partition / FILES / file, form, Path(workspace), rows)


def _delivered_texts(path: Path, form: FileFormat, workspace: Path, rows: Sequence[int]) -> dict[int, str]:
    """Rows of a file without records of text whose landed rows are others: those its mapping made."""
    texts: dict[int, str] = {}
    for batch in open_file(path, form, workspace).batches:
        wanted = batch.rows.filter(pc.is_in(batch.rows[ROW_NUMBER], value_set=pa.array(rows, pa.int64()))).to_pylist()
        texts |= {record.pop(ROW_NUMBER): json.dumps(record, ensure_ascii=False) for record in wanted}
        texts |= {
            record[ROW_NUMBER]: record["raw"] for record in batch.rejects.to_pylist() if record[ROW_NUMBER] in rows
        }
    return texts


def _parquet_texts(partition: Path, file: str, rows: Sequence[int]) -> dict[int, str]:
    wanted = [("_file", "==", file), ("_row", "in", list(rows))]
    rejected = pq.read_table(partition / REJECTED, filters=wanted).to_pylist()
    found = pq.read_table(partition / ROWS, filters=wanted).to_pylist()
    texts = {record["_row"]: record["raw"] for record in rejected}
    for record in found:
        number = record.pop("_row")
        del record["_file"]
        texts[number] = json.dumps(record, ensure_ascii=False)
    return texts
