"""The dbt sources say what the contracts say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_committed_sources_are_those_of_the_contracts() -> None:
    check = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "dbt_sources"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert check.returncode == 0, f"{check.stdout}{check.stderr} Run scripts/dbt_sources."


def test_every_stream_has_its_staging_model_and_every_staging_model_its_stream() -> None:
    staging = {path.stem for path in (ROOT / "dbt_project/models/staging").glob("*/stg_*.sql")}
    streams = {f"stg_{path.parent.name}__{path.stem}" for path in (ROOT / "quality/contracts").glob("*/*.yml")}
    assert staging == streams
