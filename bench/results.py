"""bench/results.json: the figures of every measurement taken last at each size, and the ratios they give.

What lives here: reading, merging and writing the file, the table of ratios. Not here: the page that is written from it
(scripts/scale_docs).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.ratios import RATIOS, Ratio

RESULTS = Path(__file__).with_name("results.json")
OWN_COMPANY = ""
"""Stands for the size of a measurement that has a company of its own."""

Measured = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Value:
    """A ratio at a size.

    Attributes:
        ratio: Which.
        size: Size of the company.
        of: What it is of, where it is of several things.
        value: The number.
        bound: What it is to stay below; None: nothing was said.
    """

    ratio: Ratio
    size: str
    of: str
    value: float
    bound: float | None

    @property
    def is_kept(self) -> bool | None:
        """Whether it stays below; None: nothing was said."""
        return None if self.bound is None else self.value <= self.bound


def load(path: Path = RESULTS) -> Measured:
    """The measurements of a file, by size and name; none if there is none."""
    if not path.exists():
        return {}
    measured: Measured = json.loads(path.read_text(encoding="utf-8"))["measured"]
    return measured


def values(measured: Measured, *, is_guard: bool = False) -> Iterator[Value]:
    """The ratios that the measurements give, in the order of the table.

    Args:
        measured: The measurements.
        is_guard: Hold them against what no change may exceed, and leave out those that are not held.
    """
    for ratio in RATIOS:
        for size, figures in measured.items():
            if not set(ratio.needs) <= figures.keys() or (is_guard and ratio.guard is None):
                continue
            bound = ratio.guard if is_guard else ratio.goals.get(size)
            for of, value in ratio.values(*(figures[need] for need in ratio.needs)).items():
                yield Value(ratio, size, of, value, bound)


def merged(before: Measured, now: Measured) -> Measured:
    """What was measured before, with what was measured now in its place."""
    return {
        size: {**before.get(size, {}), **now.get(size, {})} for size in [*before, *(s for s in now if s not in before)]
    }


def write(measured: Measured, path: Path = RESULTS) -> None:
    """Write the measurements and their ratios."""
    ratios = [
        {
            "id": v.ratio.id,
            "says": v.ratio.says,
            "of": v.of,
            "size": v.size,
            "value": round(v.value, 3),
            "goal": v.bound,
        }
        for v in values(measured)
    ]
    text = json.dumps({"ratios": ratios, "measured": _rounded(measured)}, indent=1, sort_keys=False)
    path.write_text(text + "\n", encoding="utf-8")


def table(found: Iterable[Value]) -> Iterator[str]:
    """The ratios as lines for a terminal."""
    for each in found:
        verdict = {True: "kept", False: "OVER", None: ""}[each.is_kept]
        bound = "" if each.bound is None else f"{each.bound:g}"
        what = f"{each.ratio.id:<9}{each.size:<3}{each.ratio.says:<50} {each.of:<32}"
        yield f"{what}{each.value:>9.3f} {bound:>6} {verdict}".rstrip()


def _rounded(value: object) -> object:
    """Figures without digits that mean nothing."""
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, Mapping):
        return {key: _rounded(each) for key, each in value.items()}
    return [_rounded(each) for each in value] if isinstance(value, list) else value
