"""What a stream looks up in others of its source, landed for a look at it without a night.

Not here: the look (check_extract.py), looking up (assets/landing/looked_up.py).
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.operations.meant import contract_of
from storage.data_folder import DataFolder
from storage.files import share_file
from storage.folders import dated

if TYPE_CHECKING:
    from assets.landing.connectors.config import FileStream
    from orchestration.config.setup import Setup


def land_looked_up(setup: Setup, stream: FileStream, day: date, folder: DataFolder) -> Iterator[str]:
    """Land what a stream looks up, as a night does before it: what has landed already, and what is delivered.

    Args:
        setup: Settings and sources.
        stream: The stream.
        day: Whose extract is looked at.
        folder: A data folder of its own; what it holds by then stays as it is.

    Yields:
        Why something could not be landed.
    """
    from assets.inspect.judged import land
    from assets.landing.connectors.drop_folder import available_dates

    of_source = [each for each in setup.sources.streams if each.stream.source == stream.stream.source]
    for other in (each for each in of_source if each.stream.stream in stream.looks_up):
        home, installed = (_home(each, other) for each in (folder, setup.folder))
        if home.exists():
            continue
        yield from land_looked_up(setup, other, day, folder)
        for each in dated(installed):
            _copy(installed / each.isoformat(), home / each.isoformat())
        # A file without a date in its name says how things stand on the day.
        delivered = {*available_dates(other), *([] if other.is_dated else [max(day, other.first_date)])}
        lacking = sorted(each for each in delivered if not (home / each.isoformat()).exists())
        if lacking and (refused := land(other, contract_of(other), folder, lacking)):
            yield refused


def with_landed(landed: DataFolder, folder: DataFolder) -> DataFolder:
    """A data folder that holds besides what landed in another one."""
    if landed.landing.is_dir():
        _copy(landed.landing, folder.landing)
    return folder


def _home(folder: DataFolder, stream: FileStream) -> Path:
    return folder.landing_partition(stream.stream, stream.first_date).parent


def _copy(source: Path, target: Path) -> None:
    """Copy a folder of files nobody writes into, into one that may exist."""
    shutil.copytree(
        source, target, copy_function=lambda one, other: share_file(Path(one), Path(other)), dirs_exist_ok=True
    )
