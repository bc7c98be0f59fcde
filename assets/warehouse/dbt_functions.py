"""SQL functions that dbt's models call and Python answers, as a plugin of dbt-duckdb (dbt_project/profiles.yml).

What lives here: their names and types in SQL. Not here: what they compute (assets/).
"""

from __future__ import annotations

from dbt.adapters.duckdb.plugins import BasePlugin
from duckdb import DuckDBPyConnection
from duckdb.func import FunctionNullHandling

from assets.text.sentiment import polarity


class Plugin(BasePlugin):
    """Registers the functions on the connection dbt opens."""

    def configure_connection(self, conn: DuckDBPyConnection) -> None:
        """`text_polarity(text)`: how good an English text sounds, -1 to 1; NULL where no word says."""
        conn.create_function(
            "text_polarity", polarity, ["VARCHAR"], "DOUBLE", null_handling=FunctionNullHandling.SPECIAL
        )
