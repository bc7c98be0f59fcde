"""A plan on Sail, which speaks Spark's language without Java: for tests, on one machine.

What lives here: the program that starts it and runs a plan. Not here: the plan's tables (chain.py). Sail is never
trusted with figures: its whole numbers overflow without a word, so what it says is only ever compared with DuckDB's.

    python -m orchestration.engine.sail PLAN TABLES OUT

PLAN is the plan's file, TABLES holds a folder of Parquet files for each table no model makes, OUT is for those that
models make. Prints each model with its seconds, as JSON lines.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from orchestration.engine.chain import SETTINGS, Chain
from orchestration.engine.plan import read_plan


def no_polarity(text: str | None) -> float | None:
    """Stands for text_polarity(), which is asked of no text where a company has not asked for estimates."""
    if text is not None:
        raise ValueError("text_sentiment is estimated on DuckDB only: take it out of company.yml to run on Spark")
    return None


def main(plan: Path, tables: Path, out: Path) -> None:
    """Run a plan."""
    from pysail.spark import SparkConnectServer
    from pyspark.sql import SparkSession
    from pyspark.sql.types import DoubleType

    server = SparkConnectServer(port=0)
    server.start(background=True)
    _, port = server.listening_address
    spark = SparkSession.builder.remote(f"sc://localhost:{port}").getOrCreate()
    for name, value in SETTINGS.items():
        spark.conf.set(name, value)
    spark.udf.register("text_polarity", no_polarity, DoubleType())
    chain = Chain(spark, out)
    for table in sorted(tables.iterdir()):
        chain.register(table.name, table)

    def said(model: str, seconds: float) -> None:
        sys.stdout.write(json.dumps({"model": model, "seconds": round(seconds, 3)}) + "\n")
        sys.stdout.flush()

    chain.run(read_plan(plan), said)
    spark.stop()
    server.stop()


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:]))
