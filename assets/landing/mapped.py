"""Makes rows of the contract of a delivery that has columns of its own, as its mapping says.

What lives here: running the mapping's statement over a parsed delivery, in a DuckDB that sees nothing but it and what
it looks up, and holding what came of it against counts made without it. Not here: the statement (quality/mapping), the
delivery (parse.py), what is looked up (looked_up.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from assets.landing.connectors.config import FileStream
from assets.landing.connectors.reader import is_json
from assets.landing.looked_up import look_up, readable
from assets.landing.parse import Parsed
from assets.landing.rows_file import column_types, write_rows
from quality.contract.model import Contract
from quality.gate.delivery_checks import needed_columns
from quality.landed.manifest import LandedFile, Mapped
from quality.mapping.model import StreamMapping
from quality.mapping.statement import Fit, as_texts, counts, fit, mapped_columns, untyped_rows, without_absent
from quality.rows.casts import literal
from quality.rows.landed_text import read_parquet
from storage.engine import connect
from storage.errors import JourneymartError
from storage.nearest import nearest_words


def map_rows(
    stream: FileStream,
    mapping: StreamMapping,
    contract: Contract,
    parsed: Parsed,
    building: Path,
    *,
    home: Path,
    day: date | None,
) -> Parsed:
    """Make the rows of a delivery those of the contract.

    A record keeps its file and number, in every row that is made of it; rejects stay. A column that was not delivered
    is NULL and told; without one the contract needs, or a condition asks, there are no rows to make.

    Args:
        stream: The stream.
        mapping: Its mapping.
        contract: Its contract.
        parsed: The delivery, columns as delivered.
        building: Folder to work in.
        home: The stream's folder in landing; those of the streams it looks up lie beside it.
        day: Whose extract it is; None: its records are of the day of their cursor.

    Raises:
        JourneymartError: A column that is needed was not delivered, nothing of a stream that is looked up has landed,
            or an expression cannot be worked out.
    """
    met = fit(mapping, parsed.columns)
    if parsed.columns:
        _require_needed(stream, mapping, contract, parsed, met)
        _require_own_names(stream, mapping, parsed)
        mapping = without_absent(mapping, met)
    target = building / "mapped.parquet"
    columns = mapped_columns(mapping, contract)
    delivered = f"from {read_parquet(parsed.whole.rows)}"
    unknown = building / "unknown.parquet" if mapping.lookups else None
    with _seeing_only([parsed.whole.rows, *readable(stream, home)], building) as connection:
        try:
            if unknown:
                delivered = look_up(connection, stream, contract, met, home, rows=parsed.whole.rows, day=day)
                pq.write_table(connection.table("unknown").to_arrow_table(), unknown)
            rows = untyped_rows(mapping, contract, met, delivered, stream.reading)
            types = column_types(connection, rows, columns)
            found = write_rows(connection.sql(as_texts(types, rows, stream.reading)), columns, target)
            counted = {
                file: (not_ours, without, given)
                for file, not_ours, without, given in connection.execute(
                    counts(mapping, met, delivered, stream.reading)
                ).fetchall()
            }
        except duckdb.Error:
            made = partial(untyped_rows, contract=contract, met=met, delivered=delivered, reading=stream.reading)
            raise _unworkable(connection, stream, mapping, made) from None
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
    whole = replace(parsed.whole, rows=target, files=files)
    return replace(parsed, whole=whole, columns=columns, mapped=mapped, unknown=unknown)


def _counted(file: LandedFile, not_ours: int, without_values: int, rows: int) -> LandedFile:
    """A file whose rows are those of the contract, by counts of its delivered columns."""
    left_out = not_ours + without_values
    return replace(file, records=file.records - left_out, rows=rows, left_out=left_out)


def _seeing_only(files: Iterable[Path], building: Path) -> duckdb.DuckDBPyConnection:
    """A DuckDB that may read some files, and whose zone is the same on every machine."""
    connection = connect(spill=building / ".spill")
    connection.execute("set TimeZone = 'UTC'")
    connection.execute(f"set allowed_paths = [{', '.join(literal(str(file)) for file in files)}]")
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")
    return connection


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


def _require_own_names(stream: FileStream, mapping: StreamMapping, parsed: Parsed) -> None:
    """Refuse a delivery with a column that is called like one that is looked up."""
    delivered = {name.casefold() for name in parsed.columns}
    for each in mapping.lookups:
        if each.name.casefold() in delivered:
            raise JourneymartError(
                f"{parsed.whole.files[0].name} of {stream.stream} in {stream.location} has a column '{each.name}', as "
                f"line {each.line} of {mapping.file} calls what it looks up: give that another name."
            )


def _unworkable(
    connection: duckdb.DuckDBPyConnection,
    stream: FileStream,
    mapping: StreamMapping,
    made: Callable[[StreamMapping], str],
) -> JourneymartError:
    """Say which line cannot be worked out. DuckDB's own words hold values of records, so they are not repeated.

    Args:
        connection: A connection.
        stream: The stream.
        mapping: Its mapping.
        made: SQL of the rows that a mapping makes of the delivery.
    """
    where = (mapping.where.line, "where") if mapping.where else None
    places = [(value.line, name) for name, value in mapping.columns if value.sql is not None]
    line, name = next(
        (
            place
            for place, alone in (
                (where, replace(mapping, columns=())),
                *((place, _only(mapping, place[1])) for place in places),
            )
            if place and not _works(connection, made(alone))
        ),
        (mapping.line, stream.stream.stream),
    )
    return JourneymartError(
        f"{mapping.file}, line {line}: {name} cannot be worked out for a record of {stream.stream} in "
        f"{stream.location}: write it so that it gives NULL where a text is not as expected, with try_cast or a case."
    )


def _only(mapping: StreamMapping, column: str) -> StreamMapping:
    return replace(mapping, columns=tuple(each for each in mapping.columns if each[0] == column))


def _works(connection: duckdb.DuckDBPyConnection, made: str) -> bool:
    """Whether a mapping gives something for every record."""
    try:
        connection.execute(f"select count(columns(*)) from ({made})").fetchall()
    except duckdb.Error:
        return False
    return True
