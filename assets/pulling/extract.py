"""Extracts of a stream, pulled where it is pulled, and landed.

What lives here: which dates are pulled, by which connector, and what is cleared away after they landed. Not here: the
connectors (postgres/, rest/), landing (assets/landing/land.py).
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa

from assets.landing.connectors.config import FileStream, PostgresPull, Pull, RestPull
from assets.landing.land import Landed, land_many
from assets.landing.windows import dates_to_land
from assets.pulling.delivery import Delivery, OnPage, clear_delivery, first_page_of, only_first_page, telling
from quality.contract.model import Contract
from storage.data_folder import DataFolder
from storage.errors import PassingError


@dataclass(frozen=True)
class Pulled:
    """An extract that was pulled just now.

    Attributes:
        extract_date: Which date's.
        pages: Pages it has.
        rows: Rows in them.
        resumed: Those of the pages that an earlier pull had left, and that were not asked for again.
        seconds: How long this pull took.
    """

    extract_date: date
    pages: int
    rows: int
    resumed: int
    seconds: float


@dataclass(frozen=True)
class Extracted:
    """Extracts that are in landing now. `unreached`: why some were not pulled, where a stream may be missing."""

    landed: list[Landed]
    pulled: list[Pulled]
    unreached: str | None = None


def extract(
    stream: FileStream,
    contract: Contract,
    folder: DataFolder,
    dates: Collection[date],
    *,
    excused: Collection[date] = (),
    again_from: date | None = None,
    may_wait: bool = True,
    on_page: OnPage | None = None,
) -> Extracted:
    """Pull the extracts of some dates, if the stream is pulled, and land them.

    Args:
        stream: Which stream, and how it arrives.
        contract: Its contract.
        folder: The data folder.
        dates: Which days' extracts; those that have landed are not pulled again.
        excused: Dates of which nothing need be delivered: they are not pulled.
        again_from: Pull again from here on, although it has landed.
        may_wait: Somebody tries again where a source cannot be reached now. Where nobody does, a stream that may be
            missing goes on without it.
        on_page: Is told how many pages of an extract are there, and the rows in them, whenever one more is.

    Raises:
        JourneymartError: One cannot be pulled, or landed; those of earlier dates stay landed.
    """
    if stream.pull is None:
        return Extracted(land_many(stream, contract, folder, dates, excused), [])
    ordered = dates_to_land(stream, dates)
    pulled: list[Pulled] = []
    unreached = None
    try:
        for day in ordered:
            has_landed = folder.landing_partition(stream.stream, day).exists()
            if day not in excused and (not has_landed or (again_from is not None and day >= again_from)):
                with telling(on_page):
                    pulled.append(_pull(stream, stream.pull, contract, folder, day))
    except PassingError as error:
        if may_wait or stream.when_missing == "block":
            raise
        unreached = str(error)
    landed = land_many(stream, contract, folder, ordered, excused)
    for extract in landed:
        clear_delivery(folder, stream.stream, extract.manifest.date)
    return Extracted(landed, pulled, unreached)


def require_ready(stream: FileStream) -> None:
    """Refuse a stream whose source cannot be asked from here, as far as can be told without asking it.

    Raises:
        JourneymartError: A library is not installed, or a variable is not set.
    """
    match stream.pull:
        case PostgresPull():
            from assets.pulling.postgres.session import connection_uri, require_driver

            require_driver()
            connection_uri(stream.pull, stream.stream)
        case RestPull():
            from assets.pulling.rest.pull import login_of

            login_of(stream, stream.pull)


def first_page(stream: FileStream, contract: Contract, day: date) -> pa.Table:
    """Ask a pulled stream for the first page of an extract, and keep nothing of it.

    Args:
        stream: The stream.
        contract: Its contract.
        day: Which date's extract.

    Returns:
        Its rows, every column text.

    Raises:
        JourneymartError: It cannot be pulled.
    """
    if stream.pull is None:
        raise ValueError(f"{stream.stream} is not pulled")
    with tempfile.TemporaryDirectory(prefix="journeymart-page-") as work:
        folder = DataFolder(Path(work))
        with only_first_page():
            _delivery(stream, stream.pull, contract, folder, day)
        page = first_page_of(folder, stream.stream, day)
    return pa.table({}) if page is None else page


def _pull(stream: FileStream, pull: Pull, contract: Contract, folder: DataFolder, day: date) -> Pulled:
    began = time.monotonic()
    delivery = _delivery(stream, pull, contract, folder, day)
    return Pulled(day, delivery.pages, delivery.rows, delivery.resumed, time.monotonic() - began)


def _delivery(stream: FileStream, pull: Pull, contract: Contract, folder: DataFolder, day: date) -> Delivery:
    match pull:
        case PostgresPull():
            from assets.pulling.postgres.pull import pull_postgres

            return pull_postgres(stream, pull, contract, folder, day)
        case RestPull():
            from assets.pulling.rest.pull import pull_rest

            return pull_rest(stream, pull, contract, folder, day)
