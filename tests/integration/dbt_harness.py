"""The dbt project on a few rows: what every test of models builds on.

What lives here: a warehouse a test fills row by row and builds night by night, and the comparison with one full
rebuild. Not here: how models are built (dbt_runner.py), any expectation about a model.

A test says what arrived and what it expects:

    def test_a_late_row_counts(warehouse):
        warehouse.night({"zendesk.tickets": [{"id": "1", "status": "new"}]}, select="int_ticket__unioned")
        assert warehouse.rows("select status from intermediate.int_ticket__unioned") == [{"status": "new"}]
"""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from dbt_runner import PROJECT, DbtFailedError, DbtProject, night_of

from assets.text.sentiment import TextSentiment
from assets.warehouse.contact_points import spell_contact_points
from assets.warehouse.hidden_texts import hide_contact_points
from assets.warehouse.load import accepted_table, load
from quality.contract.model import DUCKDB_TYPES, Contract, all_contracts, load_contract
from quality.rows.work import ADDED_COLUMNS
from storage.data_folder import marts_file, warehouse_file

__all__ = ["PROJECT", "DbtFailedError", "DbtProject", "Warehouse"]

Row = Mapping[str, Any]
Rows = Mapping[str, Sequence[Row]]


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
        by_dbt: Whether dbt itself builds, and not what it sends: for what is about dbt, such as a model that fails.
    """

    project: DbtProject
    folder: Path
    select: str | None = None
    as_of: date = date(2025, 12, 31)
    text_sentiment: TextSentiment | None = None
    crms: tuple[str, ...] = ("salesforce", "salesforce_two")
    by_dbt: bool = False
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
            tests: Ask the tests of the models too, of a night that builds everything.
            batches: Folders of accepted extracts that arrive besides, as the gate wrote them.
        """
        self.select = select or self.select
        wanted = self.select or "*"
        self._begin()
        self.as_of = as_of or self.as_of + timedelta(days=1)
        load(self.build, batches, night_of(self.as_of, self.text_sentiment, self.crms))
        with duckdb.connect() as connection:
            connection.execute("set TimeZone = 'UTC'")
            _attach(connection, self.build, "warehouse")
            for stream, delivered in (rows or {}).items():
                self._append(connection, load_contract(*stream.split(".")), delivered)
        spell_contact_points(self.build)
        hide_contact_points(self.build)
        self._build_models(*_upstream(wanted))
        if tests:
            assert wanted == "*", "tests may be about several models"
            self.project.test(self.build)

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
        other = replace(self, _build=self.folder / name, _seeds={})
        shutil.rmtree(other.build, ignore_errors=True)
        self.project.stand(other.build)
        load(other.build, [], night_of(self.as_of, self.text_sentiment, self.crms))
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
        hide_contact_points(other.build)
        other._build_models(*_upstream(self.select or "*"), full_refresh=True)
        return other

    def _build_models(self, *select: str, full_refresh: bool = False) -> None:
        self.project.build(self.build, select, full_refresh, self.by_dbt)

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


def _upstream(select: str) -> list[str]:
    return ["*"] if select == "*" else [f"+{name}" for name in select.split()]


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
