"""What one check says of one extract, and which checks there are.

Not here: the checks (delivery_checks.py, past_checks.py, row_checks.py), what follows from all of them (verdict.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from quality.gate.ledger import Outcome
from quality.past.usual import IMPOSSIBLE, UNUSUAL, USUAL
from storage.errors import JourneymartError

# Every extract has to pass each of these.
CHECK_KINDS = (
    "completeness",
    "schema",
    "format",
    "volume",
    "freshness",
    "deletes",
    "quarantine",
    "contract",
    "distribution",
)
# What a person should look at; it never blocks.
WARNINGS = "warnings"

# The detail of a check that is a sentence, and those that say nothing by themselves: how much was looked at, and
# columns that an extract of one's own need not have.
IN_WORDS = "in words"
_TOLD_ANYWAY = frozenset({"rows", "nights", "column", "absent columns"})

Metadata = Mapping[str, int | float | str]

OUTCOMES: Mapping[int, Outcome] = {USUAL: "pass", UNUSUAL: "warn", IMPOSSIBLE: "fail"}


@dataclass(frozen=True)
class CheckResult:
    """What one check said of one extract.

    Attributes:
        kind: One of `CHECK_KINDS`, or `warnings`.
        outcome: `error` means that it could not be judged, which is never a pass.
        metadata: Counts, and words of the contract; never anything that was delivered.
    """

    kind: str
    outcome: Outcome
    metadata: Metadata = field(default_factory=dict)

    @property
    def blocking(self) -> bool:
        """Whether a failure keeps the extract out and the night from being published."""
        return self.kind != WARNINGS

    @property
    def words(self) -> str:
        """What a person should know of a check that did not pass; counts that are told anyway are left out."""
        told = {name: value for name, value in self.metadata.items() if name not in _TOLD_ANYWAY}
        said = (
            str(value) if name == IN_WORDS else f"{name}: {value}" if isinstance(value, str) else f"{name} {value}"
            for name, value in told.items()
        )
        return f"{self.kind}: {', '.join(said)}" if told else ""

    @property
    def passed(self) -> bool:
        """Whether it lets the extract through."""
        return self.outcome in ("pass", "warn") or not self.blocking


def not_judged(kind: str, because: str) -> CheckResult:
    """A check that could not be made because another one failed."""
    return CheckResult(kind, "error", {"not judged because of": because})


def guarded(kind: str, check: Callable[[], CheckResult]) -> CheckResult:
    """Make a check; an exception inside it is an error, which blocks."""
    try:
        return check()
    except Exception as error:  # noqa: BLE001 -- whatever stops a check is its outcome
        return failed(kind, error)


def failed(kind: str, error: Exception) -> CheckResult:
    """An error as an outcome. Messages of other libraries quote values of rows: only their type is told."""
    said = str(error) if isinstance(error, JourneymartError) else type(error).__name__
    return CheckResult(kind, "error", {"error": said})
