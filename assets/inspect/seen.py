"""A delivered file that nobody has described, as it looks: every column with its values, read as a night would.

What lives here: reading it and collecting the looks. Not here: each of them (values.py, written_times.py), what a
column may be (placing.py).
"""

from __future__ import annotations

import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from assets.inspect.placing import Seen
from assets.inspect.proposal import Proposal
from assets.inspect.text_file import examine_text
from assets.inspect.values import LOOKED_AT, look_at_values
from assets.inspect.written_times import written_times
from assets.landing.connectors.config import FileFormat
from assets.landing.connectors.reader import open_file, require_known_format
from assets.landing.rows_file import rows_schema
from quality.rows.casts import GROUP_MARKS, identifier
from quality.rows.formats import Shape
from quality.rows.landed_text import read_parquet
from storage.engine import connect
from storage.errors import JourneymartError

# Columns with more different values show none.
_FEW = 60
_LONGEST_NUMBER = 40
_NUMBER = f"[-+0-9{GROUP_MARKS}]*[0-9][{GROUP_MARKS}]?"


@dataclass(frozen=True)
class SeenFile:
    """A file as it looks.

    Attributes:
        columns: Its columns, in order.
        shapes: How its numbers look.
        rows: Rows that were looked at: the first of the file.
        declare: What to declare of how it is written.
        notes: What no declaration mends.
    """

    columns: tuple[Seen, ...]
    shapes: tuple[Shape, ...]
    rows: int
    declare: tuple[Proposal, ...]
    notes: tuple[str, ...]


def see_file(file: Path, form: FileFormat, known: Collection[str]) -> SeenFile:
    """Look at a file.

    Args:
        file: The file.
        form: How it is written as far as that is declared.
        known: Names of columns that contracts know, which tell a header.

    Raises:
        JourneymartError: It cannot be read, or holds no row.
    """
    require_known_format(file.name)
    written = examine_text(file, form, known)
    with tempfile.TemporaryDirectory(prefix="journeymart-") as workspace:
        rows = Path(workspace) / "rows.parquet"
        count = _write_first_rows(file, written.form, Path(workspace), rows)
        if not count:
            raise JourneymartError(f"{file.name} holds no row to tell what its columns are: name one with some.")
        with connect(spill=Path(workspace) / ".spill") as connection:
            columns, shapes = _look(connection, rows)
    return SeenFile(columns, shapes, count, written.proposals, written.notes)


def _write_first_rows(file: Path, form: FileFormat, workspace: Path, target: Path) -> int:
    """Write the first rows of a file, every value a text; says how many."""
    opened = open_file(file, form, workspace)
    schema = rows_schema(opened.columns)
    count = 0
    with pq.ParquetWriter(target, schema) as writer:
        for batch in opened.batches:
            part = batch.rows.slice(0, LOOKED_AT - count)
            table = part.append_column("_file", pa.repeat(pa.scalar(file.name), part.num_rows)).select(schema.names)
            writer.write_table(table.cast(schema))
            count += part.num_rows
            if count >= LOOKED_AT:
                break
    return count


def _look(connection: duckdb.DuckDBPyConnection, rows: Path) -> tuple[tuple[Seen, ...], tuple[Shape, ...]]:
    looks = look_at_values(connection, rows)
    times = written_times(connection, rows, [look.name for look in looks if look.filled])
    shapes = _number_shapes(connection, rows, [look.name for look in looks if look.filled and look.name not in times])
    numbers: dict[str, int] = {}
    for shape in shapes:
        numbers[shape.column] = numbers.get(shape.column, 0) + shape.count
    seen = tuple(
        Seen(look, numbers.get(look.name, 0), times.get(look.name), _values(connection, rows, look.name))
        for look in looks
    )
    return seen, tuple(shapes)


def _number_shapes(connection: duckdb.DuckDBPyConnection, rows: Path, columns: Collection[str]) -> list[Shape]:
    found = []
    for name in columns:
        counted = connection.execute(
            f"""
            select regexp_replace(text, '[1-9]', '9', 'g') as shape, count(*)
            from (select trim({identifier(name)}) as text from {read_parquet(rows)})
            where length(text) <= {_LONGEST_NUMBER} and regexp_full_match(text, $number) group by shape order by shape
            """,
            {"number": _NUMBER},
        ).fetchall()
        found += [Shape(name, shape, count) for shape, count in counted]
    return found


def _values(connection: duckdb.DuckDBPyConnection, rows: Path, name: str) -> dict[str, int]:
    """The values of a column that has few, the most frequent first; none of one that has many."""
    found = connection.execute(
        f"select trim({identifier(name)}) as text, count(*) as n from {read_parquet(rows)} "
        f"where trim({identifier(name)}) <> '' group by text order by n desc, text limit {_FEW + 1}"
    ).fetchall()
    return dict(found) if len(found) <= _FEW else {}
