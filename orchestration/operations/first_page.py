"""The first page of a stream that is pulled, as a file to look at.

Not here: pulling (assets/pulling), looking (check_extract.py, suggest_mapping.py).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.operations.days_over import last_day_over
from orchestration.operations.meant import contract_of
from storage.errors import JourneymartError

if TYPE_CHECKING:
    from datetime import date

    from assets.landing.connectors.config import FileStream
    from orchestration.config.setup import Setup


def first_page_file(setup: Setup, stream: FileStream, folder: Path) -> tuple[Path, date]:
    """Ask for the first page of the extract that is pulled next, and write it down.

    That is the first one, which holds all history, as long as none has landed; then that of the last day that is over.

    Args:
        setup: Settings and sources.
        stream: A stream that is pulled.
        folder: Where to; nothing is kept anywhere else.

    Returns:
        The file, and which day's extract it is of.

    Raises:
        JourneymartError: It cannot be pulled, or holds no row.
    """
    import pyarrow.parquet as pq

    from assets.pulling.extract import first_page

    landed = setup.folder.landing_partition(stream.stream, stream.first_date).parent
    day = max(last_day_over(setup), stream.first_date) if any(landed.glob("????-??-??")) else stream.first_date
    page = first_page(stream, contract_of(stream), day)
    if not page.num_rows:
        raise JourneymartError(f"{stream.stream} has no row for {day}, so there is nothing to look at: see its source.")
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{stream.stream.stream}.parquet"
    pq.write_table(page, file)
    return file, day
