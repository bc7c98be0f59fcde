"""Which rows an extract holds, and how they look on that date.

What lives here: the rendering of a world into rows, in a DuckDB of its own. Not here: files (export.py),
columns (native_*.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta

import duckdb
import pyarrow as pa

from sample_company import (
    dirt,
    native,
    native_qualtrics,
    native_salesforce,
    native_shop,
    native_zendesk,
)
from sample_company.company import World, records
from sample_company.native import Stream

STREAMS = (
    *native_salesforce.STREAMS,
    *native_zendesk.STREAMS,
    *native_qualtrics.STREAMS,
    *native_shop.STREAMS,
)

WORDS = {
    **native.shared_words(),
    **native_salesforce.WORDS,
    **native_zendesk.WORDS,
    **native_qualtrics.survey_words(),
    **native_shop.WORDS,
}
MACROS = native.MACROS + native_qualtrics.MACROS + native_shop.MACROS + dirt.MACROS + native.PERSON

CHUNK_ROWS = 100_000
"""Rows rendered at a time, which bounds memory."""


@dataclass(frozen=True)
class Extract:
    """One extract of one stream. A history holds the newest state of everything up to its date."""

    stream: Stream
    extract_date: date
    is_history: bool


@contextmanager
def studio(world: World) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB in memory with the world's tables and words to render them. One thread: one order of rows."""
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        tables = {**records(world), "question": native_qualtrics.questions(world.company)}
        for name, columns in tables.items():
            connection.register(name, pa.table(columns))
        connection.execute(native.list_macros(WORDS) + MACROS)
        yield connection


def pick_rows(connection: duckdb.DuckDBPyConnection, extract: Extract, seed: int) -> int:
    """Fill table `delivered` with the extract's records: `row`, `id`, `cutoff`, `is_repeat`, `is_late`.

    A record is in the extract of every day on which something happened to it, as it was at the end of that
    day; a late one arrives days after, unless something newer of it arrives with it. Returns the number of
    rows.
    """
    stream, day = extract.stream, extract.extract_date
    moments = ", ".join(f'"{moment}"::timestamp' for moment in stream.moments)
    until = f"date '{day}'"
    earliest = "date '0001-01-01'" if extract.is_history else f"{until} - {dirt.LATEST_DAYS}"
    if stream.mode == "full":
        first, last = stream.moments
        changes = f"""
            select id, {until} as day, null as late_key from {stream.table}
            where {first} < {until} + 1 and not coalesce({last} < {until} + 1, false)
        """
    else:
        changes = f"""
            select distinct id, day, late_key from (
                select id, {stream.late_by or "null"} as late_key, unnest([{moments}])::date as day
                from {stream.table} where {stream.where or "true"}
            ) where day between {earliest} and {until}
        """
    if stream.touched is not None:
        changes += f" union select {stream.touched}, {until}, null"
    arrived = "arrives <= " if extract.is_history or stream.mode == "full" else "arrives = "
    repeated = f"is_repeated({seed}, '{stream.source}/{stream.name}', id, {until})" if stream.repeats else "false"
    topic = stream.table if stream.table not in {"audit", "clock"} else "ticket"
    connection.execute(f"""
        create or replace temp table delivered as
        with change as (
            select id, day, day + late_by({seed}, '{topic}', late_key, day) as arrives from ({changes})
        ),
        newest as (
            select id, max(day) as day, max(arrives - day) as days_late
            from change where {arrived}{until} group by id
        ),
        copied as (
            select
                id, day, case when day < {until} and not {extract.is_history} then days_late end as days_late,
                unnest(case when {repeated} then [false, true] else [false] end) as is_repeat
            from newest
        )
        select
            row_number() over (order by is_repeat, day, id) - 1 as row,
            id,
            (day + 1)::timestamp as cutoff,
            is_repeat,
            coalesce(days_late > 0, false) as is_late
        from copied
    """)
    return int(connection.execute("select count(*) from delivered").fetchall()[0][0])


def chunks(rows: int) -> Iterator[tuple[int, int]]:
    """Ranges of rows to render one after the other; one empty range where there are none."""
    starts = range(0, max(rows, 1), CHUNK_ROWS)
    return ((start, min(start + CHUNK_ROWS, rows)) for start in starts)


def render(connection: duckdb.DuckDBPyConnection, extract: Extract, world: World, first: int, last: int) -> None:
    """Fill table `rendered` with the native rows `first` to `last` (not included), `_key` and `_dirt`."""
    connection.execute(f"create or replace temp table picked as from delivered where row >= {first} and row < {last}")
    columns = extract.stream.columns
    if extract.stream.table == "contact":
        announced = world.company.start + timedelta(days=native_salesforce.NEW_COLUMN_DAY)
        columns = columns.replace(
            "{new_column}", native_salesforce.LOYALTY if extract.extract_date >= announced else ""
        )
    key = "concat_ws(' ', " + ", ".join(f'"{column}"' for column in extract.stream.key) + ")"
    connection.execute(f"""
        create or replace temp table rendered as
        select {key} as _key, * exclude (_row, _is_repeat, _is_late) replace (list_concat(_dirt, kinds([
            case when _is_repeat then 'repeated' end, case when _is_late then 'late' end
        ])) as _dirt)
        from (select p.row as _row, p.is_repeat as _is_repeat, p.is_late as _is_late, {columns})
        order by _row
    """)


def broken_rows(
    connection: duckdb.DuckDBPyConnection, extract: Extract, world: World, rows: int
) -> list[tuple[str, str]]:
    """Kind and SQL (over `rendered`) of each broken row of an extract; none where the extract is empty."""
    name = f"{extract.stream.source}/{extract.stream.name}"
    age = (extract.extract_date - world.company.start).days
    broken = [row for row in dirt.BROKEN_ROWS if row.stream == name and row.falls_on(age, extract.is_history)]
    if not rows or not broken:
        return []
    render(connection, extract, world, 0, 1)
    return [(row.kind, f"select * replace ({row.replacements}) from rendered") for row in broken]
