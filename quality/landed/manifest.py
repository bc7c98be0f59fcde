"""What a landing partition holds: the shape, reading and writing of `manifest.json`.

Not here: making a partition (assets/landing), judging what it holds (quality/gate).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Literal

from quality.contract.reading import PLAIN, Reading
from quality.landed.extract import REJECTED, ROWS
from storage.data_folder import StreamId
from storage.descriptions import read_described
from storage.errors import JourneymartError
from storage.sealed import Holds, read_description, write_description

NAME = "manifest.json"


@dataclass(frozen=True)
class LandedFile:
    """One delivered file.

    Attributes:
        name: Its name in `files/`.
        bytes: Size as delivered.
        sha256: Hash of its bytes as delivered.
        records: Records in this partition, counted independently of the parser: `rows + rejects`, always; of a mapped
            file each record has one row or several.
        rows: Records in `rows.parquet`.
        rejects: Records in `rejects.parquet`.
        outside_window: Records of the file that belong to other extract dates.
        left_out: Further records of the file, which its mapping makes no row of. They are of no date: where a file is
            cut by day, every date says how many the whole file has.
        declared_rows: Records of the whole file as its sender's manifest says; None without one.
    """

    name: str
    bytes: int
    sha256: str
    records: int
    rows: int
    rejects: int
    outside_window: int = 0
    left_out: int = 0
    declared_rows: int | None = None


@dataclass(frozen=True)
class ReadAs:
    """How the files were read; `reader` is the version of our readers. Read otherwise, they land anew.

    `mapping` is a hash of what made rows of the contract of them; None: they are of it as delivered.
    """

    reader: int
    timezone: str
    encoding: str
    delimiter: str
    header_rows: int
    max_record_bytes: int
    key: tuple[str, ...]
    reading: Reading = PLAIN
    mapping: str | None = None
    sheet: str | None = None


@dataclass(frozen=True)
class Mapped:
    """What a mapping made of a whole delivery, in counts of records and names of columns.

    Attributes:
        not_ours: Records its `where` leaves out.
        without_values: Records with nothing in any of the columns that give rows.
        lacking: Columns it names that were not delivered, with the line that names them.
        unmapped: Delivered columns it says nothing of.
        without_partner: By look-up: records of this partition whose key the other stream does not know.
        unknown_then: Digests of their keys that nobody knew on their day: an extract to come may.
    """

    not_ours: int
    without_values: int
    lacking: tuple[str, ...]
    unmapped: tuple[str, ...]
    without_partner: Mapping[str, int] = field(default_factory=dict)
    unknown_then: tuple[str, ...] = ()


@dataclass(frozen=True)
class ComparedTo:
    """The dump that `changes.parquet` was derived against: its extract date, and a hash of what it holds."""

    extract_date: str
    sha256: str


@dataclass(frozen=True)
class LandingManifest:
    """One landed extract.

    Attributes:
        source: Installation.
        system: Vendor.
        stream: Object.
        extract_date: ISO day.
        mode: `increment` or `full`.
        window: Cursor window [from, to) as ISO days; from None reaches back to the beginning.
        cursor: Column that sliced the file into windows; None: the file is the window.
        files: Delivered files, by name.
        records: Records of this partition, counted independently of the parser.
        rows: Records in `rows.parquet`.
        rejects: Records in `rejects.parquet`.
        columns: Columns as delivered, in order; of a mapped delivery those it was mapped to.
        schema_fingerprint: Hash of `columns`.
        sha256: Hash of all that decides the content: the files' bytes, how they are read, the dump compared
            to.
        is_history: The extract is the bulk history.
        as_declared: Every file holds as many records as its sender's manifest says.
        damaged: Why records may not be where they should be, by file; empty if they are.
        unplaced: Records of a sliced file without a readable cursor; they belong to the first extract date.
        read_as: How the files were read.
        compared_to: In mode `full`, the dump before this one; None: this is the first.
        known: In mode `full`, keys in the dump before this one.
        vanished: In mode `full`, keys that are no longer there.
        delete_breaker: In mode `full`, more keys vanished than `max_delete_share` allows.
        erased: Rows that are gone because somebody asked to be erased.
        late: Rows of earlier days, which a file cut by day did not hold yet when those days landed.
        mapped: What the mapping made of the delivery; None: it has none.
    """

    source: str
    system: str
    stream: str
    extract_date: str
    mode: Literal["increment", "full"]
    window: tuple[str | None, str]
    cursor: str | None
    files: tuple[LandedFile, ...]
    records: int
    rows: int
    rejects: int
    columns: tuple[str, ...]
    schema_fingerprint: str
    sha256: str
    is_history: bool
    as_declared: bool
    damaged: tuple[str, ...]
    unplaced: int
    read_as: ReadAs
    compared_to: ComparedTo | None = None
    known: int | None = None
    vanished: int | None = None
    delete_breaker: bool | None = None
    erased: int = 0
    late: int = 0
    mapped: Mapped | None = None

    @property
    def date(self) -> date:
        """The extract date."""
        return date.fromisoformat(self.extract_date)

    @property
    def left_out(self) -> int:
        """Records of its files that the mapping makes no row of."""
        return sum(file.left_out for file in self.files)

    @property
    def stream_id(self) -> StreamId:
        """The stream it belongs to."""
        return StreamId(self.source, self.system, self.stream)


@dataclass(frozen=True)
class _Landed:
    """What is asked of every landed extract of a stream; the fields are those of its manifest."""

    sha256: str
    mapping: str | None
    unknown_then: tuple[str, ...]
    holds: Holds


def landed_contents(home: Path) -> dict[date, str]:
    """Hash of the content of every landed extract of a stream by extract date, given the stream's folder in landing.

    Raises:
        JourneymartError: The manifest of one does not have the shape this version writes.
    """
    return {day: each.sha256 for day, each in _readable(home).items()}


def landed_mappings(home: Path) -> dict[date, tuple[str | None, tuple[str, ...]]]:
    """By what each landed extract of a stream was mapped, and what was unknown then, given its folder in landing.

    In the words of the manifest, `ReadAs.mapping` and `Mapped.unknown_then`.

    Raises:
        JourneymartError: The manifest of one does not have the shape this version writes.
    """
    return {day: (each.mapping, each.unknown_then) for day, each in _readable(home).items()}


def landed_readable(home: Path) -> dict[date, tuple[str, Holds]]:
    """Content and files of the landed extracts of a stream whose manifest can be read, given its folder in landing."""
    return {day: (each.sha256, each.holds) for day, each in _landed(home).items() if each}


def _readable(home: Path) -> dict[date, _Landed]:
    """What is asked of every landed extract of a stream, by extract date."""
    found = {}
    for day, said in _landed(home).items():
        if said is None:
            raise _unreadable(home / day.isoformat() / NAME)
        found[day] = said
    return found


def _landed(home: Path) -> dict[date, _Landed | None]:
    """What is asked of every landed extract of a stream, by extract date; None: its manifest cannot be read."""

    def read(path: Path, text: bytes) -> tuple[str, str | None, tuple[str, ...], Holds] | None:
        try:
            manifest, holds = _manifest(path, text)
        except JourneymartError:
            return None
        unknown_then = manifest.mapped.unknown_then if manifest.mapped else ()
        return manifest.sha256, manifest.read_as.mapping, unknown_then, holds

    if not home.is_dir():
        return {}
    said = read_described(home, NAME, "sha256, mapping, unknown keys and files", read)
    return {
        date.fromisoformat(day): each and _Landed(each[0], each[1], tuple(each[2]), each[3])
        for day, each in said.items()
    }


def read_manifest(partition: Path) -> LandingManifest:
    """Read the manifest of a landing partition, given its folder or the manifest itself.

    Raises:
        JourneymartError: It is missing or does not have the shape this version writes.
    """
    path = partition if partition.name == NAME else partition / NAME
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        raise JourneymartError(f"{path.parent} holds no landed extract: land the extract again.") from None
    except OSError as error:
        raise _unreadable(path) from error
    return _manifest(path, text)[0]


def _manifest(path: Path, text: bytes) -> tuple[LandingManifest, Holds]:
    try:
        said, holds = read_description(text)
        compared_to, mapped = said["compared_to"], said.get("mapped")
        manifest = LandingManifest(
            **{
                **said,
                "window": tuple(said["window"]),
                "files": tuple(LandedFile(**file) for file in said["files"]),
                "columns": tuple(said["columns"]),
                "damaged": tuple(said["damaged"]),
                "read_as": _read_as(said["read_as"]),
                "compared_to": ComparedTo(**compared_to) if compared_to else None,
                "mapped": _mapped(mapped) if mapped else None,
            }
        )
    except (ValueError, KeyError, TypeError) as error:
        raise _unreadable(path) from error
    # Manifests of older releases name none of the files made of those delivered.
    return manifest, holds or {ROWS: (None, None), REJECTED: (None, None)}


def _unreadable(path: Path) -> JourneymartError:
    return JourneymartError(f"{path} does not describe a landed extract: `journeymart doctor` says what to do.")


def _mapped(said: Mapping[str, Any]) -> Mapped:
    # What landed before anything could be looked up does not say what was not found.
    lists = {name: tuple(said.get(name, ())) for name in ("lacking", "unmapped", "unknown_then")}
    return Mapped(**{**said, **lists})


def _read_as(said: Mapping[str, Any]) -> ReadAs:
    rules = said.get("reading", {})
    reading = Reading(**{**rules, "empty": tuple(rules["empty"])}) if rules else PLAIN
    return ReadAs(**{**said, "key": tuple(said["key"]), "reading": reading})


def write_manifest(manifest: LandingManifest, partition: Path) -> None:
    """Write the manifest into a landing partition, whose files lie there by now."""
    write_description(partition / NAME, asdict(manifest))
