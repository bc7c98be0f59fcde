"""A line to add to company.yml, with what was seen that asks for it. Not here: seeing it (text_file.py, judged.py)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# certain: the bytes allow nothing else. likely: the best of several. open: several are possible, so nobody is asked to
# guess.
Sureness = Literal["certain", "likely", "open"]


@dataclass(frozen=True)
class Proposal:
    """What to declare of a stream.

    Attributes:
        lines: Lines of company.yml to add together; of several choices one is to be taken.
        saw: What was seen, without values that may be personal.
        sure: How sure it is.
        columns: Columns it was seen in; empty: in the whole file.
        example: Where several choices are possible, a value and what each makes of it; empty: there is none to show.
    """

    lines: tuple[tuple[str, ...], ...]
    saw: str
    sure: Sureness
    columns: tuple[str, ...] = ()
    example: str = ""

    @property
    def choice(self) -> str:
        """The lines as a person reads them."""
        return " or ".join(" and ".join(lines) for lines in self.lines)
