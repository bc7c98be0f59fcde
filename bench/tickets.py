"""A company of which nothing is known but a help desk: a hundred thousand tickets, and what happened on them.

What lives here: its extracts and its company folder. Not here: what they cost, and the script that reckons the same
without any of ours (peers/pandas_tickets.py).

Tickets come in evenly over two hundred days, so the last day, which is the night that is measured, brings one of two
hundred, and what happened on older ones. The files are Zendesk's, with the users, or nobody could tell a reply from a
question. Same seed, same files.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import yaml

TICKETS = 100_000
DAYS = 200
FIRST = date(2026, 6, 27)
"""Extract date of the history, which ends with it."""

_SEED = 12
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_AGENTS, _REQUESTERS = 50, 30_000
_TEXT = "Thank you for your message. We have looked into it and would like to know whether the device shows a light. "


def make_company(folder: Path) -> None:
    """Write the company folder."""
    folder.mkdir(parents=True, exist_ok=True)
    said = {
        "company": "Hundred thousand tickets",
        "reporting_timezone": "UTC",
        "currency": "EUR",
        "first_date": FIRST,
        "sources": {
            "desk": {
                "system": "zendesk",
                "location": "{data}/drop/desk",
                "pattern": "{stream}_{date}.jsonl.gz",
                "complete": "rename",
                "timezone": "UTC",
                "streams": {"tickets": None, "ticket_audits": None, "users": None},
            }
        },
    }
    (folder / "company.yml").write_text(yaml.safe_dump(said, sort_keys=False), encoding="utf-8")


def deliver(drop: Path, tickets: int = TICKETS) -> None:
    """Write the history and the extracts of the next day."""
    happened = _happened(tickets)
    home = drop / "desk"
    home.mkdir(parents=True)
    since = pd.Timestamp(0, tz="UTC")
    for day in (FIRST, FIRST + timedelta(days=1)):
        until = pd.Timestamp(day + timedelta(days=1), tz="UTC")
        known = happened[happened.moment < until]
        shown = _shown(known)
        _write(home / f"tickets_{day}.jsonl.gz", _tickets(shown[shown.updated_at >= since]))
        _write(home / f"ticket_audits_{day}.jsonl.gz", _audits(known[known.moment >= since]))
        _write(home / f"users_{day}.jsonl.gz", _users(day, _AGENTS + _REQUESTERS if day == FIRST else 1))
        since = until


def _happened(tickets: int) -> pd.DataFrame:
    """All that ever happens on the tickets, in the order in which it does: ticket, what, when."""
    draw = np.random.default_rng(_SEED)
    number = np.arange(tickets)
    created = number * DAYS * _DAY // tickets
    replied = created + _MINUTE + draw.exponential(6 * _HOUR, tickets).astype(int)
    asked = replied + _MINUTE + draw.exponential(5 * _HOUR, tickets).astype(int)
    solved = asked + _MINUTE + draw.exponential(30 * _HOUR, tickets).astype(int)
    reopened = solved + _MINUTE + draw.exponential(24 * _HOUR, tickets).astype(int)
    again = reopened + _MINUTE + draw.exponential(24 * _HOUR, tickets).astype(int)
    shares = (0.92, 0.5, 0.96, 0.08)
    is_replied, is_asked, is_solved, is_solved_too_soon = (draw.random(tickets) < share for share in shares)
    is_reopened = is_solved & is_solved_too_soon
    parts = [
        _part("created", created, np.ones(tickets, dtype=bool)),
        _part("replied", replied, is_replied),
        _part("asked", asked, is_replied & is_asked),
        _part("solved", solved, is_solved),
        _part("reopened", reopened, is_reopened),
        _part("solved", again, is_reopened),
    ]
    happened = pd.concat(parts, ignore_index=True)
    start = pd.Timestamp(FIRST + timedelta(days=2 - DAYS), tz="UTC")
    happened["moment"] = start + pd.to_timedelta(happened["moment"], unit="s")
    return happened.sort_values(["moment", "ticket"], ignore_index=True)


def _part(what: str, at: npt.NDArray[np.int64], is_there: npt.NDArray[np.bool_]) -> pd.DataFrame:
    return pd.DataFrame({"ticket": np.flatnonzero(is_there), "what": what, "moment": at[is_there]})


def _shown(known: pd.DataFrame) -> pd.DataFrame:
    """Status and times of the tickets as the desk shows them."""
    moves = known[known.what.isin(("created", "solved", "reopened"))]
    shown = known.groupby("ticket").agg(created_at=("moment", "first"), updated_at=("moment", "last"))
    shown["is_solved"] = moves.groupby("ticket").what.last() == "solved"
    return shown


def _tickets(shown: pd.DataFrame) -> Iterable[Mapping[str, Any]]:
    for row in shown.itertuples():
        ticket = int(row.Index)
        yield {
            "id": ticket + 1,
            "subject": f"Question {ticket}",
            "priority": "high" if ticket % 10 == 0 else "normal",
            "status": "solved" if row.is_solved else "open",
            "requester_id": _requester(ticket),
            "submitter_id": _requester(ticket),
            "assignee_id": _agent(ticket),
            "group_id": ticket % 5 + 1,
            "tags": ["billing" if ticket % 4 == 0 else "device"],
            "via": {"channel": "web" if ticket % 3 == 0 else "email"},
            "created_at": _spelled(row.created_at),
            "updated_at": _spelled(row.updated_at),
        }


def _audits(happened: pd.DataFrame) -> Iterable[Mapping[str, Any]]:
    for row in happened.itertuples():
        ticket = int(row.ticket)
        by_customer = row.what in {"created", "asked", "reopened"}
        author = _requester(ticket) if by_customer else _agent(ticket)
        yield {
            "id": int(row.Index) + 1,
            "ticket_id": ticket + 1,
            "author_id": author,
            "created_at": _spelled(row.moment),
            "events": _events(str(row.what), author, ticket),
            "via": {"channel": "email" if by_customer else "web"},
        }


def _events(what: str, author: int, ticket: int) -> list[dict[str, Any]]:
    comment = {"type": "Comment", "author_id": author, "public": True, "body": _TEXT * (1 + ticket % 4)}
    status = {"type": "Change", "field_name": "status"}
    match what:
        case "created":
            return [{"type": "Create", "field_name": "status", "value": "open"}, comment]
        case "solved":
            return [status | {"previous_value": "open", "value": "solved"}]
        case "reopened":
            return [status | {"previous_value": "solved", "value": "open"}, comment]
    return [comment]


def _users(day: date, how_many: int) -> Iterable[Mapping[str, Any]]:
    at = f"{day}T00:00:00Z"
    for number in range(1, how_many + 1):
        is_agent = number <= _AGENTS
        yield {
            "id": number,
            "name": f"Person {number}",
            "email": f"person{number}@home-{number % 500}.example",
            "role": "agent" if is_agent else "end-user",
            "created_at": "2025-01-01T00:00:00Z",
            "updated_at": at,
        }


def _agent(ticket: int) -> int:
    return ticket % _AGENTS + 1


def _requester(ticket: int) -> int:
    return _AGENTS + 1 + ticket % _REQUESTERS


def _spelled(at: pd.Timestamp) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def _write(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    # It bears its final name when it is complete.
    partial = path.with_name(f".{path.name}")
    with gzip.open(partial, "wt", encoding="utf-8", compresslevel=4) as lines:
        for row in rows:
            lines.write(json.dumps(row, separators=(",", ":")) + "\n")
    partial.rename(path)
