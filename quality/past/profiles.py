"""The profile of an extract: what it looked like, in counts, shares and quartiles, small enough to keep for good.

What lives here: its shape, the query that takes it of the working table, the file beside the accepted rows, and the
reading of a stream's past. Not here: what is usual (usual.py) and what is said of it (distribution.py).

A profile holds no personal data: counts of every column, quartiles of numbers and times, and values only of columns
that hold no personal data and few different values. Rows and keys of the nights before are not kept in it; they are
looked up in the accepted files, of which a few are read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from quality.contract.model import Column, Contract
from quality.landed.extract import LandedExtract
from quality.landed.manifest import LandingManifest
from quality.rows.casts import identifier, literal
from quality.rows.counts import BatchCounts, by_batch
from quality.rows.landed_text import pattern
from quality.rows.work import TO_ACCEPT
from storage.data_folder import DataFolder, StreamId
from storage.errors import JourneymartError
from storage.folders import dated

PROFILE = "profile.json"
_ROWS = "rows.parquet"

# Days of the past that are read: a quarter, so that what happens monthly was seen before.
PAST_DAYS = 91
# Extracts in which a key counts as known. Of the first nights nothing is said: their share grows by itself.
KNOWN_NIGHTS = 7
# More different values than these are no categories; the first figure is a sketch and may err.
_FEW_VALUES = 20
_PERHAPS_FEW = 40

Quartiles = tuple[int, float, float, float]


@dataclass(frozen=True)
class Profile:
    """What one extract looked like.

    Attributes:
        extract_date: Which day's extract.
        contract: Fingerprint of the contract that typed it.
        is_history: The bulk history, which says nothing of a night.
        delivered: Rows delivered, of a dump the whole table, people who were erased since included.
        rows: Rows that are described below: accepted, and no announced deletions.
        changed: Of a dump, the rows that changed or vanished; None: no dump.
        repeated: Rows that another row of the extract says once more.
        newest_age: Days from the newest version to the end of the extract date; None: there is none.
        again: Rows that the extract before held too, to the letter; None: there was none to compare.
        keys: Different keys.
        known: Keys that the last extracts held too; None: too few extracts to say.
        empty: Rows without a value, by optional column.
        values: Rows by value, by column; None: too many values to be categories.
        numbers: Values and their quartiles, by column of numbers.
        ages: Values and their quartiles in days before the end of the extract date, by column of times.
    """

    extract_date: date
    contract: str
    is_history: bool
    delivered: int
    rows: int
    changed: int | None = None
    repeated: int = 0
    newest_age: float | None = None
    again: int | None = None
    keys: int = 0
    known: int | None = None
    empty: Mapping[str, int] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, int] | None] = field(default_factory=dict)
    numbers: Mapping[str, Quartiles] = field(default_factory=dict)
    ages: Mapping[str, Quartiles] = field(default_factory=dict)


@dataclass
class Past:
    """The accepted extracts of one stream, as far as their profiles are known; what passes is added as it passes."""

    folder: DataFolder
    stream: StreamId

    def __post_init__(self) -> None:
        self._dates = set(dated(self.folder.accepted_partition(self.stream, date.min).parent))
        self._read: dict[date, Profile] = {}

    def before(self, day: date) -> list[Profile]:
        """Profiles of the nights of the last quarter before a date, newest first; bulk histories left out."""
        near = sorted((each for each in self._dates if 0 < (day - each).days <= PAST_DAYS), reverse=True)
        return [profile for profile in map(self._profile, near) if profile and not profile.is_history]

    def add(self, profile: Profile) -> None:
        """Take an extract in that was accepted just now."""
        self._dates.add(profile.extract_date)
        self._read[profile.extract_date] = profile

    def rows_file(self, profile: Profile) -> Path:
        """The accepted rows a profile describes."""
        return self.folder.accepted_partition(self.stream, profile.extract_date) / _ROWS

    def _profile(self, day: date) -> Profile | None:
        """The profile of a date; None: it was accepted before there were any."""
        path = self.folder.accepted_partition(self.stream, day) / PROFILE
        if day not in self._read and path.exists():
            self._read[day] = read_profile(path)
        return self._read.get(day)


def keep_profile(profile: Profile, partition: Path) -> None:
    """Write a profile beside the accepted rows."""
    said = {**asdict(profile), "extract_date": profile.extract_date.isoformat()}
    (partition / PROFILE).write_text(json.dumps(said) + "\n", encoding="utf-8")


def read_profile(path: Path) -> Profile:
    """Read a profile.

    Raises:
        JourneymartError: It is not readable.
    """
    try:
        said: dict[str, Any] = json.loads(path.read_bytes())
        return Profile(**{**said, "extract_date": date.fromisoformat(said["extract_date"])})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise JourneymartError(
            f"{path} does not describe an accepted extract ({type(error).__name__}): judge the extract again."
        ) from error


def take_profiles(
    connection: duckdb.DuckDBPyConnection,
    extracts: Sequence[LandedExtract],
    manifests: Sequence[LandingManifest],
    counts: Sequence[BatchCounts],
) -> list[Profile]:
    """Describe the rows to be accepted of several extracts of one stream, in one scan, and one more for values.

    Args:
        connection: Holds the working table.
        extracts: The extracts, in the order of `_batch`.
        manifests: What landing says of them.
        counts: What was counted of them.
    """
    contract = extracts[0].contract
    end = "(_extract_date + 1)::timestamptz"
    asked: dict[tuple[str, str], str] = {("rows", ""): "count(*)"}
    every = ", ".join(map(identifier, contract.columns))
    asked["repeated", ""] = f"count(*) - count(distinct hash({every}, _extra))"
    asked["keys", ""] = f"count(distinct hash({', '.join(map(identifier, contract.key))}))"
    if contract.version:
        asked["newest_age", ""] = f"min(epoch({end}) - epoch({identifier(contract.version)})) / 86400"
    for name, column in contract.columns.items():
        value = identifier(name)
        if not column.required:
            nothing = f"{value} is null"
            asked["empty", name] = f"count(*) filter ({nothing})"
        if is_category(contract, name):
            asked["values", name] = f"approx_count_distinct({value})"
        if is_number(contract, name):
            asked["numbers", name] = _quartiles(f"{value}::double")
        if _is_time(column):
            asked["ages", name] = _quartiles(f"(epoch({end}) - epoch({value}::timestamptz)) / 86400")
    found = by_batch(connection, TO_ACCEPT, list(asked.values()))
    taken = []
    for batch, (extract, manifest, counted) in enumerate(zip(extracts, manifests, counts, strict=True)):
        said = dict(zip(asked, found.get(batch, ()), strict=False))
        of = {kind: {name: value for (k, name), value in said.items() if k == kind} for kind, _ in asked}
        taken.append(
            Profile(
                extract_date=extract.extract_date,
                contract=contract.fingerprint,
                is_history=manifest.is_history,
                delivered=manifest.rows + manifest.erased,
                rows=said.get(("rows", ""), 0),
                changed=counted.rows if extract.mode == "full" else None,
                repeated=said.get(("repeated", ""), 0),
                newest_age=said.get(("newest_age", "")),
                keys=said.get(("keys", ""), 0),
                empty=of.get("empty", {}),
                values={name: {} if few <= _PERHAPS_FEW else None for name, few in of.get("values", {}).items()},
                numbers={name: (n, *q) for name, (n, q) in of.get("numbers", {}).items() if n},
                ages={name: (n, *q) for name, (n, q) in of.get("ages", {}).items() if n},
            )
        )
    return _with_values(connection, taken)


def compared(
    connection: duckdb.DuckDBPyConnection, extract: LandedExtract, batch: int, profile: Profile, past: Past
) -> Profile:
    """Add to a profile how many of its rows and keys the last extracts held already.

    Args:
        connection: Holds the working table.
        extract: The extract.
        batch: Its number in the working table.
        profile: What it looks like by itself.
        past: The stream's.
    """
    contract = extract.contract
    # Rows that another contract typed would differ for that alone.
    earlier = [each for each in past.before(profile.extract_date) if each.rows and each.contract == profile.contract]
    if not earlier or not profile.rows or profile.is_history:
        return profile
    own = f"from {TO_ACCEPT} where _batch = {batch}"
    row = f"hash({', '.join(map(identifier, (*contract.columns, '_extra')))})"
    key = f"hash({', '.join(map(identifier, contract.key))})"
    (again,) = _one(
        connection,
        f"select count(*) {own} and {row} in "
        f"(select {row} from {_files([past.rows_file(earlier[0])])} where _op = 'upsert')",
    )
    known = None
    if len(earlier) >= KNOWN_NIGHTS:
        files = _files([past.rows_file(each) for each in earlier[:KNOWN_NIGHTS]])
        (known,) = _one(connection, f"select count(distinct {key}) {own} and {key} in (select {key} from {files})")
    return replace(profile, again=again, known=known)


def is_category(contract: Contract, name: str) -> bool:
    """Whether a column may hold one of few values: no key, no name of a thing, and nothing personal."""
    column = contract.columns[name]
    names_a_thing = name.casefold().endswith(("_id", "id")) or name in contract.key
    return column.type in ("text", "boolean") and column.pii == "none" and not names_a_thing


def is_number(contract: Contract, name: str) -> bool:
    """Whether a column holds amounts or scores."""
    column = contract.columns[name]
    return column.type in ("double", "decimal", "bigint") and column.pii == "none" and name not in contract.key


def _is_time(column: Column) -> bool:
    return column.type in ("date", "timestamp", "epoch_s", "epoch_ms") and column.pii == "none"


def _quartiles(value: str) -> str:
    return f"row(count({value}), quantile_cont({value}, [0.25, 0.5, 0.75]))"


def _with_values(connection: duckdb.DuckDBPyConnection, taken: Sequence[Profile]) -> list[Profile]:
    few = sorted({name for profile in taken for name, values in profile.values.items() if values is not None})
    if not few:
        return list(taken)
    # Only where few values are to be expected: of others, each would be counted in memory.
    found = by_batch(connection, TO_ACCEPT, [f"histogram({identifier(name)}::varchar)" for name in few])
    complete = []
    for batch, profile in enumerate(taken):
        counted = dict(zip(few, found.get(batch, ()), strict=False))
        values: dict[str, Mapping[str, int] | None] = {}
        for name, perhaps in profile.values.items():
            histogram = counted.get(name) or {}
            values[name] = None if perhaps is None or len(histogram) > _FEW_VALUES else dict(sorted(histogram.items()))
        complete.append(replace(profile, values=values))
    return complete


def _files(paths: Sequence[Path]) -> str:
    return f"read_parquet([{', '.join(literal(pattern(path)) for path in paths)}])"


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    row: tuple[Any, ...] = connection.execute(query).fetchone() or ()
    return row
