"""`journeymart map`: a mapping to start from.

What lives here: the command. Not here: what it suggests (assets/inspect/suggestion.py), which file is meant
(orchestration/operations/suggest_mapping.py).
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from orchestration.cli.current import asked_rightly, installation, is_stream, named_installation


def map_columns(
    what: Annotated[
        str,
        typer.Option(
            "--suggest",
            help="A file, or a stream of the company as source/stream, whose newest delivery is taken.",
            metavar="FILE or STREAM",
        ),
    ],
    named: Annotated[
        str | None,
        typer.Option(
            "--as",
            help="To which stream a file is mapped: ticket, or a source's own such as desk/ticket; by default its "
            "columns tell.",
            metavar="STREAM",
        ),
    ] = None,
    write: Annotated[
        bool,
        typer.Option("--write", help="Write it into the company's mappings/<source>.yml, if the source has none."),
    ] = False,
) -> None:
    """Suggest a mapping: which column of a file is which of ours, by names, types and values.

    It prints the text of a mapping file with a word on all that needs a look: columns that could not be placed, words
    nobody knows, dates that may be read two ways, columns that are needed and not found. Nothing is guessed in silence,
    and nothing is changed without --write.
    """
    from orchestration.operations.suggest_mapping import suggest_for_file, suggest_for_stream, write_mapping

    file = Path(what).expanduser()
    with asked_rightly():
        if file.exists() or named or not is_stream(what):
            suggested = suggest_for_file(file, named, installation() if write else named_installation())
        else:
            suggested = suggest_for_stream(what, installation())
        target = write_mapping(suggested, installation()) if write else None
    if target is None:
        sys.stdout.write(suggested.text)
        return
    waiting = [*suggested.lacking, *suggested.open]
    todo = f"It waits for you: {', '.join(waiting)}. Then " if waiting else ""
    again = suggested.stream if not file.exists() else f"{shlex.quote(what)} --as {suggested.stream}"
    sys.stdout.write(f"{target} is written. {todo}`journeymart check {again}` says what a night makes of it.\n")
