"""The columns of a delivery that has not landed yet. Not here: its records (parse.py)."""

from __future__ import annotations

import tempfile
from datetime import date
from pathlib import Path

from assets.landing.connectors.config import FileStream
from assets.landing.connectors.drop_folder import copy_out, find_delivery
from assets.landing.connectors.reader import open_file


def delivered_columns(stream: FileStream, day: date) -> tuple[str, ...]:
    """The columns of the first file of a date's delivery; none if there is none, or nothing in it.

    Raises:
        JourneymartError: It cannot be taken or read.
    """
    files = find_delivery(stream, day)
    if not files:
        return ()
    with tempfile.TemporaryDirectory(prefix="journeymart-") as workspace:
        path = Path(workspace) / files[0].name
        copy_out(stream, files[0], path)
        return open_file(path, stream.format, Path(workspace)).columns
