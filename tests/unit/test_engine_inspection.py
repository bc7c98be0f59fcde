"""What a night on an engine lacks is one sentence with its remedy. Not here: an engine that answers (tests/spark)."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from orchestration.engine import inspection


def test_a_python_without_pyspark_says_what_to_install() -> None:
    found = inspection.pyspark(Path(sys.executable))
    assert not found.is_fine
    assert found.said == (
        f"{sys.executable} has no pyspark: install pyspark 4 there, or set JOURNEYMART_SPARK_PYTHON to a Python that "
        "has pyspark."
    )


def test_a_python_that_is_not_there_says_what_to_set(tmp_path: Path) -> None:
    found = inspection.pyspark(tmp_path / "python")
    assert not found.is_fine
    assert found.said.endswith(
        "cannot be started (No such file or directory): set JOURNEYMART_SPARK_PYTHON to a Python that has pyspark."
    )


def test_a_master_without_java_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = inspection.java()
    assert not found.is_fine
    assert found.said.startswith("is not found, and a master needs it: install Java 17, or set JAVA_HOME")


def test_a_java_that_is_too_old_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\" 2019-01-15' >&2\n", encoding="utf-8")
    java.chmod(0o700)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    found = inspection.java()
    assert not found.is_fine
    assert f"{java} is none that Spark 4 runs on: install Java 17" in found.said


def test_an_address_where_nothing_answers_is_told_at_once() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        # Bound and not listening: whoever comes is refused.
        found = inspection.reach(f"sc://127.0.0.1:{free.getsockname()[1]}")
    assert not found.is_fine
    assert "nothing answers at sc://127.0.0.1:" in found.said
    assert "start the server" in found.said
