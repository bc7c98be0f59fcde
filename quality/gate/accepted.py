"""Accepted partitions: the typed rows of one extract that passed, and the batch they make.

What lives here: writing and listing them. Not here: deciding what is accepted (gate.py), loading it (assets).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from quality.gate.ledger import Outcome
from quality.landed.extract import LandedExtract
from quality.landed.manifest import LandingManifest, read_manifest
from quality.past.profiles import Profile, keep_profile
from quality.rows.casts import identifier, literal
from quality.rows.counts import BatchCounts
from quality.rows.work import ADDED_COLUMNS, WORK
from storage.data_folder import DataFolder, StreamId
from storage.descriptions import read_described
from storage.errors import JourneymartError
from storage.files import sha256_of
from storage.folders import replaced_folder
from storage.sealed import Holds, read_description, write_description

ROWS = "rows.parquet"
DESCRIPTION = "batch.json"


@dataclass(frozen=True)
class AcceptedBatch:
    """One accepted extract of one stream.

    Attributes:
        batch_id: sha256 of its rows' file: the same rows of the same extract make the same batch.
        source: Installation.
        system: Vendor.
        stream: Object.
        extract_date: Which day's extract.
        rows: Rows accepted.
        quarantined: Rows of the extract in quarantine, records that could not be parsed included.
        landing_sha256: Hash of the landed content it was made from.
        contract_fingerprint: Hash of the contract and the reading rules it was judged by.
        records: Records delivered, of a dump all of them; None: judged before this was kept.
        checks_passed: Checks of the gate that passed; None: judged before this was kept.
        checks_warned: Those that only warned.
        checks_failed: Those that failed and do not keep an extract out.
        warned: What those that warned say, in words; empty where none did or a person approved of it.
    """

    batch_id: str
    source: str
    system: str
    stream: str
    extract_date: date
    rows: int
    quarantined: int
    landing_sha256: str
    contract_fingerprint: str
    records: int | None = None
    checks_passed: int | None = None
    checks_warned: int | None = None
    checks_failed: int | None = None
    warned: str = ""

    @property
    def stream_id(self) -> StreamId:
        """The stream it belongs to."""
        return StreamId(self.source, self.system, self.stream)

    @property
    def judgement(self) -> str:
        """What the gate said of it beside its rows, in few characters; the same rows may be judged otherwise later."""
        said = (self.quarantined, self.records, self.checks_passed, self.checks_warned, self.checks_failed)
        counts = "/".join("?" if count is None else str(count) for count in said)
        return f"{counts}/{hashlib.sha256(self.warned.encode()).hexdigest()[:8]}" if self.warned else counts


_SHAPE = ", ".join([*(field.name for field in fields(AcceptedBatch)), "files"])


def write_accepted(
    connection: duckdb.DuckDBPyConnection,
    folder: DataFolder,
    *,
    extract: LandedExtract,
    manifest: LandingManifest,
    counts: BatchCounts,
    profile: Profile,
    outcomes: Sequence[Outcome],
    warned: str,
    batch: int,
) -> AcceptedBatch:
    """Write the rows of one batch that are not quarantined, in place of what was accepted before.

    The same rows give the same bytes: they are ordered by file and record number.

    Args:
        connection: Holds the working table.
        folder: Data folder.
        extract: The extract.
        manifest: What was landed.
        counts: Counts of the batch.
        profile: What it looks like.
        outcomes: What each check of it said.
        warned: What those that warned say, in words.
        batch: Its number in the working table.

    Raises:
        JourneymartError: The written file holds another number of rows than was counted.
    """
    contract = extract.contract
    columns = ", ".join(map(identifier, (*contract.columns, *ADDED_COLUMNS)))
    order = ", ".join(["_file nulls last", "_row nulls last", *map(identifier, contract.key)])
    with replaced_folder(folder.accepted_partition(extract.stream, extract.extract_date)) as partition:
        rows = partition / ROWS
        # Its name makes the file of an extract without rows one of its own.
        written = connection.execute(
            f"copy (select {columns} from {WORK} "
            f"where _batch = {batch} and not _quarantined order by {order}) "
            f"to {literal(str(rows))} "
            f"(format parquet, compression zstd, kv_metadata {{extract: {literal(extract.subject)}}})"
        ).fetchone()
        if written is None or written[0] != counts.accepted:
            raise JourneymartError(
                f"{rows} does not hold the {counts.accepted} rows that passed the gate: run the night again."
            )
        made = AcceptedBatch(
            batch_id=sha256_of(rows),
            source=extract.stream.source,
            system=extract.stream.system,
            stream=extract.stream.stream,
            extract_date=extract.extract_date,
            rows=counts.accepted,
            quarantined=counts.quarantined + manifest.rejects,
            landing_sha256=manifest.sha256,
            contract_fingerprint=extract.judged_by,
            records=manifest.records,
            checks_passed=outcomes.count("pass"),
            checks_warned=outcomes.count("warn"),
            checks_failed=len(outcomes) - outcomes.count("pass") - outcomes.count("warn"),
            warned=warned,
        )
        keep_profile(profile, partition)
        describe(made, partition)
    return made


def accepted_batches(folder: DataFolder) -> list[AcceptedBatch]:
    """Every accepted batch, ordered by source, stream and extract date.

    Raises:
        JourneymartError: A partition has no readable description.
    """
    return [batch for home in sorted(folder.accepted.glob("*/*")) for batch in accepted_of(home).values()]


def accepted_of(home: Path) -> dict[date, AcceptedBatch]:
    """Every accepted batch of one stream by extract date, given the stream's folder; others may just be judged.

    Raises:
        JourneymartError: A partition has no readable description.
    """
    found = {}
    for day, described in _descriptions(home).items():
        if described is None:
            raise _unreadable(home / day / DESCRIPTION)
        found[date.fromisoformat(day)] = _batch(described[0])
    return found


def accepted_readable(home: Path) -> dict[date, tuple[AcceptedBatch, Holds]]:
    """The accepted batches of one stream whose description can be read, and their files, given the stream's folder."""
    return {
        date.fromisoformat(day): (_batch(described[0]), described[1])
        for day, described in _descriptions(home).items()
        if described
    }


def _descriptions(home: Path) -> dict[str, tuple[dict[str, Any], Holds] | None]:
    """What every accepted batch of a stream says, and its files, by extract date; None: that cannot be read."""

    def read(path: Path, text: bytes) -> tuple[dict[str, Any], Holds] | None:
        try:
            batch, holds = _described(path, text)
        except JourneymartError:
            return None
        return _plain(batch), holds

    return read_described(home, DESCRIPTION, _SHAPE, read) if home.is_dir() else {}


def is_accepted_as_landed(folder: DataFolder, stream: StreamId, extract_date: date) -> bool:
    """Whether an extract was accepted from the very content that is in landing now."""
    path = folder.accepted_partition(stream, extract_date) / DESCRIPTION
    landed = folder.landing_partition(stream, extract_date)
    return path.exists() and read_batch(path).landing_sha256 == read_manifest(landed).sha256


def describe(batch: AcceptedBatch, partition: Path) -> None:
    """Write the description of an accepted batch beside its files, which lie there by now; `read_batch` reads it."""
    write_description(partition / DESCRIPTION, _plain(batch))


def read_batch(path: Path) -> AcceptedBatch:
    """Read the description of one accepted batch, a `batch.json`.

    Raises:
        JourneymartError: It is not readable.
    """
    try:
        text = path.read_bytes()
    except OSError as error:
        raise _unreadable(path) from error
    return _described(path, text)[0]


def _described(path: Path, text: bytes) -> tuple[AcceptedBatch, Holds]:
    try:
        said, holds = read_description(text)
        batch = _batch(said)
    except (ValueError, KeyError, TypeError) as error:
        raise _unreadable(path) from error
    # Descriptions of older releases name no files.
    return batch, holds or {ROWS: (None, batch.batch_id)}


def _unreadable(path: Path) -> JourneymartError:
    return JourneymartError(f"{path} does not describe an accepted extract: `journeymart doctor` says what to do.")


def _plain(batch: AcceptedBatch) -> dict[str, Any]:
    return {**asdict(batch), "extract_date": batch.extract_date.isoformat()}


def _batch(said: dict[str, Any]) -> AcceptedBatch:
    return AcceptedBatch(**{**said, "extract_date": date.fromisoformat(said["extract_date"])})
