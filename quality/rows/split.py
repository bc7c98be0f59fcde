"""The working table of a stream: every row of its new batches, typed by contract, kept or quarantined.

What lives here: the SQL from landed text to typed rows, and the split by the contract's predicates. Not here: the
landed file itself (landed_text.py), counting (counts.py), and writing what was split (quality/gate/accepted.py,
quality/gate/quarantine.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import duckdb

from quality.contract.bounds import is_placeholder, kind_of
from quality.contract.model import DUCKDB_TYPES, Contract
from quality.landed.extract import LandedExtract
from quality.rows.casts import cast, identifier, literal, respelled
from quality.rows.landed_text import delivered_text, is_csv, read_parquet, text_columns
from quality.rows.predicates import (
    OUTSIDE,
    PLACEHOLDER,
    any_of,
    delivered,
    faulty,
    judged_fields,
    predicates,
    refused,
)
from quality.rows.work import ADDED_COLUMNS, TO_ACCEPT, TO_DELETE, WORK


def make_work(connection: duckdb.DuckDBPyConnection, contract: Contract, extracts: Sequence[LandedExtract]) -> None:
    """Make the working table, with a column `_batch` (place among the extracts), and its views.

    The extracts are of one stream, in one mode, and read in one way.

    Raises:
        duckdb.Error: A file cannot be read, or a rule of the contract cannot be evaluated.
    """
    rows = []
    for batch, extract in enumerate(extracts):
        columns = text_columns(connection, extract.judged_file)
        if extract.mode == "full":
            _find_repeated(connection, extract, batch, columns)
        rows.append(f"({_landed_rows(extract, batch, columns)})")
    quarantining = any_of(each for each in predicates(contract) if each.on_failure == "quarantine")
    connection.execute(
        f"create or replace table {WORK} as select *, {quarantining} as _quarantined "
        f"from ({_typed_rows(extracts[0], ' union all '.join(rows))})"
    )
    for view, operation in ((TO_ACCEPT, "upsert"), (TO_DELETE, "delete")):
        connection.execute(
            f"create or replace view {view} as select * from {WORK} where not _quarantined and _op = '{operation}'"
        )


def wrong_types(connection: duckdb.DuckDBPyConnection, contract: Contract) -> list[str]:
    """Columns that DuckDB's catalog does not hold in the type they should have."""
    wanted = {name: DUCKDB_TYPES[column.type] for name, column in contract.columns.items()}
    wanted.update(ADDED_COLUMNS)
    connection.execute(
        "create or replace temp table wanted ("
        + ", ".join(f"{identifier(name)} {duckdb_type}" for name, duckdb_type in wanted.items())
        + ")"
    )
    of_table = "select column_name, data_type from duckdb_columns() where table_name = ?"
    held, asked = (dict(connection.execute(of_table, [table]).fetchall()) for table in (WORK, "wanted"))
    return [name for name in wanted if held.get(name) != asked[name]]


def newest_in_dump(connection: duckdb.DuckDBPyConnection, extract: LandedExtract, column: str) -> datetime | None:
    """Newest value of a time column in the whole delivered table, not only in what changed."""
    rows = _dump_rows(extract, text_columns(connection, extract.rows_file), extract.rows_file, [column])
    row = connection.execute(f"select max({_kept(extract, column)}) from ({rows})").fetchone()
    return row[0] if row else None


def _landed_rows(extract: LandedExtract, batch: int, columns: Mapping[str, str]) -> str:
    """SQL of one extract's rows as texts, which are the same columns whatever was delivered."""
    contract = extract.contract
    known = {"_file", "_row", *contract.columns}
    if extract.mode == "full":
        known.add("_op")
    unknown = [f"{literal(name)}, {identifier(read)}" for name, read in columns.items() if name not in known]
    repeated = f"coalesce((_file, _row) in (select (_file, _row) from {_repeated(batch)}), false)"
    landed = [
        f"{batch}::integer as _batch",
        f"{_day(extract)} as _extract_date",
        "_file",
        "_row",
        f"{'_op' if extract.mode == 'full' else literal('upsert')} as _op",
        f"json_object({', '.join(unknown)}) as _extra" if unknown else "null::json as _extra",
        f"{repeated if extract.mode == 'full' else 'false'} as _repeated",
        *(
            f"{delivered_text(extract, name, columns) if name in columns else 'null::varchar'} "
            f"as {delivered(contract, name)}"
            for name in contract.columns
        ),
    ]
    return f"select {', '.join(landed)} from {read_parquet(extract.judged_file)}"


def _typed_rows(like: LandedExtract, landed: str) -> str:
    """SQL of landed rows in the layout of the working table; it is planned once, however many extracts there are.

    Args:
        like: One of the extracts; they are read in one way.
        landed: SQL of the rows of all.
    """
    contract = like.contract
    bounded = [name for name in contract.columns if contract.bounds(name)]
    read = ["*", *(f"{_value(like, name)} as {identifier(name)}" for name in contract.columns)]
    judged = [
        "*",
        *(
            f"{_refusal(like, name, identifier(name), delivered(contract, name), '_extract_date')} "
            f"as {refused(contract, name)}"
            for name in bounded
        ),
        *(f"{wrong} as {faulty(contract, name, path)}" for name, path, wrong in judged_fields(contract)),
    ]
    values = {
        name: f"case when {refused(contract, name)} is null then {identifier(name)} end"
        if name in bounded
        else identifier(name)
        for name in contract.columns
    }
    outer = [
        "_batch",
        *(f"{value} as {identifier(name)}" for name, value in values.items()),
        "_extra",
        f"{literal(like.stream.source)} as _source",
        "_extract_date",
        "_file",
        "_row",
        "_op",
        f"{_version(like, values)} as _version_at",
        "_repeated",
        # What was delivered is kept where nothing came of it; elsewhere the value says it.
        *(
            f"case when {value} is null then {delivered(contract, name)} end as {delivered(contract, name)}"
            for name, value in values.items()
            if contract.columns[name].type != "text"
        ),
        *(refused(contract, name) for name in bounded),
        *(faulty(contract, name, path) for name, path, _ in judged_fields(contract)),
    ]
    source = f"(select {', '.join(read)} from ({landed}))"
    return f"select {', '.join(outer)} from (select {', '.join(judged)} from {source})"


def _value(extract: LandedExtract, name: str) -> str:
    """SQL of the typed value of a column, of the text in its working column."""
    column, reading = extract.contract.columns[name], extract.reading
    text = delivered(extract.contract, name)
    if column.type == "text":
        return respelled(column, text)
    value = cast(column.type, text, extract.timezone, reading)
    plain = cast(column.type, text, extract.timezone, replace(reading, decimal=None, thousands=None))
    # Other files write numbers in a way of their own.
    return value if value == plain else f"case when {is_csv('_file')} then {value} else {plain} end"


def _refusal(extract: LandedExtract, name: str, value: str, text: str, extract_date: str) -> str:
    """SQL of why a typed value of a column with bounds is not kept, NULL where it is."""
    contract = extract.contract
    column, bounds = contract.columns[name], contract.bounds(name)
    refusals = []
    if kind_of(column.type) == "time":
        day = cast("date", text, extract.timezone, extract.reading)
        unknown = is_placeholder(column.type, value, day, text, column.placeholders)
        refusals.append(f"when {unknown} then '{PLACEHOLDER}'")
    if bounds is not None:
        refusals.append(f"when {bounds.outside(value, extract_date)} then '{OUTSIDE}'")
    return f"case {' '.join(refusals)} end"


def _kept(extract: LandedExtract, name: str) -> str:
    """SQL of the typed value of a column with bounds, NULL where it is not kept."""
    value = identifier(name)
    refusal = _refusal(extract, name, value, delivered(extract.contract, name), _day(extract))
    return f"case when {refusal} is null then {value} end"


def _day(extract: LandedExtract) -> str:
    return f"date '{extract.extract_date.isoformat()}'"


def _version(like: LandedExtract, values: Mapping[str, str]) -> str:
    """A dump's row is as of the dump; another's is as of its version, or its extract where it has none."""
    end_of_day = "(_extract_date + 1)::timestamptz"
    version = like.contract.version
    if version is None or like.mode == "full":
        return end_of_day
    return f"coalesce({values[version]}, {end_of_day})"


def _repeated(batch: int) -> str:
    return f"repeated_{batch}"


def _find_repeated(
    connection: duckdb.DuckDBPyConnection, extract: LandedExtract, batch: int, columns: Mapping[str, str]
) -> None:
    """Note rows of a dump that contradict another row of the same key.

    A dump says one thing of each key. Where it says several, the row with the newest version is believed (the
    last one in the file among equals), and every row with other content goes to quarantine. Exact repeats do
    no harm. Of a key that changed, landing passes on every row, so the changes tell all there is to know.
    """
    contract = extract.contract
    content = ", ".join(identifier(read) for name, read in columns.items() if name not in ("_file", "_row", "_op"))
    version = contract.version and _kept(extract, contract.version)
    rows = _dump_rows(
        extract,
        columns,
        extract.judged_file,
        list(dict.fromkeys((*contract.key, *([contract.version] if contract.version else [])))),
        "_row",
        "_op",
        f"row({content}) as _content",
    )
    connection.execute(
        f"""
        create or replace table {_repeated(batch)} as
        with told as (
            select _file, _row, _content,
                first_value(_content) over (
                    partition by {", ".join(identifier(name) for name in contract.key)}
                    order by {version or "null"} desc nulls last, _file desc, _row desc
                ) as believed
            from ({rows}) where _op = 'upsert'
        )
        select _file, _row from told where _content is distinct from believed
        """
    )


def _dump_rows(extract: LandedExtract, columns: Mapping[str, str], file: Path, names: Sequence[str], *more: str) -> str:
    """SQL of a dump's rows with the typed values of some columns beside their texts.

    The values are made of named texts: with each text in full wherever it is asked for, planning took a second.

    Args:
        extract: The dump.
        columns: Those of the file (landed_text.text_columns).
        file: Its rows.
        names: Columns by contract.
        more: What else to select of each row.
    """
    texts = [f"{delivered_text(extract, name, columns)} as {delivered(extract.contract, name)}" for name in names]
    values = [f"{_value(extract, name)} as {identifier(name)}" for name in names]
    return (
        f"select *, {', '.join(values)} from (select {', '.join(('_file', *more, *texts))} from {read_parquet(file)})"
    )
