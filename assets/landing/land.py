"""Lands an extract: its bytes and its rows as text, in a partition that appears whole or not at all.

What lives here: the way from a complete delivery to a landing partition, its replacement, and which dumps are
compared. Not here: finding deliveries and reading formats (connectors/), cutting by day (cursor_window.py),
what changed between two dumps (dump_changes.py), what an extract must look like (the gate).

A partition is made in a temporary folder beside it, flushed, and renamed. The same bytes, read the same way,
change nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from assets.erasure.take_out import Forget, forgetting
from assets.landing.column_names import contract_names
from assets.landing.connectors.batch import REJECTS, ROW_NUMBER, Batch, ParsedFile, require_columns
from assets.landing.connectors.config import FileFormat, FileLimits, FileStream
from assets.landing.connectors.drop_folder import Copied, DroppedFile, copy_out, find_delivery, says_no_rows
from assets.landing.connectors.reader import is_json, is_text, open_file, raw_records, require_known_format
from assets.landing.cursor_window import cut_by_day
from assets.landing.deliveries import remember
from assets.landing.dump_changes import write_changes
from quality.contract.model import Contract
from quality.landed.manifest import (
    ComparedTo,
    LandedFile,
    LandingManifest,
    ReadAs,
    read_manifest,
    write_manifest,
)
from storage.data_folder import DataFolder
from storage.errors import JourneymartError
from storage.faults import fault_point
from storage.files import clone_file
from storage.folders import replaced_folder, settle

__all__ = ["Landed", "LandingManifest", "land", "land_many", "read_manifest", "record_texts"]

ROWS = "rows.parquet"
REJECTED = "rejects.parquet"
CHANGES = "changes.parquet"
FILES = "files"

_BUILDING = ".landing-"
# Raise it when the same bytes are read otherwise than before: every partition asked for then lands anew.
_READER = 2


@dataclass(frozen=True)
class Landed:
    """An extract that is in landing now.

    Attributes:
        manifest: What it holds.
        changed: It was not there before, or held something else.
        also_changed: In mode `full`, a later extract date whose changes were derived again, because the dump
            they are compared to is another now.
    """

    manifest: LandingManifest
    changed: bool
    also_changed: tuple[date, ...] = ()


@dataclass(frozen=True)
class _Portion:
    """What one partition gets of a delivery: files of rows and rejects, counts by delivered file, and late rows."""

    rows: Path
    rejects: Path
    files: tuple[LandedFile, ...]
    late: int = 0


@dataclass(frozen=True)
class _Parsed:
    """A whole delivery as text."""

    whole: _Portion
    columns: tuple[str, ...]
    damaged: tuple[str, ...]


def land(stream: FileStream, contract: Contract, folder: DataFolder, extract_date: date) -> Landed | None:
    """Land the extract of one date.

    Args:
        stream: Where it is delivered, and how it is written.
        contract: Its key says what changed between dumps; the type of its cursor column, how a file is cut by
            day.
        folder: Data folder.
        extract_date: Which day's extract.

    Returns:
        None if nothing complete is delivered and the stream may carry its last rows forward.

    Raises:
        JourneymartError: The delivery is missing, or cannot be taken or read as a whole.
    """
    return next(iter(land_many(stream, contract, folder, [extract_date])), None)


def land_many(
    stream: FileStream,
    contract: Contract,
    folder: DataFolder,
    dates: Collection[date],
    excused: Collection[date] = (),
) -> list[Landed]:
    """Land the extracts of several dates, ascending; missing ones that may be missing are left out.

    A file that serves every date is copied and parsed once. A dump without a date in its name says how things stand
    now, so of a range of dates the last gets it, and the first extract date, which holds what there was before. What
    was cleared out of the drop folder after it landed stays landed.

    Args:
        stream: Where they are delivered, and how they are written.
        contract: As for `land`.
        folder: Data folder.
        dates: Which days' extracts.
        excused: Dates of which nothing need be delivered, even if the stream may not be missing.

    Raises:
        JourneymartError: As `land` does; the extracts of earlier dates stay landed.
    """
    ordered = _dates_to_land(stream, dates)
    if ordered and ordered[0] < stream.first_date:
        raise JourneymartError(
            f"{stream.stream} has no extract for {ordered[0]}: its first extract date is {stream.first_date}."
        )
    # Extracts hold personal data: nobody but the owner looks in.
    folder.landing.mkdir(mode=0o700, parents=True, exist_ok=True)
    home = folder.landing_partition(stream.stream, stream.first_date).parent
    home.mkdir(parents=True, exist_ok=True)
    _sweep(home)
    forget = forgetting(folder, contract)
    landed: list[Landed] = []
    for group in _served_together(stream, ordered):
        files = find_delivery(stream, group[0])
        if files:
            landed += _land_delivery(stream, contract, home, group, files, forget=forget)
            stamps = {file.path: file.stamp for file in files}
            remember(home, dict.fromkeys(group, stamps))
            continue
        there = [day for day in group if (home / day.isoformat()).exists()]
        landed += [Landed(read_manifest(home / day.isoformat()), changed=False) for day in there]
        lacking = [day for day in group if day not in there and day not in excused]
        if lacking and stream.when_missing == "block":
            raise JourneymartError(_missing(stream, lacking[0]))
    return landed


def record_texts(partition: Path, file: str, rows: Sequence[int]) -> dict[int, str]:
    """The text of some records of a landed file, by record number.

    For CSV and JSON Lines it is the record as delivered, undecodable bytes replaced; for Parquet the row as a
    JSON object of text.

    Args:
        partition: Landing partition.
        file: Name of the file in it (`_file`).
        rows: Record numbers (`_row`).
    """
    if not rows:
        return {}
    if not is_text(file):
        return _parquet_texts(partition, file, rows)
    read_as = read_manifest(partition).read_as
    # The file passed its limits when it landed.
    limits = FileLimits(sys.maxsize, float("inf"), read_as.max_record_bytes)
    form = FileFormat(read_as.encoding, read_as.delimiter, read_as.header_rows, limits)
    with tempfile.TemporaryDirectory(prefix="journeymart-") as workspace:
        return raw_records(partition / FILES / file, form, Path(workspace), rows)


def _dates_to_land(stream: FileStream, dates: Collection[date]) -> list[date]:
    ordered = sorted(set(dates))
    if stream.mode == "full" and "{date}" not in stream.pattern:
        return [day for day in ordered if day in (stream.first_date, ordered[-1])]
    return ordered


def _served_together(stream: FileStream, dates: Sequence[date]) -> list[list[date]]:
    """The dates, in groups that one delivery serves."""
    if "{date}" in stream.pattern:
        return [[day] for day in dates]
    historic = [day for day in dates if _is_history(stream, day)]
    return [group for group in (historic, [day for day in dates if day not in historic]) if group]


def _is_history(stream: FileStream, day: date) -> bool:
    return stream.history is not None and day == stream.first_date


def _is_cut(stream: FileStream, day: date) -> bool:
    """Whether the delivery serves other dates too, and holds rows of theirs."""
    return "{date}" not in stream.pattern and stream.mode == "increment" and not _is_history(stream, day)


def _missing(stream: FileStream, day: date) -> str:
    pattern = stream.history if stream.history and _is_history(stream, day) else stream.pattern
    asked = pattern.replace("{stream}", stream.stream.stream).replace("{date}", day.isoformat())
    complete = "with its manifest beside it" if stream.complete == "manifest" else "under its final name"
    return (
        f"The extract of {stream.stream} for {day} is missing: no complete file '{asked}' lies in "
        f"{stream.location}; deliver it {complete}, or, if it never comes, `journeymart gate approve "
        f'{stream.stream} {day} --because "..."`.'
    )


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
    landed = _compare_again(stream, home, manifest, forget)
    _compare_successor(stream, home, extract_date)
    return landed


def sweep(stream: FileStream, folder: DataFolder) -> None:
    """Clear what a killed night left in landing of a stream."""
    _sweep(folder.landing_partition(stream.stream, stream.first_date).parent)


def _land_delivery(
    stream: FileStream,
    contract: Contract,
    home: Path,
    dates: Sequence[date],
    files: Sequence[DroppedFile],
    *,
    forget: Forget | None,
) -> list[Landed]:
    """Land what one delivery holds for some dates."""
    for file in files:
        require_known_format(file.name)
    with _building_folder(home) as building:
        (building / FILES).mkdir()
        copied = {file: copy_out(stream, file, building / FILES / file.name) for file in files}
        fault_point("in_extract")
        read_as = _read_as(stream, contract)
        kept = {day: _current_manifest(home / day.isoformat(), stream, day, read_as, copied) for day in dates}
        stale = [day for day in dates if kept[day] is None]
        newest = kept[dates[-1]]
        portions: Mapping[date, _Portion] = {}
        if stale or (newest and not _is_of(newest, copied)):
            parsed = _parse(stream, contract, building, copied)
            portions, unplaced = _portions(stream, contract, parsed, building, home, newest=dates[-1], stale=stale)
        landed = []
        for day in dates:
            changed = day in portions
            manifest = kept[day]
            if changed or manifest is None:
                manifest = _manifest(stream, day, read_as, parsed, portions[day], unplaced=unplaced)
                manifest = _put_in_place(stream, home, manifest, portions[day], files=building / FILES, forget=forget)
            elif not _is_compared(stream, home, manifest):
                manifest, changed = _compare_again(stream, home, manifest), True
            landed.append(Landed(manifest, changed, _compare_successor(stream, home, day)))
        return landed


def _read_as(stream: FileStream, contract: Contract) -> ReadAs:
    return ReadAs(
        reader=_READER,
        timezone=stream.timezone,
        encoding=stream.encoding,
        delimiter=stream.delimiter,
        header_rows=stream.header_rows,
        max_record_bytes=stream.limits.max_record_bytes,
        key=contract.key,
        reading=stream.reading,
    )


def _current_manifest(
    partition: Path, stream: FileStream, day: date, read_as: ReadAs, copied: Mapping[DroppedFile, Copied]
) -> LandingManifest | None:
    """The manifest of a partition that holds its part of this delivery, read just so; else None."""
    if not partition.exists():
        return None
    manifest = read_manifest(partition)
    same = (
        # What is cut of a file that grows stays: rows that came late are the newest date's.
        (_is_cut(stream, day) or _is_of(manifest, copied))
        and (manifest.mode, manifest.cursor, manifest.is_history)
        == (stream.mode, stream.cursor, _is_history(stream, day))
        and (manifest.window, manifest.read_as) == (_window(stream, day), read_as)
    )
    return manifest if same else None


def _is_of(manifest: LandingManifest, copied: Mapping[DroppedFile, Copied]) -> bool:
    """Whether a partition was made of just these bytes."""
    return sorted(file.sha256 for file in manifest.files) == sorted(copy.sha256 for copy in copied.values())


def _window(stream: FileStream, day: date) -> tuple[str | None, str]:
    return (None if day == stream.first_date else day.isoformat(), (day + timedelta(days=1)).isoformat())


def _parse(stream: FileStream, contract: Contract, building: Path, copied: Mapping[DroppedFile, Copied]) -> _Parsed:
    """Read every delivered file into one file of rows and one of rejects, columns under the contract's names."""
    opened = {
        file: _named(open_file(building / FILES / file.name, stream.format, building), contract) for file in copied
    }
    for file, parsed in opened.items():
        if parsed.is_hollow and not (file.declared or says_no_rows(stream, file)):
            raise JourneymartError(
                f"{file.name} of {stream.stream} in {stream.location} is empty ({copied[file].bytes} bytes, without a "
                "header or a row) and no manifest says so, as an export that failed leaves it: deliver it again; a "
                "quiet day is a header without rows, or a manifest of 0 rows."
            )
    columns = _all_columns(stream, opened)
    rows_schema = _with_file(pa.schema([*((name, pa.string()) for name in columns), ("_row", pa.int64())]))
    whole_rows, whole_rejects = building / ROWS, building / REJECTED
    files, damaged = [], []
    with (
        pq.ParquetWriter(whole_rows, rows_schema, compression="zstd") as rows,
        pq.ParquetWriter(whole_rejects, _with_file(REJECTS), compression="zstd") as rejects,
    ):
        for file, parsed in opened.items():
            counts = {"records": 0, "rows": 0, "rejects": 0}
            for batch in parsed.batches:
                rows.write_table(_of_file(batch.rows, file.name, rows_schema))
                if batch.rejects.num_rows:
                    rejects.write_table(_of_file(batch.rejects, file.name, _with_file(REJECTS)))
                counts["records"] += batch.records
                counts["rows"] += batch.rows.num_rows
                counts["rejects"] += batch.rejects.num_rows
                damaged += [f"{file.name}: {note}" for note in batch.damage]
            declared = file.declared.rows if file.declared else None
            files.append(
                LandedFile(file.name, copied[file].bytes, copied[file].sha256, **counts, declared_rows=declared)
            )
    return _Parsed(_Portion(whole_rows, whole_rejects, tuple(files)), columns, tuple(damaged))


def _named(parsed: ParsedFile, contract: Contract) -> ParsedFile:
    """A file whose columns have the names of the contract, where it is clear which is meant."""
    names = contract_names(parsed.columns, contract)

    def renamed(batch: Batch) -> Batch:
        return replace(batch, rows=batch.rows.rename_columns([*names, ROW_NUMBER]))

    return replace(parsed, columns=names, batches=map(renamed, parsed.batches))


def _all_columns(stream: FileStream, opened: Mapping[DroppedFile, ParsedFile]) -> tuple[str, ...]:
    """The columns of all files, in order of appearance; JSON keys may vary by file, headers may not."""
    headers = {
        frozenset(parsed.columns) for file, parsed in opened.items() if not (is_json(file.name) or parsed.is_hollow)
    }
    if len(headers) > 1:
        raise JourneymartError(
            f"The {len(opened)} files of one extract of {stream.stream} in {stream.location} have "
            "different columns: deliver them with the same header."
        )
    union = dict.fromkeys(name for parsed in opened.values() for name in parsed.columns)
    return require_columns(list(union), Path(next(iter(opened)).name))


def _with_file(schema: pa.Schema) -> pa.Schema:
    return schema.insert(schema.get_field_index("_row"), pa.field("_file", pa.string()))


def _of_file(table: pa.Table, file: str, schema: pa.Schema) -> pa.Table:
    """The table with `_file` added, and NULL for every column of the schema it lacks."""
    have = set(table.column_names)
    named = {"_file": pa.repeat(pa.scalar(file), table.num_rows)}
    lacking = pa.nulls(table.num_rows, pa.string())
    columns = [table[name] if name in have else named.get(name, lacking) for name in schema.names]
    return pa.table(columns, schema=schema)


def _portions(
    stream: FileStream,
    contract: Contract,
    parsed: _Parsed,
    building: Path,
    home: Path,
    *,
    newest: date,
    stale: Sequence[date],
) -> tuple[dict[date, _Portion], int]:
    """What each date gets that has to land, and how many records of a file cut by day have no readable cursor.

    Args:
        stream: The stream.
        contract: Its contract.
        parsed: The whole delivery.
        building: Folder to work in.
        home: The stream's folder in landing.
        newest: The newest date asked for; of a file cut by day it lands anew if anything of it is in no partition.
        stale: Dates that have to land in any case.
    """
    if not _is_cut(stream, newest):
        return dict.fromkeys(stale, parsed.whole), 0
    dates = sorted({*stale, newest})
    if newest not in stale:
        there = [day for day in _landed_days(home) if day not in stale]
        unseen, _ = _cut(stream, contract, parsed, building / "unseen", home, dates=dates, landed=there)
        if not any(file.records for file in unseen[newest].files):
            dates = sorted(stale)
    there = [day for day in _landed_days(home) if day not in dates]
    return _cut(stream, contract, parsed, building / "windows", home, dates=dates, landed=there) if dates else ({}, 0)


def _cut(
    stream: FileStream,
    contract: Contract,
    parsed: _Parsed,
    cuts: Path,
    home: Path,
    *,
    dates: Sequence[date],
    landed: Sequence[date],
) -> tuple[dict[date, _Portion], int]:
    """Cut a file by day; what the partitions of some landed dates hold is left out."""
    cuts.mkdir()
    there = [home / day.isoformat() for day in landed]
    windows = cut_by_day(parsed.whole.rows, stream, contract, dates, cuts, landed=[each / ROWS for each in there])
    rejects = _unseen_rejects(parsed.whole.rejects, [each / REJECTED for each in there])
    # A record nobody can read has no day: the first extract date takes it, or, if that is landed, the newest.
    takes_rejects = stream.first_date if stream.first_date in dates else dates[-1]
    portions = {}
    for day, rows in windows.rows.items():
        rejected = cuts / f"{day}.{REJECTED}"
        here = rejects if day == takes_rejects else rejects.slice(0, 0)
        pq.write_table(here, rejected, compression="zstd")
        counts = [_by_file(pq.read_table(rows, columns=["_file"])), _by_file(here)]
        files = []
        for file in parsed.whole.files:
            count, refused = (each.get(file.name, 0) for each in counts)
            outside = file.records - count - refused
            files.append(replace(file, records=count + refused, rows=count, rejects=refused, outside_window=outside))
        portions[day] = _Portion(rows, rejected, tuple(files), windows.late if day == dates[-1] else 0)
    return portions, windows.unplaced + sum(file.rejects for file in parsed.whole.files)


def _unseen_rejects(whole: Path, landed: Sequence[Path]) -> pa.Table:
    """Rejects of a file that no landed partition has."""
    rejects = pq.read_table(whole)
    if not rejects.num_rows:
        return rejects
    seen = [pq.read_table(path, columns=["raw"])["raw"] for path in landed]
    known = pa.chunked_array([chunk for column in seen for chunk in column.chunks], pa.string())
    return rejects.filter(pc.invert(pc.is_in(rejects["raw"], value_set=known)))


def _by_file(table: pa.Table) -> dict[str, int]:
    """How many rows each file has in a table."""
    return {entry["values"]: entry["counts"] for entry in pc.value_counts(table["_file"]).to_pylist()}


def _manifest(
    stream: FileStream, day: date, read_as: ReadAs, parsed: _Parsed, portion: _Portion, *, unplaced: int
) -> LandingManifest:
    files = portion.files
    manifest = LandingManifest(
        source=stream.stream.source,
        system=stream.stream.system,
        stream=stream.stream.stream,
        extract_date=day.isoformat(),
        mode=stream.mode,
        window=_window(stream, day),
        cursor=stream.cursor,
        files=files,
        records=sum(file.records for file in files),
        rows=sum(file.rows for file in files),
        rejects=sum(file.rejects for file in files),
        columns=parsed.columns,
        schema_fingerprint=_hash(parsed.columns),
        sha256="",
        is_history=_is_history(stream, day),
        as_declared=all(file.declared_rows in (None, file.records + file.outside_window) for file in files),
        damaged=parsed.damaged,
        unplaced=unplaced,
        read_as=read_as,
        late=portion.late,
    )
    return replace(manifest, sha256=_content_hash(manifest))


def _content_hash(manifest: LandingManifest) -> str:
    """Hash of all that decides what the partition holds, what it passes on included."""
    return _hash([_dump_hash(manifest), manifest.window, manifest.compared_to and asdict(manifest.compared_to)])


def _dump_hash(manifest: LandingManifest) -> str:
    """Hash of all that decides the rows of a whole delivery."""
    return _hash(
        [
            sorted(file.sha256 for file in manifest.files),
            asdict(manifest.read_as),
            manifest.mode,
            manifest.cursor,
            manifest.is_history,
        ]
    )


def _hash(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _put_in_place(
    stream: FileStream,
    home: Path,
    manifest: LandingManifest,
    portion: _Portion,
    *,
    files: Path,
    forget: Forget | None = None,
) -> LandingManifest:
    """Make a partition beside its place, and put it there."""
    with replaced_folder(home / manifest.extract_date) as ready:
        (ready / FILES).mkdir()
        for file in manifest.files:
            _link(files / file.name, ready / FILES / file.name)
        _link(portion.rows, ready / ROWS)
        _link(portion.rejects, ready / REJECTED)
        if forget is not None:
            manifest = forget(manifest, ready)
            # A file that grows still holds people who were taken out of the dates before: they are not this date's.
            known = min(manifest.erased, portion.late)
            manifest = replace(manifest, erased=manifest.erased - known, late=manifest.late - known)
            manifest = replace(manifest, sha256=_content_hash(manifest))
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
    return replace(compared, sha256=_content_hash(compared))


def _is_compared(stream: FileStream, home: Path, manifest: LandingManifest) -> bool:
    """Whether a dump's changes are those against the newest earlier dump, judged by today's breaker."""
    if manifest.mode != "full":
        return True
    over = (manifest.vanished or 0) > stream.max_delete_share * (manifest.known or 0)
    return manifest.compared_to == _compared_to(_dump_before(home, manifest.date)) and manifest.delete_breaker == over


def _compare_again(
    stream: FileStream, home: Path, manifest: LandingManifest, forget: Forget | None = None
) -> LandingManifest:
    partition = home / manifest.extract_date
    portion = _Portion(partition / ROWS, partition / REJECTED, manifest.files)
    return _put_in_place(stream, home, manifest, portion, files=partition / FILES, forget=forget)


def _compare_successor(stream: FileStream, home: Path, day: date) -> tuple[date, ...]:
    """Derive the changes of the next dump again if the one before it is another now."""
    later = [each for each in _landed_days(home) if each > day]
    if stream.mode != "full" or not later:
        return ()
    successor = read_manifest(home / later[0].isoformat())
    if _is_compared(stream, home, successor):
        return ()
    _compare_again(stream, home, successor)
    return (later[0],)


def _dump_before(home: Path, day: date) -> LandingManifest | None:
    earlier = [each for each in _landed_days(home) if each < day]
    return read_manifest(home / earlier[-1].isoformat()) if earlier else None


def _compared_to(before: LandingManifest | None) -> ComparedTo | None:
    return ComparedTo(before.extract_date, _dump_hash(before)) if before else None


def _landed_days(home: Path) -> list[date]:
    return sorted(date.fromisoformat(path.name) for path in home.glob("????-??-??"))


def _link(source: Path, target: Path) -> None:
    """Let a file of landing have a second name; landing never writes into a file it has."""
    try:
        os.link(source, target)
    except OSError:
        clone_file(source, target)


@contextmanager
def _building_folder(home: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix=_BUILDING, dir=home) as building:
        yield Path(building)


def _sweep(home: Path) -> None:
    """Clear what a killed run left behind."""
    for left in home.glob(f"{_BUILDING}*"):
        shutil.rmtree(left)
    settle(home)


def _parquet_texts(partition: Path, file: str, rows: Sequence[int]) -> dict[int, str]:
    wanted = [("_file", "==", file), ("_row", "in", list(rows))]
    rejected = pq.read_table(partition / REJECTED, filters=wanted).to_pylist()
    found = pq.read_table(partition / ROWS, filters=wanted).to_pylist()
    texts = {record["_row"]: record["raw"] for record in rejected}
    for record in found:
        number = record.pop("_row")
        del record["_file"]
        texts[number] = json.dumps(record, ensure_ascii=False)
    return texts
