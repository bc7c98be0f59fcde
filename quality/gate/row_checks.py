"""The checks of an extract's rows: how many are at fault, and whether what is left is what the contract says.

Pure: from counts to outcomes. Not here: typing and counting rows (quality/rows), the judge (great_expectations.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from quality.contract.model import Contract
from quality.gate.check_result import WARNINGS, CheckResult
from quality.gate.great_expectations import Result
from quality.gate.ledger import Outcome
from quality.landed.manifest import LandingManifest
from quality.rows.counts import BatchCounts
from quality.rows.predicates import predicates
from quality.rows.suite import Expectation


@dataclass(frozen=True)
class TwoJudgements:
    """What both judges say of one table: Great Expectations, and the same conditions counted in SQL.

    Attributes:
        expected: The suite.
        results: What became of each expectation, by its name.
        violations: Rows that break each expectation, by its name, batch by batch.
    """

    expected: Sequence[Expectation]
    results: Mapping[str, Result]
    violations: Mapping[str, Sequence[int]]


def quarantine(
    contract: Contract, manifest: LandingManifest, counts: BatchCounts, reasons: Mapping[str, int]
) -> CheckResult:
    """Not too many rows go to quarantine, records that could not be parsed included.

    In mode `full` only the changed rows are judged, so they are held against each other, and rejects against
    the dump. Where more than half of what was delivered is at fault, few rows are no excuse: what is left is not
    the extract. Rows whose only fault is a date that stands for "not known" were like that before the export, so
    they are no sign of that while anything is left.

    Args:
        contract: The contract.
        manifest: What was delivered.
        counts: What was judged and quarantined.
        reasons: Rows by what is wrong with them; a row may be in several.
    """
    quarantined = counts.quarantined
    # A mapped record may be several rows.
    delivered = manifest.rows + manifest.rejects
    if manifest.mode == "full":
        shares = [(quarantined, counts.rows), (manifest.rejects, delivered)]
    else:
        shares = [(quarantined + manifest.rejects, delivered)]
    share = max((bad / total for bad, total in shares if total), default=0.0)
    bad = quarantined + manifest.rejects
    over = bad > contract.quarantine.min_rows and share > contract.quarantine.max_share
    broken = bad - counts.undated if counts.accepted else bad
    most = broken * 2 > delivered
    return CheckResult(
        "quarantine",
        "fail" if over or most else "pass",
        {
            "quarantined": quarantined,
            "rejects": manifest.rejects,
            "share": round(share, 6),
            "allowed share": contract.quarantine.max_share,
            **{reason: count for reason, count in reasons.items() if count},
        },
    )


def contract_met(
    contract: Contract, judgements: Sequence[TwoJudgements], counts: Sequence[BatchCounts], batch: int
) -> CheckResult:
    """What is left after quarantine is what the contract says; both judges have to agree.

    Great Expectations judges all batches of the pass at once. The same conditions counted in SQL say which
    batch is at fault, and confirm the judge: where one of them says yes and the other no, nothing is
    believed.

    Args:
        contract: The contract.
        judgements: What both judges say.
        counts: Counts of the batches of the pass.
        batch: The batch in question.
    """
    own = counts[batch]
    unsettled: list[str] = []
    broken: dict[str, int] = {}
    for judgement in judgements:
        for each in judgement.expected:
            result, violations = judgement.results[each.name], judgement.violations[each.name]
            holds = not sum(violations)
            if each.kind == "row_count":
                smallest = each.arguments["min_value"]
                holds = sum(count.upserts for count in counts) >= smallest
                if own.upserts < smallest:
                    broken["rows left"] = own.upserts
            if result == "error" or (result == "pass") != holds:
                unsettled.append(each.name)
            elif each.is_critical and violations[batch]:
                broken[each.name] = violations[batch]
    for predicate in predicates(contract):
        if predicate.on_failure == "block" and own.found[predicate.name]:
            broken[predicate.name] = own.found[predicate.name]
    metadata: dict[str, int | float | str] = {
        "expectations": sum(len(judgement.expected) for judgement in judgements),
        "batches in the pass": len(counts),
        **broken,
    }
    if unsettled:
        metadata["without a sure answer"] = ", ".join(unsettled)
    return CheckResult("contract", "error" if unsettled else "fail" if broken else "pass", metadata)


def warnings(contract: Contract, manifest: LandingManifest, found: Mapping[str, int]) -> CheckResult:
    """What a person should look at: unknown columns, and values of columns that only warn.

    Absent columns are told, but an extract need not have them: for them alone nobody has to look.

    Args:
        contract: The contract.
        manifest: What was delivered.
        found: Rows by what a predicate that only warns finds.
    """
    columns = manifest.columns
    metadata: dict[str, int | float | str] = {name: count for name, count in found.items() if count}
    if manifest.unplaced:
        metadata["rows without a readable cursor"] = manifest.unplaced
    if manifest.late:
        metadata["late rows of earlier dates"] = manifest.late
    if manifest.mapped:
        # Its mapping found columns under their names here, so these are names too, and nobody's record.
        said = {"columns not mapped": manifest.mapped.unmapped, "mapped columns not delivered": manifest.mapped.lacking}
        metadata |= {what: ", ".join(names) for what, names in said.items() if names}
        metadata |= {f"keys without a partner for {name}": n for name, n in manifest.mapped.without_partner.items()}
    # The names of unknown columns stay out: a file without a header makes its first record their names.
    unknown = len(set(columns) - set(contract.columns))
    absent = [name for name in contract.columns if name not in columns] if manifest.rows or columns else []
    if unknown:
        metadata["unknown columns"] = unknown
    outcome: Outcome = "warn" if metadata else "pass"
    if absent:
        metadata["absent columns"] = ", ".join(absent)
    return CheckResult(WARNINGS, outcome, metadata)
