"""Commands of rows in quarantine: `quarantine list`, `show`, `replay`.

Not here: judging again (orchestration/operations/replay_quarantine.py).
"""

from __future__ import annotations

import dataclasses
from datetime import datetime
from typing import Annotated

import typer

from orchestration.cli.current import installation
from orchestration.cli.output import Json, console, print_json, print_table

quarantine_app = typer.Typer(help="Look at rows that broke their contract, and judge them again.", no_args_is_help=True)


@quarantine_app.command("list")
def quarantine_list(as_json: Json = False) -> None:
    """List the extracts with rows in quarantine, and what is wrong with them."""
    setup = installation()
    from quality.gate.quarantine import list_quarantined

    found = list_quarantined(setup.folder)
    if as_json:
        print_json([{**dataclasses.asdict(each), "reasons": dict(each.reasons)} for each in found])
    elif found:
        print_table(
            [
                {
                    "extract": f"{each.source}/{each.stream}",
                    "date": each.extract_date,
                    "rows": each.rows,
                    "reasons": ", ".join(f"{reason} ({count})" for reason, count in each.reasons.items()),
                    "blocked_by": list(each.blocked_by),
                }
                for each in found
            ]
        )
    else:
        console.print("Nothing is in quarantine.")


@quarantine_app.command("show")
def quarantine_show(
    extract: Annotated[str, typer.Argument(help="Which extract, as source/stream.")],
    day: Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], help="Its date.", metavar="DATE")],
    limit: Annotated[int, typer.Option(min=1, help="Rows to show.")] = 20,
    as_json: Json = False,
) -> None:
    """Show quarantined rows as they were delivered. They hold personal data."""
    setup = installation()
    from quality.gate.quarantine import show

    stream = setup.sources.named(extract).stream
    rows = show(setup.folder, stream.source, stream.stream, day.date(), limit)
    if as_json:
        print_json([dataclasses.asdict(row) for row in rows])
        return
    for row in rows:
        where = f"{row.file}, record {row.row}" if row.row else "a record that vanished"
        console.print(f"{where}: {', '.join(row.reasons)}", style="bold", highlight=False, markup=False, soft_wrap=True)
        console.print(f"  {row.raw or ''}", highlight=False, markup=False, soft_wrap=True)


@quarantine_app.command("replay")
def quarantine_replay(
    extract: Annotated[str | None, typer.Argument(help="Which extract, as source/stream; by default all.")] = None,
    day: Annotated[
        datetime | None,
        typer.Argument(formats=["%Y-%m-%d"], help="Its date; by default all.", metavar="DATE"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Judge quarantined extracts again, after a contract was corrected.

    The next run publishes what passes.
    """
    setup = installation()
    from orchestration.operations.replay_quarantine import replay

    stream = setup.sources.named(extract).stream if extract else None
    with console.status("judging again"):
        replayed = replay(setup, stream, day.date() if day else None)
    if as_json:
        print_json([dataclasses.asdict(each) for each in replayed])
        return
    for each in replayed:
        said = (
            f"blocked by {', '.join(each.blocked_by)}"
            if each.blocked_by
            else f"{each.rows_before} rows before, {each.rows_after} now"
        )
        console.print(f"{each.extract} of {each.extract_date}: {said}", highlight=False)
    console.print("Run `journeymart run` to publish what passed." if replayed else "Nothing to judge again.")
