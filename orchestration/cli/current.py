"""What most commands begin with: the installation, the version readers see, who asks, and whether rightly.

Not here: reading settings.
"""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from storage.company_folder import FILE_VARIABLE, FOLDER_VARIABLE
from storage.errors import JourneymartError

if TYPE_CHECKING:
    from assets.versions.versions import Version
    from orchestration.config.setup import Setup


# Who gives commands, where the name of the operating system's user is not the person's.
USER_VARIABLE = "JOURNEYMART_USER"


def published_version() -> Version:
    """The version readers see.

    Raises:
        JourneymartError: None is published yet.
    """
    from assets.versions.versions import current_version

    version = current_version(installation().folder)
    if version is None:
        raise JourneymartError("No version is published yet: run `journeymart run`.")
    return version


def installation() -> Setup:
    """Settings and sources, as the environment names them.

    Raises:
        JourneymartError: Either holds a mistake.
    """
    from orchestration.config.setup import load_setup

    return load_setup()


def named_installation() -> Setup | None:
    """Settings and sources, if the environment names a company; None: a file is looked at by itself.

    Raises:
        JourneymartError: Either holds a mistake.
    """
    return installation() if any(map(os.environ.get, (FOLDER_VARIABLE, FILE_VARIABLE))) else None


def chosen_sources(setup: Setup, named: Sequence[str]) -> list[str]:
    """The sources a person names; all where none is.

    Raises:
        typer.BadParameter: There is no such source.
    """
    known = [each.name for each in setup.sources.sources]
    if unknown := [name for name in named if name not in known]:
        raise typer.BadParameter(
            f"there is no source '{unknown[0]}' in {setup.sources.file}: name one of {', '.join(known)}."
        )
    return list(named) or known


@contextmanager
def asked_rightly() -> Iterator[None]:
    """Within this block it is wrong usage of the command, and said so, if what is asked for is not there."""
    from orchestration.operations.meant import WrongUsageError

    try:
        yield
    except WrongUsageError as error:
        raise typer.BadParameter(str(error)) from None


def is_stream(what: str) -> bool:
    """Whether what a person names looks like source/stream rather than a path."""
    source, slash, stream = what.partition("/")
    return bool(slash) and source.isidentifier() and stream.isidentifier()


def who() -> str:
    """Who gives the command.

    Raises:
        JourneymartError: Neither the environment nor the operating system knows.
    """
    try:
        return os.environ.get(USER_VARIABLE, "").strip() or getpass.getuser()
    except (KeyError, OSError):
        raise JourneymartError(f"Nobody knows who you are: set {USER_VARIABLE} to your name.") from None
