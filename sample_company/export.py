"""The drop folder: extracts as files with their manifests, day after day, and what they were made with.

What lives here: `write_extracts`. Each file appears whole (temporary name, rename), its manifest last. The
same company and first date give the same bytes, whether written in one call or in many. Not here: which rows
a file holds (extract.py).
"""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from sample_company.company import Company, World, simulate
from sample_company.extract import STREAMS, Extract, broken_rows, chunks, pick_rows, render, studio
from sample_company.native_qualtrics import response_headers
from sample_company.truth import write_truth
from storage.errors import JourneymartError

FIRST_DATE = date(2026, 6, 27)
"""First extract date by default; its extracts are the histories."""

PARAMETERS = "sample.json"
DIRT_COLUMNS = pa.schema(
    [
        ("kind", pa.string()),
        ("source", pa.string()),
        ("stream", pa.string()),
        ("extract_date", pa.date32()),
        ("key", pa.string()),
    ]
)


def write_extracts(company: Company, drop: Path, first_date: date, through: date) -> list[Path]:
    """Write the histories (for the first date) and the extracts of each later day not in the folder yet.

    The truth beside them is brought up to `through`. A drop folder already written further is left as it is.

    Args:
        company: Whose extracts.
        drop: Drop folder; gets a folder per source, `truth/` and `sample.json`.
        first_date: First extract date.
        through: Last extract date.

    Returns:
        The extracts written, without their manifests.

    Raises:
        JourneymartError: The folder holds another company, or the dates do not follow one another.
    """
    if company.seed < 0 or company.customers < 1:
        raise JourneymartError("The sample company needs a seed of at least 0 and at least 1 customer.")
    if not company.start < first_date <= through:
        raise JourneymartError(
            f"The sample company starts on {company.start}, so its first extract date ({first_date}) must be "
            f"later and its last ({through}) not before the first."
        )
    parameters = _parameters(company, first_date)
    known = _read_parameters(drop)
    if known and {name: known[name] for name in parameters} != parameters:
        raise JourneymartError(
            f"{drop / PARAMETERS} was written for another sample company or first date: use its seed, "
            f"customers and dates, or an empty drop folder."
        )
    done = written_through(drop)
    if done and done >= through:
        return []
    _write_json(drop / PARAMETERS, {**parameters, "through": done.isoformat() if done else ""})
    world = simulate(company, through)
    written = []
    with studio(world) as connection:
        for extract_date in (first_date + timedelta(days=n) for n in range((through - first_date).days + 1)):
            written += _write_day(connection, world, drop, extract_date, is_history=extract_date == first_date)
        write_truth(connection, world, drop / "truth", through)
    _write_json(drop / PARAMETERS, {**parameters, "through": through.isoformat()})
    return written


def write_next_day(drop: Path) -> list[Path]:
    """Write the extracts of the day after the last one in a drop folder.

    Raises:
        JourneymartError: The folder holds no sample company.
    """
    known = _read_parameters(drop)
    if not known or not known["through"]:
        raise JourneymartError(f"{drop} holds no finished sample company: write one first.")
    company = Company(known["seed"], known["customers"], date.fromisoformat(known["start"]))
    next_day = date.fromisoformat(known["through"]) + timedelta(days=1)
    return write_extracts(company, drop, date.fromisoformat(known["first_date"]), next_day)


def written_through(drop: Path) -> date | None:
    """Last extract date in a drop folder; None: nothing is finished there."""
    known = _read_parameters(drop)
    return date.fromisoformat(known["through"]) if known and known["through"] else None


def _parameters(company: Company, first_date: date) -> dict[str, object]:
    return {
        "seed": company.seed,
        "customers": company.customers,
        "start": company.start.isoformat(),
        "first_date": first_date.isoformat(),
    }


def _read_parameters(drop: Path) -> dict[str, Any] | None:
    path = drop / PARAMETERS
    if not path.exists():
        return None
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError:
        known = None
    if not isinstance(known, dict) or not {"seed", "customers", "start", "first_date", "through"} <= known.keys():
        raise JourneymartError(
            f"{path} is not readable as parameters of a sample company: remove it or the drop folder."
        )
    return known


def _write_day(
    connection: duckdb.DuckDBPyConnection, world: World, drop: Path, extract_date: date, is_history: bool
) -> list[Path]:
    """Write one day's extracts where one is missing, and list their dirt in the truth."""
    extracts = [Extract(stream, extract_date, is_history) for stream in STREAMS]
    paths = [_path(drop, extract) for extract in extracts]
    dirt_path = drop / "truth" / "dirt" / f"{extract_date}.parquet"
    if dirt_path.exists() and all(_manifest(path).exists() for path in paths):
        return []
    found = [_write_extract(connection, world, extract, path) for extract, path in zip(extracts, paths, strict=True)]
    with _whole(dirt_path) as partial:
        pq.write_table(pa.concat_tables(found), partial)
    return paths


def _path(drop: Path, extract: Extract) -> Path:
    when = "history" if extract.is_history else extract.extract_date.isoformat()
    return drop / extract.stream.source / f"{extract.stream.name}_{when}.{extract.stream.extension}"


def _manifest(path: Path) -> Path:
    return path.with_name(f"{path.name}.manifest.json")


def _write_extract(connection: duckdb.DuckDBPyConnection, world: World, extract: Extract, path: Path) -> pa.Table:
    """Write one extract and its manifest; returns the dirt it holds."""
    rows = pick_rows(connection, extract, world.company.seed)
    dirt = []
    with (
        _whole(path) as partial,
        tempfile.TemporaryDirectory() as scratch,
        _writer(extract, partial, Path(scratch)) as out,
    ):
        for first, last in chunks(rows):
            render(connection, extract, world, first, last)
            out.write(connection, "from rendered")
            dirt.append(_dirt(connection, extract, "select unnest(_dirt) as kind, _key as key from rendered"))
        broken = broken_rows(connection, extract, world, rows)
        for kind, native in broken:
            out.write(connection, native)
            dirt.append(_dirt(connection, extract, f"select 'broken_{kind}' as kind, _key as key from ({native})"))
    with path.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    manifest = {
        "rows": rows + len(broken),
        "bytes": path.stat().st_size,
        "sha256": digest,
        "mode": extract.stream.mode,
    }
    _write_json(_manifest(path), manifest)
    return pa.concat_tables(dirt)


def _dirt(connection: duckdb.DuckDBPyConnection, extract: Extract, found: str) -> pa.Table:
    stream = extract.stream
    return connection.sql(
        f"select kind, ? as source, ? as stream, ?::date as extract_date, key from ({found}) order by all",
        params=[stream.source, stream.name, extract.extract_date],
    ).to_arrow_table().cast(DIRT_COLUMNS)  # fmt: skip


@dataclass
class _Rows:
    """Takes native rows, without the columns that are only for the truth, in the form of one file."""

    scratch: Path
    parquet: Path | None = None
    text: gzip.GzipFile | None = None
    is_csv: bool = False
    is_survey: bool = False
    table: pq.ParquetWriter | None = None
    has_header: bool = False

    def write(self, connection: duckdb.DuckDBPyConnection, native: str) -> None:
        native = f"select * exclude (_key, _dirt) from ({native})"
        if self.parquet:
            rows = connection.sql(native).to_arrow_table()
            if self.table is None:
                self.table = pq.ParquetWriter(self.parquet, rows.schema, compression="zstd")
            self.table.write_table(rows)
            return
        part = self.scratch / "part"
        form = f"format csv, header {not self.has_header}, force_quote *" if self.is_csv else "format json"
        connection.execute(f"copy ({native}) to '{_quoted(part)}' ({form})")
        assert self.text is not None  # noqa: S101 - a file is one or the other
        with part.open("rb") as rows_text:
            if self.is_survey and not self.has_header:
                header = rows_text.readline()
                columns = header.decode().strip().replace('"', "").split(",")
                self.text.write(header + response_headers(columns).encode())
            shutil.copyfileobj(rows_text, self.text)
        self.has_header = True


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


@contextmanager
def _writer(extract: Extract, path: Path, scratch: Path) -> Iterator[_Rows]:
    """A writer for the extract's form; gzip without name or time, so that bytes depend on the rows only."""
    if extract.stream.extension == "parquet":
        rows = _Rows(scratch, parquet=path)
        yield rows
        if rows.table:
            rows.table.close()
        return
    with path.open("wb") as raw, gzip.GzipFile("", "wb", compresslevel=6, fileobj=raw, mtime=0) as text:
        is_survey = extract.stream.name == "responses"
        yield _Rows(scratch, text=text, is_csv=extract.stream.extension == "csv.gz", is_survey=is_survey)


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """A temporary path beside the file, renamed to it when all is written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.part")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _write_json(path: Path, content: dict[str, object]) -> None:
    with _whole(path) as partial:
        partial.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
