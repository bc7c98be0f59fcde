"""Counts of the working table, batch by batch. Not here: what they mean (quality/gate)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb

from quality.contract.model import Contract
from quality.rows.casts import identifier
from quality.rows.predicates import any_of, predicates
from quality.rows.suite import Expectation
from quality.rows.work import WORK


@dataclass(frozen=True)
class BatchCounts:
    """Counts of one batch in the working table.

    Attributes:
        rows: Rows judged.
        accepted: Rows to be accepted.
        deletions: Those of them that announce a deletion.
        found: Rows that each predicate finds wrong, by its name.
        undated: Quarantined rows with nothing wrong but a required date that stands for "not known".
        newest: Newest value of the column that tells the age among rows to be accepted; None without such a column or
            value.
    """

    rows: int
    accepted: int
    deletions: int
    found: Mapping[str, int]
    newest: datetime | None
    undated: int = 0

    @property
    def upserts(self) -> int:
        """Rows to be accepted that bring a record."""
        return self.accepted - self.deletions

    @property
    def quarantined(self) -> int:
        """Rows that go to quarantine."""
        return self.rows - self.accepted

    def at_fault(self, contract: Contract) -> bool:
        """Whether any row is quarantined or makes the extract block."""
        blocking = (each.name for each in predicates(contract) if each.on_failure == "block")
        return self.quarantined > 0 or any(self.found[name] for name in blocking)


def count_work(connection: duckdb.DuckDBPyConnection, contract: Contract, batches: int) -> list[BatchCounts]:
    """Count the working table, batch by batch."""
    found = predicates(contract)
    newest = identifier(contract.age_column) if contract.age_column else "null::timestamptz"
    otherwise = (each for each in found if each.on_failure == "quarantine" and each.kind != "placeholder")
    columns = [
        "count(*)",
        "count(*) filter (not _quarantined)",
        "count(*) filter (not _quarantined and _op = 'delete')",
        f"max({newest}) filter (not _quarantined)",
        f"count(*) filter (_quarantined and not ({any_of(otherwise)}))",
        *(f"count(*) filter ({each.sql})" for each in found),
    ]
    counted = by_batch(connection, WORK, columns)
    nothing: tuple[Any, ...] = (0, 0, 0, None, 0, *[0] * len(found))
    return [
        BatchCounts(
            rows=rows,
            accepted=accepted,
            deletions=deletions,
            newest=newest_value,
            undated=undated,
            found={each.name: count for each, count in zip(found, counts, strict=True)},
        )
        for rows, accepted, deletions, newest_value, undated, *counts in (
            counted.get(batch, nothing) for batch in range(batches)
        )
    ]


def count_violations(
    connection: duckdb.DuckDBPyConnection, table: str, expected: Sequence[Expectation], batches: int
) -> dict[str, list[int]]:
    """Rows of a view that break each expectation, by its name, batch by batch: the second judgement."""
    columns = [f"count(*) filter ({each.violates})" for each in expected]
    counted = by_batch(connection, table, columns)
    nothing = (0,) * len(expected)
    return {
        each.name: [counted.get(batch, nothing)[place] for batch in range(batches)]
        for place, each in enumerate(expected)
    }


def by_batch(connection: duckdb.DuckDBPyConnection, table: str, columns: Sequence[str]) -> dict[int, tuple[Any, ...]]:
    """Aggregates of the working table or one of its views, by batch; a batch without rows is not in it."""
    query = f"select _batch, {', '.join(columns)} from {table} group by _batch"
    return {row[0]: row[1:] for row in connection.execute(query).fetchall()}
