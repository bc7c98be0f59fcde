"""`journeymart check`: look before you run.

What lives here: the command. Not here: finding out (orchestration/operations/check_extract.py), drawing
(check_tables.py).
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from orchestration.cli.current import asked_rightly, installation, is_stream, named_installation
from orchestration.cli.output import Json, console, print_json


def check(
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="FILE or STREAM",
            help="A file, or a stream of the company as source/stream, whose newest delivery is taken; by default "
            "every stream's.",
        ),
    ] = None,
    named: Annotated[
        str | None,
        typer.Option(
            "--as",
            help="As which stream a file is meant: ticket, zendesk/tickets, or a source's own such as desk/ticket; by "
            "default its columns tell.",
            metavar="STREAM",
        ),
    ] = None,
    day: Annotated[
        datetime | None,
        typer.Option(
            "--date",
            formats=["%Y-%m-%d"],
            help="Which day's extract a file is; by default its name tells, else yesterday.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Say what a night would make of an extract, and of every KPI, without a night.

    What its columns are and how they are read, what would be quarantined and why, what would block it, which lines
    company.yml lacks, and which KPIs it fills. Nothing is changed. Ends with 0 if a night would accept it, with 1 if it
    would block.
    """
    from orchestration.cli.check_tables import as_plain, print_checked
    from orchestration.operations.check_extract import check_all, check_file, check_stream

    file = Path(what).expanduser() if what else None
    with asked_rightly():
        if what is None:
            if named or day:
                raise typer.BadParameter("--as and --date say something of a FILE: name one.")
            found = check_all(installation())
        elif file is not None and (file.exists() or named or not is_stream(what)):
            found = check_file(file, named, day.date() if day else None, named_installation())
        else:
            found = check_stream(installation(), what)
    if as_json:
        print_json(as_plain(found))
    else:
        print_checked(console, found)
    if found.would_block:
        raise typer.Exit(1)
