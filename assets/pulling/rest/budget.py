"""The requests of a day that an account has, and what of them may be ours: pure arithmetic.

Not here: reading a vendor's headers (one file per vendor), requests of a minute (pace.py).
"""

from __future__ import annotations

from dataclasses import dataclass

_RESERVE = 0.2
"""Share of a day's requests that is left to everything else that asks the same account."""


class OutOfBudget(Exception):  # noqa: N818 - the day is spent: no mistake of anybody
    """What of a day may be ours is used up.

    Attributes:
        budget: What the day holds, and what of it was used.
        needed: How many requests more would be needed, if that is known.
    """

    def __init__(self, budget: Budget, needed: int | None) -> None:
        super().__init__("no requests are left")
        self.budget = budget
        self.needed = needed


@dataclass(frozen=True)
class Budget:
    """Requests of any 24 hours, as the vendor counts them.

    Attributes:
        used: Requests so far, everybody's.
        allowed: Requests that are let through.
    """

    used: int
    allowed: int

    @property
    def ours(self) -> int:
        """Requests of a whole day that may be ours, if nobody else asks."""
        return self.allowed - int(self.allowed * _RESERVE)

    @property
    def left(self) -> int:
        """Requests that may be ours now."""
        return max(0, self.ours - self.used)

    def require(self, needed: int | None) -> None:
        """Go on only while some are left: an extract that a day is not enough for comes to its end in parts.

        Args:
            needed: How many requests more it takes, if that is known.

        Raises:
            OutOfBudget: None is left.
        """
        if self.left == 0:
            raise OutOfBudget(self, needed)
