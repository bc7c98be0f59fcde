"""How a page reads the marts of a build.

What lives here: the connection, and the one sentence when the marts lack something. Not here: what a page reads
(journey/data.py, scorecard/data.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from assets.versions.contents import literal
from storage.data_folder import marts_file, warehouse_file
from storage.engine import connect
from storage.errors import JourneymartError


@contextmanager
def opened_marts(build: Path, page: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """The marts of a build or version, read-only, as the default database; beside them its `warehouse`, if it has one.

    Args:
        build: The build; nobody writes its files any more.
        page: What the reader calls the page.

    Raises:
        JourneymartError: The marts cannot be read, or lack what the page shows.
    """
    try:
        with connect() as connection:
            if warehouse_file(build).exists():
                connection.execute(f"ATTACH {literal(str(warehouse_file(build)))} AS warehouse (READ_ONLY)")
            connection.execute(f"ATTACH {literal(str(marts_file(build)))} AS marts (READ_ONLY)")
            connection.execute("USE marts")
            yield connection
    except duckdb.Error as error:
        raise JourneymartError(
            f"{marts_file(build)} does not give {page} what it shows ({type(error).__name__}): "
            "see that dbt built every mart, then run the night again."
        ) from error
