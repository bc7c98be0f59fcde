"""Small companies, by the real nights: whatever they have or no longer have, each night publishes the right figures.

Not here: one figure's formula (tests of its model), what the gate refuses (test_gate_gates.py).
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration.operations.plan_night import outstanding_dates
from tests.e2e.installation import Installation
from tests.e2e.small_companies import CATALOGUE, Company

LONG = os.environ.get("JOURNEYMART_CHAOS") == "long"

# Clocks that are farthest from UTC or change by half an hour, and currencies without and with three decimals.
ZONES = ("Pacific/Kiritimati", "Pacific/Niue", "Asia/Kolkata", "Australia/Lord_Howe", "America/St_Johns", "UTC")
CURRENCIES = ("JPY", "KWD", "INR", "EUR")

# A desk alone; then another of the same product, a CRM, a shop and surveys of two products; desks, surveys and the
# shop's orders go; a desk of another product, surveys and orders are back. The clock is the first in the world.
COMPANY = Company(
    "Pacific/Kiritimati",
    "JPY",
    (
        {"help": "zendesk"},
        {
            "help": "zendesk",
            "second": "zendesk",
            "people": "salesforce",
            "web": "shop",
            "poll": "survey",
            "panel": "qualtrics",
        },
        {"people": "salesforce", "web": "shop"},
        {"helpdesk": "desk", "people": "salesforce", "web": "shop", "poll": "survey"},
    ),
    without={2: frozenset({"order"})},
)


def published(installation: Installation) -> dict[str, object]:
    """What a reader finds of what `Company.figures` counts."""
    figures: dict[str, object] = {
        kpi: dict(
            installation.marts(
                f"select date_day, {figure} from mart_kpi_daily "
                f"where kpi = '{kpi}' and dimension = 'all' and period = 'day' and coalesce({figure}, 0) <> 0"
            )
        )
        for kpi, figure in (("tickets_created", "value"), ("revenue", "value"), ("nps_relational", "n"))
    }
    ((figures["customers"],),) = installation.marts("select count(*) from dim_customer where customer_key <> -1")
    return figures


def live_through(company: Company, folder: Path, state: Path) -> None:
    """Run every night of a company as `journeymart run` would, and count after each."""
    installation = Installation(folder / "data", state, folder / "sources.yml")
    for night in range(len(company.nights)):
        day = company.deliver(folder, night)
        due = outstanding_dates(installation.setup, day)
        assert due[-1] == day
        assert installation.night(*due).published
        assert published(installation) == company.figures(night)


@pytest.mark.promise("figures")
def test_every_night_of_a_small_company_publishes_the_right_figures(tmp_path: Path, state: Path) -> None:
    live_through(COMPANY, tmp_path, state)


@st.composite
def companies(draw: st.DrawFn) -> Company:
    """A few products, of which some come, go or stay from night to night."""
    sources = {
        f"s{n}": product
        for n, product in enumerate(draw(st.lists(st.sampled_from(list(CATALOGUE)), min_size=1, max_size=4)))
    }
    nights = tuple(
        {name: sources[name] for name in draw(st.lists(st.sampled_from(list(sources)), min_size=1, unique=True))}
        for _ in range(draw(st.integers(1, 4)))
    )
    quiet = draw(st.frozensets(st.integers(1, 3), max_size=1))
    return Company(draw(st.sampled_from(ZONES)), draw(st.sampled_from(CURRENCIES)), nights, quiet)


@pytest.mark.promise("figures")
@pytest.mark.skipif(not LONG, reason="the long campaign runs under `make chaos`")
@settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(any_company=companies())
def test_every_night_of_any_small_company_publishes_the_right_figures(any_company: Company, state: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="a small company ") as folder:
        live_through(any_company, Path(folder), state)
