"""Going back to an older version, or forward again, for a night or until somebody says otherwise.

Not here: the link itself (versions.py), mending it where it is damaged (standing.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from assets.versions.pin import Pin, lift_pin, read_pin, write_pin
from assets.versions.soundness import fault_within
from assets.versions.versions import Damaged, Version, current_id, inspect_versions, swing_on_record
from storage.data_folder import DataFolder
from storage.errors import JourneymartError
from storage.locks import link_lock


def rollback(folder: DataFolder, to: str | None = None, *, pinned_by: str | None = None) -> Version:
    """Let readers see an older version (or again a newer one), at once, also while a night runs.

    Every byte of it is read first. Open readers finish on the version they opened. The rollback is recorded in
    `rollbacks.jsonl`. It says nothing about the next night, which builds on the newest version whose batches still
    stand, see `choose_base`, and is then what readers see, unless they are pinned.

    Args:
        folder: The data folder.
        to: Name of the version; None: the newest sound one before the current, or, where the link names none that is
            kept, the newest sound one.
        pinned_by: Who holds readers to it until `unpin`; None: the next night leads them on.

    Raises:
        JourneymartError: There is no such version, it is damaged, or readers are pinned and shall not be.
    """
    with link_lock(folder):
        if pinned_by is None and (pin := read_pin(folder)):
            raise JourneymartError(f"{pin.sentence} To hold them to another version, say --pin.")
        whole, damaged = inspect_versions(folder)
        target = _named(folder, whole, damaged, to) if to is not None else _before_current(folder, whole, damaged)
        if pinned_by is not None:
            # Before the link: a night that ends in between does not lead readers past it.
            write_pin(folder, Pin(target.id, target.sequence, pinned_by, datetime.now(UTC)))
        swing_on_record(folder, target.id, **({"pinned_by": pinned_by} if pinned_by else {}))
    return target


def unpin(folder: DataFolder) -> Version:
    """Let readers follow the nights again, and see the newest sound version at once.

    Raises:
        JourneymartError: Readers are not pinned, or no version is sound.
    """
    with link_lock(folder):
        if not folder.pin.exists():
            raise JourneymartError("Readers are not held to any version: nothing to unpin.")
        whole, _ = inspect_versions(folder)
        newest = next((v for v in reversed(whole) if not fault_within(v.path, v.manifest)), None)
        if newest is None:
            raise JourneymartError(f"No sound version is kept in {folder.versions}: run a night first.")
        lift_pin(folder)
        swing_on_record(folder, newest.id, because="unpinned")
    return newest


def _named(folder: DataFolder, whole: list[Version], damaged: Iterable[Damaged], to: str) -> Version:
    target = next((version for version in whole if version.id == to), None)
    fault = next((each.fault for each in damaged if each.id == to), None)
    if target:
        fault = fault_within(target.path, target.manifest)
        if fault is None:
            return target
    state = f"is damaged ({fault})" if fault else f"is not kept in {folder.versions}"
    raise JourneymartError(f"Version {to} {state}: {_choice(version for version in whole if version.id != to)}.")


def _before_current(folder: DataFolder, whole: list[Version], damaged: Iterable[Damaged]) -> Version:
    name = current_id(folder)
    manifests = {version.id: version.manifest for version in whole}
    manifests |= {each.id: each.manifest for each in damaged if each.manifest}
    current = manifests.get(name) if name else None
    older = [version for version in whole if current is None or version.sequence < current.sequence]
    for version in reversed(older):
        if not fault_within(version.path, version.manifest):
            return version
    before = f"older than {name} " if current else ""
    others = (version for version in whole if version.id != name)
    raise JourneymartError(f"No sound version {before}is kept in {folder.versions}: {_choice(others)}.")


def _choice(versions: Iterable[Version]) -> str:
    sound = [version.id for version in versions if not fault_within(version.path, version.manifest)]
    return f"choose one of {', '.join(sound)}" if sound else "run a night first"
