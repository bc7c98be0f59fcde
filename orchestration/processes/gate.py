"""The gate in a process of its own, so that Great Expectations loads beside the night and not in its way.

What lives here: asking it, and its side of the conversation. Not here: judging
(quality/gate/gate.py).

The process ends when the one that started it does: its input closes. One that was left in the middle of a
judgement by a killed night finishes it under a lock, which the next one waits for.
"""

from __future__ import annotations

import gc
import os
import pickle
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from orchestration.processes.process import ModuleProcess
from quality.landed.extract import LandedExtract
from storage.data_folder import DataFolder
from storage.errors import JourneymartError
from storage.locks import in_turn

if TYPE_CHECKING:
    from quality.gate.gate import Gate
    from quality.gate.verdict import Verdict

    Judging = Future[Sequence[Sequence[Verdict]]]


@dataclass(frozen=True)
class Request:
    """What to judge: extracts by stream, and the ledger that gets the outcome."""

    folder: DataFolder
    ledger: Path
    streams: Sequence[Sequence[LandedExtract]]


@dataclass(frozen=True)
class Answer:
    """What came of it. `problem`: a sentence for people; `crash`: a traceback for us."""

    verdicts: Sequence[Sequence[Verdict]] = ()
    problem: str = ""
    crash: str = ""


class GateProcess:
    """The gate, asked from here; it judges in the order it is asked."""

    def __init__(self) -> None:
        self._process = ModuleProcess("orchestration.processes.gate")
        self._asking = threading.Lock()
        self._pool = ThreadPoolExecutor(1)
        self._begun: dict[tuple[Path, str], Judging] = {}

    def warm_up(self) -> None:
        """Start the process unless it runs; it begins to load at once."""
        self._process.start()

    def begin(self, name: str, request: Request) -> None:
        """Begin to judge; `judge` with the same name and ledger then waits for what comes of it."""
        self._begun[request.ledger, name] = self._pool.submit(self._judge, request)

    def judge(self, name: str, ledger: Path, ask: Callable[[], Request]) -> Sequence[Sequence[Verdict]]:
        """Judge extracts, a list of verdicts per stream.

        Args:
            name: What was begun under this name for this ledger is not done twice.
            ledger: The night's.
            ask: What to judge, if nothing was begun.

        Raises:
            JourneymartError: The gate cannot judge, or its process died; the checks then stay without a record.
        """
        if (ledger, name) not in self._begun:
            self.begin(name, ask())
        return self._begun.pop((ledger, name)).result()

    def finish(self) -> None:
        """Wait for what was begun and nobody asked for: a night that failed must leave nothing running."""
        wait(self._begun.values())
        self._begun.clear()

    def _judge(self, request: Request) -> Sequence[Sequence[Verdict]]:
        with self._asking:
            self.warm_up()
            answer = self._ask(request)
        if answer.problem:
            raise JourneymartError(answer.problem)
        if answer.crash:
            raise RuntimeError(answer.crash)
        return answer.verdicts

    def _ask(self, request: Request) -> Answer:
        asked, answers = self._process.pipes()
        try:
            _write(asked, request)
            answer = _read(answers)
        # Of one that was killed, half an answer may have come.
        except (BrokenPipeError, EOFError, pickle.UnpicklingError):
            code = self._process.exit_code()
            raise JourneymartError(
                f"The gate's process died ({code}): see that memory suffices, then run the night again."
            ) from None
        if not isinstance(answer, Answer):
            raise TypeError("the gate's process answered something else")
        return answer


GATE = GateProcess()
"""The one of this process; nights that follow one another share it."""


def _write(stream: IO[bytes], value: object) -> None:
    pickle.dump(value, stream)
    stream.flush()


def _read(stream: IO[bytes]) -> object:
    # Both ends are ours, joined by a pipe nobody else can open.
    return pickle.load(stream)  # noqa: S301


def _judge(request: Request) -> Answer:
    from assets.landing.records import record_texts
    from quality.gate.gate import Gate
    from quality.gate.ledger import Ledger

    ledger = Ledger(request.ledger)
    with Gate(request.folder, ledger, record_texts) as gate:
        return Answer([_judge_stream(request.folder, gate, extracts) for extracts in request.streams])


def _judge_stream(folder: DataFolder, gate: Gate, extracts: Sequence[LandedExtract]) -> Sequence[Verdict]:
    """Judge the extracts of one stream, which nobody else does meanwhile."""
    if not extracts:
        return []
    stream = extracts[0].stream
    home = folder.accepted / stream.source
    home.mkdir(exist_ok=True)
    with in_turn(home / f".{stream.stream}.lock"):
        return gate.judge(extracts)


def main() -> None:
    """The process's side: load, then answer until nobody asks any more."""
    answers = os.fdopen(os.dup(1), "wb")
    # Most of what it makes are modules, which stay.
    gc.set_threshold(100_000, 20, 20)
    # Whatever a library prints must not get between the answers.
    os.dup2(2, 1)
    from quality.gate.great_expectations import warm_up

    warm_up()
    while True:
        try:
            request = _read(sys.stdin.buffer)
        except EOFError:
            return
        if not isinstance(request, Request):
            raise TypeError("a request was expected")
        try:
            answer = _judge(request)
        except JourneymartError as error:
            answer = Answer(problem=str(error))
        except Exception:  # noqa: BLE001 - told to the asking process, which raises it
            answer = Answer(crash=traceback.format_exc())
        try:
            _write(answers, answer)
        except BrokenPipeError:
            return


if __name__ == "__main__":
    # As a module under its own name, so that what is pickled here is known there.

    from orchestration.processes import gate  # noqa: PLW0406

    gate.main()
