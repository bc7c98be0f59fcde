"""A whole delivery as text: every delivered file in one file of rows and one of rejects.

Not here: the formats (connectors/), rows of the contract where the delivery has columns of its own (mapped.py), what
each date gets of it (portions.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from assets.landing.column_names import contract_names
from assets.landing.connectors.batch import REJECTS, ROW_NUMBER, ParsedBatch, ParsedFile, require_columns
from assets.landing.connectors.config import FileStream
from assets.landing.connectors.drop_folder import Copied, DroppedFile, says_no_rows
from assets.landing.connectors.reader import is_json, open_file
from assets.landing.rows_file import rows_schema
from quality.contract.model import Contract
from quality.landed.extract import FILES, REJECTED, ROWS
from quality.landed.manifest import LandedFile, Mapped
from storage.errors import JourneymartError


@dataclass(frozen=True)
class Portion:
    """What one partition gets of a delivery: files of rows and rejects, counts by delivered file, and late rows."""

    rows: Path
    rejects: Path
    files: tuple[LandedFile, ...]
    late: int = 0


@dataclass(frozen=True)
class Parsed:
    """A whole delivery as text.

    Attributes:
        whole: Its rows, rejects and files.
        columns: Columns of the rows.
        damaged: Why records may not be where they should be.
        mapped: What a mapping made of it; None: it has none.
        unknown: Which records named a key nobody knew on their day (`looked_up.look_up`); None: nothing is looked up.
    """

    whole: Portion
    columns: tuple[str, ...]
    damaged: tuple[str, ...]
    mapped: Mapped | None = None
    unknown: Path | None = None


def parse(stream: FileStream, contract: Contract, building: Path, copied: Mapping[DroppedFile, Copied]) -> Parsed:
    """Read every delivered file into one file of rows and one of rejects.

    Columns stand under the contract's names where it is clear which is meant; those of a mapped stream as delivered.
    """
    opened = {file: open_file(building / FILES / file.name, stream.format, building) for file in copied}
    if stream.mapping is None:
        opened = {file: _named(parsed, contract) for file, parsed in opened.items()}
    for file, parsed in opened.items():
        if parsed.is_hollow and not (file.declared or says_no_rows(stream, file)):
            raise JourneymartError(
                f"{file.name} of {stream.stream} in {stream.location} is empty ({copied[file].bytes} bytes, without a "
                "header or a row) and no manifest says so, as an export that failed leaves it: deliver it again; a "
                "quiet day is a header without rows, or a manifest of 0 rows."
            )
    columns = _all_columns(stream, opened)
    schema = rows_schema(columns)
    whole_rows, whole_rejects = building / ROWS, building / REJECTED
    files, damaged = [], []
    with (
        pq.ParquetWriter(whole_rows, schema, compression="zstd") as rows,
        pq.ParquetWriter(whole_rejects, _with_file(REJECTS), compression="zstd") as rejects,
    ):
        for file, parsed in opened.items():
            counts = {"records": 0, "rows": 0, "rejects": 0}
            for batch in parsed.batches:
                rows.write_table(_of_file(batch.rows, file.name, schema))
                if batch.rejects.num_rows:
                    rejects.write_table(_of_file(batch.rejects, file.name, _with_file(REJECTS)))
                counts["records"] += batch.records
                counts["rows"] += batch.rows.num_rows
                counts["rejects"] += batch.rejects.num_rows
                damaged += [f"{file.name}: {note}" for note in batch.damage]
            declared = file.declared.rows if file.declared else None
            files.append(
                LandedFile(file.name, copied[file].bytes, copied[file].sha256, **counts, declared_rows=declared)
            )
    return Parsed(Portion(whole_rows, whole_rejects, tuple(files)), columns, tuple(damaged))


def _named(parsed: ParsedFile, contract: Contract) -> ParsedFile:
    """A file whose columns have the names of the contract, where it is clear which is meant."""
    names = contract_names(parsed.columns, contract)

    def renamed(batch: ParsedBatch) -> ParsedBatch:
        return replace(batch, rows=batch.rows.rename_columns([*names, ROW_NUMBER]))

    return replace(parsed, columns=names, batches=map(renamed, parsed.batches))


def _all_columns(stream: FileStream, opened: Mapping[DroppedFile, ParsedFile]) -> tuple[str, ...]:
    """The columns of all files, in order of appearance; JSON keys may vary by file, headers may not."""
    headers = {
        frozenset(parsed.columns) for file, parsed in opened.items() if not (is_json(file.name) or parsed.is_hollow)
    }
    if len(headers) > 1:
        raise JourneymartError(
            f"The {len(opened)} files of one extract of {stream.stream} in {stream.location} have "
            "different columns: deliver them with the same header."
        )
    union = dict.fromkeys(name for parsed in opened.values() for name in parsed.columns)
    return require_columns(list(union), Path(next(iter(opened)).name))


def _with_file(schema: pa.Schema) -> pa.Schema:
    return schema.insert(schema.get_field_index("_row"), pa.field("_file", pa.string()))


def _of_file(table: pa.Table, file: str, schema: pa.Schema) -> pa.Table:
    """The table with `_file` added, and NULL for every column of the schema it lacks."""
    have = set(table.column_names)
    named = {"_file": pa.repeat(pa.scalar(file), table.num_rows)}
    lacking = pa.nulls(table.num_rows, pa.string())
    columns = [table[name] if name in have else named.get(name, lacking) for name in schema.names]
    return pa.table(columns, schema=schema)
