"""How one stream is fetched, as plain values. Not here: parsing `company.yml` into them (orchestration)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from typing import Literal

from quality.contract.reading import PLAIN, Reading
from quality.mapping.model import StreamMapping
from storage.data_folder import StreamId


@dataclass(frozen=True)
class FileLimits:
    """What a delivered file may cost. Sizes in bytes; `max_ratio` is unpacked size over packed size."""

    max_bytes: int = 20 * 1024**3
    max_ratio: float = 200.0
    max_record_bytes: int = 1024**2


@dataclass(frozen=True)
class FileFormat:
    """How a delivered file is written, and what it may cost; the fields are those of `FileStream`."""

    encoding: str
    delimiter: str
    header_rows: int
    limits: FileLimits
    sheet: str | None = None


# What a pull lays into the drop folder: pages, by stream and date (assets/pulling/delivery.py).
PULLED_PATTERN = "{stream}/{date}/*.parquet"


@dataclass(frozen=True)
class PostgresPull:
    """How one stream is read from a PostgreSQL database.

    Attributes:
        connection_env: The environment variable that holds the connection URI.
        table: Table or view, with its schema where that is not on the user's search path; None: a query is read.
        query: A query to read in place of a table.
        key: Columns that name a record.
        cursor: Column that says when a row changed; None: the whole table is read (mode `full`).
        overlap: How far before its day an extract reads again, for rows committed after they were written.
        statement_timeout: After how long the database gives up a query.
        since: The first extract date reaches back to this day; None: to the beginning.
    """

    connection_env: str
    table: str | None
    query: str | None
    key: tuple[str, ...]
    cursor: str | None
    overlap: timedelta = timedelta(hours=1)
    statement_timeout: timedelta = timedelta(hours=1)
    since: date | None = None


@dataclass(frozen=True)
class RestPull:
    """How one stream is pulled from a vendor's API.

    Attributes:
        base: Scheme and host, `https://nordlicht.zendesk.com`.
        credentials_env: What the login needs: (name, environment variable that has it).
        hours: How long an extract may take; what came by then is kept.
        since: The first extract date reaches back to this day; None: to the beginning.
        version: The release of the vendor's API to ask; None: the one that is known here.
    """

    base: str
    credentials_env: tuple[tuple[str, str], ...]
    hours: float = 8.0
    since: date | None = None
    version: str | None = None


Pull = PostgresPull | RestPull


@dataclass(frozen=True)
class FileStream:
    """One stream delivered as files in a drop folder, ours where it is pulled.

    Attributes:
        stream: Which stream.
        location: fsspec URL or path of the drop folder.
        pattern: File name with `{stream}` and `{date}` (ISO day); may hold `*`. Without `{date}` one file
            serves every night: sliced by `cursor` in mode `increment`, compared by row hash in mode `full`.
        history: File name of the bulk history, read for the first extract date in place of `pattern`; None:
            no history.
        mode: `increment`: a file holds what changed on its date. `full`: a file is a dump of the whole table.
        cursor: Column that slices a file without `{date}` into windows [D, D+1) in the source's time zone.
        complete: How a delivery is known to be complete: `manifest` (a file `<file>.manifest.json` beside it
            with `rows`, `bytes` and `sha256`) or `rename` (the sender gives it its final name when done).
        when_missing: `block` the night, or `carry_forward` and mark the marts stale.
        timezone: IANA zone of times without an offset.
        encoding: Encoding of text files.
        delimiter: Field delimiter of CSV files.
        reading: How numbers, dates and nothing are written in it.
        header_rows: Rows before the first record of a CSV file or a sheet; the first of them names the columns.
        sheet: Which sheet of an Excel workbook; None: the only one.
        max_delete_share: In mode `full`, the largest share of known rows that may vanish at once.
        first_date: The first extract date; its window reaches back to the beginning.
        storage_options_env: Options of the fsspec file system: (option, environment variable that has it).
        known_hosts: A file of the hosts that are known, for an SFTP server; None: the user's own.
        host_key: The key an SFTP server must show; None: the file tells.
        limits: What a delivered file may cost.
        pull: How it is pulled into the drop folder; None: somebody else delivers.
        mapping: How rows of the contract are made of its files; None: they have the contract's columns.
    """

    stream: StreamId
    location: str
    pattern: str
    first_date: date
    history: str | None = None
    mode: Literal["increment", "full"] = "increment"
    cursor: str | None = None
    complete: Literal["manifest", "rename"] = "manifest"
    when_missing: Literal["block", "carry_forward"] = "block"
    timezone: str = "UTC"
    encoding: str = "utf-8"
    delimiter: str = ","
    reading: Reading = PLAIN
    header_rows: int = 1
    sheet: str | None = None
    max_delete_share: float = 0.2
    storage_options_env: tuple[tuple[str, str], ...] = ()
    known_hosts: str | None = None
    host_key: str | None = None
    limits: FileLimits = field(default_factory=FileLimits)
    pull: Pull | None = None
    mapping: StreamMapping | None = None

    @property
    def is_dated(self) -> bool:
        """Whether each date has a delivery of its own; else what is there says how things stand now."""
        return "{date}" in self.pattern and not (self.pull and self.mode == "full")

    @property
    def looks_up(self) -> tuple[str, ...]:
        """Streams of its source that its mapping looks anything up in, each once."""
        return tuple(dict.fromkeys(each.stream for each in self.mapping.lookups)) if self.mapping else ()

    @property
    def mapped_by(self) -> str | None:
        """Hash of what decides the rows its mapping makes of files: its reading rules, too; None: it has no mapping."""
        if self.mapping is None:
            return None
        said = json.dumps([self.mapping.fingerprint, asdict(self.reading)], sort_keys=True)
        return hashlib.sha256(said.encode()).hexdigest()

    @property
    def format(self) -> FileFormat:
        """How its files are written."""
        return FileFormat(self.encoding, self.delimiter, self.header_rows, self.limits, self.sheet)


def looked_up_first(streams: Sequence[FileStream]) -> list[FileStream]:
    """Streams of one source, each behind those it looks anything up in; else in their order."""
    by_name = {stream.stream.stream: stream for stream in streams}
    ordered: dict[str, FileStream] = {}

    def place(name: str) -> None:
        if name in by_name and name not in ordered:
            for other in by_name[name].looks_up:
                place(other)
            ordered[name] = by_name[name]

    for name in by_name:
        place(name)
    return list(ordered.values())
