"""The working table of a stream: every row of its new batches, typed by contract, kept or quarantined.

What lives here: the SQL from landed text to typed rows, the split by the contract's predicates, and the counts of each.
Not here: what the counts mean (quality/gate), and writing what was split (quality/gate/accepted.py,
quality/gate/quarantine.py).
"""

from __future__ import annotations

import glob
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from quality.contract.bounds import is_placeholder, kind_of
from quality.contract.model import DUCKDB_TYPES, ColumnType, Contract
from quality.landed.extract import BAD_ENCODING, LandedExtract
from quality.rows.casts import GROUP_MARKS, NUMERIC, cast, identifier, literal, present, respelled
from quality.rows.formats import LocalDates, Shape
from quality.rows.predicates import OUTSIDE, PLACEHOLDER, any_of, delivered, predicates, refused
from quality.rows.suite import Expectation

_LOCAL_DATE = "^([0-9]{1,2})[/.-]([0-9]{1,2})[/.-][0-9]{4}"
# A longer text is no number, whatever it looks like.
_LONGEST_NUMBER = 40
# A file that cannot be parsed may have a reason for each number of fields.
_MOST_REASONS = 3

WORK = "work"
# The rows to be accepted; announced deletions apart, because they have a key and nothing else.
TO_ACCEPT = "to_accept"
TO_DELETE = "to_delete"

# What the gate adds to the columns of the contract, in this order.
ADDED_COLUMNS: Mapping[str, str] = {
    "_extra": "json",
    "_source": "varchar",
    "_extract_date": "date",
    "_file": "varchar",
    "_row": "bigint",
    "_op": "varchar",
    "_version_at": "timestamptz",
}


@dataclass(frozen=True)
class BatchCounts:
    """Counts of one batch in the working table.

    Attributes:
        rows: Rows judged.
        accepted: Rows to be accepted.
        deletions: Those of them that announce a deletion.
        found: Rows that each predicate finds wrong, by its name.
        undated: Quarantined rows with nothing wrong but a required date that stands for "not known".
        newest: Newest value of the column that tells the age among rows to be accepted; None without such a column or
            value.
    """

    rows: int
    accepted: int
    deletions: int
    found: Mapping[str, int]
    newest: datetime | None
    undated: int = 0

    @property
    def upserts(self) -> int:
        """Rows to be accepted that bring a record."""
        return self.accepted - self.deletions

    @property
    def quarantined(self) -> int:
        """Rows that go to quarantine."""
        return self.rows - self.accepted


def pattern(file: Path) -> str:
    """Path of a file for DuckDB's readers, which take every path for a pattern."""
    return glob.escape(str(file))


def read_parquet(file: Path) -> str:
    """SQL that reads one Parquet file."""
    return f"read_parquet({literal(pattern(file))})"


def is_csv(file: str) -> str:
    """SQL that is true of the name of a CSV file, or of what is kept of one."""
    return f"regexp_matches({file}, '\\.csv($|\\.)')"


def text_columns(connection: duckdb.DuckDBPyConnection, file: Path) -> dict[str, str]:
    """Columns of a landed file: name as delivered, to the name DuckDB gives it.

    The two differ where names differ only in case, which DuckDB does not tell apart.

    Raises:
        duckdb.Error: The file cannot be read.
    """
    as_delivered = connection.execute(
        "select name from parquet_schema(?) where num_children is null", [pattern(file)]
    ).fetchall()
    as_read = connection.execute(f"describe select * from {read_parquet(file)}").fetchall()
    return {name: row[0] for (name,), row in zip(as_delivered, as_read, strict=True)}


def make_work(connection: duckdb.DuckDBPyConnection, contract: Contract, extracts: Sequence[LandedExtract]) -> None:
    """Make the working table, with a column `_batch` (place among the extracts), and its views.

    Raises:
        duckdb.Error: A file cannot be read, or a rule of the contract cannot be evaluated.
    """
    rows = []
    for batch, extract in enumerate(extracts):
        columns = text_columns(connection, extract.judged_file)
        if extract.mode == "full":
            _find_repeated(connection, extract, batch, columns)
        rows.append(f"({_typed_rows(extract, batch, columns)})")
    quarantining = any_of(each for each in predicates(contract) if each.on_failure == "quarantine")
    connection.execute(
        f"create or replace table {WORK} as select *, {quarantining} as _quarantined from ({' union all '.join(rows)})"
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


def count_work(connection: duckdb.DuckDBPyConnection, contract: Contract, batches: int) -> list[BatchCounts]:
    """Count the working table, batch by batch."""
    found = predicates(contract)
    newest = identifier(contract.age_column) if contract.age_column else "null::timestamptz"
    otherwise = (each for each in found if each.on_failure == "quarantine" and each.kind != "placeholder")
    columns = [
        "count(*)",
        "count(*) filter (not _quarantined)",
        "count(*) filter (not _quarantined and _op = 'delete')",
        f"max({newest}) filter (not _quarantined)",
        f"count(*) filter (_quarantined and not ({any_of(otherwise)}))",
        *(f"count(*) filter ({each.sql})" for each in found),
    ]
    counted = by_batch(connection, WORK, columns)
    nothing: tuple[Any, ...] = (0, 0, 0, None, 0, *[0] * len(found))
    return [
        BatchCounts(
            rows=rows,
            accepted=accepted,
            deletions=deletions,
            newest=newest_value,
            undated=undated,
            found={each.name: count for each, count in zip(found, counts, strict=True)},
        )
        for rows, accepted, deletions, newest_value, undated, *counts in (
            counted.get(batch, nothing) for batch in range(batches)
        )
    ]


def count_violations(
    connection: duckdb.DuckDBPyConnection, table: str, expected: Sequence[Expectation], batches: int
) -> dict[str, list[int]]:
    """Rows of a view that break each expectation, by its name, batch by batch: the second judgement."""
    columns = [f"count(*) filter ({each.violates})" for each in expected]
    counted = by_batch(connection, table, columns)
    nothing = (0,) * len(expected)
    return {
        each.name: [counted.get(batch, nothing)[place] for batch in range(batches)]
        for place, each in enumerate(expected)
    }


def newest_in_dump(connection: duckdb.DuckDBPyConnection, extract: LandedExtract, column: str) -> datetime | None:
    """Newest value of a time column in the whole delivered table, not only in what changed."""
    value = _kept(extract, column, _text(extract, column, text_columns(connection, extract.rows_file)))
    row = connection.execute(f"select max({value}) from {read_parquet(extract.rows_file)}").fetchone()
    return row[0] if row else None


def number_shapes(connection: duckdb.DuckDBPyConnection, extract: LandedExtract) -> list[Shape]:
    """How the numbers in a delivered table's CSV files look; of a dump all, not only what changed."""
    told = _texts_of(connection, extract, NUMERIC)
    if not told:
        return []
    rows = connection.execute(
        f"""
        select name, regexp_replace(text, '[1-9]', '9', 'g') as shape, count(*)
        from (select unnest($names) as name, unnest([{", ".join(told.values())}]) as text
            from {read_parquet(extract.rows_file)} where {is_csv("_file")})
        where length(text) <= {_LONGEST_NUMBER} and regexp_full_match(text, $number_like)
        group by name, shape order by name, shape
        """,
        {"names": list(told), "number_like": f"[-+0-9{GROUP_MARKS}]*[0-9][{GROUP_MARKS}]?"},
    ).fetchall()
    return [Shape(*row) for row in rows]


def local_dates(connection: duckdb.DuckDBPyConnection, extract: LandedExtract) -> list[LocalDates]:
    """Dates and times of a delivered table that end with their year, column by column."""
    told = _texts_of(connection, extract, ("date", "timestamp"))
    if not told:
        return []
    rows = connection.execute(
        f"""
        with parts as (
            select name, regexp_extract(text, '{_LOCAL_DATE}', ['one', 'two']) as part
            from (select unnest($names) as name, unnest([{", ".join(told.values())}]) as text
                from {read_parquet(extract.rows_file)})
            where text is not null
        ),
        numbers as (select name, try_cast(part.one as integer) as one, try_cast(part.two as integer) as two from parts)
        select name, count(one), count(*), count(*) filter (one <= 31 and two <= 12),
            count(*) filter (one <= 12 and two <= 31)
        from numbers group by name order by name
        """,
        {"names": list(told)},
    ).fetchall()
    return [
        LocalDates(name, count, values, {"day-first": day_first, "month-first": month_first})
        for name, count, values, day_first, month_first in rows
    ]


def records_of_another_encoding(connection: duckdb.DuckDBPyConnection, extract: LandedExtract) -> int:
    """Records that are not in the encoding of their file; 0 where another record shows that it is the file's."""
    if not extract.rejects_file.exists():
        return 0
    counted = connection.execute(
        f"select count(*) from {read_parquet(extract.rejects_file)} where reason = ?", [BAD_ENCODING]
    ).fetchone()
    columns = [identifier(read) for name, read in text_columns(connection, extract.rows_file).items() if name != "_row"]
    if not counted or not counted[0]:
        return 0
    fits = connection.execute(
        f"select count(*) from {read_parquet(extract.rows_file)} "
        f"where regexp_matches(concat({', '.join(columns)}), '[^\x00-\x7f]')"
    ).fetchone()
    return 0 if fits and fits[0] else int(counted[0])


def why_rejected(connection: duckdb.DuckDBPyConnection, extract: LandedExtract) -> dict[str, int]:
    """Why records could not be parsed, the most frequent reasons first, with how many records each."""
    if not extract.rejects_file.exists():
        return {}
    return dict(
        connection.execute(
            f"select reason, count(*) as records from {read_parquet(extract.rejects_file)} "
            f"group by reason order by records desc, reason limit {_MOST_REASONS}"
        ).fetchall()
    )


def _texts_of(
    connection: duckdb.DuckDBPyConnection, extract: LandedExtract, kinds: Collection[ColumnType]
) -> dict[str, str]:
    """SQL of the delivered texts of the columns of some types, by column."""
    columns = text_columns(connection, extract.rows_file)
    return {
        name: _text(extract, name, columns)
        for name, column in extract.contract.columns.items()
        if name in columns and column.type in kinds
    }


def by_batch(connection: duckdb.DuckDBPyConnection, table: str, columns: Sequence[str]) -> dict[int, tuple[Any, ...]]:
    """Aggregates of the working table or one of its views, by batch; a batch without rows is not in it."""
    query = f"select _batch, {', '.join(columns)} from {table} group by _batch"
    return {row[0]: row[1:] for row in connection.execute(query).fetchall()}


def _typed_rows(extract: LandedExtract, batch: int, columns: Mapping[str, str]) -> str:
    """SQL of one extract's rows in the layout of the working table."""
    contract = extract.contract
    known = {"_file", "_row", *contract.columns}
    if extract.mode == "full":
        known.add("_op")
    unknown = [f"{literal(name)}, {identifier(read)}" for name, read in columns.items() if name not in known]
    texts = [
        f"{_text(extract, name, columns) if name in columns else 'null::varchar'} as {delivered(contract, name)}"
        for name in contract.columns
    ]
    repeated = f"coalesce((_file, _row) in (select (_file, _row) from {_repeated(batch)}), false)"
    inner = ", ".join(
        [
            "_file",
            "_row",
            "_op" if extract.mode == "full" else "'upsert' as _op",
            f"json_object({', '.join(unknown)})" if unknown else "null::json",
        ]
    )
    inner += f" as _extra, {repeated if extract.mode == 'full' else 'false'} as _repeated, {', '.join(texts)}"

    bounded = [name for name in contract.columns if contract.bounds(name)]
    read = ["*", *(f"{_value(extract, name)} as {identifier(name)}" for name in contract.columns)]
    judged = [
        "*",
        *(
            f"{_refusal(extract, name, identifier(name), delivered(contract, name))} as {refused(contract, name)}"
            for name in bounded
        ),
    ]
    values = {
        name: f"case when {refused(contract, name)} is null then {identifier(name)} end"
        if name in bounded
        else identifier(name)
        for name in contract.columns
    }
    outer = [
        f"{batch}::integer as _batch",
        *(f"{value} as {identifier(name)}" for name, value in values.items()),
        "_extra",
        f"{literal(extract.stream.source)} as _source",
        f"{_day(extract)} as _extract_date",
        "_file",
        "_row",
        "_op",
        f"{_version(extract, values)} as _version_at",
        "_repeated",
        # What was delivered is kept where nothing came of it; elsewhere the value says it.
        *(
            f"case when {value} is null then {delivered(contract, name)} end as {delivered(contract, name)}"
            for name, value in values.items()
            if contract.columns[name].type != "text"
        ),
        *(refused(contract, name) for name in bounded),
    ]
    source = f"(select {inner} from {read_parquet(extract.judged_file)})"
    source = f"(select {', '.join(read)} from {source})"
    return f"select {', '.join(outer)} from (select {', '.join(judged)} from {source})"


def _text(extract: LandedExtract, name: str, columns: Mapping[str, str]) -> str:
    """SQL of what was delivered in a column, NULL where that is nothing."""
    landed = f"{identifier(columns[name])}::varchar"
    return present(extract.contract.columns[name].type, landed, extract.reading.empty)


def _value(extract: LandedExtract, name: str, text: str | None = None) -> str:
    """SQL of the typed value of a column; the text is in its working column unless it is given."""
    column, reading = extract.contract.columns[name], extract.reading
    text = text or delivered(extract.contract, name)
    if column.type == "text":
        return respelled(column, text)
    value = cast(column.type, text, extract.timezone, reading)
    plain = cast(column.type, text, extract.timezone, replace(reading, decimal=None, thousands=None))
    # Other files write numbers in a way of their own.
    return value if value == plain else f"case when {is_csv('_file')} then {value} else {plain} end"


def _refusal(extract: LandedExtract, name: str, value: str, text: str) -> str:
    """SQL of why a typed value of a column with bounds is not kept, NULL where it is."""
    contract = extract.contract
    column, bounds = contract.columns[name], contract.bounds(name)
    refusals = []
    if kind_of(column.type) == "time":
        day = cast("date", text, extract.timezone, extract.reading)
        unknown = is_placeholder(column.type, value, day, text, column.placeholders)
        refusals.append(f"when {unknown} then '{PLACEHOLDER}'")
    if bounds is not None:
        refusals.append(f"when {bounds.outside(value, _day(extract))} then '{OUTSIDE}'")
    return f"case {' '.join(refusals)} end"


def _kept(extract: LandedExtract, name: str, text: str) -> str:
    """SQL of the typed value of a column with bounds, NULL where it is not kept."""
    value = _value(extract, name, text)
    return f"case when {_refusal(extract, name, value, text)} is null then {value} end"


def _day(extract: LandedExtract) -> str:
    return f"date '{extract.extract_date.isoformat()}'"


def _version(extract: LandedExtract, values: Mapping[str, str]) -> str:
    """A dump's row is as of the dump; another's is as of its version, or its extract where it has none."""
    end_of_day = f"({_day(extract)} + 1)::timestamptz"
    version = extract.contract.version
    if version is None or extract.mode == "full":
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
    content = [identifier(read) for name, read in columns.items() if name not in ("_file", "_row", "_op")]
    keys = ", ".join(_value(extract, name, _text(extract, name, columns)) for name in contract.key)
    version = "null"
    if contract.version is not None:
        version = _kept(extract, contract.version, _text(extract, contract.version, columns))
    connection.execute(
        f"""
        create or replace table {_repeated(batch)} as
        with told as (
            select _file, _row, row({", ".join(content)}) as content,
                first_value(row({", ".join(content)})) over (
                    partition by {keys} order by {version} desc nulls last, _file desc, _row desc
                ) as believed
            from {read_parquet(extract.judged_file)} where _op = 'upsert'
        )
        select _file, _row from told where content is distinct from believed
        """
    )
