"""Published versions and the link readers follow: list, choose a base, start a build, roll back, prune.

Not here: making a version (publish.py).
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
from storage.data_folder import DataFolder, manifest_file, marts_file, warehouse_file
from storage.errors import JourneymartError
from storage.files import clone_file, require_free_space, settled_stamp
from storage.folders import flush
from storage.locks import link_lock

_log = logging.getLogger(__name__)

_VERSION_ID = re.compile(r"\d{4}-\d{2}-\d{2}-[0-9A-Za-z_-]{1,8}")
_REMOVING = ".removing-"
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


def version_id(as_of: date, run_id: str) -> str:
    """Name of the version a run makes."""
    name = f"{as_of.isoformat()}-{run_id[:8]}"
    if not _VERSION_ID.fullmatch(name):
        raise JourneymartError(f"'{run_id}' cannot name a version: a run id starts with letters, digits, '-' or '_'.")
    return name


def list_versions(folder: DataFolder) -> tuple[Version, ...]:
    """The whole versions kept, oldest first. A folder that lost its manifest or a file is none."""
    if not folder.versions.is_dir():
        return ()
    found = (_read_version(path) for path in folder.versions.iterdir() if _VERSION_ID.fullmatch(path.name))
    return tuple(sorted((version for version in found if version), key=lambda version: version.sequence))


def current_id(folder: DataFolder) -> str | None:
    """Name of the version readers see; None before the first publish."""
    try:
        return folder.current.readlink().name
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        raise JourneymartError(f"{folder.current} is not a link: move it away, then run the night again.") from None


def current_version(folder: DataFolder) -> Version | None:
    """The version readers see; None before the first publish.

    Raises:
        JourneymartError: The link names a version that is not whole any more.
    """
    name = current_id(folder)
    if name is None:
        return None
    version = _read_version(folder.versions / name)
    if version is None:
        raise JourneymartError(f"{folder.current} names {name}, which is not whole: roll back, or run the next night.")
    return version


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


def base_of_build(folder: DataFolder) -> str | None:
    """Name of the version the running build started from; None: from nothing, or no build runs."""
    path = folder.build / _BASE_FILE
    name: str | None = json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
    return name


def forget_base(folder: DataFolder) -> None:
    """Leave nothing in the build but what is published."""
    (folder.build / _BASE_FILE).unlink(missing_ok=True)


def sweep(folder: DataFolder) -> None:
    """Remove what killed nights left: `build/`, half-removed versions, a loose link. Needs the data lock."""
    with link_lock(folder):
        (folder.root / _NEXT_LINK).unlink(missing_ok=True)
    for path in folder.versions.glob(f"{_REMOVING}*"):
        shutil.rmtree(path)
    if folder.build.exists():
        _wait_for_orphan(warehouse_file(folder.build))
        shutil.rmtree(folder.build)


def swing(folder: DataFolder, name: str) -> None:
    """Let readers see another version, in one step. Needs the link lock."""
    temporary = folder.root / _NEXT_LINK
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(f"{folder.versions.name}/{name}")
    temporary.replace(folder.current)
    flush(folder.root)


def rollback(folder: DataFolder, to: str | None = None) -> Version:
    """Let readers see an older version (or again a newer one), within a second, also while a night runs.

    Open readers finish on the version they opened. The rollback is recorded in `rollbacks.jsonl`. It says
    nothing about the next night, which builds on the newest version whose batches still stand, see
    `choose_base`, and is then what readers see.

    Args:
        folder: The data folder.
        to: Name of the version; None: the one before the current.

    Raises:
        JourneymartError: There is no such version, or it is not whole.
    """
    with link_lock(folder):
        current = current_id(folder)
        target = _rollback_target(folder, current, to)
        record = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "from": current, "to": target.id}
        # Recorded first: a record without a rollback explains itself, a rollback without a record does not.
        with (folder.root / "rollbacks.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
            file.flush()
            os.fsync(file.fileno())
        swing(folder, target.id)
    return target


def prune(folder: DataFolder, keep: int) -> tuple[str, ...]:
    """Remove the oldest versions beyond the newest `keep`; never the current nor the base of a running build.

    Readers that opened a removed version keep its files until they close them.

    Returns:
        Names of the versions removed.
    """
    if keep < 1:
        raise JourneymartError(f"At least one version is kept, not {keep}.")
    with link_lock(folder):
        versions = list_versions(folder)
        kept = {version.id for version in versions[-keep:]} | {current_id(folder), base_of_build(folder)}
        removed = tuple(version.id for version in versions if version.id not in kept)
        _put_aside(folder, removed)
    _remove_put_aside(folder, removed)
    return removed


def remove(folder: DataFolder, names: Iterable[str]) -> tuple[str, ...]:
    """Remove versions by name, but never the current nor the base of a running build.

    Returns:
        Names of those that must stay for now.
    """
    with link_lock(folder):
        there = [name for name in names if _VERSION_ID.fullmatch(name) and (folder.versions / name).exists()]
        kept = tuple(name for name in there if name in {current_id(folder), base_of_build(folder)})
        removed = tuple(name for name in there if name not in kept)
        _put_aside(folder, removed)
    _remove_put_aside(folder, removed)
    return kept


def _put_aside(folder: DataFolder, names: Iterable[str]) -> None:
    for name in names:
        (folder.versions / name).rename(folder.versions / f"{_REMOVING}{name}")


def _remove_put_aside(folder: DataFolder, names: Iterable[str]) -> None:
    for name in names:
        try:
            shutil.rmtree(folder.versions / f"{_REMOVING}{name}")
        except OSError as error:
            # A reader may be spilling into the folder; the night is published all the same.
            _log.warning(
                "version %s could not be removed yet (%s): the next night tries again",
                name,
                error.strerror,
            )


def _read_version(path: Path) -> Version | None:
    """A version, if its manifest is readable and every file it names has its size."""
    try:
        manifest = _manifest_of(path)
        whole = all((path / file.name).stat().st_size == file.bytes for file in manifest.files)
    except (JourneymartError, FileNotFoundError, NotADirectoryError):
        return None
    return Version(path.name, path, manifest) if whole and manifest.version == path.name else None


def _manifest_of(path: Path) -> Manifest:
    """The manifest of a version, read once in a process while its file stays the same."""
    stamp = settled_stamp(manifest_file(path).stat())
    return _known_manifest(path, stamp) if stamp else read_manifest(path)


@lru_cache(maxsize=64)
def _known_manifest(path: Path, stamp: str) -> Manifest:
    del stamp
    return read_manifest(path)


def _rollback_target(folder: DataFolder, current: str | None, to: str | None) -> Version:
    versions = list_versions(folder)
    by_id = {version.id: version for version in versions}
    known = f"choose one of {', '.join(by_id)}" if by_id else "run a night first"
    if to is not None:
        if to in by_id:
            return by_id[to]
        state = "is not whole" if (folder.versions / to).is_dir() and _VERSION_ID.fullmatch(to) else "is not kept"
        raise JourneymartError(f"Version {to} {state} in {folder.versions}: {known}.")
    if current not in by_id:
        raise JourneymartError(f"There is no whole current version in {folder.root} to go back from: {known}.")
    older = [version for version in versions if version.sequence < by_id[current].sequence]
    if not older:
        raise JourneymartError(f"No version older than {current} is kept in {folder.versions}: {known}.")
    return older[-1]


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
