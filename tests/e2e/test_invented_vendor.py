"""A source system is its contracts, its folder of models and its entry in `sources.yml`: with them, all there is works.

An invented help desk of two streams, made of exactly those files in a copy of the project, runs a night, is reconciled
and is erased.
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

from orchestration.config.settings import PROJECT
from storage.data_folder import marts_file, warehouse_file
from tests.e2e.invented_vendor import CALLS, FILES, LEAVES, MEMBERS, delivered

PARTS = ("assets", "dbt_project", "orchestration", "quality", "scripts", "storage")


@dataclass(frozen=True)
class Copy:
    """A copy of the project with the invented system in it, and its data folder."""

    project: Path
    data: Path

    def run(self, *arguments: str, given: str = "") -> str:
        """What a command of the copy says; it must not fail."""
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.project,
            env=os.environ
            | {
                "PYTHONPATH": str(self.project),
                "JOURNEYMART_DATA": str(self.data),
                "JOURNEYMART_STATE": str(self.project / ".dagster"),
                "JOURNEYMART_SOURCES": str(self.project / "sources.yml"),
                "JOURNEYMART_ERASURE_KEY": "a secret of the tests, long enough to be one",
            },
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )
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
def copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copy]:
    """The copy after its first night."""
    root = tmp_path_factory.mktemp("invented vendor")
    made = Copy(root / "project", root / "data")
    unmade = shutil.ignore_patterns("target", "logs", "__pycache__")
    for part in PARTS:
        shutil.copytree(PROJECT / part, made.project / part, ignore=unmade)
    shutil.copy(PROJECT / "dagster.yaml", made.project)
    for name, text in FILES.items():
        file = made.project / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.lstrip(), encoding="utf-8")
    (made.data / "drop").mkdir(parents=True)
    for name, text in delivered().items():
        (made.data / "drop" / name).write_text(text, encoding="utf-8")
    made.run("scripts/dbt_sources")
    made.run("-m", "orchestration.cli", "run", "--as-of", "2026-06-27")
    yield made
    shutil.rmtree(root)


def test_its_records_are_in_the_marts(copy: Copy) -> None:
    assert copy.query(
        "select count(*), count(distinct customer_key) from marts.fct_ticket where system = 'helpdock'"
    ) == [(CALLS, MEMBERS)]
    assert copy.query("select count(*) filter (customer_key <> -1) from marts.dim_customer") == [(MEMBERS,)]


def test_its_records_are_reconciled(copy: Copy, tmp_path: Path) -> None:
    """The night's audit passed; without one of the calls and one of the members it would not have."""
    build = tmp_path / "build"
    shutil.copytree((copy.data / "current").resolve(), build)
    with duckdb.connect(str(warehouse_file(build))) as connection:
        for canonical, record in (("ticket", "C3"), ("contact", "M3")):
            connection.execute(f"delete from intermediate.int_{canonical}__unioned where {canonical}_id = '{record}'")
    said = copy.run(
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


def test_a_member_who_asks_is_erased(copy: Copy) -> None:
    """The record, the address and the words of the member's calls go; the calls stay, and so do the others."""
    hers = [LEAVES, "Name7 Family7", "Words6 of M7", "Words18 of M7", "Words30 of M7"]
    theirs = ["member8@example.org", "Words7 of M8"]
    assert len(copy.files_with(hers)) >= 4
    copy.run("-m", "orchestration.cli", "erase", "--email", "-", given=f"{LEAVES}\n")
    assert copy.files_with(hers) == []
    assert len(copy.files_with(theirs)) >= 4
    with duckdb.connect() as connection:
        rows = str(copy.data / "accepted" / "dock" / "calls" / "*" / "rows.parquet")
        calls, emptied = connection.execute(
            "select count(*), count(*) filter (words is null) from read_parquet(?)", [rows]
        ).fetchone() or (0, 0)
    assert (calls, emptied) == (CALLS, 3)
