"""Cuts a file that serves every night into extract dates, by the day its cursor column names.

What lives here: reading the day of a cursor value in the source's own time zone, telling rows that are in landing from
those that came late, and one file per date. Not here: the delivery or the partition (land.py).

A record may be committed after the night of its day has read the file. What is landed stays as it is, so the newest
date takes such rows too: all up to its day that no other partition holds.
"""

from __future__ import annotations

import glob
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from assets.landing.connectors.config import FileStream
from quality.contract.model import Contract
from quality.contract.reading import Reading
from quality.landed.extract import ORIGIN
from quality.rows.casts import identifier, literal, year_first
from storage.engine import connect
from storage.errors import JourneymartError

_HAS_OFFSET = r"\d:\d\d(:\d\d(\.\d+)?)?\s*(Z|z|UTC|[+-]\d\d(:?\d\d)?)\s*$"
_SECONDS = {"epoch_s": 1, "epoch_ms": 1000}


@dataclass(frozen=True)
class Windows:
    """A file cut by day.

    Attributes:
        rows: Its rows by extract date.
        late: Rows of earlier days among those of the newest date.
        unplaced: Rows of the whole file without a readable cursor.
    """

    rows: dict[date, Path]
    late: int
    unplaced: int


def cut_by_day(
    rows: Path,
    stream: FileStream,
    contract: Contract,
    dates: Sequence[date],
    target: Path,
    *,
    landed: Sequence[Path] = (),
) -> Windows:
    """Write the rows of some extract dates, each to a file of its own, in the order they were delivered.

    A value without an offset is a time of the source's zone as it stands; one with an offset is converted to
    that zone; a number counts seconds or milliseconds since 1970 if the contract says so. The first extract
    date takes all that is older, and the rows whose cursor cannot be read; the newest of the dates takes, of all days
    before that are not among them, what is in none of the landed files.

    Args:
        rows: `rows.parquet` of the whole file.
        stream: Its cursor, time zone and first date.
        contract: Its type of the cursor column.
        dates: Which extract dates, ascending.
        target: An existing folder.
        landed: Rows of other dates that are in landing; what they hold is left out.

    Raises:
        JourneymartError: The file has no such column.
    """
    schema = pq.read_schema(rows)
    if stream.cursor is None or stream.cursor not in schema.names:
        raise JourneymartError(
            f"The file of {stream.stream} serves every night, but has no column '{stream.cursor}' to cut it "
            "by: set the cursor to one of its columns."
        )
    column = contract.columns.get(stream.cursor)
    # Of a mapped record there may be several rows.
    order = ", ".join(["_file", "_row", *(identifier(name) for name in contract.key if name in schema.names)])
    day = day_of(stream.cursor, column.type if column else "text", stream.reading, stream.timezone)
    with connect(spill=rows.parent / ".spill") as connection:
        connection.execute(
            f"""
            create temp table placed as
            with dated as (select *, {day} as "_cut_day" from read_parquet($rows))
            select * replace (greatest(coalesce("_cut_day", $first), $first) as "_cut_day"),
                "_cut_day" is null as "_cut_unplaced"
            from dated order by "_cut_day", {order}
            """,
            {"rows": str(rows), "first": stream.first_date},
        )
        ((unplaced,),) = connection.execute('select count(*) from placed where "_cut_unplaced"').fetchall()
        _leave_out(connection, schema.names, landed)
        newest = max(dates)
        moved = connection.execute(
            'update placed set "_cut_day" = $newest where "_cut_day" < $newest and "_cut_day" not in $dates',
            {"newest": newest, "dates": list(dates)},
        ).fetchone() or (0,)
        written = {}
        for each in dates:
            cut = connection.sql(
                f"""
                select * exclude ("_cut_day", "_cut_unplaced") from placed
                where "_cut_day" = $day order by {order}
                """,
                params={"day": each},
            ).to_arrow_table()
            written[each] = target / f"{each}.parquet"
            pq.write_table(cut.cast(schema), written[each], compression="zstd")
    return Windows(written, int(moved[0]), int(unplaced))


def _leave_out(connection: duckdb.DuckDBPyConnection, columns: Sequence[str], landed: Sequence[Path]) -> None:
    """Drop rows that are in landed files: those equal to one of theirs in every column both have."""
    alike: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    for path in landed:
        theirs = set(pq.read_schema(path).names)
        common = tuple(name for name in columns if name in theirs and name not in ORIGIN)
        if common:
            # The reader takes every path for a pattern.
            alike[common].append(glob.escape(str(path)))
    for common, files in alike.items():
        values = ", ".join('"' + name.replace('"', '""') + '"' for name in common)
        # Two hashes of 64 bits: no two rows share both by chance.
        one, other = f"hash({values})", f"hash('again', {values})"
        connection.execute(
            f"""
            create or replace temp table seen as
            select distinct {one} as one, {other} as other from read_parquet($files)
            """,
            {"files": files},
        )
        connection.execute(f"delete from placed using seen where {one} = seen.one and {other} = seen.other")


def day_of(cursor: str, kind: str, reading: Reading, timezone: str) -> str:
    """SQL of the day of a cursor value in a zone; NULL where it cannot be read.

    Args:
        cursor: Its column.
        kind: Its type by contract.
        reading: How its times are written.
        timezone: IANA zone.
    """
    zone = literal(timezone)
    value = f"trim({identifier(cursor)})"
    if kind in _SECONDS:
        return f"timezone({zone}, to_timestamp(try_cast({value} as double) / {_SECONDS[kind]}))::date"
    value = year_first(value, reading)
    # A time that the zone skips or repeats keeps the day it is written with, so the zone is not asked without
    # an offset.
    return f"""case when regexp_matches({value}, '{_HAS_OFFSET}')
        then timezone({zone}, try_cast({value} as timestamptz))::date
        else try_cast({value} as timestamp)::date end"""
