"""The page on metrics lists what the KPIs, breakdowns and marts are today."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_committed_page_lists_the_kpis_and_marts_there_are() -> None:
    check = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "metrics_docs"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert check.returncode == 0, f"{check.stdout}{check.stderr} Run scripts/metrics_docs."
