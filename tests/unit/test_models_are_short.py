"""Models and their unit tests are short enough to be read at once, or say why they are not.

What lives here: how long a model may be, how many inputs a unit test may have. Not here: what a model reads
(test_models_read_downwards.py), the length of modules (test_house.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestration.config.settings import PROJECT

MODELS = PROJECT / "dbt_project" / "models"
LINES = 150
INPUTS = 6
# What a long model says of itself in its first comment, and a unit test of many inputs in its description.
SAYS_WHY_IT_IS_LONG = re.compile(r"^\s*Longer than 150 lines: \S", re.MULTILINE)
SAYS_WHY_IT_NEEDS_THEM = re.compile(r"Needs (\d+) inputs because \S")


def models() -> list[Path]:
    """Every model file."""
    return sorted(MODELS.rglob("*.sql"))


def unit_tests() -> Iterator[tuple[Path, dict[str, Any]]]:
    """Every unit test and the file it stands in."""
    for path in sorted(MODELS.rglob("*.yml")):
        for test in (yaml.safe_load(path.read_text("utf-8")) or {}).get("unit_tests", []):
            yield path, test


def first_comment(sql: str) -> str:
    """The first comment of a model, wherever its config() stands."""
    found = re.search(r"\{#-?(.*?)-?#\}", sql, re.DOTALL)
    return found[1] if found else ""


def is_too_long(sql: str) -> bool:
    """A model of more lines than one reads at once, without a reason."""
    return len(sql.splitlines()) > LINES and not SAYS_WHY_IT_IS_LONG.search(first_comment(sql))


def has_too_many_inputs(test: dict[str, Any]) -> bool:
    """A unit test of more inputs than one works out by hand, without a reason that counts them."""
    said = SAYS_WHY_IT_NEEDS_THEM.search(test.get("description", ""))
    return len(test["given"]) > INPUTS and not (said and int(said[1]) == len(test["given"]))


def test_a_model_of_more_than_150_lines_says_why() -> None:
    texts = {path: path.read_text("utf-8") for path in models()}
    assert len(texts) > 100
    lines = sorted(len(sql.splitlines()) for sql in texts.values())
    print(
        f"{len(lines)} models, half of at most {lines[len(lines) // 2]} lines; {sum(n > LINES for n in lines)} say why"
    )
    long = [path for path, sql in texts.items() if is_too_long(sql)]
    assert [f"{path.relative_to(MODELS)}: {len(texts[path].splitlines())} lines" for path in long] == []


def test_a_unit_test_of_more_than_6_inputs_says_why() -> None:
    tests = list(unit_tests())
    assert len(tests) > 30
    many = sum(len(test["given"]) > INPUTS for _, test in tests)
    print(f"{len(tests)} unit tests; {many} of more than {INPUTS} inputs say why")
    assert [
        f"{path.relative_to(MODELS)}: {test['name']}: {len(test['given'])} inputs"
        for path, test in tests
        if has_too_many_inputs(test)
    ] == []


@pytest.mark.parametrize(
    ("comment", "lines", "too_long"),
    [
        ("", LINES - 3, False),
        ("", LINES, True),
        ("Longer than 150 lines: half of it is a list of columns.", LINES, False),
        ("It is longer than 150 lines.", LINES, True),
        ("Longer than 150 lines: ", LINES, True),
    ],
)
def test_a_reason_is_a_sentence_in_the_first_comment(comment: str, lines: int, too_long: bool) -> None:
    sql = "{#-\n    " + comment + "\n-#}\n" + "select 1\n" * lines
    assert is_too_long(sql) is too_long


@pytest.mark.parametrize(
    ("description", "inputs", "too_many"),
    [
        ("", INPUTS, False),
        ("", INPUTS + 1, True),
        ("Needs 7 inputs because each is one side of a sum.", 7, False),
        ("Needs 7 inputs because each is one side of a sum.", 8, True),
        ("Needs 7 inputs because", 7, True),
    ],
)
def test_a_reason_counts_the_inputs(description: str, inputs: int, too_many: bool) -> None:
    assert has_too_many_inputs({"description": description, "given": [{}] * inputs}) is too_many
