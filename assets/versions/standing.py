"""How the versions of a data folder stand: which are sound, which are damaged, whether the link leads to a sound one.

What lives here: the one look at them that nights, `status`, `rollback` and `doctor` share, its sentences, and mending
the link. Not here: what is wrong with a file (soundness.py), listing versions (versions.py).

A version is sound if its manifest and every byte it names are as they were written. Bytes are read of the version
readers see and of the newest, so of what a night builds on; of the others, kinds and sizes of files. Only a version
that was read to the last byte is ever shown to readers.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence, Set
from dataclasses import dataclass

from assets.versions.manifest import Manifest
from assets.versions.pin import Pin, read_pin
from assets.versions.soundness import fault_within
from assets.versions.versions import (
    Damaged,
    Version,
    choose_base,
    current_id,
    inspect_versions,
    link_fault,
    swing_on_record,
)
from storage.data_folder import DataFolder
from storage.locks import link_lock

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Standing:
    """What is kept, and in which state.

    Attributes:
        sound: The sound versions, oldest first.
        damaged: The others.
        seen: The version readers see; None: none, or a damaged one.
        link: What is wrong with the link, in a sentence without its full stop; None: nothing.
        pin: What readers are held to; None: they follow the nights.
    """

    sound: tuple[Version, ...]
    damaged: tuple[Damaged, ...]
    seen: Version | None
    link: str | None
    pin: Pin | None = None

    @property
    def newest(self) -> Version | None:
        """The newest sound version."""
        return self.sound[-1] if self.sound else None

    @property
    def mended(self) -> Version | None:
        """What readers see once a broken link is mended: the newest sound version, none past the pin."""
        held = [version for version in self.sound if self.pin is None or version.sequence <= self.pin.sequence]
        return held[-1] if held else None

    @property
    def reached(self) -> Version | None:
        """The version nights go on from: what readers see once the link is mended; behind a pin, the newest."""
        return self.newest if self.pin else self.seen or self.newest

    @property
    def last_said(self) -> Manifest | None:
        """The manifest of the newest version whose manifest can be read, also where its files are damaged."""
        known = [*(version.manifest for version in self.sound), *(each.manifest for each in self.damaged)]
        return max((manifest for manifest in known if manifest), key=lambda manifest: manifest.sequence, default=None)

    @property
    def sentences(self) -> tuple[str, ...]:
        """What is damaged, and what mends it, a sentence each; empty if all is well."""
        said = tuple(each.sentence for each in self.damaged)
        if self.link is None:
            return said
        mended = f"lets readers see {self.mended.id} and " if self.mended else ""
        return (*said, f"{self.link}: `journeymart run` {mended}builds what is lacking from the accepted extracts.")


def look(folder: DataFolder, *, every: bool = False) -> Standing:
    """See how the versions stand.

    Args:
        folder: The data folder.
        every: Read all bytes of every version.
    """
    whole, damaged = inspect_versions(folder)
    name = current_id(folder)
    sound: list[Version] = []
    for version in reversed(whole):
        is_read = every or version.id == name or not sound
        if is_read and (fault := fault_within(version.path, version.manifest)):
            damaged.append(Damaged(version.id, fault, version.manifest))
        else:
            sound.insert(0, version)
    was_published = sound or damaged or os.path.lexists(folder.current)
    return Standing(
        sound=tuple(sound),
        damaged=tuple(sorted(damaged, key=lambda each: each.id)),
        seen=next((version for version in sound if version.id == name), None),
        link=link_fault(folder, sound, damaged) if was_published else None,
        pin=read_pin(folder),
    )


def mend_link(folder: DataFolder) -> str | None:
    """Let readers see the newest sound version, none past a pin, where the link leads to none.

    The caller holds the data lock.

    Returns:
        What was done, in a sentence; None: nothing was wrong, or no version is sound.
    """
    with link_lock(folder):
        standing = look(folder)
        if standing.link is None or standing.mended is None:
            return None
        swing_on_record(folder, standing.mended.id, because=standing.link)
    return f"Readers see {standing.mended.id} now, as of {standing.mended.manifest.as_of}."


def sound_base(versions: Sequence[Version], accepted_batches: Set[str], fingerprint: str) -> Version | None:
    """The base `choose_base` names, every byte of it read; one that is damaged is passed over.

    Args:
        versions: Those kept, oldest first.
        accepted_batches: Identities of all that is accepted.
        fingerprint: What the night builds by.
    """
    left = list(versions)
    while base := choose_base(left, accepted_batches, fingerprint):
        fault = fault_within(base.path, base.manifest)
        if fault is None:
            return base
        _log.warning("version %s is damaged (%s): the night builds on an older one", base.id, fault)
        left.remove(base)
    return None
