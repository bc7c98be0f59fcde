"""How DuckDB is opened: with a share of the machine's memory, its processors, and a place to spill to.

What lives here: the limits, connections that keep them, what is said where they are too low; dbt's connection keeps
them by assets/warehouse/dbt_functions.py. Not here: what a connection is asked.

A statement that needs more than its memory spills to disk where it was given a place, and fails where it was not.
"""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from storage.errors import JourneymartError

if TYPE_CHECKING:
    import duckdb

MEMORY_VARIABLE = "JOURNEYMART_MEMORY"
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(MB|GB)", re.IGNORECASE)
_BYTES = {"MB": 10**6, "GB": 10**9}
# Beside DuckDB stand the process itself, and while dbt builds the run's and the gate's: together a third.
_SHARE = 4
# Limits of the group a process lives in (a container's), where there are any; "max" is none.
_CGROUP_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def memory_limit() -> int:
    """Bytes DuckDB may take in one process: what JOURNEYMART_MEMORY says, else a quarter of the machine's memory.

    Raises:
        JourneymartError: The variable holds no size.
    """
    said = os.environ.get(MEMORY_VARIABLE)
    if not said:
        return _machine_memory() // _SHARE
    size = _SIZE.fullmatch(said.strip())
    if size is None or float(size[1]) <= 0:
        raise JourneymartError(f"The environment variable {MEMORY_VARIABLE} is no size: write it as 2GB or 500MB.")
    return int(float(size[1]) * _BYTES[size[2].upper()])


def memory_trouble(error: BaseException) -> str | None:
    """That memory was short, in one sentence, if that is what stands behind an error; None: it is another."""
    seen: BaseException | None = error
    while seen is not None:
        if is_memory_trouble(type(seen).__name__):
            return f"There was not enough memory: {more_memory()}."
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return None


def is_memory_trouble(kind: str) -> bool:
    """Whether an error of this kind says that memory was short: DuckDB's own limit, or the machine's."""
    return kind in ("OutOfMemoryException", MemoryError.__name__)


def more_memory() -> str:
    """What to do where memory is short."""
    return (
        f"let each DuckDB take more than {memory_limit() // 10**6} MB by {MEMORY_VARIABLE}, or run the night where "
        "there is more memory"
    )


def processors() -> int:
    """Processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def connect(
    database: Path | None = None, *, read_only: bool = False, spill: Path | None = None, threads: int | None = None
) -> duckdb.DuckDBPyConnection:
    """Open DuckDB within the limits.

    Args:
        database: The file; None: in memory.
        read_only: Whether the file is only read.
        spill: Folder for what does not fit into memory, which goes when the connection is closed; None: beside the
            file, or nowhere.
        threads: Processors to use; None: all there are.

    Raises:
        JourneymartError: JOURNEYMART_MEMORY holds no size.
    """
    import duckdb

    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": f"{memory_limit()}B",
        "threads": threads or processors(),
        "autoinstall_known_extensions": False,
    }
    if spill or database is None:
        config["temp_directory"] = str(spill or "")
    return duckdb.connect(str(database) if database else ":memory:", read_only=read_only, config=config)


@cache
def _machine_memory() -> int:
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for file in _CGROUP_LIMITS:
        said = file.read_text().strip() if file.exists() else "max"
        limits += [int(said)] if said.isdigit() else []
    return min(limits)
