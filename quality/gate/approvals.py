"""Approvals: a person's recorded word that a blocked extract may pass, or that a date is never delivered.

What lives here: one file per approval in the data folder, and what may be approved. Not here: judging (gate.py), the
command (orchestration/cli/gate.py), what is published of it (assets).

An approval is for the very content that was in landing, by its hash: an extract delivered again needs its own. One of a
date of which nothing landed says that nothing will come; it ends when something does.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from storage.data_folder import DataFolder, StreamId
from storage.descriptions import read_described
from storage.errors import JourneymartError
from storage.folders import flush

# What may be unusual and right all the same. What is not whole, not the known table, or not what the contract says
# cannot be made right by anybody's word.
APPROVABLE = frozenset({"volume", "freshness", "deletes", "distribution", "quarantine"})

# In place of checks: nothing was delivered.
MISSING = "missing"

_SUFFIX = ".json"
_VERDICT = "verdict.json"
# What of a verdict is kept in an index of many.
_SAID = ("passed", "blocked_by", "rows", "quarantined_rows")


@dataclass(frozen=True)
class Approval:
    """What a person said of one extract.

    Attributes:
        source: Installation.
        stream: Object.
        extract_date: Which day's extract.
        landing_sha256: Hash of the landed content it is for; None: nothing was delivered.
        checks: Kinds of the checks that failed, or `missing`.
        by: Who.
        at: When, UTC.
        because: Why, in the person's words.
    """

    source: str
    stream: str
    extract_date: date
    landing_sha256: str | None
    checks: tuple[str, ...]
    by: str
    at: datetime
    because: str

    @property
    def subject(self) -> str:
        """The extract as people name it: `source/stream`."""
        return f"{self.source}/{self.stream}"

    @property
    def sentence(self) -> str:
        """What was approved, by whom, when and why."""
        what = "its absence" if self.landing_sha256 is None else f"what failed {', '.join(self.checks)}"
        return (
            f"{self.subject} of {self.extract_date}: {what} was approved by {self.by} on {self.at:%Y-%m-%d}, "
            f"because: {self.because}"
        )


@dataclass(frozen=True)
class Approvals:
    """All approvals of a data folder, oldest first."""

    all: tuple[Approval, ...]

    def of_content(self, stream: StreamId, day: date, landing_sha256: str) -> tuple[Approval, ...]:
        """Those of an extract's very content."""
        return tuple(each for each in self.all if _is_of(each, stream, day) and each.landing_sha256 == landing_sha256)

    def absent(self, stream: StreamId) -> frozenset[date]:
        """Dates of a stream that need not be delivered."""
        return frozenset(
            each.extract_date
            for each in self.all
            if (each.source, each.stream) == (stream.source, stream.stream) and each.landing_sha256 is None
        )

    def that_hold(self, accepted: Iterable[tuple[StreamId, date, str]], through: date) -> tuple[Approval, ...]:
        """Those a version is built on: of content it holds, and of dates up to its own that it lacks.

        Args:
            accepted: Every extract of the version, with the hash of the landed content it was made from.
            through: Its business date.
        """
        held = {(stream.source, stream.stream, day): content for stream, day, content in accepted}
        return tuple(
            each
            for each in self.all
            if each.extract_date <= through
            and held.get((each.source, each.stream, each.extract_date)) == each.landing_sha256
        )


def read_approvals(folder: DataFolder) -> Approvals:
    """Read every approval.

    Raises:
        JourneymartError: One cannot be read.
    """
    found = [_read(path) for path in sorted(folder.approvals.glob(f"[0-9]*{_SUFFIX}"))]
    return Approvals(tuple(sorted(found, key=lambda each: each.at)))


def write_approval(folder: DataFolder, approval: Approval) -> None:
    """Keep an approval; it is on the disk when this returns."""
    folder.approvals.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = f"{approval.at.astimezone(UTC):%Y%m%dT%H%M%S%f}-{approval.source}-{approval.stream}-{approval.extract_date}"
    _write(folder.approvals / f"{name}{_SUFFIX}", approval)


def follow_content(folder: DataFolder, stream: StreamId, day: date, before: str, after: str) -> None:
    """Let approvals of content that was in landing be of what is there now: people were taken out of it."""
    for path in sorted(folder.approvals.glob(f"[0-9]*{_SUFFIX}")):
        approval = _read(path)
        if _is_of(approval, stream, day) and approval.landing_sha256 == before != after:
            _write(path, replace(approval, landing_sha256=after))


def may_be_approved(folder: DataFolder, stream: StreamId, day: date) -> tuple[str, tuple[str, ...]]:
    """What of a blocked extract a person may approve: the hash of its content, and the checks it failed.

    Raises:
        JourneymartError: It is not blocked, or nobody can approve it.
    """
    about = f"The extract of {stream} for {day}"
    verdict = folder.quarantine_partition(stream, day) / _VERDICT
    landed = folder.landing_partition(stream, day) / "manifest.json"
    said: dict[str, Any] = json.loads(verdict.read_bytes()) if verdict.exists() else {"passed": True}
    if said["passed"]:
        raise JourneymartError(
            f"{about} is not blocked, so there is nothing to approve: `journeymart gate` says what is."
        )
    content = json.loads(landed.read_bytes())["sha256"]
    if said.get("landing_sha256") != content:
        raise JourneymartError(
            f"{about} was not judged since it was delivered: run the night, then approve it if it is stopped again."
        )
    failed = {check["kind"]: check["outcome"] for check in said["checks"] if check["kind"] in said["blocked_by"]}
    if hopeless := [kind for kind, outcome in failed.items() if kind not in APPROVABLE or outcome != "fail"]:
        raise JourneymartError(
            f"{about} failed {', '.join(hopeless)}, which nobody can approve, because what is not whole, not the known "
            "table, not written as declared or not what its contract says stays wrong: have it delivered again, "
            "declare how it is written, or correct the contract."
        )
    return content, tuple(failed)


def verdicts(folder: DataFolder) -> Iterator[tuple[str, str, date, dict[str, Any]]]:
    """What the gate said of each extract of which anything is in quarantine: source, stream, date and `_SAID` of it."""
    for home in sorted(folder.quarantine.glob("*/*")):
        for day, said in read_described(home, _VERDICT, ", ".join(_SAID), _summary_of).items():
            yield home.parent.name, home.name, date.fromisoformat(day), said


def _summary_of(_: Path, text: bytes) -> dict[str, Any]:
    verdict: dict[str, Any] = json.loads(text)
    return {name: verdict[name] for name in _SAID}


def _is_of(approval: Approval, stream: StreamId, day: date) -> bool:
    return (approval.source, approval.stream, approval.extract_date) == (stream.source, stream.stream, day)


def _read(path: Path) -> Approval:
    try:
        return approval_of(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise JourneymartError(
            f"{path} does not hold an approval ({type(error).__name__}): restore it, or remove it and approve again."
        ) from error


def approval_of(said: dict[str, Any]) -> Approval:
    """An approval out of its JSON."""
    return Approval(
        **{
            **said,
            "extract_date": date.fromisoformat(said["extract_date"]),
            "checks": tuple(said["checks"]),
            "at": datetime.fromisoformat(said["at"]),
        }
    )


def _write(path: Path, approval: Approval) -> None:
    """Write the file of an approval, whole or not at all."""
    said = {
        **asdict(approval),
        "extract_date": approval.extract_date.isoformat(),
        "at": approval.at.astimezone(UTC).isoformat(),
    }
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=".new-", delete=False, encoding="utf-8") as file:
        json.dump(said, file, indent=2, ensure_ascii=False)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    Path(file.name).replace(path)
    flush(path.parent)
