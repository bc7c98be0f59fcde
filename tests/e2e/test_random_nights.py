"""Any order of nights equals one full rebuild, row for row, through the whole pipeline.

Dates run in any order, one of them first with another content that is delivered again later. The extracts hold late
rows, edits, deletions and merges of their own. Finer random histories, row by row, are in `tests/integration`.
"""

from __future__ import annotations

import os
import tempfile
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.e2e.conftest import FIRST, FOURTH, SECOND, THIRD
from tests.e2e.installation import Installation, differences

EXAMPLES = 12 if os.environ.get("JOURNEYMART_CHAOS") == "long" else 1

# What a date's extract first looked like, before it was delivered again as it should be.
EDITED = ("zendesk/tickets_{day}.jsonl.gz", "qualtrics/responses_{day}.csv.gz", "salesforce/contact_{day}.csv.gz")


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[date], date | None, str]:
    """An order of dates, and the date whose extract of a stream comes cut short at first, if any."""
    order = draw(st.permutations([FIRST, SECOND, THIRD, FOURTH]))
    return order, draw(st.none() | st.sampled_from([SECOND, THIRD])), draw(st.sampled_from(EDITED))


@pytest.mark.chaos
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=EXAMPLES == 1,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(histories())
def test_any_order_of_nights_equals_one_rebuild(
    delivered: Installation, rebuilt: Installation, history: tuple[list[date], date | None, str]
) -> None:
    order, redelivered, file = history
    with tempfile.TemporaryDirectory(prefix="journeymart nights ") as folder:
        nights = delivered.copy_to(Path(folder) / "data")
        if redelivered:
            name = file.format(day=redelivered)
            whole = nights.drop_file(name), nights.drop_file(f"{name}.manifest.json")
            contents = [path.read_bytes() for path in whole]
            nights.redeliver(name, _without_last_record)
        for day in order:
            nights.night(day)
        if redelivered:
            for path, content in zip(whole, contents, strict=True):
                path.write_bytes(content)
            nights.night(redelivered)
        assert differences(nights, rebuilt, rebuilt.mart_tables()) == {}


def _without_last_record(content: bytes) -> bytes:
    end = b"\r\n" if b"\r\n" in content else b"\n"
    return end.join(content.split(end)[:-2]) + end
