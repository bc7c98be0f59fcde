"""Whether an engine can be asked: a row written where the night's tables would be, and read again.

What lives here: the program that asks, run by the Python where pyspark is installed. Not here: what is said of the
answer (inspection.py).

    python -m orchestration.engine.probe ENGINE FOLDER

Prints the release of Spark that answered, or the name of what went wrong.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from orchestration.engine.run import name_of, session


def main(engine: str, folder: Path) -> None:
    """Ask."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        # Whatever a library prints must not get between the answers.
        os.dup2(2, 1)
        try:
            with session(engine) as spark:
                spark.sql("SELECT 1 AS one").write.parquet(str(folder / "probe"))
                (row,) = spark.read.parquet(str(folder / "probe")).collect()
                version = spark.version
        except Exception as error:
            answers.write(name_of(error))
            raise
        if row[0] != 1 or not any((folder / "probe").glob("*.parquet")):
            answers.write("what it wrote is not there")
            sys.exit(1)
        answers.write(version)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
