"""Which versions go: the oldest beyond those kept, and those that hold somebody who was erased.

Not here: which are kept for whom (orchestration/config/settings.py, orchestration/operations/erased_versions.py).
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterable

from assets.versions.pin import read_pin
from assets.versions.versions import REMOVING, VERSION_ID, base_of_build, current_id, inspect_versions
from storage.data_folder import DataFolder
from storage.errors import JourneymartError
from storage.locks import link_lock

_log = logging.getLogger(__name__)


def prune(folder: DataFolder, keep: int) -> tuple[str, ...]:
    """Remove the oldest versions beyond the newest `keep`; never the current, the pinned nor a running build's base.

    A damaged version is none of those kept, but stays for whoever can mend it until as many newer ones are kept.
    Readers that opened a removed version keep its files until they close them.

    Returns:
        Names of the versions removed.
    """
    if keep < 1:
        raise JourneymartError(f"At least one version is kept, not {keep}.")
    with link_lock(folder):
        versions, damaged = inspect_versions(folder)
        newest = versions[-keep:]
        kept = {version.id for version in newest} | _never_removed(folder)
        oldest = newest[0].id if len(newest) == keep else ""
        gone = [*(version.id for version in versions), *(each.id for each in damaged if each.id < oldest)]
        removed = tuple(name for name in gone if name not in kept)
        _put_aside(folder, removed)
    _remove_put_aside(folder, removed)
    return removed


def remove(folder: DataFolder, names: Iterable[str]) -> tuple[str, ...]:
    """Remove versions by name, but never the current, the pinned nor the base of a running build.

    Returns:
        Names of those that must stay for now.
    """
    with link_lock(folder):
        there = [name for name in names if VERSION_ID.fullmatch(name) and (folder.versions / name).exists()]
        kept = tuple(name for name in there if name in _never_removed(folder))
        removed = tuple(name for name in there if name not in kept)
        _put_aside(folder, removed)
    _remove_put_aside(folder, removed)
    return kept


def _never_removed(folder: DataFolder) -> set[str | None]:
    pin = read_pin(folder)
    return {current_id(folder), base_of_build(folder), pin.version if pin else None}


def _put_aside(folder: DataFolder, names: Iterable[str]) -> None:
    for name in names:
        (folder.versions / name).rename(folder.versions / f"{REMOVING}{name}")


def _remove_put_aside(folder: DataFolder, names: Iterable[str]) -> None:
    for name in names:
        try:
            shutil.rmtree(folder.versions / f"{REMOVING}{name}")
        except OSError as error:
            # A reader may be spilling into the folder; the night is published all the same.
            _log.warning(
                "version %s could not be removed yet (%s): the next night tries again",
                name,
                error.strerror,
            )
