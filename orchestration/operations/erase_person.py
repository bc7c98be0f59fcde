"""Erases a person: enters who it is, then takes them out of every extract.

What lives here: the order of an erasure, which a kill may interrupt anywhere, and what is said of it. Not here: what
becomes of rows (assets/erasure/take_out.py), the register (assets/erasure/register.py), removing the versions that hold
them (erased_versions.py).

An extract is rewritten from its end to its beginning, quarantine, accepted, landing, so that one that was interrupted
is found again. Whom it is about stays in this process: digests are written, counts are said.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from assets.erasure.accepted import follow_landing, forget_accepted
from assets.erasure.landed import files_to_replace, forget_in
from assets.erasure.quarantined import forget_quarantined
from assets.erasure.register import BlockList, Register, open_register, settled
from assets.erasure.take_out import Taken, take_out
from assets.identity.suggest import SUGGESTIONS
from assets.landing.land import sweep
from assets.landing.partition import land_without
from assets.pulling.delivery import discard_pages
from assets.versions.versions import list_versions
from assets.versions.versions import sweep as sweep_versions
from orchestration.config.setup import Setup
from orchestration.operations.damaged_extracts import ASIDE
from orchestration.operations.named_person import (
    Partition,
    all_partitions,
    conversations_of,
    find_person,
    read_given,
)
from orchestration.operations.object_store import left_in_store
from quality.gate.accepted import accepted_batches
from quality.gate.approvals import follow_content
from quality.landed.extract import ROWS
from quality.landed.manifest import read_manifest
from storage.data_folder import DataFolder
from storage.faults import fault_point
from storage.folders import settle
from storage.locks import data_lock


@dataclass(frozen=True)
class Erasure:
    """What an erasure did.

    Attributes:
        due_at: By when the law wants it done; None: nobody was named and nothing was open.
        records: Records of the person that were found.
        counts: Rows dropped and emptied, extracts rewritten, by layer.
        versions: Published versions that hold the person until the next one is published.
    """

    due_at: datetime | None
    records: int
    counts: dict[str, int]
    versions: tuple[str, ...]


def erase(
    setup: Setup, emails: Sequence[str], phones: Sequence[str], ids: Sequence[str], requested_at: datetime
) -> Erasure:
    """Enter a person into the register and take them out of every extract; without one, finish what is open.

    Args:
        setup: Settings and sources.
        emails: E-mail addresses of the person, in any spelling.
        phones: Phone numbers with their country codes.
        ids: Records of the person, as source:stream:key.
        requested_at: When the person asked.

    Raises:
        JourneymartError: What was given names nobody or several people, the secret is not usable, a landed stream is
            not configured, or a night is running. Nothing was changed then.
    """
    with data_lock(setup.folder, "an erasure"):
        register = open_register(setup.folder)
        given = read_given(setup, emails, phones, ids)
        partitions = all_partitions(setup)
        _clear_up(setup)
        records = 0
        if given:
            person = find_person(setup, partitions, given)
            records = person.records
            marks = register.blocked().of(person.points, person.ids)
            register.enter(marks | conversations_of(register.blocked(marks), partitions), requested_at)
        elif not any(entry.status == "open" for entry in register.entries):
            return Erasure(None, 0, {}, ())
        counts = _take_out(setup, register.blocked(), partitions)
        (setup.settings.state / SUGGESTIONS).unlink(missing_ok=True)
        # Asked before anything is entered as done: where the store gives no answer, the erasure stays open.
        return _settle(setup.folder, register, records, counts, requested_at, in_store=left_in_store(setup))


def _clear_up(setup: Setup) -> None:
    """Remove what killed nights left half made, what has not landed and what was damaged: it may hold anybody."""
    folder = setup.folder
    for stream in setup.sources.streams:
        sweep(stream, folder)
        discard_pages(folder, stream.stream)
        for partition in (folder.accepted_partition, folder.quarantine_partition):
            settle(partition(stream.stream, stream.first_date).parent)
    for left in (*folder.accepted.glob(".gate-*"), *folder.root.glob(f"*/*/*/{ASIDE}*")):
        shutil.rmtree(left)
    sweep_versions(folder)


def _take_out(setup: Setup, blocked: BlockList, partitions: Sequence[Partition]) -> dict[str, int]:
    """Rewrite every extract that holds any of them; what was done, as counts."""
    folder = setup.folder
    counts: Counter[str] = Counter()
    hashes = {landed: read_manifest(landed).sha256 for *_, landed in partitions if (landed / "manifest.json").exists()}
    for stream, contract, day, landed in partitions:
        taken, files = Taken.nothing(), frozenset[str]()
        if landed in hashes:
            taken = take_out(blocked, contract, stream.stream.source, landed / ROWS)
            files = files_to_replace(blocked, read_manifest(landed), landed, taken)
        quarantined = folder.quarantine_partition(stream.stream, day)
        gone, told = forget_quarantined(blocked, stream.stream, quarantined, taken, files=files)
        accepted = forget_accepted(
            blocked,
            contract,
            stream.stream,
            folder.accepted_partition(stream.stream, day),
            files=files,
            fewer_quarantined=gone,
        )
        if files:
            land_without(stream, folder, day, forget_in(blocked, contract))
        counts.update(
            {
                "landed rows dropped": len(taken.dropped),
                "landed rows emptied": len(taken.emptied),
                "accepted rows dropped": len(accepted.dropped) if accepted else 0,
                "accepted rows emptied": len(accepted.emptied) if accepted else 0,
                "quarantined rows dropped": gone,
                "quarantined rows emptied": told,
                "extracts rewritten": int(bool(files or accepted or gone or told)),
            }
        )
        fault_point("in_erasure")
    for stream, _, day, landed in partitions:
        if landed in hashes:
            # What was accepted as it lay in landing still is, and need not be judged again.
            now = read_manifest(landed).sha256
            follow_landing(folder.accepted_partition(stream.stream, day), hashes[landed], now)
            follow_content(folder, stream.stream, day, hashes[landed], now)
    return dict(counts)


def _settle(
    folder: DataFolder,
    register: Register,
    records: int,
    counts: dict[str, int],
    now: datetime,
    *,
    in_store: Sequence[str],
) -> Erasure:
    """Enter what was done, and which versions hold what is no longer accepted."""
    accepted = {batch.batch_id for batch in accepted_batches(folder)}
    clean = {version.id for version in list_versions(folder) if version.manifest.batch_ids <= accepted}
    published = (path.name for path in folder.versions.glob("[0-9]*") if path.is_dir())
    versions = tuple(sorted({*(name for name in published if name not in clean), *in_store}))
    due = []
    for entry in register.entries:
        if entry.status == "open":
            evidence = dict(Counter(entry.evidence) + Counter(counts))
            register.save(settled(replace(entry, evidence=evidence), versions, now))
            due.append(entry.due_at)
    return Erasure(min(due), records, counts, versions)
