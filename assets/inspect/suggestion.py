"""A mapping to start from: what each column of a stream is made of, as far as a file shows it.

What lives here: from columns that were placed to what a mapping says of them. Pure. Not here: which column is which
(placing.py), what follows from several columns (derived.py), how it is written down (suggestion_text.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from assets.inspect.derived import Unpivoted, derive
from assets.inspect.placing import Placing, Seen, place
from assets.inspect.said import Said
from assets.inspect.seen import SeenFile
from assets.inspect.usual_names import UsualNames, plain, usual_names
from quality.contract.model import Column, Contract, folded
from quality.contract.reading import PLAIN, Reading
from quality.gate.delivery_checks import needed_columns
from quality.rows.casts import identifier
from quality.rows.formats import misread_numbers

# Values of a column that are shown where nobody knows what they mean.
_SHOWN = 12


@dataclass(frozen=True)
class Suggestion:
    """A mapping of one stream to start from.

    Attributes:
        contract: Of which stream.
        columns: What each column is made of, in the contract's order.
        lacking: Columns nothing can be made without that nothing tells.
        ignored: Delivered columns that are not placed, and what they hold.
        unpivot: Delivered columns that give a row each.
        placed: How many delivered columns are columns of the stream by name and values.
        merit: How well the file fits; to be compared with that of other streams only.
    """

    contract: Contract
    columns: Mapping[str, Said]
    lacking: tuple[str, ...]
    ignored: tuple[tuple[str, str], ...]
    placed: int
    merit: float
    unpivot: Unpivoted | None = None


def suggest(file: SeenFile, contract: Contract, name: str) -> Suggestion:
    """Suggest a mapping of a file to a stream.

    Args:
        file: The file, as it looks.
        contract: What the stream must look like.
        name: Name of the file.
    """
    names = usual_names(contract.stream)
    placing = place(file.columns, contract, names)
    rules = _number_rules(file, placing)
    said = {
        name: _said(name, contract.columns[name], seen, names, rules.get(seen.name, ()))
        for name, seen in placing.placed.items()
    }
    derived = derive(placing, names, name)
    both = {**said, **derived.columns}
    said = {name: both[name] for name in contract.columns if name in both}
    needed = needed_columns(contract)
    lacking = tuple(name for name in contract.columns if name in needed and name not in said)
    used = {seen.name for seen in placing.placed.values()} | set(derived.unpivot.columns if derived.unpivot else ())
    return Suggestion(
        contract,
        said,
        lacking,
        tuple((seen.name, _why_left(seen, placing)) for seen in placing.left if seen.name not in used),
        placed=len(placing.placed),
        merit=2 * (1 - len(lacking) / len(needed)) + len(used) / len(file.columns),
        unpivot=derived.unpivot,
    )


def _why_left(seen: Seen, placing: Placing) -> str:
    meant = placing.misfits.get(seen.name)
    if meant is None or meant in placing.placed:
        return seen.holds
    return f"{seen.holds}; called like {meant}, and no such value"


def _number_rules(file: SeenFile, placing: Placing) -> dict[str, tuple[Reading, ...]]:
    """How the numbers of columns are written, where not with a point."""
    numeric = {
        seen.name
        for name, seen in placing.placed.items()
        if placing.contract.columns[name].type in ("bigint", "double", "decimal")
    }
    shapes = [shape for shape in file.shapes if shape.column in numeric]
    return {each.column: each.rules for each in misread_numbers(shapes, PLAIN)}


def _said(name: str, column: Column, seen: Seen, names: UsualNames, rules: Sequence[Reading]) -> Said:
    """What is said of one placed column."""
    origin: dict[str, object] = {"from": seen.name}
    if column.type in ("timestamp", "date"):
        return _of_times(seen)
    if column.type == "boolean":
        return _of_truths(seen, names)
    if rules:
        choices = tuple({**origin, **_marks(rule)} for rule in rules)
        return Said(choices, "nobody can tell decimals from thousands: take one" if len(rules) > 1 else "")
    return Said((origin,)) if column.pii != "none" else _of_words(name, column, seen, names)


def _marks(rule: Reading) -> dict[str, object]:
    return {key: mark for key, mark in (("decimal", rule.decimal), ("thousands", rule.thousands)) if mark}


def _of_times(seen: Seen) -> Said:
    if seen.times is None:
        name = identifier(seen.name)
        epochs = {
            "seconds since 1970": f"to_timestamp(try_cast({name} as double))",
            "milliseconds since 1970": f"to_timestamp(try_cast({name} as double) / 1000)",
        }
        expression = epochs.get(seen.look.kind or "")
        if expression is None:
            return Said(({"from": seen.name},), "nothing stands in it yet")
        return Said(({"sql": expression},), seen.look.kind or "")
    odd = f"{seen.times.unread:,} of {seen.look.filled:,} values are no times so" if seen.times.unread else ""
    if not seen.times.choices:
        return Said(({"from": seen.name},), odd)
    choices = tuple(
        {"from": seen.name, "format": formats[0] if len(formats) == 1 else list(formats)}
        for formats in seen.times.choices
    )
    return Said(choices, "nobody can tell the day from the month: take one" if len(choices) > 1 else odd)


def _of_truths(seen: Seen, names: UsualNames) -> Said:
    words = {value: names.truths[plain(value)] for value in seen.values if plain(value) in names.truths}
    return Said(({"from": seen.name, **({"values": words} if words else {})},))


def _of_words(name: str, column: Column, seen: Seen, names: UsualNames) -> Said:
    """What is said of a column of few words: which mean what, and which nobody knows."""
    origin: dict[str, object] = {"from": seen.name}
    words = names.words.get(name, {})
    if not seen.values or not (column.allowed or words):
        return Said((origin,))
    allowed = column.allowed or tuple(dict.fromkeys(value for several in words.values() for value in several))
    known = {folded(value) for value in allowed} | set(column.spellings)
    meant: dict[str, object] = {}
    open_words = []
    for value in seen.values:
        word = next((each for each in words.get(plain(value), ()) if each in allowed), None)
        if folded(value) in known:
            continue
        if word is not None:
            meant[value] = word
        elif column.allowed:
            open_words.append(value)
    because = ""
    if open_words:
        shown = ", ".join(open_words[:_SHOWN]) + (" and more" if len(open_words) > _SHOWN else "")
        because = f"nobody knows what these mean: {shown}; allowed are {', '.join(allowed)}"
    return Said(({**origin, **({"values": meant} if meant else {})},), because)
