"""The ledger: which checks a night had to run, and what each said. Publish reads it and fails closed.

What lives here: the file (JSON lines, one event each, appended and flushed to disk, so that a killed night
leaves what it knew), and the verdict drawn from it. Not here: the checks themselves, and what is done with
the verdict.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from storage.errors import JourneymartError

GateName = Literal["extract", "marts"]
Outcome = Literal["pass", "warn", "fail", "error"]

_OUTCOMES = get_args(Outcome)
_GATES = get_args(GateName)


@dataclass(frozen=True, order=True)
class Check:
    """One check of one thing: `subject` is an extract (`zendesk/tickets/2026-01-31`) or a mart."""

    gate: GateName
    subject: str
    kind: str

    def __str__(self) -> str:
        return f"{self.kind} of {self.subject}"


@dataclass(frozen=True)
class Expected:
    """A check the night has to run. Unless it passes or warns, a blocking one stops the night."""

    check: Check
    blocking: bool


@dataclass(frozen=True)
class Recorded:
    """What a check said; `detail` holds counts, never values of rows."""

    check: Check
    outcome: Outcome
    detail: Mapping[str, int | float | str] = field(default_factory=dict)


@dataclass(frozen=True)
class LedgerVerdict:
    """Every expected check, by what became of it; `blockers` block and neither passed nor warned."""

    missing: tuple[Check, ...]
    failed: tuple[Check, ...]
    errored: tuple[Check, ...]
    warned: tuple[Check, ...]
    passed: tuple[Check, ...]
    blockers: tuple[Check, ...]

    @property
    def expected(self) -> int:
        """How many checks the night had to run."""
        return sum(map(len, (self.missing, self.failed, self.errored, self.warned, self.passed)))

    @property
    def may_publish(self) -> bool:
        """True if checks were expected, and each blocking one ran and neither failed nor errored."""
        return self.expected > 0 and not self.blockers


class Ledger:
    """One night's ledger. Several may write to the same file, from any thread or process.

    The file is the only memory: what others wrote counts. A later record of a check replaces the earlier one,
    and expecting a check again voids its record, so a retry that dies half way leaves the check missing, not
    passed.

    Args:
        path: The file; it and its folder are made when first written to.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read_to = 0
        self._state: dict[Check, tuple[bool, Recorded | None]] = {}

    @classmethod
    def read(cls, path: Path) -> Ledger:
        """Open the ledger of a night that wrote one.

        Raises:
            JourneymartError: There is none, or it cannot be read.
        """
        if not path.is_file():
            raise JourneymartError(f"{path} is missing: the night left no ledger, run it again.")
        ledger = cls(path)
        ledger._catch_up()
        return ledger

    def expect(self, gate: GateName, subject: str, kind: str, blocking: bool) -> None:
        """Say that a check has to run this night."""
        self.expect_all([Expected(Check(gate, subject, kind), blocking)])

    def expect_all(self, expected: Iterable[Expected]) -> None:
        """Say that checks have to run this night; costs one flush to disk, however many."""
        self._append({"event": "expect", **_names(each.check), "blocking": each.blocking} for each in expected)

    def record(
        self,
        gate: GateName,
        subject: str,
        kind: str,
        outcome: Outcome,
        detail: Mapping[str, int | float | str] | None = None,
    ) -> None:
        """Say what a check said.

        Raises:
            JourneymartError: The check was not expected.
        """
        self.record_all([Recorded(Check(gate, subject, kind), outcome, detail or {})])

    def record_all(self, recorded: Iterable[Recorded]) -> None:
        """Say what checks said; costs one flush to disk, however many.

        Raises:
            JourneymartError: One of them was not expected; then none is recorded.
        """
        self._append(
            {"event": "record", **_names(each.check), "outcome": each.outcome, "detail": dict(each.detail)}
            for each in recorded
        )

    def recorded(self) -> dict[Check, Recorded]:
        """What each check said last; checks that did not run are absent."""
        self._catch_up()
        return {check: said for check, (_, said) in self._state.items() if said is not None}

    def verdict(self) -> LedgerVerdict:
        """What became of every expected check, as the file stands now."""
        self._catch_up()
        by_outcome: dict[str, list[Check]] = {"missing": [], **{outcome: [] for outcome in _OUTCOMES}}
        blockers = []
        for check, (blocking, said) in sorted(self._state.items()):
            outcome = said.outcome if said else "missing"
            by_outcome[outcome].append(check)
            if blocking and outcome not in ("pass", "warn"):
                blockers.append(check)
        return LedgerVerdict(
            missing=tuple(by_outcome["missing"]),
            failed=tuple(by_outcome["fail"]),
            errored=tuple(by_outcome["error"]),
            warned=tuple(by_outcome["warn"]),
            passed=tuple(by_outcome["pass"]),
            blockers=tuple(blockers),
        )

    def _append(self, events: Iterable[Mapping[str, object]]) -> None:
        """Write events in one piece; they are on disk when this returns."""
        events = list(events)
        if not events:
            return
        lines = "".join(json.dumps(event, ensure_ascii=False) + "\n" for event in events).encode()
        is_new = not self.path.exists()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            self._drop_torn_line(descriptor)
            self._catch_up()
            state = dict(self._state)
            for event in events:
                self._apply(event, state)
            while lines:
                lines = lines[os.write(descriptor, lines) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if is_new:
            _sync_folder(self.path.parent)

    @staticmethod
    def _drop_torn_line(descriptor: int) -> None:
        """Cut what a kill left of a line, so that the next event starts a line of its own."""
        size = os.fstat(descriptor).st_size
        content = os.pread(descriptor, size, 0)
        whole = content.rfind(b"\n") + 1
        if whole < size:
            os.ftruncate(descriptor, whole)

    def _catch_up(self) -> None:
        """Take in the whole lines written since the last look; a torn last line never happened."""
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            file.seek(self._read_to)
            for line in _whole_lines(file):
                try:
                    self._apply(json.loads(line), self._state)
                except (ValueError, KeyError, TypeError) as error:
                    raise JourneymartError(
                        f"{self.path} cannot be read at byte {self._read_to}: run the night again."
                    ) from error
                self._read_to += len(line)

    def _apply(self, event: Mapping[str, object], state: dict[Check, tuple[bool, Recorded | None]]) -> None:
        check = Check(_gate(event["gate"]), str(event["subject"]), str(event["kind"]))
        before = state.get(check)
        detail = event.get("detail")
        if event["event"] == "expect":
            # A check once expected to block stays so.
            state[check] = (bool(event["blocking"]) or (before is not None and before[0]), None)
        elif event["event"] != "record" or not isinstance(detail, dict):
            raise ValueError("event")
        elif before is None:
            raise JourneymartError(
                f"{self.path}: the {check} was recorded without being expected: expect it when the night begins."
            )
        else:
            state[check] = (before[0], Recorded(check, _outcome(event["outcome"]), detail))


def _names(check: Check) -> dict[str, str]:
    return {"gate": check.gate, "subject": check.subject, "kind": check.kind}


def _gate(value: object) -> GateName:
    for gate in _GATES:
        if value == gate:
            return gate  # type: ignore[no-any-return]
    raise ValueError("gate")


def _outcome(value: object) -> Outcome:
    for outcome in _OUTCOMES:
        if value == outcome:
            return outcome  # type: ignore[no-any-return]
    raise ValueError("outcome")


def _whole_lines(lines: Iterable[bytes]) -> Iterator[bytes]:
    return (line for line in lines if line.endswith(b"\n"))


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
