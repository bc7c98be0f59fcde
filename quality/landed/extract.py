"""A landed extract as the gate sees it: where it lies, how it is to be read, and what its manifest claims.

What lives here: plain values and the reading of `manifest.json`. Not here: landing (assets) and judging
(quality/gate/gate.py).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

from quality.contract.model import Contract
from quality.contract.reading import PLAIN, Reading
from storage.data_folder import StreamId
from storage.errors import JourneymartError

Mode = Literal["increment", "full"]

# Files of a landing partition: every delivered row, records that could not be parsed, what changed since the dump
# before; and the folder of what was delivered.
ROWS, REJECTED, CHANGES = "rows.parquet", "rejects.parquet", "changes.parquet"
FILES = "files"

# Why a record is a reject that has bytes its file's encoding does not know.
BAD_ENCODING = "bytes that are not valid in the file's encoding"


@dataclass(frozen=True)
class LandedExtract:
    """One landed extract to judge.

    Attributes:
        stream: Which stream.
        contract: What it must look like.
        extract_date: Which day's extract.
        timezone: IANA zone of times without an offset.
        mode: `increment`: every row is judged. `full`: only what changed since the last dump is.
        partition: Its landing folder.
        reading: How its texts are written.
    """

    stream: StreamId
    contract: Contract
    extract_date: date
    timezone: str
    mode: Mode
    partition: Path
    reading: Reading = PLAIN

    @property
    def judged_by(self) -> str:
        """Hash that changes whenever the same content would be judged otherwise."""
        return judged_by(self.contract, self.reading)

    @property
    def subject(self) -> str:
        """Its name in the ledger: `source/stream/date`."""
        return subject(self.stream, self.extract_date)

    @property
    def rows_file(self) -> Path:
        """Every delivered row, as text."""
        return self.partition / ROWS

    @property
    def judged_file(self) -> Path:
        """The rows to judge, as text."""
        return self.partition / (CHANGES if self.mode == "full" else ROWS)

    @property
    def rejects_file(self) -> Path:
        """Records that could not be parsed."""
        return self.partition / REJECTED


def judged_by(contract: Contract, reading: Reading) -> str:
    """Hash of a contract and of the reading rules it is judged with."""
    rules = json.dumps(asdict(reading), sort_keys=True)
    return hashlib.sha256(f"{contract.fingerprint} {rules}".encode()).hexdigest()


def subject(stream: StreamId, extract_date: date) -> str:
    """Name of an extract in the ledger."""
    return f"{stream}/{extract_date.isoformat()}"


@dataclass(frozen=True)
class LandedFile:
    """What the manifest claims of one delivered file."""

    name: str
    bytes: int
    sha256: str
    records: int
    rows: int
    rejects: int


@dataclass(frozen=True)
class LandingManifest:
    """What landing claims. `records` was counted independently of the parser that made rows and rejects.

    Attributes:
        stream: Which stream.
        extract_date: Which day's extract.
        mode: How it was delivered.
        files: The delivered files.
        records: Records in them.
        rows: Records that became rows.
        rejects: Records that could not be parsed.
        columns: Names of the columns as delivered, in order.
        sha256: Hash of the delivered content.
        as_declared: Each file holds as many records as its sender says.
        damaged: Files whose records may not be where they should be.
        unplaced: Records without a readable cursor, which the first extract date holds.
        is_history: The bulk history, whose size says nothing of a night's.
        vanished: Keys that are gone since the last dump; 0 unless `full`.
        delete_breaker: So many vanished that the dump itself is in doubt.
        compared_to: Extract date of the dump its changes were found against; None: of none.
        erased: Rows that did not land because somebody asked to be erased.
        late: Rows of earlier days, which a file cut by day did not hold yet when those days landed.
    """

    stream: StreamId
    extract_date: date
    mode: str
    files: tuple[LandedFile, ...]
    records: int
    rows: int
    rejects: int
    columns: tuple[str, ...]
    sha256: str
    as_declared: bool
    damaged: int
    unplaced: int
    is_history: bool
    vanished: int
    delete_breaker: bool
    compared_to: date | None
    erased: int = 0
    late: int = 0


def read_landing_manifest(partition: Path) -> LandingManifest:
    """Read what landing claims of one partition.

    Raises:
        JourneymartError: There is no manifest, or it does not say all it should.
    """
    path = partition / "manifest.json"
    try:
        said: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        full = said["mode"] == "full"
        compared = said["compared_to"]
        return LandingManifest(
            stream=StreamId(said["source"], said["system"], said["stream"]),
            extract_date=date.fromisoformat(said["extract_date"]),
            mode=said["mode"],
            files=tuple(
                LandedFile(**{name: each[name] for name in LandedFile.__dataclass_fields__}) for each in said["files"]
            ),
            records=int(said["records"]),
            rows=int(said["rows"]),
            rejects=int(said["rejects"]),
            columns=tuple(said["columns"]),
            sha256=said["sha256"],
            as_declared=bool(said["as_declared"]),
            damaged=len(said["damaged"]),
            unplaced=int(said["unplaced"]),
            is_history=bool(said["is_history"]),
            vanished=int(said["vanished"]) if full else 0,
            delete_breaker=bool(said["delete_breaker"]) if full else False,
            compared_to=date.fromisoformat(compared["extract_date"]) if compared else None,
            erased=int(said.get("erased", 0)),
            late=int(said.get("late", 0)),
        )
    except FileNotFoundError:
        raise JourneymartError(f"{partition} holds no landed extract: extract it again.") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise JourneymartError(
            f"{path} does not describe a landed extract ({type(error).__name__}): extract it again."
        ) from error
