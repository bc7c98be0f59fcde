"""Which cells the marts must hide, from the rule's words, on plain dictionaries. Slow and plain on purpose.

What lives here: members of one total, and tables of two axes. Not here: what a cell counts (the recounts of each area),
what could be worked out from the cells shown (suppression_attack.py).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

ALL = "all"
Place = tuple[str, str]
"""Of a table: member down, member across."""


def hidden_siblings(
    people: Mapping[str, int], must_hide: Iterable[str], least: int = 5, *, apart: bool = False
) -> set[str]:
    """The members of one total to hide, the total among them.

    Args:
        people: People of each member, and of the total, `all`, where there is one.
        must_hide: Who is hidden for other reasons than size (or for size above that of `least`).
        least: Fewest people a cell may show.
        apart: Nobody is in two members, so that the people of several may be added.
    """
    hidden = {name for name, number in people.items() if 0 < number < least} | (set(must_hide) & set(people))
    filled = {name: number for name, number in people.items() if name != ALL and number > 0}
    inside = hidden & set(filled)
    sizes = [filled[name] for name in inside]
    cover = sum(sizes) if apart else max(sizes, default=0)
    has_company = len(inside) + (ALL in hidden) >= 2 and cover >= least
    others = sorted((number, name) for name, number in filled.items() if name not in hidden)
    if hidden and not has_company and others:
        return hidden | {others[0][1]}
    if inside and inside == set(filled) and len(filled) == 1 and ALL in people:
        return hidden | {ALL}
    return hidden


def hidden_in_table(people: Mapping[Place, int], must_hide: Iterable[Place]) -> set[Place]:
    """The cells to hide of a table whose members down and across have totals; nobody is in two members across."""
    must = set(must_hide)
    downs = sorted({down for down, _ in people})
    totals = hidden_siblings(
        {down: people[down, ALL] for down in downs}, {down for down, across in must if across == ALL}
    )
    hidden: set[Place] = set()
    pools: dict[str, set[Place]] = defaultdict(set)
    for down in downs:
        if down == ALL:
            continue
        row = {across: number for (at, across), number in people.items() if at == down}
        forced = {across for at, across in must if at == down} | ({ALL} if down in totals else set())
        found = {(down, across) for across in hidden_siblings(row, forced)}
        hidden |= found
        pools[ALL if down in totals else down] |= {
            (at, across) for at, across in found if across != ALL and row[across]
        }
    cut = {across for pool in pools.values() if len({across for _, across in pool}) > 1 for _, across in pool}
    edge = {across: number for (at, across), number in people.items() if at == ALL}
    forced = cut | {across for at, across in must if at == ALL} | ({ALL} if ALL in totals else set())
    return hidden | {(ALL, across) for across in hidden_siblings(edge, forced, apart=True)}
