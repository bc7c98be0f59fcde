"""Audit: what texts of the night's rows were hidden from readers, and where a person should correct them.

Not here: hiding them (assets/warehouse/hidden_texts.py).
"""

from __future__ import annotations

import duckdb

from assets.audit.result import AuditResult, audit_result


def tell_hidden(connection: duckdb.DuckDBPyConnection) -> AuditResult:
    """Which columns of which streams brought texts with an e-mail address or a phone number, and how many."""
    found = connection.execute(
        "select batches.source, batches.stream, hidden.column_name, sum(hidden.texts)::bigint "
        "from warehouse.night.hidden_texts as hidden inner join warehouse.night.batches as batches using (batch_id) "
        "where batches.night = (select night from warehouse.night.night) group by all order by all"
    ).fetchall()
    hidden = {f"{source}/{stream}.{column}": texts for source, stream, column, texts in found}
    return audit_result("hidden_texts", hidden, "texts hold addresses or phone numbers and are hidden", "warn")
