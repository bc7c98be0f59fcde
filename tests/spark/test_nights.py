"""Nights on an engine: what they publish is what DuckDB's publish, or nothing.

The engine is Apache Spark or Sail, as conftest.py says. `JOURNEYMART_CHAOS=long` asks for a larger company, and says
what both nights cost. Not here: single constructs (test_constructs.py).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from assets.versions.manifest import DefinitionChange, read_manifest
from bench import process_tree
from bench.process_tree import CommandFailedError, Cost, measure
from orchestration.config.settings import PROJECT, Settings
from orchestration.config.sources_file import EngineKeys
from orchestration.engine.inspection import inspect
from storage.company_folder import COMPANY_FILE, SAMPLE
from storage.faults import FAULT_VARIABLE
from tests.compare_marts import compare
from tests.spark.conftest import Engine

CUSTOMERS = 2000 if os.environ.get("JOURNEYMART_CHAOS") == "long" else 300
# Marts that may differ, and why. There are none.
EXCEPTIONS: dict[str, str] = {}
# Seconds. What the engine's program does when its night was killed is to end.
_PATIENCE = 120
_JOURNEYMART = (sys.executable, "-m", "orchestration.cli")


@dataclass(frozen=True)
class Place:
    """Where nights of one company lie.

    Attributes:
        settings: The data folder and the state.
        company: The company folder.
        python: Stands for the Python that has pyspark.
    """

    settings: Settings
    company: Path
    python: Path

    def command(self, *arguments: str, fault: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command of ours."""
        return subprocess.run(
            [*_JOURNEYMART, *arguments],
            env={**self.environment(), FAULT_VARIABLE: fault},
            cwd=PROJECT,
            capture_output=True,
            text=True,
            check=False,
        )

    def night(self) -> Cost:
        """A whole night that must end well, and what it cost."""
        return measure([*_JOURNEYMART, "run"], folder=PROJECT, environment=self.environment())

    def environment(self) -> Mapping[str, str]:
        """What a command of ours is told."""
        return {
            **os.environ,
            "JOURNEYMART_COMPANY": str(self.company),
            "JOURNEYMART_DATA": str(self.settings.data),
            "JOURNEYMART_STATE": str(self.settings.state),
            "JOURNEYMART_SPARK_PYTHON": str(self.python),
        }


@pytest.fixture(scope="module")
def on_duckdb(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The first night of the sample company, as ever."""
    folder = tmp_path_factory.mktemp("on duckdb")
    place = Place(Settings(data=folder / "data", state=folder / "state"), SAMPLE, Path(sys.executable))
    done = place.command("sample", "--customers", str(CUSTOMERS), "--days", "1")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    print(f"\na night on DuckDB: {said_of(place.night())}")
    return place


def said_of(cost: Cost) -> str:
    """What something cost, in words. Memory is left out: a JVM that starts a program is there twice for a moment."""
    return f"{cost.cpu_seconds:.0f} CPU seconds, {cost.wall_seconds:.0f} seconds"


def beside(folder: Path, place: Place, engine: Engine, script: str) -> Place:
    """The same extracts, judged, with what was published of them; for a company that has an engine.

    Args:
        folder: Where everything is put.
        place: Where it is taken from.
        engine: The engine.
        script: What a shell runs in place of the engine's Python, which it knows as REAL.
    """
    company = shutil.copytree(place.company, folder / "company")
    with (company / COMPANY_FILE).open("a", encoding="utf-8") as file:
        file.write(f"\nengine: {{name: spark, address: '{engine.address}'}}\n")
    data = shutil.copytree(place.settings.data, folder / "Anna's data", symlinks=True)
    python = folder / "python"
    python.write_text(f'#!/bin/sh\nREAL="{engine.python}"\n{script}\n', encoding="utf-8")
    python.chmod(0o700)
    return Place(Settings(data=data, state=folder / "state"), company, python)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What an engine made, kept when its night is over."""
    return tmp_path_factory.mktemp("kept") / "made"


@pytest.fixture(scope="module")
def on_engine_too(on_duckdb: Place, engine: Engine, kept: Path, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The same night on the engine, where nothing is published yet."""
    shutil.rmtree(kept, ignore_errors=True)
    folder = tmp_path_factory.mktemp("on an engine")
    measured = f'"{sys.executable}" "{process_tree.__file__}" "{folder}/cost.json" "$REAL" "$@"'
    place = beside(folder, on_duckdb, engine, f'{measured} && cp -a "$4/made" "{kept}"')
    shutil.rmtree(place.settings.folder.versions)
    place.settings.folder.current.unlink()
    before = engine.server_seconds()
    try:
        night = place.night()
    except CommandFailedError as error:
        pytest.fail(f"{error}\n{engine_log(place)}")
    made = Cost(**json.loads((folder / "cost.json").read_text("utf-8"))[1])
    print(f"\na night on {engine.address}: {said_of(night)}; of it the program that asks the engine: {said_of(made)}")
    if before is not None:
        print(f"its server: {(engine.server_seconds() or 0) - before:.0f} CPU seconds")
    return place


def engine_log(place: Place) -> str:
    """The end of what the engine said in a night that failed."""
    return "".join(path.read_text("utf-8")[-3000:] for path in place.settings.folder.engine.glob("*/engine.log"))


def test_every_row_of_every_mart_is_equal(on_duckdb: Place, on_engine_too: Place) -> None:
    found = compare(on_duckdb.settings.folder.current.resolve(), on_engine_too.settings.folder.current.resolve())
    print(f"{len(found)} tables, {sum(table.rows[0] or 0 for table in found):,} rows")
    different = {table.name: str(table) for table in found if not table.is_same}
    assert {name: said for name, said in different.items() if name not in EXCEPTIONS} == {}
    assert EXCEPTIONS.keys() <= different.keys(), "an exception that is none any more"
    assert sum(1 for table in found if table.rows[0]) > len(found) / 2


def test_the_engines_tables_are_gone_when_the_night_is_over(on_engine_too: Place) -> None:
    """They hold what only the warehouse may."""
    assert not on_engine_too.settings.folder.engine.exists()


def test_a_night_without_anything_new_asks_no_engine(on_engine_too: Place) -> None:
    on_engine_too.python.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    before = on_engine_too.settings.folder.current.readlink()
    done = on_engine_too.command("run", "--as-of", "2026-06-27")
    assert done.returncode == 0, done.stderr
    assert on_engine_too.settings.folder.current.readlink() == before


def test_a_change_of_engine_makes_a_version_that_begins_with_none_of_the_other(
    on_duckdb: Place, on_engine_too: Place, engine: Engine, kept: Path, tmp_path: Path
) -> None:
    """From DuckDB to the engine and back to what DuckDB had made, with nothing new but that; each is said."""
    del on_engine_too  # it made what is kept
    place = beside(tmp_path, on_duckdb, engine, f'cp -a "{kept}" "$4/made"')
    current, first = place.settings.folder.current, on_duckdb.settings.folder.current.resolve().name
    nights = ((place.company, "spark", None, "added"), (on_duckdb.company, "duckdb", first, "removed"))
    for company, name, base, change in nights:
        there = replace(place, company=company)
        done = there.command("run")
        assert done.returncode == 0, done.stderr
        made = read_manifest(current)
        assert (made.engine, made.base) == (name, base)
        assert made.definition_changes[-1] == DefinitionChange(made.as_of, "project/engine", change)
        assert json.loads(there.command("status", "--json").stdout)["engine"] == name
    found = compare(on_duckdb.settings.folder.current.resolve(), current.resolve())
    # Where the log of definitions is told.
    assert {table.name for table in found if not table.is_same} == {"mart_data_health"}


def test_a_defect_in_what_the_engine_wrote_publishes_nothing(
    on_duckdb: Place, on_engine_too: Place, engine: Engine, kept: Path, tmp_path: Path
) -> None:
    """Every ticket is there twice, as a task that was tried again might leave them."""
    del on_engine_too  # it made what is kept
    table = '"$4/made/main__fct_ticket"'
    twice = f'cp -a "{kept}" "$4/made" && for file in {table}/*.parquet; do cp "$file" "$file.again.parquet"; done'
    place = beside(tmp_path, on_duckdb, engine, twice)
    before = place.settings.folder.current.readlink()
    done = place.command("run")
    assert done.returncode == 1
    assert "fct_ticket" in done.stderr, done.stderr
    assert "nothing was published" in done.stderr.lower()
    assert place.settings.folder.current.readlink() == before


def test_a_table_the_engine_did_not_write_publishes_nothing(
    on_duckdb: Place, on_engine_too: Place, engine: Engine, kept: Path, tmp_path: Path
) -> None:
    del on_engine_too  # it made what is kept
    lacking = f'cp -a "{kept}" "$4/made" && rm -r "$4/made/main__fct_ticket"'
    place = beside(tmp_path, on_duckdb, engine, lacking)
    before = place.settings.folder.current.readlink()
    done = place.command("run")
    assert done.returncode == 1
    assert "The engine says it made fct_ticket, but" in done.stderr, done.stderr
    assert place.settings.folder.current.readlink() == before


def test_a_night_killed_while_the_engine_works_leaves_the_pointer_and_no_program(
    on_duckdb: Place, engine: Engine, tmp_path: Path
) -> None:
    place = beside(tmp_path, on_duckdb, engine, f'echo $$ > "{tmp_path}/pid"; exec "$REAL" "$@"')
    before = place.settings.folder.current.readlink()
    done = place.command("run", fault="in_engine")
    assert done.returncode < 0, done.stdout + done.stderr
    assert place.settings.folder.current.readlink() == before
    program = Path("/proc", (tmp_path / "pid").read_text("utf-8").strip())
    last = time.monotonic() + _PATIENCE
    while program.exists() and time.monotonic() < last:
        time.sleep(0.2)
    assert not program.exists()


def test_doctor_asks_the_engine_for_a_row(on_duckdb: Place, engine: Engine, tmp_path: Path) -> None:
    place = beside(tmp_path, on_duckdb, engine, 'exec "$REAL" "$@"')
    settings = place.settings.model_copy(update={"spark_python": place.python})
    found = list(inspect(EngineKeys(name="spark", address=engine.address), settings))
    assert [finding.said for finding in found if not finding.is_fine] == []
    assert found[-1].said.endswith(f"writes into {settings.data} and reads it")
    assert not list(settings.data.glob(".engine-*"))
