"""The person somebody names by addresses, numbers or records: what names them in the extracts that are there.

What lives here: reading what was given, the extracts to look at, everything that names the person, their conversations.
Not here: whose records are one person's (assets/erasure/people.py), what is done about the person (erase_person.py,
hand_out_person.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import NamedTuple

import pyarrow.parquet as pq

from assets.erasure.find import find
from assets.erasure.people import read_people, role_addresses, spell_number, who
from assets.erasure.register import BlockList, scoped_ids
from assets.landing.connectors.config import FileStream
from assets.text.contact_points import spell_email
from orchestration.config.setup import Setup
from quality.contract.model import Contract, load_contract
from quality.landed.extract import ROWS
from storage.errors import JourneymartError


class Partition(NamedTuple):
    """One extract of a stream: how it is delivered, its contract, its date, its folder in landing."""

    stream: FileStream
    contract: Contract
    day: date
    landed: Path


@dataclass(frozen=True)
class Named:
    """What names a person.

    Attributes:
        points: Contact points: (kind, spelled).
        ids: Ids of records in their scopes.
        records: How many records of the person were found.
    """

    points: frozenset[tuple[str, str]]
    ids: frozenset[tuple[str, str]]
    records: int = 0

    def __bool__(self) -> bool:
        return bool(self.points or self.ids)


def read_given(setup: Setup, emails: Sequence[str], phones: Sequence[str], ids: Sequence[str]) -> Named:
    """What was given, as it is compared.

    Args:
        setup: Settings and sources.
        emails: E-mail addresses of the person, in any spelling.
        phones: Phone numbers with their country codes.
        ids: Records of the person, as source:stream:key.

    Raises:
        JourneymartError: Something is no address, number or record of a person.
    """
    points: set[tuple[str, str]] = set()
    for kind, texts, spell in (("email", emails, spell_email), ("phone", phones, spell_number)):
        for number, text in enumerate(texts, start=1):
            spelled = spell(text)
            if spelled is None:
                form = "an e-mail address" if kind == "email" else "a phone number with its country code"
                raise JourneymartError(f"The {_ordinal(number)} --{kind} is not {form}: write it as one.")
            points.add((kind, spelled))
    known = {
        f"{stream.stream.source}:{stream.stream.stream}"
        for stream in setup.sources.streams
        if load_contract(stream.stream.system, stream.stream.stream).record == "person"
    }
    scoped: set[tuple[str, str]] = set()
    for number, text in enumerate(ids, start=1):
        source, stream, key = [*text.split(":", 2), "", ""][:3]
        if f"{source}:{stream}" not in known or not key.strip():
            raise JourneymartError(
                f"The {_ordinal(number)} --id is not source:stream:key with one of {', '.join(sorted(known))}: "
                "name a record of a person."
            )
        scoped |= scoped_ids(source, key)
    return Named(frozenset(points), frozenset(scoped))


def _ordinal(number: int) -> str:
    return {1: "first", 2: "second", 3: "third"}.get(number, f"{number}th")


def all_partitions(setup: Setup) -> list[Partition]:
    """Every extract there is anything of, by stream, oldest first.

    Raises:
        JourneymartError: One is of a stream that is not configured, so nobody knows how to read it.
    """
    folder = setup.folder
    streams = {(stream.stream.source, stream.stream.stream): stream for stream in setup.sources.streams}
    found = sorted(
        {
            (path.parent.parent.name, path.parent.name, date.fromisoformat(path.name))
            for layer in (folder.landing, folder.accepted, folder.quarantine)
            for path in layer.glob("*/*/????-??-??")
        }
    )
    if unknown := sorted({f"{source}/{stream}" for source, stream, _ in found if (source, stream) not in streams}):
        raise JourneymartError(
            f"{folder.root} holds extracts of {unknown[0]}, which {setup.sources.file} does not name: name it there, "
            "or remove its folders, then try again."
        )
    partitions = []
    for source, name, day in found:
        stream = streams[source, name]
        contract = load_contract(stream.stream.system, stream.stream.stream)
        partitions.append(Partition(stream, contract, day, folder.landing_partition(stream.stream, day)))
    return partitions


def find_person(setup: Setup, partitions: Sequence[Partition], given: Named) -> Named:
    """Everything that names the person in the extracts.

    Raises:
        JourneymartError: What was given is an address of a role, or of several people.
    """
    people = read_people(
        (stream.stream, contract, landed) for stream, contract, _, landed in partitions if landed.exists()
    )
    seed = setup.settings.composed_project() / "seeds" / "identity_exclusions.csv"
    points, ids = who(people, given.points, given.ids, role_addresses(seed))
    records = sum(bool((each.ids | each.links) & ids or each.points & points) for each in people)
    return Named(frozenset(points), frozenset(ids), records)


def conversations_of(blocked: BlockList, partitions: Sequence[Partition]) -> frozenset[str]:
    """Marks of the conversations of people, in which others wrote as well."""
    marks: set[str] = set()
    for stream, contract, _, landed in partitions:
        if contract.record == "conversation" and landed.exists():
            own = find(blocked, contract, stream.stream.source, landed / ROWS).own
            if own.any():
                ids = pq.read_table(landed / ROWS, columns=[contract.key[0]]).column(0).to_pylist()
                for place in own.nonzero()[0]:
                    marks |= blocked.of_id("ticket", stream.stream.source, ids[place] or "")
    return frozenset(marks)
