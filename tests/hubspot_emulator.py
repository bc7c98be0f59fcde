"""A CRM that answers as HubSpot's public documentation says, over HTTP on loopback (emulator_kit.py).

Made-up records only. A search knows a change some time after it was made (`lag`), shows records as they are when it is
answered, and refuses to go behind so many results; what is merged away is in no list.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from quality.contract.model import load_contract
from tests.emulator_kit import Asked, Body, Fault, Host, Row, Told

ACCESS_TOKEN = "private-app-token-of-the-test"
CREDENTIALS = {"access_token": ACCESS_TOKEN}
CHANGED = {
    "contacts": "lastmodifieddate",
    "companies": "hs_lastmodifieddate",
    "deals": "hs_lastmodifieddate",
    "feedback_submissions": "hs_lastmodifieddate",
}
_MADE = {"id", "archived", "merged_into_id", "updated_at", "contact_id", "dealstage_history"}


def instant(at: float) -> str:
    """A time as HubSpot writes it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{round(at * 1000) % 1000:03}Z"


def millisecond(said: str) -> int:
    """A time it wrote, as its filters take it."""
    return round(datetime.fromisoformat(said).timestamp() * 1000)


@dataclass
class Record:
    """A record, when a search will know of its last change, and what it showed before."""

    properties: dict[str, str | None]
    archived_at: str | None = None
    known_from: float = 0
    before: int = 0
    contacts: list[int] = field(default_factory=list)
    stages: list[Row] = field(default_factory=list)


@dataclass(kw_only=True)
class Portal(Host):
    """The records of an account.

    Attributes:
        tables: Its records by id, by object.
        lag: Seconds after which a search knows of a change.
        most_results: How many a search shows at most.
        lacks: Properties this account does not have.
        merged: Ids that were merged away, and into which, by object.
    """

    tells_its_time: bool = True
    tables: dict[str, dict[int, Record]] = field(default_factory=dict)
    lag: int = 0
    most_results: int = 10_000
    lacks: set[str] = field(default_factory=set)
    merged: dict[str, dict[int, int]] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=lambda: {ACCESS_TOKEN})

    def put(self, name: str, number: int, at: float | None = None, /, **properties: Any) -> None:
        """Make or change a record: at a time, or now."""
        now = self.now if at is None else at
        table = self.tables.setdefault(name, {})
        made = {"createdate": instant(now), "hs_object_id": str(number)}
        old = table.get(number)
        record = table[number] = old or Record({})
        record.before = millisecond(record.properties[CHANGED[name]] or "") if old else 0
        record.properties = {**made, **record.properties, **properties, CHANGED[name]: instant(now)}
        record.known_from = now + self.lag if at is None else 0
        if stage := properties.get("dealstage"):
            record.stages = [{"value": stage, "timestamp": instant(now), "sourceType": "CRM_UI"}, *record.stages]

    def archive(self, name: str, number: int) -> None:
        """Put a record into the recycle bin, which moves no property of it."""
        if number in self.tables.get(name, {}):
            self.tables[name][number].archived_at = instant(self.now)

    def merge(self, name: str, loser: int, winner: int) -> None:
        """Merge a record into another: it is in no list any more."""
        table = self.tables.get(name, {})
        if loser == winner or loser not in table or winner not in table or table[winner].archived_at:
            return
        del table[loser]
        merged = self.merged.setdefault(name, {})
        merged[loser] = winner
        known = [each for each in (table[winner].properties.get("hs_merged_object_ids") or "").split(";") if each]
        self.put(name, winner, hs_merged_object_ids=";".join([*known, str(loser)]))

    def page(self, asked: Asked) -> Told:
        """As `Host.page`."""
        said = json.loads(asked.body) if asked.body else {}
        match asked.path.removeprefix("/crm/").split("/"):
            case ["v3", "properties", name]:
                names = [*load_contract("hubspot", name).columns, CHANGED[name], "hs_object_id", "hs_merged_object_ids"]
                return Told(200, {"results": [{"name": each} for each in names if each not in self.lacks | _MADE]})
            case ["v3", "objects", name, "search"]:
                return self._search(name, said)
            case ["v3", "objects", name] if asked.query.get("archived") == "true":
                return self._archived(name, asked.query)
            case ["v3", "objects", "deals", "batch", "read"]:
                return self._of_deals(said, lambda number, deal: _history(number, deal, said), most=50)
            case ["v4", "associations", "deals", "contacts", "batch", "read"]:
                return self._of_deals(said, _contacts, most=1000)
            case _:
                return Told(404, {"status": "error", "category": "OBJECT_NOT_FOUND"})

    def spoilt(self, fault: Fault, asked: Asked, body: Body) -> Told | None:
        """As `Host.spoilt`."""
        spoilt = {
            "no total": {"total": None},
            "no results": {"results": None},
            "no place": {"paging": {"next": {}}, "total": 10**6},
            "nothing": {"results": [], "total": 5},
            "no number": {"results": [{"id": "x", "properties": {}}], "total": 5},
            "no time": {"results": [{"id": "1", "properties": {}}], "total": 5},
            "no properties": {"results": [{"id": "1"}], "total": 5},
            "lacks some": {"errors": [{"category": "INTERNAL_ERROR"}], "results": []},
        }
        if fault == "no scope":
            return Told(403, {"status": "error", "category": "MISSING_SCOPES", "message": "Ada Lovelace"})
        return Told(200, {**body, **spoilt[fault]}) if fault in spoilt else None

    def _search(self, name: str, said: Mapping[str, Any]) -> Told:
        (order,) = said["sorts"]
        (group,) = said["filterGroups"]
        size, offset = min(said["limit"], self.page_rows), int(said.get("after", 0))
        if said["limit"] > 200 or offset + size > self.most_results:
            return Told(400, {"status": "error", "category": "VALIDATION_ERROR"})
        found = [
            (self._known(name, number, record)[order["propertyName"]], number, record)
            for number, record in self.tables.get(name, {}).items()
            if not record.archived_at and all(self._fits(name, number, record, each) for each in group["filters"])
        ]
        found.sort(key=lambda each: each[:2])
        rows = [self._told(name, number, record, said["properties"]) for _, number, record in found[offset:][:size]]
        more = {"paging": {"next": {"after": str(offset + size)}}} if offset + size < len(found) else {}
        return Told(200, {"total": len(found), "results": rows, **more})

    def _known(self, name: str, number: int, record: Record) -> dict[str, int]:
        """What the index of the search knows of a record."""
        now = millisecond(record.properties[CHANGED[name]] or "")
        return {"hs_object_id": number, CHANGED[name]: now if record.known_from <= self.now else record.before}

    def _fits(self, name: str, number: int, record: Record, sought: Mapping[str, str]) -> bool:
        known, wanted = self._known(name, number, record)[sought["propertyName"]], int(sought["value"])
        fits = {"GTE": known >= wanted, "GT": known > wanted, "LT": known < wanted, "EQ": known == wanted}
        return known > 0 and fits[sought["operator"]]

    def _archived(self, name: str, query: Mapping[str, str]) -> Told:
        behind, size = int(query.get("after", 0)), min(int(query["limit"]), self.page_rows, 100)
        found = [
            (number, record)
            for number, record in sorted(self.tables.get(name, {}).items())
            if record.archived_at and number > behind
        ]
        rows = [self._told(name, number, record, query["properties"].split(",")) for number, record in found[:size]]
        more = {"paging": {"next": {"after": str(found[size - 1][0]), "link": "?"}}} if len(found) > size else {}
        return Told(200, {"results": rows, **more})

    def _of_deals(self, said: Mapping[str, Any], tell: Callable[[int, Record], Row | None], most: int) -> Told:
        wanted, deals = [int(each["id"]) for each in said["inputs"]], self.tables["deals"]
        if len(wanted) > most:
            return Told(400, {"status": "error", "category": "VALIDATION_ERROR"})
        found = [told for each in wanted if each in deals and (told := tell(each, deals[each]))]
        errors = [{"status": "error", "category": "OBJECT_NOT_FOUND"}] * (len(wanted) - len(found))
        return Told(207 if errors else 200, {"status": "COMPLETE", "results": found, "errors": errors})

    def _told(self, name: str, number: int, record: Record, properties: list[str]) -> Row:
        told = {each: record.properties.get(each) for each in properties if each not in self.lacks}
        archived = {"archivedAt": record.archived_at} if record.archived_at else {}
        at = record.properties[CHANGED[name]]
        return {"id": str(number), "properties": told, "updatedAt": at, "archived": bool(archived), **archived}


def _history(number: int, deal: Record, said: Mapping[str, Any]) -> Row:
    assert said["propertiesWithHistory"] == ["dealstage"]
    return {"id": str(number), "properties": {}, "propertiesWithHistory": {"dealstage": deal.stages}}


def _contacts(number: int, deal: Record) -> Row | None:
    if not deal.contacts:
        return None
    return {"from": {"id": str(number)}, "to": [{"toObjectId": each} for each in deal.contacts]}
