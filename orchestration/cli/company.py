"""`journeymart init`: a company folder to begin with.

Not here: what may stand in its files (orchestration/config, orchestration/company), checking them (doctor.py).
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from orchestration.cli.output import console

_GITIGNORE = "data/\ndrop/\n.dagster/\n"


def init(
    folder: Annotated[
        Path, typer.Argument(help="The folder to make; it must not exist, or be empty.", metavar="FOLDER")
    ],
) -> None:
    """Make a company folder: a commented company file, the tables of your own with their columns, where to go on."""
    made = make_company(folder.expanduser().absolute())
    console.print(
        f"{made} is a company folder; its README.md says what is in it.\n"
        "`journeymart check FILE` says of any extract what a night would make of it, and which lines company.yml\n"
        "needs. Change what company.yml marks CHANGE, put the first extract into drop/, and:\n"
        f"  export JOURNEYMART_COMPANY={shlex.quote(str(made))}\n"
        "  journeymart doctor\n"
        "  journeymart check\n"
        "  journeymart run",
        highlight=False,
        soft_wrap=True,
        markup=False,
    )


def make_company(folder: Path) -> Path:
    """Make a company folder.

    Args:
        folder: Where; the last day that is over everywhere becomes its first extract date.

    Raises:
        JourneymartError: Something lies there already.
    """
    from datetime import UTC, datetime, timedelta

    from orchestration.company.rows import as_csv, read_rows
    from orchestration.company.tables import load_tables
    from orchestration.config.settings import PROJECT
    from storage.errors import JourneymartError

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise JourneymartError(f"{folder} holds something already: name a folder that does not exist, or an empty one.")
    # Twelve hours behind Greenwich a day ends last: the first extract date is over wherever the company is.
    first_date = (datetime.now(UTC) - timedelta(hours=12, days=1)).date()
    for name in ("drop", "seeds"):
        (folder / name).mkdir(parents=True)
    for template in sorted((PROJECT / "companies" / "template").iterdir()):
        text = template.read_text(encoding="utf-8")
        said = text.replace("{first_date}", first_date.isoformat()).replace("{folder}", shlex.quote(str(folder)))
        (folder / template.name).write_text(said, encoding="utf-8")
    (folder / ".gitignore").write_text(_GITIGNORE, encoding="utf-8")
    product = PROJECT / "dbt_project" / "seeds"
    for name, table in load_tables(product).items():
        # A table of the product's that has rows keeps them as long as the company has no file of that name.
        if not read_rows(table, product / f"{name}.csv"):
            (folder / "seeds" / f"{name}.csv").write_text(as_csv(table, ()), encoding="utf-8")
    return folder
