"""Commands of the installation: `ui`, `doctor`.

Not here: what doctor looks at (doctor.py), what the web page is made of (orchestration/ui).
"""

from __future__ import annotations

import dataclasses
import os
from typing import Annotated

import typer

from orchestration.cli.current import installation
from orchestration.cli.output import Json, console, print_json


def ui(
    port: Annotated[
        int | None,
        typer.Option(
            min=1, max=65534, help="Port of the web page, by default 3000; the report is on the one after it."
        ),
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
) -> None:
    """Open Dagster's web page, and run nights on schedule while it is open."""
    setup = installation()
    from orchestration.dbt.project import prepare_manifest
    from orchestration.instance import dagster_home, open_instance, quiet_environment
    from orchestration.ui.door import LOOPBACK
    from orchestration.ui.report_server import serve_beside
    from orchestration.ui.services import services
    from orchestration.ui.web_page import AskedToEndError, end_when_asked, serve_web_page

    quiet_environment()
    # Nights that start from the web page say where the report is.
    settings = setup.settings if port is None else setup.settings.model_copy(update={"ui_port": port})
    port = settings.ui_port
    os.environ["JOURNEYMART_UI_PORT"] = str(port)
    prepare_manifest(settings)
    home, folder = dagster_home(settings)
    end_when_asked()
    try:
        serve_beside(setup.folder, settings.report_port)
        with services(home, folder) as running, open_instance(settings) as instance:
            console.print(f"Dagster on http://{host}:{port} (Ctrl-C ends it)", highlight=False)
            console.print(f"Report on {settings.report_address}", highlight=False)
            serve_web_page(instance, running, host, port, {*LOOPBACK, host, *settings.ui_names})
    except AskedToEndError:
        console.print("The web page, the schedule and the report have ended.", highlight=False)


def doctor(as_json: Json = False) -> None:
    """Check the installation, the disk, the configuration and the sources, and say what to do."""
    from orchestration.cli.doctor import examine
    from orchestration.instance import quiet_environment

    quiet_environment()
    diagnoses = examine()
    if as_json:
        print_json([dataclasses.asdict(each) for each in diagnoses])
    else:
        marks = {"ok": "[green]✓[/green]", "warning": "[yellow]![/yellow]", "problem": "[red]✗[/red]"}
        for each in diagnoses:
            console.print(f"{marks[each.health]} {each.what:<20} {each.said}", highlight=False, soft_wrap=True)
    if any(each.health == "problem" for each in diagnoses):
        raise typer.Exit(1)
