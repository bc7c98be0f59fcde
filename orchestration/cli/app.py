"""The command line `journeymart`.

What lives here: commands, their options and how errors are said. Not here: what they do.

Heavy libraries are imported by the command that needs them, so that `--help` and `status` answer at once.
"""

from __future__ import annotations

import dataclasses
import gc
import json
import os
import sys
import time
import traceback
import webbrowser
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from orchestration.cli.gate import gate_app, named_stream
from orchestration.processes.leaving import leave_at_once
from storage.errors import JourneymartError
from storage.permissions import keep_private

if TYPE_CHECKING:
    from assets.versions.manifest import Manifest
    from assets.versions.versions import Version
    from orchestration.config.setup import Setup
    from storage.data_folder import StreamId

app = typer.Typer(
    help="Turn CRM, ticket and survey extracts into audited customer-journey and KPI marts, every night.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
quarantine_app = typer.Typer(help="Look at rows that broke their contract, and judge them again.", no_args_is_help=True)
app.add_typer(quarantine_app, name="quarantine")
identity_app = typer.Typer(help="Look at which records are one customer, and why.", no_args_is_help=True)
app.add_typer(identity_app, name="identity")
app.add_typer(gate_app, name="gate")

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]

# Nights the first `journeymart sample` writes: history, and enough days to see a night follow another.
SAMPLE_DAYS = 3

_WIDE = 240

console = Console()


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Options of every command."""
    del debug  # read by main(), which also sees errors raised before this


@app.command()
def run(
    as_of: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Last extract date; by default the newest every source has delivered."),
    ] = None,
    begin: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="Extract again from this date on.")
    ] = None,
    night_by_night: Annotated[
        bool, typer.Option("--night-by-night", help="One run and one version per date, not one for all.")
    ] = False,
) -> None:
    """Run the nights that are due and print the scorecard."""
    began = time.monotonic()
    setup = _setup()
    from orchestration.operations.plan_night import delivered_again, outstanding_dates, wanted_date

    through = as_of.date() if as_of else wanted_date(setup)
    days = outstanding_dates(setup, through, begin.date() if begin else None)
    again = delivered_again(setup, through)
    made: list[Manifest] = []
    if days:
        before = _current_batches(setup)
        made = _run_nights(setup, [[day] for day in days] if night_by_night else [days])
        _say_corrected(again, before, _current_batches(setup))
    else:
        console.print(f"Everything up to {through} is published; nothing to do.")
    _print_scorecard(setup, made, time.monotonic() - began)


def _current_batches(setup: Setup) -> dict[tuple[str, str, date], str]:
    """The batches readers see, by source, stream and extract date."""
    from assets.versions.versions import current_version

    version = current_version(setup.folder)
    batches = version.manifest.batches if version else ()
    return {(each.source, each.stream, each.extract_date): each.batch_id for each in batches}


def _say_corrected(
    again: Sequence[tuple[StreamId, date]],
    before: Mapping[tuple[str, str, date], str],
    after: Mapping[tuple[str, str, date], str],
) -> None:
    """Say which published extracts were delivered again, and that the figures follow the new ones."""
    for stream, day in again:
        key = (stream.source, stream.stream, day)
        if key in before and before[key] != after.get(key):
            console.print(
                f"  {stream} of {day} was delivered again: taken, and what follows from it made anew",
                highlight=False,
                soft_wrap=True,
            )


def _run_nights(setup: Setup, nights: Sequence[Sequence[date]]) -> list[Manifest]:
    """Run nights one after the other; what they published, in order."""
    from assets.versions.versions import current_version
    from orchestration.dbt.project import is_prepared, prepare_manifest
    from orchestration.instance import open_instance, quiet_environment
    from orchestration.processes.gate import GATEKEEPER

    quiet_environment()
    GATEKEEPER.warm_up()
    if not is_prepared(setup.settings):
        with console.status("reading the dbt project"):
            prepare_manifest(setup.settings)
    with console.status("starting"):
        from orchestration.build import build_defs
        from orchestration.cli.console import NightDisplay
        from orchestration.operations.run_night import run_night

        defs = build_defs(setup=setup)
    made = []
    with open_instance(setup.settings) as instance:
        for days in nights:
            display = NightDisplay(console)
            span = f"{days[0]}" if len(days) == 1 else f"{days[0]} to {days[-1]}"
            with display.showing(f"Night of {span}"):
                outcome = run_night(defs, instance, days, display)
            version = current_version(setup.folder)
            if outcome.published and version:
                made.append(version.manifest)
            else:
                console.print("  nothing is new: the current version already holds all of it")
    return made


def _print_scorecard(setup: Setup, made: Sequence[Manifest], seconds: float) -> None:
    from assets.versions.versions import current_version
    from orchestration.cli.console import print_no_longer_named, print_scorecard
    from orchestration.cli.scorecard import read_scorecard
    from orchestration.operations.plan_night import no_longer_named

    version = current_version(setup.folder)
    if version:
        print_scorecard(console, read_scorecard(setup.folder, version, made), seconds)
    print_no_longer_named(console, no_longer_named(setup))


@app.command()
def sample(
    customers: Annotated[int | None, typer.Option(min=1, help="Customers at the start; by default 2,000.")] = None,
    days: Annotated[
        int | None,
        typer.Option(min=1, help="Nights of extracts to write, the first with all history; by default 3."),
    ] = None,
    through: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Write extracts up to this date, in place of --days."),
    ] = None,
    next_day: Annotated[
        bool, typer.Option("--next", help="Write the day after the last one, if there are extracts already.")
    ] = False,
) -> None:
    """Write the sample company's extracts into its drop folder."""
    setup = _setup()
    if days and through:
        raise typer.BadParameter("name either --days or --through")
    from sample_company.company import Company
    from sample_company.export import write_extracts, write_next_day, written_through
    from storage.folders import make_open

    make_open(setup.settings.data)
    drop = setup.settings.data / "drop"
    first = setup.sources.first_date
    with console.status("writing extracts"):
        if next_day and written_through(drop):
            written = write_next_day(drop)
        else:
            last = through.date() if through else first + timedelta(days=(days or SAMPLE_DAYS) - 1)
            company = Company() if customers is None else Company(customers=customers)
            written = write_extracts(company, drop, first, last)
    console.print(
        f"{len(written)} extracts written to {drop}, which now reaches to {written_through(drop)}.",
        highlight=False,
        soft_wrap=True,
    )


@app.command()
def status(as_json: Json = False) -> None:
    """Say what readers see now, and whether a night is due."""
    setup = _setup()
    from assets.versions.versions import current_version, list_versions
    from orchestration.cli.console import print_left_out, print_no_longer_named, print_warned
    from orchestration.cli.scorecard import left_out, warned
    from orchestration.operations.plan_night import no_longer_named

    version = current_version(setup.folder)
    report = {
        "data": str(setup.settings.data),
        "current": version.id if version else None,
        "as_of": version.manifest.as_of if version else None,
        "published_at": version.manifest.published_at if version else None,
        "is_stale": version.manifest.is_stale if version else None,
        "stale_since": version.manifest.stale_since if version else None,
        "missing": [f"{each.source}/{each.stream} since {each.since}" for each in version.manifest.missing]
        if version
        else [],
        "approved": [each.sentence for each in version.manifest.approvals] if version else [],
        "checks_passed": version.manifest.checks.passed if version else None,
        "checks_warned": version.manifest.checks.warned if version else None,
        "versions": len(list_versions(setup.folder)),
        **_due(setup),
    }
    warnings, without = (warned(version), left_out(version)) if version else ((), ())
    gone = no_longer_named(setup)
    if as_json:
        _print_json({**report, "warned": warnings, "left_out": without, "no_longer_named": gone})
    else:
        _print(report, as_json)
        print_no_longer_named(console, gone)
        print_warned(console, warnings)
        print_left_out(console, without)


def _due(setup: Setup) -> dict[str, Any]:
    """Dates that wait for a night; a source that cannot be looked at is said: status must always answer."""
    from orchestration.cli.gate import kept_out
    from orchestration.operations.plan_night import outstanding_dates, wanted_date

    try:
        due = outstanding_dates(setup, wanted_date(setup))
        waiting = [f"{each.extract} of {each.extract_date}: {each.state}" for each in kept_out(setup)]
    except JourneymartError as error:
        return {"due": [], "waiting_for": [], "problem": str(error)}
    return {"due": [day.isoformat() for day in due], "waiting_for": waiting, "problem": None}


@app.command()
def versions(as_json: Json = False) -> None:
    """List the published versions that are kept."""
    setup = _setup()
    from assets.versions.versions import current_id, list_versions

    current = current_id(setup.folder)
    rows = [_version_row(version, current) for version in list_versions(setup.folder)]
    if as_json:
        _print_json(rows)
    elif rows:
        _print_table(rows)
    else:
        console.print("No version is published yet: run `journeymart run`.")


def _version_row(version: Version, current: str | None) -> dict[str, Any]:
    manifest = version.manifest
    return {
        "version": version.id,
        "current": version.id == current,
        "as_of": manifest.as_of,
        "published_at": manifest.published_at,
        "base": manifest.base,
        "rows_in": manifest.rows_in,
        "quarantined_rows": manifest.quarantined_rows,
        "is_stale": manifest.is_stale,
        "megabytes": round(manifest.bytes / 1e6, 1),
    }


@app.command()
def rollback(
    version: Annotated[
        str | None,
        typer.Argument(help="The version readers shall see; by default the one before the current."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Let readers see an older version again, at once."""
    setup = _setup()
    from assets.versions.versions import current_id
    from assets.versions.versions import rollback as roll_back

    before = current_id(setup.folder)
    target = roll_back(setup.folder, version)
    if as_json:
        _print_json({"from": before, "to": target.id})
    else:
        console.print(f"Readers now see {target.id} (before: {before}).", highlight=False)


@app.command()
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
    version = _current_version()
    from assets.report.kpi_explanation import Place
    from assets.report.kpi_explanation import explain as explain_figure
    from orchestration.cli.explanation import print_explanation

    place = Place(kpi, day.date() if day else None, period, member, dimension)
    found = explain_figure(version.path, place, is_stale=version.manifest.is_stale)
    if as_json:
        _print_json(dataclasses.asdict(found))
    else:
        print_explanation(console, found)


@app.command()
def erase(
    email: Annotated[
        list[str] | None, typer.Option(help="An address of the person; `-` reads them from standard input, one a line.")
    ] = None,
    phone: Annotated[list[str] | None, typer.Option(help="A phone number with its country code, or `-`.")] = None,
    record: Annotated[
        list[str] | None, typer.Option("--id", help="A record of the person as source:stream:key, or `-`.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Forget a person who asked for it: rewrite every extract, and keep later ones from bringing the person back.

    Nothing of what is given is written or printed. Without any, an erasure that was interrupted is finished.
    """
    setup = _setup()
    from orchestration.operations.erase_person import erase as erase_person

    if sum("-" in (texts or ()) for texts in (email, phone, record)) > 1:
        raise typer.BadParameter("one option at most can be read from standard input")
    emails, phones, records = (_from_stdin(texts or ()) for texts in (email, phone, record))
    done = erase_person(setup, emails, phones, records, datetime.now(UTC))
    if as_json:
        _print_json(dataclasses.asdict(done))
        return
    if done.due_at is None:
        console.print("Nobody was named, and no erasure is open.")
        return
    for what, count in {"records of the person": done.records, **done.counts}.items():
        console.print(f"{what:<26} {count}", highlight=False)
    if done.versions:
        console.print(
            f"{len(done.versions)} published version(s) may still hold the person: the next `journeymart run` "
            f"publishes one that does not and removes them. The law wants it by {done.due_at:%Y-%m-%d}.",
            highlight=False,
            soft_wrap=True,
        )
    else:
        console.print("No published version holds the person.")


def _from_stdin(texts: Sequence[str]) -> list[str]:
    """What was given, `-` replaced by the lines of standard input."""
    lines = [line.strip() for line in sys.stdin.read().splitlines()] if "-" in texts else []
    return [*(text for text in texts if text != "-"), *filter(None, lines)]


@app.command()
def report(
    open_it: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
) -> None:
    """Say where the journey page of the current version is."""
    setup = _setup()
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


@app.command()
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
    setup = _setup()
    from orchestration.cli.report_server import serve_beside
    from orchestration.dbt.project import prepare_manifest
    from orchestration.instance import dagster_home, quiet_environment

    quiet_environment()
    # Nights that start from the web page say where the report is.
    settings = setup.settings if port is None else setup.settings.model_copy(update={"ui_port": port})
    port = settings.ui_port
    os.environ["JOURNEYMART_UI_PORT"] = str(port)
    prepare_manifest(settings)
    home, folder = dagster_home(settings)
    serve_beside(setup.folder, settings.report_port)
    console.print(f"Dagster on http://{host}:{port} (Ctrl-C ends it)", highlight=False)
    console.print(f"Report on {settings.report_address}", highlight=False)
    os.chdir(folder)
    command = ["-m", "dagster", "dev", "-m", "orchestration.definitions", "-h", host, "-p", str(port)]
    environment = {**os.environ, "DAGSTER_HOME": str(home)}
    os.execve(sys.executable, [sys.executable, *command], environment)  # noqa: S606 - our own command


@app.command()
def doctor(as_json: Json = False) -> None:
    """Check the installation, the disk, the configuration and the sources, and say what to do."""
    from orchestration.cli.doctor import examine
    from orchestration.instance import quiet_environment

    quiet_environment()
    findings = examine()
    if as_json:
        _print_json([dataclasses.asdict(finding) for finding in findings])
    else:
        marks = {"ok": "[green]✓[/green]", "warning": "[yellow]![/yellow]", "problem": "[red]✗[/red]"}
        for finding in findings:
            console.print(f"{marks[finding.health]} {finding.what:<20} {finding.said}", highlight=False, soft_wrap=True)
    if any(finding.health == "problem" for finding in findings):
        raise typer.Exit(1)


@quarantine_app.command("list")
def quarantine_list(as_json: Json = False) -> None:
    """List the extracts with rows in quarantine, and what is wrong with them."""
    setup = _setup()
    from quality.gate.quarantine import list_quarantined

    found = list_quarantined(setup.folder)
    if as_json:
        _print_json([{**dataclasses.asdict(each), "reasons": dict(each.reasons)} for each in found])
    elif found:
        _print_table(
            [
                {
                    "extract": f"{each.source}/{each.stream}",
                    "date": each.extract_date,
                    "rows": each.rows,
                    "reasons": ", ".join(f"{reason} ({count})" for reason, count in each.reasons.items()),
                    "blocked_by": list(each.blocked_by),
                }
                for each in found
            ]
        )
    else:
        console.print("Nothing is in quarantine.")


@quarantine_app.command("show")
def quarantine_show(
    extract: Annotated[str, typer.Argument(help="Which extract, as source/stream.")],
    day: Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], help="Its date.", metavar="DATE")],
    limit: Annotated[int, typer.Option(min=1, help="Rows to show.")] = 20,
    as_json: Json = False,
) -> None:
    """Show quarantined rows as they were delivered. They hold personal data."""
    setup = _setup()
    from quality.gate.quarantine import show

    stream = named_stream(setup, extract).stream
    rows = show(setup.folder, stream.source, stream.stream, day.date(), limit)
    if as_json:
        _print_json([dataclasses.asdict(row) for row in rows])
        return
    for row in rows:
        where = f"{row.file}, record {row.row}" if row.row else "a record that vanished"
        console.print(f"{where}: {', '.join(row.reasons)}", style="bold", highlight=False, markup=False, soft_wrap=True)
        console.print(f"  {row.raw or ''}", highlight=False, markup=False, soft_wrap=True)


@quarantine_app.command("replay")
def quarantine_replay(
    extract: Annotated[str | None, typer.Argument(help="Which extract, as source/stream; by default all.")] = None,
    day: Annotated[
        datetime | None,
        typer.Argument(formats=["%Y-%m-%d"], help="Its date; by default all.", metavar="DATE"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Judge quarantined extracts again, after a contract was corrected.

    The next run publishes what passes.
    """
    setup = _setup()
    from orchestration.operations.replay_quarantine import replay

    stream = named_stream(setup, extract).stream if extract else None
    with console.status("judging again"):
        replayed = replay(setup, stream, day.date() if day else None)
    if as_json:
        _print_json([dataclasses.asdict(each) for each in replayed])
        return
    for each in replayed:
        said = (
            f"blocked by {', '.join(each.blocked_by)}"
            if each.blocked_by
            else f"{each.rows_before} rows before, {each.rows_after} now"
        )
        console.print(f"{each.extract} of {each.extract_date}: {said}", highlight=False)
    console.print("Run `journeymart run` to publish what passed." if replayed else "Nothing to judge again.")


@identity_app.command("explain")
def identity_explain(
    record: Annotated[str, typer.Argument(help="A record as source/id or id, or the key of a customer.")],
    other: Annotated[
        str | None, typer.Argument(help="Another record: say why the two are one customer or not.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Say which customer a record is, and by what evidence."""
    version = _current_version()
    from assets.identity.explain import as_report, explain

    found = explain(version.path, record, other)
    if as_json:
        _print_json(as_report(found))
        return
    if found.is_one is not None:
        said = "are one customer" if found.is_one else "are not one customer"
        console.print(f"{record} and {other} {said}.", highlight=False, markup=False, soft_wrap=True)
    for reason in found.reasons:
        console.print(f"  {reason}", highlight=False, markup=False, soft_wrap=True)
    _print_table([{"record": each.name, **_without(dataclasses.asdict(each), "key", "name")} for each in found.records])
    for edge in found.evidence:
        said = f"  {edge.one} – {edge.other}: {edge.evidence} ({edge.rule}, {edge.confidence:g})"
        console.print(said, highlight=False, markup=False, soft_wrap=True)


@identity_app.command("suggest")
def identity_suggest(
    threshold: Annotated[
        float, typer.Option(min=0.5, max=1.0, help="Probability from which a pair is worth a look.")
    ] = 0.9,
) -> None:
    """Write pairs of records that may be one person, for review. Nothing is merged; the file holds personal data."""
    setup = _setup()
    version = _current_version()
    from assets.identity.suggest import suggest

    with console.status("comparing records"):
        pairs, path = suggest(version.path, setup.settings.state, threshold)
    console.print(f"{pairs} pairs written to {path}.", highlight=False, markup=False, soft_wrap=True)


def _without(fields: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name not in names}


def _current_version() -> Version:
    """The version readers see.

    Raises:
        JourneymartError: None is published yet.
    """
    from assets.versions.versions import current_version

    version = current_version(_setup().folder)
    if version is None:
        raise JourneymartError("No version is published yet: run `journeymart run`.")
    return version


def main() -> None:
    """Run the command line this process was started with, and end it."""
    # Most of what a command makes are modules and definitions, which stay: no garbage is among them.
    gc.set_threshold(100_000, 20, 20)
    keep_private()
    code = command_line(sys.argv[1:])
    for name in ("gate", "dbt"):
        if module := sys.modules.get(f"orchestration.processes.{name}"):
            module.dismiss()
    leave_at_once(code)


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


def _setup() -> Setup:
    from orchestration.config.setup import load_setup

    return load_setup()


def _print(report: Mapping[str, Any], as_json: bool) -> None:
    if as_json:
        _print_json(report)
        return
    for name, value in report.items():
        if value not in (None, []):
            console.print(f"{name.replace('_', ' '):<14} {_said(value)}", highlight=False, soft_wrap=True)


def _print_json(value: object) -> None:
    sys.stdout.write(json.dumps(value, indent=1, default=str) + "\n")


def _print_table(rows: Sequence[Mapping[str, Any]]) -> None:
    table = Table(box=None, pad_edge=False)
    for name in rows[0]:
        table.add_column(name.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(_said(value) for value in row.values()))
    # On a terminal long words go on in the next line; a list that is piped into something is as wide as it needs to be.
    (console if console.is_terminal else Console(width=_WIDE)).print(table)


def _said(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)
