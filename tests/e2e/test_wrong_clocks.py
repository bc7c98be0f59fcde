"""A machine's clock that is wrong changes no figure and leads no reader back.

Nights run as processes under libfaketime (a package of Debian; skipped where it is not installed) whose clock is months
behind or ahead, or jumps while the night builds. Not here: what a date of an extract means, which no clock says.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from assets.versions.versions import current_version, list_versions
from tests.e2e.conftest import FOURTH, SECOND, THIRD
from tests.e2e.installation import Installation, differences

LIBRARY = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
FAR_OFF = timedelta(days=99)

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.skipif(
        os.environ.get("JOURNEYMART_CHAOS") != "long", reason="the long campaign runs under `make chaos`"
    ),
    pytest.mark.skipif(LIBRARY is None, reason="libfaketime is not installed (Debian: apt install libfaketime)"),
]


@contextmanager
def clock(folder: Path, first: str, then: str, when: Path) -> Iterator[Sequence[str]]:
    """A program that runs another under a clock of its own.

    Args:
        folder: For the file that says how far off the clock is.
        first: How far off it is, as `-400d`.
        then: How far off it is once `when` is there.
        when: A file or folder the night makes.
    """
    off, over = folder / "how far off", threading.Event()
    off.write_text(f"{first}\n")

    def jump() -> None:
        while not when.exists() and not over.is_set():
            time.sleep(0.02)
        off.write_text(f"{then}\n")

    settings = {
        "LD_PRELOAD": LIBRARY,
        "FAKETIME_TIMESTAMP_FILE": off,
        "FAKETIME_NO_CACHE": 1,
        # What measures how long something takes is right, as it is on a machine whose clock is not.
        "DONT_FAKE_MONOTONIC": 1,
        "NO_FAKE_STAT": 1,
    }
    watching = threading.Thread(target=jump)
    watching.start()
    try:
        yield ("env", *(f"{name}={value}" for name, value in settings.items()))
    finally:
        over.set()
        watching.join()


@pytest.mark.promise("clock")
@pytest.mark.parametrize(
    "hands",
    [("-100d", "-100d"), ("+400d", "+400d"), ("+0", "-100d"), ("+0", "+400d")],
    ids=["behind", "ahead", "falls back in the night", "leaps ahead in the night"],
)
def test_nights_equal_one_rebuild_and_follow_each_other_whatever_the_clock_says(
    company: Installation, three_nights: Installation, rebuilt: Installation, tmp_path: Path, hands: tuple[str, str]
) -> None:
    with clock(tmp_path, *hands, when=company.data / "build") as under:
        done = company.command("run", "--as-of", str(THIRD), under=under)
    assert done.returncode == 0, done.stderr
    assert differences(company, three_nights, three_nights.mart_tables()) == {}
    wrong = current_version(company.setup.folder)
    assert wrong is not None
    assert abs(datetime.now(UTC) - wrong.manifest.published_at) > FAR_OFF, "the clock was wrong"

    company.night(FOURTH)
    assert differences(company, rebuilt, rebuilt.mart_tables()) == {}
    assert [version.manifest.as_of for version in list_versions(company.setup.folder)][-3:] == [SECOND, THIRD, FOURTH]
    back = company.command("rollback")
    assert back.returncode == 0, back.stderr
    seen = current_version(company.setup.folder)
    assert seen is not None
    assert seen.id == wrong.id


@pytest.mark.promise("clock")
def test_by_a_clock_before_the_end_of_a_date_its_night_is_refused_and_readers_see_what_they_saw(
    company: Installation, tmp_path: Path
) -> None:
    before = company.published_hashes()
    with clock(tmp_path, "-400d", "-400d", when=company.data / "build") as under:
        done = company.command("run", "--as-of", str(THIRD), under=under)
    assert done.returncode == 1
    assert done.stderr.startswith(f"journeymart: {THIRD} is not over in Europe/Berlin: ")
    assert company.published_hashes() == before
