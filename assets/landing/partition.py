"""Makes a landing partition: its files, its manifest, and the changes of a dump.

What lives here: putting one in its place, without people who were erased, and deriving the changes of dumps again
when the one before is another. Not here: what is in it (parse.py, portions.py), comparing rows (dump_changes.py).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path

from assets.erasure.landed import Forget
from assets.landing.connectors.config import FileStream
from assets.landing.dump_changes import write_changes
from assets.landing.parse import Portion
from quality.landed.extract import CHANGES, FILES, REJECTED, ROWS
from quality.landed.manifest import ComparedTo, LandingManifest, read_manifest, write_manifest
from storage.data_folder import DataFolder
from storage.files import share_file
from storage.folders import dated, replaced_folder


def land_without(stream: FileStream, folder: DataFolder, extract_date: date, forget: Forget) -> LandingManifest:
    """Land again what is in landing, without people who asked to be erased; dates of a dump oldest first.

    Args:
        stream: Which stream.
        folder: Data folder.
        extract_date: A date that is in landing.
        forget: Takes them out.
    """
    home = folder.landing_partition(stream.stream, extract_date).parent
    manifest = read_manifest(home / extract_date.isoformat())
    landed = compare_again(stream, home, manifest, forget)
    compare_successor(stream, home, extract_date)
    return landed


def content_hash(manifest: LandingManifest) -> str:
    """Hash of all that decides what the partition holds, what it passes on included."""
    return hash_of([_dump_hash(manifest), manifest.window, manifest.compared_to and asdict(manifest.compared_to)])


def _dump_hash(manifest: LandingManifest) -> str:
    """Hash of all that decides the rows of a whole delivery."""
    return hash_of(
        [
            sorted(file.sha256 for file in manifest.files),
            # What is said of no file there leaves the hashes of extracts that landed before it could be said.
            {name: said for name, said in asdict(manifest.read_as).items() if name != "sheet" or said is not None},
            manifest.mode,
            manifest.cursor,
            manifest.is_history,
        ]
    )


def hash_of(value: object) -> str:
    """Hash of a plain value."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def put_in_place(
    stream: FileStream,
    home: Path,
    manifest: LandingManifest,
    portion: Portion,
    *,
    files: Path,
    forget: Forget | None = None,
) -> LandingManifest:
    """Make a partition beside its place, and put it there."""
    with replaced_folder(home / manifest.extract_date) as ready:
        (ready / FILES).mkdir()
        for file in manifest.files:
            share_file(files / file.name, ready / FILES / file.name)
        share_file(portion.rows, ready / ROWS)
        share_file(portion.rejects, ready / REJECTED)
        if forget is not None:
            manifest = forget(manifest, ready)
            # A file that grows still holds people who were taken out of the dates before: they are not this date's.
            known = min(manifest.erased, portion.late)
            manifest = replace(manifest, erased=manifest.erased - known, late=manifest.late - known)
            manifest = replace(manifest, sha256=content_hash(manifest))
        if manifest.mode == "full":
            manifest = _compare(stream, home, manifest, ready)
        write_manifest(manifest, ready)
    return manifest


def _compare(stream: FileStream, home: Path, manifest: LandingManifest, ready: Path) -> LandingManifest:
    """Write the changes of a dump against the newest earlier one, and note the comparison in its manifest."""
    before = _dump_before(home, manifest.date)
    changes = write_changes(
        ready / ROWS,
        home / before.extract_date / ROWS if before else None,
        manifest.read_as.key,
        ready / CHANGES,
        same_content=before is not None and _dump_hash(before) == _dump_hash(manifest),
    )
    compared = replace(
        manifest,
        compared_to=_compared_to(before),
        known=changes.known,
        vanished=changes.vanished,
        delete_breaker=changes.vanished > stream.max_delete_share * changes.known,
    )
    return replace(compared, sha256=content_hash(compared))


def is_compared(stream: FileStream, home: Path, manifest: LandingManifest) -> bool:
    """Whether a dump's changes are those against the newest earlier dump, judged by today's breaker."""
    if manifest.mode != "full":
        return True
    over = (manifest.vanished or 0) > stream.max_delete_share * (manifest.known or 0)
    return manifest.compared_to == _compared_to(_dump_before(home, manifest.date)) and manifest.delete_breaker == over


def compare_again(
    stream: FileStream, home: Path, manifest: LandingManifest, forget: Forget | None = None
) -> LandingManifest:
    """Make a partition anew of what it holds, its changes derived from the dumps there are now."""
    partition = home / manifest.extract_date
    portion = Portion(partition / ROWS, partition / REJECTED, manifest.files)
    return put_in_place(stream, home, manifest, portion, files=partition / FILES, forget=forget)


def compare_successor(stream: FileStream, home: Path, day: date) -> tuple[date, ...]:
    """Derive the changes of the next dump again if the one before it is another now."""
    later = [each for each in landed_days(home) if each > day]
    if stream.mode != "full" or not later:
        return ()
    successor = read_manifest(home / later[0].isoformat())
    if is_compared(stream, home, successor):
        return ()
    compare_again(stream, home, successor)
    return (later[0],)


def _dump_before(home: Path, day: date) -> LandingManifest | None:
    earlier = [each for each in landed_days(home) if each < day]
    return read_manifest(home / earlier[-1].isoformat()) if earlier else None


def _compared_to(before: LandingManifest | None) -> ComparedTo | None:
    return ComparedTo(before.extract_date, _dump_hash(before)) if before else None


def landed_days(home: Path) -> list[date]:
    """Extract dates that are in landing of a stream, oldest first."""
    return dated(home)
