"""A CRM that answers as Salesforce's public documentation says, over HTTP on loopback (emulator_kit.py).

Made-up records only. Results of a query are a list of ids, kept under a locator; what a page shows of them is how they
are when it is made, or nothing of those that are gone for good: the least that the documentation promises.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from quality.contract.model import load_contract
from tests.emulator_kit import Asked, Body, Fault, Host, Row, Told

CLIENT_ID, CLIENT_SECRET = "consumer-key-of-the-test", "consumer-secret-of-the-test"
CREDENTIALS = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
OBJECTS = {
    "Account": "account",
    "Case": "case",
    "Contact": "contact",
    "Opportunity": "opportunity",
    "OpportunityHistory": "opportunity_history",
}
_QUERY = re.compile(r"select (.+) from (\w+) where SystemModstamp >= (\S+Z) order by SystemModstamp, Id")
_PREFIXES = {
    "Account": "001",
    "Contact": "003",
    "Opportunity": "006",
    "Case": "500",
    "OpportunityHistory": "008",
}


def stamp(at: int) -> str:
    """A time as Salesforce writes it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


@dataclass(kw_only=True)
class Crm(Host):
    """The records of a CRM.

    Attributes:
        tables: Its records by id, by object.
        hidden: Fields that the user may not see.
        used: Requests of these 24 hours so far.
        allowed: Requests of 24 hours that are let through.
        results: Ids of a query's results, by locator.
    """

    tells_its_time: bool = True
    tables: dict[str, dict[str, Row]] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    used: int = 0
    allowed: int = 15_000
    results: dict[str, tuple[str, list[str], list[str]]] = field(default_factory=dict)

    def put(self, name: str, number: int, at: int | None = None, **fields: Any) -> str:
        """Make or change a record: at a time, or now. Gives its id."""
        at = self.now if at is None else at
        made = record_id(name, number)
        table = self.tables.setdefault(name, {})
        table[made] = {**_new(name, number, at), **table.get(made, {}), **fields, "SystemModstamp": stamp(at)}
        return made

    def merge(self, name: str, loser: int, winner: int) -> None:
        """Merge a record into another: it is deleted, and says into which."""
        self.put(name, loser, IsDeleted=True, MasterRecordId=record_id(name, winner))
        self.put(name, winner)

    def purge(self, name: str, number: int) -> None:
        """Delete a record for good: no query tells of it any more."""
        self.tables.get(name, {}).pop(record_id(name, number), None)

    def token(self, asked: Asked) -> Told | None:
        """As `Host.token`: a form, as OAuth has it."""
        if asked.path != "/services/oauth2/token":
            return None
        said = dict(parse_qsl(asked.body.decode()))
        if said != {"grant_type": "client_credentials", **CREDENTIALS}:
            return Told(400, {"error": "invalid_client", "error_description": "invalid client credentials"})
        token = f"token-{len(self.requests)}"
        self.tokens.add(token)
        return Told(200, {"access_token": token, "instance_url": "https://crm.invalid", "token_type": "Bearer"})

    def page(self, asked: Asked) -> Told:
        """As `Host.page`."""
        if self.used >= self.allowed:
            return _error(403, "REQUEST_LIMIT_EXCEEDED")
        self.used += 1
        told = self._answer(asked)
        return Told(told.status, told.body, {"Sforce-Limit-Info": f"api-usage={self.used}/{self.allowed}"})

    def spoilt(self, fault: Fault, asked: Asked, body: Body) -> Told | None:
        """As `Host.spoilt`."""
        if fault == "forgotten":
            if "q" in asked.query:
                return Told(200, body)
            self.results.clear()
            return _error(400, "INVALID_QUERY_LOCATOR")
        if fault == "slow":
            return _error(400, "QUERY_TIMEOUT")
        spoilt = {
            "no place": {"done": False, "nextRecordsUrl": None},
            "same place": {"done": False, "nextRecordsUrl": asked.path},
            "no marker": {"done": None},
            "no total": {"totalSize": None},
            "no records": {"records": None},
            "no time": {"done": False, "records": [{"Id": "003"}]},
            "short": {"done": True, "records": body.get("records", [])[:1]},
        }
        return Told(200, {**body, **spoilt[fault]}) if fault in spoilt else None

    def _answer(self, asked: Asked) -> Told:
        match asked.path.removeprefix("/services/data/v62.0/").split("/"):
            case ["sobjects", name, "describe"] if name in OBJECTS:
                return Told(
                    200, {"name": name, "fields": [{"name": each, "type": "any"} for each in self._fields(name)]}
                )
            case ["queryAll"]:
                return self._query(asked.query["q"])
            case ["queryAll", locator]:
                return self._more(locator)
            case _:
                return _error(404, "NOT_FOUND")

    def _query(self, soql: str) -> Told:
        said = _QUERY.fullmatch(soql)
        if said is None:
            return _error(400, "MALFORMED_QUERY")
        fields, name, since = said[1].split(", "), said[2], datetime.fromisoformat(said[3])
        if not set(fields) <= set(self._fields(name)):
            return _error(400, "INVALID_FIELD")
        rows = self.tables.get(name, {}).values()
        found = [row for row in rows if datetime.fromisoformat(row["SystemModstamp"]) >= since]
        ids = [row["Id"] for row in sorted(found, key=lambda row: (row["SystemModstamp"], row["Id"]))]
        key = f"01g{len(self.requests):012}"
        self.results[key] = (name, fields, ids)
        return self._more(f"{key}-0")

    def _more(self, locator: str) -> Told:
        key, _, offset = locator.partition("-")
        if key not in self.results:
            return _error(400, "INVALID_QUERY_LOCATOR")
        name, fields, ids = self.results[key]
        end = int(offset) + self.page_rows
        rows = [self.tables[name][each] for each in ids[int(offset) : end] if each in self.tables[name]]
        done = end >= len(ids)
        where = {} if done else {"nextRecordsUrl": f"/services/data/v62.0/query/{key}-{end}"}
        told = [{"attributes": {"type": name}, **{each: row.get(each) for each in fields}} for row in rows]
        return Told(200, {"totalSize": len(ids), "done": done, **where, "records": told})

    def _fields(self, name: str) -> list[str]:
        known = [*load_contract("salesforce", OBJECTS[name]).columns, "SystemModstamp", "LastViewedDate"]
        return [each for each in dict.fromkeys(known) if each not in self.hidden]


def record_id(name: str, number: int) -> str:
    """An id of 18 characters: those of a 15 that holds no capital end with AAA."""
    return f"{_PREFIXES[name]}{number:012}AAA"


def _new(name: str, number: int, at: int) -> Row:
    made: Row = {"Id": record_id(name, number), "IsDeleted": False, "CreatedDate": stamp(at)}
    match name:
        case "Account":
            return made | {"Name": f"Made up {number}", "AnnualRevenue": 1250000.5, "NumberOfEmployees": number}
        case "Contact":
            return made | {"AccountId": record_id("Account", 1), "Email": f"person{number}@example.org"}
        case "Opportunity":
            return made | {"StageName": "Proposal", "IsClosed": False, "IsWon": False, "Amount": 12.5}
        case "OpportunityHistory":
            return made | {"OpportunityId": record_id("Opportunity", 1), "StageName": "Proposal"}
        case _:
            return made | {"Status": "New", "IsClosed": False, "ContactId": record_id("Contact", 1)}


def _error(status: int, code: str) -> Told:
    return Told(status, [{"errorCode": code, "message": "Made up, with a name: Ada Lovelace"}])
