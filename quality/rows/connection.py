"""How a DuckDB connection is set up that types and judges rows. Not here: the SQL it is asked."""

from __future__ import annotations

import duckdb


def set_up(connection: duckdb.DuckDBPyConnection) -> None:
    """Set up a connection for the SQL of a contract."""
    connection.execute("set TimeZone = 'UTC'")
    # DuckDB makes a join of every list of texts or days a value is held against. A contract asks for hundreds of such
    # lists, so planning took three times as long as everything else; answered value by value they cost less.
    connection.execute("set disabled_optimizers = 'in_clause'")
