"""`journeymart restate`: which figures of closed months changed since, and a person's word that they may.

What lives here: the commands and what they print. Not here: comparing and keeping (assets/closed_months), which version
is asked (orchestration/operations/restate_month.py).
"""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import Annotated

import typer

from orchestration.cli.current import installation, who
from orchestration.cli.output import Json, print_approved, print_json, print_table, say
from orchestration.operations.restate_month import changed_figures, restate_month

restate_app = typer.Typer(help="Look at figures of closed months that changed, and approve what is right.")

_WAYS_OUT = 'If they are right: `journeymart restate approve MONTH --because "..."` (--kpi KPI for one of them).'


@restate_app.callback(invoke_without_command=True)
def restate(context: typer.Context, as_json: Json = False) -> None:
    """List the figures of closed months that are others than they were closed with."""
    if context.invoked_subcommand:
        return
    found = changed_figures(installation())
    if as_json:
        print_json([dataclasses.asdict(each) for each in found])
        return
    if not found:
        say("Every figure of every closed month is what it was closed with.")
        return
    print_table(
        [
            {
                "month": f"{each.month:%Y-%m}",
                "kpi": each.kpi,
                "part": "all" if each.dimension == "all" else f"{each.dimension} {each.member}",
                "before": "hidden" if each.was_hidden else each.before,
                "now": "hidden" if each.is_hidden else each.after,
                "records before": each.n_before,
                "records now": each.n_after,
            }
            for each in found
        ]
    )
    say(_WAYS_OUT)


@restate_app.command()
def approve(
    month: Annotated[datetime, typer.Argument(formats=["%Y-%m"], help="The month, as 2026-05.", metavar="MONTH")],
    because: Annotated[str, typer.Option(help="Why they are right as they are; without personal data.")],
    kpi: Annotated[str | None, typer.Option(help="One KPI, as in dim_kpi; by default all that changed.")] = None,
    as_json: Json = False,
) -> None:
    """Take the changed figures of a closed month as its figures from now on, as the newest version shows them.

    Written down with your name and the reason. A figure that changes again later is told again.
    """
    said = restate_month(installation(), month.date(), kpi, because=because, by=who(), at=datetime.now(UTC))
    if as_json:
        print_json(dataclasses.asdict(said))
        return
    say(f"{said.sentence}.")


@restate_app.command()
def approvals(as_json: Json = False) -> None:
    """List what was approved of closed months, by whom, when and why."""
    from assets.closed_months.kept import restatements

    print_approved(restatements(installation().folder), as_json=as_json)
