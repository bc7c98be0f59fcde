"""Commands of the sources: `sources list`, `check`, `add`.

What lives here: the commands and what they print. Not here: asking a source (assets/inspect/reached.py), writing an
entry (orchestration/operations/source_entry.py).
"""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from orchestration.cli.current import asked_rightly, chosen_sources, installation
from orchestration.cli.output import Json, print_json, print_table, say

if TYPE_CHECKING:
    from orchestration.operations.like_file import LikeFile

sources_app = typer.Typer(help="Look at the sources of the company, ask them, and add one.", no_args_is_help=True)


@sources_app.command("list")
def sources_list(as_json: Json = False) -> None:
    """List every stream: how it arrives, and the newest date that landed, was accepted, is published."""
    setup = installation()
    from orchestration.operations.list_sources import stream_states

    states = [dataclasses.asdict(each) for each in stream_states(setup)]
    if as_json:
        print_json(states)
    else:
        print_table(states)


@sources_app.command("check")
def sources_check(
    source: Annotated[
        str | None, typer.Argument(metavar="SOURCE", help="A source of the company; by default each.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Ask a source for one page, or look at its newest delivery, and compare the columns with contract and mapping.

    Nothing is kept. Ends with 1 where a stream cannot be reached or lacks a column it needs.
    """
    setup = installation()
    from assets.inspect.reached import reach
    from orchestration.operations.days_over import last_day_over
    from orchestration.operations.meant import contract_of

    chosen = chosen_sources(setup, [source] if source else ())
    day = last_day_over(setup)
    streams = [each for each in setup.sources.streams if each.stream.source in chosen]
    found = [reach(stream, contract_of(stream), max(day, stream.first_date)) for stream in streams]
    if as_json:
        print_json([dataclasses.asdict(each) for each in found])
    else:
        print_table(
            [
                {
                    "stream": each.stream,
                    "": "ok" if each.is_well else "problem",
                    "looked_at": each.found,
                    "columns": each.columns or None,
                    "missing": list(each.missing),
                    "unknown": list(each.unknown),
                    "why": each.problem,
                }
                for each in found
            ]
        )
        for stream, each in zip(streams, found, strict=True):
            if each.missing and stream.stream.system == "canonical" and stream.mapping is None:
                say(f"`journeymart map --suggest {each.stream}` begins a mapping of its columns.")
    if not all(each.is_well for each in found):
        raise typer.Exit(1)


@sources_app.command("add")
def sources_add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the source is called; yours to choose.")],
    system: Annotated[
        str, typer.Option(help="The vendor whose contracts its extracts keep, such as zendesk; canonical: your own.")
    ] = "canonical",
    connector: Annotated[Literal["files", "postgres", "rest"], typer.Option(help="How its extracts arrive.")] = "files",
    shape: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="What another tool left in a warehouse: a shape that docs/mapping.md names, such as fivetran_zendesk.",
            metavar="SHAPE",
        ),
    ] = None,
    stream: Annotated[
        list[str] | None, typer.Option(help="A stream it delivers; may be said several times.", metavar="STREAM")
    ] = None,
    *,
    file: Annotated[
        Path | None,
        typer.Option(
            "--like", help="A file such as it will deliver: its name and how it is written are taken from it."
        ),
    ] = None,
) -> None:
    """Write a commented entry for a new source into company.yml, and name the variables to set.

    All that stands in the file stays as it is.
    """
    setup = installation()
    from orchestration.operations.source_entry import add_source

    like = _looked_at(file, stream, is_plain=(system, connector, shape) == ("canonical", "files", None))
    streams = [like.stream] if like else stream or ()
    added = add_source(setup, name, system, connector, streams, shape=shape, like=like)
    say(f"Added to {setup.sources.file}:\n")
    sys.stdout.write(f"{added.text}\n\n")
    todo = [f"set {' and '.join(added.variables)}"] if added.variables else []
    todo.append("change what is marked CHANGE")
    if like:
        if like.day and like.day < setup.sources.first_date:
            todo.append(f"give {setup.sources.file} a first_date of {like.day} or before")
        todo += [f"put {like.name} into its drop folder", f"`journeymart map --suggest {name}/{like.stream} --write`"]
    todo.append(f"ask it: `journeymart sources check {name}`")
    say(f"Now {', '.join(todo)}.")


def _looked_at(file: Path | None, streams: list[str] | None, *, is_plain: bool) -> LikeFile | None:
    """What a file tells of the source."""
    if file is None:
        return None
    from orchestration.operations.like_file import like_file

    if not is_plain or len(streams or ()) > 1:
        raise typer.BadParameter("--like is for files of your own and one stream: leave the other options out.")
    with asked_rightly():
        return like_file(file, streams[0] if streams else None)
