"""The dbt project on a few rows: what every test of models builds on.

What lives here: a parsed project shared by the session, a warehouse a test fills row by row and builds night
by night, and the comparison with one full rebuild. Not here: any expectation about a model.

A test says what arrived and what it expects:

    def test_a_late_row_counts(warehouse):
        warehouse.night({"zendesk.tickets": [{"id": "1", "status": "new"}]}, select="int_ticket__unioned")
        assert warehouse.rows("select status from intermediate.int_ticket__unioned") == [{"status": "new"}]
"""

from __future__ import annotations

import copy
import fcntl
import itertools
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from assets.text.sentiment import TextSentiment
from assets.warehouse.contact_points import spell_contact_points
from assets.warehouse.load import Night, SourceRole, accepted_table, load, prepare
from orchestration.dbt.project import PARSED, prepare_manifest
from quality.contract.model import DUCKDB_TYPES, Contract, all_contracts, load_contract
from quality.rows.work import ADDED_COLUMNS
from storage.data_folder import marts_file, warehouse_file
from tests.checkout import CHECKOUT

PROJECT = CHECKOUT.composed_project()

Row = Mapping[str, Any]
Rows = Mapping[str, Sequence[Row]]


class DbtProject:
    """The project, parsed once; runs dbt in this process against any build folder."""

    def __init__(self, folder: Path, project: Path = PROJECT, shared: Path | None = None) -> None:
        self.folder = folder
        self.project = project
        self._shared = shared or folder
        self._manifest: Any = None
        self._parts: dict[tuple[frozenset[str], frozenset[str]], Any] = {}

    def run(self, build: Path, command: str, *arguments: str) -> int:
        """Run a dbt command on a build, and say on how many nodes; a failure is told in dbt's own words."""
        from dbt.cli.main import dbtRunner

        with _environment(build):
            manifest = self._part_for(command, arguments)
            result = dbtRunner(manifest=manifest).invoke([command, *arguments, *self._flags()])
        if not result.success:
            failed = [
                f"{item.node.name}: {item.status} {item.message}"
                for item in getattr(result.result, "results", [])
                if item.status in ("error", "fail")
            ]
            raise DbtFailedError("\n".join(failed) or str(result.exception))
        return len(getattr(result.result, "results", []))

    def _part_for(self, command: str, arguments: Sequence[str]) -> Any:
        """The parsed project without what a command does not look at: dbt goes through all of it every time."""
        if self._manifest is None:
            self._manifest = self._parsed()
        excluded = {kind for option, kind in itertools.pairwise(arguments) if option == "--exclude-resource-type"}
        without = frozenset({"test", "unit_test"} if command == "run" else {"test", "unit_test"} & excluded)
        key = (without, frozenset(_selected(arguments)))
        if key not in self._parts:
            self._parts[key] = _part(self._manifest, *key)
        return self._parts[key]

    def _parsed(self) -> Any:
        """The parsed project: of the checkout's what a night reads, of another what dbt makes of it."""
        from dbt.cli.main import dbtRunner
        from dbt.contracts.graph.manifest import Manifest

        if self.project == CHECKOUT.dbt_project:
            prepare_manifest(CHECKOUT)
            target = CHECKOUT.dbt_target
        else:
            parsed = dbtRunner().invoke(["parse", *self._flags()])
            if not parsed.success:
                pytest.fail(f"The dbt project does not parse: {parsed.exception}")
            target = self.folder / "target"
        # Read from what dbt keeps: it mixes up what a manifest has looked up when that is copied.
        manifest = Manifest.from_msgpack(target.joinpath(PARSED).read_bytes())
        manifest.build_flat_graph()
        return manifest

    def between(self, written: Set[str], marts: Sequence[str]) -> list[str]:
        """The steps by which what a test wrote reaches these marts, themselves included, by name; facts are left alone.

        Args:
            written: Tables the test fills itself.
            marts: What it then looks at.
        """
        if self._manifest is None:
            self._manifest = self._parsed()
        reads = {
            node.name: {self._manifest.nodes[i].name for i in node.depends_on_nodes if i in self._manifest.nodes}
            for node in self._manifest.nodes.values()
            if node.name in marts or (node.resource_type == "model" and node.schema == "intermediate")
        }
        found: dict[str, bool] = {}

        def is_reached(name: str) -> bool:
            if name not in found:
                parents = reads.get(name, set())
                steps = [is_reached(parent) for parent in parents - written]
                found[name] = any(steps) or bool(parents & written)
            return found[name]

        unreached = [mart for mart in marts if not is_reached(mart)]
        assert not unreached, f"{unreached} read nothing that was written"
        return sorted(name for name, reached in found.items() if reached)

    def stand(self, build: Path) -> Path:
        """Make a build of one's own, without rows, in which every model stands."""
        # A copy: a database that one process writes, no other can open.
        shutil.copytree(self._template(), build)
        return build

    def _template(self) -> Path:
        """What builds start from; whichever test process asks first makes it for all."""
        build = self._shared / "template"
        with (self._shared / "template is being made").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (self._shared / "template is made").exists():
                prepare(build)
                load(build, [], _night(date(2025, 12, 31)))
                self.run(build, "build", *_NO_TESTS)
                (self._shared / "template is made").touch()
        return build

    def _flags(self) -> list[str]:
        return [
            *("--project-dir", str(self.project), "--profiles-dir", str(self.project), "--quiet"),
            *("--target-path", str(self.folder / "target"), "--log-path", str(self.folder / "logs")),
            # Its logs write out every event before they look at its level; failures are told by the results.
            *("--log-level", "none", "--log-level-file", "none", "--no-write-json"),
        ]


class DbtFailedError(Exception):
    """Some model or test failed; the message says which and why."""


@dataclass
class Warehouse:
    """One build, filled and built by a test.

    Attributes:
        project: The dbt project.
        folder: Where builds of this test lie.
        select: What `night` builds unless told otherwise, as dbt selects it; None: everything.
        as_of: Business date of the last night.
        text_sentiment: How texts are estimated, if they are.
        crms: The sources that are CRMs. Change it before the first night only: a night's base has the same roles.
    """

    project: DbtProject
    folder: Path
    select: str | None = None
    as_of: date = date(2025, 12, 31)
    text_sentiment: TextSentiment | None = None
    crms: tuple[str, ...] = ("salesforce", "salesforce_two")
    _build: Path | None = None
    _seeds: dict[str, Sequence[str]] = field(default_factory=dict)
    _row_numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def build(self) -> Path:
        """The build folder."""
        assert self._build is not None, "no night yet"
        return self._build

    def night(
        self,
        rows: Rows | None = None,
        select: str | None = None,
        as_of: date | None = None,
        tests: bool = False,
        batches: Sequence[Path] = (),
    ) -> None:
        """Let rows arrive and build the models on them.

        Args:
            rows: By stream, as `system.stream`. A row names columns of the contract as the vendor does;
                required columns left out get a dull value, others NULL. It may also set `_source` (else
                the system), `_op`, `_extract_date` (else the night's date) and `_version_at` (else as the
                gate sets it).
            select: Models to build, as dbt selects them, with what they need. The first night decides.
            as_of: Business date; the day after the last night's unless told.
            tests: Run the tests of the models too.
            batches: Folders of accepted extracts that arrive besides, as the gate wrote them.
        """
        self.select = select or self.select
        wanted = self.select or "*"
        self._begin()
        self.as_of = as_of or self.as_of + timedelta(days=1)
        load(self.build, batches, _night(self.as_of, self.text_sentiment, self.crms))
        with duckdb.connect() as connection:
            connection.execute("set TimeZone = 'UTC'")
            _attach(connection, self.build, "warehouse")
            for stream, delivered in (rows or {}).items():
                self._append(connection, load_contract(*stream.split(".")), delivered)
        spell_contact_points(self.build)
        kept = (*_NO_UNIT_TESTS, *_NOT_SEEDS) if tests else (*_NO_TESTS, *_NOT_SEEDS)
        self.project.run(
            self.build,
            "build",
            "--select",
            *_upstream(wanted),
            *kept,
            "--exclude",
            "config.materialized:view",
        )

    def seed(self, name: str, lines: Sequence[str]) -> None:
        """Put other rows into a seed: a header and lines as in its file. Nights and rebuilds leave seeds alone."""
        self._begin()
        self._seeds[name] = lines
        file = self.folder / f"{name}.csv"
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        with duckdb.connect() as connection:
            _attach(connection, self.build, "warehouse")
            connection.execute(f"truncate warehouse.seeds.{name}")
            connection.execute(
                f"insert into warehouse.seeds.{name} by name "
                f"select * from read_csv('{_quoted(file)}', header = true, all_varchar = true, nullstr = '')"
            )

    def rebuilt(self, name: str = "rebuilt") -> Warehouse:
        """The same accepted rows in another order, built from nothing in one night."""
        other = Warehouse(self.project, self.folder, self.select, self.as_of, self.text_sentiment, self.crms)
        other._build = self.folder / name
        shutil.rmtree(other.build, ignore_errors=True)
        self.project.stand(other.build)
        load(other.build, [], _night(self.as_of, self.text_sentiment, self.crms))
        for seed, lines in self._seeds.items():
            other.seed(seed, lines)
        with duckdb.connect() as connection:
            _attach(connection, self.build, "before")
            _attach(connection, other.build, "warehouse")
            for contract in all_contracts():
                table = f'accepted."{accepted_table(contract.system, contract.stream)}"'
                connection.execute(
                    f"insert into warehouse.{table} "
                    "select * replace ((select night from warehouse.night.night) as _night) "
                    f"from before.{table} order by md5(cast(_row as varchar))"
                )
        spell_contact_points(other.build)
        self.project.run(
            other.build,
            *("build", "--full-refresh", "--select", *_upstream(self.select or "*"), *_NO_TESTS, *_NOT_SEEDS),
            *("--exclude", "config.materialized:view"),
        )
        return other

    def differences(self, other: Warehouse, tables: Sequence[str]) -> dict[str, list[tuple[Any, ...]]]:
        """Rows that only one of two warehouses has, by table: empty when they are equal row for row.

        Args:
            other: The warehouse to compare with.
            tables: `schema.table`, with `cx_marts.` in front for the public file.
        """
        with duckdb.connect() as connection:
            connection.execute("set TimeZone = 'UTC'")
            found = {}
            for place, build in (("here", self.build), ("there", other.build)):
                _attach(connection, build, place)
                connection.execute(f"attach '{_quoted(marts_file(build))}' as {place}_marts (read_only)")
            for table in tables:
                public = table.removeprefix("cx_marts.")
                here, there = (
                    f"{place}_marts.{public}" if public != table else f"{place}.{table}" for place in ("here", "there")
                )
                rows = connection.execute(
                    f"(select 'here', * from (select * from {here} except all select * from {there})) "
                    "union all "
                    f"(select 'there', * from (select * from {there} except all select * from {here}))"
                ).fetchall()
                if rows:
                    found[table] = rows
        return found

    def rows(self, sql: str, *parameters: object) -> list[dict[str, Any]]:
        """What a query gives, a dictionary per row; marts are `cx_marts.main.<mart>`."""
        with duckdb.connect() as connection:
            connection.execute("set TimeZone = 'UTC'")
            _attach(connection, self.build, "warehouse")
            connection.execute(f"attach '{_quoted(marts_file(self.build))}' as cx_marts (read_only)")
            connection.execute("use warehouse")
            found = connection.execute(sql, list(parameters))
            names = [column[0] for column in found.description or ()]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def values(self, sql: str, *parameters: object) -> list[Any]:
        """The first column of a query."""
        return [next(iter(row.values())) for row in self.rows(sql, *parameters)]

    def _begin(self) -> None:
        """Stand on the template, once."""
        if self._build is None:
            self._build = self.folder / "build"
            self.project.stand(self._build)

    def _append(self, connection: duckdb.DuckDBPyConnection, contract: Contract, delivered: Sequence[Row]) -> None:
        if not delivered:
            return
        types = {name: DUCKDB_TYPES[column.type] for name, column in contract.columns.items()}
        types |= ADDED_COLUMNS | {"_batch_id": "varchar"}
        records = [{name: _text(value) for name, value in self._completed(contract, row).items()} for row in delivered]
        arrived = pa.Table.from_pylist(  # noqa: F841 (DuckDB reads it by name)
            records, schema=pa.schema([(name, pa.string()) for name in types])
        )
        columns = ", ".join(f'"{name}"' for name in types)
        casts = ", ".join(f'cast("{name}" as {duckdb_type})' for name, duckdb_type in types.items())
        table = f'warehouse.accepted."{accepted_table(contract.system, contract.stream)}"'
        connection.execute(
            f"insert into {table} ({columns}, _night) "
            f"select {casts}, (select night from warehouse.night.night) from arrived"
        )

    def _completed(self, contract: Contract, row: Row) -> dict[str, Any]:
        unknown = set(row) - set(contract.columns) - set(ADDED_COLUMNS)
        assert not unknown, f"{contract.system}.{contract.stream} has no column {sorted(unknown)}"
        extract_date: date = row.get("_extract_date", self.as_of)
        end_of_day = datetime.combine(extract_date + timedelta(days=1), datetime.min.time(), UTC)
        number = next(self._row_numbers)
        deleted = row.get("_op") == "delete"
        dull = {
            name: _dull(column.type, end_of_day)
            for name, column in contract.columns.items()
            if column.required and not deleted
        }
        completed = {
            "_extra": "{}",
            "_source": contract.system,
            "_extract_date": extract_date,
            "_file": None if deleted else "file.csv",
            "_row": number,
            "_op": "upsert",
            "_batch_id": f"{contract.stream}-{extract_date}",
            **dull,
            **row,
        }
        completed.setdefault("_version_at", (contract.version and completed.get(contract.version)) or end_of_day)
        return completed


@pytest.fixture(scope="session")
def dbt_project(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> DbtProject:
    """The dbt project, parsed once in a session."""
    base = tmp_path_factory.getbasetemp()
    shared = (base if worker_id == "master" else base.parent) / "dbt template"
    shared.mkdir(exist_ok=True)
    return DbtProject(tmp_path_factory.mktemp("dbt project"), shared=shared)


@pytest.fixture
def warehouse(dbt_project: DbtProject, tmp_path: Path) -> Warehouse:
    """A warehouse in which nothing has arrived yet."""
    return Warehouse(dbt_project, tmp_path)


_NO_UNIT_TESTS = ("--exclude-resource-type", "unit_test")
_NO_TESTS = ("--exclude-resource-type", "test", *_NO_UNIT_TESTS)
_NOT_SEEDS = ("--exclude-resource-type", "seed")


def _selected(arguments: Sequence[str]) -> Iterator[str]:
    """What a dbt command is told to select."""
    if "--select" in arguments:
        after = arguments[arguments.index("--select") + 1 :]
        yield from itertools.takewhile(lambda argument: not argument.startswith("--"), after)


def _part(manifest: Any, without: Set[str], selected: Set[str]) -> Any:
    """A parsed project without kinds of tests and, where no test is left, without what the selected models do not need.

    Args:
        manifest: dbt's; it is not changed.
        without: `test`, `unit_test`, both or neither.
        selected: As dbt is told; if it is anything but names with or without a `+`, every model stays.
    """
    part = copy.copy(manifest)
    if "unit_test" in without:
        part.unit_tests = {}
    if "test" not in without:
        return part
    nodes = {i: node for i, node in manifest.nodes.items() if node.resource_type != "test"}
    by_name = {node.name: i for i, node in nodes.items()}
    names = {name.removeprefix("+") for name in selected}
    if part.unit_tests or not names or not names <= set(by_name):
        part.nodes = nodes
        return part
    needed: set[str] = set()
    waiting = [by_name[name] for name in names]
    while waiting:
        unique_id = waiting.pop()
        if unique_id not in needed:
            needed.add(unique_id)
            waiting += nodes[unique_id].depends_on_nodes if unique_id in nodes else []
    part.nodes = {i: node for i, node in nodes.items() if i in needed}
    return part


def _upstream(select: str) -> list[str]:
    return ["*"] if select == "*" else [f"+{name}" for name in select.split()]


def _night(as_of: date, text_sentiment: TextSentiment | None = None, crms: Iterable[str] = ()) -> Night:
    return Night(
        as_of=as_of,
        run_id=f"run-{as_of}",
        reporting_timezone="Europe/Berlin",
        currency="EUR",
        sources=tuple(SourceRole(source, source.removesuffix("_two"), "crm") for source in crms),
        text_sentiment=text_sentiment,
    )


def _dull(column_type: str, end_of_day: datetime) -> object:
    """A value of a required column that a test does not care about."""
    noon = end_of_day - timedelta(hours=12)
    values: dict[str, object] = {"text": "x", "id": "x", "currency": "EUR"}
    values |= {"bigint": 1, "double": 0, "decimal": 0, "boolean": False, "json": "[]"}
    return noon.date() if column_type == "date" else values.get(column_type, noon)


def _text(value: object) -> str | None:
    if value is None:
        return None
    return json.dumps(value) if isinstance(value, list | dict | bool) else str(value)


def _attach(connection: duckdb.DuckDBPyConnection, build: Path, name: str) -> None:
    connection.execute(f"attach '{_quoted(warehouse_file(build))}' as {name}")


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


@contextmanager
def _environment(build: Path) -> Iterator[None]:
    """The two environment variables the profile reads."""
    wanted = {
        "JOURNEYMART_WAREHOUSE": str(warehouse_file(build)),
        "JOURNEYMART_MARTS": str(marts_file(build)),
        "DO_NOT_TRACK": "1",
    }
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        # dbt keeps the files open as long as the process lives.
        DuckDBConnectionManager.close_all_connections()
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
