"""The command: `python -m bench [--sizes S,M] [--only B1,B9] [--pairs 1] [--quick]`.

Takes the measurements that the chosen ratios need, at the chosen sizes, prints the ratios and puts what was measured
into results.json beside what was measured before. States are kept in data/bench until the code changes, so that one
measurement can be taken alone. `--quick` takes those that guard every change, at size S, and fails when one is over;
a cost that is over once is measured again before it counts.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import reduce
from pathlib import Path

from bench import results
from bench.measurements import MEASUREMENTS
from bench.ratios import RATIOS
from bench.states import SIZES, Bench
from orchestration.config.settings import PROJECT

# How often what was over once is measured before it counts.
_TO_BE_SURE = 3
_PAIRS = {"S": 3, "M": 3, "L": 1, results.OWN_COMPANY: 3}


def main() -> int:
    """Measure, print, write."""
    ids = list(dict.fromkeys(_short(ratio.id) for ratio in RATIOS))
    parser = argparse.ArgumentParser(prog="bench", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--sizes", type=_listed([*SIZES]), help="of the sample company; without it all, and other companies"
    )
    parser.add_argument("--only", type=_listed(ids), help="ratios, such as B1,B9; all unless said otherwise")
    parser.add_argument("--pairs", type=int, help="how often each side runs; 3 times unless said otherwise, L once")
    parser.add_argument("--quick", action="store_true", help="size S once, held against what no change may exceed")
    given = parser.parse_args()
    if given.quick:
        return _guard()
    own = [results.OWN_COMPANY] if given.only or not given.sizes else []
    sizes = [*(given.sizes or SIZES), *own]
    for measured in _measured(PROJECT / "data" / "bench", sizes, given.only or ids, given.pairs):
        # At once: the next one may take an hour, or fail.
        results.write(results.merged(results.load(), measured))
    _print(results.values(results.load()))
    return 0


def _guard() -> int:
    """What no change may exceed."""
    held = {ratio.id for ratio in RATIOS if ratio.guard is not None}
    with tempfile.TemporaryDirectory(prefix="journeymart bench ") as folder:
        found = _guarded(Path(folder), held, pairs=1)
        over = [each for each in found if not each.is_kept]
        # What must be nothing is so by no chance. A cost may be that of other work beside it.
        if over and all(each.bound for each in over):
            names = ", ".join(sorted({each.ratio.id for each in over}))
            print(f"{names} over in one measurement: taken {_TO_BE_SURE} times more, of which the median counts.")
            found = _guarded(Path(folder), held, pairs=_TO_BE_SURE)
    over = [each for each in found if not each.is_kept]
    missing = held - {each.ratio.id for each in found}
    for each in over:
        print(f"{each.ratio.id} is {each.value:.2f}, over {each.bound:g}: {each.ratio.reason}.", file=sys.stderr)
    if missing:
        print(f"Not measured: {', '.join(sorted(missing))}.", file=sys.stderr)
    return 1 if over or missing else 0


def _guarded(folder: Path, held: set[str], pairs: int) -> list[results.Value]:
    """Measure at size S what is held, and print it."""
    measured = reduce(results.merged, _measured(folder, ["S"], sorted(held), pairs))
    found = list(results.values(measured, is_guard=True))
    _print(found)
    return found


def _measured(folder: Path, sizes: list[str], ids: list[str], pairs: int | None = None) -> Iterator[results.Measured]:
    """Take the measurements that ratios need, one after the other."""
    needed = {need for ratio in RATIOS if {ratio.id, _short(ratio.id)} & {*ids} for need in ratio.needs}
    for name, measurement in MEASUREMENTS.items():
        for size in measurement.sizes or (results.OWN_COMPANY,):
            if name not in needed or size not in sizes:
                continue
            began = time.monotonic()
            print(f"{name} {size} ...", end=" ", flush=True)
            figures = measurement.take(Bench(folder, pairs or _PAIRS[size]), size)
            print(f"{time.monotonic() - began:.0f} s", flush=True)
            yield {size: {name: {"taken": datetime.now(UTC).date().isoformat(), **figures}}}


def _short(ratio: str) -> str:
    """What a ratio and those that belong to it are called together."""
    return ratio.partition(" ")[0]


def _listed(known: list[str]) -> Callable[[str], list[str]]:
    def read(said: str) -> list[str]:
        names = [name.strip() for name in said.split(",") if name.strip()]
        unknown = [name for name in names if name not in known]
        if unknown or not names:
            raise argparse.ArgumentTypeError(f"choose from {', '.join(known)}")
        return names

    return read


def _print(found: Iterable[results.Value]) -> None:
    for line in results.table(found):
        print(line)


if __name__ == "__main__":
    sys.exit(main())
