"""The audit of finished marts, before anybody may see them: every audit asked, none of them breaking the others.

What lives here: the order of audits. Not here: the audits themselves (reconciliation.py, kpi_identities.py, drift.py,
identity.py, closed_months.py, hidden_texts.py), what follows from the answers (publish).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb

from assets.audit.closed_months import ClosedMonths, compare_closed_months
from assets.audit.drift import compare_with_before
from assets.audit.hidden_texts import tell_hidden
from assets.audit.identity import check_customers
from assets.audit.kpi_identities import check_identities
from assets.audit.reconciliation import reconcile
from assets.audit.result import AuditResult
from assets.versions.contents import attach, literal
from assets.versions.versions import Version
from storage.data_folder import spill_folder, warehouse_file
from storage.engine import connect


def audit(
    build: Path, before: Version | None, fingerprint: str, closed: ClosedMonths | None = None
) -> tuple[AuditResult, ...]:
    """Audit a finished build; an exception inside an audit is an error, which blocks.

    Args:
        build: The build, closed by whoever wrote it.
        before: The newest version before it; None: it is the first.
        fingerprint: What it was built by: with other models, a mart may shrink on purpose.
        closed: The figures of closed months; None: none are kept of this build.
    """
    with connect(spill=spill_folder(build)) as connection:
        attach(connection, build, read_only=True)
        if before is not None:
            connection.execute(f"attach {literal(str(warehouse_file(before.path)))} as before (read_only)")
        return (
            _guarded("reconciliation", lambda: reconcile(connection)),
            _guarded("kpi_identities", lambda: check_identities(connection)),
            _guarded("drift", lambda: compare_with_before(connection, before, fingerprint)),
            _guarded("identity", lambda: check_customers(connection, before, fingerprint)),
            _guarded("closed_months", lambda: compare_closed_months(connection, closed)),
            _guarded("hidden_texts", lambda: tell_hidden(connection)),
        )


def _guarded(audit: str, ask: Callable[[], AuditResult]) -> AuditResult:
    try:
        return ask()
    except duckdb.Error as error:
        # DuckDB's own words may quote values, and values may be personal: only the kind of error goes on.
        kind = type(error).__name__
        return AuditResult(
            audit,
            "error",
            {"error": kind},
            f"The audit {audit} broke ({kind}): see that dbt built every mart.",
        )
