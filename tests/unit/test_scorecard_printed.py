"""The scorecard a person sees when a night is done: what has figures, since when some have none, and what has none."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path

from rich.console import Console

from orchestration.cli.console import print_scorecard
from orchestration.cli.scorecard import Figure, Scorecard


def test_what_has_no_data_is_said_since_when_or_in_one_line() -> None:
    figures = (
        Figure("NPS", "points", None, None, None, None, date(2026, 6, 18)),
        Figure("Revenue", "", 14825.0, None, None, 246),
        Figure("Returned", "%", 12.46, 9.1, 16.8, 281),
        Figure("Backlog", "tickets", None, None, None, None),
        Figure("CSAT", "%", None, None, None, None),
    )
    card = Scorecard("v", date(2026, 11, 29), (), (), figures, 1, 0, 2, Path("marts"), None, (), ())
    said = io.StringIO()
    print_scorecard(Console(file=said, width=200), card, 1.0)
    lines = [" ".join(line.split()) for line in said.getvalue().splitlines()]
    assert "NPS no data since 2026-06-18" in lines
    assert "Revenue 14,825 246" in lines
    assert "Returned 12.5 % 9.1 to 16.8 281" in lines
    assert "No data Backlog; CSAT: `journeymart check` says why." in lines
