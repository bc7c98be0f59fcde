"""The command `extract`: history fetched in pieces, before a night takes all of it.

Not here: which dates (orchestration/operations/plan_extraction.py), how the run goes (run_night.py).
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from orchestration.cli.current import chosen_sources, installation
from orchestration.cli.output import console, say
from orchestration.cli.starting import started

if TYPE_CHECKING:
    from orchestration.cli.run_night import LandedStream


def extract(
    begin: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="Extract again from this date on.")
    ] = None,
    through: Annotated[
        datetime | None,
        typer.Option("--to", formats=["%Y-%m-%d"], help="Last extract date; by default the newest all have delivered."),
    ] = None,
    source: Annotated[
        list[str] | None, typer.Option("--source", help="Only this source; may be said several times.")
    ] = None,
) -> None:
    """Pull and land the extracts that are due, and neither judge nor publish: a backfill in pieces.

    What was killed or failed goes on where it stopped when the command is given again. The next `run` takes all of it.
    """
    setup = installation()
    from orchestration.operations.plan_extraction import dates_to_extract

    chosen = chosen_sources(setup, source or ())
    again_from = begin.date() if begin else None
    days = dates_to_extract(setup, chosen, through.date() if through else None, again_from)
    if not days:
        console.print("Everything that is due has landed; nothing to do.")
        return

    from orchestration.instance import open_instance, quiet_environment

    quiet_environment()
    defs = started(setup)
    from orchestration.cli.console import NightDisplay
    from orchestration.cli.run_night import run_extraction

    streams = [each.stream for each in setup.sources.streams if each.stream.source in chosen]
    display = NightDisplay(console)
    with open_instance(setup.settings) as instance, display.showing("Extracts", days):
        landed = run_extraction(defs, instance, days, streams, display, again_from=again_from)
    for each in landed:
        say(f"  {_said(each)}")
    console.print("Nothing is judged yet: `journeymart run` does it, and publishes.")


def _said(stream: LandedStream) -> str:
    have = "extract has" if stream.extracts == 1 else "extracts have"
    said = f"{stream.name}: {stream.extracts:,} {have} landed, {stream.new:,} of them new"
    if stream.pulled_rows is not None:
        said += f"; {stream.pulled_rows:,} rows pulled in {stream.pages:,} pages"
    if stream.kept:
        said += f", {stream.kept:,} of which were there from before"
    if stream.unreached:
        said += f". {stream.unreached}"
    return said
