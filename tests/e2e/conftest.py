"""A small sample company, its history and one more night published: made once per session, copied by each test."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest

from assets.sample_company.company import Company
from assets.sample_company.export import write_extracts
from orchestration.dbt_manifest import prepare_manifest
from orchestration.instance import quiet_environment
from orchestration.settings import PROJECT
from tests.e2e.installation import Installation

FIRST = date(2026, 6, 27)
SECOND = FIRST + timedelta(days=1)
THIRD = FIRST + timedelta(days=2)
FOURTH = FIRST + timedelta(days=3)


@pytest.fixture(scope="session")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state folder with the dbt project parsed, this session's own."""
    quiet_environment()
    folder = tmp_path_factory.mktemp("journeymart state")
    parsed = PROJECT / ".dagster" / "dbt"
    if parsed.exists():
        shutil.copytree(parsed, folder / "dbt")
    prepare_manifest(Installation(folder / "nothing", folder).setup.settings)
    return folder


@pytest.fixture(scope="session")
def delivered(state: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """Extracts of four dates in the drop folder, the first with all history; no night has run."""
    installation = Installation(tmp_path_factory.mktemp("journeymart delivered") / "data", state)
    write_extracts(Company(customers=150), installation.data / "drop", FIRST, FOURTH)
    return installation


@pytest.fixture(scope="session")
def two_nights(delivered: Installation, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """The first two dates published, a night each; the later ones delivered. Read-only: copy it to change it."""
    installation = delivered.copy_to(tmp_path_factory.mktemp("journeymart base") / "data")
    installation.night(FIRST)
    installation.night(SECOND)
    return installation


@pytest.fixture(scope="session")
def rebuilt(delivered: Installation, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """All four dates published by one night, from nothing. Read-only."""
    installation = delivered.copy_to(tmp_path_factory.mktemp("journeymart rebuilt") / "data")
    installation.night(FIRST, SECOND, THIRD, FOURTH)
    return installation


@pytest.fixture
def company(two_nights: Installation, tmp_path: Path) -> Installation:
    """A copy of the company after two nights, this test's own."""
    return two_nights.copy_to(tmp_path / "da ta")
