"""A reader of published marts, in a process of its own: `python -m tests.readers <kind> <data folder>`.

Reads until its standard input closes, then prints what it saw as JSON: `rounds` read, the `nights` seen in
order and without repeats, and `faults`: errors, rounds in which rows of several nights were seen, and rounds
in which a new connection saw an older version than the link named before it was opened.

Kinds: `fresh` opens a new connection each round; `beside` does so while an old connection in the same process
stays open; `held` keeps one connection; `attach` keeps one and attaches the marts anew each round; `parquet`
reads the copies.
"""

from __future__ import annotations

import json
import select
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb

from assets.versions.contents import literal
from storage.data_folder import DataFolder, marts_file

_NIGHTS = "SELECT night, count(*) FROM (FROM {0}mart_a UNION ALL FROM {0}mart_b) GROUP BY ALL"
Nights = list[tuple[int, int]]


def _fresh(path: Path) -> Nights:
    with duckdb.connect(path, read_only=True) as connection:
        return connection.execute(_NIGHTS.format("")).fetchall()


def _attach(connection: duckdb.DuckDBPyConnection, path: Path) -> Nights:
    connection.execute(f"ATTACH {literal(str(path))} AS marts (READ_ONLY)")
    try:
        return connection.execute(_NIGHTS.format("marts.")).fetchall()
    finally:
        connection.execute("DETACH marts")


def _parquet(connection: duckdb.DuckDBPyConnection, folder: DataFolder) -> Nights:
    # One look at the link, then only the version it named: so a reader of several files sees one version.
    copies = literal(str(folder.current.resolve() / "parquet" / "*.parquet"))
    return connection.execute(f"SELECT night, count(*) FROM read_parquet({copies}) GROUP BY ALL").fetchall()


def reader(kind: str, folder: DataFolder) -> Callable[[], Nights]:
    path = marts_file(folder.current)
    if kind == "fresh":
        return lambda: _fresh(path)
    if kind == "parquet":
        memory = duckdb.connect()
        return lambda: _parquet(memory, folder)
    if kind == "attach":
        memory = duckdb.connect()
        return lambda: _attach(memory, path)
    held = duckdb.connect(path, read_only=True)
    if kind == "held":
        return lambda: held.execute(_NIGHTS.format("")).fetchall()

    def beside() -> Nights:
        held.execute("SELECT count(*) FROM mart_a").fetchall()
        return _fresh(path)

    return beside


def night_of_link(folder: DataFolder) -> int:
    """The night the link names; versions of the small night carry its number in their name."""
    return int(folder.current.readlink().name[-5:])


def main(kind: str, folder: DataFolder) -> dict[str, object]:
    read = reader(kind, folder)
    print("ready", flush=True)
    rounds, nights, faults = 0, [], []
    while not select.select([sys.stdin], [], [], 0)[0]:
        rounds += 1
        linked = night_of_link(folder)
        try:
            seen = read()
        except duckdb.Error as error:
            faults.append(f"{type(error).__name__}: {error}")
            continue
        if len(seen) != 1:
            faults.append(f"torn: {seen}")
            continue
        night = seen[0][0]
        if kind != "held" and night < linked and night_of_link(folder) >= linked:
            faults.append(f"saw night {night} after the link named {linked}")
        if nights[-1:] != [night]:
            nights.append(night)
    return {"rounds": rounds, "nights": nights, "faults": faults}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], DataFolder(Path(sys.argv[2])))))
