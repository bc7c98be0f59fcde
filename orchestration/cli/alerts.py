"""`journeymart alerts`: who is told of what goes wrong, what is open, and a trial of each address.

What lives here: the commands, and the look that follows `run`. Not here: what is wrong and who is told
(orchestration/alerts).
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from orchestration.cli.current import installation
from orchestration.cli.output import Json, print_json, say
from storage.errors import JourneymartError

if TYPE_CHECKING:
    from orchestration.alerts.facts import Promise
    from orchestration.config.setup import Setup

alerts_app = typer.Typer(
    help="Who is told of what goes wrong with nights: what is open, a look now, a test of addresses."
)


@contextmanager
def watched(setup: Setup) -> Iterator[None]:
    """Look after the nights when a command that runs some ends, well or not. Its outcome stays what it is."""
    asked = datetime.now(UTC)
    try:
        yield
    except Exception:
        # Who sits at a terminal reads what went wrong before the first step, and need not be told.
        _look(setup, None if sys.stdin.isatty() else asked)
        raise
    _look(setup, None)


@alerts_app.callback(invoke_without_command=True)
def alerts(context: typer.Context, as_json: Json = False) -> None:
    """List what was told and is not over, and what could not be sent yet."""
    if context.invoked_subcommand:
        return
    setup = installation()
    from orchestration.alerts.record import read_record
    from orchestration.alerts.watch import record_file

    record = read_record(record_file(setup))
    if as_json:
        print_json(dataclasses.asdict(record))
        return
    for cause in record.open:
        say(f"Since {cause.since:%Y-%m-%d %H:%M}: {cause.sentence} Run: {cause.command}")
    for waiting in record.waiting:
        say(f"Not sent yet to {waiting.to}: {waiting.message.title}")
    if not (record.open or record.waiting):
        say("Nothing is open.")


@alerts_app.command()
def look() -> None:
    """Look now, and tell what is new: for cron, where Dagster's services do not run."""
    setup = installation()
    _promise(setup)
    say(_look(setup, None))


@alerts_app.command()
def test(as_json: Json = False) -> None:
    """Send a test message to each address, and say what came back."""
    setup = installation()
    promise = _promise(setup)
    from orchestration.alerts.look import now_there, seen_now
    from orchestration.alerts.send import send
    from orchestration.alerts.words import trial

    message = trial(*seen_now(setup), now_there(setup), promise.company)
    came_back = {to: send(to, message) for to in promise.alerts.to}
    if as_json:
        print_json({to: why_not or "taken" for to, why_not in came_back.items()})
    else:
        for to, why_not in came_back.items():
            say(f"{to}: " + (f"not sent, because {why_not}" if why_not else "the message was taken"))
    if any(came_back.values()):
        raise typer.Exit(1)


def _promise(setup: Setup) -> Promise:
    from orchestration.alerts.watch import promise_of

    promise = promise_of(setup)
    if promise is None:
        raise JourneymartError(
            f"{setup.sources.file} names nobody to tell: give it a part `alerts` (docs/operations.md)."
        )
    return promise


def _look(setup: Setup, asked: datetime | None) -> str:
    if setup.sources.alerts is None:
        return ""
    from orchestration.alerts.watch import watch
    from orchestration.instance import open_instance
    from orchestration.keys import JOB

    with open_instance(setup.settings) as instance:
        return watch(setup, instance, JOB, asked=asked)
