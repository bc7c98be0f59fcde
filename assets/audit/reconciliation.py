"""Audit: every loaded row is there, every record in its canonical object, every canonical record in its fact.

In SQL written independently of the models. Not here: whether marts shrank (drift.py).
"""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from assets.audit.result import AuditResult, audit_result, count_rows, note_difference
from assets.versions.contents import identifier, literal
from assets.warehouse.load import accepted_table
from quality.contract.model import all_contracts

# Canonical objects whose every record is one row of a fact: removed and merged ones stay, marked as such.
FACTS: Mapping[str, str] = {
    "int_ticket__unioned": "fct_ticket",
    "int_order__unioned": "fct_order",
    "int_survey_answer__unioned": "fct_survey_answer",
    "int_survey_invitation__unioned": "fct_survey_invitation",
}


# Of a question of a survey that only the company describes no version was delivered; no delivered one is as old.
_IS_DELIVERED = "_version_at > timestamptz '1970-01-01 00:00:00+00'"


def reconcile(connection: duckdb.DuckDBPyConnection) -> AuditResult:
    """Every loaded row is there, every record in its canonical object, every canonical record in its fact."""
    wrong: dict[str, int] = {}
    loaded = connection.execute(
        "select system, stream, sum(rows)::bigint from warehouse.night.batches group by all order by all"
    ).fetchall()
    for system, stream, rows in loaded:
        table = f"warehouse.accepted.{identifier(accepted_table(system, stream))}"
        note_difference(wrong, f"{system}/{stream}: loaded rows", rows, count_rows(connection, table))
    for contract in all_contracts():
        if contract.becomes is None:
            continue
        key = ", ".join(identifier(name) for name in ("_source", *contract.key))
        table = identifier(accepted_table(contract.system, contract.stream))
        records = f"(select distinct {key} from warehouse.accepted.{table})"
        objects = (
            f"warehouse.intermediate.int_{contract.becomes}__unioned "
            f"where system = {literal(contract.system)} and {_IS_DELIVERED}"
        )
        note_difference(
            wrong,
            f"{contract.system}/{contract.stream} in {contract.becomes}",
            count_rows(connection, records),
            count_rows(connection, objects),
        )
    for canonical, fact in FACTS.items():
        rows = count_rows(connection, f"warehouse.intermediate.{canonical}")
        note_difference(wrong, f"{canonical} in {fact}", rows, count_rows(connection, f"marts.main.{fact}"))
    return audit_result("reconciliation", wrong, "records are not where they should be")
