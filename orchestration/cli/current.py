"""What most commands begin with: the installation, the version readers see, who asks. Not here: reading settings."""

from __future__ import annotations

import getpass
import os
from typing import TYPE_CHECKING

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
