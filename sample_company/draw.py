"""Tools of the simulation: seeded draws, times, columns that only grow, and an agenda of things to come.

What lives here: what every part of the world needs. Not here: anything about customers.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Columns = dict[str, Array]
"""One table: columns of equal length by name."""

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Times = NDArray[np.datetime64]
"""Times in UTC, to the second; NaT: never."""

DAY = 86_400
HOUR = 3_600
SUNDAY = 6
NEVER = np.datetime64("NaT", "s")
NOBODY = -1
"""Index of a record that does not exist."""


def generator(seed: int, topic: str, day: int) -> np.random.Generator:
    """Random numbers of one topic on one day: what one day draws never moves another day or topic."""
    return np.random.default_rng([seed, zlib.crc32(topic.encode()), day])


def midnight(day: int) -> np.datetime64:
    """Start of a day, given in days since 1970."""
    return np.datetime64(day * DAY, "s")


def day_of(times: Times) -> Ints:
    """Day of each time, in days since 1970; undefined for NEVER."""
    return times.astype("datetime64[D]").astype(np.int64)


def weekday(day: int) -> int:
    """Weekday of a day given in days since 1970; 0 is Monday."""
    return (day + 3) % 7


def after(times: Times, seconds: Array) -> Times:
    """Times moved on by seconds."""
    return np.asarray(times + np.asarray(seconds).astype("timedelta64[s]"))


def only_if(condition: Array, times: Times) -> Times:
    """Times where the condition holds, NEVER elsewhere."""
    return np.where(condition, times, NEVER)


def chance(rng: np.random.Generator, n: int, probability: float | Array) -> Bools:
    """One weighted coin toss each."""
    return np.asarray(rng.random(n) < probability)


def pick(rng: np.random.Generator, n: int, weights: Iterable[float]) -> Ints:
    """Indices drawn by weight."""
    bounds = np.cumsum(np.fromiter(weights, dtype=np.float64))
    return np.asarray(np.searchsorted(bounds, rng.random(n) * bounds[-1], side="right"), dtype=np.int64)


def take(columns: Columns, rows: Array) -> Columns:
    """The chosen rows (indices or mask) of every column."""
    return {name: values[rows] for name, values in columns.items()}


def length(columns: Columns) -> int:
    """Number of rows."""
    return len(next(iter(columns.values())))


def stack(parts: list[Columns]) -> Columns:
    """Tables of the same columns, one under the other."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def office_hours(rng: np.random.Generator, times: Times) -> Times:
    """Times at which people work, Monday to Saturday, 07:00 to 19:00 UTC; others wait for the morning."""
    days = day_of(times)
    second = (times - times.astype("datetime64[D]")).astype(np.int64)
    late = second >= 19 * HOUR
    days = np.where(late, days + 1, days)
    sunday = (days + 3) % 7 == SUNDAY
    days = np.where(sunday, days + 1, days)
    moved = late | sunday | (second < 7 * HOUR)
    morning = after(days.astype("datetime64[D]").astype("datetime64[s]"), 7 * HOUR + rng.random(len(times)) * HOUR)
    return np.where(moved & ~np.isnat(times), morning, times)


class Growing:
    """A table that only grows: each chunk gets the next ids, so no day depends on a later one."""

    def __init__(self) -> None:
        self._chunks: list[Columns] = []
        self.size = 0

    def add(self, chunk: Columns) -> Ints:
        """Append rows; returns their ids, which become column `id`."""
        ids = np.arange(self.size, self.size + length(chunk), dtype=np.int64)
        self._chunks.append({"id": ids, **chunk})
        self.size += len(ids)
        return ids

    def columns(self) -> Columns:
        """All rows so far."""
        return stack(self._chunks)


class Agenda:
    """Things that will happen, by topic and day."""

    def __init__(self) -> None:
        self._due: dict[tuple[str, int], list[Columns]] = defaultdict(list)

    def plan(self, topic: str, columns: Columns) -> None:
        """Note rows for the day of their column `at`; rows that happen NEVER are dropped."""
        columns = take(columns, ~np.isnat(columns["at"]))
        if not length(columns):
            return
        days = day_of(columns["at"])
        order = np.argsort(days, kind="stable")
        starts = np.flatnonzero(np.diff(days[order], prepend=days[order[0]] - 1))
        for rows in np.split(order, starts[1:]):
            self._due[topic, int(days[rows[0]])].append(take(columns, rows))

    def due(self, topic: str, day: int) -> Columns | None:
        """What is noted for this day, in the order of planning; None: nothing."""
        parts = self._due.pop((topic, day), None)
        return stack(parts) if parts else None
