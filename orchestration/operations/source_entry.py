"""A source, added to the company file as text: its comments and layout stay as they are.

What lives here: the entry, where it goes, and the variables it names. Not here: what its keys mean
(orchestration/config).
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from orchestration.operations.days_over import last_day_over_everywhere
from storage.errors import JourneymartError
from storage.files import whole_file

if TYPE_CHECKING:
    from orchestration.config.setup import Setup
    from orchestration.config.sources_file import Connector
    from orchestration.operations.like_file import LikeFile

_COMMENTS_BEGIN = 44


@dataclass(frozen=True)
class Added:
    """What was written.

    Attributes:
        text: The lines of the entry.
        variables: Environment variables it names, which are to be set.
    """

    text: str
    variables: tuple[str, ...]


@dataclass(frozen=True)
class Begun:
    """What an entry follows from the company: its reporting time zone, and its first extract date."""

    timezone: str
    first_date: date


def add_source(
    setup: Setup,
    name: str,
    system: str,
    connector: Connector,
    streams: Sequence[str],
    *,
    shape: str | None = None,
    like: LikeFile | None = None,
) -> Added:
    """Write the entry of a new source into the company file.

    Args:
        setup: Settings and sources.
        name: The source's name.
        system: Its vendor, or canonical.
        connector: How its extracts arrive.
        streams: Which streams it delivers; none: all of a vendor, tickets of a canonical one.
        shape: A shape the product has an entry for, such as fivetran_zendesk; None: the other words say it.
        like: A file such as it will deliver, which says the rest; None: there is none.

    Raises:
        JourneymartError: There is a source of that name, or the entry would be a mistake.
    """
    from orchestration.config.sources import load_sources

    file = setup.sources.file.resolve()
    if name in {each.name for each in setup.sources.sources}:
        raise JourneymartError(f"{file} has a source '{name}' already: choose another name.")
    # As it is: line ends stay.
    text = file.read_bytes().decode("utf-8-sig")
    place, indent = _place(text, file)
    lines = text.splitlines(keepends=True)
    if place and not lines[place - 1].endswith("\n"):
        lines[place - 1] += "\n"
    if shape:
        variables, entry = _of_shape(setup, name, shape)
    else:
        begun = Begun(setup.sources.reporting_timezone, setup.sources.first_date)
        variables, entry = entry_of(begun, name, system, connector, streams, like=like)
    said = "\n" + "".join(f"{indent}{line}\n" if line else "\n" for line in entry)
    with whole_file(file) as new:
        new.write_text("".join([*lines[:place], said, *lines[place:]]), encoding="utf-8", newline="")
        try:
            load_sources(new, setup.settings.data)
        except JourneymartError as error:
            new.unlink()
            raise JourneymartError(str(error).replace(str(new), f"Nothing is written: {file}")) from None
    return Added(said.strip("\n"), variables)


def _place(text: str, file: Path) -> tuple[int, str]:
    """Behind which line a further source goes, and how far sources are indented."""
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == "sources" and isinstance(value, yaml.MappingNode) and not value.flow_style:
                indent = " " * value.value[0][0].start_mark.column
                lines = text.splitlines()
                end = max(_last_line(value), value.value[-1][1].start_mark.line + 1)
                # Comments that belong to the sources stand as deep as they do.
                while end < len(lines) and lines[end].startswith((f"{indent} ", f"{indent}#")):
                    end += 1
                return end, indent
    raise JourneymartError(
        f"{file}: its sources do not stand one below the other, so none can be added: write it there."
    )


def _last_line(node: yaml.Node) -> int:
    """The line (1-based) of the last thing inside a node."""
    if isinstance(node, yaml.MappingNode) and node.value:
        return max(_last_line(part) for pair in node.value for part in pair)
    if isinstance(node, yaml.SequenceNode) and node.value:
        return max(map(_last_line, node.value))
    at_end: int = node.end_mark.line + (1 if node.end_mark.column else 0)
    return max(at_end, 1)


def _of_shape(setup: Setup, name: str, shape: str) -> tuple[tuple[str, ...], list[str]]:
    """The entry that comes with the product for a shape, and the variables it names."""
    from orchestration.config.mappings import shipped_entries

    entries = shipped_entries()
    if shape not in entries:
        raise JourneymartError(f"No entry for '{shape}' comes with the product, only for {', '.join(entries)}.")
    text = entries[shape].read_text(encoding="utf-8")
    begins = max(setup.sources.first_date, last_day_over_everywhere()).isoformat()
    for word, said in (("{name}", name), ("{NAME}", name.upper()), ("{first_date}", begins)):
        text = text.replace(word, said)
    return (f"{name.upper()}_DATABASE",), text.splitlines()


def entry_of(
    company: Begun,
    name: str,
    system: str,
    connector: Connector,
    streams: Sequence[str],
    *,
    like: LikeFile | None = None,
) -> tuple[tuple[str, ...], list[str]]:
    """The variables that the entry of a source names, and its lines; the arguments are those of `add_source`."""
    from quality.contract.files import streams_of

    own = name.upper()
    variables: tuple[str, ...] = ()
    lines = [f"{name}:", _line(f"system: {system}", "whose contracts its extracts must keep (docs/contracts.md).")]
    table = ""
    match connector:
        case "files":
            lines += [
                _line(f"location: drop/{name}", "CHANGE: its drop folder, a path (relative to this file) or a URL."),
                *_of_file(like),
                _line(f"timezone: {company.timezone}", "CHANGE: zone of times that carry no offset."),
                _line("complete: rename", "a file under this name is complete (the other choice: manifest)."),
            ]
        case "postgres":
            variables = (f"{own}_DATABASE",)
            lines += [
                _line("connector: postgres", "read from a database (docs/sources.md)."),
                _line(f"connection_env: {variables[0]}", "the NAME of the variable that holds postgresql://..."),
                _line(f"timezone: {company.timezone}", "CHANGE: zone of times without one."),
            ]
            table = " {table: %s}"
        case "rest":
            variables, more = _of_vendor(system, own)
            lines += more
    begins = like.day if like and like.day else last_day_over_everywhere()
    if company.first_date < begins:
        lines.append(_line(f"first_date: {begins}", "its first extract date, which holds all history before it, too."))
    lines.append(_line("when_missing: block", "a missing extract stops the night (the other choice: carry_forward)."))
    lines.append(_line("streams:", "what it delivers; take the '#' away from what it has."))
    known = _asked_for(system) if connector == "rest" else streams_of(system)
    taken = set(streams) or ({"ticket"} if system == "canonical" else set(known))
    for stream in dict.fromkeys([*(each for each in known if each in taken), *streams, *known]):
        mark = "" if stream in taken else "# "
        said = f"  {mark}{stream}:{table % stream if table else ''}"
        lines.append(_line(said, "CHANGE: the table it lies in.") if table and not mark else f"  {said}")
    return variables, lines


def _of_file(like: LikeFile | None) -> list[str]:
    """The name of a file and how it is written, as far as that is known."""
    if like is None:
        return [_line('pattern: "{stream}_{date}.csv"', "CHANGE: file name of one extract.")]
    named = "file name of one extract." if like.day else "CHANGE: {date} in it, if each night has a file of its own."
    lines = [_line(f"pattern: {json.dumps(like.pattern, ensure_ascii=False)}", named)]
    if like.day is None:
        lines.append(_line("mode: full", "one file serves every night: it holds the whole table, written anew."))
    for proposal in like.declare:
        if proposal.sure == "open":
            lines.append(_line(f"# {proposal.choice}", f"CHANGE: choose: {proposal.saw}."))
        else:
            lines += [_line(line, f"{proposal.sure}: {proposal.saw}.") for line in proposal.lines[0]]
    return lines


def _asked_for(system: str) -> list[str]:
    """The streams of a system that are asked of its API."""
    from assets.pulling.rest.vendors import VENDORS
    from quality.contract.files import streams_of

    return [stream for stream in streams_of(system) if stream in VENDORS[system].streams]


def _of_vendor(system: str, own: str) -> tuple[tuple[str, ...], list[str]]:
    """The keys of a vendor's API, and the variables they name."""
    from assets.pulling.rest.vendors import VENDORS

    vendor = VENDORS.get(system)
    if vendor is None:
        raise JourneymartError(
            f"No API of '{system}' is known here, only of {', '.join(VENDORS)}: name another connector."
        )
    login = vendor.logins[0].credentials
    variables = tuple(f"{own}_{each.upper()}" for each in login)
    lines = [
        _line("connector: rest", "the vendor's API is asked (docs/sources.md)."),
        _line(f"location: {vendor.example}", "CHANGE: the account's own address."),
        _line("credentials_env:", "the NAMES of variables; secrets never stand in this file."),
        *(f"    {each}: {variable}" for each, variable in zip(login, variables, strict=True)),
    ]
    return variables, lines


def _line(said: str, comment: str) -> str:
    """A line of the entry, indented, with its comment where comments stand."""
    return re.sub(r"\s+$", "", f"{'  ' + said:<{_COMMENTS_BEGIN - 3}} # {comment[0].upper()}{comment[1:]}")
