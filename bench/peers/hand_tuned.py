"""The heavy tables of a full build made by hand, and compared: `python bench/peers/hand_tuned.py OUT`.

Runs in the folder of a full build, within the limits dbt has, and writes as JSON by table what the scripts beside it
(`<table>.sql`) cost, and how many rows differ from what the models made. The scripts are the models of before they were
cut into steps, made fast by hand for a full build and for the sample company alone: with numbers in place of names and
dates, running minima, flattened windows, running totals. They know of no night that follows another.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import duckdb

from bench.model_groups import HAND_TUNED, HEAVY
from storage.data_folder import marts_file, warehouse_file
from storage.engine import connect

_SCRIPTS = Path(__file__).parent
_MADE = "tuned"


def hand_tuned(build: Path, table: str) -> dict[str, float | int]:
    """CPU of a script, its rows, and those that are in one of both tables alone."""
    with connect(spill=build / ".spill") as connection:
        connection.execute("set TimeZone = 'UTC'; set asof_loop_join_threshold = 0")
        connection.execute(f"attach '{warehouse_file(build)}' as warehouse (read_only)")
        connection.execute(f"attach '{marts_file(build)}' as cx_marts (read_only)")
        model = _where(connection, table)
        script = (_SCRIPTS / f"{table}.sql").read_text(encoding="utf-8")
        cpu = time.process_time()
        connection.execute(script)
        cpu = time.process_time() - cpu
        # In the types of the model's contract.
        connection.execute(f"create temp view made as (from {model} limit 0) union all by name (from {_MADE})")
        counted = connection.execute(
            f"select (select count(*) from made), (select count(*) from (from made except all from {model})), "
            f"(select count(*) from (from {model} except all from made))"
        ).fetchall()
    ((rows, ours_alone, theirs_alone),) = counted
    return {"cpu_seconds": cpu, "rows": rows, "differing_rows": ours_alone + theirs_alone}


def _where(connection: duckdb.DuckDBPyConnection, table: str) -> str:
    (place,) = connection.execute(
        "select table_catalog || '.' || table_schema || '.' || table_name from information_schema.tables "
        "where table_name = ? and table_schema <> '_touched'",
        [table],
    ).fetchall()
    return str(place[0])


if __name__ == "__main__":
    made = {short: hand_tuned(Path(), HEAVY[short]) for short in HAND_TUNED}
    Path(sys.argv[1]).write_text(json.dumps(made), encoding="utf-8")
