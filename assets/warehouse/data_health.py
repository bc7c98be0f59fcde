"""What the models are told of the data's health beside the rows: what was counted, approved, and defined otherwise.

What lives here: the tables of the warehouse that hand it over. Not here: judging (quality/gate/gate.py), approvals
(quality/gate/approvals.py), the log of definitions (assets/versions/definition_log.py), what follows
(mart_data_health). What the gate counted is kept with each batch, so it is the same whenever the warehouse is built.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import duckdb

from assets.versions.manifest import DefinitionChange
from quality.gate.accepted import AcceptedBatch
from quality.gate.approvals import Approval
from storage.errors import JourneymartError

TABLES = """
create table if not exists warehouse.night.batches (
    batch_id varchar, source varchar, system varchar, stream varchar, extract_date date, rows bigint, night bigint,
    quarantined bigint, records bigint, checks_passed bigint, checks_warned bigint, checks_failed bigint,
    newest_at timestamptz, warned varchar
);
create table if not exists warehouse.night.definition_changes (as_of date, kind varchar, name varchar, change varchar);
create table if not exists warehouse.night.approvals (
    source varchar, stream varchar, extract_date date, checks varchar, approved_by varchar, approved_on date,
    because varchar
);
create table if not exists warehouse.night.hidden_texts (batch_id varchar, column_name varchar, texts bigint);
"""


def hand_over_definitions(connection: duckdb.DuckDBPyConnection, changes: Iterable[DefinitionChange]) -> None:
    """Put the log where the models read it, in place of the one before."""
    connection.execute("delete from warehouse.night.definition_changes")
    rows = [(each.as_of, *_kind_and_name(each.name), each.change) for each in changes]
    if rows:
        connection.executemany("insert into warehouse.night.definition_changes values (?, ?, ?, ?)", rows)


def hand_over_approvals(connection: duckdb.DuckDBPyConnection, approvals: Iterable[Approval]) -> None:
    """Put what people approved of the night's extracts where the models read it, in place of what there was before."""
    connection.execute("delete from warehouse.night.approvals")
    rows = [
        (each.source, each.stream, each.extract_date, ", ".join(each.checks), each.by, each.at.date(), each.because)
        for each in approvals
    ]
    if rows:
        connection.executemany("insert into warehouse.night.approvals values (?, ?, ?, ?, ?, ?, ?)", rows)


def hand_over_batches(
    connection: duckdb.DuckDBPyConnection, batches: Sequence[AcceptedBatch], night: int, newest: Mapping[str, datetime]
) -> None:
    """Enter batches the warehouse lacked, with what the gate counted.

    Args:
        connection: The warehouse.
        batches: The night's own.
        night: Its number.
        newest: By batch, when the newest version among its rows came to be; a batch without rows has none.
    """
    rows = [
        (
            *(batch.batch_id, batch.source, batch.system, batch.stream, batch.extract_date, batch.rows, night),
            *_counts(batch),
            newest.get(batch.batch_id),
            batch.warned,
        )
        for batch in batches
    ]
    if rows:
        connection.executemany(f"insert into warehouse.night.batches values ({', '.join('?' * 14)})", rows)


def restate_batches(connection: duckdb.DuckDBPyConnection, batches: Iterable[AcceptedBatch], night: int) -> None:
    """Correct what the gate counted of batches that are loaded already: judged again, the same rows passed.

    Raises:
        JourneymartError: A batch is not in the warehouse.
    """
    for batch in batches:
        found = connection.execute(
            "update warehouse.night.batches set quarantined = ?, records = ?, checks_passed = ?, checks_warned = ?, "
            "checks_failed = ?, night = ?, warned = ? where batch_id = ?",
            [*_counts(batch), night, batch.warned, batch.batch_id],
        ).fetchone()
        if found != (1,):
            raise JourneymartError(
                f"The extract of {batch.stream_id} for {batch.extract_date} is not in the warehouse once: "
                "start from a base that holds it, or from nothing."
            )


def _counts(batch: AcceptedBatch) -> tuple[int | None, ...]:
    return batch.quarantined, batch.records, batch.checks_passed, batch.checks_warned, batch.checks_failed


def _kind_and_name(definition: str) -> tuple[str, str]:
    kind, _, name = definition.partition("/")
    return kind, name or kind
