"""Makes rows of the contract of a delivery that has columns of its own, as its mapping says.

What lives here: running the mapping's statement over a parsed delivery, in a DuckDB that sees nothing else, and holding
what came of it against counts made without it. Not here: the statement (quality/mapping), the delivery (parse.py).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from assets.landing.connectors.config import FileStream
from assets.landing.connectors.reader import is_json
from assets.landing.parse import Parsed
from assets.landing.rows_file import write_rows
from quality.contract.model import Contract
from quality.gate.delivery_checks import needed_columns
from quality.landed.extract import ORIGIN
from quality.landed.manifest import LandedFile, Mapped
from quality.mapping.model import StreamMapping
from quality.mapping.statement import Fit, as_texts, counts, fit, mapped_columns, untyped_rows, without_absent
from quality.rows.casts import literal
from quality.rows.landed_text import read_parquet
from storage.engine import connect
from storage.errors import JourneymartError
from storage.nearest import nearest_words


def map_rows(stream: FileStream, mapping: StreamMapping, contract: Contract, parsed: Parsed, building: Path) -> Parsed:
    """Make the rows of a delivery those of the contract.

    A record keeps its file and number, in every row that is made of it; rejects stay. A column that was not delivered
    is NULL and told; without one the contract needs, or a condition asks, there are no rows to make.

    Args:
        stream: The stream.
        mapping: Its mapping.
        contract: Its contract.
        parsed: The delivery, columns as delivered.
        building: Folder to work in.

    Raises:
        JourneymartError: A column that is needed was not delivered, or an expression cannot be worked out.
    """
    met = fit(mapping, parsed.columns)
    if parsed.columns:
        _require_needed(stream, mapping, contract, parsed, met)
        mapping = without_absent(mapping, met)
    target = building / "mapped.parquet"
    columns = mapped_columns(mapping, contract)
    delivered = read_parquet(parsed.whole.rows)
    with _seeing_only(parsed.whole.rows, building) as connection:
        rows = untyped_rows(mapping, contract, met, f"from {delivered}", stream.reading)
        try:
            types = _types(connection, rows, columns)
            found = write_rows(connection.sql(as_texts(types, rows, stream.reading)), columns, target)
            counted = {
                file: (not_ours, without, given)
                for file, not_ours, without, given in connection.execute(
                    counts(mapping, met, f"from {delivered}", stream.reading)
                ).fetchall()
            }
        except duckdb.Error:
            raise _unworkable(connection, stream, mapping, contract, parsed.whole.rows) from None
    files = tuple(_counted(file, *counted.get(file.name, (0, 0, 0))) for file in parsed.whole.files)
    if wrong := [file.name for file in files if found[file.name] != file.rows]:
        raise JourneymartError(
            f"{stream.stream}: the mapping made {found[wrong[0]]:,} rows of {wrong[0]} where its columns hold "
            f"{next(file.rows for file in files if file.name == wrong[0]):,}: nothing was landed; report this as a bug."
        )
    mapped = Mapped(
        not_ours=sum(each[0] for each in counted.values()),
        without_values=sum(each[1] for each in counted.values()),
        lacking=tuple(f"{name} (line {line} of {mapping.file})" for name, line, _ in met.lacking if parsed.columns),
        unmapped=met.unmapped,
    )
    return replace(parsed, whole=replace(parsed.whole, rows=target, files=files), columns=columns, mapped=mapped)


def _counted(file: LandedFile, not_ours: int, without_values: int, rows: int) -> LandedFile:
    """A file whose rows are those of the contract, by counts of its delivered columns."""
    left_out = not_ours + without_values
    return replace(file, records=file.records - left_out, rows=rows, left_out=left_out)


def _seeing_only(rows: Path, building: Path) -> duckdb.DuckDBPyConnection:
    """A DuckDB that may read one file, and whose zone is the same on every machine."""
    connection = connect(spill=building / ".spill")
    connection.execute("set TimeZone = 'UTC'")
    connection.execute(f"set allowed_paths = [{literal(str(rows))}]")
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")
    return connection


def _types(connection: duckdb.DuckDBPyConnection, rows: str, columns: tuple[str, ...]) -> dict[str, str]:
    """The columns of the rows and their types."""
    described = connection.execute(f"describe {rows}").fetchall()
    return {name: row[1] for name, row in zip(columns, described, strict=False)}


def _require_needed(stream: FileStream, mapping: StreamMapping, contract: Contract, parsed: Parsed, met: Fit) -> None:
    """Refuse a delivery without a column no row can be made without; JSON need not write what is empty."""
    names = [file.name for file in parsed.whole.files]
    needed = needed_columns(contract)
    if not all(map(is_json, names)):
        needed |= {"where"} if met.values or not mapping.unpivot else {"where", "unpivot"}
    lacking = [each for each in met.lacking if each[2] in needed]
    if not lacking:
        return
    name, line, target = lacking[0]
    use = "asks for" if target == "where" else "takes rows from" if target == "unpivot" else f"makes {target} of"
    hint = nearest_words(name, met.unmapped, show=0)
    raise JourneymartError(
        f"{names[0]} of {stream.stream} in {stream.location} has no column '{name}', which line {line} of "
        f"{mapping.file} {use}{f'; {hint}' if hint else ''}: correct the mapping, or have it delivered again."
    )


def _unworkable(
    connection: duckdb.DuckDBPyConnection, stream: FileStream, mapping: StreamMapping, contract: Contract, rows: Path
) -> JourneymartError:
    """Say which line cannot be worked out. DuckDB's own words hold values of records, so they are not repeated."""
    where = (mapping.where.line, "where") if mapping.where else None
    places = [(value.line, name) for name, value in mapping.columns if value.sql is not None]
    line, name = next(
        (
            place
            for place, alone in (
                (where, replace(mapping, columns=())),
                *((place, _only(mapping, place[1])) for place in places),
            )
            if place and not _works(connection, stream, alone, contract, rows)
        ),
        (mapping.line, stream.stream.stream),
    )
    return JourneymartError(
        f"{mapping.file}, line {line}: {name} cannot be worked out for a record of {stream.stream} in "
        f"{stream.location}: write it so that it gives NULL where a text is not as expected, with try_cast or a case."
    )


def _only(mapping: StreamMapping, column: str) -> StreamMapping:
    return replace(mapping, columns=tuple(each for each in mapping.columns if each[0] == column))


def _works(
    connection: duckdb.DuckDBPyConnection, stream: FileStream, mapping: StreamMapping, contract: Contract, rows: Path
) -> bool:
    """Whether a mapping gives something for every record."""
    met = fit(mapping, [name for name in pq.read_schema(rows).names if name not in ORIGIN])
    made = untyped_rows(mapping, contract, met, f"from {read_parquet(rows)}", stream.reading)
    try:
        connection.execute(f"select count(columns(*)) from ({made})").fetchall()
    except duckdb.Error:
        return False
    return True
