"""A night that is short of memory publishes what it would have published, or says so; readers keep what they had."""

from __future__ import annotations

import os
import shutil

import pytest

from storage.engine import MEMORY_VARIABLE
from tests.e2e.conftest import THIRD
from tests.e2e.installation import Installation, differences

pytestmark = [
    pytest.mark.promise("memory"),
    pytest.mark.chaos,
    pytest.mark.skipif(
        os.environ.get("JOURNEYMART_CHAOS") != "long", reason="the long campaign runs under `make chaos`"
    ),
]


def published_or_said(company: Installation, three_nights: Installation, under: tuple[str, ...] = ()) -> None:
    """Run the third night, and then again without any limit."""
    before = company.published_hashes()
    done = company.command("run", "--as-of", str(THIRD), under=under)
    if done.returncode == 0:
        assert differences(company, three_nights, three_nights.mart_tables()) == {}
        return
    assert done.returncode == 1
    assert company.published_hashes() == before
    # What libraries cry when they get no memory comes before it.
    said = done.stderr.strip().splitlines()[-1]
    assert said.startswith("journeymart: ")
    assert said.endswith(".")


@pytest.mark.parametrize("memory", ["5MB", "30MB", "100MB", "400MB"])
def test_a_night_whose_databases_may_take_little_memory(
    company: Installation, three_nights: Installation, monkeypatch: pytest.MonkeyPatch, memory: str
) -> None:
    monkeypatch.setenv(MEMORY_VARIABLE, memory)
    published_or_said(company, three_nights)


@pytest.mark.skipif(shutil.which("prlimit") is None, reason="util-linux limits the address space")
@pytest.mark.parametrize("megabytes", [1_000, 2_000, 3_000, 5_000])
def test_a_night_whose_processes_may_have_little_address_space(
    company: Installation, three_nights: Installation, megabytes: int
) -> None:
    published_or_said(company, three_nights, ("prlimit", f"--as={megabytes}000000"))
