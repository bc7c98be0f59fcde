"""The scorecard, the first page of a version: what it reads, and its HTML, CSS and JavaScript.

It draws its lines itself: forty small ones with a chart library would be ten times the page.
"""

from __future__ import annotations

from pathlib import Path

from assets.report.page import Page
from assets.report.scorecard.data import read_scorecard_data

SCORECARD = Page(name="index", title="Scorecard", folder=Path(__file__).parent, charts=dict)

__all__ = ["SCORECARD", "read_scorecard_data"]
