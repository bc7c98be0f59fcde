"""How commands print: as a person reads it, or as JSON. Not here: what they say."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]

_WIDE = 240

console = Console()


def say(text: str) -> None:
    """Print a text as it is, without marking words in it; only a terminal breaks its lines."""
    console.print(text, highlight=False, markup=False, soft_wrap=True)


def print_approved(found: Sequence[Any], *, as_json: bool) -> None:
    """Print what people approved: values that each have a `sentence`."""
    if as_json:
        print_json([dataclasses.asdict(each) for each in found])
        return
    for each in found:
        say(f"{each.sentence}.")
    if not found:
        say("Nothing was approved.")


def print_fields(report: Mapping[str, Any]) -> None:
    """Print what has a value, a line each."""
    for name, value in report.items():
        if value not in (None, []):
            console.print(f"{name.replace('_', ' '):<14} {_said(value)}", highlight=False, soft_wrap=True)


def print_json(value: object) -> None:
    """Print JSON, days and times as text."""
    sys.stdout.write(json.dumps(value, indent=1, default=str) + "\n")


def print_table(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print rows of the same columns."""
    table = Table(box=None, pad_edge=False)
    for name in rows[0]:
        table.add_column(name.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(_said(value) for value in row.values()))
    # On a terminal long words go on in the next line; a list that is piped into something is as wide as it needs to be.
    (console if console.is_terminal else Console(width=_WIDE)).print(table)


def _said(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)
