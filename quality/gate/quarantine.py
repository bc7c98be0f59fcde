"""Quarantine: rows that did not pass, each with its reasons; never lost, replayable.

What lives here: writing, listing and showing quarantined rows, and the way back through the gate. Not here:
deciding what is quarantined (gate.py).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa

from quality.landed.extract import LandedExtract
from quality.rows.casts import identifier, literal
from quality.rows.landed_text import read_parquet, text_columns
from quality.rows.predicates import delivered, predicates
from quality.rows.work import WORK
from storage.data_folder import DataFolder
from storage.engine import connect
from storage.errors import JourneymartError
from storage.folders import remove_folder, replaced_folder

ROWS = "rows.parquet"
VERDICT = "verdict.json"

# Raw text of records of one landed file: partition, file, record numbers -> text by record number.
RawTexts = Callable[[Path, str, Sequence[int]], Mapping[int, str]]


@dataclass(frozen=True)
class QuarantinedExtract:
    """What of one extract did not pass.

    Attributes:
        source: Installation.
        stream: Object.
        extract_date: Which day's extract.
        rows: Rows in quarantine, records that could not be parsed included.
        reasons: Rows by reason; a row may have several.
        blocked_by: Kinds of checks that keep the whole extract out; empty if the rest was accepted.
    """

    source: str
    stream: str
    extract_date: date
    rows: int
    reasons: Mapping[str, int]
    blocked_by: tuple[str, ...]


@dataclass(frozen=True)
class QuarantinedRow:
    """One row in quarantine: where it was, what is wrong with it, and its text. Holds personal data."""

    file: str | None
    row: int | None
    reasons: tuple[str, ...]
    raw: str | None


def write_quarantine(
    connection: duckdb.DuckDBPyConnection,
    folder: DataFolder,
    extract: LandedExtract,
    *,
    batch: int | None,
    verdict: Mapping[str, object],
    raw_texts: RawTexts | None,
) -> None:
    """Write the rows of one extract that are at fault, in place of those of an earlier judgement.

    They are the rows that the split quarantines, those that make the extract block, and records that could
    not be parsed. An extract that passed without any leaves no partition.

    Args:
        connection: Holds the working table.
        folder: Data folder.
        extract: The extract.
        batch: Number of the extract in the working table; None: no row there is at fault.
        verdict: What is written beside the rows.
        raw_texts: Gives the records as delivered; None, or a record it does not know: the landed row as JSON.
    """
    connection.execute(
        "create or replace table faulty "
        "(_file varchar, _row bigint, _op varchar, raw varchar, reasons varchar[], rules varchar[])"
    )
    if batch is not None:
        _collect_rows(connection, extract, batch)
        if raw_texts is not None:
            _take_raw_texts(connection, extract, raw_texts)
        _fill_raw(connection, extract)
    if extract.rejects_file.exists():
        connection.execute(
            "insert into faulty select _file, _row, null, raw, ['record: ' || reason], ['record.unreadable'] "
            f"from {read_parquet(extract.rejects_file)}"
        )
    partition = folder.quarantine_partition(extract.stream, extract.extract_date)
    rows = connection.execute("select count(*) from faulty").fetchone()
    if verdict["passed"] and rows == (0,):
        remove_folder(partition)
        return
    with replaced_folder(partition) as new:
        connection.execute(
            "copy (select faulty.*, "
            f"{literal(extract.stream.source)} as _source, "
            f"date '{extract.extract_date.isoformat()}' as _extract_date, "
            f"{literal(extract.judged_by)} as contract_fingerprint from faulty "
            "order by _file nulls last, _row nulls last, raw) "
            f"to {literal(str(new / ROWS))} (format parquet, compression zstd)"
        )
        (new / VERDICT).write_text(json.dumps(verdict, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def list_quarantined(folder: DataFolder) -> list[QuarantinedExtract]:
    """Every extract with rows in quarantine, or kept out as a whole, by source, stream and extract date."""
    partitions = sorted(path.parent for path in folder.quarantine.glob(f"*/*/[0-9]*/{VERDICT}"))
    with connect() as connection:
        return [_summary(connection, partition) for partition in partitions]


def show(
    folder: DataFolder, source: str, stream: str, extract_date: date, limit: int | None = None
) -> list[QuarantinedRow]:
    """Rows of one extract in quarantine, in the order of delivery. They hold personal data.

    Args:
        folder: Data folder.
        source: Installation.
        stream: Object.
        extract_date: Which day's extract.
        limit: How many at most; None: all.

    Raises:
        JourneymartError: Nothing of that extract is in quarantine.
    """
    file = folder.quarantine / source / stream / extract_date.isoformat() / ROWS
    if not file.exists():
        raise JourneymartError(
            f"Nothing of {source}/{stream} for {extract_date} is in quarantine: "
            "`journeymart quarantine list` says what is."
        )
    with connect() as connection:
        rows = connection.execute(
            f"select _file, _row, reasons, raw from {read_parquet(file)} limit ?", [limit]
        ).fetchall()
    return [QuarantinedRow(name, row, tuple(reasons), raw) for name, row, reasons, raw in rows]


def _summary(connection: duckdb.DuckDBPyConnection, partition: Path) -> QuarantinedExtract:
    rows = read_parquet(partition / ROWS)
    counted = connection.execute(f"select count(*) from {rows}").fetchone()
    reasons = connection.execute(
        f"select reason, count(*) from (select unnest(reasons) as reason from {rows}) group by all order by 2 desc, 1"
    ).fetchall()
    verdict = json.loads((partition / VERDICT).read_text(encoding="utf-8"))
    return QuarantinedExtract(
        source=partition.parent.parent.name,
        stream=partition.parent.name,
        extract_date=date.fromisoformat(partition.name),
        rows=counted[0] if counted else 0,
        reasons=dict(reasons),
        blocked_by=tuple(verdict["blocked_by"]),
    )


def _collect_rows(connection: duckdb.DuckDBPyConnection, extract: LandedExtract, batch: int) -> None:
    """Collect the rows at fault with every reason; raw text of an announced deletion is its key."""
    contract = extract.contract
    faults = [each for each in predicates(contract) if each.on_failure != "warn"]
    lists = [
        "list_filter([" + ", ".join(f"case when {each.sql} then {literal(word)} end" for each, word in words) + "], "
        "lambda x: x is not null)"
        for words in (
            [(each, each.reason) for each in faults],
            [(each, each.name) for each in faults],
        )
    ]
    key = ", ".join(
        f"{literal(name)}, {identifier(name)}"
        if contract.columns[name].type == "text"
        else f"{literal(name)}, coalesce({identifier(name)}::varchar, {delivered(contract, name)})"
        for name in contract.key
    )
    blocking = " or ".join(f"({each.sql})" for each in faults if each.on_failure == "block") or "false"
    connection.execute(
        "insert into faulty select _file, _row, _op, "
        f"case when _row is null then json_object({key})::varchar end, "
        f"{lists[0]}, {lists[1]} from {WORK} where _batch = {batch} and (_quarantined or {blocking})"
    )


def _take_raw_texts(connection: duckdb.DuckDBPyConnection, extract: LandedExtract, raw_texts: RawTexts) -> None:
    wanted = connection.execute(
        "select _file, list(_row order by _row) from faulty where _row is not null group by _file order by _file"
    ).fetchall()
    for file, numbers in wanted:
        texts = raw_texts(extract.partition, file, numbers)
        known = pa.table({"_row": pa.array(texts, pa.int64()), "raw": pa.array(texts.values(), pa.string())})
        connection.register("known", known)
        connection.execute(
            "update faulty set raw = known.raw from known where faulty._file = ? and faulty._row = known._row",
            [file],
        )
        connection.unregister("known")


def _fill_raw(connection: duckdb.DuckDBPyConnection, extract: LandedExtract) -> None:
    """Rows whose text nobody gave: the landed row as JSON."""
    columns = text_columns(connection, extract.judged_file)
    delivered_columns = ", ".join(
        f"{literal(name)}, landed.{identifier(read)}"
        for name, read in columns.items()
        if name not in ("_file", "_row", "_op")
    )
    connection.execute(
        f"update faulty set raw = json_object({delivered_columns})::varchar "
        f"from {read_parquet(extract.judged_file)} as landed "
        "where faulty.raw is null and faulty._file = landed._file and faulty._row = landed._row"
    )
