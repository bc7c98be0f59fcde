"""What a night costs over the dbt build inside it: `night_vs_dbt <median ratio>`.

Both sides are whole processes on the same state: the sample company after its history and one night, with the next
night's extracts delivered. The night is `journeymart run`; the other side is `dbt build` with the night's own arguments
on the build folder the night had made when it came to dbt. They run in turn, several times; the median of the ratios of
the pairs is what is printed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from orchestration.config.settings import PROJECT, load_settings
from orchestration.dbt.project import DBT, dbt_environment
from orchestration.dbt_assets import BUILD_ON_BASE
from storage.faults import FAULT_VARIABLE

JOURNEYMART = (sys.executable, "-m", "orchestration.cli")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=5, help="how many times each side runs")
    parser.add_argument("--customers", type=int, default=2000, help="size of the sample company")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="journeymart bench ") as folder:
        ratios = measure(Path(folder), pairs=arguments.pairs, customers=arguments.customers)
    print(f"night_vs_dbt {statistics.median(ratios):.2f}")


def measure(folder: Path, *, pairs: int, customers: int) -> list[float]:
    """Run both sides in turn.

    Args:
        folder: Empty folder to work in.
        pairs: How many times each side runs.
        customers: Size of the sample company.

    Returns:
        Wall time of the night over wall time of the bare build, one per pair.
    """
    os.environ["JOURNEYMART_STATE"] = str(folder / "state")
    os.environ["JOURNEYMART_DATA"] = str(folder / "data")
    ready = folder / "ready"
    _call("sample", "--customers", str(customers))
    _call("run", "--night-by-night")
    _call("sample", "--next")
    (folder / "data").rename(ready)
    prepared = _prepare_build(ready, folder)

    ratios = []
    for pair in range(1, pairs + 1):
        night = _timed(ready, folder, [*JOURNEYMART, "run"])
        bare = _timed(prepared, folder, [*DBT, *BUILD_ON_BASE], working="build")
        ratios.append(night / bare)
        print(f"pair {pair}: night {night:.1f} s, dbt build {bare:.1f} s, ratio {night / bare:.2f}", flush=True)
    return ratios


def _prepare_build(ready: Path, folder: Path) -> Path:
    """The state a night hands to dbt: a night is killed just before it starts dbt."""
    shutil.copytree(ready, folder / "data", symlinks=True)
    killed = subprocess.run(
        [*JOURNEYMART, "run"],
        cwd=PROJECT,
        env=os.environ | {FAULT_VARIABLE: "before_dbt"},
        capture_output=True,
        check=False,
    )
    if killed.returncode >= 0:
        raise SystemExit(f"The night was to be killed before dbt, but ended with {killed.returncode}.")
    return (folder / "data").rename(folder / "prepared")


def _timed(state: Path, folder: Path, command: list[str], working: str = "") -> float:
    """Seconds one whole process takes on a fresh copy of a state, the copy not counted."""
    data = folder / "data"
    shutil.copytree(state, data, symlinks=True)
    environment = dbt_environment(load_settings())
    start = time.perf_counter()
    done = subprocess.run(command, cwd=data / working, env=environment, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - start
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}\n{done.stderr}")
    shutil.rmtree(data)
    return seconds


def _call(*arguments: str) -> None:
    """One command of the product, its output shown only when it fails."""
    done = subprocess.run([*JOURNEYMART, *arguments], cwd=PROJECT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"journeymart {' '.join(arguments)} failed:\n{done.stdout}\n{done.stderr}")


if __name__ == "__main__":
    main()
