"""Reads a JSON Lines file into text columns: one object per line, one column per top-level key.

Strings become their text, null becomes NULL, anything else its JSON text. What lives here: judging and taking
apart JSON lines, inside DuckDB; the few lines whose values DuckDB would alter or accept too easily are read
one by one, exactly. Not here: where lines end (text_records.py).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from assets.landing.connectors.batch import (
    ParsedBatch,
    ParsedFile,
    column_fault,
    counted,
    in_order,
    rejects_table,
    require_columns,
    rows_table,
)
from assets.landing.connectors.config import FileFormat
from assets.landing.connectors.text_records import NUL, WINDOW_BYTES, Flags, Records, damage, line_records
from assets.landing.connectors.unpack import map_bytes, release, text_start
from storage.engine import connect

_INVALID = "not valid JSON"
_NO_OBJECT = "not a JSON object (each line holds one; a list of them is none)"
_KEYS = "a JSON object with an empty, repeated or reserved key, or one that differs from another only in case"

# Lines DuckDB's reader alters (numbers with more digits than a double holds) or takes though JSON forbids
# them (a comma before a bracket, nan, infinity), and escaped NULs. Reading a line with care that did not need
# it costs time only.
_SUSPECT = (
    r"[0-9]*\.[0-9]{12,}|[0-9]{12,}[.eE]|[0-9]{6,}\.[0-9]{6,}|[0-9][eE]-[0-9]{3,}\s*[,}\]]"
    r"|,\s*[}\]]|[:,\[]\s*[-+]?(?i:nan|inf(?:inity)?)\s*[,}\]]|\\u0000"
)
# The keys of a line: NULL where it is not JSON, none where it is something else than an object. The second is faster,
# and an error where a line is not JSON.
_KEYS_IF_JSON = "case when json_valid(line) then json_keys(line) end"
_KEYS_OF_JSON = "json_keys(line)"
# Rows DuckDB hands to one thread; a window has far more.
_MORSEL_ROWS = 8192


@dataclass(frozen=True)
class _Survey:
    """One window of lines: which cannot be rows, by index with reasons, and which must be read with care."""

    faults: dict[int, str]
    suspects: list[int]


def read_jsonl(text: Path, form: FileFormat, window: int = WINDOW_BYTES) -> ParsedFile:
    """Open a plain UTF-8 JSON Lines file: reads it once to learn its keys, and again for its batches.

    Args:
        text: The file.
        form: Its limits.
        window: Bytes parsed at a time.

    Raises:
        JourneymartError: It has too many different keys, or (while batches are read) a record cannot be
            accounted for.
    """
    data = map_bytes(text)
    columns: dict[str, str] = {}
    surveyed: list[tuple[Records, _Survey]] = []
    with connect(threads=1) as connection:
        for records in line_records(data, text_start(data), window):
            survey = _survey(connection, records, form.limits.max_record_bytes, columns)
            surveyed.append((records, survey))
            release(data)
            require_columns(list(columns.values()), text)
    return ParsedFile(tuple(columns.values()), _batches(surveyed, tuple(columns.values()), form, text))


def _batches(
    surveyed: list[tuple[Records, _Survey]], columns: tuple[str, ...], form: FileFormat, text: Path
) -> Iterator[ParsedBatch]:
    """The batches of a surveyed file, several windows at once."""
    with connect(threads=1) as connection:

        def read(part: tuple[Records, _Survey]) -> ParsedBatch:
            with connection.cursor() as own:
                batch = counted(_batch(own, *part, columns, form.limits.max_record_bytes), text)
            release(part[0].data)
            return batch

        yield from in_order(read, surveyed)


def _survey(connection: duckdb.DuckDBPyConnection, records: Records, limit: int, columns: dict[str, str]) -> _Survey:
    """Judge each line of a window, and add the keys of good ones to `columns` (by name in lower case)."""
    faults = damage(records, limit)
    lists, suspects = _key_lists(connection, records, faults)
    wrong = {i: fault for i in suspects if isinstance(fault := _exact_values(records.text(i, limit)), str)}
    if wrong:
        # Which keys the others have, and which of them come first, is asked again without these.
        faults |= wrong
        lists, suspects = _key_lists(connection, records, faults)
    # Objects share few lists of keys: each list is judged once, in the order of its first appearance.
    refused = [keys for keys in lists if not _add_columns(keys, columns)]
    if refused:
        rows = connection.execute(
            f"select i from lines where {_KEYS_IF_JSON} in (select unnest($refused::varchar[][]))", {"refused": refused}
        ).fetchall()
        for (i,) in rows:
            faults.setdefault(i, _KEYS)
    return _Survey(faults, [i for i in suspects if i not in faults])


def _key_lists(
    connection: duckdb.DuckDBPyConnection, records: Records, faults: dict[int, str]
) -> tuple[list[list[str]], list[int]]:
    """The lists of keys of all objects but the faulty ones, and which to read with care; adds to the faults."""
    kept = _all_but(len(records), faults)
    lines = _load_lines(connection, records, kept)
    # Arrow looks for the pattern at twice the speed of DuckDB.
    suspects = np.flatnonzero(kept)[pc.match_substring_regex(lines, _SUSPECT).to_numpy(zero_copy_only=False)]
    try:
        found = _grouped_by_keys(connection, _KEYS_OF_JSON)
    except duckdb.InvalidInputException:
        found = _grouped_by_keys(connection, _KEYS_IF_JSON)
    for keys, _, broken in found:
        faults.update(dict.fromkeys(broken or (), _INVALID if keys is None else _NO_OBJECT))
    lists = [keys for keys, is_object, _ in found if is_object]
    return lists, [i for i in suspects.tolist() if i not in faults]


def _grouped_by_keys(connection: duckdb.DuckDBPyConnection, keys: str) -> list[tuple[Any, ...]]:
    """Lists of keys by first appearance, whether of an object, and which lines are none.

    One pass that keeps nothing of the lines: taking them apart is what landing spends its time on.
    """
    return connection.execute(
        f"""
        select keys, is_object, list(i) filter (where not is_object) as broken
        from (
            select i, keys,
                case len(keys) when 0 then json_type(line) = 'OBJECT' else keys is not null end as is_object
            from (select i, line, {keys} as keys from lines)
        )
        group by keys, is_object order by min(i)
        """
    ).fetchall()


def _add_columns(keys: list[str], columns: dict[str, str]) -> bool:
    """Add the keys to the columns, unless they cannot be columns of one table."""
    if column_fault(keys) or any(columns.get(key.lower(), key) != key for key in keys):
        return False
    columns.update((key.lower(), key) for key in keys)
    return True


def _batch(
    connection: duckdb.DuckDBPyConnection, records: Records, survey: _Survey, columns: tuple[str, ...], limit: int
) -> ParsedBatch:
    plain = _all_but(len(records), survey.faults)
    plain[survey.suspects] = False
    table = _plain_rows(connection, records, plain, columns)
    if survey.suspects:
        exact = [_exact_values(records.text(i, limit)) for i in survey.suspects]
        values = [pa.array([row.get(name) for row in exact if isinstance(row, dict)], pa.string()) for name in columns]
        numbers = np.array(survey.suspects, dtype=np.int64) + records.first
        table = pa.concat_tables([table, rows_table(columns, values, numbers)]).sort_by("_row")
    rejected = sorted(survey.faults)
    return ParsedBatch(
        rows=table,
        rejects=rejects_table(
            [records.first + index for index in rejected],
            [records.text(index, limit) for index in rejected],
            [survey.faults[index] for index in rejected],
        ),
        records=len(records),
    )


def _plain_rows(
    connection: duckdb.DuckDBPyConnection, records: Records, keep: Flags, columns: tuple[str, ...]
) -> pa.Table:
    _load_lines(connection, records, keep)
    structure = json.dumps(dict.fromkeys(columns, "VARCHAR")).replace("'", "''")
    values = f"unnest(json_transform(line, '{structure}'))" if columns else "line"
    table = connection.sql(f"select i, {values} from lines").to_arrow_table()
    numbers = table.column(0).to_numpy()
    if (np.diff(numbers) < 0).any():
        order = np.argsort(numbers)
        table, numbers = table.take(order), numbers[order]
    return rows_table(columns, table.columns[1:] if columns else [], numbers + records.first)


def _load_lines(connection: duckdb.DuckDBPyConnection, records: Records, keep: Flags) -> pa.Array:
    """Show the kept lines to DuckDB as the view `lines` (i, line), without copying them where possible; give them."""
    block, offsets = records.slice(keep)
    texts = pa.Array.from_buffers(
        pa.large_string(),
        len(offsets) - 1,
        [None, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(block))],
    )
    table = pa.table({"i": np.flatnonzero(keep), "line": texts})
    connection.register("lines", pa.Table.from_batches(table.to_batches(max_chunksize=_MORSEL_ROWS), table.schema))
    return texts


def _all_but(count: int, left_out: dict[int, str]) -> Flags:
    keep = np.ones(count, dtype=np.bool_)
    keep[list(left_out)] = False
    return keep


@cache
def _decoder() -> json.JSONDecoder:
    """A strict decoder that leaves numbers as they are written."""

    def refuse(constant: str) -> NoReturn:
        raise ValueError(constant)

    return json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=refuse)


def _exact_values(line: str) -> dict[str, str | None] | str:
    """The top-level values of an object, exactly as written; or why the line cannot be a row."""
    decoder = _decoder()
    try:
        whole: dict[str, Any] = decoder.decode(line)
        values = dict(_pairs(decoder, line))
        "".join([*values, *filter(None, values.values())]).encode()
    except (ValueError, RecursionError):
        return _INVALID
    if any("\0" in text for text in (*whole, *filter(None, values.values()))):
        return NUL
    return values


def _pairs(decoder: json.JSONDecoder, line: str) -> Iterator[tuple[str, str | None]]:
    """Keys and values of an object known to be valid."""
    at = _next(line, line.index("{") + 1)
    while line[at] != "}":
        key, at = decoder.raw_decode(line, at)
        at = _next(line, _next(line, at) + 1)
        value, end = decoder.raw_decode(line, at)
        yield key, value if line[at] == '"' else None if value is None else line[at:end]
        at = _next(line, end)
        at = _next(line, at + 1) if line[at] == "," else at


def _next(line: str, at: int) -> int:
    """Offset of the next character that is not white space."""
    while line[at] in " \t\r\n":
        at += 1
    return at
