"""The judge is Great Expectations inside DuckDB: it agrees with SQL, errs loudly, is proven before use."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings

from quality.gate import great_expectations as expectations
from quality.gate.great_expectations import Judge, warm_up
from quality.rows.counts import count_violations
from quality.rows.predicates import predicates
from quality.rows.split import make_work
from quality.rows.suite import Expectation, key_suite, no_rows, suite
from quality.rows.work import WORK
from storage.errors import JourneymartError
from tests.gate_kit import DAY, Landing, Row, column, contract
from tests.integration.test_gate_rows import ROWS, TICKETS


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        yield connection


@pytest.fixture(scope="module")
def judge(connection: duckdb.DuckDBPyConnection) -> Iterator[Judge]:
    with Judge(connection) as judge:
        yield judge


@given(rows=ROWS)
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_great_expectations_and_sql_say_the_same_of_unsplit_rows(
    tmp_path_factory: pytest.TempPathFactory,
    connection: duckdb.DuckDBPyConnection,
    judge: Judge,
    rows: list[Row],
) -> None:
    landing = Landing(tmp_path_factory.mktemp("landing"), TICKETS)
    make_work(connection, TICKETS, [landing.land(rows)])
    expected = suite(TICKETS, may_be_empty=True)
    results = judge.judge(WORK, expected)
    violations = count_violations(connection, WORK, expected, 1)
    assert results == {name: "fail" if sum(counts) else "pass" for name, counts in violations.items()}


def test_every_predicate_is_asked_by_some_expectation() -> None:
    asked = " ".join(each.violates for each in suite(TICKETS, may_be_empty=False))
    named = {each.name for each in suite(TICKETS, may_be_empty=False)}
    for predicate in predicates(TICKETS):
        not_null = f"{predicate.column}.not_null"
        assert predicate.name in named or predicate.sql in asked or not_null in named, predicate.name


def test_severity_follows_what_the_contract_says_of_a_failure() -> None:
    critical = {each.name: each.is_critical for each in suite(TICKETS, may_be_empty=False)}
    assert not critical["status.allowed"]
    assert not critical["rule.complaint_is_due"]
    assert not critical["table.unknown"]
    lenient = ("status.allowed", "rule.complaint_is_due", "table.unknown")
    assert all(critical[name] for name in critical if name not in lenient)


def test_an_empty_table_fails_unless_it_may_be_empty(
    connection: duckdb.DuckDBPyConnection, judge: Judge, tmp_path: Path
) -> None:
    make_work(connection, TICKETS, [Landing(tmp_path, TICKETS).land([])])
    assert judge.judge(WORK, suite(TICKETS, may_be_empty=False))["table.rows"] == "fail"
    assert set(judge.judge(WORK, suite(TICKETS, may_be_empty=True)).values()) == {"pass"}


def test_a_question_that_cannot_be_answered_is_an_error_and_spoils_no_other(
    connection: duckdb.DuckDBPyConnection, judge: Judge, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    connection.execute("create or replace table people as select 'ann@example.org' as email")
    results = judge.judge(
        "people",
        [
            Expectation("absent", "not_null", True, "false", {"column": "absent"}),
            no_rows("raises", True, "email::bigint > 0"),
            Expectation("present", "not_null", True, "false", {"column": "email"}),
        ],
    )
    assert results == {"absent": "error", "raises": "error", "present": "pass"}
    assert "ann@example.org" not in caplog.text


def test_a_table_that_is_not_there_is_an_error(judge: Judge) -> None:
    asked = contract({"line": column("bigint", required=True)}, key=("id", "line"))
    assert set(judge.judge("nowhere", key_suite(asked)).values()) == {"error"}


def test_tables_made_after_the_last_judgement_are_seen(connection: duckdb.DuckDBPyConnection, judge: Judge) -> None:
    one_row = [Expectation("rows", "row_count", True, "false", {"min_value": 1})]
    for rows, said in ((0, "fail"), (1, "pass"), (0, "fail")):
        connection.execute(f"create or replace table changing as select 1 as a from range({rows})")
        assert judge.judge("changing", one_row) == {"rows": said}


def test_another_version_of_great_expectations_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.metadata, "version", lambda _: "1.25.0")
    with pytest.raises(JourneymartError, match=r"Great Expectations 1\.24 is needed .* 1\.25\.0 is installed"):
        expectations._library.__wrapped__()


def test_a_judge_that_cannot_tell_good_from_bad_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    library = expectations._library()
    blind = dict(library.expectations)
    blind["in_set"] = lambda column, value_set, **rest: library.expectations["not_null"](column=column, **rest)
    monkeypatch.setattr(expectations, "_library", lambda: dataclasses.replace(library, expectations=blind))
    with pytest.raises(JourneymartError, match="does not tell a good batch from a bad one"):
        expectations._proven.__wrapped__()


def test_what_goes_wrong_while_warming_up_is_raised_where_it_is_awaited(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def break_down() -> None:
        raise JourneymartError("Great Expectations is missing.")

    monkeypatch.setattr(expectations, "load", break_down)
    with pytest.raises(JourneymartError, match="is missing"):
        warm_up().join()


PROCESS = """
import json, os, sys
from pathlib import Path

opened = []
sys.addaudithook(lambda event, args: opened.append(event) if event.startswith("socket.connect") else None)
from quality.gate.gate import Gate
imported_early = "great_expectations" in sys.modules
from quality.gate.great_expectations import warm_up
warm_up().join()
from tests.gate_kit import Landing, contract
landing = Landing(Path(sys.argv[1]), contract())
landing.land([["1", "2026-03-10T10:00:00Z"]])
(verdict,) = landing.judge(landing.extract())
print(json.dumps({"passed": verdict.passed, "imported_early": imported_early, "connections": opened}))
"""


def test_a_process_that_judges_opens_no_connection_and_leaves_no_trace(tmp_path: Path) -> None:
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    work.mkdir()
    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(PROCESS), str(tmp_path / "data")],
        cwd=work,
        env={**os.environ, "HOME": str(home), "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(ran.stdout) == {"passed": True, "imported_early": False, "connections": []}
    assert ran.stderr == ""
    assert not list(home.rglob("*"))
    assert not list(work.rglob("*"))
    left = sorted(path.name for path in (tmp_path / "data").rglob("*") if path.is_file())
    file = f"tickets_{DAY}.csv"
    assert left == sorted(
        ["manifest.json", file, "rejects.parquet", "rows.parquet", "batch.json", "profile.json", "rows.parquet"]
    )


def test_a_module_that_nobody_uses_is_not_imported_and_one_that_is_used_is_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    ran = tmp_path / "ran"
    for name in ("used_later", "used_at_once"):
        (tmp_path / f"{name}.py").write_text(f"open({str(ran)!r}, 'a').write('{name} ')\ndef told(): return '{name}'\n")
    with expectations._standing_in(expectations._OnUse, "used_later", "json"):
        later = importlib.import_module("used_later")
        assert importlib.import_module("json") is json, "what is there already stays"
    assert "used_later" not in sys.modules
    assert not ran.exists()
    assert (later.told(), later.told()) == ("used_later", "used_later")
    with expectations._standing_in(expectations._OnUse, "used_at_once"):
        assert importlib.import_module("used_at_once").told() == "used_at_once"
    assert sys.modules["used_at_once"].told() == "used_at_once"
    assert ran.read_text() == "used_later used_at_once "


def test_a_module_found_hollow_runs_nothing_and_can_be_imported_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "hollow_once.py").write_text("class Told:\n    words = 'told'\n")
    with expectations._standing_in(expectations._Hollow, "hollow_once", "json"):
        assert importlib.import_module("json") is json, "what is there already stays"
        assert not hasattr(importlib.import_module("hollow_once").Told, "words")
    assert importlib.import_module("hollow_once").Told.words == "told"


def test_sources_of_data_of_other_engines_are_not_imported() -> None:
    found = expectations._sources("great_expectations")
    assert "great_expectations.datasource.fluent.spark_file_path_datasource" in found
    assert "great_expectations.datasource.fluent.invalid_datasource" not in found
    code = (
        "import sys; from quality.gate import great_expectations as own; own.load(); "
        "print(len([name for name in own._sources('great_expectations') if name in sys.modules]))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True
    )
    assert ran.stdout.split() == ["0"]
