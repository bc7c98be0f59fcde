"""The gate is held to its simulation: how seldom it cries wolf, what it must not miss. Run with -s for the table."""

from __future__ import annotations

import numpy as np
import pytest

from quality.past.usual import IMPOSSIBLE, UNUSUAL, USUAL
from tests import gate_simulation
from tests.gate_simulation import (
    COMPANIES,
    COUNT_DAYS,
    DEFECTS,
    clean,
    defects,
    extracts_of,
    judged,
    levels,
    profile_of,
)

OUTCOMES = {USUAL: "pass", UNUSUAL: "warn", IMPOSSIBLE: "fail"}


def test_the_table_is_printed() -> None:
    print("\n" + "\n".join(gate_simulation.table()))


@pytest.mark.promise("quiet")
@pytest.mark.parametrize("name", COMPANIES)
def test_a_clean_company_is_stopped_once_and_warned_three_times_in_90_nights_at_most(name: str) -> None:
    found = clean(name)
    assert found.per_90(found.blocked) <= 1
    assert found.per_90(found.warned) <= 3
    # Nor is there a company of the kind for which it is much worse.
    assert np.quantile(found.blocked, 0.95) <= 1
    assert np.quantile(found.warned, 0.95) <= 6


@pytest.mark.promise("quiet")
@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_is_caught_on_its_first_night(name: str) -> None:
    caught, blocked = defects()[name]
    assert caught >= 0.95
    nothing_else_explains_it = DEFECTS[name][1]
    assert (blocked >= 0.95) if nothing_else_explains_it else (blocked <= 0.05)


@pytest.mark.parametrize("name", COMPANIES)
def test_what_is_simulated_is_what_the_checks_say(name: str) -> None:
    """The statistics over many series at once, and the gate's checks of one profile after another."""
    random = np.random.default_rng(7)
    made = extracts_of(random, COMPANIES[name](random))
    said = set()
    for night in (3, 9, 20, 61, 97):
        volume, look = levels(made, night)
        # A few series, those with something to say first.
        for series in np.argsort(-np.maximum(volume, look), kind="stable")[:4]:
            past = [profile_of(made, series, each) for each in range(night - 1, max(night - 1 - COUNT_DAYS, -1), -1)]
            results = judged(profile_of(made, series, night), past)
            assert [result.outcome for result in results] == [OUTCOMES[volume[series]], OUTCOMES[look[series]]]
            said.update(result.outcome for result in results)
    assert "pass" in said
