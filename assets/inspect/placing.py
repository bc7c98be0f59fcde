"""Which delivered column is which of a contract's, by names and by what values are.

What lives here: every delivered column, as it looks, held against every column of one contract. Not here: the names
(usual_names.py), the looks (values.py, written_times.py), what is written of it (suggestion.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from assets.inspect.usual_names import UsualNames, likeness, plain
from assets.inspect.values import ColumnLook
from assets.inspect.written_times import WrittenTimes
from quality.contract.model import Column, Contract

# From which likeness on a column is taken for another.
_TAKEN = 0.6
# A column of which this share is so, is so.
_NEARLY_ALL = 0.9
_EPOCHS = ("seconds since 1970", "milliseconds since 1970")
_MOST_TRUTHS = 3
_MOST_WORDS = 60


@dataclass(frozen=True)
class Seen:
    """A delivered column, as it looks.

    Attributes:
        look: Name, how much of it is filled, of which kinds.
        numbers: How many values look like numbers.
        times: How its times are written; None: it holds none.
        values: Its values and their counts where they are few; empty: they are many.
    """

    look: ColumnLook
    numbers: int
    times: WrittenTimes | None
    values: Mapping[str, int]

    @property
    def name(self) -> str:
        """As delivered."""
        return self.look.name

    @property
    def is_empty(self) -> bool:
        """Whether nothing in it tells what it is."""
        return not self.look.filled

    @property
    def holds(self) -> str:
        """What it holds, in words that name no value."""
        if self.is_empty:
            return "empty"
        if self.times:
            return "times"
        kind = self.look.kind or "text"
        several = "" if self.look.distinct == 1 else f", about {self.look.distinct:,} different"
        return f"{'texts' if kind == 'text' else kind}{several}"


@dataclass(frozen=True)
class Placing:
    """Which delivered column is which of a contract's.

    Attributes:
        contract: Whose columns.
        placed: Delivered column by that of the contract, in the contract's order.
        left: Delivered columns that are none of them.
        misfits: Of columns that are left: which one of the contract they are called like and cannot be.
    """

    contract: Contract
    placed: Mapping[str, Seen]
    left: tuple[Seen, ...]
    misfits: Mapping[str, str]


def place(seen: Sequence[Seen], contract: Contract, names: UsualNames) -> Placing:
    """Say which delivered column is which of a contract's; each is one at most, and the surest come first."""
    pairs = [
        (worth, place, name, each)
        for each in seen
        for place, name in enumerate(contract.columns)
        if (worth := likeness(each.name, name, names)) >= _TAKEN
    ]
    placed: dict[str, Seen] = {}
    misfits: dict[str, str] = {}
    for _, _, name, each in sorted(pairs, key=lambda pair: (-pair[0], pair[1], pair[3].name)):
        if name in placed or each in placed.values():
            continue
        if may_be(contract.columns[name], each, names):
            placed[name] = each
        else:
            misfits.setdefault(each.name, name)
    in_order = {name: placed[name] for name in contract.columns if name in placed}
    left = tuple(each for each in seen if each not in placed.values())
    return Placing(contract, in_order, left, {each.name: misfits[each.name] for each in left if each.name in misfits})


def may_be(column: Column, seen: Seen, names: UsualNames) -> bool:
    """Whether what a delivered column holds may be what a column of the contract is; one that is empty may."""
    if seen.is_empty:
        return True
    kind = seen.look.kind
    match column.type:
        case "timestamp" | "date" | "epoch_s" | "epoch_ms":
            return seen.times is not None or kind in _EPOCHS
        case "bigint" | "double" | "decimal":
            return seen.times is None and seen.numbers >= _NEARLY_ALL * seen.look.filled
        case "boolean":
            return bool(seen.values) and is_truth(seen.values, names)
        case "json":
            return kind == "JSON"
        case _:
            return seen.times is None and _may_be_text(column, seen)


def _may_be_text(column: Column, seen: Seen) -> bool:
    kind = seen.look.kind
    if column.contact_point:
        return (kind == "e-mail address") == (column.contact_point == "email")
    if kind == "e-mail address":
        return False
    return not column.allowed or (bool(seen.values) and len(seen.values) <= _MOST_WORDS)


def is_truth(values: Iterable[str], names: UsualNames) -> bool:
    """Whether values are those of true and false, in some language."""
    words = {plain(value) for value in values}
    known = {"true", "false", "yes", "no", "t", "f", "y", "n", "1", "0", *names.truths}
    return len(words) <= _MOST_TRUTHS and words <= known
