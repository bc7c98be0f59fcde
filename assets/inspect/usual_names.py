"""What exports usually call the canonical columns and their values, as usual_names.yml says it: the file, read.

What lives here: the table, and how alike a delivered name is to the names of a column. Not here: which column a file
has under which name (placing.py).
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

_FILE = Path(__file__).with_name("usual_names.yml")
# What names that only resemble each other are worth at most, and from which likeness on they do; 1 is equal.
_RESEMBLES, _ALIKE = 0.7, 0.88
# What a name is worth that holds all words of another, and which share of its words they must be.
_HOLDS, _SHARE_HELD = 0.6, 0.6
# A later name of the table, and one without the word for the stream, are worth a little less than the first.
_PER_PLACE, _WITHOUT_NOUN = 0.004, 0.02


@dataclass(frozen=True)
class UsualNames:
    """What columns and values of one stream are usually called.

    Attributes:
        columns: Names of each column, the most usual first, in plain spelling.
        nouns: Words for the stream that may stand before or behind a name.
        keys: Columns that together name a row, by the column of the id they make.
        words: Words for values, by column: plain spelling, and the values of contracts it may stand for.
        truths: Words for true and false.
    """

    columns: Mapping[str, Sequence[str]]
    nouns: Sequence[str]
    keys: Mapping[str, Sequence[str]]
    words: Mapping[str, Mapping[str, tuple[str, ...]]]
    truths: Mapping[str, str]


@cache
def _table() -> dict[str, dict[str, dict[str, object]]]:
    said: dict[str, dict[str, dict[str, object]]] = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return said


@cache
def usual_names(stream: str) -> UsualNames:
    """The usual names of a canonical stream; of another stream, what all share."""
    table = _table()
    columns: Mapping[str, Sequence[str]] = {**table["columns"], **table["streams"].get(stream, {})}  # type: ignore[dict-item]
    return UsualNames(
        {name: tuple(map(plain, names)) for name, names in columns.items()},
        tuple(map(plain, table["nouns"].get(stream, ()))),
        dict(table["keys"].get(stream, {})),  # type: ignore[arg-type]
        {column: _by_word(words) for column, words in table["values"].items()},  # type: ignore[arg-type]
        {word: values[0] for word, values in _by_word(table["truths"]).items()},  # type: ignore[arg-type]
    )


@cache
def measure_words() -> Mapping[str, Sequence[str]]:
    """Beginnings of words in a question, in small letters, by what it then measures."""
    return {measure: tuple(map(str, words)) for measure, words in _table()["measures"].items()}


def _by_word(words: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for value, several in words.items():
        for word in map(plain, several):
            found[word] = (*found.get(word, ()), value)
    return found


@cache
def plain(text: str) -> str:
    """Words in small letters without accents, parted by one blank; what stands in brackets at the end is left out.

    "Shipped on" is "shipped at".
    """
    bare = re.sub(r"\s*[(\[][^)\]]*[)\]]\s*$", "", re.sub(r"([a-z])([A-Z])", r"\1 \2", text)) or text
    letters = unicodedata.normalize("NFKD", bare.casefold())
    words = re.findall(r"[^\W_]+|✓", "".join(each for each in letters if not unicodedata.combining(each)))
    return " ".join([*words[:-1], "at"] if len(words) > 1 and words[-1] == "on" else words)


def likeness(delivered: str, column: str, names: UsualNames) -> float:
    """How surely a delivered name is meant for a column, by its name alone: 1 is its own name, 0 another.

    Args:
        delivered: As delivered.
        column: Of the contract.
        names: What its stream's columns are called.
    """
    known = [plain(column), *names.columns.get(column, ())]
    said = plain(delivered)
    return max(
        worth - less
        for form, less in ((said, 0.0), *((bare, _WITHOUT_NOUN) for bare in _without_nouns(said, names.nouns)))
        for worth in (max(_worth(form, name) - _PER_PLACE * place for place, name in enumerate(known)),)
    )


def _without_nouns(said: str, nouns: Sequence[str]) -> list[str]:
    # A time or a date of something is it.
    nouns = (*nouns, "time", "date")
    bare = [said.removeprefix(f"{noun} ") for noun in nouns] + [said.removesuffix(f" {noun}") for noun in nouns]
    return [each for each in bare if each and each != said]


def _worth(said: str, name: str) -> float:
    if said == name or said.replace(" ", "") == name.replace(" ", ""):
        return 1.0
    theirs, ours = set(said.split()), set(name.split())
    if ours < theirs and len(ours) / len(theirs) >= _SHARE_HELD:
        return _HOLDS + 0.1 * len(ours) / len(theirs)
    # The comparison is slow, and misspelt names begin with the letter they should.
    if said[:1] != name[:1] or 2 * min(len(said), len(name)) < _ALIKE * (len(said) + len(name)):
        return 0.0
    ratio = difflib.SequenceMatcher(None, said, name).ratio()
    return _RESEMBLES * ratio if ratio >= _ALIKE else 0.0
