"""What is promised, and what a campaign found of it: the table that is printed and the page that is written.

What lives here: pure functions over what tests reported. Not here: the sentences (promises.yml), how tests report
(promises_plugin.py).
"""

from __future__ import annotations

import io
import os
import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import yaml
from rich.console import Console
from rich.table import Table

SENTENCES = Path("tests/promises.yml")
PAGE = Path("docs/promises.md")
_WIDTH = 120
_HEAD = "| promise | how it was tried | cases | failures | when and where | by |"

_BEFORE = """# What is promised, and how it was last tried

`make chaos` tries one promise after the other and writes its row as soon as it was tried; `make chaos PROMISE=kills`
tries one (or some: `kills,disk`). A case is one run of a test with one set of parameters, one example that was drawn,
or what a test counts as one, such as a publish under readers. The sentences stand in `tests/promises.yml`; a test says
by its marker which of them it stands for. A promise without a row has not been tried at length yet.
`tests/unit/test_promises.py` holds that every test named here exists.
"""


@dataclass(frozen=True)
class Promise:
    """A sentence that must be true, and how it is tried."""

    promise: str
    tried: str


@dataclass
class Tally:
    """What tests reported of one promise."""

    cases: int = 0
    failures: int = 0
    tests: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Campaign:
    """When and where promises were tried."""

    date: str
    commit: str
    machine: str

    def __str__(self) -> str:
        return f"{self.date}, {self.commit}, {self.machine}"


@cache
def read_promises(root: Path) -> dict[str, Promise]:
    """The promises by name, in their order."""
    said = yaml.safe_load((root / SENTENCES).read_text(encoding="utf-8"))
    return {name: Promise(**each) for name, each in said.items()}


def this_machine() -> str:
    """Cores and memory this process may use, in words."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{cores} cores, {memory:.0f} GB, {platform.system()}"


def table(promises: Mapping[str, Promise], tallies: Mapping[str, Tally]) -> str:
    """What was tried, for a terminal."""
    shown = Table(show_lines=True)
    for name in ("promise", "how it was tried"):
        shown.add_column(name, ratio=1)
    for name in ("cases", "failures"):
        shown.add_column(name, justify="right", no_wrap=True)
    for name, each in promises.items():
        found = tallies.get(name, Tally())
        shown.add_row(each.promise, each.tried, str(found.cases or "none"), str(found.failures))
    text = io.StringIO()
    Console(file=text, width=_WIDTH).print(shown)
    return text.getvalue()


def page(
    before: str, promises: Mapping[str, Promise], tallies: Mapping[str, Tally], asked: Iterable[str], where: Campaign
) -> str:
    """The page, with new rows for the promises that were tried and the rows it has for the others.

    Args:
        before: The page as it is; empty where there is none.
        promises: All promises.
        tallies: What was reported.
        asked: The promises that were tried as a whole.
        where: When and where.
    """
    rows = {line.split(" | ")[0].removeprefix("| "): line for line in rows_of(before)}
    for name in asked:
        found, each = tallies.get(name, Tally()), promises[name]
        tests = ", ".join(f"`{test}`" for test in sorted(found.tests))
        cells = (each.promise, each.tried, f"{found.cases:,}", f"{found.failures:,}", str(where), tests)
        rows[each.promise] = f"| {' | '.join(cells)} |"
    kept = [rows[each.promise] for each in promises.values() if each.promise in rows]
    return "\n".join([_BEFORE, _HEAD, "| --- | --- | ---: | ---: | --- | --- |", *kept, ""])


def rows_of(page: str) -> list[str]:
    """The rows of the page, one per promise."""
    return [line for line in page.splitlines() if line.startswith("| ") and line != _HEAD and "| --- |" not in line]
