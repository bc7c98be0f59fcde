"""What test processes share is made once, and wholly: half of it, left by one that was killed, is nobody's."""

from __future__ import annotations

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.made_once import make_once

# Writes two files, and where asked for dies between them.
PROCESS = """
import os, signal, sys, time
from pathlib import Path
from tests.made_once import make_once

def fill(data):
    data.mkdir()
    (data / "first").write_text(sys.argv[2])
    data.with_name("said").write_text(sys.argv[2])
    if sys.argv[2] == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.2)
    (data / "second").write_text(sys.argv[2])

print((make_once(Path(sys.argv[1]), "two files", fill) / "second").read_text())
"""


def process(shared: Path, says: str) -> subprocess.CompletedProcess[str]:
    named = [sys.executable, "-c", PROCESS, str(shared), says]
    return subprocess.run(named, capture_output=True, text=True, check=False)


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.parent.rglob("*") if path.is_file() and path.read_text()}


def test_what_a_killed_process_left_is_made_anew(tmp_path: Path) -> None:
    assert process(tmp_path, "killed").returncode == -signal.SIGKILL

    def fill(data: Path) -> None:
        assert list(data.parent.iterdir()) == []
        data.mkdir()
        (data / "second").write_text("whole")

    assert contents(make_once(tmp_path, "two files", fill)) == {"second": "whole"}


def test_an_error_while_it_is_made_leaves_nothing_anybody_believes(tmp_path: Path) -> None:
    def fails(data: Path) -> None:
        data.mkdir()
        raise ValueError(data.name)

    for _ in range(2):
        try:
            make_once(tmp_path, "two files", fails)
        except ValueError:
            continue
        raise AssertionError("half a folder was taken for a whole one")
    make_once(tmp_path, "two files", Path.mkdir)


def test_processes_side_by_side_make_it_once(tmp_path: Path) -> None:
    with ThreadPoolExecutor() as several:
        done = list(several.map(lambda says: process(tmp_path, says), ["one", "two", "three"]))
    assert [each.returncode for each in done] == [0, 0, 0], [each.stderr for each in done]
    assert len({each.stdout for each in done}) == 1
