"""An attack on hidden cells: everything that adding and subtracting the shown ones gives away.

What lives here: linear algebra on cells and the equations that hold between them. Not here: which cells a mart has and
what its equations are (test_suppression_attack.py).

An equation is a mapping from cells to whole coefficients, of which the sum is nothing: a total with its members is
{total: 1, member: -1, ...}. Whoever knows the shown cells is left with the hidden ones; what these equations say of
them alone is what can be worked out, and all of it.
"""

from __future__ import annotations

import itertools
import random
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

import numpy as np

Cell = TypeVar("Cell", bound=Hashable)
Equation = Mapping[Cell, int]
Place = tuple[int, int]
_NOWHERE: Place = (0, 0)
_PRIME = 2_147_483_629
"""Whole numbers modulo a prime keep elimination exact; what is a rank there is one here, but for chance."""


def adds_up(cells: Iterable[Cell], total_of: Callable[[Cell], Cell | None]) -> Iterator[dict[Cell, int]]:
    """The equations of totals: each with the members it is the total of.

    Args:
        cells: All cells of a mart that can be known.
        total_of: The total a cell is a member of; None where it is of none.
    """
    cells = set(cells)
    members: dict[Cell, list[Cell]] = defaultdict(list)
    for cell in cells:
        total = total_of(cell)
        if total is not None and total in cells:
            members[total].append(cell)
    for total, found in members.items():
        yield {total: 1, **dict.fromkeys(found, -1)}


def worked_out(
    equations: Iterable[Equation[Cell]], hidden: Mapping[Cell, int], least: int = 5
) -> list[tuple[Cell, ...]]:
    """What the shown cells give away: hidden cells, and sums of up to four of fewer than `least` people.

    Args:
        equations: All that hold between cells; a cell in none of them cannot be worked out.
        hidden: The people of each hidden cell. All other cells are known.
        least: Fewest people a sum may be of.

    Returns:
        The hidden cells of each sum that is known, in the order they were found; empty where nothing is.
    """
    found: list[tuple[Cell, ...]] = []
    for cells, rows in _components(equations, hidden):
        places = _places(cells, rows)
        filled = [cell for cell in cells if hidden[cell] > 0]
        found += [(cell,) for cell in filled if places[cell] == _NOWHERE]
        small = [cell for cell in filled if hidden[cell] < least - 1 and places[cell] != _NOWHERE]
        for size in range(2, min(least, 5)):
            few = [cell for cell in small if hidden[cell] <= least - size]
            found += [group for group in _zero_sums(few, places, size) if sum(hidden[cell] for cell in group) < least]
    return found


def _components(
    equations: Iterable[Equation[Cell]], hidden: Mapping[Cell, int]
) -> Iterator[tuple[list[Cell], list[dict[Cell, int]]]]:
    """Hidden cells that some chain of equations ties together, with what the equations say of them alone."""
    leader: dict[Cell, Cell] = {}

    def first(cell: Cell) -> Cell:
        while leader.setdefault(cell, cell) != cell:
            leader[cell] = leader[leader[cell]]
            cell = leader[cell]
        return cell

    rows = [
        row for row in ({cell: of for cell, of in equation.items() if cell in hidden} for equation in equations) if row
    ]
    for row in rows:
        one, *others = row
        for other in others:
            leader[first(other)] = first(one)
    groups: dict[Cell, tuple[list[Cell], list[dict[Cell, int]]]] = defaultdict(lambda: ([], []))
    for row in rows:
        groups[first(next(iter(row)))][1].append(row)
    for cell in leader:
        groups[first(cell)][0].append(cell)
    yield from groups.values()


def _places(cells: Sequence[Cell], rows: Sequence[Mapping[Cell, int]]) -> dict[Cell, Place]:
    """Two solutions of the equations drawn at random, all known cells 0: a sum that is known is 0 in every solution.

    Among millions of sums one is 0 in a single solution by chance; hardly ever in both.
    """
    index = {cell: place for place, cell in enumerate(cells)}
    table = np.zeros((len(rows), len(cells)), dtype=np.int64)
    for place, row in enumerate(rows):
        for cell, coefficient in row.items():
            table[place, index[cell]] = coefficient % _PRIME
    pivots: list[int] = []
    for column in range(len(cells)):
        done = len(pivots)
        candidates = np.flatnonzero(table[done:, column])
        if not len(candidates):
            continue
        table[[done, done + candidates[0]]] = table[[done + candidates[0], done]]
        table[done] = table[done] * pow(int(table[done, column]), -1, _PRIME) % _PRIME
        others = np.flatnonzero(table[:, column])
        others = others[others != done]
        table[others] = (table[others] - table[others, column, None] * table[done] % _PRIME) % _PRIME
        pivots.append(column)
        if len(pivots) == len(rows):
            break
    chance = random.Random(len(cells))  # noqa: S311 (no secrets here)
    solved = set(pivots)
    solutions = []
    for _ in range(2):
        drawn = [0 if column in solved else chance.randrange(1, _PRIME) for column in range(len(cells))]
        for place, column in enumerate(pivots):
            row = table[place]
            drawn[column] = (
                -sum(int(row[other]) * drawn[other] for other in np.flatnonzero(row) if other != column) % _PRIME
            )
        solutions.append(drawn)
    return dict(zip(cells, zip(*solutions, strict=True), strict=True))


def _zero_sums(cells: Sequence[Cell], places: Mapping[Cell, Place], size: int) -> Iterator[tuple[Cell, ...]]:
    """Groups of so many cells whose places add up to nothing: the last one of each is looked up, not tried."""
    known: dict[Place, list[int]] = defaultdict(list)
    for number, cell in enumerate(cells):
        known[places[cell]].append(number)
    for group in itertools.combinations(range(len(cells)), size - 1):
        one, other = (-sum(places[cells[number]][axis] for number in group) % _PRIME for axis in (0, 1))
        yield from (
            (*(cells[number] for number in group), cells[last]) for last in known[one, other] if last > group[-1]
        )
