"""Takes people who asked to be erased out of extracts: landed, accepted and quarantined ones.

What lives here: which rows and cells are a person's, what becomes of them, and the rewriting of what holds them. Not
here: who is on the register (register.py), the order of an erasure (orchestration/operations/erase_person.py).

A person's own record is dropped. Rows that name the person (tickets, orders, answers) are facts of the company: they
stay, without anything that leads to the person. Where a person wrote or was written to, the texts go too.
"""

from __future__ import annotations

import csv
import json
import re
import shutil
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from assets.erasure.register import BlockList, block_list, scoped_ids
from assets.warehouse.contact_points import spell_email, spell_phone
from quality.contract.model import DUCKDB_TYPES, Column, Contract
from quality.gate import quarantine
from quality.gate.accepted import DESCRIPTION, ROWS, Batch, describe, read_batch
from quality.landed.extract import subject
from quality.landed.manifest import LandedFile, LandingManifest
from quality.past.profiles import PROFILE
from quality.rows.casts import identifier, literal
from quality.rows.split import ADDED_COLUMNS
from storage.data_folder import DataFolder, StreamId
from storage.errors import JourneymartError
from storage.files import sha256_of
from storage.folders import remove_folder, replaced_folder

Mask = npt.NDArray[np.bool_]
Forget = Callable[[LandingManifest, Path], LandingManifest]

# Streams whose every row is a person's record, and the columns of the name.
PEOPLE: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("canonical", "agent"): ("name",),
    ("canonical", "contact"): ("first_name", "last_name"),
    ("olist", "customers"): (),
    ("salesforce", "contact"): ("FirstName", "LastName"),
    ("zendesk", "users"): ("name",),
}
# Columns of these streams that name another record of the same person.
LINKS = frozenset({"MasterRecordId", "external_contact_id", "external_id", "merged_into_contact_id"})
# Columns of all other streams that say whose a row is.
SUBJECTS = frozenset(
    {"ContactId", "ExternalReference", "contact_id", "customer_id", "external_reference", "requester_id"}
)
# Columns that say who did something; those of the first kind wrote the row's texts.
WRITERS = frozenset({"author_id", "created_by_id", "submitter_id"})
ACTORS = WRITERS | {"agent_id", "assignee_id"}
# Conversations, and the columns that point to one.
TICKETS = frozenset({("canonical", "ticket"), ("salesforce", "case"), ("zendesk", "tickets")})
ABOUT = frozenset({"TicketId", "ticket_id"})
# Ids of things, and of staff of the CRM, which has no record of its own here: they stay.
THINGS = frozenset(
    {
        *("AccountId", "CreatedById", "MasterRecordId", "OpportunityId", "OrderId", "OwnerId", "ParentId"),
        *("account_id", "external_account_id", "external_id", "followup_ids", "invitation_id"),
        *(
            "merged_into_account_id",
            "merged_into_ticket_id",
            "order_id",
            "organization_id",
            "parent_account_id",
            "problem_id",
            "response_id",
        ),
        *("sdr_id", "seller_id", "sr_id"),
    }
)

# What stands where the person stood and a value is needed, such as the one who asks in a conversation.
ERASED = "erased"
KEPT = ".kept.parquet"

_OURS = frozenset({"_file", "_row", "_op"})
_ADDRESS = re.compile(r"[^\s@<>()\[\]\\,;:\"'=|]{1,64}@[^\s@<>()\[\]\\,;:\"'=|/?&]+\.[^\s@<>()\[\]\\,;:\"'=|/?&]+")
_NUMBER = re.compile(r"(?:\+|\b00)\d[\d ()/.-]{5,}\d")
_ID = re.compile(r"[A-Za-z0-9_-]{4,}")
# In JSON that holds texts, a word without blanks under another key than these is the machine's; all else is somebody's.
_WORD = re.compile(r"[A-Za-z0-9_.:+-]{1,40}")
_PERSON_KEYS = frozenset({"address", "email", "ip_address", "location", "name", "phone", "recipient"})
_TEXT_KEYS = frozenset(
    {"body", "comment", "description", "html_body", "message", "plain_body", "subject", "text", "title"}
)
_VALUES = frozenset({"previous_value", "value"})
_FIELDS = frozenset({"assignee_id", "group_id", "priority", "satisfaction_score", "status", "tags", "type"})


@dataclass(frozen=True)
class Found:
    """Where rows name people on a block-list; masks over the rows.

    Attributes:
        own: The row says that it is theirs.
        about: It points to a conversation of theirs.
        acted: By column: who did something is one of them.
        quoted: By column: the text holds an address of theirs.
    """

    own: Mask
    about: Mask
    acted: Mapping[str, Mask]
    quoted: Mapping[str, Mask]

    @property
    def rows(self) -> Mask:
        """Rows with anything to take out."""
        return _any(self.own, self.about, *self.acted.values(), *self.quoted.values())

    @property
    def hushed(self) -> Mask:
        """Rows whose texts go."""
        return _any(self.own, self.about, *(mask for name, mask in self.acted.items() if name in WRITERS))


Place = tuple[str | None, int | None]


@dataclass(frozen=True)
class Taken:
    """Rows after people were taken out of them.

    Attributes:
        kept: The rows that are left.
        dropped: Where rows were that are gone: file and record.
        emptied: Where rows were of which something is gone.
    """

    kept: pa.Table
    dropped: frozenset[Place]
    emptied: frozenset[Place]

    @staticmethod
    def nothing() -> Taken:
        """Of what is not there."""
        return Taken(pa.table({}), frozenset(), frozenset())

    @property
    def files(self) -> frozenset[str | None]:
        """Delivered files that hold what was taken out."""
        return frozenset(file for file, _ in self.dropped | self.emptied)


def forgetting(folder: DataFolder, contract: Contract) -> Forget | None:
    """What takes people out of a partition that lands; None if nobody asked to be erased.

    Raises:
        JourneymartError: The register cannot be used, or an erasure was interrupted.
    """
    blocked = block_list(folder)
    return None if blocked is None else forget_in(blocked, contract)


def forget_in(blocked: BlockList, contract: Contract) -> Forget:
    """Take people out of a partition in the making: `(manifest, its folder)` to the manifest it has then.

    The delivered file goes where it holds one of them: what is left of its rows stands in for it, as Parquet. A
    delivered file that holds rows of other dates too always goes, because those were not looked at.
    """

    def forget(manifest: LandingManifest, partition: Path) -> LandingManifest:
        taken = take_out(blocked, contract, manifest.source, partition / "rows.parquet")
        files = files_to_replace(blocked, manifest, partition, taken)
        if not files:
            return manifest
        kept = _renamed(taken.kept, files)
        _write(kept, partition / "rows.parquet")
        _write(
            _hush_rejects(blocked, manifest.source, pq.read_table(partition / "rejects.parquet"), files),
            partition / "rejects.parquet",
        )
        left = tuple(_stand_in(partition, file, kept) if file.name in files else file for file in manifest.files)
        return replace(
            manifest,
            files=left,
            records=sum(file.records for file in left),
            rows=kept.num_rows,
            erased=manifest.erased + len(taken.dropped),
        )

    return forget


def files_to_replace(blocked: BlockList, manifest: LandingManifest, partition: Path, taken: Taken) -> frozenset[str]:
    """Delivered files of a landed partition that may not stay as they are."""
    rejects = pq.read_table(partition / "rejects.parquet")
    told = {
        file
        for file, raw in zip(rejects["_file"].to_pylist(), rejects["raw"].to_pylist(), strict=True)
        if raw != ERASED and tells(blocked, manifest.source, raw)
    }
    return frozenset(
        file.name for file in manifest.files if file.outside_window or file.name in taken.files or file.name in told
    )


def forget_accepted(
    blocked: BlockList,
    contract: Contract,
    stream: StreamId,
    partition: Path,
    *,
    files: Collection[str],
    fewer_quarantined: int,
) -> Taken | None:
    """Rewrite an accepted partition without people; what is left of it is a new batch.

    Args:
        blocked: Who goes.
        contract: Of the stream.
        stream: Which stream.
        partition: Folder of the accepted extract; it may be missing.
        files: Delivered files that something stands in for now.
        fewer_quarantined: Rows that left quarantine.

    Returns:
        What became of its rows; None: it has nothing of them and stays as it is.
    """
    if not (partition / DESCRIPTION).exists():
        return None
    batch = read_batch(partition / DESCRIPTION)
    taken = take_out(blocked, contract, stream.source, partition / ROWS)
    renamed = {*files, *taken.files} & set(taken.kept["_file"].unique().to_pylist())
    if not (taken.dropped or taken.emptied or renamed or fewer_quarantined):
        return None
    kept = _renamed(taken.kept, renamed)
    with replaced_folder(partition) as new:
        _write_accepted(contract, stream, batch, kept, new / ROWS)
        made = replace(
            batch,
            batch_id=sha256_of(new / ROWS),
            rows=kept.num_rows,
            quarantined=batch.quarantined - fewer_quarantined,
        )
        describe(made, new)
        _keep_profile(partition, new)
    return taken


def follow_landing(partition: Path, before: str, after: str) -> None:
    """Let an accepted partition made from the content that was in landing be made from what is there now."""
    if before == after or not (partition / DESCRIPTION).exists():
        return
    batch = read_batch(partition / DESCRIPTION)
    if batch.landing_sha256 == before:
        with replaced_folder(partition) as new:
            shutil.copy2(partition / ROWS, new / ROWS)
            describe(replace(batch, landing_sha256=after), new)
            _keep_profile(partition, new)


def _keep_profile(partition: Path, new: Path) -> None:
    """The profile stays as it was: it holds no personal data, and says what was delivered."""
    if (partition / PROFILE).exists():
        shutil.copy2(partition / PROFILE, new / PROFILE)


def forget_quarantined(
    blocked: BlockList, stream: StreamId, partition: Path, landed: Taken, *, files: Collection[str]
) -> tuple[int, int]:
    """Rewrite a quarantine partition without people: rows gone, and rows without their text.

    Args:
        blocked: Who goes.
        stream: Which stream.
        partition: Folder of the quarantined rows; it may be missing.
        landed: What becomes of the rows of the landed extract.
        files: Delivered files that something stands in for now.
    """
    if not (partition / quarantine.ROWS).exists():
        return 0, 0
    table = pq.read_table(partition / quarantine.ROWS)
    at = list(zip(table["_file"].to_pylist(), table["_row"].to_pylist(), strict=True))
    raw = table["raw"].to_pylist()
    gone = np.array([place in landed.dropped for place in at], dtype=bool)
    told = np.array(
        [
            place in landed.emptied or (text != ERASED and tells(blocked, stream.source, text))
            for place, text in zip(at, raw, strict=True)
        ],
        dtype=bool,
    )
    if not gone.any() and not told.any() and not any(file in files for file, _ in at):
        return 0, 0
    table = _put(table, "raw", told & ~gone, lambda _: ERASED)[0].filter(pa.array(~gone))
    table = _renamed(table, files)
    verdict = json.loads((partition / quarantine.VERDICT).read_bytes())
    verdict["quarantined_rows"] -= int(gone.sum())
    if verdict["passed"] and not table.num_rows:
        remove_folder(partition)
    else:
        with replaced_folder(partition) as new:
            _write(table, new / quarantine.ROWS)
            text = json.dumps(verdict, indent=2, ensure_ascii=False)
            (new / quarantine.VERDICT).write_text(text + "\n", encoding="utf-8")
    return int(gone.sum()), int((told & ~gone).sum())


def find(blocked: BlockList, contract: Contract, source: str, rows: Path) -> Found:
    """Find people in a file of rows, landed or accepted. Digests are made of distinct values only, column by column."""
    file = pq.ParquetFile(rows)
    count = file.metadata.num_rows
    is_person = (contract.system, contract.stream) in PEOPLE
    whose = (LINKS | {contract.key[0]}) if is_person else SUBJECTS
    own, about = np.zeros(count, dtype=bool), np.zeros(count, dtype=bool)
    acted: dict[str, Mask] = {}
    quoted: dict[str, Mask] = {}
    for name in dict.fromkeys(file.schema_arrow.names):
        column = contract.columns.get(name)
        if name in _OURS or not _is_text(file.schema_arrow.field(file.schema_arrow.names.index(name))):
            continue
        for texts in map(_in_one, file.read(columns=[name]).columns):
            if column is not None and column.contact_point:
                has_country = column.country in file.schema_arrow.names
                countries = _in_one(file.read(columns=[column.country]).column(0)) if has_country else None
                own |= _mask(texts, _point_on(blocked, column), countries)
            if name in whose:
                own |= _mask(texts, lambda value: blocked.has_id("record", source, value))
            elif name in ACTORS and not is_person:
                acted[name] = _mask(texts, lambda value: blocked.has_id("record", source, value))
            if name in ABOUT or ((contract.system, contract.stream) in TICKETS and name == contract.key[0]):
                about |= _mask(texts, lambda value: blocked.has_id("ticket", source, value))
            if pc.any(pc.match_substring(texts, "@")).as_py():
                quoted[name] = _mask(texts, lambda value: "@" in value and _quotes(blocked, value))
    return Found(own, about, acted, quoted)


def take_out(blocked: BlockList, contract: Contract, source: str, rows: Path) -> Taken:
    """Rows of a file, landed or accepted, without people: their own records dropped, what names them emptied."""
    found = find(blocked, contract, source, rows)
    table = pq.read_table(rows)
    if not found.rows.any():
        return Taken(table, frozenset(), frozenset())
    is_person = (contract.system, contract.stream) in PEOPLE
    dropped = found.own if is_person else np.zeros_like(found.own)
    emptied = np.zeros_like(dropped)
    for name in table.column_names:
        for mask, change in _changes(blocked, contract, source, found, name):
            table, changed = _put(table, name, mask & ~dropped, change)
            emptied |= changed
    at = list(zip(table["_file"].to_pylist(), table["_row"].to_pylist(), strict=True))
    return Taken(
        table.filter(pa.array(~dropped)),
        frozenset(at[row] for row in np.flatnonzero(dropped)),
        frozenset(at[row] for row in np.flatnonzero(emptied)),
    )


def tells(blocked: BlockList, source: str, raw: str | None) -> bool:
    """Whether a record nobody could read, or its text, names one of them by an address, a number or an id."""
    if not raw:
        return False
    return (
        _quotes(blocked, raw)
        or any(blocked.has_point("phone", spell_number(number)) for number in _NUMBER.findall(raw))
        or any(blocked.has_id("record", source, each) for each in set(_ID.findall(raw)))
    )


def _changes(
    blocked: BlockList, contract: Contract, source: str, found: Found, name: str
) -> Iterable[tuple[Mask, Callable[[str | None], str | None]]]:
    """What becomes of one column: masks, and what each makes of a value."""
    column = contract.columns.get(name)
    nothing = _nothing(blocked, source, column)
    if name in found.quoted:
        yield found.quoted[name], nothing
    if column is None:
        if name == "_extra":
            yield found.hushed, _without_values
        elif not name.startswith("_"):
            # Nobody said what is in it.
            yield found.hushed, lambda _: None
    elif name in contract.key:
        if name in SUBJECTS:
            yield found.own, lambda value: value and blocked.pseudonym(source, value)
    elif column.contact_point:
        yield found.own, nothing
    elif column.pii in ("direct", "free_text"):
        yield found.hushed, nothing
    elif name in SUBJECTS:
        # Who asks in a conversation is also who writes in it: the two must stay one.
        asks = name == "requester_id" and (contract.system, contract.stream) in TICKETS
        yield found.own, (lambda _: ERASED) if asks else nothing
    elif name in ACTORS:
        yield found.acted.get(name, np.zeros_like(found.own)), lambda _: ERASED
    elif column.type == "json":
        yield found.hushed, lambda value: value and _scrubbed(blocked, source, value, has_texts=False)
    elif column.pii == "indirect" and name not in THINGS | ABOUT:
        yield found.own, nothing


def _nothing(blocked: BlockList, source: str, column: Column | None) -> Callable[[str | None], str | None]:
    """As little as a column may hold."""
    if column is None or not column.required:
        return lambda _: None
    if column.type == "json":
        return lambda value: value and _scrubbed(blocked, source, value, has_texts=True)
    return lambda _: ERASED


def _scrubbed(blocked: BlockList, source: str, text: str, *, has_texts: bool) -> str:
    """JSON without what says who somebody is, the ids of those on the list, and people's texts where it has any."""

    def scrub(said: Any, key: str) -> Any:  # noqa: ANN401 - JSON
        if isinstance(said, dict):
            about = said.get("field_name")
            return {
                name: None
                if has_texts and name in _VALUES and about is not None and about not in _FIELDS
                else scrub(value, str(about) if name in _VALUES and about else name)
                for name, value in said.items()
            }
        if isinstance(said, list):
            return [scrub(value, key) for value in said]
        if isinstance(said, str) and (
            key in _PERSON_KEYS or (has_texts and (key in _TEXT_KEYS or not _WORD.fullmatch(said)))
        ):
            return ""
        names = key in ACTORS | SUBJECTS and isinstance(said, str | int) and not isinstance(said, bool)
        return ERASED if names and blocked.has_id("record", source, str(said)) else said

    try:
        said = json.loads(text)
    except ValueError:
        return "null"
    scrubbed = scrub(said, "")
    # As it was delivered where nothing is gone: the same row must not differ by its blanks.
    return text if scrubbed == said else json.dumps(scrubbed, ensure_ascii=False, separators=(",", ":"))


def _without_values(text: str | None) -> str | None:
    return text and json.dumps(dict.fromkeys(json.loads(text)), ensure_ascii=False, separators=(",", ":"))


def spell_number(raw: str, country: str | None = None) -> str | None:
    """A phone number in its one spelling, 00 before a country code read as + where nobody says the country."""
    text = raw.strip()
    return spell_phone(text, country) or (spell_phone(f"+{text[2:]}", None) if text.startswith("00") else None)


def _point_on(blocked: BlockList, column: Column) -> Callable[..., bool]:
    if column.contact_point == "email":
        return lambda value: blocked.has_point("email", spell_email(value))
    return lambda value, country=None: blocked.has_point("phone", spell_number(value, country))


def _quotes(blocked: BlockList, text: str) -> bool:
    return any(blocked.has_point("email", spell_email(each.rstrip("."))) for each in _ADDRESS.findall(text))


def _mask(texts: pa.Array, is_on: Callable[..., bool], countries: pa.Array | None = None) -> Mask:
    """Rows whose value is on the list; asked once per distinct value."""
    if countries is None:
        hits = [value for value in texts.unique().to_pylist() if value is not None and is_on(value)]
        found = pc.is_in(texts, value_set=pa.array(hits, pa.string()))
        return np.asarray(found.to_numpy(zero_copy_only=False), dtype=bool)
    pairs = pa.table({"value": texts, "country": countries})
    distinct = pairs.group_by(["value", "country"]).aggregate([]).to_pylist()
    hit = {
        (each["value"], each["country"])
        for each in distinct
        if each["value"] is not None and is_on(each["value"], each["country"])
    }
    if not hit:
        return np.zeros(len(texts), dtype=bool)
    return np.array([pair in hit for pair in zip(texts.to_pylist(), countries.to_pylist(), strict=True)], dtype=bool)


def _in_one(column: pa.ChunkedArray) -> pa.Array:
    return column.cast(pa.string()).combine_chunks()


def _any(first: Mask, *masks: Mask) -> Mask:
    every = first.copy()
    for mask in masks:
        every |= mask
    return every


def _is_text(column: pa.Field) -> bool:
    return bool(pa.types.is_string(column.type) or pa.types.is_large_string(column.type))


def _put(table: pa.Table, name: str, mask: Mask, change: Callable[[str | None], str | None]) -> tuple[pa.Table, Mask]:
    """The table with the masked values of a column changed, and the rows where that made a difference."""
    changed = np.zeros_like(mask)
    if not mask.any():
        return table, changed
    for place in (place for place, each in enumerate(table.column_names) if each == name):
        values = table.column(place).to_pylist()
        for row in np.flatnonzero(mask):
            new = change(values[row])
            changed[row] |= new != values[row]
            values[row] = new
        table = table.set_column(place, table.schema.field(place), pa.array(values, table.schema.field(place).type))
    return table, changed


def _renamed(table: pa.Table, files: Collection[str | None]) -> pa.Table:
    """Rows that say of what stands in for their file that they come from it."""
    mask = np.array([file is not None and file in files for file in table["_file"].to_pylist()], dtype=bool)
    return _put(table, "_file", mask, lambda name: _stand_in_name(str(name)))[0]


def _stand_in_name(name: str) -> str:
    return name if name.endswith(KEPT) else f"{name}{KEPT}"


def _stand_in(partition: Path, file: LandedFile, kept: pa.Table) -> LandedFile:
    """Put what is left of a delivered file's rows in its place."""
    name = _stand_in_name(file.name)
    path = partition / "files" / name
    rows = kept.filter(pc.equal(kept["_file"], name))
    (partition / "files" / file.name).unlink()
    _write(rows, path)
    return LandedFile(
        name=name,
        bytes=path.stat().st_size,
        sha256=sha256_of(path),
        records=rows.num_rows + file.rejects,
        rows=rows.num_rows,
        rejects=file.rejects,
    )


def _hush_rejects(blocked: BlockList, source: str, rejects: pa.Table, files: Collection[str]) -> pa.Table:
    told = np.array([tells(blocked, source, raw) for raw in rejects["raw"].to_pylist()], dtype=bool)
    return _renamed(_put(rejects, "raw", told, lambda _: ERASED)[0], files)


def _write(table: pa.Table, path: Path) -> None:
    # The file may have another name in another partition: it is replaced, never written into.
    path.unlink(missing_ok=True)
    pq.write_table(table, path, compression="zstd")


def _write_accepted(contract: Contract, stream: StreamId, batch: Batch, kept: pa.Table, path: Path) -> None:
    """Write accepted rows as the gate does, so that the same rows have the same types and order."""
    types = {**{name: DUCKDB_TYPES[column.type] for name, column in contract.columns.items()}, **ADDED_COLUMNS}
    columns = ", ".join(f"{identifier(name)}::{kind} as {identifier(name)}" for name, kind in types.items())
    order = ", ".join(["_file nulls last", "_row nulls last", *map(identifier, contract.key)])
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.register("kept", kept)
        # The bytes of a file depend on where the rows lay, and the bytes name the batch.
        connection.execute(f"create table work as select {columns} from kept")
        connection.execute(
            f"copy (select * from work order by {order}) to {literal(str(path))} (format parquet, "
            f"compression zstd, kv_metadata {{extract: {literal(subject(stream, batch.extract_date))}}})"
        )


# Who a person is: from what was given to every record of theirs.


@dataclass
class Record:
    """A person's record over all its versions: ids it names, contact points, folded names."""

    source: str
    ids: set[tuple[str, str]] = field(default_factory=set)
    links: set[tuple[str, str]] = field(default_factory=set)
    points: set[tuple[str, str]] = field(default_factory=set)
    names: set[str] = field(default_factory=set)


def read_people(partitions: Iterable[tuple[StreamId, Contract, Path]]) -> list[Record]:
    """Every record of a person in landed partitions; of other streams nothing is read."""
    people: dict[tuple[StreamId, str], Record] = {}
    spelled: dict[tuple[str, str, str | None], str | None] = {}
    for stream, contract, partition in partitions:
        if (contract.system, contract.stream) not in PEOPLE:
            continue
        points = {name: column for name, column in contract.columns.items() if column.contact_point}
        countries = [column.country for column in points.values() if column.country]
        named = PEOPLE[contract.system, contract.stream]
        wanted = {contract.key[0], *LINKS, *points, *countries, *named}
        have = set(pq.read_schema(partition / "rows.parquet").names)
        for row in pq.read_table(partition / "rows.parquet", columns=sorted(wanted & have)).to_pylist():
            key = row.get(contract.key[0])
            if not key:
                continue
            record = people.setdefault((stream, key), Record(stream.source, set(scoped_ids(stream.source, key))))
            for link in LINKS & have:
                record.links |= scoped_ids(stream.source, row[link]) if row[link] else set()
            for name, column in points.items():
                value, country = row.get(name), row.get(column.country) if column.country else None
                if value:
                    kind = str(column.contact_point)
                    if (kind, value, country) not in spelled:
                        spelled[kind, value, country] = (
                            spell_email(value) if kind == "email" else spell_number(value, country)
                        )
                    if point := spelled[kind, value, country]:
                        record.points.add((kind, point))
            if name_of := _folded(" ".join(row.get(part) or "" for part in named)):
                record.names.add(name_of)
    return list(people.values())


def who(
    people: Sequence[Record],
    points: Collection[tuple[str, str]],
    ids: Collection[tuple[str, str]],
    is_role: Callable[[str], bool],
) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """Every contact point and record id of the person that some of them name.

    From a record the person's other contact points are taken up where nobody of another name has them: an address of a
    role, or one that a family shares, leads no further.

    Args:
        people: Every record.
        points: What was given, (kind, spelled).
        ids: What was given, scoped.
        is_role: Whether an address is that of a role.

    Raises:
        JourneymartError: What was given is an address of a role, or of several people.
    """
    bearers: defaultdict[tuple[str, str], list[Record]] = defaultdict(list)
    for record in people:
        for point in record.points:
            bearers[point].append(record)
    for kind, spelled in points:
        if (kind == "email" and is_role(spelled)) or not _agree(bearers[kind, spelled]):
            raise JourneymartError(
                f"One of the contact points given ({kind}) is a role's or shared by several people: name the person's "
                "records with --id source:stream:key instead."
            )
    known_points, known_ids, matched = set(points), set(ids), list[Record]()
    left, grew = list(people), True
    while grew:
        found = [r for r in left if (r.ids | r.links) & known_ids or r.points & known_points]
        left = [r for r in left if not any(r is each for each in found)]
        matched += found
        grew = bool(found)
        for record in found:
            known_ids |= record.ids | record.links
            known_points |= {
                point
                for point in record.points
                if not (point[0] == "email" and is_role(point[1])) and _agree([*matched, *bearers[point]])
            }
    return known_points, known_ids


def role_addresses(seed: Path) -> Callable[[str], bool]:
    """What tells an address of a role or a placeholder, from seed `identity_exclusions`."""
    with seed.open(encoding="utf-8", newline="") as file:
        excluded = {(row["kind"], row["value"]) for row in csv.DictReader(file)}

    def is_role(address: str) -> bool:
        local, _, domain = address.partition("@")
        names = {(kind, local.partition("+")[0]) for kind in ("role_account", "placeholder")}
        return not excluded.isdisjoint({*names, ("placeholder", f"@{domain}"), ("email", address)})

    return is_role


def _folded(name: str) -> str:
    plain = "".join(c for c in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(c))
    return " ".join(re.findall(r"\w+", plain))


def _agree(records: Collection[Record]) -> bool:
    """Whether all of the records may be one person's, going by their names; a record without one may be anybody's."""
    named = [record.names for record in records if record.names]
    return all(any(_same(a, b) for a in one for b in other) for one in named for other in named)


def _same(one: str, other: str) -> bool:
    """Equal, or one of the given names is the other's initial."""
    if one == other:
        return True
    (first, _, rest), (second, _, others) = one.partition(" "), other.partition(" ")
    return bool(rest) and rest == others and first[:1] == second[:1] and 1 in (len(first), len(second))
