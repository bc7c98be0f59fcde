"""A night in miniature: two marts and one private table in which every row says which night wrote it.

Tests of versions and publish use it in place of dbt. As a program, `python -m tests.small_night <data folder>
<night> [quiet]`, it is a night in a process of its own, which `JOURNEYMART_FAULT` can kill.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb

from assets.versions.contents import attach, literal
from assets.versions.manifest import Batch, Night
from assets.versions.publish import publish
from assets.versions.standing import sound_base
from assets.versions.versions import Version, list_versions, start_build
from assets.warehouse.load import prepare
from quality.gate.ledger import Ledger, Outcome
from storage.data_folder import REPORT_PAGES, DataFolder, report_file
from storage.locks import data_lock

FINGERPRINT = "f" * 64
PUBLIC = frozenset({"mart_a", "mart_b"})
ROWS = 20_000
NOW = datetime(2026, 2, 1, 3, tzinfo=UTC)


@dataclass(frozen=True)
class SmallNight:
    """Night number `number`; it brings one batch, and holds those of the nights before it."""

    number: int
    fingerprint: str = FINGERPRINT
    rows: int = ROWS
    outcome: Outcome | None = "pass"
    run_id: str | None = None

    def ledger(self, folder: DataFolder) -> Ledger:
        """A ledger of one blocking check that says `outcome`; None: it did not run."""
        ledger = Ledger(folder.ledger(self.night.run_id))
        ledger.expect("marts", "mart_a", "reconciliation", blocking=True)
        if self.outcome is not None:
            ledger.record("marts", "mart_a", "reconciliation", self.outcome)
        return ledger

    @property
    def batches(self) -> tuple[Batch, ...]:
        first = date(2026, 1, 1)
        return tuple(
            Batch(batch_id(night), "shop", "canonical", "order", first + timedelta(days=night), 10)
            for night in range(1, self.number + 1)
        )

    @property
    def night(self) -> Night:
        run_id = self.run_id or f"run{self.number:05d}-of-the-tests"
        as_of = date(2026, 1, 1) + timedelta(days=self.number)
        return Night(run_id, as_of, self.fingerprint, self.batches, rows_in=10, quarantined_rows=1)


def batch_id(night: int) -> str:
    """Identity of the batch a night brings."""
    return f"{night:064x}"


def data_folder(root: Path) -> DataFolder:
    """A data folder whose path holds a space and a quote."""
    folder = DataFolder(root / "Anna's data")
    folder.root.mkdir(parents=True, exist_ok=True)
    return folder


def fill(build: Path, night: SmallNight) -> None:
    """Stand in for dbt: write the night's number into every row, and a work table no reader may see."""
    with duckdb.connect() as connection:
        attach(connection, build, read_only=False)
        for table in ("marts.main.mart_a", "marts.main.mart_b", "warehouse.main.private"):
            connection.execute(
                f"CREATE OR REPLACE TABLE {table} AS "
                f"SELECT range AS id, {night.number} AS night, 'name ' || range % 97 AS name, "
                f"(range * 1.5)::decimal(18, 2) AS amount, to_timestamp(range) AS at FROM range({night.rows})"
            )
        connection.execute("CREATE SCHEMA IF NOT EXISTS warehouse.night")
        connection.execute("CREATE OR REPLACE TABLE warehouse.night.batches (batch_id varchar)")
        connection.executemany(
            "INSERT INTO warehouse.night.batches VALUES (?)", [[batch.batch_id] for batch in night.batches]
        )
        for table in ("marts._touched.mart_a", "warehouse._touched.private"):
            connection.execute(f"CREATE OR REPLACE TABLE {table} AS SELECT {night.number} AS id")


def write_quiet_night(build: Path) -> None:
    """Leave mart_b as the first night wrote it."""
    with duckdb.connect() as connection:
        attach(connection, build, read_only=False)
        connection.execute(
            "CREATE OR REPLACE TABLE marts.main.mart_b AS SELECT * REPLACE (1 AS night) FROM marts.mart_b"
        )


def write_page(build: Path) -> None:
    """Stand in for the report."""
    for page in REPORT_PAGES:
        path = report_file(build, page)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        path.write_text("<!doctype html>", encoding="utf-8")


def build(folder: DataFolder, night: SmallNight) -> Path:
    """Build a night up to the point where it may be published."""
    base = sound_base(list_versions(folder), {batch.batch_id for batch in night.batches}, night.fingerprint)
    path = start_build(folder, base)
    prepare(path)
    fill(path, night)
    write_page(path)
    return path


def run(
    folder: DataFolder, night: SmallNight, *, keep: int = 5, spoil: Callable[[Path], object] | None = None
) -> Version:
    """Run a whole night: lock, build, spoil the build if the test asks for it, publish."""
    with data_lock(folder):
        path = build(folder, night)
        if spoil:
            spoil(path)
        return publish(
            folder,
            path,
            ledger=night.ledger(folder),
            night=night.night,
            public_tables=PUBLIC,
            published_at=NOW,
            keep=keep,
        )


def night_seen(folder: DataFolder) -> int:
    """The one night all rows a reader sees come from; fails when they come from several."""
    version = folder.current.resolve()
    with duckdb.connect(version / "marts" / "cx_marts.duckdb", read_only=True) as connection:
        nights = connection.execute(
            "SELECT night, count(*) FROM (FROM mart_a UNION ALL FROM mart_b "
            f"UNION ALL FROM read_parquet({literal(str(version / 'parquet' / '*.parquet'))})) GROUP BY ALL"
        ).fetchall()
    assert len(nights) == 1, f"torn: {nights}"
    return int(nights[0][0])


if __name__ == "__main__":
    run(
        DataFolder(Path(sys.argv[1])),
        SmallNight(int(sys.argv[2])),
        spoil=write_quiet_night if sys.argv[3:] == ["quiet"] else None,
    )
