"""A landed extract as the gate sees it: where it lies, and how it is to be read.

Not here: what landing claims of it (manifest.py), landing (assets/landing), judging (quality/gate).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from quality.contract.model import Contract
from quality.contract.reading import PLAIN, Reading
from storage.data_folder import StreamId

Mode = Literal["increment", "full"]

# Files of a landing partition: every delivered row, records that could not be parsed, what changed since the dump
# before; and the folder of what was delivered.
ROWS, REJECTED, CHANGES = "rows.parquet", "rejects.parquet", "changes.parquet"
FILES = "files"

# Columns of a landed row that say which record of which delivered file it is of.
ORIGIN = ("_file", "_row")

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
