"""A night reads only what is new of the drop folder and of landing, and few of the accepted rows that are not new."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.e2e.conftest import FIRST, SECOND, THIRD, trace_of
from tests.e2e.installation import Installation

# Files with rows of one extract date; manifests are small and say what there is.
_ROWS = re.compile(r"\.(parquet|csv\.gz|jsonl\.gz)$")
_DATED = re.compile(r"(\d{4}-\d{2}-\d{2})")


@pytest.mark.skipif(
    not shutil.which("strace"), reason="strace, which sees every file a process opens, is not installed"
)
def test_a_night_opens_files_of_its_own_date_only(three_nights: Installation) -> None:
    opened = {
        path
        for line in trace_of(three_nights).read_text(errors="replace").splitlines()
        if (found := re.search(r'open(?:at)?\([^"]*"([^"]+)"[^=]*= \d+', line))
        and str(three_nights.data) in (path := found.group(1))
        and _ROWS.search(path)
        and Path(path).parent.name != "parquet"
    }
    dates = {day for path in opened for day in _DATED.findall(path.removeprefix(str(three_nights.data)))}
    assert str(THIRD) in dates
    assert str(FIRST) not in dates
    # What a night may need of older files: the dump of agents, which is compared with the one before it, and the rows
    # accepted of the extracts before, which the gate looks for in the new ones.
    older = {Path(path).relative_to(three_nights.data).parts for path in opened if str(SECOND) in path}
    assert {parts[:3] for parts in older if parts[0] != "accepted"} <= {("landing", "shop", "agent")}
