"""Maps landed extracts anew, from the delivered files kept, when what decides their rows is another than it was.

That is their stream's mapping, or what it looks up in other streams. What lives here: which partitions are behind, and
what their rows are now. Not here: what decides them (rests_on.py), a mapping's statement (quality/mapping), the first
landing (land.py).

A partition keeps what it is of: a file that serves many dates gives each the records it had, whatever their rows say
now. Where something stands in for a delivered file because somebody was erased, there is nothing left to map: its rows
stay.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq

from assets.erasure.landed import Forget
from assets.erasure.stand_ins import KEPT
from assets.landing.connectors.config import FileStream
from assets.landing.connectors.declared import Declared
from assets.landing.connectors.drop_folder import Copied, DroppedFile
from assets.landing.looked_up import told_of
from assets.landing.mapped import map_rows
from assets.landing.parse import Parsed, Portion, parse
from assets.landing.partition import compare_successor, content_hash, hash_of, put_in_place
from assets.landing.portions import counted_by_file
from assets.landing.rests_on import RestsOn
from assets.landing.rows_file import write_rows
from assets.landing.windows import is_cut
from quality.contract.model import Contract
from quality.landed.extract import FILES, ORIGIN, REJECTED, ROWS
from quality.landed.manifest import LandedFile, LandingManifest, read_manifest
from quality.rows.casts import identifier
from quality.rows.landed_text import read_parquet
from storage.engine import connect
from storage.files import sha256_of, share_file


def behind_their_mapping(stream: FileStream, home: Path) -> list[date]:
    """Landed extract dates that were mapped otherwise than the stream is now, oldest first.

    Args:
        stream: The stream.
        home: Its folder in landing.
    """
    return RestsOn(stream, home).behind()


@dataclass(frozen=True)
class MappedAgain:
    """An extract that was mapped anew.

    Attributes:
        day: Its extract date.
        before: Hash of its content until then.
        after: Hash of its content now.
        is_alike: Nothing that is judged is another: neither rows nor what is told of them.
    """

    day: date
    before: str
    after: str
    is_alike: bool


def map_again(stream: FileStream, contract: Contract, home: Path, forget: Forget | None) -> Iterator[MappedAgain]:
    """Bring every landed extract of a stream under its mapping of now, oldest first.

    Args:
        stream: The stream.
        contract: Its contract.
        home: Its folder in landing.
        forget: Takes people out who asked to be erased.

    Raises:
        JourneymartError: A kept file lacks a column the mapping cannot do without.
    """
    rests_on = RestsOn(stream, home)
    days = rests_on.behind()
    for day in days:
        partition = home / day.isoformat()
        before, rows = read_manifest(partition), sha256_of(partition / ROWS)
        with tempfile.TemporaryDirectory(prefix=".landing-", dir=home) as building:
            _map_partition(stream, contract, partition, Path(building), rests_on=rests_on, forget=forget)
        compare_successor(stream, home, day)
        after = read_manifest(partition)
        is_alike = sha256_of(partition / ROWS) == rows and _as_judged(after) == _as_judged(before)
        yield MappedAgain(day, before.sha256, after.sha256, is_alike)


def _as_judged(manifest: LandingManifest) -> LandingManifest:
    """What is judged of a manifest: all but by what the rows were mapped."""
    return replace(manifest, sha256="", read_as=replace(manifest.read_as, mapping=None))


def _map_partition(
    stream: FileStream,
    contract: Contract,
    partition: Path,
    building: Path,
    *,
    rests_on: RestsOn,
    forget: Forget | None,
) -> None:
    manifest = read_manifest(partition)
    now = replace(manifest.read_as, mapping=rests_on.mapped_by(manifest.date, manifest.mapped), reading=stream.reading)
    if all(file.name.endswith(KEPT) for file in manifest.files):
        _put(stream, partition, replace(manifest, read_as=now), partition / ROWS, forget)
        return
    parsed = _parsed(stream, contract, partition, building, manifest)
    rows = building / "again.parquet"
    columns = _write_rows(parsed, partition, rows, is_part=is_cut(stream, manifest.date))
    files = _counted(manifest, parsed, rows)
    mapped = told_of(parsed, rows)
    again = replace(
        manifest,
        files=files,
        records=sum(file.records for file in files),
        rows=sum(file.rows for file in files),
        columns=columns,
        schema_fingerprint=hash_of(columns),
        read_as=replace(now, mapping=rests_on.mapped_by(manifest.date, mapped)),
        mapped=mapped,
    )
    _put(stream, partition, again, rows, forget)


def _put(stream: FileStream, partition: Path, manifest: LandingManifest, rows: Path, forget: Forget | None) -> None:
    """Put a partition in its place again, with other rows."""
    put_in_place(
        stream,
        partition.parent,
        replace(manifest, sha256=content_hash(manifest)),
        Portion(rows, partition / REJECTED, manifest.files),
        files=partition / FILES,
        forget=forget,
    )


def _parsed(
    stream: FileStream, contract: Contract, partition: Path, building: Path, manifest: LandingManifest
) -> Parsed:
    """The kept files of a partition, parsed and mapped as a whole."""
    (building / FILES).mkdir()
    kept = {}
    for file in manifest.files:
        if not file.name.endswith(KEPT):
            share_file(partition / FILES / file.name, building / FILES / file.name)
            # An empty file that was taken once was declared, one way or another.
            declared = Declared(file.records, file.bytes, file.sha256)
            kept[DroppedFile(file.name, declared, stamp="")] = Copied(file.bytes, file.sha256)
    read_as = manifest.read_as
    # As they were written then: what the sender writes now may differ.
    then = replace(
        stream,
        encoding=read_as.encoding,
        delimiter=read_as.delimiter,
        header_rows=read_as.header_rows,
        sheet=read_as.sheet,
    )
    parsed = parse(then, contract, building, kept)
    if stream.mapping is None:
        return parsed
    day = None if is_cut(stream, manifest.date) else manifest.date
    return map_rows(stream, stream.mapping, contract, parsed, building, home=partition.parent, day=day)


def _write_rows(parsed: Parsed, partition: Path, target: Path, *, is_part: bool) -> tuple[str, ...]:
    """Write the rows a partition has now: of its own records, and those of stand-ins as they are.

    Returns:
        Their columns.
    """
    had = [name for name in pq.read_schema(partition / ROWS).names if name not in ORIGIN]
    stand_ins = f"from {read_parquet(partition / ROWS)} where ends_with(_file, '{KEPT}')"
    with connect(spill=target.parent / ".spill") as connection:
        erased = connection.execute(f"select count(*) {stand_ins}").fetchall() != [(0,)]
        columns = tuple(dict.fromkeys([*parsed.columns, *(had if erased and not parsed.columns else ())]))
        own = f"where (_file, _row) in (select (_file, _row) from {read_parquet(partition / ROWS)})" if is_part else ""
        now = _selected(columns, parsed.columns, f"from {read_parquet(parsed.whole.rows)} {own}")
        before = _selected(columns, had, stand_ins)
        write_rows(connection.sql(f"{now} union all {before}"), columns, target)
    return columns


def _selected(columns: tuple[str, ...], there: tuple[str, ...] | list[str], rows: str) -> str:
    """SQL of some columns and where their rows are from, NULL for a column that is not there."""
    values = [f"{'' if name in there else 'null::varchar as '}{identifier(name)}" for name in columns]
    return f"select {', '.join([*values, *ORIGIN])} {rows}"


def _counted(manifest: LandingManifest, parsed: Parsed, rows: Path) -> tuple[LandedFile, ...]:
    """The delivered files with what the partition has of each now; what stands in for one is as it was."""
    made = counted_by_file(pq.read_table(rows, columns=list(ORIGIN)))
    now: Mapping[str, LandedFile] = {file.name: file for file in parsed.whole.files}
    files = []
    for file in manifest.files:
        if whole := now.get(file.name):
            count, records = made.get(file.name, (0, 0))
            inside = records + file.rejects
            outside = whole.records - inside
            file = replace(file, records=inside, rows=count, outside_window=outside, left_out=whole.left_out)  # noqa: PLW2901
        files.append(file)
    return tuple(files)
