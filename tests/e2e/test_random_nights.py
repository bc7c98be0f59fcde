"""Any order of nights equals one full rebuild, row for row, through the whole pipeline.

Dates run in any order, one of them first with another content that is delivered again later. The extracts hold late
rows, edits, deletions and merges of their own. Nights in their order: test_killed_nights.py. Finer random histories,
row by row: `tests/integration`.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import product
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from quality.gate.approvals import MISSING, Approval, write_approval
from tests.e2e.conftest import FIRST, FOURTH, SECOND, THIRD
from tests.e2e.installation import Installation, differences

LONG = os.environ.get("JOURNEYMART_CHAOS") == "long"

# What a date's extract first looked like, before it was delivered again as it should be.
EDITED = ("zendesk/tickets_{day}.jsonl.gz", "qualtrics/responses_{day}.csv.gz", "salesforce/contact_{day}.csv.gz")


@dataclass(frozen=True)
class History:
    """Nights, each over some dates; before the last, an extract that came cut short is delivered as it should be."""

    nights: Sequence[Sequence[date]]
    redelivered: date | None = None
    file: str = EDITED[0]


@st.composite
def histories(draw: st.DrawFn) -> History:
    """The dates in any order, a night each."""
    order = draw(st.permutations([FIRST, SECOND, THIRD, FOURTH]))
    redelivered = draw(st.none() | st.sampled_from([SECOND, THIRD]))
    nights = [(day,) for day in order] + ([(redelivered,)] if redelivered else [])
    return History(nights, redelivered, draw(st.sampled_from(EDITED)))


# The last date comes before the first, and cut short; what comes after builds on the night before it.
BACKWARDS = History([(FOURTH,), (FIRST, SECOND, THIRD, FOURTH)], redelivered=FOURTH)


@pytest.mark.promise("order")
@pytest.mark.chaos
@settings(
    phases=Phase if LONG else [Phase.explicit],
    max_examples=12,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@example(BACKWARDS)
@given(histories())
def test_any_order_of_nights_equals_one_rebuild(
    delivered: Installation, rebuilt: Installation, history: History
) -> None:
    with tempfile.TemporaryDirectory(prefix="journeymart nights ") as folder:
        nights = delivered.copy_to(Path(folder) / "data")
        contents: dict[Path, bytes] = {}
        if history.redelivered:
            name = history.file.format(day=history.redelivered)
            contents = {path: path.read_bytes() for path in map(nights.drop_file, (name, f"{name}.manifest.json"))}
            nights.redeliver(name, _without_last_record)
        do_without_what_is_not_there(nights)
        for days in history.nights[:-1]:
            nights.night(*days)
        for path, content in contents.items():
            path.write_bytes(content)
        nights.night(*history.nights[-1])
        assert differences(nights, rebuilt, rebuilt.mart_tables()) == {}


def do_without_what_is_not_there(company: Installation) -> None:
    """Let a night be published before the dates ahead of it; what comes at last counts all the same."""
    for stream, day in product(company.setup.sources.streams, (FIRST, SECOND, THIRD, FOURTH)):
        at = datetime(2026, 7, 1, tzinfo=UTC)
        absent = Approval(
            stream.stream.source, stream.stream.stream, day, None, (MISSING,), "anna", at, "it comes later"
        )
        write_approval(company.setup.folder, absent)


def _without_last_record(content: bytes) -> bytes:
    end = b"\r\n" if b"\r\n" in content else b"\n"
    return end.join(content.split(end)[:-2]) + end
