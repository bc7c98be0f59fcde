"""The house stands: floors rest on those below them, and every module holds one idea and says which.

Not here: what the linters hold (pyproject.toml).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Each floor and those it may rest on. The sample company stands beside the house: it is a source, not a part.
FLOORS = {
    "orchestration": {"assets", "quality", "storage"},
    "assets": {"quality", "storage"},
    "quality": {"storage"},
    "storage": set[str](),
    "sample_company": {"storage"},
}
LINES = 400
# The command that writes the sample company's extracts.
WRITES_THE_SAMPLE = Path("orchestration/cli/nights.py")


def modules(floor: str) -> list[Path]:
    """Modules of a floor, as paths below the root."""
    return sorted(path.relative_to(ROOT) for path in (ROOT / floor).rglob("*.py"))


def imported_floors(path: Path) -> Iterator[tuple[str, int]]:
    """Floors that a module imports, wherever in it, and in which lines."""
    for node in ast.walk(ast.parse((ROOT / path).read_text("utf-8"))):
        names = [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else names
        yield from ((floor, node.lineno) for name in names if (floor := name.partition(".")[0]) in FLOORS)


@pytest.mark.parametrize("floor", FLOORS)
def test_a_floor_rests_on_those_below_it_and_on_no_other(floor: str) -> None:
    found = [(path, *each) for path in modules(floor) for each in imported_floors(path)]
    assert modules(floor)
    assert [
        f"{path}:{line} imports {other}"
        for path, other, line in found
        if other != floor and other not in FLOORS[floor] and (path, other) != (WRITES_THE_SAMPLE, "sample_company")
    ] == []


def test_every_module_says_what_lives_in_it() -> None:
    every = [path for floor in FLOORS for path in modules(floor)]
    assert [str(path) for path in every if not ast.get_docstring(ast.parse((ROOT / path).read_text("utf-8")))] == []


def test_a_module_of_more_than_400_lines_says_why() -> None:
    """A line of its docstring begins with `Long: `. Not asked of tests, whose length is that of what they cover."""
    texts = {path: (ROOT / path).read_text("utf-8") for floor in FLOORS for path in modules(floor)}
    long = [path for path, text in texts.items() if len(text.splitlines()) > LINES]
    assert [str(path) for path in long if "\nLong: " not in (ast.get_docstring(ast.parse(texts[path])) or "")] == []
