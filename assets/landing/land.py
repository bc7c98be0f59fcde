"""Lands an extract: its bytes and its rows as text, in a partition that appears whole or not at all.

What lives here: the way from a complete delivery to landing partitions, and which dates it serves. Not here: finding
deliveries and reading formats (connectors/), reading one whole (parse.py), mapping its columns (mapped.py), cutting by
day (portions.py), making a partition and comparing dumps (partition.py), what an extract must look like (the gate).

A partition is made in a temporary folder beside it, flushed, and renamed. The same bytes, read the same way,
change nothing.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from assets.erasure.accepted import follow_landing
from assets.erasure.landed import Forget, forgetting
from assets.landing.connectors.config import FileStream
from assets.landing.connectors.drop_folder import Copied, DroppedFile, copy_out, find_delivery
from assets.landing.connectors.reader import require_known_format
from assets.landing.deliveries import remember
from assets.landing.looked_up import told_of
from assets.landing.map_again import map_again
from assets.landing.mapped import map_rows
from assets.landing.parse import Parsed, Portion, parse
from assets.landing.partition import compare_again, compare_successor, content_hash, hash_of, is_compared, put_in_place
from assets.landing.portions import portions_of
from assets.landing.rests_on import RestsOn
from assets.landing.windows import dates_to_land, is_cut, is_history, window_of
from quality.contract.model import Contract
from quality.gate.approvals import follow_content
from quality.landed.extract import FILES
from quality.landed.manifest import LandingManifest, ReadAs, read_manifest
from storage.data_folder import DataFolder
from storage.errors import JourneymartError
from storage.faults import fault_point
from storage.folders import settle

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

    What landed under another mapping is mapped again, whatever its date. A file that serves every date is copied and
    parsed once. A dump without a date in its name says how things stand
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
    ordered = dates_to_land(stream, dates)
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
    for again in map_again(stream, contract, home, forget):
        if again.is_alike:
            # What it rests on says the same of its records: what was accepted, or approved, still is.
            follow_landing(folder.accepted_partition(stream.stream, again.day), again.before, again.after)
            follow_content(folder, stream.stream, again.day, again.before, again.after)
    rests_on = RestsOn(stream, home)
    landed: list[Landed] = []
    stamps: dict[date, dict[str, str]] = {}
    try:
        for group in _served_together(stream, ordered):
            files = find_delivery(stream, group[0])
            if files:
                landed += _land_delivery(stream, contract, home, group, files, rests_on=rests_on, forget=forget)
                of_files = {file.path: file.stamp for file in files}
                stamps |= dict.fromkeys(group, of_files)
                continue
            there = [day for day in group if (home / day.isoformat()).exists()]
            landed += [Landed(read_manifest(home / day.isoformat()), changed=False) for day in there]
            lacking = [day for day in group if day not in there and day not in excused]
            if lacking and stream.when_missing == "block":
                raise JourneymartError(_missing(stream, lacking[0]))
    finally:
        if stamps:
            remember(home, stamps)
    return landed


def _served_together(stream: FileStream, dates: Sequence[date]) -> list[list[date]]:
    """The dates, in groups that one delivery serves, and of which its rows are the same."""
    if "{date}" in stream.pattern or (stream.mode == "full" and stream.looks_up):
        return [[day] for day in dates]
    historic = [day for day in dates if is_history(stream, day)]
    return [group for group in (historic, [day for day in dates if day not in historic]) if group]


def _missing(stream: FileStream, day: date) -> str:
    pattern = stream.history if stream.history and is_history(stream, day) else stream.pattern
    asked = pattern.replace("{stream}", stream.stream.stream).replace("{date}", day.isoformat())
    complete = "with its manifest beside it" if stream.complete == "manifest" else "under its final name"
    return (
        f"The extract of {stream.stream} for {day} is missing: no complete file '{asked}' lies in "
        f"{stream.location}; deliver it {complete}, or, if it never comes, `journeymart gate approve "
        f'{stream.stream} {day} --because "..."`.'
    )


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
    rests_on: RestsOn,
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
        portions: Mapping[date, Portion] = {}
        if stale or (newest and not _is_of(newest, copied)):
            parsed = parse(stream, contract, building, copied)
            if stream.mapping:
                day_of_all = None if is_cut(stream, dates[0]) else dates[0]
                parsed = map_rows(stream, stream.mapping, contract, parsed, building, home=home, day=day_of_all)
            portions, unplaced = portions_of(stream, contract, parsed, building, home, newest=dates[-1], stale=stale)
        landed = []
        for day in dates:
            changed = day in portions
            manifest = kept[day]
            if changed or manifest is None:
                mapped = told_of(parsed, portions[day].rows)
                how = replace(read_as, mapping=rests_on.mapped_by(day, mapped))
                manifest = _manifest(stream, day, how, replace(parsed, mapped=mapped), portions[day], unplaced=unplaced)
                manifest = put_in_place(stream, home, manifest, portions[day], files=building / FILES, forget=forget)
            elif not is_compared(stream, home, manifest):
                manifest, changed = compare_again(stream, home, manifest), True
            landed.append(Landed(manifest, changed, compare_successor(stream, home, day)))
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
        sheet=stream.sheet,
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
        (is_cut(stream, day) or _is_of(manifest, copied))
        and (manifest.mode, manifest.cursor, manifest.is_history)
        == (stream.mode, stream.cursor, is_history(stream, day))
        # What was mapped otherwise was mapped again before.
        and (manifest.window, replace(manifest.read_as, mapping=None)) == (window_of(stream, day), read_as)
    )
    return manifest if same else None


def _is_of(manifest: LandingManifest, copied: Mapping[DroppedFile, Copied]) -> bool:
    """Whether a partition was made of just these bytes."""
    return sorted(file.sha256 for file in manifest.files) == sorted(copy.sha256 for copy in copied.values())


def _manifest(
    stream: FileStream, day: date, read_as: ReadAs, parsed: Parsed, portion: Portion, *, unplaced: int
) -> LandingManifest:
    files = portion.files
    manifest = LandingManifest(
        source=stream.stream.source,
        system=stream.stream.system,
        stream=stream.stream.stream,
        extract_date=day.isoformat(),
        mode=stream.mode,
        window=window_of(stream, day),
        cursor=stream.cursor,
        files=files,
        records=sum(file.records for file in files),
        rows=sum(file.rows for file in files),
        rejects=sum(file.rejects for file in files),
        columns=parsed.columns,
        schema_fingerprint=hash_of(parsed.columns),
        sha256="",
        is_history=is_history(stream, day),
        as_declared=all(
            file.declared_rows in (None, file.records + file.outside_window + file.left_out) for file in files
        ),
        damaged=parsed.damaged,
        unplaced=unplaced,
        read_as=read_as,
        late=portion.late,
        mapped=parsed.mapped,
    )
    return replace(manifest, sha256=content_hash(manifest))


@contextmanager
def _building_folder(home: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix=_BUILDING, dir=home) as building:
        yield Path(building)


def _sweep(home: Path) -> None:
    """Clear what a killed run left behind."""
    for left in home.glob(f"{_BUILDING}*"):
        shutil.rmtree(left)
    settle(home)
