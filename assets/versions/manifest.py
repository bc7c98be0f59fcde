"""What a version was built from and what it holds: `manifest.json`.

Not here: making one (publish.py), checking one (verify.py).

Standard library only: the process that verifies a version reads manifests and must start fast.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from quality.gate.approvals import Approval, approval_of
from storage.data_folder import manifest_file, parquet_folder
from storage.errors import JourneymartError
from storage.sealed import sealed, unsealed

# What follows from other fields of a manifest.
_DERIVED = ("is_stale", "stale_since", "stale_sources")
_COPIES = parquet_folder(Path()).as_posix()
# What makes the models where the company file names no engine.
DUCKDB = "duckdb"


@dataclass(frozen=True)
class Batch:
    """One accepted extract a version was built from; `judgement` tells whether the gate now says otherwise of it."""

    batch_id: str
    source: str
    system: str
    stream: str
    extract_date: date
    rows: int
    judgement: str = ""


@dataclass(frozen=True)
class DefinitionChange:
    """A definition that was not what it had been: in which night, `kind/name`, and added, changed or removed."""

    as_of: date
    name: str
    change: str


@dataclass(frozen=True)
class Missing:
    """A stream of which a version lacks extracts up to its business date: since which date, and of how many."""

    source: str
    stream: str
    since: date
    days: int


@dataclass(frozen=True)
class Column:
    """One column of a table, with its DuckDB type."""

    name: str
    type: str


@dataclass(frozen=True)
class Table:
    """One table of one of the two DuckDB files.

    Attributes:
        database: `marts` or `warehouse`.
        schema: Schema inside the file.
        name: Table inside the schema.
        rows: Number of rows.
        columns: Columns in their order.
        hash: Sum over all rows of DuckDB's hash of the row, in decimal digits; means something only to the
            DuckDB version that wrote the manifest.
    """

    database: str
    schema: str
    name: str
    rows: int
    columns: tuple[Column, ...]
    hash: str


@dataclass(frozen=True)
class File:
    """One file of a version; `name` is its path inside the version's folder, with forward slashes."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Checks:
    """How many of the night's checks passed, and how many did not but do not block."""

    passed: int
    warned: int


@dataclass(frozen=True)
class Night:
    """What a night knows of itself before it publishes.

    Attributes:
        run_id: The night's run.
        as_of: Its business date.
        fingerprint: What it was built by, see fingerprint.py.
        batches: Every batch the build holds, the base's and the night's own.
        rows_in: Rows of the batches this night added, before quarantine.
        quarantined_rows: How many of them went to quarantine.
        missing: Streams of which extracts are missing.
        approvals: What it is built on that a person approved.
        begins: The first date each stream owes, by its name.
        definitions: What decides what its numbers mean, by name, as hashes.
        definition_changes: When they changed, since the first version of the data folder.
        engine: What made its models, as the company file names it.
    """

    run_id: str
    as_of: date
    fingerprint: str
    batches: tuple[Batch, ...]
    rows_in: int
    quarantined_rows: int
    missing: tuple[Missing, ...] = ()
    approvals: tuple[Approval, ...] = ()
    begins: Mapping[str, date] = field(default_factory=dict)
    definitions: Mapping[str, str] = field(default_factory=dict)
    definition_changes: tuple[DefinitionChange, ...] = ()
    engine: str = DUCKDB


@dataclass(frozen=True)
class Manifest:
    """What a version was built from and what it holds.

    Attributes:
        version: Name of the version's folder, `<as_of>-<first 8 of the run id>`.
        sequence: 1 for the first version of a data folder, then one more than the newest before it.
        as_of: Business date of the night.
        run_id: Run that built it.
        published_at: When it was published, UTC.
        previous: The newest version before it; None for the first.
        base: The version it started from; None when it was built from nothing.
        fingerprint: What it was built by; another fingerprint makes it no base.
        missing: Streams of which extracts are missing up to its business date.
        approvals: What it is built on that a person approved.
        begins: The first date each stream owes, by its name.
        rows_in: Rows of the batches the night added, before quarantine.
        quarantined_rows: How many of them went to quarantine.
        checks: The night's checks.
        duckdb_version: DuckDB that wrote the files.
        storage_version: Oldest DuckDB that can open them.
        batches: Every batch it holds.
        tables: Every table of both DuckDB files.
        files: Every file of the version but the manifest itself.
        definitions: What decides what its numbers mean, by name, as hashes.
        definition_changes: When they changed, since the first version of the data folder.
        engine: What made its models, as the company file names it.
    """

    version: str
    sequence: int
    as_of: date
    run_id: str
    published_at: datetime
    previous: str | None
    base: str | None
    fingerprint: str
    rows_in: int
    quarantined_rows: int
    checks: Checks
    duckdb_version: str
    storage_version: str
    batches: tuple[Batch, ...]
    tables: tuple[Table, ...]
    files: tuple[File, ...]
    missing: tuple[Missing, ...] = ()
    approvals: tuple[Approval, ...] = ()
    begins: Mapping[str, date] = field(default_factory=dict)
    definitions: Mapping[str, str] = field(default_factory=dict)
    definition_changes: tuple[DefinitionChange, ...] = ()
    engine: str = DUCKDB

    @property
    def batch_ids(self) -> frozenset[str]:
        """Identities of the batches it holds."""
        return frozenset(batch.batch_id for batch in self.batches)

    @property
    def is_stale(self) -> bool:
        """Whether anything is missing up to its business date."""
        return bool(self.missing)

    @property
    def stale_sources(self) -> tuple[str, ...]:
        """Sources of which something is missing."""
        return tuple(sorted({each.source for each in self.missing}))

    @property
    def stale_since(self) -> date | None:
        """The first date of which something is missing; None: nothing is."""
        return min((each.since for each in self.missing), default=None)

    @property
    def bytes(self) -> int:
        """Size of all its files together."""
        return sum(file.bytes for file in self.files)

    def tables_of(self, database: str) -> tuple[Table, ...]:
        """Tables of one file: `marts` or `warehouse`."""
        return tuple(table for table in self.tables if table.database == database)

    def unchanged_copies(self, marts: Iterable[Table], duckdb_version: str) -> dict[str, File]:
        """Its Parquet copies that hold just the rows of these marts, by mart; hashes of another DuckDB say nothing."""
        if self.duckdb_version != duckdb_version:
            return {}
        mine = {table.name: table for table in self.tables_of("marts")}
        copies = {Path(file.name).stem: file for file in self.files if file.name.startswith(f"{_COPIES}/")}
        return {table.name: copies[table.name] for table in marts if mine.get(table.name) == table}


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest of a build."""
    # What follows from the rest is written too, for those who read the file.
    said = {**vars(manifest), **{name: getattr(manifest, name) for name in _DERIVED}}
    manifest_file(folder).write_text(sealed(said, default=_plain), encoding="utf-8")


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a version or of a build about to become one.

    Raises:
        JourneymartError: There is none, or it is not whole.
    """
    path = manifest_file(folder)
    try:
        return _from_json(unsealed(path.read_bytes()))
    except (FileNotFoundError, NotADirectoryError):
        raise JourneymartError(f"{folder} is not a whole version: it has no {path.name}.") from None
    except OSError as error:
        raise JourneymartError(f"{path} cannot be read ({error.strerror}): restore it, or remove {folder}.") from error
    except (KeyError, TypeError, ValueError) as error:
        raise JourneymartError(f"{path} is damaged: restore it, or remove {folder}.") from error


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else vars(value)


def _from_json(values: dict[str, Any]) -> Manifest:
    batches = (
        Batch(**{**batch, "extract_date": date.fromisoformat(batch["extract_date"])}) for batch in values["batches"]
    )
    tables = (
        Table(**{**table, "columns": tuple(Column(**column) for column in table["columns"])})
        for table in values["tables"]
    )
    return Manifest(
        **{
            **{name: value for name, value in values.items() if name not in _DERIVED},
            "as_of": date.fromisoformat(values["as_of"]),
            "published_at": datetime.fromisoformat(values["published_at"]),
            "checks": Checks(**values["checks"]),
            "batches": tuple(batches),
            "tables": tuple(tables),
            "files": tuple(File(**file) for file in values["files"]),
            "missing": tuple(
                Missing(**{**each, "since": date.fromisoformat(each["since"])}) for each in values.get("missing", ())
            ),
            "approvals": tuple(approval_of(each) for each in values.get("approvals", ())),
            "begins": {name: date.fromisoformat(day) for name, day in values.get("begins", {}).items()},
            "definition_changes": tuple(
                DefinitionChange(**{**change, "as_of": date.fromisoformat(change["as_of"])})
                for change in values.get("definition_changes", ())
            ),
        }
    )
