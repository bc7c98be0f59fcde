"""What changed between two dumps of a whole table (mode `full`): rows to pass on, and keys that vanished.

What lives here: the comparison, inside DuckDB, by a hash of all rows of a key. Not here: which dumps are
compared, or what a mass deletion means (land.py, the gate).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from assets.landing.rows_file import rows_schema
from quality.landed.extract import ORIGIN
from quality.rows.casts import present
from quality.rows.ids import spelled_id
from storage.engine import connect

_OP = "_op"


@dataclass(frozen=True)
class Changes:
    """Distinct keys in the dump before, and how many of them are gone."""

    known: int
    vanished: int


def write_changes(
    dump: Path, before: Path | None, key: Sequence[str], target: Path, *, same_content: bool = False
) -> Changes:
    """Write what a dump passes on: its columns, `_file`, `_row`, and `_op` (`upsert` or `delete`).

    A key whose rows are another set than before passes on all of them, so a key delivered twice changes only when one
    of its rows does. Keys are compared as the gate spells ids. A vanished key has its key columns only; a key with a
    NULL in it cannot vanish. Columns are compared by name, one that a dump lacks being NULL. A dump without its key
    columns passes on whole: the gate judges its schema. One without any column is an empty table: every key vanished.

    Args:
        dump: `rows.parquet` of the dump.
        before: `rows.parquet` of the dump before; None: there is none.
        key: Columns that name a record.
        target: File to write.
        same_content: Both dumps are known to be equal.
    """
    columns = _columns(dump)
    if not columns:
        return _all_vanish(before, key, target)
    if same_content:
        _write(_pass_on(pq.read_schema(dump).empty_table()), target)
        return Changes(_count_keys(dump, key), 0)
    if before is None or not key or not set(key) <= set(columns) & set(_columns(before)):
        _pass_on_whole(dump, target)
        return Changes(_count_keys(before, key) if before else 0, 0)
    with connect(spill=target.parent / ".spill") as connection:
        return _compare(connection, dump, before, key, target)


def _compare(
    connection: duckdb.DuckDBPyConnection, dump: Path, before: Path, key: Sequence[str], target: Path
) -> Changes:
    columns = _columns(dump)
    hashed = sorted(set(columns) | set(_columns(before)))
    for name, path in (("now", dump), ("before", before)):
        have = set(_columns(path))
        values = ", ".join(_quoted(column) if column in have else "null::varchar" for column in hashed)
        # The sum and the count tell sets of rows apart, duplicates included, whatever their order.
        connection.execute(
            f"""
            create temp table {name} as
            select {_spelled_list(key)}, sum(hash({values})::hugeint) as content, count(*) as copies
            from read_parquet($path) group by {", ".join(map(_spelled, key))}
            """,
            {"path": str(path)},
        )
    same_key = " and ".join(f"a.{_quoted(name)} is not distinct from b.{_quoted(name)}" for name in key)
    same_as_spelled = " and ".join(f"{_spelled(name, 'a.')} is not distinct from b.{_quoted(name)}" for name in key)
    with_key = " and ".join(f"{_quoted(name)} is not null" for name in key)
    connection.execute(
        f"""
        create temp table changed as select a.* from now as a
        where not exists (from before as b where {same_key} and a.content = b.content and a.copies = b.copies)
        """
    )
    connection.execute(
        f"""
        create temp table vanished as select a.* from before as a
        where {with_key} and not exists (from now as b where {same_key})
        """
    )
    upserts = connection.sql(
        f"""
        select {_list([*columns, *ORIGIN])}, 'upsert' as {_OP} from read_parquet($path) as a
        where exists (from changed as b where {same_as_spelled}) order by _file, _row, {_list(key)}
        """,
        params={"path": str(dump)},
    ).to_arrow_table()
    empty = _pass_on(pq.read_schema(dump).empty_table())
    deletes = connection.sql(
        f"select {_list(key)}, 'delete' as {_OP} from vanished order by {_list(key)}"
    ).to_arrow_table()
    _write(pa.concat_tables([empty, upserts.cast(empty.schema), deletes], promote_options="default"), target)
    known, vanished = connection.execute(
        f"select (select count(*) from before where {with_key}), (select count(*) from vanished)"
    ).fetchone() or (0, 0)
    return Changes(known, vanished)


def _all_vanish(before: Path | None, key: Sequence[str], target: Path) -> Changes:
    """Write the changes of an empty table without a header: a deletion for each key there was."""
    nothing = _pass_on(rows_schema(key).empty_table())
    if before is None or not key or not set(key) <= set(_columns(before)):
        _write(nothing, target)
        return Changes(0, 0)
    with_key = " and ".join(f"{_quoted(name)} is not null" for name in key)
    with connect(spill=target.parent / ".spill") as connection:
        deletes = connection.sql(
            f"""
            select distinct {_list(key)}, null::varchar as _file, null::bigint as _row, 'delete' as {_OP}
            from read_parquet($path) where {with_key} order by {_list(key)}
            """,
            params={"path": str(before)},
        ).to_arrow_table()
    _write(deletes.cast(nothing.schema), target)
    return Changes(deletes.num_rows, deletes.num_rows)


def _count_keys(dump: Path, key: Sequence[str]) -> int:
    if not key or not set(key) <= set(_columns(dump)):
        return 0
    with_key = " and ".join(f"{_quoted(name)} is not null" for name in key)
    with connect(spill=dump.parent / ".spill") as connection:
        row = connection.execute(
            f"select count(*) from (select distinct {_spelled_list(key)} from read_parquet($path) where {with_key})",
            {"path": str(dump)},
        ).fetchone()
    return int(row[0]) if row else 0


def _pass_on_whole(dump: Path, target: Path) -> None:
    file = pq.ParquetFile(dump)
    with pq.ParquetWriter(target, _pass_on(file.schema_arrow.empty_table()).schema, compression="zstd") as writer:
        for part in file.iter_batches():
            writer.write_table(_pass_on(pa.Table.from_batches([part])))


def _pass_on(rows: pa.Table) -> pa.Table:
    return rows.append_column(_OP, pa.repeat(pa.scalar("upsert"), rows.num_rows))


def _write(table: pa.Table, target: Path) -> None:
    pq.write_table(table, target, compression="zstd")


def _columns(dump: Path) -> list[str]:
    return [name for name in pq.read_schema(dump).names if name not in ORIGIN]


def _list(columns: Sequence[str]) -> str:
    return ", ".join(_quoted(name) for name in columns)


def _spelled_list(key: Sequence[str]) -> str:
    return ", ".join(f"{_spelled(name)} as {_quoted(name)}" for name in key)


def _spelled(name: str, table: str = "") -> str:
    """SQL of a key column in one spelling; what is no id stays as it is, for the gate to say so."""
    text = table + _quoted(name)
    return f"coalesce({spelled_id(present('text', text))}, {text})"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
