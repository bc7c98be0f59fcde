"""One pass over the rows of several extracts of a stream: typed, split, counted and judged together.

Not here: what follows from it (gate.py), what the checks ask (row_checks.py), profiles of the past (quality/past).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from quality.gate.check_result import CheckResult
from quality.gate.first_look import Case
from quality.gate.great_expectations import Judge
from quality.gate.row_checks import TwoJudgements, contract_met
from quality.past.profiles import Profile, take_profiles
from quality.rows.counts import BatchCounts, count_violations, count_work
from quality.rows.split import make_work, wrong_types
from quality.rows.suite import key_suite, suite
from quality.rows.work import TO_ACCEPT, TO_DELETE
from storage.errors import JourneymartError


@dataclass(frozen=True)
class JudgedRows:
    """What one pass over the rows of several extracts gave for one of them; `batch` is its number there."""

    batch: int
    counts: BatchCounts
    contract: CheckResult
    profile: Profile
    seconds: float


def judge_rows(connection: duckdb.DuckDBPyConnection, judge: Judge, cases: Sequence[Case]) -> list[JudgedRows]:
    """Type, split and judge the rows of extracts of one stream."""
    started = time.perf_counter()
    extracts = [case.extract for case in cases]
    contract = extracts[0].contract
    make_work(connection, contract, extracts)
    if wrong := wrong_types(connection, contract):
        raise JourneymartError(
            f"{extracts[0].stream}: {', '.join(wrong)} did not get the type of the contract: report this as a bug."
        )
    counts = count_work(connection, contract, len(cases))
    # A quiet day has no rows, of a dump nothing may have changed; rows that are there must not all be at fault.
    may_be_empty = any(case.extract.mode == "full" for case in cases) or any(not each.rows for each in counts)
    suites = [(TO_ACCEPT, suite(contract, may_be_empty))]
    if any(each.deletions for each in counts):
        suites.append((TO_DELETE, key_suite(contract)))
    judgements = [
        TwoJudgements(
            expected,
            judge.judge(table, expected),
            count_violations(connection, table, expected, len(cases)),
        )
        for table, expected in suites
    ]
    results = [contract_met(contract, judgements, counts, batch) for batch in range(len(cases))]
    manifests = [case.manifest for case in cases if case.manifest]
    profiles = take_profiles(connection, extracts, manifests, counts)
    seconds = (time.perf_counter() - started) / len(cases)
    return [JudgedRows(batch, *each, seconds) for batch, each in enumerate(zip(counts, results, profiles, strict=True))]
