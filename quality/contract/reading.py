"""How the texts of a stream are written, where that cannot be seen in them: its reading rules.

What lives here: the rules as plain values. Not here: where they are declared (`company.yml`, orchestration), what
becomes of a text (quality/rows/casts.py), and noticing that a rule is missing (quality/rows/formats.py). The rules act
when texts are typed; landed text stays as it was delivered.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

DateOrder = Literal["day-first", "month-first"]


@dataclass(frozen=True)
class Reading:
    """The reading rules of one stream; what is None was not declared.

    Attributes:
        decimal: What stands before the decimals of a number, `.` or `,`; in CSV files.
        thousands: What groups the digits of a number by three: `.`, `,`, a blank or an apostrophe; in CSV files.
        dates: Whether the day or the month comes first in a date that ends with its year. One that begins with its
            year can always be read.
        empty: Texts that stand for nothing, in every column.
    """

    decimal: str | None = None
    thousands: str | None = None
    dates: DateOrder | None = None
    empty: tuple[str, ...] = ()

    @property
    def point(self) -> str:
        """What stands before the decimals: as declared, else the point unless it groups thousands."""
        return self.decimal or ("," if self.thousands == "." else ".")


PLAIN = Reading()
"""Nothing declared: numbers with a decimal point and no groups, dates that begin with their year."""
