"""`journeymart init`: a company folder to begin with.

Not here: what may stand in its files (orchestration/config, orchestration/company), checking them (doctor.py).
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestration.cli.current import asked_rightly
from orchestration.cli.output import say
from storage.company_folder import COMPANY_FILE, MAPPINGS

if TYPE_CHECKING:
    from datetime import date

    from orchestration.operations.like_file import LikeFile

EXPORT = "export"
"""What the source of an export is called until a person names it."""

_GITIGNORE = "data/\ndrop/\n.dagster/\n"


def init(
    folder: Annotated[
        Path, typer.Argument(help="The folder to make; it must not exist, or be empty.", metavar="FOLDER")
    ],
    file: Annotated[
        Path | None,
        typer.Option("--like", help="An export to begin with: the source it comes from and its mapping are written."),
    ] = None,
    named: Annotated[
        str | None,
        typer.Option("--as", help="Which stream that export is, such as ticket; by default its columns tell."),
    ] = None,
) -> None:
    """Make a company folder: a commented company file, the tables of your own with their columns, where to go on."""
    from orchestration.operations.like_file import like_file

    with asked_rightly():
        like = like_file(file, named) if file else None
    made = make_company(folder.expanduser().absolute(), like)
    if file and like:
        _say_how_to_go_on(made, file, like)
        return
    say(
        f"{made} is a company folder; its README.md says what is in it.\n"
        "`journeymart check FILE` says of any extract what a night would make of it, and which lines company.yml\n"
        "needs. Change what company.yml marks CHANGE, put the first extract into drop/, and:\n"
        f"  export JOURNEYMART_COMPANY={shlex.quote(str(made))}\n"
        "  journeymart doctor\n"
        "  journeymart check\n"
        "  journeymart run"
    )


def _say_how_to_go_on(made: Path, file: Path, like: LikeFile) -> None:
    """Say what was written for an export, and what is left to do."""
    drop = made / "drop" / EXPORT
    waits = f"mappings/{EXPORT}.yml waits for you: {', '.join(like.waiting)}. " if like.waiting else ""
    asks = "seeds/survey_questions.csv says what its questions measure, as it seems. " if like.questions else ""
    say(
        f"{made} is a company folder; its README.md says what is in it.\n"
        f"company.yml names {like.name} as an extract of {EXPORT}/{like.stream}, and\n"
        f"mappings/{EXPORT}.yml says which of its columns are which. {waits}{asks}Look all over,\n"
        "change what is marked CHANGE, and:\n"
        f"  export JOURNEYMART_COMPANY={shlex.quote(str(made))}\n"
        f"  cp {shlex.quote(str(file))} {shlex.quote(str(drop))}/\n"
        "  journeymart doctor\n"
        "  journeymart check\n"
        "  journeymart run"
    )


def make_company(folder: Path, like: LikeFile | None = None) -> Path:
    """Make a company folder.

    Args:
        folder: Where.
        like: An export whose source and mapping are written too; the day in its name becomes the company's first
            extract date, else the last day that is over everywhere.

    Raises:
        JourneymartError: Something lies there already.
    """
    from orchestration.company.rows import TableRow, as_csv, read_rows
    from orchestration.company.tables import load_tables
    from orchestration.config.settings import PROJECT
    from orchestration.operations.days_over import last_day_over_everywhere
    from storage.errors import JourneymartError

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise JourneymartError(f"{folder} holds something already: name a folder that does not exist, or an empty one.")
    over = last_day_over_everywhere()
    first_date = min(like.day, over) if like and like.day else over
    for name in ("drop", "seeds"):
        (folder / name).mkdir(parents=True)
    for template in sorted((PROJECT / "companies" / "template").iterdir()):
        text = template.read_text(encoding="utf-8")
        said = text.replace("{first_date}", first_date.isoformat()).replace("{folder}", shlex.quote(str(folder)))
        (folder / template.name).write_text(said, encoding="utf-8")
    if like:
        _write_source_of(like, folder, first_date)
    (folder / ".gitignore").write_text(_GITIGNORE, encoding="utf-8")
    product = PROJECT / "dbt_project" / "seeds"
    for name, table in load_tables(product).items():
        # A table of the product's that has rows keeps them as long as the company has no file of that name.
        if not read_rows(table, product / f"{name}.csv"):
            file = folder / "seeds" / f"{name}.csv"
            questions = like.questions if like and name == "survey_questions" else ()
            blank = dict.fromkeys(table.columns, "")
            rows = [TableRow({**blank, "source": EXPORT, **each}, file, line) for line, each in enumerate(questions, 2)]
            file.write_text(as_csv(table, rows), encoding="utf-8")
    return folder


def _write_source_of(like: LikeFile, folder: Path, first_date: date) -> None:
    """Put the source of an export in the place of the one the template begins with, and its mapping beside it."""
    from orchestration.operations.source_entry import Begun, entry_of

    file = folder / COMPANY_FILE
    begin, sources, template = file.read_text(encoding="utf-8").partition("\nsources:")
    said = template.splitlines()[0]
    _, entry = entry_of(Begun("UTC", first_date), EXPORT, "canonical", "files", [like.stream], like=like)
    lines = [f"{begin}{sources}{said}", "", *(f"  {line}" for line in entry)]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "drop" / EXPORT).mkdir()
    (folder / MAPPINGS).mkdir()
    (folder / MAPPINGS / f"{EXPORT}.yml").write_text(like.mapping, encoding="utf-8")
