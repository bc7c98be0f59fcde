"""The checks of an extract that need no typed rows: the partition is looked at from outside.

What lives here: asking disk and DuckDB what is there. Not here: what the answers mean (delivery_checks.py).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import duckdb

from quality.gate.accepted import is_accepted_as_landed
from quality.gate.check_result import CheckResult, failed, guarded, not_judged
from quality.gate.delivery_checks import FileFacts, completeness, deletes, schema, written
from quality.landed.extract import FILES, ORIGIN, LandedExtract
from quality.landed.manifest import LandingManifest, read_manifest
from quality.rows.delivered_as import local_dates, number_shapes, records_of_another_encoding
from quality.rows.formats import date_faults, encoding_faults, number_faults
from quality.rows.landed_text import read_parquet, text_columns
from storage.data_folder import DataFolder
from storage.errors import JourneymartError
from storage.files import sha256_of


@dataclass(frozen=True)
class Case:
    """An extract after the checks that need no typed rows; `sound` if its rows can be judged."""

    extract: LandedExtract
    manifest: LandingManifest | None
    results: Mapping[str, CheckResult]
    seconds: float

    @property
    def unsound(self) -> str | None:
        """The check that makes judging its rows pointless; None if they can be judged."""
        return next((kind for kind in ("completeness", "schema") if not self.results[kind].passed), None)


def look_at(connection: duckdb.DuckDBPyConnection, extract: LandedExtract) -> Case:
    """Make the checks that need no typed rows."""
    started = time.perf_counter()
    contract = extract.contract
    results: dict[str, CheckResult] = {}
    try:
        manifest = read_manifest(extract.partition)
    except JourneymartError as error:
        results["completeness"] = failed("completeness", error)
        results.update({kind: not_judged(kind, "completeness") for kind in ("schema", "format", "deletes")})
        return Case(extract, None, results, time.perf_counter() - started)
    results["completeness"] = guarded("completeness", lambda: _completeness(connection, extract, manifest))
    results["schema"] = guarded("schema", lambda: schema(contract, manifest))
    results["format"] = guarded("format", lambda: _written(connection, extract))
    results["deletes"] = guarded("deletes", lambda: deletes(manifest))
    return Case(extract, manifest, results, time.perf_counter() - started)


def _completeness(
    connection: duckdb.DuckDBPyConnection, extract: LandedExtract, manifest: LandingManifest
) -> CheckResult:
    delivered = {path.name: path for path in (extract.partition / FILES).iterdir()}
    landed = f"select _file, _row, true as is_row from {read_parquet(extract.rows_file)}"
    if extract.rejects_file.exists():
        landed += f" union all select _file, _row, false from {read_parquet(extract.rejects_file)}"
    counted = connection.execute(
        "select _file, count(*) filter (is_row), count(*) filter (not is_row), count(distinct _row) "
        f"from ({landed}) group by _file"
    ).fetchall()
    facts = {
        name: FileFacts(*_on_disk(delivered.get(name)), rows=rows, rejects=rejects, records=records)
        for name, rows, rejects, records in counted
    }
    for name, path in delivered.items():
        facts.setdefault(name, FileFacts(*_on_disk(path), rows=0, rejects=0, records=0))
    changes = None
    if extract.mode == "full":
        by_operation = dict(
            connection.execute(f"select _op, count(*) from {read_parquet(extract.judged_file)} group by _op").fetchall()
        )
        changes = (by_operation.pop("upsert", 0), by_operation.pop("delete", 0), len(by_operation))
    columns = [name for name in text_columns(connection, extract.rows_file) if name not in ORIGIN]
    about = (extract.stream, extract.extract_date, extract.mode)
    result = completeness(manifest, about=about, facts=facts, columns=columns, changes=changes)
    return replace(result, metadata={**result.metadata, "erased": manifest.erased}) if manifest.erased else result


def _written(connection: duckdb.DuckDBPyConnection, extract: LandedExtract) -> CheckResult:
    faults = number_faults(number_shapes(connection, extract), extract.reading)
    faults |= date_faults(local_dates(connection, extract), extract.reading)
    faults |= encoding_faults(records_of_another_encoding(connection, extract))
    return written(extract.stream, faults)


def builds_on_accepted(
    folder: DataFolder, extract: LandedExtract, manifest: LandingManifest, complete: CheckResult
) -> CheckResult:
    """Changes found against a dump that was not accepted would lack all that changed in that dump."""
    before = manifest.compared_to
    if before is None or is_accepted_as_landed(folder, extract.stream, date.fromisoformat(before.extract_date)):
        return complete
    told = {**complete.metadata, "compared to a dump that was not accepted": before.extract_date}
    return CheckResult("completeness", "fail", told)


def _on_disk(path: Path | None) -> tuple[int | None, str | None]:
    """Size and hash of a file; None if it is not there."""
    return (None, None) if path is None else (path.stat().st_size, sha256_of(path))
