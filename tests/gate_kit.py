"""What the tests of the gate share: a data folder into which one can land any extract, defects included."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from quality.contract.model import Column, Contract, Rule
from quality.gate.gate import Gate
from quality.gate.ledger import Ledger
from quality.gate.verdict import Verdict
from quality.landed.extract import LandedExtract, Mode
from quality.landed.manifest import ReadAs
from storage.data_folder import DataFolder, StreamId

DAY = date(2026, 3, 10)
STREAM = StreamId("helpdesk", "zendesk", "tickets")
Row = Sequence[str | None]


def column(kind: str, **settings: Any) -> Column:
    """A column without personal data."""
    return Column(type=kind, description=kind, **{"pii": "none", **settings})


def contract(columns: Mapping[str, Column] | None = None, rules: Sequence[Rule] = (), **settings: Any) -> Contract:
    """A contract with an id, a version and whatever else is asked for."""
    return Contract(
        **{
            "system": "zendesk",
            "stream": "tickets",
            "description": "Tickets. One row per ticket version.",
            "key": ("id",),
            "version": "updated_at",
            "columns": {
                "id": column("text", required=True),
                **(columns or {}),
                "updated_at": column("timestamp", required=True),
            },
            "rules": tuple(rules),
            **settings,
        }
    )


@dataclass
class Landing:
    """A data folder and the extracts landed in it, by hand, as landing would."""

    root: Path
    contract: Contract
    columns: Sequence[str] = ()
    timezone: str = "UTC"
    mode: Mode = "increment"
    claims: dict[str, Any] = field(default_factory=dict)
    stream: StreamId = STREAM
    verdict: Verdict | None = None

    @property
    def folder(self) -> DataFolder:
        return DataFolder(self.root / "data of the night")

    def land(
        self,
        rows: Sequence[Row],
        day: date = DAY,
        *,
        columns: Sequence[str] | None = None,
        rejects: Sequence[tuple[str, str]] = (),
        changes: Sequence[tuple[str, int | None, Row]] | None = None,
        **claims: Any,
    ) -> LandedExtract:
        """Land rows of text; `claims` are what the manifest says instead of the truth.

        Args:
            rows: Texts, in the order of the columns.
            day: Extract date.
            columns: Columns as delivered; by default those of the contract.
            rejects: Raw text and reason of records that could not be parsed; they follow the rows.
            changes: In mode `full`: operation, record number, and texts.
            claims: Fields of the manifest.
        """
        names = list(columns if columns is not None else self.contract.columns)
        partition = self.folder.landing_partition(self.stream, day)
        (partition / "files").mkdir(parents=True)
        file = f"{self.stream.stream}_{day}.csv"
        texts = [",".join(names), *(",".join(text or "" for text in row) for row in rows)]
        texts += [raw for raw, _ in rejects]
        content = "\n".join(texts).encode()
        (partition / "files" / file).write_bytes(content)
        _write_rows(partition / "rows.parquet", names, rows, [file] * len(rows), range(1, len(rows) + 1))
        pq.write_table(
            pa.table(
                {
                    "_file": pa.array([file] * len(rejects), pa.string()),
                    "_row": pa.array(range(len(rows) + 1, len(rows) + 1 + len(rejects)), pa.int64()),
                    "raw": pa.array([raw for raw, _ in rejects], pa.string()),
                    "reason": pa.array([reason for _, reason in rejects], pa.string()),
                }
            ),
            partition / "rejects.parquet",
        )
        changes = changes if changes is not None else [("upsert", n, row) for n, row in enumerate(rows, 1)]
        if self.mode == "full":
            numbers = [number for _, number, _ in changes]
            _write_rows(
                partition / "changes.parquet",
                names,
                [row for _, _, row in changes],
                [file if number else None for number in numbers],
                numbers,
                operations=[operation for operation, _, _ in changes],
            )
        counts = {"records": len(rows) + len(rejects), "rows": len(rows), "rejects": len(rejects)}
        said = {
            "source": self.stream.source,
            "system": self.stream.system,
            "stream": self.stream.stream,
            "extract_date": day.isoformat(),
            "mode": self.mode,
            "window": [None, (day + timedelta(days=1)).isoformat()],
            "cursor": None,
            "files": [
                {
                    "name": file,
                    "bytes": len(content),
                    "sha256": hashlib.sha256(content).hexdigest(),
                    **counts,
                }
            ],
            **counts,
            "columns": names,
            "schema_fingerprint": "",
            "sha256": hashlib.sha256(content).hexdigest(),
            "is_history": False,
            "as_declared": True,
            "damaged": [],
            "unplaced": 0,
            "read_as": asdict(ReadAs(1, "UTC", "utf-8", ",", 1, 1_000_000, self.contract.key)),
            "vanished": sum(operation == "delete" for operation, _, _ in changes),
            "delete_breaker": False,
            "compared_to": None,
            **self.claims,
            **claims,
        }
        (partition / "manifest.json").write_text(json.dumps(said))
        return self.extract(day)

    def extract(self, day: date = DAY) -> LandedExtract:
        """The landed extract, as it is given to the gate."""
        partition = self.folder.landing_partition(self.stream, day)
        return LandedExtract(self.stream, self.contract, day, self.timezone, self.mode, partition)

    def judge(self, *extracts: LandedExtract, ledger: Ledger | None = None) -> list[Verdict]:
        """Send extracts through the gate."""
        with Gate(self.folder, ledger) as gate:
            return gate.judge(extracts)

    def accepted(self, day: date = DAY) -> list[dict[str, Any]]:
        """Accepted rows of an extract."""
        path = self.folder.accepted_partition(self.stream, day) / "rows.parquet"
        rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
        return rows

    def quarantined(self, day: date = DAY) -> list[dict[str, Any]]:
        """Quarantined rows of an extract; none without a partition."""
        path = self.folder.quarantine_partition(self.stream, day) / "rows.parquet"
        rows: list[dict[str, Any]] = pq.read_table(path).to_pylist() if path.exists() else []
        return rows


def outcome(verdict: Verdict, kind: str) -> str:
    """Outcome of one check of a verdict."""
    return next(check.outcome for check in verdict.checks if check.kind == kind)


def metadata(verdict: Verdict, kind: str) -> Mapping[str, Any]:
    """Metadata of one check of a verdict."""
    return next(check.metadata for check in verdict.checks if check.kind == kind)


def _write_rows(
    path: Path,
    names: Sequence[str],
    rows: Sequence[Row],
    files: Sequence[str | None],
    numbers: Sequence[int | None],
    *,
    operations: Sequence[str] | None = None,
) -> None:
    arrays = [pa.array([row[place] for row in rows], pa.string()) for place in range(len(names))]
    arrays += [pa.array(files, pa.string()), pa.array(numbers, pa.int64())]
    names = [*names, "_file", "_row"]
    if operations is not None:
        arrays.append(pa.array(operations, pa.string()))
        names = [*names, "_op"]
    pq.write_table(pa.Table.from_arrays(arrays, names=names), path)
