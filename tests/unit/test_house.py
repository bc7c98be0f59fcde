"""The house stands: floors rest on those below them, and every module holds one idea and says which.

Not here: what the linters hold (pyproject.toml).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
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


def imported(path: Path) -> Iterator[tuple[str, int]]:
    """Modules of ours that a module imports, wherever in it, and in which lines."""
    for node in ast.walk(ast.parse((ROOT / path).read_text("utf-8"))):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            # What is taken from a package may be a module of it.
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else names
        yield from ((name, node.lineno) for name in names if name.partition(".")[0] in {*FLOORS, "bench"})


def imported_floors(path: Path) -> Iterator[tuple[str, int]]:
    """Floors that a module imports, and in which lines."""
    return ((name.partition(".")[0], line) for name, line in imported(path))


@pytest.mark.parametrize("floor", FLOORS)
def test_a_floor_rests_on_those_below_it_and_on_no_other(floor: str) -> None:
    found = [(path, *each) for path in modules(floor) for each in imported_floors(path)]
    assert modules(floor)
    assert [
        f"{path}:{line} imports {other}"
        for path, other, line in found
        if other != floor and other not in FLOORS[floor] and (path, other) != (WRITES_THE_SAMPLE, "sample_company")
    ] == []


def room(path: Path) -> Path:
    """The room a module is in: the folder on its floor, or the floor itself."""
    return Path(*path.parts[:2]) if (ROOT / Path(*path.parts[:2])).is_dir() else Path(path.parts[0])


def test_no_two_rooms_rest_on_each_other() -> None:
    """A room can be read after those it rests on; `static_order` raises CycleError with the circle in it."""
    rests_on: dict[Path, set[Path]] = {}
    for path in (path for floor in FLOORS for path in modules(floor)):
        others = {room(Path(*name.split("."))) for name, _ in imported(path)}
        rests_on.setdefault(room(path), set()).update(others - {room(path)})
    assert len(list(TopologicalSorter(rests_on).static_order())) > len(FLOORS)


def test_no_two_modules_rest_on_each_other() -> None:
    """Not even by an import inside a function, or for the type checker."""
    rests_on = {
        path: {named for name, _ in imported(path) if (named := Path(f"{name.replace('.', '/')}.py")) != path}
        for floor in (*FLOORS, "bench")
        for path in modules(floor)
    }
    assert len(list(TopologicalSorter(rests_on).static_order())) > len(FLOORS)


def test_every_module_says_what_lives_in_it() -> None:
    every = [path for floor in FLOORS for path in modules(floor)]
    assert [str(path) for path in every if not ast.get_docstring(ast.parse((ROOT / path).read_text("utf-8")))] == []


def test_files_that_a_module_points_to_exist() -> None:
    """In its docstring, beside it or from the root: `What lives here ... Not here: ... (other.py)`."""
    named = re.compile(r"(?<![\w./{<>])(?:[a-z_]+/)*[a-z_]+\.(?:py|js)\b")
    gone = [
        f"{path} names {name}"
        for floor in FLOORS
        for path in modules(floor)
        for name in named.findall(ast.get_docstring(ast.parse((ROOT / path).read_text("utf-8"))) or "")
        if not ((ROOT / path).parent.joinpath(name).exists() or (ROOT / name).exists())
    ]
    assert gone == []


def test_a_module_of_more_than_400_lines_says_why() -> None:
    """A line of its docstring begins with `Long: `. Not asked of tests, whose length is that of what they cover."""
    texts = {path: (ROOT / path).read_text("utf-8") for floor in FLOORS for path in modules(floor)}
    long = [path for path, text in texts.items() if len(text.splitlines()) > LINES]
    print(f"{len(texts)} modules; {len(long)} of more than {LINES} lines say why")
    assert [str(path) for path in long if "\nLong: " not in (ast.get_docstring(ast.parse(texts[path])) or "")] == []
