"""What the gate says of one extract, all its checks together.

What lives here: the verdict, what is expected before there is one, and what a person's approval changes. Not here: the
checks, what follows from a verdict (gate.py), keeping approvals (approvals.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date

from quality.gate.approvals import APPROVABLE, read_approvals
from quality.gate.check_result import CHECK_KINDS, WARNINGS, CheckResult
from quality.gate.ledger import Check, Expected, Ledger
from quality.landed.extract import LandedExtract, subject
from quality.landed.manifest import LandingManifest
from storage.data_folder import DataFolder, StreamId

# The detail of a check by which a person approved of what failed.
_APPROVED_BY = "approved by"


@dataclass(frozen=True)
class Verdict:
    """What the gate says of one extract.

    Attributes:
        stream: Which stream.
        extract_date: Which day's extract.
        checks: One result per kind of `CHECK_KINDS`, and `warnings`.
        rows: Rows judged; None: the extract was not judged row by row.
        accepted_rows: Rows that passed; they count only if the extract passed.
        quarantined_rows: Rows that did not.
        rejected_records: Records that could not be parsed.
        batch_id: The accepted batch; None: blocked.
        seconds: Time taken; what a pass over several extracts took is shared evenly.
    """

    stream: StreamId
    extract_date: date
    checks: tuple[CheckResult, ...]
    rows: int | None
    accepted_rows: int
    quarantined_rows: int
    rejected_records: int
    batch_id: str | None
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether the extract was accepted, less its quarantined rows."""
        return all(check.passed for check in self.checks)

    @property
    def blocked_by(self) -> tuple[str, ...]:
        """Kinds of the checks that keep it out."""
        return tuple(check.kind for check in self.checks if not check.passed)

    def as_json(self) -> dict[str, object]:
        """What is kept beside quarantined rows."""
        return {
            "passed": self.passed,
            "blocked_by": list(self.blocked_by),
            "rows": self.rows,
            "quarantined_rows": self.quarantined_rows,
            "rejected_records": self.rejected_records,
            "checks": [asdict(check) for check in self.checks],
        }


def expect_extracts(ledger: Ledger, extracts: Iterable[tuple[StreamId, date]]) -> None:
    """Enter into the ledger that extracts have to pass this night; one that is never judged then blocks."""
    ledger.expect_all(
        Expected(Check("extract", subject(stream, extract_date), kind), blocking=kind != WARNINGS)
        for stream, extract_date in extracts
        for kind in (*CHECK_KINDS, WARNINGS)
    )


def as_approved(
    folder: DataFolder, extract: LandedExtract, manifest: LandingManifest, results: Mapping[str, CheckResult]
) -> dict[str, CheckResult]:
    """The results, where what failed and a person approved of this very content warns only."""
    approved = dict(results)
    for approval in read_approvals(folder).of_content(extract.stream, extract.extract_date, manifest.sha256):
        said = {
            _APPROVED_BY: approval.by,
            "approved on": approval.at.date().isoformat(),
            "because": approval.because,
        }
        for kind in APPROVABLE & set(approval.checks):
            if kind in approved and approved[kind].outcome == "fail":
                approved[kind] = CheckResult(kind, "warn", {**approved[kind].metadata, **said})
    return approved


def is_warning(check: CheckResult) -> bool:
    """Whether a check warned of its own accord: what a person approved is said as such."""
    return check.outcome == "warn" and _APPROVED_BY not in check.metadata
