"""`journeymart gate`: what the gate keeps out now, what is missing, and a person's word that it may be so.

What lives here: the commands and what they print. Not here: what they find and write down
(orchestration/operations/approve_extract.py), judging (quality/gate/gate.py).
"""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import Annotated

import typer

from orchestration.cli.current import installation, who
from orchestration.cli.output import Json, print_approved, print_json, say
from orchestration.operations.approve_extract import approve_extract, kept_out

gate_app = typer.Typer(help="Look at what keeps a night from being published, and approve what is right as it is.")

_WAYS_OUT = (
    "Have them delivered again, or, if they are right as they are: "
    '`journeymart gate approve STREAM DATE --because "..."`.'
)


@gate_app.callback(invoke_without_command=True)
def gate(context: typer.Context, as_json: Json = False) -> None:
    """List the extracts that are blocked or missing now."""
    if context.invoked_subcommand:
        return
    kept = kept_out(installation())
    if as_json:
        print_json([dataclasses.asdict(each) for each in kept])
        return
    for each in kept:
        why = f"blocked by {', '.join(each.blocked_by)}" if each.blocked_by else each.state
        say(f"{each.extract} of {each.extract_date}: {why}")
    say(_WAYS_OUT if kept else "Nothing is blocked or missing.")


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
    approval = approve_extract(installation(), extract, day.date(), because=because, by=who(), at=datetime.now(UTC))
    if as_json:
        print_json(dataclasses.asdict(approval))
        return
    say(f"{approval.sentence}.")
    say("Run `journeymart run` to publish it.")


@gate_app.command()
def approvals(as_json: Json = False) -> None:
    """List what was approved, by whom, when and why."""
    from quality.gate.approvals import read_approvals

    print_approved(read_approvals(installation().folder).all, as_json=as_json)
