"""What an audit found, for the ledger and for a person. Counts and names of tables, never values of rows.

Not here: the audits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import duckdb

from quality.gate.ledger import Outcome

# Marts smaller than this say nothing by their size.
ENOUGH_ROWS = 100


@dataclass(frozen=True)
class AuditResult:
    """What one audit found.

    Attributes:
        audit: `reconciliation`, `kpi_identities`, `drift`, `identity`, `closed_months`, `hidden_texts` or `shadow`.
        outcome: As the ledger takes it.
        detail: Counts by what was found.
        sentence: The same for a person.
    """

    audit: str
    outcome: Outcome
    detail: Mapping[str, int | float | str] = field(default_factory=dict)
    sentence: str = ""


def note_difference(wrong: dict[str, int], what: str, expected: int, found: int) -> None:
    """Note how many are missing; a negative number is too many."""
    if expected != found:
        wrong[f"{what}: missing"] = expected - found


def count_rows(connection: duckdb.DuckDBPyConnection, relation: str) -> int:
    """Rows of a table or a select."""
    return int(connection.execute(f"select count(*) from {relation}").fetchall()[0][0])


def audit_result(audit: str, wrong: Mapping[str, int | float], summary: str, outcome: Outcome = "fail") -> AuditResult:
    """What an audit found, in counts and in a sentence; nothing wrong is a pass."""
    if not wrong:
        return AuditResult(audit, "pass")
    said = "; ".join(f"{what} {count}" for what, count in list(wrong.items())[:3])
    verb = "failed" if outcome == "fail" else "warned"
    return AuditResult(audit, outcome, dict(wrong), f"The audit {audit} {verb} because {summary} ({said}).")
