"""KPIs of the sample company counted a second time from what its nights published.

What lives here: the comparison of drawn cells, and of what explains a figure with the figure. Not here: the
definitions (tests/kpi_recount.py), the truth of the company before any dirt (test_sample_truth.py).
"""

from __future__ import annotations

import random

from assets.report.kpi_explanation import Place, explain
from tests.e2e.installation import Installation
from tests.kpi_recount import Recount, disagreements, draw, opened


def test_every_kpi_of_the_sample_company_is_what_its_definition_counts(two_nights: Installation) -> None:
    with opened(two_nights.data / "current") as connection:
        recount = Recount(connection)
        assert disagreements(connection, recount, draw(recount, random.Random(7)))[:10] == []  # noqa: S311


def test_every_figure_of_the_sample_company_is_explained_by_its_records(two_nights: Installation) -> None:
    """The newest figure of every KPI: its counts are those of its records, and each record is of a source we read."""
    current = two_nights.data / "current"
    with opened(current) as connection:
        kpis = [kpi for (kpi,) in connection.execute("select kpi from marts.main.dim_kpi order by kpi").fetchall()]
        delivered = {name for (name,) in connection.execute("select source from private.night.batches").fetchall()}
    explained = [explain(current, Place(kpi), is_stale=False) for kpi in kpis]
    shown = [found for found in explained if found.figure and not found.figure["is_suppressed"]]
    assert len(shown) > len(kpis) / 2
    for found in shown:
        assert sum(row["records"] for row in found.counted) == found.figure["n"], found.kpi["kpi"]
        assert {name for row in found.counted for name in row["source"].split(" + ")} <= delivered, found.kpi["kpi"]
