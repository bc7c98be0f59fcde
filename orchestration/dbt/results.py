"""What dbt says of its nodes when it has run, and why a build may not go on.

Not here: running it (orchestration/processes/dbt.py), Dagster's words for it (orchestration/dbt_assets.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestration.config.setup import Setup
from quality.gate.ledger import Outcome

# What dbt printed in the last night.
DBT_OUTPUT = "dbt_output.log"


@dataclass(frozen=True)
class Result:
    """What became of a node of dbt.

    Attributes:
        status: success or error of a model or seed; pass, warn, fail or error of a test.
        seconds: How long it took.
        failures: Rows a test found.
        note: One of those rows by its key, or what kept the test from being asked; empty: nothing more to say.
    """

    status: str
    seconds: float
    failures: int
    note: str = ""

    @property
    def words(self) -> str:
        """What a test that did not pass found, for people."""
        if self.status == "error":
            return self.note or "could not be asked"
        return f"{self.failures} rows{f', such as {self.note}' if self.note else ''}"


def result_of_node(told: Mapping[str, Any]) -> dict[str, Result]:
    """What dbt tells when a node ended, by the node's unique id; of what it skips it tells nothing."""
    node = told["node_info"]
    return {node["unique_id"]: Result(node["node_status"], told["execution_time"], told.get("num_failures", 0))}


def outcome_of(status: str) -> Outcome:
    """How the ledger names the status of a test."""
    outcomes: dict[str, Outcome] = {"pass": "pass", "warn": "warn", "fail": "fail"}
    return outcomes.get(status, "error")


def counts_of(result: Result) -> dict[str, int | float | str]:
    """What is kept of a test beside its outcome."""
    return {"failures": result.failures, "seconds": round(result.seconds, 3)}


def why_not_built(setup: Setup, code: int, manifest: Mapping[str, Any], results: Mapping[str, Result]) -> str | None:
    """Why the build may not go on, in one sentence. dbt's own words stay in its log: they may quote rows."""
    log = setup.settings.dbt_target / DBT_OUTPUT
    broken = [i for i, r in results.items() if r.status == "error"]
    failed = [i for i, r in results.items() if r.status == "fail"]
    if broken:
        notes = {i: f" ({results[i].note})" if results[i].note else "" for i in broken}
        names = ", ".join(sorted(f"{manifest['nodes'][i]['name']}{notes[i]}" for i in broken)[:5])
        return f"dbt could not build or test {names}: see {log}; nothing was published."
    if failed:
        said = ", ".join(f"{manifest['nodes'][i]['name']} ({results[i].words})" for i in sorted(failed)[:5])
        return f"{len(failed)} dbt test(s) failed, {said}: see {log}; nothing was published."
    if code:
        return f"dbt ended early with exit code {code}: see {log}; nothing was published."
    return None
