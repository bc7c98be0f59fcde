"""One delivery, looked at from all sides: how it is written, its columns, and what a night would make of it.

What lives here: the order in which that is found out. Not here: how each is (text_file.py, columns.py, values.py,
judged.py), which delivery (orchestration/operations/check_extract.py).

A delivery is judged as it is declared. Where something else is to be declared, and there is no choice, it is judged so
as well, so that what comes after that is seen at once.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from assets.inspect.columns import fit, perhaps
from assets.inspect.judged import NOT_JUDGED, Judged, blocked_at_sight, judge, land, landed_extract, misread, with_rules
from assets.inspect.proposal import Proposal
from assets.inspect.text_file import examine_text
from assets.inspect.values import LOOKED_AT, ColumnLook, frequent_values, look_at_values
from assets.landing.connectors.config import FileFormat, FileStream
from assets.landing.connectors.reader import open_file
from quality.contract.model import Column, Contract
from quality.landed.extract import LandedExtract
from quality.landed.manifest import read_manifest
from quality.rows.landed_text import delivered_text, text_columns
from storage.data_folder import DataFolder
from storage.engine import connect
from storage.errors import JourneymartError

# Columns with more different values show their shapes.
_FEW = 12


@dataclass(frozen=True)
class ColumnReport:
    """One column of a delivery.

    Attributes:
        column: Its name in the contract; of an unknown one, as delivered.
        delivered: Its name as delivered.
        type: Its type by contract; None: the contract does not know it.
        filled: Rows that hold something, of those that were looked at.
        distinct: About how many different values.
        reads_as: How its values are written, and what is made of that.
        perhaps: A column of the contract that an unknown one may be.
    """

    column: str
    delivered: str
    type: str | None
    filled: int
    distinct: int
    reads_as: str
    perhaps: str | None = None


@dataclass(frozen=True)
class CheckedDelivery:
    """What was found out about one delivery.

    Attributes:
        stream: Which stream, as source/stream.
        extract_date: Which day's extract it was judged as.
        files: Names of its files.
        records: Records in them; rows and rejects.
        rows: Records that could be parsed.
        rejects: Records that could not.
        looked_at: Rows whose values were looked at; fewer than `rows`: the first of them.
        columns: Columns found, in the order of the contract, then unknown ones.
        missing: Columns of the contract that it cannot do without and that are not there.
        absent: Others of the contract that are not there.
        proposals: Lines to declare, with what was seen.
        notes: What no declaration mends.
        as_declared: What a night would make of it as things are.
        judged: What it would make of it with the lines declared that leave no choice; else the same.
    """

    stream: str
    extract_date: date
    files: tuple[str, ...]
    records: int
    rows: int
    rejects: int
    looked_at: int
    columns: tuple[ColumnReport, ...]
    missing: tuple[str, ...]
    absent: tuple[str, ...]
    proposals: tuple[Proposal, ...] = ()
    notes: tuple[str, ...] = ()
    as_declared: Judged = NOT_JUDGED
    judged: Judged = NOT_JUDGED

    @property
    def is_sampled(self) -> bool:
        """Whether values of the first rows alone were looked at; judged are all."""
        return self.looked_at < self.rows


# Makes a data folder to land in, with what the stream's past is needed for.
MakeFolder = Callable[[Path], DataFolder]


def columns_of(file: Path, form: FileFormat) -> tuple[str, ...]:
    """Names of a file's columns as delivered.

    Raises:
        JourneymartError: It cannot be opened, or has no header that can be used.
    """
    with tempfile.TemporaryDirectory(prefix="journeymart-") as workspace:
        return open_file(file, form, Path(workspace)).columns


def check_delivery(
    stream: FileStream, contract: Contract, day: date, *, file: Path, work: Path, make_folder: MakeFolder = DataFolder
) -> tuple[CheckedDelivery, DataFolder]:
    """Look at a delivery.

    Args:
        stream: Where it lies and how it is declared.
        contract: What it must look like.
        day: Which day's extract.
        file: A file of it, the first of several.
        work: Folder to work in.
        make_folder: Makes a data folder with the past of the stream.

    Returns:
        What was found, and the data folder that holds what was accepted.
    """
    written = examine_text(file, stream.format, contract.columns)
    form = written.form
    proposed = replace(stream, encoding=form.encoding, delimiter=form.delimiter, header_rows=form.header_rows)
    folder = make_folder(work / "proposed")
    refused = land(proposed, contract, folder, [day])
    proposals = list(written.proposals)
    if refused is None:
        rules = misread(landed_extract(proposed, contract, folder, day))
        proposals += rules
        proposed = replace(proposed, reading=with_rules(proposed.reading, rules))
        judged = judge(folder, [landed_extract(proposed, contract, folder, day)])[0]
    else:
        judged = Judged(refused=refused)
    as_declared = judged
    if proposed != stream:
        declared = folder if written.form == stream.format else make_folder(work / "declared")
        as_declared = _as_declared(stream, contract, declared, day)
    checked = _report(proposed, contract, folder, day, _names(proposed, folder, day, file))
    checked = replace(
        checked,
        proposals=tuple(proposals),
        notes=(*written.notes, *_without_zone(checked, proposed)),
        as_declared=as_declared,
        judged=judged,
    )
    return checked, folder


def _names(stream: FileStream, folder: DataFolder, day: date, file: Path) -> tuple[str, ...]:
    """The columns of a delivery: as delivered, or, where a mapping says which are the contract's, as it makes them."""
    partition = folder.landing_partition(stream.stream, day)
    if stream.mapping is not None:
        return read_manifest(partition).columns if partition.exists() else ()
    try:
        return columns_of(file, stream.format)
    except JourneymartError:
        # Why, landing has said.
        return ()


def _without_zone(checked: CheckedDelivery, stream: FileStream) -> list[str]:
    """A word on times that carry no offset, where nothing but the default says of which zone they are."""
    local = [each.column for each in checked.columns if each.type == "timestamp" and each.reads_as.endswith("in UTC")]
    if not local or stream.timezone != "UTC":
        return []
    return [
        f"{', '.join(local)} carry no offset and are read as UTC: if they are of another zone, declare it, such as "
        "`timezone: Europe/Berlin`"
    ]


def _as_declared(stream: FileStream, contract: Contract, folder: DataFolder, day: date) -> Judged:
    """What a night makes of a delivery as things are; only as far as is needed to know that it blocks."""
    if refused := land(stream, contract, folder, [day]):
        return Judged(refused=refused)
    extract = landed_extract(stream, contract, folder, day)
    return blocked_at_sight(extract) or judge(folder, [extract])[0]


def _report(
    stream: FileStream, contract: Contract, folder: DataFolder, day: date, names: tuple[str, ...]
) -> CheckedDelivery:
    """Counts and columns of a landed delivery; of one that was refused, its columns as far as they can be read."""
    extract = landed_extract(stream, contract, folder, day)
    manifest = read_manifest(extract.partition) if extract.partition.exists() else None
    fitted = fit(names, contract)
    looks, values = _looks(extract) if manifest else ({}, {})
    spelled = {delivered: column for column, delivered in fitted.found.items()}
    offered = perhaps(fitted, [looks[name] for name in fitted.unknown if name in looks])
    columns = {name: spelled.get(name, name) for name in (*fitted.found.values(), *fitted.unknown)}
    return CheckedDelivery(
        stream=str(stream.stream),
        extract_date=day,
        files=tuple(file.name for file in manifest.files) if manifest else (),
        records=manifest.records if manifest else 0,
        rows=manifest.rows if manifest else 0,
        rejects=manifest.rejects if manifest else 0,
        looked_at=min(manifest.rows, LOOKED_AT) if manifest else 0,
        columns=tuple(
            ColumnReport(
                column,
                name,
                known.type if (known := contract.columns.get(column)) else None,
                look.filled if (look := looks.get(column)) else 0,
                look.distinct if look else 0,
                values.get(column) or (_reads_as(known, look, stream) if look else ""),
                offered.get(name),
            )
            for name, column in columns.items()
        ),
        missing=fitted.missing,
        absent=fitted.absent,
    )


def _looks(extract: LandedExtract) -> tuple[dict[str, ColumnLook], dict[str, str]]:
    """What each landed column looks like; and, of those that hold nothing personal and few values, the values."""
    with connect() as connection:
        read = text_columns(connection, extract.rows_file)
        known = {name: column for name, column in extract.contract.columns.items() if name in read}
        texts = {name: delivered_text(extract, name, read) for name in known}
        looks = {look.name: look for look in look_at_values(connection, extract.rows_file, texts)}
        few = {
            name: texts[name]
            for name, column in known.items()
            if column.type in ("text", "currency") and column.pii == "none" and 0 < looks[name].distinct <= _FEW
        }
        values = frequent_values(connection, extract.rows_file, few)
    return looks, {name: ", ".join(f"{text} ({n:,})" for text, n in each) for name, each in values.items()}


def _reads_as(column: Column | None, look: ColumnLook, stream: FileStream) -> str:
    """How values are written, and what is made of that."""
    if not look.filled:
        return "empty"
    kinds = ", ".join(f"{kind} ({count:,})" if len(look.kinds) > 1 else kind for kind, count in look.kinds.items())
    if column is None:
        return kinds
    if column.type in ("text", "id", "json", "currency"):
        return ", ".join(shape for shape, _ in look.shapes)
    said = [kinds]
    if column.type == "timestamp" and any("without" in kind or kind.startswith("day") for kind in look.kinds):
        said.append(f"in {stream.timezone}")
    if column.type in ("date", "timestamp") and stream.reading.dates and "day with its year behind" in look.kinds:
        said.append(stream.reading.dates)
    if column.type in ("decimal", "double", "bigint") and (stream.reading.decimal or stream.reading.thousands):
        said.append(f"decimals behind '{stream.reading.point}'")
    return ", ".join(said)
