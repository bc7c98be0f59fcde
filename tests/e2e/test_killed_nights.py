"""A killed night leaves readers on the last version, and the next one makes up for it.

The process of `journeymart run` is killed with SIGKILL while dbt builds; in the long campaign also while it lands and
judges extracts, before the version gets its name and before the link is swung. Readers see the same bytes as before;
the next run ends with the marts an undisturbed run makes. Kills within publish: integration/test_publish_kills.py.
"""

from __future__ import annotations

import os
import signal

import pytest

from tests.e2e.conftest import THIRD
from tests.e2e.installation import Installation, differences

LONG = pytest.mark.skipif(
    os.environ.get("JOURNEYMART_CHAOS") != "long", reason="the long campaign runs under `make chaos`"
)


@pytest.mark.parametrize(
    "fault",
    [
        "in_dbt",
        pytest.param("before_swing", marks=[pytest.mark.chaos, LONG]),
        pytest.param("in_extract", marks=[pytest.mark.chaos, LONG]),
        pytest.param("in_gate", marks=[pytest.mark.chaos, LONG]),
        pytest.param("before_rename", marks=[pytest.mark.chaos, LONG]),
    ],
)
def test_the_night_after_a_killed_night_equals_an_undisturbed_one(
    company: Installation, three_nights: Installation, fault: str
) -> None:
    before = company.published_hashes()
    killed = company.command("run", "--as-of", str(THIRD), fault=fault)
    assert killed.returncode == -signal.SIGKILL
    assert company.published_hashes() == before
    company.night(THIRD)
    assert differences(company, three_nights, three_nights.mart_tables()) == {}
