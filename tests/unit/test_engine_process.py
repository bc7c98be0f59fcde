"""What is said of a plan that an engine did not run to its end. Not here: an engine that does (tests/spark)."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestration.engine.process import run_plan
from storage.errors import JourneymartError

MADE = '{"model": "dim_day", "seconds": 1.5}'


def run(folder: Path, script: str) -> list[tuple[str, float]]:
    """Run a plan with a shell's script in place of Spark's Python; which models were made."""
    python = folder / "python"
    python.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    python.chmod(0o700)
    made: list[tuple[str, float]] = []
    run_plan(python, "local", folder, lambda model, seconds: made.append((model, seconds)))
    return made


def test_every_model_is_told_with_its_seconds(tmp_path: Path) -> None:
    assert run(tmp_path, f"echo '{MADE}'") == [("dim_day", 1.5)]


def test_a_model_that_cannot_be_made_is_named_and_no_row_of_it(tmp_path: Path) -> None:
    failed = '{"model": "fct_ticket", "failed": "CAST_INVALID_INPUT"}'
    with pytest.raises(JourneymartError) as told:
        run(tmp_path, f"echo '{failed}'; echo 'The value anna@example.com' >&2; exit 1")
    log = tmp_path / "engine.log"
    assert str(told.value) == (f"The engine at local could not make fct_ticket (CAST_INVALID_INPUT): {log} says more.")
    assert "anna@example.com" in log.read_text("utf-8")
    assert log.stat().st_mode & 0o077 == 0


def test_an_engine_that_ends_early_is_told(tmp_path: Path) -> None:
    with pytest.raises(JourneymartError, match=r"The engine at local ended with -9: .*engine\.log says more\."):
        run(tmp_path, f"echo '{MADE}'; kill -9 $$")


def test_a_python_that_cannot_be_started_says_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(JourneymartError, match="set JOURNEYMART_SPARK_PYTHON to a Python that has pyspark"):
        run_plan(tmp_path / "none", "local", tmp_path, lambda *_: None)
