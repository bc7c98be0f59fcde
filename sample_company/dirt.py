"""The dirt of real life that comes from delivery: late rows, repeated rows, broken rows.

What lives here: which rows arrive late or twice, and what a broken row looks like. Each is a function of the
seed, the record and the date. Dirt that sits in the records themselves (bad addresses, merges, odd texts) is
marked where the record is written out (native_*.py). All of it is listed in the truth.
"""

from __future__ import annotations

from dataclasses import dataclass

LATEST_DAYS = 5
"""A late row arrives at most this many days after the day it belongs to."""

LATE_PER_MILLE = 20
REPEATED_PER_MILLE = 3

MACROS = f"""
create macro late_by(seed, topic, key, day) as (
    with drawn as (select md5_number_lower(concat_ws('|', seed, topic, key, day)) as h)
    select case
        when key is not null and h % 1000 < {LATE_PER_MILLE} then 1 + (h // 1000) % {LATEST_DAYS} else 0
    end::integer
    from drawn
);
create macro is_repeated(seed, stream, id, day) as
    md5_number_lower(concat_ws('|', seed, 'repeat', stream, id, day)) % 1000 < {REPEATED_PER_MILLE};
"""


@dataclass(frozen=True)
class BrokenRow:
    """A row no contract lets through, made of the first row of an extract.

    Attributes:
        stream: `<source>/<stream>`.
        kind: What is wrong, as the truth lists it.
        replace: Columns and the SQL expressions that take their place.
        every: Days from one such row to the next.
        on: Which of those days, counted from the start.
    """

    stream: str
    kind: str
    replace: dict[str, str]
    every: int
    on: int

    @property
    def replacements(self) -> str:
        """SQL after `replace`."""
        return ", ".join(f'{sql} as "{column}"' for column, sql in self.replace.items())

    def falls_on(self, days_since_start: int, is_history: bool) -> bool:
        """Whether an extract holds the row. Every history does."""
        return is_history or days_since_start % self.every == self.on


BROKEN_ROWS = (
    BrokenRow("salesforce/contact", "missing_key", {"Id": "null::varchar"}, 9, 2),
    BrokenRow(
        "salesforce/account", "bad_time", {"Id": "'001JM9999999999YAA'", "CreatedDate": "'yesterday'"}, 13, 5
    ),
    BrokenRow(
        "salesforce/opportunity", "won_but_open",
        {"Id": "'006JM9999999999YAA'", "IsWon": "true", "IsClosed": "false"}, 17, 3,
    ),
    BrokenRow("zendesk/tickets", "missing_key", {"id": "null::bigint"}, 8, 4),
    BrokenRow(
        "zendesk/tickets", "from_the_future", {"id": "999999998", "created_at": "'2099-01-01T00:00:00Z'"},
        15, 6
    ),
    BrokenRow(
        "zendesk/satisfaction_ratings", "unknown_rating", {"id": "9599999999999999", "score": "'superb'"}, 6,
        1
    ),
    BrokenRow(
        "qualtrics/responses", "score_is_text",
        {"ResponseId": "'R_9999999999998nh'", "QID1": "'abc'", "Progress": "'abc'"}, 5, 3,
    ),
    BrokenRow(
        "qualtrics/responses", "ends_before_start",
        {"ResponseId": "'R_9999999999999nh'", "EndDate": "'2020-01-01 00:00:00'"}, 11, 7,
    ),
    BrokenRow(
        "shop/order", "unknown_status", {"order_id": "'NH-9999999999'", "status": "'teleported'"}, 7, 5
    ),
    BrokenRow(
        "shop/order", "unknown_currency",
        {"order_id": "'NH-9999999998'", "currency": "'euros'"}, 19, 9,
    ),
)  # fmt: skip
"""Rows that must end in quarantine: about thirty a month, never more than two in one extract."""
