"""dbt's connection, as a plugin of dbt-duckdb (dbt_project/profiles.yml): its memory, and functions Python answers.

What lives here: the names and types of functions in SQL. Not here: what they compute (assets/), how much memory there
is (storage/engine.py).
"""

from __future__ import annotations

from dbt.adapters.duckdb.plugins import BasePlugin
from duckdb import DuckDBPyConnection
from duckdb.func import FunctionNullHandling

from assets.text.sentiment import polarity
from storage.engine import memory_limit


class Plugin(BasePlugin):
    """Sets up the connection dbt opens; what does not fit into memory spills beside the warehouse of the build."""

    def configure_connection(self, conn: DuckDBPyConnection) -> None:
        """`text_polarity(text)`: how good an English text sounds, -1 to 1; NULL where no word says."""
        conn.execute(f"set memory_limit = '{memory_limit()}B'")
        conn.create_function(
            "text_polarity", polarity, ["VARCHAR"], "DOUBLE", null_handling=FunctionNullHandling.SPECIAL
        )
