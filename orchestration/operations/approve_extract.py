"""What keeps a version from reaching its date, and a person's approval of it.

What lives here: blocked and missing extracts, and writing down that one may pass or never comes. Not here: what may be
approved (quality/gate/approvals.py), which dates are owed (plan_night.py), printing (orchestration/cli/gate.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from storage.errors import JourneymartError

if TYPE_CHECKING:
    from assets.landing.connectors.config import FileStream
    from orchestration.config.setup import Setup
    from quality.gate.approvals import Approval


@dataclass(frozen=True)
class Kept:
    """One extract that keeps a version from reaching its date."""

    extract: str
    extract_date: date
    state: str
    blocked_by: tuple[str, ...]


def approve_extract(setup: Setup, extract: str, day: date, *, because: str, by: str, at: datetime) -> Approval:
    """Write down that an extract may pass, or that a date is never delivered.

    Args:
        setup: Settings and sources.
        extract: Which stream, as source/stream.
        day: Its date.
        because: Why.
        by: Who says so.
        at: Now.

    Raises:
        JourneymartError: There is nothing to approve, nobody can approve it, or a night is running.
    """
    from quality.gate.approvals import MISSING, Approval, may_be_approved, write_approval
    from storage.locks import data_lock

    if not because.strip():
        raise JourneymartError('Nothing was approved: say why with --because "...", for those who read it later.')
    stream = setup.sources.named(extract)
    with data_lock(setup.folder, "an approval"):
        if setup.folder.landing_partition(stream.stream, day).exists():
            content, checks = may_be_approved(setup.folder, stream.stream, day)
        else:
            _require_absent(setup, stream, day)
            content, checks = None, (MISSING,)
        approval = Approval(
            source=stream.stream.source,
            stream=stream.stream.stream,
            extract_date=day,
            landing_sha256=content,
            checks=checks,
            by=by,
            at=at,
            because=" ".join(because.split()),
        )
        write_approval(setup.folder, approval)
    return approval


def kept_out(setup: Setup) -> list[Kept]:
    """Extracts that are blocked, and dates that are owed and not in landing, oldest first."""
    from orchestration.operations.plan_night import open_holes
    from quality.gate.approvals import verdicts

    blocked = [
        Kept(f"{source}/{stream}", day, "blocked", tuple(verdict["blocked_by"]))
        for source, stream, day, verdict in verdicts(setup.folder)
        if not verdict["passed"]
    ]
    known = {(each.extract, each.extract_date) for each in blocked}
    holes = ((f"{hole.source}/{hole.stream}", hole.extract_date) for hole in open_holes(setup))
    by_name = {str(stream.stream): stream for stream in setup.sources.streams}
    missing = [
        Kept(name, day, _state(setup, by_name[name], day), ()) for name, day in holes if (name, day) not in known
    ]
    return sorted([*blocked, *missing], key=lambda each: (each.extract_date, each.extract))


def _state(setup: Setup, stream: FileStream, day: date) -> str:
    from orchestration.operations.plan_night import delivered_dates

    landed = setup.folder.landing_partition(stream.stream, day).exists()
    if landed or (stream.is_dated and day in delivered_dates(stream)):
        return "delivered, waits for the next run"
    return "not delivered"


def _require_absent(setup: Setup, stream: FileStream, day: date) -> None:
    """Refuse to do without an extract that is there, or of which nothing is owed."""
    from orchestration.operations.plan_night import delivered_dates

    about = f"The extract of {stream.stream} for {day}"
    if not stream.is_dated:
        raise JourneymartError(f"{about} cannot be done without: what {stream.stream} delivers next serves every date.")
    if day < stream.first_date:
        raise JourneymartError(f"{about} is not owed: its first extract date is {stream.first_date}.")
    if day in delivered_dates(stream):
        raise JourneymartError(f"{about} is delivered and was not judged yet: run `journeymart run` first.")
