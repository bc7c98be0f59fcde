"""Where everything lies on disk: the names of folders and files. Nothing here opens them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path


@dataclass(frozen=True)
class StreamId:
    """One stream of one source system: `source` is the installation in company.yml, `system` its vendor."""

    source: str
    system: str
    stream: str

    def __str__(self) -> str:
        return f"{self.source}/{self.stream}"


@dataclass(frozen=True)
class DataFolder:
    """The data folder (`JOURNEYMART_DATA`, `data/` by default) and the names inside it."""

    root: Path

    @property
    def pulled(self) -> Path:
        """What was pulled from sources and has not landed yet."""
        return self.root / "pulled"

    @property
    def landing(self) -> Path:
        """Raw extracts, immutable, as delivered."""
        return self.root / "landing"

    @property
    def accepted(self) -> Path:
        """Typed rows that passed their contract; all that the build reads."""
        return self.root / "accepted"

    @property
    def quarantine(self) -> Path:
        """Rows that did not pass, with their reasons."""
        return self.root / "quarantine"

    @property
    def approvals(self) -> Path:
        """What people approved, one file each."""
        return self.root / "approvals"

    @property
    def closed_months(self) -> Path:
        """Figures of closed months as they were closed, and what was approved of them since."""
        return self.root / "closed_months"

    @property
    def ledgers(self) -> Path:
        """One ledger per night."""
        return self.root / "ledger"

    @property
    def build(self) -> Path:
        """The set a running night works on; swept away when a night starts."""
        return self.root / "build"

    @property
    def engine(self) -> Path:
        """Where an engine reads and writes while a night runs; swept away when a night starts."""
        return self.root / "engine"

    @property
    def versions(self) -> Path:
        """Published sets."""
        return self.root / "versions"

    @property
    def current(self) -> Path:
        """The symlink readers open."""
        return self.root / "current"

    @property
    def pin(self) -> Path:
        """Which version readers are held to, if they are."""
        return self.root / "pin.json"

    @property
    def publisher(self) -> Path:
        """Who this data folder is to an object store."""
        return self.root / "publisher"

    @property
    def lock(self) -> Path:
        """Locked by whoever changes the data folder."""
        return self.root / ".lock"

    def pulled_stream(self, stream: StreamId) -> Path:
        """Folder of what is pulled of one stream, by extract date."""
        return self.pulled / stream.source / stream.stream

    def landing_partition(self, stream: StreamId, extract_date: date) -> Path:
        """Folder of one landed extract."""
        return self.landing / stream.source / stream.stream / extract_date.isoformat()

    def accepted_partition(self, stream: StreamId, extract_date: date) -> Path:
        """Folder of one accepted extract: `rows.parquet`, `batch.json` and `profile.json`."""
        return self.accepted / stream.source / stream.stream / extract_date.isoformat()

    def quarantine_partition(self, stream: StreamId, extract_date: date) -> Path:
        """Folder of the rows of one extract that did not pass: `rows.parquet`."""
        return self.quarantine / stream.source / stream.stream / extract_date.isoformat()

    def ledger(self, run_id: str) -> Path:
        """Ledger of one night."""
        return self.ledgers / f"{run_id}.jsonl"


def warehouse_file(version: Path) -> Path:
    """The private DuckDB file of a build or version folder; its folder has mode 0700."""
    return version / "warehouse" / "warehouse.duckdb"


def spill_folder(build: Path) -> Path:
    """Where reading a build puts what does not fit into memory: beside the private file, and as private."""
    return warehouse_file(build).parent / ".spill"


def marts_file(version: Path) -> Path:
    """The public DuckDB file of a build or version folder."""
    return version / "marts" / "cx_marts.duckdb"


def parquet_folder(version: Path) -> Path:
    """The public Parquet copies of a build or version folder."""
    return version / "parquet"


# The pages every version holds, by name; the first is the one to open.
REPORT_PAGES = ("index", "journey")


def report_folder(version: Path) -> Path:
    """The pages of a build or version folder, for people who open no database."""
    return version / "report"


def report_file(version: Path, page: str) -> Path:
    """One page of a build or version folder."""
    return report_folder(version) / f"{page}.html"


def manifest_file(version: Path) -> Path:
    """What a version was built from and holds."""
    return version / "manifest.json"
