"""What dbt sends to the database for each model: written down once while dbt runs, sent again for every build of tests.

What lives here: writing down, and sending. Not here: which models a test builds, and when dbt itself does it
(dbt_harness.py).

For a few rows three quarters of a dbt run are spent on arriving at SQL that is the same every time: what a model sends
follows from the project, from whether its table is made whole or continued, and from what the database answers on the
way. So a script keeps the answers too. It is sent only where the database answers the same; else it does not hold, and
dbt is asked.

    whole      the table is made whole (a full refresh)
    touched    an incremental model continues its table; some of its keys are touched
    untouched  the same, of a night that touches none of them

`test_marts_history.py` makes a night of everything by dbt as well, and compares every table.
"""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from storage.data_folder import marts_file, warehouse_file

# The statement whose answer, how many keys are touched, decides what an incremental model sends next.
_COUNTS_TOUCHED_KEYS = 'create or replace temp table temp."_touched_keys__'

Answer = tuple[tuple[Any, ...], ...]


@dataclass(frozen=True)
class Statement:
    """One thing dbt sends.

    Attributes:
        sql: The statement, or several.
        answer: The rows dbt read of it; None: it read nothing.
    """

    sql: str
    answer: Answer | None

    @property
    def counts_touched_keys(self) -> bool:
        """Whether its answer decides between the scripts of an incremental model."""
        return self.answer is not None and self.sql.lstrip().startswith(_COUNTS_TOUCHED_KEYS)


Script = tuple[Statement, ...]


class ScriptDoesNotHoldError(Exception):
    """The database answers what it did not answer when the script was written down."""


@dataclass(frozen=True)
class Scripts:
    """What dbt sends for each model, by its unique id."""

    whole: Mapping[str, Script]
    touched: Mapping[str, Script]
    untouched: Mapping[str, Script]

    @classmethod
    def read(cls, file: Path) -> Scripts:
        """What another test process wrote."""
        scripts: Scripts = pickle.loads(file.read_bytes())  # noqa: S301 (written by ourselves, a minute ago)
        return scripts

    def write(self, file: Path) -> None:
        """Keep them for all test processes."""
        file.write_bytes(pickle.dumps(self))

    def make_whole(self, cursor: Any, node: Any) -> None:
        """Make the table of a model whole, in place of what stands there.

        Args:
            cursor: A connection as dbt opens it.
            node: The model.

        Raises:
            ScriptDoesNotHoldError: dbt must do it; nothing was changed.
        """
        with _transaction(cursor):
            # The script was written down where nothing stood.
            cursor.execute(f"drop table if exists {node.relation_name}")
            for statement in self.whole[node.unique_id]:
                _send(cursor, statement)

    def go_on(self, cursor: Any, node: Any) -> None:
        """Continue the table of an incremental model by what a night touches.

        Args:
            cursor: A connection as dbt opens it.
            node: The model.

        Raises:
            ScriptDoesNotHoldError: dbt must do it; nothing was changed.
        """
        with _transaction(cursor):
            script = self.touched[node.unique_id]
            for place, statement in enumerate(script):
                if not statement.counts_touched_keys:
                    _send(cursor, statement)
                elif cursor.execute(statement.sql).fetchone() == (0,):
                    for rest in self.untouched[node.unique_id][place + 1 :]:
                        _send(cursor, rest)
                    return


@contextmanager
def written_down(touched_keys: int | None = None) -> Iterator[dict[str, Script]]:
    """Writes down what dbt sends in this block, by model.

    Args:
        touched_keys: What dbt is told when it asks how many keys of a model are touched; None: the truth.
    """
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt_common.clients.agate_helper import table_from_data_flat

    sent: dict[str, Script] = {}
    lock = threading.Lock()
    as_ever: Callable[..., Any] = DuckDBConnectionManager.execute

    def execute(manager: Any, sql: str, auto_begin: bool = False, fetch: bool = False, limit: int | None = None) -> Any:
        response, table = as_ever(manager, sql, auto_begin, fetch, limit)
        statement = Statement(sql, _rows(table) if fetch else None)
        if touched_keys is not None and statement.counts_touched_keys:
            table = table_from_data_flat([{"Count": touched_keys}], ["Count"])
        # dbt names the connection of a thread by the model it works on.
        model = manager.get_thread_connection().name
        if model.startswith("model."):
            with lock:
                sent[model] = (*sent.get(model, ()), statement)
        return response, table

    DuckDBConnectionManager.execute = execute
    try:
        yield sent
    finally:
        DuckDBConnectionManager.execute = as_ever


@contextmanager
def opened(project: Path, build: Path) -> Iterator[Any]:
    """A connection to a build as dbt opens it: by the profile, but for where the files lie.

    Args:
        project: The folder of the dbt project.
        build: The build folder.
    """
    from dbt.adapters.duckdb import environments
    from dbt.adapters.duckdb.credentials import DuckDBCredentials

    profile = _profile(project)
    (marts,) = profile["attach"]
    here = {
        "path": str(warehouse_file(build)),
        "attach": [marts | {"path": str(marts_file(build))}],
        "database": warehouse_file(build).stem,
        "schema": "main",
    }
    said = {name: value for name, value in profile.items() if name not in ("type", "threads")}
    environment = environments.create(DuckDBCredentials.from_dict(said | here))
    connection = environment.handle()
    try:
        yield connection.cursor()
    finally:
        connection.close()
        environment.close()


@cache
def _profile(project: Path) -> Mapping[str, Any]:
    said = yaml.safe_load((project / "profiles.yml").read_text(encoding="utf-8"))
    profile: Mapping[str, Any] = said["journeymart"]["outputs"]["build"]
    return profile


@contextmanager
def _transaction(cursor: Any) -> Iterator[None]:
    cursor.execute("begin")
    try:
        yield
    except BaseException:
        # DuckDB has rolled back already where it gave up the transaction itself.
        cursor.execute("rollback")
        raise
    cursor.execute("commit")


def _send(cursor: Any, statement: Statement) -> None:
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    cursor.execute(statement.sql)
    if statement.answer is not None:
        now = _rows(DuckDBConnectionManager.get_result_from_cursor(cursor, None))
        if now != statement.answer:
            raise ScriptDoesNotHoldError(statement.sql)


def _rows(table: Any) -> Answer:
    return tuple(tuple(row.values()) for row in table.rows)
