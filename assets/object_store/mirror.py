"""Makes an object store show what the data folder shows: the version readers see, and none that is not kept.

The order is the promise: the pointer is read first and the link after it; the version is copied and read back byte by
byte, its manifest last; then one conditional PUT moves the pointer, and only then is removed what the data folder keeps
no more. Killed, refused or late at any point, readers of the store stay on one whole version, and the next call goes on
where this one ended. Whoever moves the link or the pointer meanwhile makes the PUT fail, and all is looked at again.
Not here: the requests (client.py), how it stands without changing anything (standing.py), when this is called
(orchestration/operations/object_store.py).
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from assets.object_store.client import MovedMeanwhileError, ObjectStore
from assets.object_store.pointer import CURRENT, Pointer, move_pointer, read_pointer
from assets.versions.manifest import File
from assets.versions.versions import VERSION_ID, Version, current_version, inspect_versions
from storage.data_folder import DataFolder, manifest_file, parquet_folder
from storage.errors import JourneymartError
from storage.files import sha256_of, whole_file
from storage.locks import link_lock

_VERSIONS = "versions/"
_COPIES = f"{parquet_folder(Path()).as_posix()}/"
_MANIFEST = manifest_file(Path()).as_posix()
# Several commands may move readers while a night copies; more than this often, something is wrong.
_TRIES = 5


@dataclass(frozen=True)
class Mirrored:
    """What was done: the version the store names, files that were sent, versions that were removed."""

    version: str
    sent: int
    removed: tuple[str, ...]


def mirror(folder: DataFolder, store: ObjectStore) -> Mirrored | None:
    """Copy what readers of the data folder see, point at it, and remove what is kept no more.

    Returns:
        What was done; None: nothing is published yet.

    Raises:
        JourneymartError: The store cannot be reached, is another publisher's, or does not give back what it was sent.
            Its readers see what they saw, or what the data folder shows.
    """
    publisher = _publisher(folder)
    for _ in range(_TRIES):
        # Before the link: a reader's version that is chosen after this cannot be overtaken unnoticed.
        pointer, tag = read_pointer(store)
        version = current_version(folder)
        if version is None:
            return None
        _require_ours(folder, store, pointer, publisher)
        sent = _copy(version, store)
        if pointer is None or pointer.version != version.id:
            to = Pointer(version.id, version.sequence, version.manifest.as_of.isoformat(), publisher)
            try:
                move_pointer(store, to, tag)
            except MovedMeanwhileError:
                continue
        return Mirrored(version.id, sent, _remove_not_kept(folder, store))
    raise JourneymartError(f"{store.url}/{CURRENT} is moved again and again by somebody else: see who publishes there.")


def not_kept(folder: DataFolder, store: ObjectStore) -> tuple[str, ...]:
    """Versions the store still holds, of which the data folder keeps nothing."""
    # The store first: what is published in between is in the folder by then.
    there = [name for name in store.folders(_VERSIONS) if VERSION_ID.fullmatch(name)]
    return tuple(name for name in there if not (folder.versions / name).exists())


def fault_of_copy(version: Version, store: ObjectStore) -> str | None:
    """What is wrong with a version's copy in the store, every byte of it read; None: nothing."""
    there = store.sizes(_home_of(version.id))
    for file in (*_public_files(version), _manifest_of(version)):
        if not _is_there(version, file, store, there):
            is_lost = f"{_home_of(version.id)}{file.name}" not in there
            return f"{file.name} is {'missing' if is_lost else 'not as it was written'}"
    return None


def _public_files(version: Version) -> tuple[File, ...]:
    """What of a version lies in the store beside its manifest: the Parquet copies of the marts."""
    return tuple(file for file in version.manifest.files if file.name.startswith(_COPIES))


def _manifest_of(version: Version) -> File:
    path = manifest_file(version.path)
    return File(_MANIFEST, path.stat().st_size, sha256_of(path))


def _home_of(version: str) -> str:
    return f"{_VERSIONS}{version}/"


def _copy(version: Version, store: ObjectStore) -> int:
    """Bring a version into the store; what is there with the very bytes is not sent again.

    Returns:
        How many files were sent.
    """
    there = store.sizes(_home_of(version.id))
    with ThreadPoolExecutor() as pool:
        sent = sum(pool.map(lambda file: _bring(version, file, store, there), _public_files(version)))
    return sent + _bring(version, _manifest_of(version), store, there)


def _bring(version: Version, file: File, store: ObjectStore, there: Mapping[str, int]) -> bool:
    """Have one file in the store, read back; whether it had to be sent."""
    key = f"{_home_of(version.id)}{file.name}"
    if _is_there(version, file, store, there):
        return False
    store.put_file(key, version.path / file.name)
    if store.sha256(key, file.bytes) != file.sha256:
        raise JourneymartError(
            f"{store.url}/{key} does not read back as it was sent: see to the store, then `journeymart run`."
        )
    return True


def _is_there(version: Version, file: File, store: ObjectStore, there: Mapping[str, int]) -> bool:
    """Whether the store holds just the bytes of a file."""
    key = f"{_home_of(version.id)}{file.name}"
    return there.get(key) == file.bytes and store.sha256(key, file.bytes) == file.sha256


def _remove_not_kept(folder: DataFolder, store: ObjectStore) -> tuple[str, ...]:
    """Remove versions the data folder keeps no more, each manifest first, so that none looks whole on its way out."""
    gone = not_kept(folder, store)
    for name in gone:
        manifest = f"{_home_of(name)}{_MANIFEST}"
        store.delete(sorted(store.sizes(_home_of(name)), key=lambda key: (key != manifest, key)))
    return gone


def _require_ours(folder: DataFolder, store: ObjectStore, pointer: Pointer | None, publisher: str) -> None:
    """Refuse to move what another data folder published, or a version that is newer than all this one knows."""
    if pointer is None:
        return
    if pointer.publisher != publisher:
        raise JourneymartError(
            f"{store.url} is published to from another data folder and names its version {pointer.version}: name "
            f"another prefix under `publish` in company.yml, or delete {CURRENT} there to take it over."
        )
    whole, damaged = inspect_versions(folder)
    known = [*(each.manifest for each in whole), *(each.manifest for each in damaged if each.manifest)]
    newest = max((manifest.sequence for manifest in known), default=0)
    if pointer.sequence >= newest and not (folder.versions / pointer.version).exists():
        raise JourneymartError(
            f"{store.url} names {pointer.version}, which is as new as anything this data folder holds and not of it: "
            "its readers are not led away from it: see who else publishes there; after a restore from a backup, delete "
            f"{CURRENT} there and `journeymart run`."
        )


def _publisher(folder: DataFolder) -> str:
    """Who this data folder is to a store: drawn once, and kept with it and its backups."""
    path = folder.publisher
    with link_lock(folder):
        if not path.exists():
            with whole_file(path) as new:
                new.write_text(secrets.token_hex(16) + "\n", encoding="utf-8")
    return path.read_text(encoding="utf-8").strip()
