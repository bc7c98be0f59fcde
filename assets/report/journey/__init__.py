"""The journey map: what its page reads, how its charts look, and its HTML, CSS and JavaScript."""

from __future__ import annotations

from pathlib import Path

from assets.report.journey.data import read_journey_data
from assets.report.page import Charts, Page


def _charts() -> Charts:
    from assets.report.journey.charts import journey_charts

    return journey_charts()


JOURNEY = Page(name="journey", title="Customer journey", folder=Path(__file__).parent, charts=_charts)

__all__ = ["JOURNEY", "read_journey_data"]
