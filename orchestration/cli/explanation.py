"""How an explanation of a figure reads in a terminal.

What lives here: the words and tables of `journeymart explain`. Not here: what is told
(assets/report/kpi_explanation.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from assets.report.kpi_explanation import Explanation


def print_explanation(console: Console, found: Explanation) -> None:
    """Print what a figure means, says, counts and leaves out."""
    kpi = found.kpi
    console.print(f"[bold]{kpi['name']}[/bold] ({kpi['kpi']})", highlight=False)
    for name in ("definition", "formula", "counts_on", "owner"):
        _line(console, name.replace("_", " "), str(kpi[name]))
    for name, text in _figure_lines(found):
        _line(console, name, text)
    _table(console, "counted, by source", found.counted)
    _table(console, "left out", found.left_out)
    _table(console, "sources", found.sources)
    for sentence in found.said:
        console.print(sentence, highlight=False, markup=False, soft_wrap=True)


def _figure_lines(found: Explanation) -> Iterator[tuple[str, str]]:
    row, kpi = found.figure, found.kpi
    version = found.version
    yield "version", f"{version['version']}{', stale: a source was missing' if version['is_stale'] else ''}"
    if not row:
        return
    span = f"{row['window_start']} to {row['date_day']}" if row["window_start"] != row["date_day"] else row["date_day"]
    yield "window", f"{row['period']}, {span}"
    yield "of", "the company" if row["dimension"] == "all" else f"{row['dimension']} {row['member']}"
    if row["is_suppressed"]:
        return
    yield "value", f"{_number(row['value'])} {kpi['unit']}{_interval(row['ci_low'], row['ci_high'])}"
    counts = [f"{name} {_number(row[name])}" for name in ("numerator", "denominator", "n") if row[name] is not None]
    yield "counts", f"{', '.join(counts)} (interval: {kpi['method']})"
    if row["previous_value"] is not None:
        change = {True: "a change", False: "may be chance"}.get(row["is_changed"], "without an interval")
        ends = _interval(row["difference_low"], row["difference_high"])
        yield "before", f"{_number(row['previous_value'])}, difference {_number(row['difference'])}{ends}: {change}"
    if row["target"] is not None:
        yield "target", f"{_number(row['target'])}, {'met' if row['is_target_met'] else 'not met'}"
    if row["benchmark"] is not None:
        yield "benchmark", f"{_number(row['benchmark'])} ({row['benchmark_source']})"


def _line(console: Console, name: str, text: str) -> None:
    console.print(f"{name:<14} {text}", highlight=False, markup=False, soft_wrap=True)


def _table(console: Console, title: str, rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        return
    table = Table(box=None, pad_edge=False, title=title, title_justify="left")
    for name in rows[0]:
        table.add_column(name.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row.values()))
    console.print(table)


def _number(value: float | None) -> str:
    return "nothing" if value is None else f"{value:,.4f}".rstrip("0").rstrip(".")


def _interval(low: float | None, high: float | None) -> str:
    if low is None and high is None:
        return ""
    return (
        f" ({_number(low) if low is not None else 'unbounded'} to {_number(high) if high is not None else 'unbounded'})"
    )
