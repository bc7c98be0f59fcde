"""The id of a batch is a function of the batch alone: not of threads, of other extracts, or of the order of rows.

Two installations that judge the same extract, one of them a backlog of many at once, must agree on what is accepted.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from quality.contract.model import Contract
from quality.gate.accepted import write_accepted
from quality.landed.extract import LandedExtract
from quality.landed.manifest import read_manifest
from quality.past.profiles import Profile
from quality.rows.counts import BatchCounts
from quality.rows.work import ADDED_COLUMNS, WORK
from tests.gate_kit import DAY, STREAM, Landing, column, contract

DAYS = [DAY + timedelta(days=number) for number in range(4)]


def tickets(day: date, count: int) -> list[tuple[str, ...]]:
    """Rows in which some values are one, some few and some all different, and one is refused."""
    return [
        (
            f"{day}-{number}",
            f"subject {number % 7}",
            str(number),
            "" if number % 3 else "vip",
            f"{day}T10:00:{number % 60:02}Z",
        )
        for number in range(count)
    ] + [("", "no id", "1", "", f"{day}T10:00:00Z")]


@pytest.fixture
def ticket_contract() -> Contract:
    return contract({"subject": column("text"), "size": column("bigint"), "tag": column("text")})


def landed(folder: Path, ticket_contract: Contract) -> tuple[Landing, list[LandedExtract]]:
    columns = ("id", "subject", "size", "tag", "updated_at")
    landing = Landing(folder, ticket_contract, columns=columns)
    return landing, [landing.land(tickets(day, 200 + 10 * n), day, columns=columns) for n, day in enumerate(DAYS)]


def test_a_batch_judged_alone_is_the_batch_judged_with_others(tmp_path: Path, ticket_contract: Contract) -> None:
    together, several = landed(tmp_path / "together", ticket_contract)
    alone, singles = landed(tmp_path / "alone", ticket_contract)
    ids = [verdict.batch_id for verdict in together.judge(*reversed(several))][::-1]
    assert None not in ids
    assert len(set(ids)) == len(DAYS)
    assert [alone.judge(extract)[0].batch_id for extract in singles] == ids


@pytest.mark.parametrize("rows", [1000, 260_000])
def test_a_batch_is_the_same_whatever_threads_wrote_it_and_in_what_order_its_rows_lay(
    tmp_path: Path, ticket_contract: Contract, rows: int
) -> None:
    """Row groups, dictionaries and statistics of the file follow the rows as they are ordered, and nothing else."""
    landing, (extract, *_) = landed(tmp_path, ticket_contract)
    ids = {
        written(landing, extract, rows, threads=threads, others=others, shuffle=shuffle)
        for threads, others, shuffle in (
            (1, 0, "_row"),
            (4, 0, "hash(_row)"),
            (4, 70_000, "hash(_row + 5)"),
            (2, 3, "-_row"),
        )
    }
    assert len(ids) == 1


def written(landing: Landing, extract: LandedExtract, rows: int, *, threads: int, others: int, shuffle: str) -> str:
    """The id of a batch of so many rows, written among others by so many threads."""
    made = (
        "select {batch} as _batch, md5('{batch}' || number) as id, 'subject ' || number % 7 as subject, "
        "number % 1000 as size, case when number % 3 = 0 then 'vip' end as tag, "
        "timestamptz '2026-03-10 10:00:00+00' + to_seconds(number) as updated_at, "
        "('{{\"more\": ' || number % 5 || '}}')::json as _extra, "
        "'helpdesk' as _source, date '2026-03-10' as _extract_date, "
        "'file ' || number // 100000 as _file, number % 100000 as _row, 'upsert' as _op, "
        "timestamptz '2026-03-10 10:00:00+00' as _version_at, false as _quarantined "
        "from range({rows}) as numbers (number)"
    )
    with duckdb.connect(config={"threads": threads}) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(
            f"create table {WORK} as select * from ({made.format(batch=1, rows=rows)} "
            f"union all {made.format(batch=2, rows=others)}) order by {shuffle}"
        )
        assert set(ADDED_COLUMNS) < {name for name, *_ in connection.execute(f"describe {WORK}").fetchall()}
        batch = write_accepted(
            connection,
            landing.folder,
            extract=extract,
            manifest=read_manifest(extract.partition),
            counts=BatchCounts(rows, rows, 0, {}, None),
            profile=Profile(extract.extract_date, extract.judged_by, is_history=False, delivered=rows, rows=rows),
            outcomes=(),
            warned="",
            batch=1,
        )
    assert (batch.stream_id, batch.rows) == (STREAM, rows)
    return batch.batch_id
