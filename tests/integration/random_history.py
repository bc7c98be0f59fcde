"""Random deliveries of every stream: edits, deletes, late versions, repeats and moves, in any order.

What lives here: the making of rows. Not here: what must hold of them. Ids, times and words come from pools so
small that records of different streams meet, and that versions of one record tie.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from typing import Any

from quality.contract.model import Column, Contract, all_contracts, load_contract

FIRST_DAY = date(2026, 1, 1)
IDS = ("1", "2", "3", "4")
EMAILS = ("ann@a.example", "Ann@A.example ", "bob@b.example", "info@a.example", "nobody")
EVENT_KINDS = ("Comment", "Change", "Create", "SatisfactionRating", "Unheard")
POOLS: dict[str, tuple[str | None, ...]] = {
    "email": EMAILS,
    "phone": ("030 123456", "+49 30 123456", "0049 30/12 34 56", "000"),
    "country$": ("DE", "Germany", "FR"),
    "^first_?name$": ("Ann", "A."),
    "^last_?name$": ("Lee", "Ray"),
    "^name$": ("Ann Lee", "Bob Ray"),
    "^question_id$": ("QID1", "QID2", "QID4"),
    "^qid": tuple(str(score) for score in range(11)),
    "^role$": ("end-user", "agent", "admin"),
    "(id|reference)$": IDS,
    "channel": ("email", "anonymous", "web"),
    "status": ("New", "Closed", "Escalated", "delivered", "shipped"),
    "stage": ("Proposal", "Closed Won"),
    "": ("a", "b", "c d"),
}
CLOCK_EVENTS = ("activate", "pause", "fulfill", "apply_sla", "breach", "update_status")
FIELDS = ("status", "assignee_id", "group_id", "priority", "subject")


def random_history(
    chance: random.Random, nights: int, rows_per_stream: int = 6
) -> list[dict[str, list[dict[str, Any]]]]:
    """Deliveries by night and stream, as `Warehouse.night` takes them."""
    arrivals: list[dict[str, list[dict[str, Any]]]] = [defaultdict(list) for _ in range(nights)]
    for contract in all_contracts():
        for _ in range(rows_per_stream):
            row = _row(chance, contract)
            arrivals[chance.randrange(nights)][f"{contract.system}.{contract.stream}"].append(row)
            if chance.random() < 0.15:
                arrivals[chance.randrange(nights)][f"{contract.system}.{contract.stream}"].append(row)
    # Most of them are withdrawn, or about tickets nobody delivered.
    clocks = load_contract("zendesk", "ticket_metric_events")
    for _ in range(4 * rows_per_stream):
        event = {**_row(chance, clocks), "type": chance.choice(CLOCK_EVENTS), "metric": "reply_time"}
        arrivals[chance.randrange(nights)][f"{clocks.system}.{clocks.stream}"].append(event)
    return [dict(streams) for streams in arrivals]


def _row(chance: random.Random, contract: Contract) -> dict[str, Any]:
    bookkeeping = {
        "_source": contract.system if chance.random() < 0.8 else f"{contract.system}_two",
        "_extract_date": FIRST_DAY + timedelta(days=chance.randrange(4)),
    }
    if chance.random() < 0.12:
        key = {name: _value(chance, name, contract.columns[name]) for name in contract.key}
        return {**bookkeeping, **key, "_op": "delete"}
    return {
        **bookkeeping,
        **{name: _value(chance, name, column) for name, column in contract.columns.items()},
        "_extra": {"QID4": str(chance.randrange(11))},
    }


def _value(chance: random.Random, name: str, column: Column) -> Any:
    if not column.required and chance.random() < 0.15:
        return None
    if column.allowed:
        return chance.choice(column.allowed)
    moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=6 * chance.randrange(12))
    made = {
        "timestamp": lambda: moment,
        "epoch_s": lambda: moment,
        "epoch_ms": lambda: moment,
        "date": moment.date,
        "boolean": lambda: chance.random() < 0.4,
        "json": lambda: _json(chance, name),
        **dict.fromkeys(("text", "id", "currency"), lambda: _text(chance, name)),
    }
    return made.get(column.type, lambda: chance.randrange(1, 4))()


def _text(chance: random.Random, name: str) -> str | None:
    """A word from the first pool whose pattern the column's name fits."""
    lowered = name.lower()
    return chance.choice(next(pool for pattern, pool in POOLS.items() if re.search(pattern, lowered)))


def _json(chance: random.Random, name: str) -> Any:
    if name == "events":
        return [_event(chance) for _ in range(chance.randrange(4))]
    if name == "via":
        return {"channel": chance.choice(("web", "email", "rule"))}
    if name == "tags":
        return chance.sample(("complaint", "closed_by_merge", "topic_billing", "vip"), 2)
    if name == "answers":
        return {question: str(chance.randrange(11)) for question in ("QID1", "QID2", "QID4") if chance.random() < 0.8}
    return []


def _event(chance: random.Random) -> dict[str, Any]:
    return {
        "type": chance.choice(EVENT_KINDS),
        "field_name": chance.choice(FIELDS),
        "previous_value": chance.choice(("open", None)),
        "value": chance.choice(("solved", "offered", None)),
        "public": chance.random() < 0.7,
        "author_id": chance.choice((*IDS, "-1")),
    }
