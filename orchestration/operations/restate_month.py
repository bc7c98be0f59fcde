"""Which figures of closed months changed, by the newest version, and a person's approval of them.

What lives here: which version is asked, the lock, the reason. Not here: comparing and keeping (assets/closed_months),
printing (orchestration/cli/restate.py).

The newest version is asked and not the one readers see: behind a pin, it is what they will see.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from storage.errors import JourneymartError

if TYPE_CHECKING:
    from assets.closed_months.changes import Change
    from assets.closed_months.kept import Restated
    from assets.versions.versions import Version
    from orchestration.config.setup import Setup


def changed_figures(setup: Setup) -> tuple[Change, ...]:
    """Figures of closed months that are others than they were closed with, oldest month first.

    Raises:
        JourneymartError: No version is published, or what is kept cannot be read.
    """
    from assets.closed_months.kept import changes_since_closing

    return changes_since_closing(setup.folder, _newest(setup), setup.sources.months_close_after_days)


def restate_month(setup: Setup, month: date, kpi: str | None, *, because: str, by: str, at: datetime) -> Restated:
    """Write down that the changed figures of a month are its figures from now on.

    Args:
        setup: Settings and sources.
        month: First day of the month.
        kpi: One KPI; None: all that changed.
        because: Why.
        by: Who says so.
        at: Now, with an offset.

    Raises:
        JourneymartError: No reason, nothing that changed, or a night is running.
    """
    from assets.closed_months.kept import restate
    from storage.locks import data_lock

    if not because.strip():
        raise JourneymartError('Nothing was approved: say why with --because "...", for those who read it later.')
    with data_lock(setup.folder, "an approval"):
        return restate(
            setup.folder,
            _newest(setup),
            setup.sources.months_close_after_days,
            month,
            is_meant=lambda change: kpi in (None, change.kpi),
            by=by,
            at=at,
            because=" ".join(because.split()),
        )


def _newest(setup: Setup) -> Version:
    from assets.versions.versions import list_versions

    versions = list_versions(setup.folder)
    if not versions:
        raise JourneymartError("No version is published yet: run `journeymart run`.")
    return versions[-1]
