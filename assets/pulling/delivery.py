"""The delivery that a pull lays down: pages as files that outlive a kill, complete for landing when the last is there.

What lives here: writing pages, going on after a kill, completing a delivery, clearing it away once it has landed and
keeping what it ended with. Not here: asking a source for rows (a room or module per kind of source), landing
(assets/landing), which takes a pulled delivery as it takes any.

    <data>/pulled/<source>/<stream>/<date>/000001.parquet, 000001.parquet.manifest.json, 000002.parquet, ...
    <data>/pulled/<source>/<stream>/ends.json

A page is written under a name that begins with a dot, flushed and renamed: the rename is the commit. Its Parquet
metadata say what the next page is asked with and whether it is the last, so a pull that was killed goes on behind the
last page. Manifests are written when the last page is there, and landing takes no page without one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from assets.landing.connectors.declared import MANIFEST_SUFFIX
from storage.data_folder import DataFolder, StreamId
from storage.faults import fault_point
from storage.files import sha256_of, whole_file
from storage.folders import flush, remove_folder, settle

_ENDS = "ends.json"
_PAGE = re.compile(r"\d{6}\.parquet")
_NEXT, _END, _ASKED = b"journeymart.next", b"journeymart.end", b"journeymart.asked"


class FirstPageIsThereError(Exception):
    """The first page of a delivery that holds rows came, and no more was wanted."""


# Whether only the first page that holds rows is wanted.
_ONLY_FIRST: ContextVar[bool] = ContextVar("only_first", default=False)


@contextmanager
def only_first_page() -> Iterator[None]:
    """Inside, whatever pulls is stopped behind its first page with rows, as if killed there; it is no delivery."""
    token = _ONLY_FIRST.set(True)
    try:
        yield
    except FirstPageIsThereError:
        pass
    finally:
        _ONLY_FIRST.reset(token)


# Who is told of each page: how many are there, and the rows in them.
OnPage = Callable[[int, int], None]
_ON_PAGE: ContextVar[OnPage | None] = ContextVar("on_page", default=None)


@contextmanager
def telling(on_page: OnPage | None) -> Iterator[None]:
    """Inside, and in this thread, `on_page` is told of every page that is committed."""
    token = _ON_PAGE.set(on_page)
    try:
        yield
    finally:
        _ON_PAGE.reset(token)


@dataclass(frozen=True)
class _Page:
    """A page that is there: rows, what the next one is asked with, whether it is the last, what it answers to."""

    rows: int
    next: str | None
    end: bool
    asked: str


class Delivery:
    """An extract being pulled: `open_delivery` makes it, whoever pulls adds pages until one is the last.

    Attributes:
        resumed: Pages that were there when it was opened, from a pull that was killed.
    """

    def __init__(self, folder: Path, asked: str, pages: list[_Page]) -> None:
        self._folder = folder
        self._asked = asked
        self._pages = pages
        self._rows = sum(page.rows for page in pages)
        self.resumed = len(pages)

    @property
    def next(self) -> str | None:
        """What the next page is asked with, as the last page says; None: there is no page yet."""
        return self._pages[-1].next if self._pages else None

    @property
    def is_ended(self) -> bool:
        """The last page is there: nothing is to be asked for any more."""
        return bool(self._pages) and self._pages[-1].end

    @property
    def pages(self) -> int:
        """Pages that are there."""
        return len(self._pages)

    @property
    def rows(self) -> int:
        """Rows in all pages that are there."""
        return self._rows

    def add(self, rows: pa.Table, next: str | None, *, end: bool) -> None:
        """Commit a page.

        Args:
            rows: Its rows, every column text; a quiet day is one page without rows.
            next: What the page behind it is asked with; of the last page, what the next date is asked with, or None.
            end: It is the last page, because the source said so.

        Raises:
            ValueError: A column is not text, a page follows the last one, or a page that is not the last does not say
                what comes behind it: mistakes of whoever pulls.
        """
        if self.is_ended or (next is None and not end):
            raise ValueError(f"page {self.pages + 1} of {self._folder} cannot follow, or nothing can follow it")
        if any(field.type != pa.string() for field in rows.schema):
            raise ValueError(f"page {self.pages + 1} of {self._folder} has columns that are not text")
        said = {_ASKED: self._asked, _END: json.dumps(end), **({} if next is None else {_NEXT: next})}
        with whole_file(self._folder / f"{self.pages + 1:06}.parquet") as new:
            pq.write_table(
                rows.replace_schema_metadata(said),
                new,
                compression="zstd",
                compression_level=1,
                write_page_checksum=True,
            )
            fault_point("in_page")
        fault_point("after_page")
        self._pages.append(_Page(rows.num_rows, next, end, self._asked))
        self._rows += rows.num_rows
        if on_page := _ON_PAGE.get():
            on_page(self.pages, self.rows)
        if _ONLY_FIRST.get() and rows.num_rows:
            raise FirstPageIsThereError

    def complete(self) -> None:
        """Let landing take the pages: write the manifest of each. What is complete already stays so.

        Raises:
            ValueError: The last page is not there.
        """
        if not self.is_ended:
            raise ValueError(f"{self._folder} has no last page yet")
        for path, page in zip(_files(self._folder), self._pages, strict=True):
            manifest = path.with_name(path.name + MANIFEST_SUFFIX)
            if not manifest.exists():
                facts = {"rows": page.rows, "bytes": path.stat().st_size, "sha256": sha256_of(path)}
                with whole_file(manifest) as new:
                    new.write_text(json.dumps(facts), encoding="utf-8")
            fault_point("in_completion")


def open_delivery(folder: DataFolder, stream: StreamId, extract_date: date, asked: str) -> Delivery:
    """Begin the delivery of an extract, or go on with one that was killed.

    Args:
        folder: The data folder.
        stream: Which stream.
        extract_date: Which date's extract.
        asked: What is asked of the source, window and columns included: pages that answer to something else do not
            belong to it, and the pull begins anew.
    """
    # Pages hold personal data: nobody but the owner looks in.
    folder.pulled.mkdir(mode=0o700, parents=True, exist_ok=True)
    home = folder.pulled_stream(stream)
    home.mkdir(parents=True, exist_ok=True)
    settle(home)
    target = home / extract_date.isoformat()
    pages = _pages(target)
    if any(page.asked != asked for page in pages):
        pages = []
    if not pages:
        remove_folder(target)
    target.mkdir(exist_ok=True)
    flush(home)
    for left in target.glob(".*"):
        left.unlink()
    return Delivery(target, asked, pages)


def clear_delivery(folder: DataFolder, stream: StreamId, extract_date: date) -> None:
    """Clear away the pages of an extract that has landed; what they ended with stays, for the next date.

    Nothing happens where there are none.
    """
    home = folder.pulled_stream(stream)
    if not home.exists():
        return
    settle(home)
    pages = _pages(home / extract_date.isoformat())
    if pages and pages[-1].end and pages[-1].next is not None:
        ends = {**_ends(home), extract_date.isoformat(): pages[-1].next}
        with whole_file(home / _ENDS) as new:
            new.write_text(json.dumps(ends, indent=0, sort_keys=True), encoding="utf-8")
    fault_point("in_clearing")
    remove_folder(home / extract_date.isoformat())


def discard_pages(folder: DataFolder, stream: StreamId) -> None:
    """Remove all pages that have not landed; what they hold is pulled anew."""
    home = folder.pulled_stream(stream)
    settle(home)
    for pages in home.glob("????-??-??"):
        remove_folder(pages)


def ended_before(folder: DataFolder, stream: StreamId, extract_date: date) -> str | None:
    """What the newest extract before a date ended with, among those cleared away; None: nobody knows.

    Asked with it, a source that pages by cursors gives all that changed since that extract was pulled.
    """
    ends = _ends(folder.pulled_stream(stream))
    return max(((day, end) for day, end in ends.items() if day < extract_date.isoformat()), default=(None, None))[1]


def first_page_of(folder: DataFolder, stream: StreamId, extract_date: date) -> pa.Table | None:
    """The first page that holds rows, or the last one if none does; None: there is none."""
    page = None
    for file in _files(folder.pulled_stream(stream) / extract_date.isoformat()):
        page = pq.read_table(file)
        if page.num_rows:
            break
    return page


def _ends(home: Path) -> dict[str, str]:
    try:
        ends: dict[str, str] = json.loads((home / _ENDS).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return ends


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.parquet") if _PAGE.fullmatch(path.name))


def _pages(folder: Path) -> list[_Page]:
    """The pages that are there, in order; none if they are not the beginning of one delivery: it begins anew then."""
    files = _files(folder)
    if [path.name for path in files] != [f"{number:06}.parquet" for number in range(1, len(files) + 1)]:
        return []
    try:
        pages = [_page(path) for path in files]
    except (pa.ArrowException, OSError, KeyError):
        # A damaged disk, or files of somebody else: the source still has the rows.
        return []
    return [] if any(page.end for page in pages[:-1]) else pages


def _page(path: Path) -> _Page:
    metadata = pq.read_metadata(path)
    said = metadata.metadata
    following = said.get(_NEXT)
    return _Page(
        metadata.num_rows,
        None if following is None else following.decode(),
        bool(json.loads(said[_END])),
        said[_ASKED].decode(),
    )
