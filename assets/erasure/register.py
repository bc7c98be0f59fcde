"""The register of people who asked to be erased: keyed digests of what names them, nothing in clear.

What lives here: the key, digests, the entries below `<data>/erasures`, and the block-list they make together. Not here:
which rows are a person's and how they go (assets/erasure/take_out.py).

A digest is an HMAC-SHA256 under a secret that lies in the environment and nowhere else: without it nobody can try
addresses against the register. With another secret nobody would be recognised, so the register knows its own.
"""

from __future__ import annotations

import hmac
import json
import os
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from quality.rows.ids import spell_id, unfolded_salesforce_id
from storage.data_folder import DataFolder
from storage.errors import JourneymartError
from storage.folders import flush

KEY_VARIABLE = "JOURNEYMART_ERASURE_KEY"
_SHORTEST_KEY = 32
_KEY_FILE = "key.json"

# Shorter ids are unique in their own source only: nobody else's record may be taken for the person's.
_GLOBAL_ID = 9
# Salesforce writes an id with 15 characters or, case-safe, with 18.
_LONG_CRM_ID = re.compile(r"[A-Za-z0-9]{18}")
_SHORT_CRM_ID = 15

# open: rows may be left; rewritten: no extract holds the person, older versions do; done: nothing does.
Status = Literal["open", "rewritten", "done"]


@dataclass(frozen=True)
class Entry:
    """One person.

    Attributes:
        subject: Random name of the entry; says nothing of the person.
        requested_at: When the person asked, in UTC.
        due_at: By when the law wants it done: a month later.
        status: How far it is.
        marks: Digests of all that names the person.
        versions: Published versions that hold the person, to be removed when another is published.
        evidence: What was done, as counts.
        completed_at: When the last of it was gone; None: it is not.
    """

    subject: str
    requested_at: datetime
    due_at: datetime
    status: Status
    marks: frozenset[str]
    versions: tuple[str, ...] = ()
    evidence: Mapping[str, int] = field(default_factory=dict)
    completed_at: datetime | None = None


class BlockList:
    """Who is to be recognised, by digests.

    Args:
        key: The secret.
        marks: Digests of everybody on it.
    """

    def __init__(self, key: bytes, marks: Iterable[str] = ()) -> None:
        self._key = key
        self.marks = frozenset(marks)

    def has_point(self, kind: str, spelled: str | None) -> bool:
        """Whether an e-mail address or a phone number, in its one spelling, is on it."""
        return spelled is not None and not self.marks.isdisjoint(self.of_point(kind, spelled))

    def has_id(self, kind: Literal["record", "ticket"], source: str, value: str) -> bool:
        """Whether an id that a source writes is on it."""
        return not self.marks.isdisjoint(self.of_id(kind, source, value))

    def of_point(self, kind: str, spelled: str) -> frozenset[str]:
        """The mark of an e-mail address or a phone number."""
        return frozenset({self._digest(kind, spelled)})

    def of_id(self, kind: Literal["record", "ticket"], source: str, value: str) -> frozenset[str]:
        """The marks of a record's id: within its source, and everywhere where it is long enough."""
        return frozenset(self._digest(kind, *scoped) for scoped in scoped_ids(source, value))

    def of(self, points: Iterable[tuple[str, str]], scoped: Iterable[tuple[str, str]]) -> frozenset[str]:
        """Marks of contact points, (kind, spelled), and of ids of records in their scopes."""
        ids = (self._digest("record", *each) for each in scoped)
        return frozenset(ids).union(*(self.of_point(*point) for point in points))

    def pseudonym(self, source: str, value: str) -> str:
        """What stands for an id that a row cannot do without; nobody can go back without the secret."""
        return f"erased-{self._digest('pseudonym', source, value)[:16]}"

    def _digest(self, *parts: str) -> str:
        return hmac.digest(self._key, "\0".join(parts).encode("utf-8", "surrogatepass"), "sha256").hex()


def scoped_ids(source: str, value: str) -> frozenset[tuple[str, str]]:
    """An id in its one spelling: (source, id), and ("*", id) if it is long enough to be unique anywhere."""
    spelled = spell_id(value) or value.strip()
    if _LONG_CRM_ID.fullmatch(spelled):
        spelled = unfolded_salesforce_id(spelled)[:_SHORT_CRM_ID]
    scopes = [source, "*"] if len(spelled) >= _GLOBAL_ID else [source]
    return frozenset((scope, spelled) for scope in scopes)


class Register:
    """The entries of a data folder. Whoever writes holds the data lock."""

    def __init__(self, folder: DataFolder, key: bytes) -> None:
        self._home = _home(folder)
        self._key = key
        self._require_own_key()

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Every entry, oldest first."""
        paths = (path for path in self._home.glob("*.json") if path.name != _KEY_FILE)
        return tuple(sorted(map(_read, paths), key=lambda entry: (entry.requested_at, entry.subject)))

    def blocked(self, marks: frozenset[str] | None = None) -> BlockList:
        """A block-list of everybody on the register, or of some marks."""
        every = (mark for entry in self.entries for mark in entry.marks)
        return BlockList(self._key, every if marks is None else marks)

    def enter(self, marks: frozenset[str], requested_at: datetime) -> Entry:
        """Enter a person, or add to the entry of one who is known by any of these marks; it is open afterwards."""
        known = next((entry for entry in self.entries if entry.marks & marks), None)
        entry = (
            replace(known, marks=known.marks | marks, status="open", completed_at=None)
            if known
            else Entry(secrets.token_hex(8), requested_at, _a_month_after(requested_at), "open", marks)
        )
        self.save(entry)
        return entry

    def save(self, entry: Entry) -> None:
        """Write an entry; it is on disk when this returns."""
        self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not (self._home / _KEY_FILE).exists():
            self._write(_KEY_FILE, {"check": self._check()})
        said = {**asdict(entry), "marks": sorted(entry.marks)}
        self._write(f"{entry.subject}.json", said)

    def _require_own_key(self) -> None:
        path = self._home / _KEY_FILE
        if path.exists() and not hmac.compare_digest(json.loads(path.read_bytes())["check"], self._check()):
            raise JourneymartError(
                f"{KEY_VARIABLE} is not the secret that {self._home} was begun with, so nobody in it would be "
                "recognised: set the one that was used before."
            )

    def _check(self) -> str:
        return hmac.digest(self._key, b"journeymart erasures", "sha256").hex()

    def _write(self, name: str, said: Mapping[str, object]) -> None:
        new = self._home / f".{name}"
        new.write_text(json.dumps(said, indent=1, default=datetime.isoformat) + "\n", encoding="utf-8")
        new.chmod(0o600)
        flush(new)
        new.replace(self._home / name)
        flush(self._home)


def open_register(folder: DataFolder) -> Register:
    """The register of a data folder, which may have no entry yet.

    Raises:
        JourneymartError: The secret is missing, too short, or not the register's.
    """
    secret = os.environ.get(KEY_VARIABLE, "")
    if len(secret) < _SHORTEST_KEY:
        state = f"shorter than {_SHORTEST_KEY} characters" if secret else "not set"
        raise JourneymartError(
            f"{KEY_VARIABLE} is {state}, and people who asked to be erased are recognised by it: set it to a "
            "secret of your own, always the same, and keep it apart from the data."
        )
    return Register(folder, secret.encode())


def block_list(folder: DataFolder) -> BlockList | None:
    """Whom extracts must not bring back; None, without a look at anything else, if nobody asked to be erased.

    Raises:
        JourneymartError: There is a register that cannot be used, or an erasure was interrupted.
    """
    if not _home(folder).exists():
        return None
    register = open_register(folder)
    if any(entry.status == "open" for entry in register.entries):
        raise JourneymartError("An erasure was interrupted: run `journeymart erase` to finish it, then run the night.")
    return register.blocked()


def has_entries(folder: DataFolder) -> bool:
    """Whether anybody asked to be erased."""
    return _home(folder).exists()


def settled(entry: Entry, versions: Sequence[str], now: datetime) -> Entry:
    """An entry whose extracts are rewritten, with the versions that still hold the person."""
    if versions:
        return replace(entry, status="rewritten", versions=tuple(versions), completed_at=None)
    return replace(entry, status="done", versions=(), completed_at=entry.completed_at or now)


def _home(folder: DataFolder) -> Path:
    return folder.root / "erasures"


def _read(path: Path) -> Entry:
    try:
        said = json.loads(path.read_bytes())
        times = {name: said[name] and datetime.fromisoformat(said[name]) for name in _TIMES}
        return Entry(**{**said, **times, "marks": frozenset(said["marks"]), "versions": tuple(said["versions"])})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise JourneymartError(f"{path} cannot be read ({type(error).__name__}): restore it from a backup.") from None


_TIMES = ("requested_at", "due_at", "completed_at")


def _a_month_after(moment: datetime) -> datetime:
    """The same day of the next month, or its last day."""
    moment = moment.astimezone(UTC)
    first = (moment.replace(day=1) + timedelta(days=32)).replace(day=1)
    last = ((first + timedelta(days=32)).replace(day=1) - timedelta(days=1)).day
    return first.replace(day=min(moment.day, last))
