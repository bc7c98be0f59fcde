"""Dagster's SQLite event log with connections that stay open, and which lets go of a run whole. No other difference.

The stock storage opens a new connection, and builds a new engine, for every statement it runs: some 15 ms an
event, so that a night of eight hundred events spends ten seconds on its diary. Kept open they cost one. The
files are the same, so either storage reads what the other wrote. Of a run that is deleted, the stock storage keeps its
file and the results of its checks, some 4 MB a night. Leans on `_connect`, which is why Dagster is
held to one minor version.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# Great Expectations imports it in a thread of its own; half imported, it would break the statements made here
# meanwhile.
import sqlalchemy.orm  # noqa: F401
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import StaticPool

# A shard per run; a UI that looks at many runs shall not hold them all.
_MOST_OPEN = 8


class SteadySqliteEventLogStorage(SqliteEventLogStorage):
    """The event log of a run and the index over all runs, each behind one connection that stays open."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: dict[str, Engine] = {}
        self._tables: set[str] = set()
        super().__init__(base_dir, inst_data)

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> SteadySqliteEventLogStorage:
        """Make the storage from its entry in `dagster.yaml`."""
        return cls(inst_data=inst_data, **config_value)

    def dispose(self) -> None:
        """Close the connections."""
        with self._db_lock:
            while self._engines:
                self._engines.popitem()[1].dispose()
        super().dispose()

    def delete_events(self, run_id: str) -> None:
        """Delete all events of a run, the results of its checks and its file."""
        super().delete_events(run_id)
        with self.index_connection() as connection:
            checks = AssetCheckExecutionsTable
            connection.execute(checks.delete().where(checks.c.run_id == run_id))
        with self._db_lock:
            if engine := self._engines.pop(run_id, None):
                engine.dispose()
            for suffix in ("", "-wal", "-shm"):
                Path(f"{self.path_for_shard(run_id)}{suffix}").unlink(missing_ok=True)

    def has_table(self, table_name: str) -> bool:
        """Whether the index has a table; Dagster asks at every result of a check, and no table ever goes."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            engine = self._engine(shard)
            with engine.connect() as connection, connection.begin():
                yield connection

    def _engine(self, shard: str) -> Engine:
        if shard not in self._engines:
            if len(self._engines) >= _MOST_OPEN:
                oldest = next(iter(self._engines))
                self._engines.pop(oldest).dispose()
            engine = create_engine(
                self.conn_string_for_shard(shard),
                poolclass=StaticPool,
                connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
            )
            event.listen(engine, "connect", _relax)
            self._initdb(engine)
            self._engines[shard] = engine
        return self._engines[shard]


def _relax(connection: sqlite3.Connection, _: object) -> None:
    """Flush at checkpoints, not at every event: a power cut may cost the last events, never the file."""
    connection.execute("PRAGMA synchronous=NORMAL")
