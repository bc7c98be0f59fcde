"""How the texts of a delivered table are written: shapes of numbers, dates, encodings, and why records were rejected.

Not here: what is wrong with it (formats.py).
"""

from __future__ import annotations

from collections.abc import Collection

import duckdb

from quality.contract.model import ColumnType
from quality.landed.extract import BAD_ENCODING, LandedExtract
from quality.rows.casts import GROUP_MARKS, NUMERIC, identifier
from quality.rows.formats import LocalDates, Shape
from quality.rows.landed_text import delivered_text, is_csv, read_parquet, text_columns

_LOCAL_DATE = "^([0-9]{1,2})[/.-]([0-9]{1,2})[/.-][0-9]{4}"
# A longer text is no number, whatever it looks like.
_LONGEST_NUMBER = 40
# A file that cannot be parsed may have a reason for each number of fields.
_MOST_REASONS = 3


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
        name: delivered_text(extract, name, columns)
        for name, column in extract.contract.columns.items()
        if name in columns and column.type in kinds
    }
