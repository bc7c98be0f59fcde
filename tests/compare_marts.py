"""Two published versions row for row: what a change of the code did to the marts.

What lives here: comparing every public mart, and the cells of KPIs before small ones are hidden, as multisets of rows
with all columns, NULL equal to NULL. Not here: building the versions, which figures are right, a shell's side of it
(scripts/compare_marts).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

from assets.versions.contents import identifier, literal
from storage.data_folder import marts_file, warehouse_file

PRIVATE = ("int_kpi__cell",)
"""Tables of the warehouse that are compared too: figures the marts hide."""


@dataclass(frozen=True)
class Comparison:
    """What two versions hold of one table.

    Attributes:
        name: The table.
        rows: Rows of the left and of the right version; None where it has no such table.
        only_left: Rows of the left version that the right one lacks, with as many copies as it lacks.
        only_right: The other way round.
        columns: Columns that are in one version only, or of whose values one version has others.
    """

    name: str
    rows: tuple[int | None, int | None]
    only_left: int = 0
    only_right: int = 0
    columns: tuple[str, ...] = ()

    @property
    def is_same(self) -> bool:
        """Whether both versions hold the same rows in the same columns."""
        return not (self.only_left or self.only_right or self.columns or None in self.rows)

    def __str__(self) -> str:
        left, right = ("no table" if rows is None else f"{rows} rows" for rows in self.rows)
        if self.is_same:
            return f"{self.name}: the same {left}"
        return (
            f"{self.name}: {left} | {right}, {self.only_left} only left, {self.only_right} only right, "
            f"columns that differ: {', '.join(self.columns) or 'none'}"
        )


def compare(left: Path, right: Path) -> tuple[Comparison, ...]:
    """Compare two version folders, table by table."""
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        tables: dict[str, dict[str, str]] = {}
        for side, version in (("left", left), ("right", right)):
            for kind, file in (("marts", marts_file(version)), ("warehouse", warehouse_file(version))):
                connection.execute(f"attach {literal(str(file))} as {side}_{kind} (read_only)")
            found = connection.execute(
                "select table_catalog, table_schema, table_name from information_schema.tables "
                "where (table_catalog = ? and table_schema = 'main') "
                "or (table_catalog = ? and table_schema = 'intermediate' and list_contains(?, table_name))",
                [f"{side}_marts", f"{side}_warehouse", list(PRIVATE)],
            ).fetchall()
            for *place, name in found:
                tables.setdefault(name, {})[side] = ".".join(map(identifier, (*place, name)))
        return tuple(_compared(connection, name, sides) for name, sides in sorted(tables.items()))


def _compared(connection: duckdb.DuckDBPyConnection, name: str, sides: dict[str, str]) -> Comparison:
    left, right = (sides.get(side) for side in ("left", "right"))
    rows = tuple(None if table is None else _count(connection, f"from {table}") for table in (left, right))
    if left is None or right is None:
        return Comparison(name, (rows[0], rows[1]))
    of_left, of_right = (_columns(connection, table) for table in (left, right))
    both = [column for column in of_left if column in of_right]
    listed = ", ".join(map(identifier, both))
    return Comparison(
        name,
        (rows[0], rows[1]),
        _lacking(connection, listed, left, right),
        _lacking(connection, listed, right, left),
        (
            *sorted({*of_left} ^ {*of_right}),
            *(
                column
                for column in both
                if of_left[column] != of_right[column]
                or _lacking(connection, identifier(column), left, right)
                or _lacking(connection, identifier(column), right, left)
            ),
        ),
    )


def _columns(connection: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    return {name: kind for name, kind, *_ in connection.execute(f"describe {table}").fetchall()}


def _lacking(connection: duckdb.DuckDBPyConnection, columns: str, one: str, other: str) -> int:
    """Rows of one table that the other lacks, each as often as it lacks it."""
    return _count(connection, f"from (select {columns} from {one} except all select {columns} from {other})")


def _count(connection: duckdb.DuckDBPyConnection, rows: str) -> int:
    ((count,),) = connection.execute(f"select count(*) {rows}").fetchall()
    return int(count)
