"""DuckDB is opened in one way: within the memory and processors there are, spilling where it is told."""

from __future__ import annotations

import ast
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from orchestration.config.settings import PROJECT, load_settings
from orchestration.failures import in_one_sentence
from storage.engine import connect, memory_limit, processors
from storage.errors import JourneymartError

FLOORS = ("orchestration", "assets", "quality", "storage")


def setting(connection: duckdb.DuckDBPyConnection, name: str) -> str:
    ((value,),) = connection.execute(f"select current_setting('{name}')").fetchall()
    return str(value)


@pytest.mark.parametrize(
    ("said", "bytes_"), [("2GB", 2_000_000_000), ("500 MB", 500_000_000), ("1.5gb", 1_500_000_000)]
)
def test_memory_is_what_the_environment_says(monkeypatch: pytest.MonkeyPatch, said: str, bytes_: int) -> None:
    monkeypatch.setenv("JOURNEYMART_MEMORY", said)
    assert memory_limit() == bytes_
    with connect() as connection:
        assert setting(connection, "memory_limit").endswith(("GiB", "MiB"))


def test_without_a_word_a_quarter_of_the_machine_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JOURNEYMART_MEMORY", raising=False)
    with duckdb.connect() as untold:
        # DuckDB's own default is 80 % of the machine.
        machine = _bytes(setting(untold, "memory_limit")) / 0.8
    assert 0.22 < memory_limit() / machine < 0.28


@pytest.mark.parametrize("said", ["much", "2", "0GB", "-1GB", "2TB"])
def test_what_is_no_size_is_told_before_a_night(monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    monkeypatch.setenv("JOURNEYMART_MEMORY", said)
    with pytest.raises(JourneymartError, match="JOURNEYMART_MEMORY is no size: write it as 2GB or 500MB"):
        load_settings()


@pytest.mark.promise("memory")
@pytest.mark.parametrize("short", [duckdb.OutOfMemoryException("of rows"), MemoryError(), ValueError("of rows")])
def test_a_step_that_is_short_of_memory_says_so_and_what_to_do(
    monkeypatch: pytest.MonkeyPatch, short: Exception
) -> None:
    """In words of ours: DuckDB's own may quote what it was asked."""
    monkeypatch.setenv("JOURNEYMART_MEMORY", "30MB")

    def step() -> None:
        with in_one_sentence():
            raise short

    if isinstance(short, ValueError):
        with pytest.raises(ValueError, match="of rows"):
            step()
        return
    with pytest.raises(dg.Failure) as failed:
        step()
    assert failed.value.description == (
        "There was not enough memory: let each DuckDB take more than 30 MB by JOURNEYMART_MEMORY, or run the night "
        "where there is more memory."
    )
    assert not failed.value.allow_retries


def test_what_does_not_fit_spills_where_it_was_told_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("JOURNEYMART_MEMORY", "40MB")
    heavy = "create temp table sorted as select range as a, hash(range) as b from range(4_000_000) order by b"
    with connect(spill=tmp_path / "spill", threads=1) as connection:
        connection.execute(heavy)
        assert any((tmp_path / "spill").iterdir())
        assert connection.execute("select count(*) from sorted").fetchall() == [(4_000_000,)]
    assert not (tmp_path / "spill").exists()
    with connect(threads=1) as connection, pytest.raises(duckdb.OutOfMemoryException):
        connection.execute(heavy)


def test_nobody_opens_duckdb_without_limits() -> None:
    """Reading a stranger's file in dbt's process is dbt's own; everything else goes by storage/engine.py."""
    found = [
        f"{path.relative_to(PROJECT)}:{node.lineno}"
        for floor in FLOORS
        for path in sorted((PROJECT / floor).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "duckdb.connect"
    ]
    assert [place.partition(":")[0] for place in found] == ["storage/engine.py"]


def test_processors_are_those_this_process_may_use() -> None:
    with connect() as connection:
        assert setting(connection, "threads") == str(processors())


def _bytes(said: str) -> float:
    number, unit = said.split()
    return float(number) * {"MiB": 2**20, "GiB": 2**30, "TiB": 2**40}[unit]
