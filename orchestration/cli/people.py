"""Commands of people: `erase`, `subject-access`, and `identity` with who is whom and why.

Not here: erasing and handing out (orchestration/operations), explaining (assets/identity).
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from orchestration.cli.current import installation, published_version
from orchestration.cli.output import Json, console, print_json, print_table

identity_app = typer.Typer(help="Look at which records are one customer, and why.", no_args_is_help=True)


Emails = Annotated[
    list[str] | None,
    typer.Option("--email", help="An address of the person; `-` reads them from standard input, one a line."),
]
Phones = Annotated[list[str] | None, typer.Option("--phone", help="A phone number with its country code, or `-`.")]
Records = Annotated[list[str] | None, typer.Option("--id", help="A record of the person as source:stream:key, or `-`.")]


def erase(email: Emails = None, phone: Phones = None, record: Records = None, as_json: Json = False) -> None:
    """Forget a person who asked for it: rewrite every extract, and keep later ones from bringing the person back.

    Nothing of what is given is written or printed. Without any, an erasure that was interrupted is finished.
    """
    setup = installation()
    from orchestration.operations.erase_person import erase as erase_person

    emails, phones, records = _given(email, phone, record)
    done = erase_person(setup, emails, phones, records, datetime.now(UTC))
    if as_json:
        print_json(dataclasses.asdict(done))
        return
    if done.due_at is None:
        console.print("Nobody was named, and no erasure is open.")
        return
    for what, count in {"records of the person": done.records, **done.counts}.items():
        console.print(f"{what:<26} {count}", highlight=False)
    if done.versions:
        console.print(
            f"{len(done.versions)} published version(s) may still hold the person: the next `journeymart run` "
            f"publishes one that does not and removes them. The law wants it by {done.due_at:%Y-%m-%d}.",
            highlight=False,
            soft_wrap=True,
        )
    else:
        console.print("No published version holds the person.")


def subject_access(
    to: Annotated[Path, typer.Argument(help="A folder that is not there yet; its owner alone can read it.")],
    email: Emails = None,
    phone: Phones = None,
    record: Records = None,
    as_json: Json = False,
) -> None:
    """Write what is held on a person who asked for it: what was delivered, and what was made of it.

    Read it through before it is handed on: texts of conversations may name others.
    """
    setup = installation()
    from orchestration.operations.hand_out_person import hand_out
    from orchestration.operations.named_person import read_given

    done = hand_out(setup, read_given(setup, *_given(email, phone, record)), to, datetime.now(UTC))
    if as_json:
        print_json(dataclasses.asdict(done))
        return
    for what, count in {"records of the person": done.records, **done.rows}.items():
        console.print(f"{count:>8} {what}", highlight=False, markup=False)
    seen = f"published as {done.version}" if done.version else "delivered; nothing is published"
    console.print(f"Written to {to}: what is {seen}.", highlight=False, markup=False, soft_wrap=True)


def _given(*options: list[str] | None) -> tuple[list[str], list[str], list[str]]:
    """Addresses, numbers and records, those of one of them from standard input."""
    if sum("-" in (texts or ()) for texts in options) > 1:
        raise typer.BadParameter("one option at most can be read from standard input")
    emails, phones, records = (_from_stdin(texts or ()) for texts in options)
    return emails, phones, records


def _from_stdin(texts: Sequence[str]) -> list[str]:
    """What was given, `-` replaced by the lines of standard input."""
    lines = [line.strip() for line in sys.stdin.read().splitlines()] if "-" in texts else []
    return [*(text for text in texts if text != "-"), *filter(None, lines)]


@identity_app.command("explain")
def identity_explain(
    record: Annotated[str, typer.Argument(help="A record as source/id or id, or the key of a customer.")],
    other: Annotated[
        str | None, typer.Argument(help="Another record: say why the two are one customer or not.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Say which customer a record is, and by what evidence."""
    version = published_version()
    from assets.identity.explain import as_report, explain

    found = explain(version.path, record, other)
    if as_json:
        print_json(as_report(found))
        return
    if found.is_one is not None:
        said = "are one customer" if found.is_one else "are not one customer"
        console.print(f"{record} and {other} {said}.", highlight=False, markup=False, soft_wrap=True)
    for reason in found.reasons:
        console.print(f"  {reason}", highlight=False, markup=False, soft_wrap=True)
    print_table([{"record": each.name, **_without(dataclasses.asdict(each), "key", "name")} for each in found.records])
    for edge in found.evidence:
        said = f"  {edge.one} – {edge.other}: {edge.evidence} ({edge.rule}, {edge.confidence:g})"
        console.print(said, highlight=False, markup=False, soft_wrap=True)


@identity_app.command("suggest")
def identity_suggest(
    threshold: Annotated[
        float, typer.Option(min=0.5, max=1.0, help="Probability from which a pair is worth a look.")
    ] = 0.9,
) -> None:
    """Write pairs of records that may be one person, for review. Nothing is merged; the file holds personal data."""
    setup = installation()
    version = published_version()
    from assets.identity.suggest import suggest

    with console.status("comparing records"):
        pairs, path = suggest(version.path, setup.settings.state, threshold)
    console.print(f"{pairs} pairs written to {path}.", highlight=False, markup=False, soft_wrap=True)


def _without(fields: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name not in names}
