"""How an object store stands beside the data folder: what it names, and whether that is what the folder shows, whole.

Not here: changing anything (mirror.py).
"""

from __future__ import annotations

from dataclasses import dataclass

from assets.object_store.client import ObjectStore
from assets.object_store.mirror import fault_of_copy, not_kept
from assets.object_store.pointer import read_pointer
from assets.versions.versions import current_id, seen_version
from storage.data_folder import DataFolder


@dataclass(frozen=True)
class StoreStanding:
    """How a store stands.

    Attributes:
        named: The version its readers see; None: none yet.
        fault: What is not as it should be, in a sentence; None: it is in step.
    """

    named: str | None
    fault: str | None


def look_at_store(folder: DataFolder, store: ObjectStore, *, every: bool = False) -> StoreStanding:
    """See how a store stands.

    Args:
        folder: The data folder.
        store: The store.
        every: Read every byte of the version it names, and look for versions that should be gone.

    Raises:
        JourneymartError: It cannot be asked.
    """
    pointer, _ = read_pointer(store)
    named, seen = pointer.version if pointer else None, current_id(folder)
    fault = None
    if named != seen:
        shows = f"its readers see {named}" if named else "its readers see nothing yet"
        fault = f"{store.url} is behind: {shows}, those of the data folder see {seen or 'nothing yet'}"
    elif every and (version := seen_version(folder)) and (damage := fault_of_copy(version, store)):
        fault = f"{store.url} holds a damaged version {named}: {damage}"
    elif every and (left := not_kept(folder, store)):
        fault = f"{store.url} still holds {', '.join(left)}, which the data folder keeps no more"
    return StoreStanding(named, f"{fault}: `journeymart run` makes up for it." if fault else None)
