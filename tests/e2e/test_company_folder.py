"""What differs from company to company lies in its folder: with it all there is works, and the product stays as it is.

The company has a help desk nobody ever sold, of two streams: their contracts, their models, hours and teams of its own,
a mart on top of the product's. It runs a night, is reconciled and erased.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from assets.versions.manifest import read_manifest
from orchestration.config.settings import PROJECT
from storage.company_folder import FILE_VARIABLE, FOLDER_VARIABLE
from storage.data_folder import marts_file, warehouse_file
from tests.e2e.installation import hand_over_what_is_made
from tests.e2e.invented_company import CALLS, FILES, LEAVES, MEMBERS, delivered


@dataclass(frozen=True)
class InventedCompany:
    """The company in its folder; data and state lie in it, too."""

    folder: Path

    @property
    def data(self) -> Path:
        """Its data folder."""
        return self.folder / "data"

    def command(self, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
        """Run Python as this company."""
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=PROJECT,
            env={name: value for name, value in os.environ.items() if name != FILE_VARIABLE}
            | {
                FOLDER_VARIABLE: str(self.folder),
                "JOURNEYMART_ERASURE_KEY": "a secret of the tests, long enough to be one",
            },
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )

    def run(self, *arguments: str, given: str = "") -> str:
        """What a command says; it must not fail."""
        done = self.command(*arguments, given=given)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def query(self, sql: str) -> list[tuple[object, ...]]:
        """What a query on the published version gives."""
        current = self.data / "current"
        with duckdb.connect(str(warehouse_file(current)), read_only=True) as connection:
            connection.execute(f"attach '{marts_file(current)}' as marts (read_only)")
            return connection.execute(sql).fetchall()

    def files_with(self, texts: Sequence[str]) -> list[Path]:
        """Files of extracts, as delivered or accepted, that hold one of some texts."""
        layers = [path for layer in ("landing", "accepted", "quarantine") for path in (self.data / layer).rglob("*")]
        with duckdb.connect() as connection:
            found = []
            for path in filter(Path.is_file, layers):
                if path.suffix == ".parquet":
                    rows = connection.execute("select t::varchar from read_parquet(?) as t", [str(path)]).fetchall()
                    said = "\n".join(row for (row,) in rows)
                else:
                    said = path.read_text(encoding="utf-8", errors="replace")
                found += [path] if any(text in said for text in texts) else []
        return found


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InventedCompany]:
    """The company after its first night."""
    made = InventedCompany(tmp_path_factory.mktemp("invented company") / "its folder")
    for name, text in FILES.items():
        file = made.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.lstrip(), encoding="utf-8")
    (made.data / "drop").mkdir(parents=True)
    for name, text in delivered().items():
        (made.data / "drop" / name).write_text(text, encoding="utf-8")
    hand_over_what_is_made(made.folder / ".dagster")
    made.run("-m", "orchestration.cli", "run", "--as-of", "2026-06-27")
    yield made
    shutil.rmtree(made.folder)


def test_its_records_are_in_the_marts(company: InventedCompany) -> None:
    assert company.query(
        "select count(*), count(distinct customer_key) from marts.fct_ticket where system = 'helpdock'"
    ) == [(CALLS, MEMBERS)]
    assert company.query("select count(*) filter (customer_key <> -1) from marts.dim_customer") == [(MEMBERS,)]


def test_its_hours_are_those_of_its_teams(company: InventedCompany) -> None:
    """The 27th of June 2026 is a Saturday; the shop is open from 13:00 to 16:00 of Greenwich."""
    assert company.query(
        "select distinct hour(created_at at time zone 'UTC') as hour, full_resolution_minutes, "
        "full_resolution_business_minutes from marts.fct_ticket where hour in (5, 14) order by 1"
    ) == [(5, 180, 0), (14, 180, 120)]


def test_its_own_mart_is_published_with_the_others(company: InventedCompany) -> None:
    assert company.query("select status, calls from marts.mart_calls_by_state order by 1") == [
        ("open", CALLS // 3),
        ("solved", CALLS - CALLS // 3),
    ]
    assert (company.data / "current" / "parquet" / "mart_calls_by_state.parquet").exists()


def test_its_own_touchpoint_is_in_the_journeys(company: InventedCompany) -> None:
    assert company.query(
        "select count(*) from marts.fct_journey_event as events "
        "inner join marts.dim_touchpoint as points using (touchpoint_key) where points.touchpoint = 'call_desk'"
    ) == [(CALLS,)]


def test_its_records_are_reconciled(company: InventedCompany, tmp_path: Path) -> None:
    """The night's audit passed; without one of the calls and one of the members it would not have."""
    build = tmp_path / "build"
    shutil.copytree((company.data / "current").resolve(), build)
    with duckdb.connect(str(warehouse_file(build))) as connection:
        for canonical, record in (("ticket", "C3"), ("contact", "M3")):
            connection.execute(f"delete from intermediate.int_{canonical}__unioned where {canonical}_id = '{record}'")
    said = company.run(
        "-c",
        "from pathlib import Path\n"
        "import duckdb\n"
        "from assets.audit.reconciliation import reconcile\n"
        "from assets.versions.contents import attach\n"
        "connection = duckdb.connect()\n"
        f"attach(connection, Path({str(build)!r}), read_only=True)\n"
        "print(reconcile(connection))",
    )
    assert "helpdock/calls in ticket" in said
    assert "helpdock/members in contact" in said


def test_a_mistake_in_a_table_is_said_with_its_line_before_anything_runs(company: InventedCompany) -> None:
    file = company.folder / "seeds" / "schedules.csv"
    right = file.read_text(encoding="utf-8")
    file.write_text(right.replace("America/New_York", "America/New_Yorck"), encoding="utf-8")
    refused = company.command("-m", "orchestration.cli", "run", "--as-of", "2026-06-28")
    file.write_text(right, encoding="utf-8")
    assert refused.returncode == 1
    assert f"{file}, line 2: timezone 'America/New_Yorck' is not a time zone" in refused.stderr


def test_a_change_of_its_tables_rebuilds_and_is_in_the_log(company: InventedCompany) -> None:
    """The shop opens an hour earlier: the same extracts give other minutes, in a version built from nothing."""
    file = company.folder / "seeds" / "schedule_hours.csv"
    file.write_text(file.read_text(encoding="utf-8").replace("09:00", "08:00"), encoding="utf-8")
    company.run("-m", "orchestration.cli", "run", "--as-of", "2026-06-27")
    assert company.query(
        "select distinct full_resolution_business_minutes from marts.fct_ticket "
        "where hour(created_at at time zone 'UTC') = 10 and full_resolution_minutes is not null"
    ) == [(60,)]
    changes = read_manifest((company.data / "current").resolve()).definition_changes
    assert [(change.name, change.change) for change in changes] == [("seeds/schedule_hours", "changed")]


def test_a_member_who_asks_is_erased(company: InventedCompany) -> None:
    """The record, the address and the words of the member's calls go; the calls stay, and so do the others."""
    hers = [LEAVES, "Name7 Family7", "Words6 of M7", "Words18 of M7", "Words30 of M7"]
    theirs = ["member8@example.org", "Words7 of M8"]
    assert len(company.files_with(hers)) >= 4
    company.run("-m", "orchestration.cli", "erase", "--email", "-", given=f"{LEAVES}\n")
    assert company.files_with(hers) == []
    assert len(company.files_with(theirs)) >= 4
    with duckdb.connect() as connection:
        rows = str(company.data / "accepted" / "dock" / "calls" / "*" / "rows.parquet")
        calls, emptied = connection.execute(
            "select count(*), count(*) filter (words is null) from read_parquet(?)", [rows]
        ).fetchone() or (0, 0)
    assert (calls, emptied) == (CALLS, 3)
