"""A small sample company, its history and one more night published: made once, copied by each test.

Test processes that run side by side share what is made: whoever asks first makes it, the others wait.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.instance import quiet_environment
from sample_company.company import Company
from sample_company.export import write_extracts
from storage.company_folder import COMPANY_FILE, SAMPLE
from tests.checkout import CHECKOUT
from tests.e2e.installation import Installation, hand_over_what_is_made
from tests.e2e.sample_truth import compared
from tests.made_once import make_once

FIRST = date(2026, 6, 27)
SECOND = FIRST + timedelta(days=1)
THIRD = FIRST + timedelta(days=2)
FOURTH = FIRST + timedelta(days=3)


@pytest.fixture(scope="session")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state folder with the dbt project parsed, this process's own."""
    quiet_environment()
    folder = tmp_path_factory.mktemp("journeymart state")
    hand_over_what_is_made(folder)
    return folder


@pytest.fixture(scope="session")
def templates() -> Path:
    """The folder of the pages' templates, the checkout's own."""
    return CHECKOUT.report_templates


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A browser for the tests of pages. Not for longer: while it is open, nothing else can run an event loop."""
    from tests.e2e.browser import launched

    with launched() as browser:
        yield browser


@pytest.fixture(scope="session")
def company_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample company's folder with everything in its file that is offered as a comment."""
    folder = shutil.copytree(SAMPLE, tmp_path_factory.mktemp("company") / SAMPLE.name)
    file = folder / COMPANY_FILE
    offered = file.read_text(encoding="utf-8")
    assert "\n# text_sentiment" in offered
    file.write_text(offered.replace("\n# text_sentiment", "\ntext_sentiment"), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def made_once(
    tmp_path_factory: pytest.TempPathFactory, worker_id: str
) -> Callable[[str, Callable[[Path], None]], Path]:
    """Makes a data folder by name, once for all test processes of this run."""
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent
    return partial(make_once, shared)


MadeOnce = Callable[[str, Callable[[Path], None]], Path]


@pytest.fixture(scope="session")
def delivered(state: Path, company_folder: Path, made_once: MadeOnce) -> Installation:
    """Extracts of four dates in the drop folder, the first with all history; no night has run. Read-only."""

    def fill(data: Path) -> None:
        write_extracts(Company(customers=150), data / "drop", FIRST, FOURTH)

    return Installation(made_once("delivered", fill), state, company_folder)


@pytest.fixture(scope="session")
def two_nights(delivered: Installation, made_once: MadeOnce) -> Installation:
    """The first two dates published, a night each; the later ones delivered. Read-only: copy it to change it."""

    def fill(data: Path) -> None:
        installation = delivered.copy_to(data)
        installation.night(FIRST)
        installation.night(SECOND)

    return Installation(made_once("two nights", fill), delivered.state, delivered.company)


@pytest.fixture(scope="session")
def three_nights(two_nights: Installation, made_once: MadeOnce) -> Installation:
    """The third date published as well, by the command line, traced where strace is installed. Read-only."""

    def fill(data: Path) -> None:
        installation = two_nights.copy_to(data)
        strace = ("strace", "-f", "--seccomp-bpf", "-qq", "-e", "trace=openat,open", "-o", str(trace_of(installation)))
        done = installation.command("run", "--as-of", str(THIRD), under=strace if shutil.which("strace") else ())
        assert done.returncode == 0, done.stderr
        said_by(installation).write_text(done.stdout, encoding="utf-8")
        _state_note(installation).write_text(str(installation.state), encoding="utf-8")

    return Installation(made_once("three nights", fill), two_nights.state, two_nights.company)


def trace_of(installation: Installation) -> Path:
    """Where strace wrote which files the third night opened."""
    return installation.data.with_name("opened files")


def made_with(installation: Installation) -> Path:
    """The state folder of the process whose command made an installation."""
    return Path(_state_note(installation).read_text(encoding="utf-8"))


def _state_note(installation: Installation) -> Path:
    return installation.data.with_name("state of the command")


def said_by(installation: Installation) -> Path:
    """What the command that made an installation said."""
    return installation.data.with_name("said")


@pytest.fixture(scope="session")
def rebuilt(delivered: Installation, made_once: MadeOnce) -> Installation:
    """All four dates published by one night, from nothing; with the history of its run. Read-only."""

    def made(data: Path) -> Installation:
        return Installation(data, data.with_name("Anna's state"), delivered.company)

    def fill(data: Path) -> None:
        hand_over_what_is_made(made(data).state)
        delivered.copy_to(data)
        made(data).night(FIRST, SECOND, THIRD, FOURTH)

    return made(made_once("rebuilt", fill))


LONG = os.environ.get("JOURNEYMART_CHAOS") == "long"

SIZES = ("small", pytest.param("standard", marks=pytest.mark.chaos)) if LONG else ("small",)
"""Which sample companies are compared with their truth; a night of the standard one takes a minute of CPU."""


@pytest.fixture(scope="session")
def standard(state: Path, company_folder: Path, made_once: MadeOnce) -> Installation:
    """The standard sample company, four dates published by one night. Read-only."""

    def fill(data: Path) -> None:
        write_extracts(Company(), data / "drop", FIRST, FOURTH)
        Installation(data, state, company_folder).night(FIRST, SECOND, THIRD, FOURTH)

    return Installation(made_once("standard", fill), state, company_folder)


@pytest.fixture(scope="session", params=SIZES)
def size(request: pytest.FixtureRequest) -> str:
    """Which of the sample companies."""
    return str(request.param)


@pytest.fixture(scope="session")
def sample(request: pytest.FixtureRequest, size: str) -> Installation:
    """A published sample company to compare with its truth. Read-only."""
    installation: Installation = request.getfixturevalue("rebuilt" if size == "small" else "standard")
    return installation


@pytest.fixture(scope="module")
def known(sample: Installation) -> Iterator[duckdb.DuckDBPyConnection]:
    """What was published of it, beside the truth."""
    with compared(sample) as connection:
        yield connection


@pytest.fixture
def company(two_nights: Installation, tmp_path: Path) -> Installation:
    """A copy of the company after two nights, this test's own."""
    return two_nights.copy_to(tmp_path / "da ta")
