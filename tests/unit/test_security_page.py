"""The page of threats names tests that exist, and at least one for each threat."""

from __future__ import annotations

import re

import pytest

from tests.unit.test_traps import ROOT, exists

PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
THREATS = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith(("| what may", "| ---"))]


def test_the_page_tells_of_threats() -> None:
    assert len(THREATS) > 20


@pytest.mark.parametrize("threat", THREATS, ids=lambda line: line.split(" | ")[0].removeprefix("| "))
def test_each_threat_is_held_by_tests_that_exist(threat: str) -> None:
    tests = re.findall(r"`(tests/[^`]+)`", threat)
    assert tests
    assert [test for test in tests if not exists(test)] == []
