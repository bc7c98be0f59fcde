"""What the tests of mappings share: a company whose help desk and surveys have columns of their own."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from assets.landing.connectors.config import FileStream
from assets.landing.land import Landed, land_many
from orchestration.config.settings import Settings
from orchestration.config.setup import Setup
from orchestration.config.sources import Sources, load_sources
from quality.contract.model import load_contract
from quality.gate.gate import Gate
from quality.gate.verdict import Verdict
from quality.landed.extract import LandedExtract
from quality.landed.manifest import LandingManifest, read_manifest
from storage.data_folder import DataFolder

FIRST, SECOND = date(2026, 3, 1), date(2026, 3, 2)

COMPANY = """\
company: Acme
reporting_timezone: Europe/Berlin
currency: EUR
first_date: 2026-03-01
sources:
  desk:
    system: canonical
    location: "{data}/drop"
    pattern: "{stream}_{date}.csv"
    timezone: Europe/Berlin
    complete: rename
    streams:
"""

TICKETS = """\
ticket:
  where: "\\"Ist Test\\" is distinct from 'ja'"
  columns:
    ticket_id: Ticket-Nr.
    requester_email: {sql: 'lower(trim("E-Mail"))'}
    channel: {const: email}
    team: Gruppe
    status: {from: Status, values: {Neu: new, Offen: open, Wartet: pending, Erledigt: solved}}
    priority: {from: Prio, values: {1: urgent, 2: high}, otherwise: normal}
    created_at: {from: Angelegt, format: "%d.%m.%Y %H:%M"}
    updated_at: {from: Geändert, format: "%d.%m.%Y %H:%M"}
  ignore: ["Intern *"]
"""

ANSWERS = """\
survey_answer:
  unpivot: {columns: ["Q*", Kommentar]}
  columns:
    answer_id: {key: [Response ID, question]}
    response_id: Response ID
    survey_id: {const: relationship}
    question_id: {from: question, values: {Kommentar: comment}}
    score: {sql: "case when question <> 'Kommentar' then answer end"}
    comment: {sql: "case when question = 'Kommentar' then answer end"}
    answered_at: Ended
    updated_at: Ended
"""


@dataclass(frozen=True)
class Company:
    """A company folder and its data folder."""

    root: Path

    @property
    def folder(self) -> DataFolder:
        return DataFolder(self.root / "data")

    @property
    def drop(self) -> Path:
        return self.root / "data" / "drop"

    def says(self, streams: str, mapping: str | None, *, name: str = "desk") -> Sources:
        """Write the company file and a mapping beside it, and read both; streams are lines such as `ticket:`."""
        self.drop.mkdir(parents=True, exist_ok=True)
        indented = "".join(f"      {line}\n" for line in streams.splitlines())
        (self.root / "company.yml").write_text(COMPANY + indented, encoding="utf-8")
        (self.root / "mappings").mkdir(exist_ok=True)
        if mapping is not None:
            (self.root / "mappings" / f"{name}.yml").write_text(mapping, encoding="utf-8")
        return self.read()

    def read(self) -> Sources:
        return load_sources(self.root / "company.yml", self.root / "data")

    def setup(self) -> Setup:
        settings = Settings(data=self.root / "data", state=self.root / "state", sources=self.root / "company.yml")
        return Setup(settings, self.read())

    def deliver(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[str | None]]) -> None:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([columns, *rows])
        (self.drop / name).write_text(text.getvalue(), encoding="utf-8")

    def land(self, stream: FileStream, *days: date) -> list[Landed]:
        return land_many(stream, load_contract("canonical", stream.stream.stream), self.folder, days or [FIRST])

    def rows(self, stream: FileStream, day: date = FIRST) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = pq.read_table(self.partition(stream, day) / "rows.parquet").to_pylist()
        return found

    def manifest(self, stream: FileStream, day: date = FIRST) -> LandingManifest:
        return read_manifest(self.partition(stream, day))

    def partition(self, stream: FileStream, day: date = FIRST) -> Path:
        return self.folder.landing_partition(stream.stream, day)

    def extract(self, stream: FileStream, day: date = FIRST) -> LandedExtract:
        contract = load_contract("canonical", stream.stream.stream)
        return LandedExtract(
            stream.stream, contract, day, stream.timezone, stream.mode, self.partition(stream, day), stream.reading
        )

    def judge(self, gate: Gate, stream: FileStream, day: date = FIRST) -> Verdict:
        return gate.judge([self.extract(stream, day)])[0]


TICKET_COLUMNS = ("Ticket-Nr.", "E-Mail", "Gruppe", "Status", "Prio", "Angelegt", "Geändert", "Ist Test")


def ticket(number: int, **said: str) -> list[str]:
    """One record of the help desk's export, in the order of `TICKET_COLUMNS`; `said` by column."""
    usual: Mapping[str, str] = {
        "Ticket-Nr.": f"T-{number}",
        "E-Mail": f" Kunde{number}@Example.org ",
        "Gruppe": "Erste Hilfe",
        "Status": "Offen",
        "Prio": "2",
        "Angelegt": "01.03.2026 08:15",
        "Geändert": "01.03.2026 09:00",
        "Ist Test": "",
    }
    return [{**usual, **said}[name] for name in TICKET_COLUMNS]
