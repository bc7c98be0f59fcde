"""Defects to seed into a night, each a row of a table: what is broken, where, what must become of it, and by what.

What lives here: the tables and how each defect is done. Not here: the nights they are done to, and what is expected of
readers (e2e/test_seeded_defects.py); the kinds of check of an extract and of the tests of models, which have their
defects in e2e/test_gate_gates.py and are counted with these.
"""

from __future__ import annotations

import csv
import gzip
import json
import shutil
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import duckdb
import pytest

from assets.closed_months.kept import month_files
from assets.versions.contents import attach, literal
from storage.data_folder import REPORT_PAGES, marts_file, parquet_folder, report_file
from tests.e2e.conftest import THIRD
from tests.e2e.installation import Installation
from tests.e2e.test_gate_gates import each_object

Outcome = Literal["blocked", "quarantined", "warned"]
TICKETS = f"zendesk/tickets_{THIRD}.jsonl.gz"
CONTACTS = f"salesforce/contact_{THIRD}.csv.gz"
DEALS = f"salesforce/opportunity_{THIRD}.csv.gz"
USERS = f"zendesk/users_{THIRD}.jsonl.gz"
RATINGS = f"zendesk/satisfaction_ratings_{THIRD}.jsonl.gz"


@dataclass(frozen=True)
class Night:
    """The night a defect is seeded into: an installation of its own, and what ends with the test.

    Attributes:
        company: Two nights published, the third delivered.
        patch: Undone after the test.
        folder: For files of the defect.
    """

    company: Installation
    patch: pytest.MonkeyPatch
    folder: Path


@dataclass(frozen=True)
class Defect:
    """One defect.

    Attributes:
        name: What is broken.
        place: Where: the extract, the rows of models, the build, the report, the environment.
        seed: Does it; returns the installation to run the night on.
        outcome: What must become of it.
        by: The check that must find it: words of the refusal, the reason in quarantine, or the check that warns.
        stream: Whose quarantine or warning, as source/stream; of an audit `marts`.
    """

    name: str
    place: str
    seed: Callable[[Night], Installation]
    outcome: Outcome
    by: str
    stream: str = ""


def _in(change: Callable[[Installation], object]) -> Callable[[Night], Installation]:
    """A defect done to the installation before its night."""

    def seed(night: Night) -> Installation:
        change(night.company)
        return night.company

    return seed


def _delivered(name: str, change: Callable[[bytes], bytes]) -> Callable[[Night], Installation]:
    return _in(lambda company: company.redeliver(name, change))


def _file(name: str, change: Callable[[Path], object]) -> Callable[[Night], Installation]:
    """A defect of the delivered file itself, of which its manifest knows nothing."""
    return _in(lambda company: change(company.drop_file(name)))


def _one_object_more(name: str, **wrong: Any) -> Callable[[Night], Installation]:
    """The first record once more under an id of its own, with what is wrong."""

    def more(content: bytes) -> bytes:
        record = json.loads(content.splitlines()[0]) | {"id": 999_000_001} | wrong
        return content + json.dumps(record).encode() + b"\n"

    return _delivered(name, more)


def _one_row_more(name: str, **wrong: str) -> Callable[[Night], Installation]:
    """The same of a CSV file: a row with nothing but what is said."""

    def more(content: bytes) -> bytes:
        head = content.decode().splitlines(keepends=True)[0]
        row = [wrong.get(column, "") for column in next(csv.reader([head]))]
        return content + ",".join(row).encode() + head[len(head.rstrip()) :].encode()

    return _delivered(name, more)


def _each_row_begins_with(content: bytes, text: bytes) -> bytes:
    head, *rows = content.splitlines(keepends=True)
    return head + b"".join(text + row for row in rows)


def _renamed(content: bytes, column: str) -> bytes:
    head, *rows = content.splitlines(keepends=True)
    return head.replace(column.encode(), f"{column}_2".encode(), 1) + b"".join(rows)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def _claims(name: str, **said: Any) -> Callable[[Night], Installation]:
    """A manifest that says something else of its file."""

    def change(company: Installation) -> None:
        manifest = company.drop_file(f"{name}.manifest.json")
        manifest.write_text(json.dumps(json.loads(manifest.read_text()) | said))

    return _in(change)


def _sql(statement: str) -> Callable[[Path], object]:
    def change(build: Path) -> None:
        with duckdb.connect() as connection:
            attach(connection, build, read_only=False)
            connection.execute("set TimeZone = 'UTC'")
            for each in statement.split(";"):
                connection.execute(each)

    return change


def _cut_marts(build: Path) -> None:
    file = marts_file(build)
    with file.open("r+b") as opened:
        opened.truncate(file.stat().st_size // 2)


def _stray(build: Path) -> None:
    (marts_file(build).parent / "notes.txt").write_text("x")


def _flip(build: Path) -> None:
    with marts_file(build).open("r+b") as file:
        file.seek(marts_file(build).stat().st_size // 2)
        byte = file.read(1)
        file.seek(-1, 1)
        file.write(bytes([byte[0] ^ 0xFF]))


def _dying_dbt(night: Night) -> Installation:
    """Dbt is killed while it builds, as the kernel does when memory is short."""
    from orchestration import dbt_assets

    whole = dbt_assets.run_dbt

    def and_dies(*arguments: Any) -> Any:
        process = whole(*arguments)
        process.send_signal(signal.SIGKILL)
        return process

    night.patch.setattr(dbt_assets, "run_dbt", and_dies)
    return night.company


def _no_room(night: Night) -> Installation:
    night.patch.setattr("shutil.disk_usage", lambda _: shutil._ntuple_diskusage(10**12, 10**12 - 10**6, 10**6))
    return night.company


def _torn_approval(company: Installation) -> None:
    folder = company.setup.folder.approvals
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "20260101T000000000000-x.json").write_text('{"source": "shop"')


def _closed_otherwise(company: Installation) -> None:
    """The month before was closed with another figure than the models make of its records."""
    file = month_files(company.setup.folder)[-1]
    with duckdb.connect() as connection:
        connection.execute(f"create table kept as from read_parquet({literal(str(file))})")
        changed = connection.execute(
            "update kept set value = value + 1 where dimension = 'all' and value > 0"
        ).fetchone()
        assert changed != (0,)
        connection.execute(f"copy kept to {literal(str(file))} (format parquet)")


REFUSED = (
    Defect("a packed file cut off", "extract", _file(TICKETS, _cut), "blocked", "tickets"),
    Defect("fewer rows than its sender counts", "extract", _claims(TICKETS, rows=10_000), "blocked", "completeness"),
    Defect("other bytes than its sender sent", "extract", _claims(TICKETS, sha256="0" * 64), "blocked", "tickets"),
    Defect("an extract nobody delivered", "extract", _file(TICKETS, Path.unlink), "blocked", "tickets"),
    Defect("an empty file", "extract", _file(TICKETS, lambda path: path.write_bytes(b"")), "blocked", "tickets"),
    Defect("a renamed key", "extract", _delivered(CONTACTS, lambda c: _renamed(c, "Id")), "blocked", "schema"),
    Defect(
        "another stream under its name",
        "extract",
        _in(lambda at: at.redeliver(TICKETS, lambda _: gzip.decompress(at.drop_file(RATINGS).read_bytes()))),
        "blocked",
        "tickets",
    ),
    Defect(
        "a column twice",
        "extract",
        _delivered(CONTACTS, lambda c: c.replace(b"Email", b"Phone", 1)),
        "blocked",
        "contact",
    ),
    Defect(
        "texts in an encoding nobody declared",
        "extract",
        _delivered(CONTACTS, lambda content: _each_row_begins_with(content, b"\xfc")),
        "blocked",
        "contact",
    ),
)

QUARANTINED = (
    Defect(
        "a time nobody can read",
        "extract",
        _one_object_more(TICKETS, created_at="the day before yesterday"),
        "quarantined",
        "created_at",
        "zendesk/tickets",
    ),
    Defect(
        "a record without its key",
        "extract",
        _one_object_more(TICKETS, id=None),
        "quarantined",
        "id",
        "zendesk/tickets",
    ),
    Defect(
        "a line that is no record",
        "extract",
        _delivered(TICKETS, lambda content: content + b'{"id": 12, "status": \n'),
        "quarantined",
        "rejects",
        "zendesk/tickets",
    ),
    Defect(
        "tags that are no list",
        "extract",
        _one_object_more(TICKETS, tags={"a": 1}),
        "quarantined",
        "tags",
        "zendesk/tickets",
    ),
    Defect(
        "a time in the far future",
        "extract",
        _one_object_more(TICKETS, updated_at="2099-01-01T00:00:00Z"),
        "quarantined",
        "updated_at",
        "zendesk/tickets",
    ),
    Defect(
        "a rating nobody knows",
        "extract",
        _one_object_more(RATINGS, score="meh"),
        "quarantined",
        "score",
        "zendesk/satisfaction_ratings",
    ),
    Defect(
        "a won deal that is open",
        "extract",
        _one_row_more(
            DEALS,
            Id="006DEFECT",
            StageName="Won",
            IsClosed="false",
            IsWon="true",
            IsDeleted="false",
            CreatedDate=f"{THIRD}T08:00:00Z",
            SystemModstamp=f"{THIRD}T08:00:00Z",
        ),
        "quarantined",
        "won_is_closed",
        "salesforce/opportunity",
    ),
    Defect(
        "a user without a role", "extract", _one_object_more(USERS, role=None), "quarantined", "role", "zendesk/users"
    ),
)

WARNED = (
    Defect(
        "a status nobody knows",
        "extract",
        _delivered(TICKETS, each_object(lambda row: row | {"status": "escalated"})),
        "warned",
        "warnings",
        "zendesk/tickets",
    ),
    Defect(
        "a merged contact that is not deleted",
        "extract",
        _one_row_more(
            CONTACTS,
            Id="003DEFECT",
            MasterRecordId="003OTHER",
            IsDeleted="false",
            CreatedDate=f"{THIRD}T08:00:00Z",
            SystemModstamp=f"{THIRD}T08:00:00Z",
        ),
        "warned",
        "warnings",
        "salesforce/contact",
    ),
    Defect("a figure of a closed month", "rows", _in(_closed_otherwise), "warned", "closed_months", "marts"),
)


@dataclass(frozen=True)
class Spoiled:
    """Something done to the build of a real night between two of its steps.

    Attributes:
        name: What is broken.
        place: Where: rows, build or report.
        do: Does it to the build.
        by: The audit that must fail, or words of the refusal to publish.
    """

    name: str
    place: str
    do: Callable[[Path], object]
    by: str


AUDITED = (
    Spoiled(
        "a hidden figure with its value",
        "rows",
        _sql("update marts.mart_kpi_daily set value = 1 where is_suppressed"),
        "kpi_identities",
    ),
    Spoiled(
        "a figure of a day that is yet to come",
        "rows",
        _sql("update marts.mart_kpi_daily set date_day = date '2030-01-01' where rowid = 0"),
        "kpi_identities",
    ),
    Spoiled(
        "a share of more than all",
        "rows",
        _sql("update marts.mart_kpi_daily set ci_high = 120 where method = 'wilson' and value is not null"),
        "kpi_identities",
    ),
    Spoiled("an order lost", "rows", _sql("delete from marts.fct_order where rowid = 0"), "reconciliation"),
    Spoiled(
        "a ticket twice on the way",
        "rows",
        _sql(
            "insert into warehouse.intermediate.int_ticket__unioned "
            "from warehouse.intermediate.int_ticket__unioned limit 1"
        ),
        "reconciliation",
    ),
    Spoiled(
        "accepted rows lost",
        "rows",
        _sql("delete from warehouse.accepted.zendesk__tickets where rowid = 0"),
        "reconciliation",
    ),
    Spoiled("most of a mart lost", "rows", _sql("delete from marts.mart_kpi_daily where date_key % 10 <> 0"), "drift"),
    Spoiled(
        "records of customers given to others",
        "rows",
        # Each matched record has the customer of the next: as a mapping that is shifted by a row would have it.
        _sql(
            "create temp table given as "
            "select customer_key, lead(customer_key, 1, customer_key) over (order by customer_key) as other_key "
            "from (select distinct customer_key from warehouse.intermediate.map_customer_identity "
            "where match_status = 'matched'); "
            "update warehouse.intermediate.map_customer_identity as records set customer_key = other_key "
            "from given where given.customer_key = records.customer_key and records.match_status = 'matched'"
        ),
        "identity",
    ),
    Spoiled(
        "a ticket given to another customer",
        "rows",
        _sql(
            "update warehouse.intermediate.int_ticket__customer set customer_key = ("
            "select max(customer_key) from warehouse.intermediate.map_customer_identity) "
            "where ticket_key = (select min(ticket_key) from warehouse.intermediate.int_ticket__unioned "
            "semi join warehouse.intermediate.int_ticket__customer as owners using (ticket_key) "
            "where _version_at < timestamptz '2026-06-01')"
        ),
        "identity",
    ),
    Spoiled("a mart no audit can read", "rows", _sql("drop table marts.mart_kpi_daily"), "kpi_identities"),
)


def _lose_pages(build: Path) -> None:
    report_file(build, REPORT_PAGES[0]).unlink()


PUBLISHED = (
    Spoiled("a mart dropped", "build", _sql("drop table marts.fct_sla"), "lacks fct_sla"),
    Spoiled(
        "a table nobody declared", "build", _sql("create table marts.staff as select 1 as id"), "not declared public"
    ),
    Spoiled(
        "a view in place of a mart",
        "build",
        _sql("drop table marts.fct_sla; create view marts.fct_sla as select 1 as id"),
        "is a view",
    ),
    Spoiled("an index in the public file", "build", _sql("create index i on marts.fct_sla (sla_key)"), "has an index"),
    Spoiled(
        "a number Parquet would round",
        "build",
        _sql("alter table marts.fct_sla alter sla_key type hugeint"),
        "cannot keep safe",
    ),
    Spoiled(
        "a batch that is not there", "build", _sql("delete from warehouse.night.batches where rowid = 0"), "batches"
    ),
    Spoiled("a file cut off", "build", _cut_marts, "could not be finished"),
    Spoiled("a stray file beside the marts", "build", _stray, "does not read back"),
    Spoiled("a page lost", "report", _lose_pages, "lacks"),
    Spoiled("an empty page", "report", lambda build: report_file(build, REPORT_PAGES[-1]).write_text(""), "lacks"),
    Spoiled(
        "a page nobody declared",
        "report",
        lambda build: report_file(build, "draft").write_text("x"),
        "does not read back",
    ),
)

# The same, done after everything was hashed and before it is read back.
VERIFIED = (
    Spoiled("a byte flipped in the finished file", "build", _flip, "does not read back"),
    Spoiled(
        "a Parquet copy lost",
        "build",
        lambda build: (parquet_folder(build) / "fct_sla.parquet").unlink(),
        "does not read back",
    ),
    Spoiled(
        "a page changed after it was hashed",
        "report",
        lambda build: report_file(build, REPORT_PAGES[0]).write_text("<!doctype html>"),
        "does not read back",
    ),
)

ENVIRONMENT = (
    Defect("dbt killed while it builds", "environment", _dying_dbt, "blocked", "dbt"),
    Defect("no room on the disk", "environment", _no_room, "blocked", "are needed"),
    Defect("an approval nobody can read", "environment", _in(_torn_approval), "blocked", "does not hold an approval"),
)
