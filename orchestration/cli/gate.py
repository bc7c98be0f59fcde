"""`journeymart gate`: what the gate keeps out now, what is missing, and a person's word that it may be so.

What lives here: the commands and what they print. Not here: judging (quality/gate/gate.py), what may be approved
(quality/gate/approvals.py), which dates are owed (orchestration/operations/plan_night.py).
"""

from __future__ import annotations

import dataclasses
import getpass
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from storage.errors import JourneymartError

if TYPE_CHECKING:
    from assets.landing.connectors.config import FileStream
    from orchestration.config.setup import Setup
    from quality.gate.approvals import Approval

gate_app = typer.Typer(help="Look at what keeps a night from being published, and approve what is right as it is.")

# Who approves, where the name of the operating system's user is not the person's.
USER_VARIABLE = "JOURNEYMART_USER"

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]

_WAYS_OUT = (
    "Have them delivered again, or, if they are right as they are: "
    '`journeymart gate approve STREAM DATE --because "..."`.'
)

console = Console()


@dataclass(frozen=True)
class Kept:
    """One extract that keeps a version from reaching its date."""

    extract: str
    extract_date: date
    state: str
    blocked_by: tuple[str, ...]


@gate_app.callback(invoke_without_command=True)
def gate(context: typer.Context, as_json: Json = False) -> None:
    """List the extracts that are blocked or missing now."""
    if context.invoked_subcommand:
        return
    from orchestration.config.setup import load_setup

    kept = kept_out(load_setup())
    if as_json:
        _print_json([dataclasses.asdict(each) for each in kept])
        return
    for each in kept:
        why = f"blocked by {', '.join(each.blocked_by)}" if each.blocked_by else each.state
        _say(f"{each.extract} of {each.extract_date}: {why}")
    _say(_WAYS_OUT if kept else "Nothing is blocked or missing.")


@gate_app.command()
def approve(
    extract: Annotated[str, typer.Argument(help="Which extract, as source/stream.", metavar="STREAM")],
    day: Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], help="Its date.", metavar="DATE")],
    because: Annotated[str, typer.Option(help="Why it is right as it is; published, so without personal data.")],
    as_json: Json = False,
) -> None:
    """Let a blocked extract pass as it is, or do without one that never comes.

    Written down with your name and the reason, and published with every version that is built on it. It holds for just
    this content: an extract delivered again is judged again. The next run publishes.
    """
    from orchestration.config.setup import load_setup

    approval = approve_extract(load_setup(), extract, day.date(), because=because, by=_who(), at=datetime.now(UTC))
    if as_json:
        _print_json(dataclasses.asdict(approval))
        return
    _say(f"{approval.sentence}.")
    _say("Run `journeymart run` to publish it.")


@gate_app.command()
def approvals(as_json: Json = False) -> None:
    """List what was approved, by whom, when and why."""
    from orchestration.config.setup import load_setup
    from quality.gate.approvals import read_approvals

    found = read_approvals(load_setup().folder).all
    if as_json:
        _print_json([dataclasses.asdict(each) for each in found])
        return
    for each in found:
        _say(f"{each.sentence}.")
    if not found:
        _say("Nothing was approved.")


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
    stream = named_stream(setup, extract)
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


def named_stream(setup: Setup, name: str) -> FileStream:
    """The stream a person names as source/stream.

    Raises:
        JourneymartError: There is no such stream.
    """
    known = {str(stream.stream): stream for stream in setup.sources.streams}
    if name not in known:
        raise JourneymartError(f"There is no stream '{name}' in {setup.sources.file}: name one of {', '.join(known)}.")
    return known[name]


def _state(setup: Setup, stream: FileStream, day: date) -> str:
    from orchestration.operations.plan_night import delivered_dates, is_dated

    landed = setup.folder.landing_partition(stream.stream, day).exists()
    if landed or (is_dated(stream) and day in delivered_dates(stream)):
        return "delivered, waits for the next run"
    return "not delivered"


def _require_absent(setup: Setup, stream: FileStream, day: date) -> None:
    """Refuse to do without an extract that is there, or of which nothing is owed."""
    from orchestration.operations.plan_night import delivered_dates, is_dated

    about = f"The extract of {stream.stream} for {day}"
    if not is_dated(stream):
        raise JourneymartError(
            f"{about} cannot be done without: one file of {stream.stream} serves every date, deliver it."
        )
    if day < stream.first_date:
        raise JourneymartError(f"{about} is not owed: its first extract date is {stream.first_date}.")
    if day in delivered_dates(stream):
        raise JourneymartError(f"{about} is delivered and was not judged yet: run `journeymart run` first.")


def _who() -> str:
    """Who gives the command.

    Raises:
        JourneymartError: Neither the environment nor the operating system knows.
    """
    try:
        return os.environ.get(USER_VARIABLE, "").strip() or getpass.getuser()
    except (KeyError, OSError):
        raise JourneymartError(f"Nobody knows who you are: set {USER_VARIABLE} to your name.") from None


def _say(text: str) -> None:
    console.print(text, highlight=False, markup=False, soft_wrap=True)


def _print_json(value: Sequence[Any] | dict[str, Any]) -> None:
    typer.echo(json.dumps(value, indent=1, default=str))
