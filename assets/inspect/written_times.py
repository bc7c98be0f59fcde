"""How the dates and times of a column are written, tried on its values.

What lives here: which formats of strptime read them, and where two orders of day and month both do. Not here: what a
contract makes of a time (quality/rows/casts.py).

A format is believed where it reads nearly all of a column. Day and month are told apart by a value that only one order
reads, in this or another column of the file: one file is written in one way. Where nothing tells, both are offered.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from assets.inspect.values import LOOKED_AT
from quality.mapping.model import has_zone
from quality.rows.casts import cast, identifier, literal, present
from quality.rows.landed_text import read_parquet

# A column of which this share reads as times is one of times.
_NEARLY_ALL = 0.9
_LONGEST_TIME = 40
# Values on which formats are tried; those that may read any are then held against all that are looked at.
_TRIED_ON = 2_000
# What a text must have to be a time.
_LIKE_A_TIME = re.compile(r"\d.*[-/. ,].*\d|\d{8}")
_EARLIEST = "timestamp '1900-01-01'"
_CLOCKS = ("", " %H:%M", " %H:%M:%S", ", %H:%M", ", %H:%M:%S", " %I:%M %p", " %I:%M:%S %p", "T%H:%M:%S")
# With two digits of the year first: four digits are none such.
_ORDERS: Mapping[str, tuple[str, ...]] = {
    "day-first": tuple(f"%d{m}%m{m}{y}" for y in ("%y", "%Y") for m in "./-"),
    "month-first": tuple(f"%m{m}%d{m}{y}" for y in ("%y", "%Y") for m in "/-."),
    "in words": (
        *("%b %d, %Y", "%B %d, %Y", "%d %b %Y", "%d %B %Y", "%d-%b-%Y", "%b %d %Y", "%a, %d %b %Y"),
        *("%d/%b/%y", "%d-%b-%y", "%d/%b/%Y"),
    ),
    "year first": ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d"),
}
_FORMATS = {order: tuple(f"{day}{clock}" for day in days for clock in _CLOCKS) for order, days in _ORDERS.items()}
_FORMATS["with an offset"] = tuple(
    f"{day}{clock} {zone}"
    for day in ("%Y-%m-%d", "%Y/%m/%d")
    for clock in (" %H:%M", " %H:%M:%S")
    for zone in ("%z", "%Z")
)
# What stands for each part of a format, so far as it tells which formats are worth trying.
_PARTS = {
    "%Y": r"\d{4}", "%y": r"\d{2}", "%p": "[AaPp][Mm]", "%b": r"[^\W\d]{3}", "%B": r"[^\W\d]{3,}", "%a": r"[^\W\d]{3}",
    "%z": r"[+-]\d{2}:?(\d{2})?", "%Z": r"[A-Za-z][\w/+-]+",
}  # fmt: skip
_SHAPES = {
    each: re.compile(re.sub("%[A-Za-z]", lambda part: _PARTS.get(str(part.group()), r"\d{1,2}"), re.escape(each)))
    for formats in _FORMATS.values()
    for each in formats
}


@dataclass(frozen=True)
class WrittenTimes:
    """How the times of a column are written.

    Attributes:
        choices: Formats that read them, several where nobody can tell which are meant; empty: as contracts read them.
        has_offset: They say their offset from UTC.
        unread: Values that are no times so, of those that were looked at.
    """

    choices: tuple[tuple[str, ...], ...]
    has_offset: bool
    unread: int

    @property
    def is_open(self) -> bool:
        """Whether a person must choose."""
        return len(self.choices) > 1


def written_times(
    connection: duckdb.DuckDBPyConnection, rows: Path, columns: Collection[str]
) -> dict[str, WrittenTimes]:
    """How times are written, by column; columns that hold none are left out.

    Args:
        connection: Any.
        rows: A file of delivered rows, every value a text.
        columns: The columns to look at.
    """
    source = f"(select * from {read_parquet(rows)} limit {LOOKED_AT})"
    found: dict[str, WrittenTimes] = {}
    tried: dict[str, tuple[int, dict[str, tuple[tuple[str, ...], int]]]] = {}
    for name in columns:
        texts = f"(select {present('timestamp', f'{identifier(name)}::varchar')} as text from {source})"
        texts = f"{texts} where text is not null"
        some = [text for (text,) in connection.execute(f"select text from {texts} limit {_TRIED_ON}").fetchall()]
        likely = sum(len(text) <= _LONGEST_TIME and bool(_LIKE_A_TIME.search(text)) for text in some)
        if not some or likely < _NEARLY_ALL * len(some):
            continue
        as_contract = cast("timestamp", "text", "UTC")
        filled, plain, zoned = connection.execute(
            f"select count(*), count({as_contract}), count({as_contract}) filter "
            f"(regexp_matches(text, '[T ][0-9:.]+(Z|[+-][0-9:]+)$')) from {texts}"
        ).fetchall()[0]
        if plain >= _NEARLY_ALL * filled:
            found[name] = WrittenTimes((), zoned * 2 > plain, filled - plain)
            continue
        by_order = {order: _reads(connection, texts, some, formats) for order, formats in _FORMATS.items()}
        tried[name] = (filled, {order: each for order, each in by_order.items() if each[1] >= _NEARLY_ALL * filled})
    settled = _settled([by_order for _, by_order in tried.values()])
    for name, (filled, by_order) in tried.items():
        if by_order:
            found[name] = _chosen(filled, by_order, settled)
    return found


def _reads(
    connection: duckdb.DuckDBPyConnection, texts: str, some: Sequence[str], formats: Sequence[str]
) -> tuple[tuple[str, ...], int]:
    """Which formats of one order read any values of a column, and how many they read together."""
    worth = [each for each in formats if any(_SHAPES[each].fullmatch(text) for text in some)]
    if not worth:
        return (), 0
    tried = ", ".join(f"count(*) filter ({_is_time(literal(each))})" for each in worth)
    counts = connection.execute(f"select {tried} from {texts}").fetchall()[0]
    used = tuple(each for each, count in zip(worth, counts, strict=True) if count)
    if not used:
        return (), 0
    listed = f"[{', '.join(map(literal, used))}]"
    return used, int(connection.execute(f"select count(*) filter ({_is_time(listed)}) from {texts}").fetchall()[0][0])


def _is_time(formats: str) -> str:
    return f"try_strptime(text, {formats}) >= {_EARLIEST}"


def _settled(columns: Sequence[Mapping[str, tuple[tuple[str, ...], int]]]) -> str | None:
    """Which of day and month comes first in the file, told by the columns of which one order reads more; None: open."""
    told = {
        max(both, key=both.__getitem__)
        for by_order in columns
        if (both := {order: by_order[order][1] for order in ("day-first", "month-first") if order in by_order})
        and (len(both) == 1 or len(set(both.values())) == len(both))
    }
    return told.pop() if len(told) == 1 else None


def _chosen(filled: int, by_order: Mapping[str, tuple[tuple[str, ...], int]], settled: str | None) -> WrittenTimes:
    most = max(read for _, read in by_order.values())
    best = {order: formats for order, (formats, read) in by_order.items() if read == most}
    if len(best) > 1 and settled in best:
        best = {settled: best[settled]}
    # With points between, the day comes first everywhere.
    if len(best) > 1 and all("." in each for each in best.get("day-first", ())) and "day-first" in best:
        best = {"day-first": best["day-first"]}
    return WrittenTimes(tuple(best.values()), all(has_zone(each) for each in best.values()), filled - most)
