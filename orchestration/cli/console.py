"""How a night and its outcome look in a terminal.

What lives here: drawing. Not here: what happens (run_night.py), the commands (nights.py).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date

from rich.console import Console
from rich.status import Status
from rich.table import Table

from orchestration.cli.scorecard import Figure, Scorecard
from orchestration.operations.step_words import step_words
from orchestration.progress import listening


class NightDisplay:
    """One line per step with its seconds; in a real terminal also how far the running one is."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status: Status | None = None
        self._began: dict[str, float] = {}
        self._running = ""

    @contextmanager
    def showing(self, what: str, days: Sequence[date]) -> Iterator[None]:
        """Show what is done of some days, such as a night, while it runs."""
        span = f"{days[0]}" if len(days) == 1 else f"{days[0]} to {days[-1]}"
        self._console.print(f"[bold]{what} of {span}[/bold]")
        with self._console.status("starting") as status, listening(self.advanced):
            self._status = status
            yield
        self._status = None

    def started(self, step_key: str) -> None:
        """A step began."""
        self._began[step_key] = time.monotonic()
        self._running = step_words(step_key)
        self._say(self._running)

    def advanced(self, words: str) -> None:
        """The running step moved on."""
        self._say(f"{self._running} ({words})")

    def ended(self, step_key: str, outcome: str) -> None:
        """A step ended: `done`, `failed` or `skipped`."""
        seconds = time.monotonic() - self._began.get(step_key, time.monotonic())
        marks = {"done": "[green]✓[/green]", "failed": "[red]✗[/red]", "skipped": "[dim]-[/dim]"}
        said = f"{seconds:6.1f} s" if outcome != "skipped" else "skipped"
        self._console.print(f"  {marks[outcome]} {step_words(step_key):<32}{said:>9}", highlight=False)

    def _say(self, text: str) -> None:
        if self._status:
            self._status.update(text)


def print_scorecard(console: Console, card: Scorecard, seconds: float) -> None:
    """Print the scorecard."""
    table = Table(title=f"Scorecard as of {card.as_of}", title_justify="left", box=None, pad_edge=False)
    table.add_column("")
    table.add_column("", justify="right")
    table.add_column("95 % interval", justify="right", style="dim")
    table.add_column("n", justify="right", style="dim")
    told = [figure for figure in card.figures if figure.value is not None or figure.last]
    for figure in told:
        table.add_row(figure.title, _value(figure), _interval(figure), "" if figure.n is None else f"{figure.n:,}")
    console.print()
    console.print(table)
    if untold := [figure.title for figure in card.figures if figure not in told]:
        console.print(
            f"No data  {'; '.join(untold)}: `journeymart check` says why.",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )
    rows = f"{card.rows_in:,} in, {card.rows_quarantined:,} quarantined, {card.rows_published:,} published"
    console.print(f"Rows     {rows}", highlight=False)
    console.print(f"Seconds  {seconds:.1f}", highlight=False)
    console.print(f"Marts    {card.marts}", highlight=False, soft_wrap=True)
    if card.report:
        console.print(f"Report   {card.report}", highlight=False, soft_wrap=True)
    for title, sentences in (("Stale", card.stale), ("Approved", card.approved)):
        for sentence in sentences:
            console.print(f"{title:<8} {sentence}", style="yellow", highlight=False, markup=False, soft_wrap=True)
    print_warned(console, card.warned)
    print_left_out(console, card.left_out)
    console.print("UI       make ui", highlight=False)


def print_warned(console: Console, sentences: Sequence[str]) -> None:
    """Print what checks of extracts warned of, if anything; a sentence each."""
    _print_sentences(console, "Worth a look in the extracts of the last days", sentences)


def print_damages(console: Console, sentences: Sequence[str]) -> None:
    """Print what is damaged and what is done about it, if anything; a sentence each."""
    _print_sentences(console, "Damaged in the data folder", sentences)


def print_no_longer_named(console: Console, sentences: Sequence[str]) -> None:
    """Print which streams delivered once and are named no more, if any; a sentence each."""
    _print_sentences(console, "No longer among the sources", sentences)


def print_left_out(console: Console, sentences: Sequence[str]) -> None:
    """Print what the figures leave out, if anything; a sentence each."""
    _print_sentences(console, "Left out of the figures of the last 12 months", sentences)


def _print_sentences(console: Console, title: str, sentences: Sequence[str]) -> None:
    if sentences:
        console.print(title, style="yellow")
    for sentence in sentences:
        console.print(f"  {sentence}", highlight=False, soft_wrap=True, markup=False)


def _value(figure: Figure) -> str:
    if figure.value is None:
        return f"no data since {figure.last}"
    return f"{figure.value:,.{_digits(figure)}f} {figure.unit}".rstrip()


def _interval(figure: Figure) -> str:
    if figure.low is None or figure.high is None:
        return ""
    return f"{figure.low:,.{_digits(figure)}f} to {figure.high:,.{_digits(figure)}f}"


def _digits(figure: Figure) -> int:
    return 1 if figure.unit in {"points", "%"} else 0
