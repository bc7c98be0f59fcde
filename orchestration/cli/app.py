"""The command line `journeymart` as a whole: its groups of commands, and how an error is said.

Not here: the commands, a file for each group of them.

Heavy libraries are imported by the command that needs them, so that `--help` and `status` answer at once.
"""

from __future__ import annotations

import gc
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console

from orchestration.cli.alerts import alerts_app
from orchestration.cli.check import check
from orchestration.cli.company import init
from orchestration.cli.extraction import extract
from orchestration.cli.gate import gate_app
from orchestration.cli.installation import doctor, ui
from orchestration.cli.mapping import map_columns
from orchestration.cli.nights import run, sample, status
from orchestration.cli.people import erase, identity_app, subject_access
from orchestration.cli.quarantine import quarantine_app
from orchestration.cli.restate import restate_app
from orchestration.cli.sources import sources_app
from orchestration.cli.versions import explain, report, rollback, unpin, versions
from storage.disk import disk_trouble
from storage.errors import JourneymartError
from storage.permissions import keep_private

app = typer.Typer(
    help="Turn CRM, ticket and survey extracts into audited customer-journey and KPI marts, every night.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

for command in (
    init,
    check,
    extract,
    run,
    sample,
    status,
    versions,
    rollback,
    unpin,
    explain,
    erase,
    subject_access,
    report,
    ui,
    doctor,
):
    app.command()(command)
app.command("map")(map_columns)
app.add_typer(quarantine_app, name="quarantine")
app.add_typer(identity_app, name="identity")
app.add_typer(gate_app, name="gate")
app.add_typer(restate_app, name="restate")
app.add_typer(sources_app, name="sources")
app.add_typer(alerts_app, name="alerts")


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Options of every command."""
    del debug  # read by main(), which also sees errors raised before this


def main() -> None:
    """Run the command line this process was started with, and end it."""
    # Most of what a command makes are modules and definitions, which stay: no garbage is among them.
    gc.set_threshold(100_000, 20, 20)
    keep_private()
    sys.exit(command_line(sys.argv[1:]))


def command_line(arguments: Sequence[str]) -> int:
    """Run a command: an error is one sentence on stderr and exit code 1, wrong usage exit code 2."""
    debug = "--debug" in arguments
    try:
        app([argument for argument in arguments if argument != "--debug"])
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except JourneymartError as error:
        return _explain(str(error), debug)
    except KeyboardInterrupt:
        return _explain("Interrupted; readers keep the version they had.", debug)
    except Exception as error:  # noqa: BLE001 - the outermost place: everything else is a mistake of ours
        if said := disk_trouble(error):
            return _explain(said, debug)
        # Its words may quote rows, so they are shown only on demand.
        kind = type(error).__name__
        return _explain(f"Unexpected {kind}: run the command again with --debug to see what and where.", debug)
    return 0


def _explain(sentence: str, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    else:
        Console(stderr=True).print(
            f"journeymart: {sentence}", style="red", highlight=False, soft_wrap=True, markup=False
        )
    return 1
