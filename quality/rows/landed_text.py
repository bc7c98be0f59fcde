"""Landed files as SQL: how they are read, and what was delivered in a column.

Not here: the typed value (split.py, casts.py).
"""

from __future__ import annotations

import glob
from collections.abc import Mapping
from pathlib import Path

import duckdb

from quality.landed.extract import LandedExtract
from quality.rows.casts import identifier, literal, present


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


def delivered_text(extract: LandedExtract, name: str, columns: Mapping[str, str]) -> str:
    """SQL of what was delivered in a column, NULL where that is nothing."""
    landed = f"{identifier(columns[name])}::varchar"
    return present(extract.contract.columns[name].type, landed, extract.reading.empty)
