"""Two builds compared table by table: rows that differ between a night and a rebuild, rows that a night changed.

Not here: comparing published versions for people (scripts/compare_marts).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from storage.data_folder import marts_file, warehouse_file
from storage.engine import connect


def lacking_rows(left: Path, right: Path, tables: Collection[str] | None = None) -> dict[str, tuple[int, int]]:
    """Rows of tables of models that only the left, and only the right build has.

    Args:
        left: Folder of a build.
        right: Folder of another.
        tables: Their names; None: all public ones.
    """
    with connect(spill=right / ".spill") as connection:
        connection.execute("set TimeZone = 'UTC'")
        for side, build in (("left", left), ("right", right)):
            for kind, file in (("warehouse", warehouse_file(build)), ("cx_marts", marts_file(build))):
                connection.execute(f"attach '{file}' as {side}_{kind} (read_only)")
        found = connection.execute(
            "select substr(database_name, 6), schema_name, table_name from duckdb_tables() "
            "where starts_with(database_name, 'left_') and schema_name in ('main', 'intermediate')"
        ).fetchall()

        def lacking(one: str, other: str, place: str) -> int:
            query = f"select count(*) from (from {one}_{place} except all from {other}_{place})"
            ((count,),) = connection.execute(query).fetchall()
            return int(count)

        return {
            name: (lacking("left", "right", place), lacking("right", "left", place))
            for name, place in _places(found, tables)
        }


def _places(found: Collection[tuple[str, str, str]], tables: Collection[str] | None) -> Iterator[tuple[str, str]]:
    for database, schema, name in found:
        if name in tables if tables is not None else database == "cx_marts":
            yield name, f'{database}.{schema}."{name}"'
