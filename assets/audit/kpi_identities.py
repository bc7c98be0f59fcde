"""Audit: what must hold for every row of mart_kpi_daily. Not here: what KPIs are (dbt_project)."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from assets.audit.result import AuditResult, audit_result

# What holds for every row of mart_kpi_daily, by name; a row for which a condition is false breaks it (NULL
# does not).
IDENTITIES: Mapping[str, str] = {
    "a hidden figure is hidden in every column": (
        "not is_suppressed "
        "or coalesce(numerator, denominator, value, ci_low, ci_high, n, previous_value, difference, difference_low) "
        "is null"
    ),
    # The interval of a score shrinks towards 0, so that of very few answers may end before an extreme value.
    "the interval holds the value": (
        "ci_low <= ci_high and (method = 'adjusted_wald' or value between ci_low and ci_high)"
    ),
    "a share lies between 0 and 100": (
        "method <> 'wilson' or (value between 0 and 100 and ci_low >= 0 and ci_high <= 100)"
    ),
    "a score lies between -100 and 100": (
        "method <> 'adjusted_wald' or (value between -100 and 100 and ci_low >= -100 and ci_high <= 100)"
    ),
    "the value is numerator over denominator": (
        "method not in ('wilson', 'adjusted_wald') or abs(value - 100 * numerator / nullif(denominator, 0)) < 1e-3"
    ),
    "the denominator is the number of records": "method in ('count', 'sum', 'per_hundred') or denominator = n",
    "counts are not negative": "n >= 0 and coalesce(denominator, 0) >= 0",
    "a difference lies within its interval": "difference_low <= difference_high",
    "no day lies after the business date": "date_day <= (select as_of from warehouse.night.night)",
}


def check_identities(connection: duckdb.DuckDBPyConnection) -> AuditResult:
    """Numerators, denominators, values and bounds of every KPI row agree."""
    counts = ", ".join(f"count(*) filter (not ({condition}))" for condition in IDENTITIES.values())
    row = connection.execute(f"select {counts} from marts.main.mart_kpi_daily").fetchall()[0]
    return audit_result(
        "kpi_identities",
        {name: count for name, count in zip(IDENTITIES, row, strict=True) if count},
        "KPI rows contradict themselves",
    )
