"""Published versions and the link readers follow: list, choose a base, start a build, swing the link.

Not here: making a version (publish.py), whether one is sound to the last byte (standing.py), which go (retention.py),
going back (rollback.py).
"""

from __future__ import annotations

import errno
import fcntl
import json
import logging
import os
import re
import shutil
import time
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path

from assets.versions.manifest import Manifest, read_manifest
from assets.versions.soundness import fault_at_a_look
from storage.data_folder import DataFolder, manifest_file, marts_file, warehouse_file
from storage.errors import JourneymartError
from storage.files import clone_file, require_free_space, settled_stamp
from storage.folders import flush
from storage.locks import link_lock

_log = logging.getLogger(__name__)

VERSION_ID = re.compile(r"\d{4}-\d{2}-\d{2}-[0-9A-Za-z_-]{1,8}")
REMOVING = ".removing-"
_NEXT_LINK = ".current-next"
_BASE_FILE = "base.json"
# A night needs room for the clone, for what it rewrites in it, and for the Parquet copies and what does not fit into
# memory.
_ROOM = 3
# For a byte of accepted rows, packed as they are: 32 in the version (measured with 20,000 customers), and as much again
# while it is built.
_ROOM_ARRIVING = 70
# How long an orphaned child of a killed night may go on writing before the next night gives up, in seconds.
_ORPHAN_PATIENCE = 60.0


@dataclass(frozen=True)
class Version:
    """One published set: its name, its folder and its manifest."""

    id: str
    path: Path
    manifest: Manifest

    @property
    def sequence(self) -> int:
        """Grows by one with every version of a data folder."""
        return self.manifest.sequence


@dataclass(frozen=True)
class Damaged:
    """A version that is not what its manifest says.

    Attributes:
        id: Its name.
        fault: What is wrong.
        manifest: Its manifest; None: that is what is damaged.
    """

    id: str
    fault: str
    manifest: Manifest | None

    @property
    def sentence(self) -> str:
        """What is damaged."""
        return f"Version {self.id} is damaged: {self.fault}."


def version_id(as_of: date, run_id: str) -> str:
    """Name of the version a run makes."""
    name = f"{as_of.isoformat()}-{run_id[:8]}"
    if not VERSION_ID.fullmatch(name):
        raise JourneymartError(f"'{run_id}' cannot name a version: a run id starts with letters, digits, '-' or '_'.")
    return name


def inspect_versions(folder: DataFolder) -> tuple[list[Version], list[Damaged]]:
    """The versions kept by a look at manifests, kinds and sizes of files: the whole, oldest first, and the damaged."""
    whole, damaged = [], []
    paths = sorted(folder.versions.iterdir()) if folder.versions.is_dir() else []
    for path in paths:
        if not VERSION_ID.fullmatch(path.name):
            continue
        try:
            manifest = _manifest_of(path)
        except JourneymartError:
            state = "not as it was written" if os.path.lexists(manifest_file(path)) else "missing"
            damaged.append(Damaged(path.name, f"{manifest_file(path).name} is {state}", None))
            continue
        if fault := fault_at_a_look(path, manifest):
            damaged.append(Damaged(path.name, fault, manifest))
        else:
            whole.append(Version(path.name, path, manifest))
    return sorted(whole, key=lambda version: version.sequence), damaged


def list_versions(folder: DataFolder) -> tuple[Version, ...]:
    """The whole versions kept, oldest first. A folder that lost its manifest or a file is none."""
    return tuple(inspect_versions(folder)[0])


def current_id(folder: DataFolder) -> str | None:
    """Name of the version the link names, whether it is there or not; None: there is no such link."""
    try:
        target = folder.root / folder.current.readlink()
    except OSError:
        return None
    return target.name if target.parent.resolve() == folder.versions.resolve() else None


def seen_version(folder: DataFolder) -> Version | None:
    """The version the link names, if a look finds it whole; None: there is none, or it is damaged."""
    name = current_id(folder)
    return next((version for version in list_versions(folder) if version.id == name), None)


def current_version(folder: DataFolder) -> Version | None:
    """The version readers see; None before the first publish.

    Raises:
        JourneymartError: What readers see is damaged, or nothing, though something was published.
    """
    found, damaged = inspect_versions(folder)
    name = current_id(folder)
    version = next((each for each in found if each.id == name), None)
    if version is None and (found or damaged or os.path.lexists(folder.current)):
        raise JourneymartError(f"{link_fault(folder, found, damaged)}: run the night, or `journeymart rollback`.")
    return version


def link_fault(folder: DataFolder, sound: Iterable[Version], damaged: Iterable[Damaged]) -> str | None:
    """What is wrong with the link, as a sentence without its full stop; None: it names a sound version."""
    link, name = folder.current, current_id(folder)
    if not os.path.lexists(link):
        return f"The link {link} is missing"
    if not link.is_symlink():
        return f"{link} is a {'folder' if link.is_dir() else 'file'} where a link should be"
    if name is None:
        return f"The link {link} leads to {link.readlink()}, which is no version"
    if any(each.id == name for each in damaged):
        return f"The link {link} names {name}, which is damaged"
    return None if any(each.id == name for each in sound) else f"The link {link} names {name}, which is not there"


def choose_base(versions: Sequence[Version], accepted_batches: Set[str], fingerprint: str) -> Version | None:
    """The newest of the kept versions, oldest first, that can be built upon; None: build from nothing.

    Every batch it holds must still be accepted (one re-extracted since has another id, and its old rows must
    go), and it must have been built by the same project. Which version readers see does not matter: after a
    rollback, a version newer than the current one is still the base when its batches all stand. If it was
    rolled back because of a bad batch, that batch leaves `accepted/` when it is extracted again; if because
    of a bad model, the fix changes the fingerprint: either way it is no base any more, and the night falls
    back on an older version by itself.
    """
    for version in reversed(versions):
        if version.manifest.fingerprint == fingerprint and version.manifest.batch_ids <= accepted_batches:
            return version
    return None


def start_build(folder: DataFolder, base: Version | None, arriving: int = 0) -> Path:
    """Clear what killed nights left and make `build/`: a clone of the base, or without one two empty folders.

    The caller holds the data lock. Nothing is flushed here: a build is worth nothing until it is published,
    and what a power cut leaves of it is swept away by the next night.

    Args:
        folder: The data folder.
        base: What to clone; None: nothing.
        arriving: Bytes of the accepted extracts that the base lacks.

    Returns:
        The build folder, closed to other users until it is published.

    Raises:
        JourneymartError: The disk has no room, or a child of a killed night still writes.
    """
    sweep(folder)
    held = base.manifest.bytes if base else 0
    require_free_space(folder.versions, _ROOM * held + _ROOM_ARRIVING * arriving, "to build the next version")
    build = folder.build
    build.mkdir(mode=0o700)
    for file_of in (warehouse_file, marts_file):
        file_of(build).parent.mkdir(mode=0o700)
        if base is not None:
            clone_file(file_of(base.path), file_of(build))
    (build / _BASE_FILE).write_text(json.dumps(base and base.id), encoding="utf-8")
    return build


def swing_on_record(folder: DataFolder, name: str, **why: str) -> None:
    """Let readers see another version, not by a night, and record it in `rollbacks.jsonl`. Needs the link lock.

    Args:
        folder: The data folder.
        name: Name of the version.
        why: What else is recorded.
    """
    at = datetime.now(UTC).isoformat(timespec="seconds")
    record = {"at": at, "from": current_id(folder), "to": name, **why}
    # Recorded first: a record without a rollback explains itself, a rollback without a record does not.
    with (folder.root / "rollbacks.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(record) + "\n")
        file.flush()
        os.fsync(file.fileno())
    swing(folder, name)


def base_of_build(folder: DataFolder) -> str | None:
    """Name of the version the running build started from; None: from nothing, or no build runs."""
    path = folder.build / _BASE_FILE
    name: str | None = json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
    return name


def forget_base(folder: DataFolder) -> None:
    """Leave nothing in the build but what is published."""
    (folder.build / _BASE_FILE).unlink(missing_ok=True)


def sweep(folder: DataFolder) -> None:
    """Remove what killed nights left: `build/`, `engine/`, half-removed versions, a loose link. Needs the data lock."""
    with link_lock(folder):
        (folder.root / _NEXT_LINK).unlink(missing_ok=True)
    for path in folder.versions.glob(f"{REMOVING}*"):
        shutil.rmtree(path)
    shutil.rmtree(folder.engine, ignore_errors=True)
    if folder.build.exists():
        _wait_for_orphan(warehouse_file(folder.build))
        shutil.rmtree(folder.build)


def swing(folder: DataFolder, name: str) -> None:
    """Let readers see another version, in one step; what lies in the link's place makes room. Needs the link lock."""
    if os.path.lexists(folder.current) and not folder.current.is_symlink():
        # Somebody's copy, perhaps: it makes room and is kept.
        folder.current.rename(folder.root / f"{folder.current.name}-was-no-link-{time.time_ns()}")
    temporary = folder.root / _NEXT_LINK
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(f"{folder.versions.name}/{name}")
    temporary.replace(folder.current)
    flush(folder.root)


def _manifest_of(path: Path) -> Manifest:
    """The manifest of a version, read once in a process while its file stays the same."""
    try:
        stamp = settled_stamp(manifest_file(path).stat())
    except OSError:
        stamp = None
    return _known_manifest(path, stamp) if stamp else read_manifest(path)


@lru_cache(maxsize=64)
def _known_manifest(path: Path, stamp: str) -> Manifest:
    del stamp
    return read_manifest(path)


def _wait_for_orphan(path: Path) -> None:
    """Wait until no other process has a DuckDB file open: dbt outlives a killed night by a moment.

    DuckDB locks the files it opens with POSIX record locks, so trying for one tells.
    """
    deadline = time.monotonic() + _ORPHAN_PATIENCE
    while path.exists():
        with path.open("r+b") as file:
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                if error.errno not in {errno.EACCES, errno.EAGAIN}:
                    raise
            else:
                return
        if time.monotonic() > deadline:
            raise JourneymartError(
                f"A process of an earlier night still writes {path}: stop it, then run the night again."
            )
        time.sleep(0.2)
