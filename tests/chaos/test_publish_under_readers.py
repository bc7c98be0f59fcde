"""Readers of every kind through publishes, kills and rollbacks: no error, no torn read, no step back.

`JOURNEYMART_CHAOS=long` runs for as long as the promise says: 100 publishes and 100 kills.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from assets.versions.rollback import rollback
from assets.versions.versions import list_versions
from storage.data_folder import DataFolder
from storage.faults import FAULT_VARIABLE
from tests.small_night import SmallNight, data_folder, night_seen, run

LONG = os.environ.get("JOURNEYMART_CHAOS") == "long"
ROUNDS, READERS_OF_A_KIND = (100, 4) if LONG else (6, 1)
KINDS = ("fresh", "beside", "held", "attach", "parquet")
POINTS = ("before_verify", "before_rename", "before_swing", "after_swing")

pytestmark = pytest.mark.chaos


@contextmanager
def reading(folder: DataFolder, *kinds: str) -> Iterator[list[dict[str, Any]]]:
    """Readers at work while the block runs; afterwards, what each saw."""
    seen: list[dict[str, Any]] = []
    readers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.readers", kind, str(folder.root)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for kind in kinds * READERS_OF_A_KIND
    ]
    try:
        for reader in readers:
            assert reader.stdout is not None
            assert reader.stdout.readline() == "ready\n"
        yield seen
    finally:
        output = [reader.communicate()[0] for reader in readers]
    seen += [{"kind": kind, **json.loads(text)} for kind, text in zip(kinds * READERS_OF_A_KIND, output, strict=True)]


def killed_night(folder: DataFolder, night: int, dice: random.Random) -> None:
    """Start a night and kill it: at a named point, or after a while, wherever it then is."""
    program = [sys.executable, "-m", "tests.small_night", str(folder.root), str(night)]
    if dice.random() < 0.5:
        point = dice.choice(POINTS)
        subprocess.run(program, env={**os.environ, FAULT_VARIABLE: point}, check=False)
        return
    with subprocess.Popen(program) as process:
        time.sleep(dice.uniform(0.1, 1.2))
        process.send_signal(signal.SIGKILL)


@pytest.mark.promise("readers")
def test_readers_never_fail_and_never_go_back_through_publishes_and_kills(tmp_path, record_property):
    record_property("cases", 2 * ROUNDS)
    folder, dice = data_folder(tmp_path), random.Random(20260101)  # noqa: S311
    run(folder, SmallNight(1))
    night = 1
    with reading(folder, *KINDS) as seen:
        for _ in range(ROUNDS):
            killed_night(folder, night + 1, dice)
            run(folder, SmallNight(night + 2), keep=3)
            night += 2
            assert night_seen(folder) == night
    for reader in seen:
        assert reader["faults"] == [], reader
        assert reader["rounds"] > ROUNDS
        assert reader["nights"] == sorted(set(reader["nights"])), reader
        assert reader["nights"] == [1] if reader["kind"] == "held" else reader["nights"][-1] >= night - 2, reader
    assert not folder.build.exists()


@pytest.mark.promise("readers")
def test_readers_never_fail_through_rollbacks(tmp_path, record_property):
    record_property("cases", 20 * ROUNDS)
    folder, dice = data_folder(tmp_path), random.Random(20260102)  # noqa: S311
    for night in (1, 2, 3):
        run(folder, SmallNight(night))
    slowest = 0.0
    with reading(folder, *KINDS) as seen:
        for _ in range(ROUNDS * 20):
            target = dice.choice(list_versions(folder))
            began = time.process_time()
            rollback(folder, target.id)
            slowest = max(slowest, time.process_time() - began)
            time.sleep(0.01)
    assert slowest < 1
    for reader in seen:
        torn = [fault for fault in reader["faults"] if not fault.startswith("saw night")]
        assert torn == [], reader
        assert set(reader["nights"]) == ({3} if reader["kind"] == "held" else {1, 2, 3}), reader
