"""Running a plan on an engine that speaks Spark Connect, or on Apache Spark.

What lives here: the tables of a plan, one after the other, as Parquet. Not here: making the plan (compile.py). It is
imported where Spark is installed and nothing else of ours.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.engine.plan import ModelPlan, Statement

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

# A loop that has not ended by then never will: a chain of people or accounts is not as long.
_MOST_ROUNDS = 1000
SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
}


class Chain:
    """Tables as Parquet in a folder, read under their names."""

    def __init__(self, spark: SparkSession, folder: Path) -> None:
        self._spark = spark
        self._folder = folder
        self._written = 0

    def register(self, table: str, path: Path) -> None:
        """Have Parquet files read as a table."""
        self._spark.read.parquet(str(path)).createOrReplaceTempView(table)

    def make(self, model: ModelPlan) -> None:
        """Make a model, of which all that it reads is made."""
        for statement in model.statements:
            self._make(statement)

    def _make(self, statement: Statement) -> None:
        if statement.step is None:
            self._keep(statement.sql, statement.name)
        else:
            self._loop(statement, statement.step)

    def _loop(self, statement: Statement, step: str) -> None:
        """Ask the step again and again, until it finds nothing new."""
        name, newest, known = statement.name, f"{statement.name}__newest", f"{statement.name}__known"
        once = "" if statement.keeps_all else "DISTINCT "
        columns = self._keep(f"SELECT {once}* FROM ({statement.sql}) AS _start", name).columns
        listed = ", ".join(f"`{column}`" for column in columns)
        self._spark.table(name).createOrReplaceTempView(newest)
        self._spark.table(name).createOrReplaceTempView(known)
        for _ in range(_MOST_ROUNDS):
            found = f"SELECT {listed} FROM ({step}) AS _found"
            if not statement.keeps_all:
                found += f" EXCEPT SELECT {listed} FROM {known}"
            self._keep(found, f"{name}__found")
            if not self._spark.table(f"{name}__found").limit(1).collect():
                self._spark.table(known).createOrReplaceTempView(name)
                return
            self._spark.table(f"{name}__found").createOrReplaceTempView(newest)
            stays = f"SELECT {listed} FROM {known}"
            if statement.key:
                same = " AND ".join(f"_old.`{column}` <=> _new.`{column}`" for column in statement.key)
                stays = f"SELECT {listed} FROM {known} AS _old LEFT ANTI JOIN {newest} AS _new ON {same}"
            self._keep(f"{stays} UNION ALL SELECT {listed} FROM {newest}", f"{name}__all")
            self._spark.table(f"{name}__all").createOrReplaceTempView(known)
        raise RuntimeError(f"{name} finds more rows after {_MOST_ROUNDS} rounds")

    def _keep(self, sql: str, name: str) -> DataFrame:
        """Write a query's rows and have them read under a name."""
        rows = self._spark.sql(sql)
        self._written += 1
        path = self._folder / (name if not (self._folder / name).exists() else f"{name}-{self._written}")
        rows.write.mode("overwrite").parquet(str(path))
        if not any(path.glob("*.parquet")):
            _write_no_rows(self._spark.createDataFrame([], rows.schema), path)
        kept = self._spark.read.parquet(str(path))
        kept.createOrReplaceTempView(name)
        return kept


def _write_no_rows(none: DataFrame, folder: Path) -> None:
    """A file that says what the columns are: Sail writes none where there are no rows."""
    from pyarrow import parquet

    folder.mkdir(parents=True, exist_ok=True)
    parquet.write_table(none.toArrow(), folder / "none.parquet")
