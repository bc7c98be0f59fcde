"""Audit: a random sample of keys of some models, derived anew and compared with what stands. It warns.

What lives here: drawing the keys, comparing, and what it may cost. Not here: which models there are and what they
select (orchestration/dbt/shadow.py).

Models are continued by the keys a night touches. Whatever a night should have touched and did not stands as it was; to
find that out by a rebuild would cost a rebuild. So each night derives a few keys of a few models from all their rows,
as if it had touched them: other models every night, as many as fit into a small share of its time.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb

from assets.audit.result import AuditResult
from assets.versions.contents import identifier

# Keys of a model that are derived anew.
KEYS = 50
_DIFFER = ": keys that differ"


@dataclass(frozen=True)
class ShadowModel:
    """A model that can be derived for chosen keys.

    Attributes:
        name: As dbt knows it.
        table: Its table, as SQL spells it.
        key: The columns that are replaced as one.
        sql: The select that derives it for the keys in `keys_table`, reading nothing of itself or of this night alone.
        keys_table: The table of keys that the select reads, as SQL spells it; columns _k1, _k2 and so on.
    """

    name: str
    table: str
    key: tuple[str, ...]
    sql: str
    keys_table: str


def in_shadow(
    connection: duckdb.DuckDBPyConnection, models: Sequence[ShadowModel], seed: str, seconds: float
) -> AuditResult:
    """Compare sampled keys of as many models as there is time for.

    Args:
        connection: With the build attached as dbt names its files; nothing is written but temporary tables.
        models: All that can be derived so.
        seed: What decides which models come first and which of their keys are drawn.
        seconds: What it may cost; what is not finished by then is given up.
    """
    began = time.monotonic()
    differing: dict[str, int] = {}
    failed: dict[str, str] = {}
    compared = keys = 0
    for model in sorted(models, key=lambda each: hashlib.sha256(f"{seed} {each.name}".encode()).digest()):
        left = seconds - (time.monotonic() - began)
        if left <= 0:
            break
        try:
            with _given_up_after(connection, left):
                drawn, wrong = compare(connection, model, seed)
        except duckdb.InterruptException:
            break
        except duckdb.Error as error:
            # DuckDB's own words may quote values, and values may be personal.
            failed[model.name] = type(error).__name__
            continue
        compared, keys = compared + 1, keys + drawn
        if wrong:
            differing[model.name] = wrong
    figures: dict[str, int | float | str] = {
        "models compared": compared,
        "keys compared": keys,
        "models there are": len(models),
        "seed": seed,
        **{f"{name}{_DIFFER}": count for name, count in differing.items()},
        **{f"{name}: not derived": kind for name, kind in failed.items()},
    }
    if not differing and not failed:
        return AuditResult("shadow", "pass", figures)
    said = [f"{name} has {count} keys that differ" for name, count in differing.items()]
    said += [f"{name} could not be derived ({kind})" for name, kind in failed.items()]
    return AuditResult(
        "shadow",
        "warn",
        figures,
        f"The audit shadow warned because a sample derived anew is not what stands: {'; '.join(said)}.",
    )


def differing_keys(detail: Mapping[str, int | float | str]) -> dict[str, int]:
    """Models of which keys differ and how many, out of what the audit recorded."""
    return {name.removesuffix(_DIFFER): int(count) for name, count in detail.items() if name.endswith(_DIFFER)}


def compare(connection: duckdb.DuckDBPyConnection, model: ShadowModel, seed: str) -> tuple[int, int]:
    """Draw keys of a model, derive them anew, and count those whose rows are not the same.

    Args:
        connection: As for `in_shadow`.
        model: The model.
        seed: What decides which keys are drawn.

    Returns:
        How many keys were drawn, and how many of them differ.
    """
    key = [identifier(column) for column in model.key]
    named = ", ".join(f"{column} as _k{place}" for place, column in enumerate(key, 1))
    numbered = ", ".join(f"_k{place}" for place in range(1, len(key) + 1))
    connection.execute(
        f"create or replace temp table {model.keys_table.removeprefix('temp.')} as "
        f"select * from (select distinct {named} from {model.table}) as keys order by hash({numbered}, ?) limit {KEYS}",
        [seed],
    )
    condition = " and ".join(f"_keys._k{place} is not distinct from {column}" for place, column in enumerate(key, 1))
    stands = f"select * from {model.table} where exists (select 1 from {model.keys_table} as _keys where {condition})"
    # In the order and types of the table's columns, as the model itself is made.
    derived = f"(select * from {model.table} limit 0) union all by name ({model.sql}\n)"
    connection.execute(f"create or replace temp table _shadow as {derived}")
    differing = (
        f"select * exclude (_weight) from (select *, 1 as _weight from ({stands}) as stands "
        "union all select *, -1 from _shadow) as both_sides group by all having sum(_weight) <> 0"
    )
    counts = connection.execute(
        f"select (select count(*) from {model.keys_table}), "
        f"(select count(*) from (select distinct {', '.join(key)} from ({differing}) as rows) as keys)"
    ).fetchall()
    return int(counts[0][0]), int(counts[0][1])


@contextmanager
def _given_up_after(connection: duckdb.DuckDBPyConnection, seconds: float) -> Iterator[None]:
    timer = threading.Timer(seconds, connection.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
