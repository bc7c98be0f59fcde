"""A small company to erase people from or to look for them in: what it delivers, and its first night.

Its extracts are those of a shop (contacts, orders), a help desk, and a club that delivers its members as a dump every
night. They go the real way: drop folder, landing, gate.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb

from assets.landing.land import land_many
from assets.landing.records import record_texts
from orchestration.config.settings import Settings
from orchestration.config.setup import Setup
from orchestration.config.sources import load_sources
from orchestration.operations.erase_person import Erasure, erase
from quality.contract.model import load_contract
from quality.gate.gate import Gate
from quality.gate.verdict import Verdict
from quality.landed.extract import LandedExtract
from storage.descriptions import INDEX

KEY = "a secret of the tests, long enough to be one"
ASKED = datetime(2026, 1, 31, 9, tzinfo=UTC)
FIRST, SECOND = date(2026, 3, 1), date(2026, 3, 2)
ANN = "ann.lee@example.org"

SOURCES = """
company: Corner Shop
reporting_timezone: Europe/Berlin
currency: EUR
first_date: 2026-03-01
sources:
  shop:
    system: canonical
    connector: files
    location: "{data}/drop/shop"
    pattern: "{stream}_{date}.csv"
    timezone: UTC
    complete: rename
    when_missing: carry_forward
    streams:
      contact:
      order:
      survey_answer:
  desk:
    system: zendesk
    connector: files
    location: "{data}/drop/desk"
    pattern: "{stream}_{date}.jsonl"
    timezone: UTC
    complete: rename
    when_missing: carry_forward
    streams:
      users:
      tickets:
      ticket_audits:
  club:
    system: canonical
    connector: files
    location: "{data}/drop/club"
    pattern: "{stream}_{date}.csv"
    timezone: UTC
    complete: rename
    when_missing: carry_forward
    mode: full
    streams:
      contact:
"""

CONTACTS = (
    "contact_id,email,phone,first_name,last_name,country,shoe_size,updated_at\n"
    f"c-ann,{ANN},+49 30 1234567,Ann,Lee,DE,38,2026-03-01T08:00:00Z\n"
    "c-annie,ann.lee+shop@example.org,+49 30 12345678,Annie,Leed,DE,39,2026-03-01T08:00:00Z\n"
    "c-joann,joann.lee@example.org,,Joann,Lee,DE,40,2026-03-01T08:00:00Z\n"
    "c-bob,info@corner.example,0441 555555,Bob,Ray,DE,44,2026-03-01T08:00:00Z\n"
    "c-eve,info@corner.example,0441 666666,Eve,Ray,DE,37,2026-03-01T08:00:00Z\n"
)
ORDERS = (
    "order_id,contact_id,status,ordered_at,item_amount,greeting,updated_at\n"
    "o-1,c-ann,completed,2026-02-01T08:00:00Z,10.00,Dear Ann,2026-03-01T08:00:00Z\n"
    "o-2,c-joann,completed,2026-02-02T08:00:00Z,20.00,Dear Joann,2026-03-01T08:00:00Z\n"
    "o-3,c-ann,completed,someday,30.00,,2026-03-01T08:00:00Z\n"
    f"o-4,c-ann,{ANN}\n"
)
ANSWERS = (
    "answer_id,survey_id,question_id,contact_id,email,score,comment,answered_at,updated_at\n"
    f"a-1,nps,q,c-ann,{ANN},9,I am Ann,2026-02-03T08:00:00Z,2026-03-01T08:00:00Z\n"
    f"a-2,nps,q,c-joann,joann.lee@example.org,3,better ask {ANN}.,2026-02-03T08:00:00Z,2026-03-01T08:00:00Z\n"
    "a-3,nps,q,c-joann,joann.lee@example.org,4,slow,2026-02-04T08:00:00Z,2026-03-01T08:00:00Z\n"
)
USERS: list[dict[str, Any]] = [
    {"id": 7001, "name": "Ann Lee", "email": f"<MAILTO:{ANN.title()}>", "role": "end-user"},
    {"id": 7002, "name": "A. Lee", "email": None, "phone": "+49 30 1234567", "role": "end-user"},
    {"id": 7003, "name": "Joann Lee", "email": "joann.lee@example.org", "role": "end-user"},
    {"id": 7009, "name": "Sam Desk", "email": "sam@corner.example", "role": "agent"},
]
TICKETS: list[dict[str, Any]] = [
    {"id": 51, "subject": "Lamp", "description": "It broke, Ann", "requester_id": 7001, "submitter_id": 7001},
    {"id": 52, "subject": "Sofa", "description": "It sags, Joann", "requester_id": 7003, "submitter_id": 7003},
]
AUDITS: list[dict[str, Any]] = [
    {
        "id": 900 + number,
        "ticket_id": ticket,
        "author_id": author,
        "events": [
            {"id": 1, "type": "Comment", "author_id": author, "public": True, "body": body},
            {"id": 2, "type": "Change", "field_name": "status", "value": "open", "previous_value": "new"},
            {"id": 3, "type": "Change", "field_name": "subject", "value": body},
        ],
        "via": {"channel": "email", "source": {"from": {"name": body, "address": "x"}}},
    }
    for number, (ticket, author, body) in enumerate(
        [(51, 7001, "Ann here"), (51, 7009, "Dear Ann"), (52, 7003, "Joann here"), (52, 7009, "Dear Joann")]
    )
]
MEMBERS = (
    "contact_id,email,first_name,last_name,updated_at\n"
    f"m-1,{ANN},Ann,Lee,2026-03-01T08:00:00Z\n"
    "m-2,joann.lee@example.org,Joann,Lee,2026-03-01T08:00:00Z\n"
)


STREAMS = [f"shop/{stream}" for stream in ("contact", "order", "survey_answer")]
STREAMS += ["desk/users", "desk/tickets", "desk/ticket_audits", "club/contact"]


@dataclass(frozen=True)
class Shop:
    """The installation."""

    root: Path

    @property
    def setup(self) -> Setup:
        file = self.root / "sources.yml"
        return Setup(
            Settings(data=self.root / "data", state=self.root / "state", sources=file),
            load_sources(file, self.root / "data"),
        )

    def deliver(self, day: date, **files: str) -> None:
        """Put files into the drop folder: `shop_contact=...` is a file of stream contact of source shop."""
        for name, content in files.items():
            source, _, stream = name.partition("_")
            ending = "jsonl" if source == "desk" else "csv"
            path = self.root / "data" / "drop" / source / f"{stream}_{day}.{ending}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)

    def land(self, day: date) -> list[LandedExtract]:
        setup, landed = self.setup, []
        for stream in setup.sources.streams:
            contract = load_contract(stream.stream.system, stream.stream.stream)
            if land_many(stream, contract, setup.folder, [day]):
                partition = setup.folder.landing_partition(stream.stream, day)
                landed.append(LandedExtract(stream.stream, contract, day, "UTC", stream.mode, partition))
        return landed

    def night(self, day: date) -> list[Verdict]:
        """Land and judge, as a night does."""
        landed = self.land(day)
        with Gate(self.setup.folder, None, record_texts) as gate:
            return [gate.judge([extract])[0] for extract in landed]

    def forget(self, *emails: str, phones: Sequence[str] = (), ids: Sequence[str] = ()) -> Erasure:
        return erase(self.setup, emails, phones, ids, ASKED)

    def rows(self, layer: str, stream: str, day: date = FIRST) -> list[dict[str, Any]]:
        file = self.root / "data" / layer / stream / str(day) / "rows.parquet"
        found = duckdb.connect().execute(f"select * from read_parquet('{file}') order by _row")
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def keys(self, layer: str, stream: str, key: str, day: date = FIRST) -> list[str]:
        return [row[key] for row in self.rows(layer, stream, day)]

    def content(self, *layers: str) -> dict[str, str]:
        """Hash of every file of some layers, but the indexes, which say nothing that the files do not."""
        data = self.root / "data"
        return {
            str(path.relative_to(data)): hashlib.sha256(path.read_bytes()).hexdigest()
            for layer in layers
            for path in sorted((data / layer).rglob("*"))
            if path.is_file() and path.name != INDEX
        }

    def copy_to(self, root: Path) -> Shop:
        shutil.copytree(self.root, root)
        return Shop(root)


def lines(records: Sequence[dict[str, Any]], day: date = FIRST) -> str:
    common = {"status": "open", "created_at": f"{day}T08:00:00Z", "updated_at": f"{day}T08:00:00Z"}
    return "".join(json.dumps({**common, **record}) + "\n" for record in records)


def first_night(root: Path) -> Shop:
    """The first night's extracts, landed and judged."""
    shop = Shop(root)
    shop.root.mkdir()
    (shop.root / "sources.yml").write_text(SOURCES)
    shop.deliver(
        FIRST,
        shop_contact=CONTACTS,
        shop_order=ORDERS,
        shop_survey_answer=ANSWERS,
        desk_users=lines(USERS),
        desk_tickets=lines(TICKETS),
        desk_ticket_audits=lines(AUDITS),
        club_contact=MEMBERS,
    )
    assert [verdict.blocked_by for verdict in shop.night(FIRST)] == [()] * len(STREAMS)
    return shop
