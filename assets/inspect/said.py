"""What a suggested mapping says of one column. Not here: why it says so (suggestion.py, derived.py)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Said:
    """What a mapping says of one column: its keys, and a word on why.

    Attributes:
        choices: The keys of a column of the mapping, such as {from: Status}; of several, a person takes one.
        because: Why, or what to look at; empty: nothing is to be said.
        is_offer: It is for a person to take.
    """

    choices: tuple[Mapping[str, object], ...]
    because: str = ""
    is_offer: bool = False

    @property
    def is_taken(self) -> bool:
        """Whether it stands without a person."""
        return len(self.choices) == 1 and not self.is_offer
