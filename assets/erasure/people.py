"""Who a person is: from what was given to every record of theirs.

What lives here: reading records of people from landed extracts, and which of them are one person. Not here: taking them
out (take_out.py), the register that gets what names them (register.py).
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow.parquet as pq

from assets.erasure.register import scoped_ids
from assets.text.contact_points import spell_email, spell_phone
from quality.contract.model import Contract
from quality.landed.extract import ROWS
from storage.data_folder import StreamId
from storage.errors import JourneymartError


def spell_number(raw: str, country: str | None = None) -> str | None:
    """A phone number in its one spelling, 00 before a country code read as + where nobody says the country."""
    text = raw.strip()
    return spell_phone(text, country) or (spell_phone(f"+{text[2:]}", None) if text.startswith("00") else None)


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
        if contract.record != "person":
            continue
        points = {name: column for name, column in contract.columns.items() if column.contact_point}
        countries = [column.country for column in points.values() if column.country]
        named = [name for name, column in contract.columns.items() if column.role == "name"]
        links = contract.having("self")
        wanted = {contract.key[0], *links, *points, *countries, *named}
        have = set(pq.read_schema(partition / ROWS).names)
        for row in pq.read_table(partition / ROWS, columns=sorted(wanted & have)).to_pylist():
            key = row.get(contract.key[0])
            if not key:
                continue
            record = people.setdefault((stream, key), Record(stream.source, set(scoped_ids(stream.source, key))))
            for link in links & have:
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
