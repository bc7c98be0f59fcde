"""The word that was probably meant in place of a misspelt one. Not here: what is allowed."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest_words(word: object, choices: Iterable[str], *, show: int = 12) -> str:
    """What is allowed in place of a word: the nearest choice first, then all of them if they are few."""
    allowed = sorted(choices)
    near = difflib.get_close_matches(str(word), allowed, n=1, cutoff=0.6)
    hint = f"did you mean '{near[0]}'?" if near else ""
    listing = f"allowed: {', '.join(allowed)}" if 0 < len(allowed) <= show else ""
    return "; ".join(part for part in (hint, listing) if part)
