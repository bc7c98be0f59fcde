"""dbt with every statement recorded: `python bench/recorded_dbt.py RECORD ARGUMENTS OF DBT`.

What lives here: the program, which writes a line of JSON per statement. Not here: what the lines say (statements.py).

A statement's CPU is that of this process, all threads of DuckDB included, while it runs: true as long as dbt runs one
node at a time (`--threads 1`). A script of several statements is sent one by one, so that each step of an incremental
model is seen; what it says of its rows is kept, and how many rows every operator put out.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, ClassVar

import duckdb
from dbt.adapters.duckdb.environments import local
from dbt.cli.main import dbtRunner
from dbt_common.events.contextvars import get_node_info

_COUNTING = {"CREATE", "INSERT", "DELETE", "UPDATE"}
_BEGINNING = 200

Plan = dict[str, Any]


class RecordedCursor(local.DuckDBCursorWrapper):
    """The cursor that dbt-duckdb sends statements with; it writes down what each cost."""

    record: ClassVar[IO[str]]
    _rows: list[tuple[object, ...]] | None = None

    def execute(self, sql: str, bindings: object = None) -> object:
        """Send a script, statement by statement."""
        if bindings is not None:
            return self._send(sql, [sql, bindings])
        sent = None
        for statement in duckdb.extract_statements(sql):
            sent = self._send(statement.query, [statement.query], is_counting=statement.type.name in _COUNTING)
        return sent

    def fetchall(self) -> list[tuple[object, ...]]:
        """The rows of the last statement: taken already to count them, or still to be fetched."""
        if self._rows is not None:
            return self._rows
        cpu = time.process_time()
        rows: list[tuple[object, ...]] = self._cursor.fetchall()
        self._write(time.process_time() - cpu)
        return rows

    def _send(self, sql: str, arguments: Sequence[object], is_counting: bool = False) -> object:
        self._cursor.execute("set enable_profiling = 'no_output'")
        cpu = time.process_time()
        sent = self._cursor.execute(*arguments)
        self._rows = self._cursor.fetchall() if is_counting else None
        cpu = time.process_time() - cpu
        told = json.loads(self._cursor.get_profiling_information("json") or "{}")
        counted = self._rows[0][0] if self._rows else None
        plans = [_plan(each) for each in told.get("operator", [])]
        self._write(cpu, " ".join(sql.split())[:_BEGINNING], counted if isinstance(counted, int) else None, plans)
        return sent

    def _write(self, cpu: float, sql: str = "", rows: int | None = None, plans: Sequence[Plan] = ()) -> None:
        node = get_node_info().get("unique_id")
        line = {"node": node, "cpu_seconds": cpu, "sql": sql, "rows": rows, "plans": plans}
        self.record.write(json.dumps(line) + "\n")


def _plan(operator: Plan) -> Plan:
    """What is kept of an operator's profile: its name, the rows it put out, those below it."""
    return {
        "operator": operator["type"],
        "rows": operator["intermediate_rows"],
        "below": [_plan(each) for each in operator.get("children", [])],
    }


def _main() -> None:
    record, *arguments = sys.argv[1:]
    setattr(local, "DuckDBCursorWrapper", RecordedCursor)  # noqa: B010 - a name of another module
    with Path(record).open("w", encoding="utf-8") as RecordedCursor.record:
        done = dbtRunner().invoke(arguments)
    if done.exception:
        raise done.exception
    sys.exit(0 if done.success else 1)


if __name__ == "__main__":
    _main()
