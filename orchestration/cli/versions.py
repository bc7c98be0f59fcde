"""Commands of published versions: `versions`, `rollback`, `unpin`, `report`, `explain`.

Not here: keeping versions (assets/versions), what is told of a figure (explanation.py).
"""

from __future__ import annotations

import dataclasses
import webbrowser
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestration.cli.current import installation, published_version, who
from orchestration.cli.output import Json, console, print_json, print_table
from storage.errors import JourneymartError

if TYPE_CHECKING:
    from assets.versions.versions import Version


def versions(as_json: Json = False) -> None:
    """List the published versions that are kept."""
    setup = installation()
    from assets.versions.standing import look
    from orchestration.cli.console import print_damages

    standing = look(setup.folder)
    rows = [_version_row(version, is_current=version is standing.seen) for version in standing.sound]
    if as_json:
        print_json(rows)
        return
    if rows:
        print_table(rows)
    print_damages(console, standing.sentences)
    if not (rows or standing.sentences):
        console.print("No version is published yet: run `journeymart run`.")


def _version_row(version: Version, *, is_current: bool) -> dict[str, Any]:
    manifest = version.manifest
    return {
        "version": version.id,
        "current": is_current,
        "as_of": manifest.as_of,
        "published_at": manifest.published_at,
        "base": manifest.base,
        "engine": manifest.engine,
        "rows_in": manifest.rows_in,
        "quarantined_rows": manifest.quarantined_rows,
        "is_stale": manifest.is_stale,
        "megabytes": round(manifest.bytes / 1e6, 1),
    }


def rollback(
    version: Annotated[
        str | None,
        typer.Argument(help="The version readers shall see; by default the one before the current."),
    ] = None,
    pin: Annotated[
        bool, typer.Option("--pin", help="Hold readers to it until `journeymart unpin`; nights go on meanwhile.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Let readers see an older version again, at once."""
    setup = installation()
    from assets.versions.rollback import rollback as roll_back
    from assets.versions.versions import current_id
    from orchestration.operations.object_store import bring_to_store

    before = current_id(setup.folder)
    target = roll_back(setup.folder, version, pinned_by=who() if pin else None)
    bring_to_store(setup)
    if as_json:
        print_json({"from": before, "to": target.id, "is_pinned": pin})
    else:
        until = " until `journeymart unpin`" if pin else ""
        console.print(f"Readers now see {target.id}{until} (before: {before}).", highlight=False)


def unpin(as_json: Json = False) -> None:
    """Let readers follow the nights again, and see the newest version at once."""
    setup = installation()
    from assets.versions.rollback import unpin as lift
    from assets.versions.versions import current_id
    from orchestration.operations.object_store import bring_to_store

    before = current_id(setup.folder)
    target = lift(setup.folder)
    bring_to_store(setup)
    if as_json:
        print_json({"from": before, "to": target.id, "is_pinned": False})
    else:
        console.print(f"Readers follow the nights again and see {target.id} (before: {before}).", highlight=False)


def explain(
    *,
    kpi: Annotated[str, typer.Argument(help="The KPI, as in dim_kpi.")],
    day: Annotated[
        datetime | None,
        typer.Option("--date", formats=["%Y-%m-%d"], help="Last day of the window; by default the newest."),
    ] = None,
    period: Annotated[
        str | None, typer.Option(help="day, week, month, quarter, rolling_7, rolling_28 or rolling_90.")
    ] = None,
    member: Annotated[
        str | None, typer.Option(help="A part of the company, such as email; by default all of it.")
    ] = None,
    dimension: Annotated[
        str | None, typer.Option(help="What it is a part by, where several have such a member.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Say what a figure means, which records it counts by source, and what it leaves out and why."""
    version = published_version()
    from assets.report.kpi_explanation import Place
    from assets.report.kpi_explanation import explain as explain_figure
    from orchestration.cli.explanation import print_explanation

    place = Place(kpi, day.date() if day else None, period, member, dimension)
    found = explain_figure(version.path, place, is_stale=version.manifest.is_stale)
    if as_json:
        print_json(dataclasses.asdict(found))
    else:
        print_explanation(console, found)


def report(
    open_it: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
) -> None:
    """Say where the journey page of the current version is."""
    setup = installation()
    from assets.versions.versions import current_version
    from storage.data_folder import REPORT_PAGES, report_file

    version = current_version(setup.folder)
    if version is None:
        raise JourneymartError("No version is published yet: run `journeymart run`.")
    path = report_file(setup.folder.current, REPORT_PAGES[0])
    if not path.exists():
        raise JourneymartError(f"Version {version.id} was published without a report: run the next night.")
    console.print(str(path), highlight=False, soft_wrap=True, markup=False)
    if open_it:
        webbrowser.open(path.as_uri())
