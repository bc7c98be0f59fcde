"""Brings what other streams of a source say into the records of a delivery, by the key that a column of theirs holds.

What lives here: what a stream said of a key on the day of a record. Not here: what a mapping does with it (mapped.py),
when rows that rest on it are made anew (rests_on.py).

A record takes what was said up to its own day: the newest landed extract of the other stream that holds its key, of
several versions there the newest. A key that nobody knew by then takes the first extract after. That depends on what
has landed and not on when, so any order of nights gives the same rows. The day of a record is its extract date; in a
file that serves every night, the day of its cursor.
"""

from __future__ import annotations

import glob
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from assets.landing.connectors.config import FileStream
from assets.landing.cursor_window import day_of
from assets.landing.parse import Parsed
from assets.landing.rows_file import column_types
from quality.contract.model import Contract, load_contract
from quality.contract.reading import Reading
from quality.landed.extract import CHANGES, ROWS
from quality.landed.manifest import Mapped, read_manifest
from quality.mapping.model import LookUp
from quality.mapping.statement import Fit, as_texts, untyped_rows
from quality.rows.casts import cast, identifier, literal, present
from quality.rows.ids import spelled_id
from quality.rows.landed_text import read_parquet
from storage.engine import connect
from storage.errors import JourneymartError
from storage.folders import dated

_DAY_OF_PATH = r"(\d{4}-\d{2}-\d{2})/[^/]+$"


@dataclass(frozen=True)
class Said:
    """Files of a looked-up stream that are written alike.

    Attributes:
        paths: The files; the folder of each is named by its extract date.
        is_changes: They are the changes of dumps; else the rows of increments.
        timezone: Zone of its times.
        reading: Its reading rules.
    """

    paths: tuple[Path, ...]
    is_changes: bool
    timezone: str
    reading: Reading


def said_by(home: Path) -> tuple[Said, ...]:
    """All that has landed of a stream, given its folder in landing."""
    alike: defaultdict[tuple[bool, str, Reading], list[Path]] = defaultdict(list)
    for day in dated(home):
        manifest = read_manifest(home / day.isoformat())
        is_changes = manifest.mode == "full"
        path = home / day.isoformat() / (CHANGES if is_changes else ROWS)
        alike[is_changes, manifest.read_as.timezone, manifest.read_as.reading].append(path)
    return tuple(Said(tuple(paths), *how) for how, paths in alike.items())


def keys_in(contract: Contract, column: str, reading: Reading, rows: str, *others: str) -> str:
    """SQL of the keys of a stream that rows name, in the spelling of the gate; rows that name none are left out.

    Columns: `_key`, and the others.

    Args:
        contract: The contract of the stream that is named.
        column: Column of the rows that names a key.
        reading: How its texts are written.
        rows: SQL that gives the rows.
        others: SQL of further columns.
    """
    # Step by step, because each step repeats its text many times over.
    kind = contract.columns[contract.key[0]].type
    texts = f"select {identifier(column)}::varchar as _text, {', '.join(others)} {rows}"
    named = f"select {present(kind, '_text', reading.empty)} as _named, * exclude (_text) from ({texts})"
    key = f"coalesce({spelled_id('_named')}, _named)" if kind == "id" else "_named"
    return f"select {key} as _key, * exclude (_named) from ({named}) where _named is not null"


def keys_said(contract: Contract, said: Sequence[Said], takes: Sequence[str] = ()) -> Iterator[str]:
    """SQL of what a stream said of each key, by extract date, a part at a time: every row that has a key.

    Columns: `_key`, `_day`, `_version`, `_file`, `_row`, and those taken.
    """
    for part in said:
        # An extract need not have every column.
        there = {name for path in part.paths for name in pq.read_schema(path).names}
        if contract.key[0] in there:
            yield _keys_of_part(contract, part, there, takes)


def _keys_of_part(contract: Contract, part: Said, there: Collection[str], takes: Sequence[str]) -> str:
    paths = ", ".join(literal(glob.escape(str(path))) for path in part.paths)
    rows = f"from read_parquet([{paths}], union_by_name = true, filename = true)"
    version = contract.version or ""
    keys = keys_in(
        contract,
        contract.key[0],
        part.reading,
        f"{rows} where _op = 'upsert'" if part.is_changes else rows,
        "_file",
        "_row",
        f"regexp_extract(filename, {literal(_DAY_OF_PATH)}, 1)::date as _day",
        f"{identifier(version) if version in there else 'null'}::varchar as _written",
        *(f"{identifier(name) if name in there else 'null'}::varchar as {identifier(name)}" for name in takes),
    )
    kind = contract.columns[version].type if version else "text"
    values = [f"{present(kind, '_written', part.reading.empty)} as _written"]
    values += [
        f"{present(contract.columns[name].type, identifier(name), part.reading.empty)} as {identifier(name)}"
        for name in takes
    ]
    given = f"select * replace ({', '.join(values)}) from ({keys})"
    at = cast(kind, "_written", part.timezone, part.reading)
    columns = ["_key", "_day", f"{at} as _version", "_file", "_row", *map(identifier, takes)]
    return f"select {', '.join(columns)} from ({given})"


def readable(stream: FileStream, home: Path) -> tuple[Path, ...]:
    """The files a stream looks anything up in, given its own folder in landing.

    Raises:
        JourneymartError: It looks something up in a stream of which nothing has landed.
    """
    mapping = stream.mapping
    found: dict[Path, None] = {}
    for each in mapping.lookups if mapping else ():
        paths = [path for said in said_by(home.with_name(each.stream)) for path in said.paths]
        if not paths and mapping:
            raise JourneymartError(
                f"{stream.stream} looks up '{each.name}' (line {each.line} of {mapping.file}) in "
                f"{stream.stream.source}/{each.stream}, of which nothing has landed: have it delivered first."
            )
        found |= dict.fromkeys(paths)
    return tuple(found)


def look_up(
    connection: duckdb.DuckDBPyConnection,
    stream: FileStream,
    contract: Contract,
    met: Fit,
    home: Path,
    *,
    rows: Path,
    day: date | None,
) -> str:
    """Bring what its mapping looks up into the records of a delivery.

    Args:
        connection: May read `rows` and `readable` files.
        stream: The stream.
        contract: Its contract.
        met: How the mapping meets the delivery.
        home: Its folder in landing.
        rows: The records, columns as delivered.
        day: Whose extract they are; None: each is of the day of its cursor.

    Returns:
        SQL that gives the records. The table `unknown` holds which of them named a key nobody knew on their day.
    """
    mapping = stream.mapping
    if mapping is None:
        raise ValueError(f"{stream.stream} is not mapped")
    delivered = f"from {read_parquet(rows)}"
    if day is None:
        days = _days_of_cursor(connection, stream, contract, met, delivered)
    else:
        days = f"select _file, _row, {literal(str(day))}::date as day {delivered}"
    connection.execute(f"create temp table days as {days}")
    said = {name: said_by(home.with_name(name)) for name in stream.looks_up}
    taken, joins, notes = [], [], []
    for place, each in enumerate(mapping.lookups):
        found = f"found_{place}"
        theirs = load_contract(stream.stream.system, each.stream)
        parts = keys_said(theirs, said[each.stream], [each.takes])
        # That a column is lacking is told by the mapping.
        text, some = (met.found[each.column], "") if each.column in met.found else ("_file", "where false")
        asked = keys_in(theirs, text, stream.reading, f"{delivered} {some}", "_file", "_row")
        connection.execute(f"create temp table {found} as {_found(each, asked, parts)}")
        taken.append(f"{found}.said as {identifier(each.name)}")
        joins.append(f"left join {found} on {found}._file = delivered._file and {found}._row = delivered._row")
        name = f"{each.name} (line {each.line} of {mapping.file})"
        notes.append(
            f"select _file, _row, {literal(name)} as lookup, {digest(each.stream)} as digest, is_alone "
            f"from {found} where is_unknown_then"
        )
    connection.execute(
        f"create temp table joined as select delivered.*, {', '.join(taken)} from (select * {delivered}) as delivered "
        f"{' '.join(joins)} order by delivered._file, delivered._row"
    )
    connection.execute(f"create temp table unknown as {' union all '.join(notes)}")
    return "from joined"


def digest(stream: str) -> str:
    """SQL of what tells the key `_key` of a stream from others, and says nothing else of it."""
    return f"{literal(f'{stream}:')} || substr(md5(_key), 1, 16)"


def _days_of_cursor(
    connection: duckdb.DuckDBPyConnection, stream: FileStream, contract: Contract, met: Fit, delivered: str
) -> str:
    """SQL of the day each record of a file that serves every night belongs to."""
    mapping, cursor = stream.mapping, stream.cursor
    if mapping is None or cursor is None:
        raise ValueError(f"{stream.stream} is not cut by day")
    alone = replace(mapping, where=None, unpivot=None, columns=((cursor, dict(mapping.columns)[cursor]),))
    made = untyped_rows(alone, contract, met, delivered, stream.reading)
    texts = as_texts(column_types(connection, made, (cursor,)), made, stream.reading)
    first = f"{literal(str(stream.first_date))}::date"
    cut = day_of(cursor, contract.columns[cursor].type, stream.reading, stream.timezone)
    return f"select _file, _row, greatest(coalesce({cut}, {first}), {first}) as day from ({texts})"


def _found(lookup: LookUp, asked: str, parts: Iterable[str]) -> str:
    """SQL of what one look-up finds for each record that names a key.

    Args:
        lookup: What is looked up.
        asked: SQL of the key each record names, and of the records.
        parts: SQL of what the other stream says.
    """
    takes = identifier(lookup.takes)
    said = " union all ".join(parts) or _NOTHING.format(takes)
    return f"""
        with asked as (
            select named._file, named._row, _key, day
            from ({asked}) as named
            inner join days on days._file = named._file and days._row = named._row
        ),
        said as (
            select _key, _day, {{'value': {takes}}} as said from ({said})
            where _key in (select _key from asked)
            qualify row_number() over (
                partition by _key, _day order by _version desc nulls last, _file desc, _row desc
            ) = 1
        )
        select
            asked._file, asked._row, asked._key, coalesce(known.said, later.said).value as said,
            known.said is null as is_unknown_then, known.said is null and later.said is null as is_alone
        from asked
        asof left join said as known on asked._key = known._key and asked.day >= known._day
        asof left join said as later on asked._key = later._key and asked.day < later._day
    """


_NOTHING = (
    "select null::varchar as _key, null::date as _day, null as _version, null::varchar as _file, "
    "null::bigint as _row, null::varchar as {} where false"
)


def told_of(parsed: Parsed, rows: Path) -> Mapped | None:
    """What a mapping made of a part of a delivery, with what was not found for the records its rows are of.

    Args:
        parsed: The whole delivery.
        rows: The rows of the part.
    """
    mapped, unknown = parsed.mapped, parsed.unknown
    if mapped is None or unknown is None:
        return mapped
    mine = f"(select distinct _file, _row from {read_parquet(rows)}) as rows using (_file, _row)"
    asked = f"from {read_parquet(unknown)} inner join {mine}"
    with connect() as connection:
        alone = connection.execute(
            f"select lookup, count(*) {asked} where is_alone group by lookup order by lookup"
        ).fetchall()
        digests = connection.execute(f"select distinct digest {asked} order by digest").fetchall()
    return replace(mapped, without_partner=dict(alone), unknown_then=tuple(each for (each,) in digests))
