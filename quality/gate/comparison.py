"""Holding an extract against those before it: getting the figures and asking the checks.

Not here: what the checks say of the figures (past_checks.py), the figures themselves (quality/past).
"""

from __future__ import annotations

import duckdb

from quality.gate.check_result import CheckResult, failed
from quality.gate.past_checks import distribution, freshness, volume
from quality.gate.row_pass import JudgedRows
from quality.landed.extract import LandedExtract
from quality.landed.manifest import LandingManifest
from quality.past import usual
from quality.past.profiles import Past, Profile, compared
from quality.rows.counts import BatchCounts
from quality.rows.split import newest_in_dump


def against_the_past(
    connection: duckdb.DuckDBPyConnection, extract: LandedExtract, ran: JudgedRows, past: Past
) -> tuple[dict[str, CheckResult], Profile]:
    """How many rows came, and whether they look as they usually do; and the extract's whole profile."""
    try:
        nights = past.before(extract.extract_date)
        profile = compared(connection, extract, ran.batch, ran.profile, past)
        rows, many_more = volume(extract.contract, profile, nights)
        looks = distribution(extract.contract, profile, nights, many_more=many_more)
    except Exception as error:  # noqa: BLE001 -- whatever stops a check is its outcome
        return {kind: failed(kind, error) for kind in ("volume", "distribution")}, ran.profile
    return {"volume": rows, "distribution": looks}, profile


def age_checked(
    connection: duckdb.DuckDBPyConnection,
    extract: LandedExtract,
    manifest: LandingManifest,
    counts: BatchCounts,
    past: Past,
) -> CheckResult:
    """Whether the newest row is young enough; of a dump, the newest of the whole table counts."""
    limit, newest = extract.contract.freshness, counts.newest
    if limit is None and extract.mode == "full":
        # What did not change for a while is no older for that.
        return CheckResult("freshness", "pass")
    if limit is not None and extract.mode == "full" and manifest.rows:
        newest = newest_in_dump(connection, extract, limit.column)
    nights = past.before(extract.extract_date)[: usual.SHARE_NIGHTS]
    ages = [night.newest_age for night in nights if night.newest_age is not None]
    return freshness(extract.contract, extract.extract_date, manifest.rows, newest, ages)
