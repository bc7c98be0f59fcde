"""Contact points inside texts that marts show, and what stands in their place.

What lives here: what is taken for an e-mail address or a phone number in a text, and the text without it. Not here:
which columns are looked at (assets/warehouse/hidden_texts.py), the one spelling of what columns of contact points hold
(contact_points.py).

A text that holds one gives way as a whole, because the name it belongs to mostly stands beside it. What becomes of a
text follows from the text alone, so a build from nothing gives the same.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable
from typing import Any, Literal

from assets.text.contact_points import spell_phone

HIDDEN = "(hidden)"

Kind = Literal["text", "id", "json", "values"]
"""How a column is looked at: `values` is JSON with people's own texts, of which marts show the values of fields."""

# What DuckDB looks for, cheaply: no text that `shown_text` changes is without it. Beside what is looked for itself that
# is what JSON escapes, and letters that may stand for others.
_SUSPECT = "|".join(
    (
        "@",
        r"(?:[+]|(?:^|[^0-9])00) ?[(]?[0-9][0-9 ()/.\\-]{5,}[0-9]",
        r"(?:^|[^0-9.,/-])[(]?0[0-9]{1,5}[)]?[ /\\-]",
        "0[0-9](?:[ .][0-9]{2}){4}",
        "(?:[(][0-9]{3}[)] ?|[0-9]{3}-)[0-9]{3}-[0-9]{4}",
        r"\\u",
        r"[^\x00-\x7f\x{c0}-\x{24f}\x{2010}-\x{2023}]",
    )
)

# Audits are most of what a help desk delivers, so of JSON with people's texts only values are looked at.
_SUSPECT_VALUE = r"""value"\s*:\s*(?:[\[{]|"[^"]*(?:[@+ (/\\.-]|00|[^\x00-\x7f]))"""
SUSPECT: dict[Kind, str] = {"text": _SUSPECT, "id": _SUSPECT, "json": _SUSPECT, "values": _SUSPECT_VALUE}

_ADDRESS = re.compile(r"[^\s@<>()\[\]\\,;:\"'=|]@(?:[\w-]+\.)+[^\W\d_][\w-]+")
_INTERNATIONAL = re.compile(r"(?:\+|(?<!\d)00) ?\(?\d[\d ()/.-]{5,}\d")
# Digits without a sign or a gap are a code, such as an article's.
_CODE = re.compile(r"\d+")
_NATIONAL = re.compile(
    r"(?<![\d.,/-])(?:\(0\d{1,5}\)|0\d{2,5})[ /-]{1,3}\d(?:[ /-]?\d){4,}"
    r"|(?<!\d)0\d(?:[ .]\d\d){4}(?!\d)"
    r"|(?<!\d)(?:\(\d{3}\) ?|\d{3}-)\d{3}-\d{4}(?!\d)"
)
_VALUES = frozenset({"previous_value", "value"})


def shown_text(raw: str, kind: Kind) -> str:
    """What marts may show of a text: itself, or the stand-in where it holds an address or a number.

    Args:
        raw: The text, or the JSON, as it was accepted.
        kind: What its column holds. In ids only addresses and numbers with a country code count.
    """
    if kind in ("text", "id"):
        return HIDDEN if _holds(raw, kind) else raw
    try:
        said = json.loads(raw)
    except ValueError:
        return json.dumps(HIDDEN) if _holds(raw, "text") else raw
    shown = _walked(said, in_value=kind == "json")
    # As it was delivered where nothing is hidden: the same row must not differ by its blanks.
    return raw if shown == said else json.dumps(shown, ensure_ascii=False, separators=(",", ":"))


def _walked(said: Any, *, in_value: bool) -> Any:  # noqa: ANN401 - JSON
    hide: Callable[[str], str] = lambda text: shown_text(text, "text") if in_value else text  # noqa: E731
    if isinstance(said, dict):
        return {hide(name): _walked(value, in_value=in_value or name in _VALUES) for name, value in said.items()}
    if isinstance(said, list):
        return [_walked(value, in_value=in_value) for value in said]
    return hide(said) if isinstance(said, str) else said


def _holds(raw: str, kind: Kind) -> bool:
    text = raw if raw.isascii() else _plain(raw)
    if _CODE.fullmatch(text):
        return False
    if _ADDRESS.search(text) or (kind != "id" and _NATIONAL.search(text)):
        return True
    return any(_is_number(found[0]) for found in _INTERNATIONAL.finditer(text))


def _plain(raw: str) -> str:
    """Compatible characters as one, invisible ones gone."""
    return "".join(c for c in unicodedata.normalize("NFKC", raw) if unicodedata.category(c) != "Cf")


def _is_number(found: str) -> bool:
    """Whether digits that begin like a country code can be dialled, up to any gap: a date may follow the number."""
    dialled = "+" + found.removeprefix("+").removeprefix("00")
    gaps = [gap.start() for gap in re.finditer(r"[ /.-]", dialled)]
    return any(spell_phone(dialled[:end], None) for end in (*gaps, len(dialled)))
