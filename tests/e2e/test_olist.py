"""The public Olist files through the whole pipeline, over several nights: the figures of the example's README come out.

The queries and their results are read from `examples/olist/README.md`, so what users see is what is tested.
"""

from __future__ import annotations

import re
import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest

from orchestration.settings import PROJECT
from tests.e2e.installation import Installation

EXAMPLE = PROJECT / "examples" / "olist"
FILES = PROJECT.parent / "shared" / "data" / "olist"
ENDS = (date(2018, 6, 30), date(2018, 7, 31), date(2018, 10, 31))

README = (EXAMPLE / "README.md").read_text(encoding="utf-8")
FIGURES = re.findall(r"```sql\n-- (.*?)\n(.*?)\n-- (.*?)\n```", README, re.DOTALL)

pytestmark = pytest.mark.skipif(not FILES.exists(), reason="the public Olist files are not on this machine")


@pytest.fixture(scope="module")
def olist(state: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """All public files published, over three nights of many days each."""
    data = tmp_path_factory.mktemp("journeymart olist") / "data"
    shutil.copytree(FILES, data / "drop" / "olist")
    installation = Installation(data, state, EXAMPLE / "sources.yml")
    begin = ENDS[0]
    for end in ENDS:
        installation.night(*(begin + timedelta(days=day) for day in range((end - begin).days + 1)))
        begin = end + timedelta(days=1)
    return installation


def test_the_example_shows_every_figure() -> None:
    assert len(FIGURES) == 6


@pytest.mark.parametrize(("figure", "sql", "shown"), FIGURES, ids=[figure for figure, _, _ in FIGURES])
def test_a_figure_of_the_example_comes_out_of_the_published_marts(
    olist: Installation, figure: str, sql: str, shown: str
) -> None:
    (row,) = olist.marts(sql)
    assert [float(value) for value in row] == [float(word) for word in shown.split(", ")]


def test_orders_arrive_over_several_nights(olist: Installation) -> None:
    by_version = sorted(olist.data.glob("versions/2*/parquet/fct_order.parquet"))
    counts = [olist.marts(f"select count(*) from read_parquet('{path}')")[0][0] for path in by_version]
    assert len(counts) == len(ENDS)
    assert counts == sorted(set(counts))
