"""The benchmark measures what it says, and its bounds can fail. Not here: how fast anything is (`make bench`)."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from bench import results
from bench.__main__ import main
from bench.measurements import Measurement
from bench.model_groups import HAND_TUNED, HEAVY, groups
from bench.peers.pandas_tickets import figures
from bench.process_tree import CommandFailedError, measure
from bench.ratios import RATIOS
from bench.statements import rows_derived, seconds_of_models, worst_nested_loop
from bench.states import Bench
from bench.tickets import deliver

ROOT = Path(__file__).resolve().parents[2]
MEGABYTE = 10**6
BURN = f"""
import os, time
held = bytearray({200 * MEGABYTE})
for place in range(0, len(held), 4096):
    held[place] = 1
while time.process_time() < 1:
    pass
with open("written", "wb") as file:
    file.write(held[:{50 * MEGABYTE}])
    os.fsync(file.fileno())
"""


def run(code: str, folder: Path, **said: bool):
    return measure([sys.executable, "-c", code], folder=folder, environment=os.environ, **said)


def test_a_process_that_outlives_its_parent_counts_as_well() -> None:
    # Where the checkout lies: what is written into memory, where a temporary folder may be, is written to no disk.
    with tempfile.TemporaryDirectory(dir=ROOT / ".dagster") as folder:
        cost = run(f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {BURN!r}])", Path(folder))
    assert 1 <= cost.cpu_seconds < 3
    assert 200 * MEGABYTE <= cost.peak_bytes < 300 * MEGABYTE
    assert 50 * MEGABYTE <= cost.written_bytes < 60 * MEGABYTE


def test_a_command_that_fails_is_told_with_what_it_said(tmp_path: Path) -> None:
    with pytest.raises(CommandFailedError, match="ended with 3:\nno rows"):
        run("import sys; print('no rows'); sys.exit(3)", tmp_path)


def test_a_command_that_is_to_be_killed_may_not_end_well(tmp_path: Path) -> None:
    assert run("import os; os.kill(os.getpid(), 9)", tmp_path, is_killed=True).cpu_seconds < 1
    with pytest.raises(CommandFailedError, match="ended with 0"):
        run("pass", tmp_path, is_killed=True)


def statements(night: float, differing: int = 0, loop: float = 1, by_hand: float = 9) -> dict:
    """A measurement of dbt in which a night took so many CPU seconds, everything anew 10."""
    full, by_night = ({"model": seconds, **dict.fromkeys(HEAVY, seconds)} for seconds in (10.0, night))
    side = {"derived": {}, "nested_loop": {"ratio": loop, "node": "model.journeymart.a"}}
    run = {
        "full": {"sql_seconds": 10.0, "models": full, **side},
        "night": {"sql_seconds": night, "models": by_night, **side},
        "by_hand": {short: {"cpu_seconds": by_hand, "rows": 1, "differing_rows": differing} for short in HAND_TUNED},
        "rows": {"model": {"derived": 100, "changed": 50}},
        "differing_rows": {"mart": differing} if differing else {},
    }
    return {"runs": [run], "groups": {short: [short] for short in HEAVY}}


def cost(cpu: float) -> dict:
    return {"cpu_seconds": cpu, "wall_seconds": cpu, "peak_bytes": 1, "written_bytes": 1}


def guarded(night: float, **said: float) -> dict[str, bool | None]:
    """Which ratios are kept below what no change may exceed."""
    nights = {"first": [cost(30)], "night": [cost(20 * night)]}
    measured = {"S": {"statements": statements(night, **said), "nights": nights}}
    found: dict[str, bool | None] = {}
    for value in results.values(measured, is_guard=True):
        found[value.ratio.id] = found.get(value.ratio.id, True) and value.is_kept
    return found


def test_every_bound_of_a_change_is_kept_by_a_cheap_night_and_fails_for_a_dear_one() -> None:
    held = {ratio.id for ratio in RATIOS if ratio.guard is not None}
    assert guarded(night=0.1) == dict.fromkeys(held, True)
    assert guarded(night=25, differing=1, loop=300, by_hand=2) == dict.fromkeys(held, False)


@pytest.mark.parametrize(
    ("dear", "differing", "taken", "fails"),
    [([1], 0, [1, 3], False), ([1, 3], 0, [1, 3], True), ([], 1, [1], True)],
    ids=["dear once", "dear again", "rows differ"],
)
def test_a_cost_over_its_bound_is_measured_again_before_it_counts_and_a_row_that_differs_counts_at_once(
    monkeypatch: pytest.MonkeyPatch, dear: list[int], differing: int, taken: list[int], fails: bool
) -> None:
    asked: list[int] = []

    def nights(bench: Bench, _: str) -> dict:
        asked.append(bench.pairs)
        return {"first": [cost(30)], "night": [cost(29 if bench.pairs in dear else 2)]}

    faked = {"nights": nights, "statements": lambda *_: statements(0.1, differing)}
    measurements = {name: Measurement(take, ("S",)) for name, take in faked.items()}
    monkeypatch.setattr("bench.__main__.MEASUREMENTS", measurements)
    monkeypatch.setattr("sys.argv", ["bench", "--quick"])
    assert (main(), asked) == (fails, taken)


def test_every_bound_says_why() -> None:
    assert [ratio.id for ratio in RATIOS if (ratio.goals or ratio.guard is not None) and not ratio.reason] == []


def test_a_measurement_taken_again_replaces_only_itself(tmp_path: Path) -> None:
    before = {"S": {"nights": 1, "statements": statements(1)}, "M": {"nights": 2}}
    after = results.merged(before, {"S": {"nights": 3}, "": {"tickets": 4}})
    assert after == {"S": {"nights": 3, "statements": statements(1)}, "M": {"nights": 2}, "": {"tickets": 4}}
    results.write({"S": {"statements": statements(1)}}, tmp_path / "results.json")
    assert results.load(tmp_path / "results.json") == {"S": {"statements": statements(1)}}


def manifest(readers: dict[str, list[str]]) -> dict:
    names = {*readers, *(name for each in readers.values() for name in each)}
    return {
        "nodes": {f"model.j.{name}": {"name": name, "resource_type": "model"} for name in names},
        "child_map": {f"model.j.{name}": [f"model.j.{each}" for each in readers.get(name, [])] for name in names},
    }


def test_a_heavy_table_stands_with_the_steps_that_nothing_else_reads() -> None:
    found = groups(
        manifest(
            {
                "fct_journey_event": ["int_journey_map__unit", "mart_journey_path"],
                "int_journey_map__unit": ["int_journey_map__sum", "mart_recovery"],
                "int_journey_map__sum": ["mart_journey_map"],
                "int_kpi__ticket": ["int_kpi__presence"],
                "int_kpi__presence": ["int_kpi__cell", "mart_kpi_daily"],
                "int_kpi__cell": ["mart_kpi_daily"],
                "fct_customer_month": ["mart_recovery"],
            }
        )
    )
    assert found["map"] == {"mart_journey_map", "int_journey_map__unit", "int_journey_map__sum"}
    assert found["path"] == {"mart_journey_path"}
    assert found["cell"] == {"int_kpi__cell", "int_kpi__presence"}
    assert found["kpi daily"] == {"mart_kpi_daily"}
    assert found["customer month"] == {"fct_customer_month"}


def test_a_record_tells_what_a_model_derived_and_where_a_join_became_a_loop() -> None:
    scan = {"operator": "TABLE_SCAN", "rows": 1_000, "below": []}
    union = {"operator": "UNION", "rows": 0, "below": [{**scan, "rows": 80}, {**scan, "rows": 30}]}
    loop = {"operator": "NESTED_LOOP_JOIN", "rows": 30_000, "below": [scan, union]}
    with_months = {"operator": "NESTED_LOOP_JOIN", "rows": 900_000, "below": [scan, {**scan, "rows": 90}]}
    few = {"operator": "NESTED_LOOP_JOIN", "rows": 500, "below": [{**scan, "rows": 1}, {**scan, "rows": 1}]}
    lines = [
        {
            "node": "model.j.a",
            "cpu_seconds": 0.5,
            "sql": "create or replace temp table k",
            "rows": 3,
            "plans": [few, with_months],
        },
        {"node": "model.j.a", "cpu_seconds": 1.0, "sql": "create temp table b as", "rows": 40, "plans": [loop]},
        {"node": "test.j.c", "cpu_seconds": 2.0, "sql": "select", "rows": None, "plans": []},
        {"node": None, "cpu_seconds": 4.0, "sql": "select", "rows": None, "plans": []},
    ]
    assert seconds_of_models(lines) == {"a": 1.5}
    assert rows_derived(lines) == {"a": 40}
    assert worst_nested_loop(lines) == (30, "model.j.a")


def test_the_script_of_pandas_ends_with_as_many_open_tickets_as_the_desk_shows(tmp_path: Path) -> None:
    deliver(tmp_path, tickets=400)
    shown = {}
    for file in sorted((tmp_path / "desk").glob("tickets_*")):
        with gzip.open(file, "rt") as lines:
            shown |= {ticket["id"]: ticket["status"] for ticket in map(json.loads, lines)}
    by_day = figures(tmp_path / "desk")
    assert by_day.created.sum() == len(shown)
    assert by_day.backlog.iloc[-1] == sum(status == "open" for status in shown.values()) > 0
    assert by_day.first_reply_minutes.median() > 0


def test_the_committed_page_on_scale_tells_the_committed_results() -> None:
    check = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "scale_docs"), "--check"], capture_output=True, text=True, check=False
    )
    assert check.returncode == 0, f"{check.stdout}{check.stderr} Run scripts/scale_docs."
