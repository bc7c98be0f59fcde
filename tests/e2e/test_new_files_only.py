"""A night reads only what is new: of the drop folder, of landing and of the accepted rows."""

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
    # The dump of agents is compared with the one before it: the only older file a night may need.
    older = {path for path in opened if str(SECOND) in path}
    assert {Path(path).relative_to(three_nights.data).parts[:3] for path in older} <= {("landing", "shop", "agent")}
