"""What most commands begin with: the installation, and the version readers see. Not here: reading settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage.errors import JourneymartError

if TYPE_CHECKING:
    from orchestration.config.setup import Setup

if TYPE_CHECKING:
    from assets.versions.versions import Version
    from orchestration.config.setup import Setup


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
