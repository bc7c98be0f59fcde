"""A program: pull the one stream of the company that is named, and do nothing else.

python -m bench.pulled DATE ROWS
"""

from __future__ import annotations

import sys
from datetime import date

from assets.landing.connectors.config import PostgresPull
from assets.pulling.postgres.pull import pull_postgres
from orchestration.config.setup import load_setup
from quality.contract.model import load_contract


def main() -> None:
    """Pull it, and fail unless it is as many rows as there are."""
    day, rows = date.fromisoformat(sys.argv[1]), int(sys.argv[2])
    setup = load_setup()
    (stream,) = setup.sources.streams
    if not isinstance(stream.pull, PostgresPull):
        raise TypeError(f"{stream.stream} is not pulled from a database")
    contract = load_contract(stream.stream.system, stream.stream.stream)
    pulled = pull_postgres(stream, stream.pull, contract, setup.folder, day)
    if pulled.rows != rows:
        raise RuntimeError(f"{pulled.rows} of {rows} rows were pulled")


if __name__ == "__main__":
    main()
