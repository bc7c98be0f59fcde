"""A plan on an engine: Apache Spark under a master, or whatever speaks Spark Connect.

What lives here: the program that opens a session and runs a plan. Not here: the plan's tables (chain.py), starting the
program (process.py). It is run by a Python where pyspark is installed, and nothing else of ours.

    python -m orchestration.engine.run ENGINE FOLDER

ENGINE is an address (`sc://host:port`) or a master (`local[2]`). FOLDER holds the plan's file and, for each
table no model makes, a folder of Parquet files; those that models make are put beside them. Prints, as JSON lines, each
model with its seconds, or the one it could not make with the name of what went wrong: an engine's own words may quote
rows, they go where errors go. It ends when its input does, for then nobody waits for it any more.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from orchestration.engine.chain import SETTINGS, Chain
from orchestration.engine.plan import read_plan

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# Below the folder of a plan.
PLAN = "plan.json"
GIVEN = "given"
MADE = "made"

CONNECT = "sc://"
# A master starts a driver here, for one plan; an address is of one that runs and has settings of its own.
_OF_A_DRIVER = {
    "spark.driver.memory": "2g",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}
# Of a driver that does the work itself, which 200 parts of each shuffle would only keep busy.
_OF_ONE_MACHINE = {"spark.sql.shuffle.partitions": "4"}


@contextmanager
def session(engine: str) -> Iterator[SparkSession]:
    """A session of an engine, which ends with the block."""
    from pyspark.sql import SparkSession

    if engine.startswith(CONNECT):
        builder = SparkSession.builder.remote(engine)
    else:
        builder = SparkSession.builder.master(engine)
        settings = _OF_A_DRIVER | (_OF_ONE_MACHINE if engine.startswith("local") else {})
        for name, value in settings.items():
            builder = builder.config(name, value)
    spark = builder.getOrCreate()
    try:
        for name, value in SETTINGS.items():
            spark.conf.set(name, value)
        yield spark
    finally:
        spark.stop()


def main(engine: str, folder: Path) -> None:
    """Run a plan."""
    threading.Thread(target=_end_with_the_input, daemon=True).start()
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        # Whatever a library prints must not get between the answers.
        os.dup2(2, 1)
        with session(engine) as spark:
            chain = Chain(spark, folder / MADE)
            for table in sorted((folder / GIVEN).iterdir()):
                chain.register(table.name, table)
            for model in read_plan(folder / PLAN):
                begun = time.monotonic()
                try:
                    chain.make(model)
                except Exception as error:
                    _say(answers, model=model.name, failed=name_of(error))
                    raise
                _say(answers, model=model.name, seconds=round(time.monotonic() - begun, 3))


def _say(answers: TextIO, **what: str | float) -> None:
    answers.write(json.dumps(what) + "\n")
    answers.flush()


def name_of(error: Exception) -> str:
    """What went wrong without the words, which may quote a row: Spark's own name for it, or Python's."""
    condition = getattr(error, "getCondition", lambda: None)()
    return str(condition or type(error).__name__)


def _end_with_the_input() -> None:
    # Not by way of Python's stream, whose lock a thread must not hold when the program ends.
    while os.read(0, 4096):
        pass
    os._exit(1)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
