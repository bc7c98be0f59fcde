"""The judge: a contract as a Great Expectations suite, run inside DuckDB.

The one place that knows Great Expectations. It has no engine for DuckDB and closes a connection before it has
fetched its results, which DuckDB's do not survive, so a small subclass keeps the connection. That leans on
its inside: the version is guarded, and the first use in a process judges a batch known to be bad and one
known to be good before it may judge anything else. Not here: what a suite asks (quality/rows/suite.py) and what follows
from a judgement (gate.py).

Importing Great Expectations takes seconds, so it happens on first use, once per process; `warm_up` starts it
early.
"""

from __future__ import annotations

import atexit
import importlib
import importlib.metadata
import importlib.util
import logging
import sys
import threading
import types
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Protocol, Self

import duckdb

from quality.rows.suite import Expectation, ExpectationKind, no_rows
from storage.engine import connect
from storage.errors import JourneymartError

# The releases whose inside the subclass below was made for.
SUPPORTED_VERSIONS = "1.24"

# What it imports for expectations and charts nobody here asks for; it would be two fifths of loading it.
_NOT_ASKED_FOR = ("altair", "scipy.stats")
# Its sources of data: classes that nobody here makes, of pandas, Spark and every database, which it imports by name
# only to list them. Making them would be a third of what is left.
_SOURCES = "datasource.fluent.*_datasource"
_SOURCE_ASKED_FOR = "invalid_datasource"

Result = Literal["pass", "fail", "error"]

_loading = threading.Lock()


class Judge:
    """Runs suites on the tables of one DuckDB connection.

    Args:
        connection: The connection that holds the tables; it stays the caller's.

    Raises:
        JourneymartError: Great Expectations is missing, of another version, or does not fail what is known to
            be bad.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        load()
        self._gx = _library()
        self._engine = self._gx.connect(connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._engine.close()

    def judge(self, table: str, expected: Sequence[Expectation]) -> dict[str, Result]:
        """Judge the rows of one table.

        Args:
            table: A table or view whose name needs no quotes.
            expected: The suite.

        Returns:
            What became of each expectation: one that raised, or gave no result, is an error.
        """
        results: dict[str, Result] = dict.fromkeys((each.name for each in expected), "error")
        said = self._gx.validate(self._engine, table, expected)
        for result in said:
            name = result.expectation_config.meta["name"]
            ran = result.exception_info.get("raised_exception") is False
            results[name] = "error" if not ran else "pass" if result.success is True else "fail"
        if len(said) != len(expected):
            raise JourneymartError(
                f"Great Expectations gave {len(said)} results for {len(expected)} expectations: run the night again."
            )
        return results


def load() -> None:
    """Import Great Expectations and prove that it judges; once per process.

    Raises:
        JourneymartError: It is missing, of another version, or does not fail what is known to be bad.
    """
    with _loading:
        _proven()


class WarmUp(threading.Thread):
    """Loads Great Expectations while something else is going on."""

    def __init__(self) -> None:
        super().__init__(name="great-expectations-warm-up", daemon=True)
        self._failure: BaseException | None = None
        self.start()

    def run(self) -> None:
        """Load; a failure waits for `join`."""
        try:
            load()
        except BaseException as error:  # noqa: BLE001 -- raised again by join, in the thread that can act on it
            self._failure = error

    def join(self, timeout: float | None = None) -> None:
        """Wait for the end, and raise what went wrong."""
        super().join(timeout)
        if self._failure is not None:
            raise self._failure


def warm_up() -> WarmUp:
    """Start loading Great Expectations in the background; `join()` what this returns before judging."""
    return WarmUp()


@cache
def _proven() -> None:
    """The self-test: each kind of expectation passes a good batch, fails a bad one, and errs on a hollow one.

    The hollow one has neither rows nor the columns asked for; what is asked of the table itself fails there.
    """
    expected = (
        Expectation("columns", "columns", True, "false", {"column_set": ["a", "b", "c"], "exact_match": False}),
        Expectation("row_count", "row_count", True, "false", {"min_value": 1}),
        Expectation("not_null", "not_null", True, "a is null", {"column": "a"}),
        Expectation("in_set", "in_set", True, "b <> 'x'", {"column": "b", "value_set": ["x", "y"]}),
        Expectation("between", "between", True, "c > 5", {"column": "c", "min_value": 0, "max_value": 5}),
        no_rows("no_rows", True, "c::int > 5 or b = ':b {}'"),
    )
    names = {each.name for each in expected}
    with connect() as connection:
        connection.execute("create table good as select 1 as a, 'x' as b, 1 as c")
        connection.execute("create table bad as select null as a, 'z' as b, 9 as c")
        connection.execute("create table hollow as select 1 as other where false")
        gx = _library()
        engine = gx.connect(connection)
        try:
            outcomes = {
                table: {
                    result.expectation_config.meta["name"]: (
                        result.success,
                        result.exception_info.get("raised_exception") is False,
                    )
                    for result in gx.validate(engine, table, expected)
                }
                for table in ("good", "bad", "hollow")
            }
        finally:
            engine.close()
    passes, fails, errs = (True, True), (False, True), (False, False)
    of_table = {"columns", "row_count"}
    known = {
        "good": dict.fromkeys(names, passes),
        "bad": {name: passes if name in of_table else fails for name in names},
        "hollow": {name: fails if name in of_table else errs for name in names},
    }
    if outcomes != known:
        raise JourneymartError(
            "Great Expectations does not tell a good batch from a bad one on this machine: "
            "install journeymart again from its lock file."
        )


class _Engine(Protocol):
    """The execution engine, as far as it is ours."""

    def end(self) -> None: ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class _Library:
    """The imported parts of Great Expectations, behind the two things needed of them."""

    sqlalchemy: Any
    connection_class: Any
    engine_class: Any
    batch: Any
    batch_data: Any
    validator: Any
    suite: Any
    context: Any
    expectations: Mapping[ExpectationKind, Any]

    def connect(self, connection: duckdb.DuckDBPyConnection) -> _Engine:
        """An execution engine on the database of a connection."""
        own = connection.cursor()
        own.execute("set TimeZone = 'UTC'")
        engine = self.sqlalchemy.create_engine(
            "duckdb:///:memory:",
            creator=lambda: self.connection_class(own),
            poolclass=self.sqlalchemy.pool.StaticPool,
        )
        made: _Engine = self.engine_class(engine=engine)
        return made

    def validate(self, engine: _Engine, table: str, expected: Sequence[Expectation]) -> list[Any]:
        """Results of Great Expectations, in its order; they hold no values of rows."""
        built = [
            self.expectations[each.kind](
                **each.arguments,
                severity="critical" if each.is_critical else "warning",
                meta={"name": each.name},
            )
            for each in expected
        ]
        batch = self.batch(data=self.batch_data(engine, table_name=table))
        validator = self.validator(execution_engine=engine, batches=[batch], data_context=self.context)
        try:
            results: list[Any] = validator.graph_validate(
                configurations=self.suite(name=table, expectations=built).expectation_configurations,
                runtime_configuration={"result_format": {"result_format": "BOOLEAN_ONLY"}},
            )
        finally:
            engine.end()
        return results


class _OnUse(types.ModuleType):
    """Stands for a module that is imported when something of it is asked for."""

    def __getattr__(self, name: str) -> object:
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), name)


class _Hollow(types.ModuleType):
    """Stands for a module of which nothing is used: every name in it is a class without anything in it."""

    def __getattr__(self, name: str) -> object:
        # Those of the import machinery are asked for to see whether they are there.
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


@contextmanager
def _standing_in(kind: type[types.ModuleType], *names: str) -> Iterator[None]:
    """What is imported meanwhile gets stand-ins of these modules, unless they are there; afterwards they are free."""
    absent = {name: kind(name) for name in names if name not in sys.modules}
    sys.modules.update(absent)
    try:
        yield
    finally:
        for name, module in absent.items():
            # One that was used meanwhile is itself by now.
            if sys.modules.get(name) is module:
                del sys.modules[name]


def _sources(package: str) -> list[str]:
    """Modules of a package's sources of data, by their files: none is imported."""
    found = importlib.util.find_spec(package)
    home = Path(found.origin).parent if found and found.origin else Path(package)
    files = home.glob(f"{_SOURCES.replace('.', '/')}.py")
    modules = (".".join([package, *file.relative_to(home).with_suffix("").parts]) for file in files)
    return sorted(module for module in modules if not module.endswith(f".{_SOURCE_ASKED_FOR}"))


@cache
def _library() -> _Library:
    """Import Great Expectations, quiet, without a project folder, and only a version known to be understood.

    Raises:
        JourneymartError: It is missing or of another version.
    """
    try:
        version = importlib.metadata.version("great-expectations")
    except importlib.metadata.PackageNotFoundError:
        version = "none"
    if not f"{version}.".startswith(f"{SUPPORTED_VERSIONS}."):
        raise JourneymartError(
            f"Great Expectations {SUPPORTED_VERSIONS} is needed to judge extracts, {version} is installed: "
            "install journeymart again from its lock file."
        )
    # It logs the text of database errors, which may quote values of rows.
    logger = logging.getLogger("great_expectations")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False

    with _standing_in(_OnUse, *_NOT_ASKED_FOR), _standing_in(_Hollow, *_sources("great_expectations")):
        duckdb_engine, sqlalchemy, great_expectations, expectations, engines, batches, batch_data, validators = (
            importlib.import_module(name)
            for name in (
                "duckdb_engine",
                "sqlalchemy",
                "great_expectations",
                "great_expectations.expectations",
                "great_expectations.execution_engine",
                "great_expectations.core.batch",
                "great_expectations.execution_engine.sqlalchemy_batch_data",
                "great_expectations.validator.validator",
            )
        )

    class DuckDBExecutionEngine(engines.SqlAlchemyExecutionEngine):  # type: ignore[misc, name-defined]
        """Keeps its connection while it judges, because DuckDB's results die with theirs."""

        _connection: Any

        @contextmanager
        def get_connection(self) -> Iterator[Any]:
            if self._connection is None:
                self._connection = self.engine.connect()
            yield self._connection

        def end(self) -> None:
            """Give the connection back, so that tables made since then are seen."""
            if self._connection is not None:
                self._connection.close()
                self._connection = None

        def close(self) -> None:
            """Close the connection for good."""
            self.end()
            super().close()

    class PlainCursor(duckdb_engine.CursorWrapper):  # type: ignore[misc, name-defined]
        """Names column types by text: SQLAlchemy keeps them, and DuckDB's own types must not outlive it."""

        @property
        def description(self) -> list[tuple[Any, ...]] | None:
            described = self.__getattr__("description")
            return described and [(name, str(type_), *rest) for name, type_, *rest in described]

    class PlainConnection(duckdb_engine.ConnectionWrapper):  # type: ignore[misc, name-defined]
        """Hands out plain cursors."""

        def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
            super().__init__(connection)
            self._connection = connection

        def cursor(self) -> PlainCursor:
            return PlainCursor(self._connection, self)

    # Great Expectations outlives the interpreter's end, the dialect with it and DuckDB's module with that,
    # which then reports its objects as leaked on the terminal. At exit nobody needs the dialect any more.
    atexit.register(vars(duckdb_engine).clear)
    context = great_expectations.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    return _Library(
        sqlalchemy=sqlalchemy,
        connection_class=PlainConnection,
        engine_class=DuckDBExecutionEngine,
        batch=batches.Batch,
        batch_data=batch_data.SqlAlchemyBatchData,
        validator=validators.Validator,
        suite=great_expectations.ExpectationSuite,
        context=context,
        expectations={
            "columns": expectations.ExpectTableColumnsToMatchSet,
            "row_count": expectations.ExpectTableRowCountToBeBetween,
            "not_null": expectations.ExpectColumnValuesToNotBeNull,
            "in_set": expectations.ExpectColumnValuesToBeInSet,
            "between": expectations.ExpectColumnValuesToBeBetween,
            "no_rows": expectations.UnexpectedRowsExpectation,
        },
    )
