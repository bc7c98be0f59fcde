"""KPIs of the sample company counted a second time from what its nights published.

What lives here: the comparison of drawn cells. Not here: the definitions (tests/kpi_recount.py), the truth of the
company before any dirt (test_sample_truth.py).
"""

from __future__ import annotations

import random

from tests.e2e.installation import Installation
from tests.kpi_recount import Recount, disagreements, draw, opened


def test_every_kpi_of_the_sample_company_is_what_its_definition_counts(two_nights: Installation) -> None:
    with opened(two_nights.data / "current") as connection:
        recount = Recount(connection)
        assert disagreements(connection, recount, draw(recount, random.Random(7)))[:10] == []  # noqa: S311
