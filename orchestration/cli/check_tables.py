"""How what `journeymart check` found looks in a terminal, and as plain values.

Not here: finding it out (orchestration/operations/check_extract.py).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from assets.inspect.delivery import CheckedDelivery
    from assets.inspect.judged import Judged, Reason
    from assets.inspect.kpi_outlook import Outlook
    from orchestration.operations.check_extract import Checked

_WIDE = 200
_SURE = {"certain": "", "likely": "likely; look whether it reads well", "open": "nobody can tell: choose one"}
_MOST_REASONS = 12


def as_plain(found: Checked) -> dict[str, Any]:
    """What was found, as plain values."""
    return {
        "would_block": found.would_block,
        "chosen": found.chosen,
        "deliveries": [_plain_delivery(each) for each in found.deliveries],
        "not_delivered": list(found.not_delivered),
        "kpis": [dataclasses.asdict(each) for each in found.kpis],
    }


def _plain_delivery(found: CheckedDelivery) -> dict[str, Any]:
    plain = {
        field.name: getattr(found, field.name)
        for field in dataclasses.fields(found)
        if field.name not in ("columns", "proposals", "as_declared", "judged")
    }
    return {
        **plain,
        "is_sampled": found.is_sampled,
        "columns": [dataclasses.asdict(each) for each in found.columns],
        "proposals": [{**dataclasses.asdict(each), "choice": each.choice} for each in found.proposals],
        "as_declared": _plain_judgement(found.as_declared),
        "with_proposals": _plain_judgement(found.judged),
    }


def _plain_judgement(judged: Judged) -> dict[str, Any]:
    verdict = judged.verdict
    return {
        "passes": judged.passes,
        "refused": judged.refused,
        "blocked_by": dict(judged.blocked_by),
        "warned": dict(judged.warned),
        "accepted_rows": verdict.accepted_rows if verdict else None,
        "quarantined_rows": verdict.quarantined_rows if verdict else None,
        "rejected_records": verdict.rejected_records if verdict else None,
        "reasons": [dataclasses.asdict(each) for each in judged.reasons],
    }


def print_checked(console: Console, found: Checked) -> None:
    """Print what was found: of one delivery everything, of several a line each and what needs a look."""
    page = _Page(console if console.is_terminal else Console(width=_WIDE))
    if found.chosen:
        page.say(found.chosen, style="dim")
    if found.of_all:
        page.summary(found)
        for each in found.deliveries:
            if not each.as_declared.passes or each.proposals or each.judged.reasons:
                page.heading(each)
                page.proposals(each)
                page.judgement(each)
    else:
        for each in found.deliveries:
            page.heading(each)
            page.columns(each)
            page.proposals(each)
            page.judgement(each)
    page.kpis(found)


class _Page:
    """Prints the parts, each where it has something to say."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def say(self, text: str, style: str = "") -> None:
        """Print a sentence, as it is."""
        self._console.print(text, style=style or None, highlight=False, markup=False, soft_wrap=True)

    def title(self, text: str) -> None:
        """Print what follows belongs to."""
        self._console.print()
        self.say(text, style="bold")

    def table(self, rows: Sequence[Mapping[str, str]]) -> None:
        """Print rows of the same columns."""
        table = Table(box=None, pad_edge=False)
        for name in rows[0]:
            table.add_column(name, overflow="fold", justify="right" if name in ("rows", "filled") else "left")
        for row in rows:
            table.add_row(*(_escaped(value) for value in row.values()))
        self._console.print(table)

    def summary(self, found: Checked) -> None:
        """Print a line for each stream."""
        rows = [
            {
                "stream": each.stream,
                "newest": str(each.extract_date),
                "rows": f"{each.rows:,}",
                "a night would": _outcome(each.as_declared),
            }
            for each in found.deliveries
        ]
        rows += [
            {"stream": name, "newest": "", "rows": "", "a night would": "wait for it: nothing is delivered"}
            for name in found.not_delivered
        ]
        self.table(rows)

    def heading(self, found: CheckedDelivery) -> None:
        """Print which delivery it is, and its counts."""
        name = ", ".join(found.files) or "What is delivered"
        self.title(f"{name}: {found.stream} of {found.extract_date}")
        if found.records:
            odd = f", {found.rejects:,} that cannot be parsed" if found.rejects else ""
            self.say(f"{_counted(found.records, 'record')}: {_counted(found.rows, 'row')}{odd}.")

    def columns(self, found: CheckedDelivery) -> None:
        """Print the columns."""
        known = [each for each in found.columns if each.type]
        unknown = [each for each in found.columns if not each.type]
        if known:
            self._console.print()
            self.table(
                [
                    {
                        "column": each.column,
                        "delivered as": each.delivered if each.delivered != each.column else "",
                        "type": str(each.type),
                        "filled": _share(each.filled, found.looked_at),
                        "reads as": each.reads_as,
                    }
                    for each in known
                ]
            )
            if found.is_sampled:
                self.say(
                    f"Filled and reads as: of the first {found.looked_at:,} of {found.rows:,} rows; judged are all.",
                    style="dim",
                )
        if found.missing:
            self.say(f"Missing, and cannot be done without: {', '.join(found.missing)}.", style="red")
        if unknown:
            named = [f"{each.delivered} ({each.perhaps}?)" if each.perhaps else each.delivered for each in unknown]
            self.say(f"Unknown to the contract, kept beside: {', '.join(named)}.", style="yellow")
        if found.missing or unknown:
            of = found.stream if not found.stream.startswith("file/") else "FILE"
            self.say(
                f"Columns that only have other names are mapped: `journeymart map --suggest {of}` begins a mapping.",
                style="cyan",
            )
        if found.absent:
            self.say(f"Not there, and need not be: {', '.join(found.absent)}.", style="dim")

    def proposals(self, found: CheckedDelivery) -> None:
        """Print the lines to declare."""
        for note in found.notes:
            self.say(f"Note: {note}.", style="yellow")
        if not found.proposals:
            return
        self.title(f"To declare for {found.stream} in company.yml")
        for each in found.proposals:
            self.say(f"  {each.choice}", style="cyan")
            words = [each.saw, each.example, _SURE[each.sure]]
            self.say(f"      {'; '.join(word for word in words if word)}")

    def judgement(self, found: CheckedDelivery) -> None:
        """Print what a night would make of it, as declared and with the lines that leave no choice."""
        self._console.print()
        if found.as_declared is not found.judged:
            self._verdict("As things are declared, a night", found.as_declared)
            self._verdict("With the lines above, a night", found.judged)
        else:
            self._verdict("A night", found.judged)
        reasons = found.judged.reasons
        if reasons:
            self.table([_reason_row(each) for each in reasons[:_MOST_REASONS]])
        if len(reasons) > _MOST_REASONS:
            self.say(f"... and {len(reasons) - _MOST_REASONS} more reasons; --json has all.")
        for kind, words in found.judged.warned:
            self.say(f"It would warn: {words.removeprefix('warnings: ') or kind}.", style="yellow")

    def _verdict(self, who: str, judged: Judged) -> None:
        if not judged.blocked_by:
            said = f"{who} would {_outcome(judged)}"
            self.say(f"{said}." if not said.endswith(".") else said, style="green" if judged.passes else "red")
            return
        self.say(f"{who} would block it:", style="red")
        for kind, words in judged.blocked_by:
            self.say(f"  {kind}: {words}" if words else f"  {kind}")

    def kpis(self, found: Checked) -> None:
        """Print what KPIs make of it."""
        self.title("KPIs")
        kept_out = [each.stream for each in found.deliveries if not each.judged.passes]
        if kept_out and not found.of_all:
            self.say("Nothing of it would be accepted, so no KPI counts anything of it.")
            return
        if kept_out:
            self.say(f"Without what would be blocked: {', '.join(kept_out)}.", style="yellow")
        concerned = [each for each in found.kpis if found.of_all or not _needs_another(each, found)]
        rows = [
            {"KPI": ", ".join(each.kpi for each in alike), "what it would make of this": _outlook_words(alike[0])}
            for alike in _alike(concerned)
        ]
        if rows:
            self.table(rows)
        elsewhere: dict[str, int] = {}
        for each in found.kpis:
            if each not in concerned:
                elsewhere[each.lacks] = elsewhere.get(each.lacks, 0) + 1
        if elsewhere:
            needed = ", ".join(f"{name} ({count})" for name, count in elsewhere.items())
            self.say(f"Other KPIs are made of other streams: {needed}.", style="dim")


def _escaped(text: str) -> str:
    return text.replace("[", r"\[")


def _outcome(judged: Judged) -> str:
    if judged.refused:
        return f"refuse it: {judged.refused}"
    if judged.blocked_by:
        return f"block it: {', '.join(kind for kind, _ in judged.blocked_by)}"
    verdict = judged.verdict
    if verdict is None:
        return "accept it"
    bad = verdict.quarantined_rows + verdict.rejected_records
    return f"accept {_counted(verdict.accepted_rows, 'row')}" + (f" and quarantine {bad:,}" if bad else "")


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _share(filled: int, of: int) -> str:
    return f"{100 * filled / of:.0f} %" if of else ""


def _reason_row(reason: Reason) -> dict[str, str]:
    rows = [f"row {each.row:,}" if each.row is not None else "a deletion" for each in reason.examples]
    values = dict.fromkeys(each.value for each in reason.examples if each.value is not None)
    return {
        "quarantined because": reason.reason,
        "rows": f"{reason.rows:,}",
        "for example": ", ".join(rows) + (f" ({', '.join(map(str, values))})" if values else ""),
    }


def _needs_another(outlook: Outlook, found: Checked) -> bool:
    """Whether a KPI counts records of a stream that is not the one looked at."""
    return outlook.state == "empty" and outlook.because == f"nobody delivers {outlook.lacks}"


def _alike(outlooks: Iterable[Outlook]) -> list[list[Outlook]]:
    """KPIs of which the same is said, together."""
    groups: dict[str, list[Outlook]] = {}
    for each in outlooks:
        groups.setdefault(_outlook_words(each), []).append(each)
    return list(groups.values())


def _outlook_words(outlook: Outlook) -> str:
    if outlook.state == "empty":
        return f"empty, because {outlook.because}: {outlook.remedy}"
    if outlook.state == "not counted":
        because = (
            outlook.because or "its records come through the mapping of a vendor's stream, which tells all it needs"
        )
        return f"not counted here: {because}"
    said = f"counts {outlook.counted:,} of {outlook.records:,} records" if outlook.records else "counts"
    if outlook.state == "reads 0":
        said = f"reads 0 of {outlook.counted:,}, because {outlook.because}: {outlook.remedy}"
    left = [f"leaves out {each.records:,} because {each.because}: {each.remedy}" for each in outlook.left_out]
    return "; ".join([said, *left])
