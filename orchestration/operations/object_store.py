"""Bringing what readers of the data folder see into the company's object store, and saying how the store stands.

What lives here: when a store cannot be reached, what that means to its readers, in one sentence; what else is done once
it is in step. Not here: the order of the requests (assets/object_store/mirror.py).

The library that speaks to stores is loaded only where the company file names one.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from storage.errors import JourneymartError

if TYPE_CHECKING:
    from assets.object_store.client import ObjectStore
    from assets.object_store.mirror import Mirrored
    from assets.object_store.standing import StoreStanding
    from orchestration.config.setup import Setup


def bring_to_store(setup: Setup) -> Mirrored | None:
    """Let readers of the store see what readers of the data folder see; None: there is no store, or no version.

    Raises:
        JourneymartError: It could not be done; says what who sees, and what makes up for it.
    """
    from assets.object_store.mirror import mirror
    from assets.versions.versions import current_id

    try:
        store = _store(setup)
        return mirror(setup.folder, store) if store else None
    except JourneymartError as error:
        raise JourneymartError(
            f"{error} Readers of the data folder see {current_id(setup.folder)}; those of the object store see what "
            "they saw before, until `journeymart run` or the next night makes up for it."
        ) from error


def make_up(setup: Setup, now: datetime) -> Mirrored | None:
    """Bring the store in step and enter erasures as done that waited for it. The caller holds the data lock."""
    from orchestration.operations.erased_versions import remove_versions_of_the_erased

    done = bring_to_store(setup)
    if done:
        remove_versions_of_the_erased(setup.folder, now)
    return done


def left_in_store(setup: Setup) -> tuple[str, ...]:
    """Versions the store holds and the data folder keeps no more; empty where there is no store.

    Raises:
        JourneymartError: The store cannot be asked.
    """
    from assets.object_store.mirror import not_kept

    try:
        store = _store(setup)
        return not_kept(setup.folder, store) if store else ()
    except JourneymartError as error:
        raise JourneymartError(
            f"{error} The extracts are rewritten, but what the store holds is not known: `journeymart erase` without "
            "a name finishes the erasure once it answers."
        ) from error


def store_standing(setup: Setup, *, every: bool = False) -> StoreStanding | None:
    """How the store stands; None: there is none. One that cannot be asked is a fault, not an error."""
    from assets.object_store.standing import StoreStanding, look_at_store

    try:
        store = _store(setup)
        return look_at_store(setup.folder, store, every=every) if store else None
    except JourneymartError as error:
        return StoreStanding(None, str(error))


def _store(setup: Setup) -> ObjectStore | None:
    """The store the company file names, opened; None: it names none.

    Raises:
        JourneymartError: It cannot be opened.
    """
    if setup.sources.publish_to is None:
        return None
    from assets.object_store.client import open_store

    return open_store(setup.sources.publish_to)
