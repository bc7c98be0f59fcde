"""Writes the pages of a build, and keeps their templates between nights.

What lives here: which pages there are, when a template is made anew. Not here: how one is put together (page.py).

Making a template imports Altair and packs Vega's JavaScript, which takes seconds; it is made once per state of the
report's code and libraries. A night fills it with data.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from datetime import date
from functools import cache
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

from assets.report.journey import JOURNEY, read_journey_data
from assets.report.page import Page, fill, make_template
from assets.report.scorecard import SCORECARD, read_scorecard_data
from storage.data_folder import REPORT_PAGES, report_file

_FOLDER = Path(__file__).parent
_LIBRARIES = ("altair", "vl-convert-python")
_KINDS = {".py", ".html", ".css", ".js"}

_PAGES: Mapping[str, tuple[Page, Callable[[Path, date], Mapping[str, Any]]]] = {
    SCORECARD.name: (SCORECARD, read_scorecard_data),
    JOURNEY.name: (JOURNEY, read_journey_data),
}


def write_report(build: Path, as_of: date, templates: Path) -> tuple[Path, ...]:
    """Write every page of a build, from its finished marts.

    Args:
        build: The build; nobody writes its marts any more.
        as_of: Business date of the night.
        templates: Folder the templates are kept in; made when it is not there.

    Returns:
        The files written.

    Raises:
        JourneymartError: The marts cannot be read, or lack what a page shows.
    """
    return tuple(write_page(build, as_of, templates, name) for name in REPORT_PAGES)


def write_page(build: Path, as_of: date, templates: Path, name: str) -> Path:
    """Write one page of a build; see `write_report`."""
    page, read = _PAGES[name]
    path = report_file(build, name)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.write_text(fill(template_of(page, templates), read(build, as_of)), encoding="utf-8", newline="\n")
    return path


def template_of(page: Page, folder: Path) -> str:
    """The template of a page, made only when none is kept for the code as it stands."""
    path = folder / f"{page.name}-{_code_version()}.html"
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        template = make_template(page)
    folder.mkdir(parents=True, exist_ok=True)
    # Whole or not there: another process may be reading, or making the same.
    temporary = folder / f".{path.name}.{os.getpid()}"
    temporary.write_text(template, encoding="utf-8", newline="\n")
    temporary.replace(path)
    for old in folder.glob(f"{page.name}-*.html"):
        if old != path:
            old.unlink(missing_ok=True)
    return template


@cache
def _code_version() -> str:
    """Hash of the report's own files and of the libraries that end up in a page."""
    digest = hashlib.sha256()
    for library in _LIBRARIES:
        digest.update(f"{library} {installed_version(library)}\0".encode())
    for path in sorted(path for path in _FOLDER.rglob("*") if path.suffix in _KINDS):
        digest.update(f"{path.relative_to(_FOLDER).as_posix()}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]
