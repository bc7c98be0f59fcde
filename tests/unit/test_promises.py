"""Every promise is held by tests that exist, and a campaign counts what they found and misses what nobody tried."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.promises import PAGE, SENTENCES, read_promises, rows_of
from tests.unit.test_traps import ROOT, exists

PROMISES = read_promises(ROOT)
ROWS = rows_of((ROOT / PAGE).read_text(encoding="utf-8"))

SENTENCES_OF_THREE = """
kept: {promise: It is kept., tried: three times}
broken: {promise: It is broken., tried: by examples}
forgotten: {promise: Nobody asks., tried: never}
"""
TESTS_OF_TWO = """
import pytest
from hypothesis import given, settings, strategies as st

@pytest.mark.promise("kept")
@pytest.mark.parametrize("n", range(3))
def test_three(n):
    pass

@pytest.mark.promise("kept")
def test_many(record_property):
    record_property("cases", 100)

@pytest.mark.promise("kept")
@pytest.mark.skip(reason="not today")
def test_none():
    pass

@pytest.mark.promise("broken")
@settings(max_examples=7, database=None)
@given(st.integers(0, 1000))
def test_examples(n):
    pass

@pytest.mark.promise("broken")
def test_wrong():
    assert False

@pytest.mark.promise("broken")
def test_after_it():
    pass

def test_of_no_promise():
    pass
"""


def stands_for() -> dict[str, set[str]]:
    """Which tests say in the code that they stand for which promise."""
    found = defaultdict(set)
    for file in (ROOT / "tests").rglob("test_*.py"):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            for decorator in node.decorator_list if isinstance(node, ast.FunctionDef) else ():
                if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.promise":
                    found[ast.literal_eval(decorator.args[0])].add(node.name)
    return found


def test_every_promise_is_held_by_a_test_and_every_test_stands_for_one_that_was_given() -> None:
    assert stands_for().keys() == PROMISES.keys()


def test_the_page_tells_of_promises_that_are_given() -> None:
    assert ROWS
    assert {row.split(" | ")[0].removeprefix("| ") for row in ROWS} <= {each.promise for each in PROMISES.values()}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split(" | ")[0].removeprefix("| "))
def test_a_promise_of_the_page_is_held_by_tests_that_exist(row: str) -> None:
    tests = re.findall(r"`(tests/[^`]+)`", row)
    assert tests
    assert [test for test in tests if not exists(test)] == [], "were they renamed? make chaos writes the page"


TEST_OF_ONE_THAT_DIES = """
import os
import pytest

@pytest.mark.promise("kept")
def test_dies():
    os._exit(1)
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of three promises, of which one is broken and one is forgotten."""
    root = tmp_path_factory.mktemp("a project")
    (root / "pytest.ini").write_text("[pytest]\ntestpaths = tests\nmarkers = chaos: a campaign\n")
    (root / SENTENCES).parent.mkdir()
    (root / SENTENCES).write_text(SENTENCES_OF_THREE)
    (root / "tests" / "test_two.py").write_text(TESTS_OF_TWO)
    (root / ".gitignore").write_text("*\n")
    for command in (["init", "-q"], ["add", "-f", "."], ["commit", "-q", "-m", "as it is"]):
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@localhost", *command], cwd=root, check=True)
    return root


def campaign(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-p", "tests.promises_plugin", "-m", "chaos"]
    said = {
        "JOURNEYMART_CHAOS": "long",
        "PYTHONPATH": str(ROOT),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTEST_ADDOPTS": "",
    }
    environment = os.environ | said
    return subprocess.run(
        [*command, *arguments], cwd=project, env=environment, capture_output=True, text=True, check=False
    )


def cells(project: Path) -> dict[str, list[str]]:
    rows = [row.removeprefix("| ").removesuffix(" |").split(" | ") for row in rows_of((project / PAGE).read_text())]
    return {row[0]: [row[2], row[3], row[5]] for row in rows}


def test_a_campaign_counts_cases_and_failures_and_fails_for_a_promise_that_nothing_tried(project: Path) -> None:
    part = campaign(project, "tests/test_two.py", "-k", "three")
    assert (part.returncode, (project / PAGE).exists()) == (0, False), part.stdout
    assert "Only a part was run" in part.stdout

    one = campaign(project, "--promise", "kept")
    assert one.returncode == 0, one.stdout
    kept = ["103", "0", "`tests/test_two.py::test_many`, `tests/test_two.py::test_three`"]
    assert cells(project) == {"It is kept.": kept}
    assert "left out: tests/test_two.py::test_none" in one.stdout

    whole = campaign(project)
    assert whole.returncode == 1
    assert "Nothing tried the promise forgotten: Nobody asks." in whole.stdout
    assert cells(project) == {
        "It is kept.": kept,
        "It is broken.": [
            "9",
            "1",
            ", ".join(f"`tests/test_two.py::test_{name}`" for name in ("after_it", "examples", "wrong")),
        ],
        "Nobody asks.": ["0", "0", ""],
    }


def test_a_campaign_that_is_ended_early_leaves_the_rows_of_what_it_had_tried(project: Path) -> None:
    (project / PAGE).unlink(missing_ok=True)
    # The first failure ends it, among the tests of the second promise.
    ended = campaign(project, "--maxfail", "1")
    assert ended.returncode == 1
    assert list(cells(project)) == ["It is kept.", "Nobody asks."]
    assert "Nothing tried the promise broken" not in ended.stdout


def test_a_campaign_of_several_processes_counts_the_same(project: Path) -> None:
    campaign(project)
    alone = (project / PAGE).read_text()
    (project / PAGE).unlink()
    assert campaign(project, "-p", "xdist", "-n", "2").returncode == 1
    assert (project / PAGE).read_text() == alone


@pytest.mark.parametrize("processes", [(), ("-p", "xdist", "-n", "2")], ids=["one", "two"])
def test_a_campaign_that_was_ended_is_gone_on_with_and_counts_the_same(project: Path, processes: Sequence[str]) -> None:
    campaign(project, "--promise", "broken")
    alone = cells(project)["It is broken."]
    (project / PAGE).unlink()
    # It ends at the failure, between the examples and the test after it.
    ended = campaign(project, "--promise", "broken", "--maxfail", "1", "-v")
    assert "test_examples PASSED" in ended.stdout
    (project / PAGE).unlink(missing_ok=True)
    rest = campaign(project, "--promise", "broken", "-v", *processes)
    assert "test_examples" not in rest.stdout
    assert "test_wrong" in rest.stdout
    assert cells(project)["It is broken."] == alone
    assert "test_examples PASSED" in campaign(project, "--promise", "broken", "-v").stdout, "a row begins anew"


def test_what_passed_before_a_change_is_tried_again(project: Path) -> None:
    campaign(project, "--promise", "broken", "--maxfail", "1")
    file = project / "tests" / "test_two.py"
    file.write_text(f"{TESTS_OF_TWO}\n")
    try:
        assert "test_examples PASSED" in campaign(project, "--promise", "broken", "-v").stdout
    finally:
        file.write_text(TESTS_OF_TWO)


def test_a_campaign_in_which_a_process_died_writes_nothing(project: Path) -> None:
    (project / PAGE).unlink(missing_ok=True)
    dying = project / "tests" / "test_dying.py"
    dying.write_text(TEST_OF_ONE_THAT_DIES)
    try:
        died = campaign(project, "-p", "xdist", "-n", "2")
    finally:
        dying.unlink()
    assert (died.returncode, (project / PAGE).exists()) == (1, False), died.stdout
    assert "its process died: tests/test_dying.py::test_dies" in died.stdout
    assert "Only a part was run" in died.stdout


def test_a_promise_nobody_gave_is_refused(project: Path) -> None:
    refused = campaign(project, "--promise", "kept,wings")
    assert refused.returncode == 4
    assert "tests/promises.yml has no promise wings" in refused.stderr + refused.stdout
