"""Which stream's contract the columns of a file fit, and which unknown column may be one that is missing.

What lives here: names of columns held against contracts. Not here: what their values look like (values.py), the one
spelling under which a column lands (assets/landing/column_names.py).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from assets.inspect.values import ColumnLook
from assets.landing.column_names import contract_names, folded_name
from quality.contract.model import ColumnType, Contract
from quality.gate.delivery_checks import needed_columns

# How much names must be alike for one column to be offered for another, 1 being equal.
_ALIKE = 0.6
# How much better than all others a contract must fit to be taken.
_CLEAR = 0.15
# Columns that tell no stream.
_ANYBODYS = {"id", "name", "created_at", "updated_at"}
# Kinds of values (values.py) that a column of a type may hold.
_FITS: Mapping[ColumnType, Collection[str]] = {
    "bigint": ("whole number", "seconds since 1970", "milliseconds since 1970", "number with a point"),
    "double": ("whole number", "number with a point", "number with a comma"),
    "decimal": ("whole number", "number with a point", "number with a comma"),
    "boolean": ("yes or no", "whole number"),
    "date": ("day", "day with its year behind"),
    "timestamp": ("time with an offset", "time without an offset", "day", "day with its year behind"),
    "epoch_s": ("seconds since 1970", "whole number"),
    "epoch_ms": ("milliseconds since 1970", "whole number"),
    "json": ("JSON",),
}


@dataclass(frozen=True)
class Fit:
    """How the columns of a file fit a contract.

    Attributes:
        contract: Which.
        found: Delivered name by the contract's, in the contract's order.
        missing: Columns it cannot do without that are not there.
        absent: Columns it can do without that are not there.
        unknown: Delivered columns that it does not know.
        merit: How well it fits; to be compared with that of others only.
    """

    contract: Contract
    found: Mapping[str, str]
    missing: tuple[str, ...]
    absent: tuple[str, ...]
    unknown: tuple[str, ...]
    merit: float

    @property
    def name(self) -> str:
        """System and stream."""
        return f"{self.contract.system}/{self.contract.stream}"


def fit(delivered: Sequence[str], contract: Contract, file: str = "") -> Fit:
    """Hold the columns of a file against a contract.

    Args:
        delivered: Names, as they are delivered.
        contract: The contract.
        file: Name of the file, which may tell of the stream.
    """
    named = dict(zip(contract_names(delivered, contract), delivered, strict=True))
    found = {name: named[name] for name in contract.columns if name in named}
    needed = needed_columns(contract)
    share_needed = len(needed & found.keys()) / len(needed)
    merit = 2 * share_needed + len(found) / max(len(delivered), 1)
    words = set(re.split(r"[^a-z]+", file.lower()))
    stream = set(contract.stream.split("_"))
    if found and stream <= {each for word in words for each in (word, word.rstrip("s"), f"{word}s")}:
        merit += 0.1 * len(stream) + 0.1
    lacking = [name for name in contract.columns if name not in found]
    return Fit(
        contract,
        found,
        tuple(name for name in lacking if name in needed),
        tuple(name for name in lacking if name not in needed),
        tuple(name for name in delivered if name not in found.values()),
        merit,
    )


def best_fits(delivered: Sequence[str], contracts: Iterable[Contract], file: str = "") -> list[Fit]:
    """The contracts that any column fits, the best first."""
    fits = [fit(delivered, contract, file) for contract in contracts]
    return sorted((each for each in fits if each.found), key=lambda each: (-each.merit, each.name))


def is_clear(fits: Sequence[Fit]) -> bool:
    """Whether the first of several fits is the one that is meant."""
    if not fits or len(fits[0].found) == 1 or fits[0].found.keys() <= _ANYBODYS:
        return False
    return len(fits) == 1 or fits[0].merit - fits[1].merit >= _CLEAR


def perhaps(of: Fit, looks: Iterable[ColumnLook]) -> dict[str, str]:
    """Which column of the contract an unknown one may be, by name and values: contract's name by delivered.

    Only what may be; nothing is read so.
    """
    kinds = {look.name: look.kind for look in looks}
    free = [*of.missing, *of.absent]
    near = [
        (alike, unknown, name)
        for unknown in of.unknown
        for name in free
        if (alike := _alikeness(unknown, name, of.contract)) >= _ALIKE
        and may_hold(of.contract.columns[name].type, kinds.get(unknown))
    ]
    offered: dict[str, str] = {}
    for _, unknown, name in sorted(near, key=lambda each: (-each[0], each[1], each[2] in of.absent, each[2])):
        if unknown not in offered and name not in offered.values():
            offered[unknown] = name
    return offered


def may_hold(kind: ColumnType, values: str | None) -> bool:
    """Whether a column of a type may hold values of a kind; None: there are none to tell."""
    return values is None or kind not in _FITS or values in _FITS[kind]


def _alikeness(delivered: str, name: str, contract: Contract) -> float:
    """How alike two names are; words that only say what kind of thing it is count less."""
    if folded_name(delivered) == "id" and name in contract.key and len(contract.key) == 1:
        return 1.0
    ours, theirs = _words(name), _words(delivered)
    whole = difflib.SequenceMatcher(None, folded_name(delivered), folded_name(name)).ratio()
    bare = ours - {"id", "at", "is", "on"}
    same_words = bare and (bare <= theirs or (theirs and theirs <= ours))
    return max(whole, 0.8) if same_words else whole


def _words(name: str) -> set[str]:
    return {word for word in re.split(r"[\W_]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", name).lower()) if word}
