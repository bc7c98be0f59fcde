"""Proof that what a step builds on was done by the same run, whatever part of the job a person chose to run.

What lives here: the questions, asked of the run's ledger. Not here: the order itself, which the arrows between assets
give a whole night (orchestration/build.py), and the verdict on the checks (quality/gate/ledger.py).

Dagster orders and stops the steps of a run along the arrows between the assets that were chosen. A person may choose
assets with others left out between them, so each step that must not run early asks for itself.
"""

from __future__ import annotations

from quality.gate.ledger import Check, Ledger
from storage.errors import JourneymartError

_SAID = 3
_MARTS = "marts"


def audit_check(audit: str) -> Check:
    """The ledger's name of an audit: a check of all marts at once."""
    return Check("marts", _MARTS, audit)


def require_begun(ledger: Ledger) -> None:
    """Refuse what this run did not begin: the build that lies there is another run's, or none.

    Raises:
        JourneymartError: The run began no build.
    """
    if not any(check.gate == "marts" for check in _expected(ledger)):
        raise JourneymartError(
            "This run began no build, so there is nothing to go on with and nothing was published: "
            "run the job `nightly`, or choose `build/night` as well."
        )


def require_tested(ledger: Ledger) -> None:
    """Refuse to audit marts before every test of dbt has run on them.

    Raises:
        JourneymartError: A test did not run.
    """
    require_begun(ledger)
    missing = [check for check in ledger.verdict().missing if check.gate == "marts" and check.subject != _MARTS]
    if missing:
        names = ", ".join(check.kind for check in missing[:_SAID])
        raise JourneymartError(
            f"{len(missing)} dbt test(s) did not run, {names}: nothing was published; "
            "run the job `nightly`, or choose the models as well."
        )


def _expected(ledger: Ledger) -> tuple[Check, ...]:
    verdict = ledger.verdict()
    return (*verdict.missing, *verdict.failed, *verdict.errored, *verdict.warned, *verdict.passed)
