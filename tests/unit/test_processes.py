"""Programs beside a night that die, or do not end: the night says so in a sentence and waits for nothing.

Not here: what the gate judges (tests/integration/test_gate_judge.py), nights that are killed (tests/e2e).
"""

from __future__ import annotations

import io
import pickle
import signal
from pathlib import Path

import pytest

from orchestration.processes.gate import Answer, GateProcess, Request
from orchestration.processes.process import ModuleProcess
from storage.data_folder import DataFolder
from storage.errors import JourneymartError


class _Killed:
    """A gate that was killed when so many bytes of its answer had been written."""

    def __init__(self, written: int) -> None:
        self.answer = pickle.dumps(Answer(problem="words " * 50))[:written]

    def start(self) -> None:
        """It runs."""

    def pipes(self) -> tuple[io.BytesIO, io.BytesIO]:
        return io.BytesIO(), io.BytesIO(self.answer)

    def exit_code(self) -> int:
        return -signal.SIGKILL


@pytest.mark.parametrize("written", [0, 1, 40, 200])
def test_a_gate_that_is_killed_over_its_answer_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: int
) -> None:
    gate = GateProcess()
    monkeypatch.setattr(gate, "_process", _Killed(written))
    with pytest.raises(JourneymartError, match=r"The gate's process died \(-9\)"):
        gate.judge("desk", tmp_path / "ledger", lambda: Request(DataFolder(tmp_path), tmp_path / "ledger", []))


def test_a_process_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestration.processes.process._ENDING_SECONDS", 0.01)
    # The interpreter's own console waits for its input to close, which it does not.
    waiting = ModuleProcess("code")
    waiting.start()
    try:
        assert waiting.exit_code() == -signal.SIGKILL
    finally:
        waiting.end()
