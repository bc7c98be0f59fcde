"""The private warehouse file: its creation, and the loading of accepted batches into it.

What lives here: both DuckDB files of a build, the tables of accepted rows, the night's own tables. Not here:
what is derived from them (dbt), which batches a night needs (versions), judging rows (the gate).
"""

from __future__ import annotations

import glob
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import duckdb

from assets.text.sentiment import TextSentiment
from assets.versions.manifest import DefinitionChange
from assets.warehouse.data_health import TABLES as HEALTH_TABLES
from assets.warehouse.data_health import hand_over_approvals, hand_over_batches, hand_over_definitions, restate_batches
from quality.contract.model import DUCKDB_TYPES, Contract, all_contracts, load_contract
from quality.gate.accepted import DESCRIPTION, ROWS, AcceptedBatch, read_batch
from quality.gate.approvals import Approval
from quality.rows.work import ADDED_COLUMNS
from storage.data_folder import StreamId, marts_file, warehouse_file
from storage.engine import connect
from storage.errors import JourneymartError
from storage.files import known_sha256

# The newest format that every 1.x client can open; a file keeps the version it was created with.
STORAGE_VERSION = "v1.2.0"

# What loading adds to the columns of the contract and those of the gate.
LOADED_COLUMNS: Mapping[str, str] = {"_batch_id": "varchar", "_night": "bigint"}

# What the source says it changed, not what it no longer lists; times far after the extract are those of a wrong clock.
_NEWEST = "max(_version_at) filter (_op = 'upsert' and _version_at < _extract_date + interval 2 day)"

_NIGHT_TABLES = """
create schema if not exists warehouse.night;
create table if not exists warehouse.night.night (
    night bigint, as_of date, previous_as_of date, run_id varchar,
    reporting_timezone varchar, currency varchar, is_stale boolean, stale_since date,
    unlabelled_language varchar, sentiment_method varchar
);
create table if not exists warehouse.night.sources (source varchar, system varchar, role varchar);
create table if not exists warehouse.night.email_addresses (raw varchar, spelled varchar);
create table if not exists warehouse.night.phone_numbers (raw varchar, country varchar, e164 varchar);
"""


@dataclass(frozen=True)
class SourceRole:
    """What a source is to the company.

    Attributes:
        source: Installation.
        system: Vendor.
        role: `crm` or `other`.
    """

    source: str
    system: str
    role: str


@dataclass(frozen=True)
class Night:
    """What the models may know of their night; the warehouse adds its number and the night before.

    Attributes:
        as_of: Business date of the night.
        run_id: Run that makes it.
        reporting_timezone: IANA zone that turns times into days.
        currency: ISO 4217 currency of amounts that name none.
        sources: The sources and their roles.
        stale_since: The first date of which extracts are missing; None: none are.
        approvals: What it is built on that a person approved, see data_health.py.
        definition_changes: When definitions changed, see data_health.py.
        text_sentiment: How texts are estimated, if they are.
    """

    as_of: date
    run_id: str
    reporting_timezone: str
    currency: str
    sources: tuple[SourceRole, ...] = ()
    stale_since: date | None = None
    approvals: tuple[Approval, ...] = ()
    definition_changes: tuple[DefinitionChange, ...] = ()
    text_sentiment: TextSentiment | None = None


@dataclass(frozen=True)
class _Delivery:
    """A batch and the file that holds its rows."""

    batch: AcceptedBatch
    file: Path


def accepted_table(system: str, stream: str) -> str:
    """Name of the table, in schema `accepted`, that holds all rows of one stream of a system."""
    return f"{system}__{stream}"


def prepare(build: Path) -> None:
    """Make sure both DuckDB files of a build stand, in a format that older clients read.

    A build cloned from a base has them already and keeps them. The warehouse holds personal data, so its
    folder is for the owner only.
    """
    for file, mode in ((warehouse_file(build), 0o700), (marts_file(build), 0o755)):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.parent.chmod(mode)
        with attached(file) as (connection, database):
            connection.execute(f"create schema if not exists {database}._touched")


def load(
    build: Path, batches: Iterable[Path], night: Night, restated: Iterable[AcceptedBatch] = ()
) -> dict[StreamId, int]:
    """Append accepted batches to the warehouse, all or none, and start a night.

    Args:
        build: Folder of the build; `prepare` was called on it.
        batches: Folders of accepted partitions that the warehouse lacks. Only these are opened.
        night: The night that begins.
        restated: Batches the warehouse holds, of which the gate now says something else.

    Returns:
        Rows appended per stream, streams without rows included.

    Raises:
        JourneymartError: A batch is in the warehouse already, or its file is not what its description says.
    """
    read = (_Delivery(read_batch(folder / DESCRIPTION), folder / ROWS) for folder in batches)
    new = sorted(read, key=lambda delivery: (str(delivery.batch.stream_id), delivery.batch.extract_date))
    for delivery in new:
        _check_content(delivery)
    with attached(warehouse_file(build)) as (connection, _):
        connection.execute("begin transaction")
        _create_tables(connection)
        _refuse_loaded(connection, new)
        number = _begin_night(connection, night)
        newest: dict[str, datetime] = {}
        for stream, group in _by_stream(new):
            newest |= _append(connection, stream, group, number)
        hand_over_batches(connection, [delivery.batch for delivery in new], number, newest)
        restate_batches(connection, restated, number)
        hand_over_definitions(connection, night.definition_changes)
        hand_over_approvals(connection, night.approvals)
        connection.execute("commit")
    return {stream: sum(each.batch.rows for each in group) for stream, group in _by_stream(new)}


def business_date(build: Path) -> date:
    """Business date of the night a build belongs to."""
    with connect(warehouse_file(build), read_only=True) as connection:
        ((as_of,),) = connection.execute("select as_of from night.night").fetchall()
    return date.fromisoformat(str(as_of))


@contextmanager
def attached(file: Path) -> Iterator[tuple[duckdb.DuckDBPyConnection, str]]:
    """Open one DuckDB file for writing; leaving closes it, and what was not committed is gone."""
    database = file.stem
    quoted = str(file).replace("'", "''")
    with connect(spill=file.parent / f".{database}.spill") as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(f"attach '{quoted}' as {database} (storage_version '{STORAGE_VERSION}')")
        yield connection, database


def _create_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Create what is missing: one table per contract, and the night's own."""
    connection.execute("create schema if not exists warehouse.accepted")
    connection.execute(_NIGHT_TABLES + HEALTH_TABLES)
    for contract in all_contracts():
        columns = ", ".join(f'"{name}" {kind}' for name, kind in _table_columns(contract).items())
        table = accepted_table(contract.system, contract.stream)
        connection.execute(f'create table if not exists warehouse.accepted."{table}" ({columns})')


def _table_columns(contract: Contract) -> dict[str, str]:
    typed = {name: DUCKDB_TYPES[column.type] for name, column in contract.columns.items()}
    return {**typed, **ADDED_COLUMNS, **LOADED_COLUMNS}


def _refuse_loaded(connection: duckdb.DuckDBPyConnection, new: Sequence[_Delivery]) -> None:
    """A partition is loaded once: another content of it needs a base that never saw the first."""
    loaded = set(connection.execute("select source, stream, extract_date from warehouse.night.batches").fetchall())
    for batch in (delivery.batch for delivery in new):
        partition = (batch.source, batch.stream, batch.extract_date)
        if partition in loaded:
            raise JourneymartError(
                f"The extract of {batch.stream_id} for {batch.extract_date} is in the warehouse already: "
                "start from a base without it, or from nothing."
            )
        loaded.add(partition)


def _begin_night(connection: duckdb.DuckDBPyConnection, night: Night) -> int:
    """Replace the one row that describes the night, and the sources; its number follows the last one's."""
    last = connection.execute("select night, as_of from warehouse.night.night").fetchone()
    number, previous_as_of = (last[0] + 1, last[1]) if last else (1, None)
    connection.execute("delete from warehouse.night.night")
    connection.execute(
        "insert into warehouse.night.night values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            *(number, night.as_of, previous_as_of, night.run_id),
            *(night.reporting_timezone, night.currency, night.stale_since is not None, night.stale_since),
            *((wanted.unlabelled, wanted.method) if (wanted := night.text_sentiment) else (None, None)),
        ],
    )
    connection.execute("delete from warehouse.night.sources")
    if night.sources:
        connection.executemany(
            "insert into warehouse.night.sources values (?, ?, ?)",
            [(each.source, each.system, each.role) for each in night.sources],
        )
    return int(number)


def _by_stream(new: Iterable[_Delivery]) -> Iterable[tuple[StreamId, list[_Delivery]]]:
    groups: defaultdict[StreamId, list[_Delivery]] = defaultdict(list)
    for delivery in new:
        groups[delivery.batch.stream_id].append(delivery)
    return groups.items()


def _append(
    connection: duckdb.DuckDBPyConnection, stream: StreamId, deliveries: Sequence[_Delivery], night: int
) -> dict[str, datetime]:
    """Append the batches of one stream in one statement, oldest extract first.

    Returns:
        When the newest version among the rows of each batch came to be; batches without rows are not in it.

    Raises:
        JourneymartError: A file lacks a column of the contract, or holds more or fewer rows than described.
    """
    contract = load_contract(stream.system, stream.stream)
    table = f'warehouse.accepted."{accepted_table(stream.system, stream.stream)}"'
    columns = ", ".join(f'"{name}"' for name in (*contract.columns, *ADDED_COLUMNS))
    files = [str(delivery.file) for delivery in deliveries]
    try:
        connection.execute(
            f"insert into {table} ({columns}, _batch_id, _night) "
            f"select {columns}, map($files, $batch_ids)[filename], $night "
            "from read_parquet($patterns, filename = true)",
            {
                "files": files,
                "batch_ids": [delivery.batch.batch_id for delivery in deliveries],
                "night": night,
                # The reader takes every path for a pattern.
                "patterns": [glob.escape(file) for file in files],
            },
        )
    except (duckdb.BinderException, duckdb.InvalidInputException) as error:
        raise JourneymartError(
            f"An accepted extract of {stream} does not have the columns of its contract: judge its extracts again."
        ) from error
    counted = connection.execute(
        f"select _batch_id, count(*), {_NEWEST} from {table} where _night = ? and _source = ? group by all",
        [night, stream.source],
    ).fetchall()
    found = {batch_id: rows for batch_id, rows, _ in counted}
    for batch in (delivery.batch for delivery in deliveries):
        if found.get(batch.batch_id, 0) != batch.rows:
            raise JourneymartError(
                f"The accepted extract of {stream} for {batch.extract_date} holds "
                f"{found.get(batch.batch_id, 0)} rows of its source where its description says {batch.rows}: "
                "judge the extract again."
            )
    return {batch_id: newest for batch_id, _, newest in counted if newest}


def _check_content(delivery: _Delivery) -> None:
    """The batch's name is the hash of its content."""
    try:
        content = known_sha256(delivery.file)
    except OSError as error:
        raise JourneymartError(
            f"{delivery.file} cannot be read ({error.strerror}): `journeymart doctor` says what to do."
        ) from error
    if content != delivery.batch.batch_id:
        raise JourneymartError(f"{delivery.file} changed after it was accepted: `journeymart doctor` says what to do.")
