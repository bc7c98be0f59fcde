"""KPIs of the sample company counted a second time from what was published, night by night and in one night of all.

What lives here: the comparison of drawn cells. Not here: the definitions (tests/kpi_recount.py), the truth of the
company before any dirt (test_sample_truth.py).
"""

from __future__ import annotations

import random

import pytest

from tests.e2e.installation import Installation
from tests.kpi_recount import Recount, disagreements, draw, opened


@pytest.fixture(scope="module", params=["two_nights", "rebuilt"])
def version(request: pytest.FixtureRequest) -> Installation:
    """A published version of the sample company. Read-only."""
    installation: Installation = request.getfixturevalue(request.param)
    return installation


def test_every_kpi_of_the_sample_company_is_what_its_definition_counts(version: Installation) -> None:
    with opened(version.data / "current") as connection:
        recount = Recount(connection)
        assert disagreements(connection, recount, draw(recount, random.Random(7)))[:10] == []  # noqa: S311
