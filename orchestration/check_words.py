"""What the checks of a night say of themselves in Dagster: what they mean, and what to do when one fails.

What lives here: words alone. Not here: the checks (quality/gate/, dbt_project/, assets/audit/) and their wiring.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from quality.contract.model import Contract
from quality.gate.approvals import APPROVABLE

# What a person should look at; it never blocks.
WARNINGS = "warnings"
# What an asset's tests of rows are together.
ROWS = "rows"

# Every kind of check of an extract. Said here and not imported, so that loading definitions loads no DuckDB.
_OF_EXTRACTS = {
    "completeness": "Every counted record of every delivered file is a row or a reject, once.",
    "schema": "The columns the contract cannot do without are there.",
    "format": "Numbers and dates are written as the stream's reading rules say.",
    "volume": "As many rows as are usual for the stream and the weekday{volume}.",
    "freshness": "The newest row is young enough{freshness}.",
    "deletes": "Not too many records of a dump vanished at once.",
    "quarantine": "Not too many rows break a rule{quarantine}.",
    "contract": "No row breaks a rule that blocks{contract}.",
    "distribution": "The columns look as they usually do: how full, which values, how large, how old, how new.",
    WARNINGS: "What a person should look at; it never blocks.",
}
CHECKS = tuple(_OF_EXTRACTS)
_FORMAT = "have it delivered again, or correct the stream's reading rules in company.yml"
_AGAIN = "have it delivered again, or, if the system changed, correct the contract"
_APPROVE = (
    'have it delivered again, or, if it is right as it is, `journeymart gate approve {stream} DATE --because "..."`'
)

# Audits of the finished marts -> what they mean, and what to do.
AUDITS = {
    "reconciliation": (
        "Every accepted record is in its canonical object, and every canonical record in its fact.",
        "the model that lost or repeated records is named: mend it; the next night builds anew",
    ),
    "kpi_identities": (
        "Numerators, denominators, values and bounds of every KPI row agree.",
        "the rows contradict themselves: look at the models of group kpis that changed last",
    ),
    "drift": (
        "No mart vanished, or lost more rows against the version before than the accepted records explain.",
        "compare with the version before (`journeymart versions`); a wanted change of a model builds anew and passes",
    ),
    "identity": (
        "Records that did not change still find each other, few are in doubt, no customer is oversized.",
        "`journeymart identity explain RECORD` shows why; the seed identity_exclusions excludes shared addresses",
    ),
    "shadow": (
        "A random sample of keys, derived anew from all their rows, is what stands. It warns and never blocks.",
        "a night did not touch what it should have: mend the model's touched_by; the next night builds anew",
    ),
    "closed_months": (
        "Figures of closed months are those they were closed with. It warns and never blocks.",
        "`journeymart restate` shows what changed; `journeymart restate approve MONTH` takes it, with your reason",
    ),
    "hidden_texts": (
        "No text that marts show came with an e-mail address or a phone number in it; one that did is hidden, and this "
        "warns of its source, stream and column.",
        "the record of what was hidden cannot be read: run the night again",
    ),
}

_BUILD_AGAIN = "nothing is published; mend the model or what it reads, and run the night again"
_OF_TESTS = {
    "unique_grain": ("No two rows have the same {columns}.", "rows are repeated, so sums would be too high"),
    "unique": ("No two rows have the same {column_name}.", "rows are repeated, so sums would be too high"),
    "not_null": ("Every row has a {column_name}.", "rows would be lost where they are joined by it"),
    "relationships": (
        "Every {column_name} is one of {to}.",
        "rows point to something that is not there, so they would be lost in reports by it",
    ),
    "accepted_values": ("{column_name} is one of {values}.", "a value came that nobody gave a meaning"),
}
_COMMENT = re.compile(r"\A\s*((?:--[^\n]*\n)+)")
_REFERENCE = re.compile(r"ref\('(\w+)'\)")


def words_of_check(kind: str, stream: str, contract: Contract) -> str:
    """What a check of a stream's extracts means by its contract, and what to do when it fails."""
    meaning = _OF_EXTRACTS[kind].format(**_limits(contract))
    if kind == WARNINGS:
        return meaning
    remedy = _APPROVE.format(stream=stream) if kind in APPROVABLE else _FORMAT if kind == "format" else _AGAIN
    return f"{meaning} If it fails, the night stops and nothing is published: {remedy}."


def words_of_audit(audit: str) -> str:
    """What an audit means, and what to do when it fails."""
    meaning, remedy = AUDITS[audit]
    return f"{meaning} If it fails, nothing is published: {remedy}."


def words_of_test(test: Mapping[str, Any]) -> str:
    """What a test of dbt means, and what to do when it fails: as it says, as its file says, or by its kind."""
    told, why = _meaning(test)
    return f"{told} If it fails, {f'{why}: ' if why else ''}{_BUILD_AGAIN}."


def words_of_rows(asset: str, tests: Sequence[tuple[str, Mapping[str, Any]]]) -> str:
    """What an asset's tests of rows mean together, and what to do when one fails.

    Args:
        asset: Name of the model that is the asset.
        tests: Each with the name of the model it is of: the asset, or one of its steps.
    """
    models: dict[str, list[str]] = {}
    whys: dict[str, None] = {}
    # The asset's own first.
    for model, test in sorted(tests, key=lambda each: each[0] != asset):
        meaning, why = _meaning(test)
        models.setdefault(meaning, []).append(model)
        whys |= {why: None} if why else {}
    told = " ".join(
        meaning if of == [asset] else f"{meaning.removesuffix('.')} ({', '.join(of)})."
        for meaning, of in models.items()
    )
    why = "; or ".join(whys)
    return f"{told} If it fails, {f'{why}: ' if why else ''}{_BUILD_AGAIN}."


def _limits(contract: Contract) -> dict[str, str]:
    """The contract's own limits, in words."""
    fresh, budget = contract.freshness, contract.quarantine
    volume = contract.volume
    rules = "; ".join(rule.description for rule in contract.rules if rule.on_failure == "block")
    return {
        "volume": f": not under {volume.min_ratio:g} of a quiet day or over {volume.max_ratio:g} times a busy one",
        "freshness": f": {fresh.column} at most {fresh.max_age_days:g} days before the end of the extract date"
        if fresh
        else ", beside the stream's own past",
        "quarantine": f": at most {budget.max_share:.2%} of them, {budget.min_rows} always tolerated",
        "contract": f" ({rules})" if rules else "",
    }


def _meaning(test: Mapping[str, Any]) -> tuple[str, str]:
    """What a test of dbt means, and what follows where its kind says so."""
    told = str(test.get("description") or "") or _header(test)
    generic = test.get("test_metadata") or {}
    if not told and generic.get("name") in _OF_TESTS:
        meaning, why = _OF_TESTS[generic["name"]]
        return meaning.format(**{name: _said(value) for name, value in generic["kwargs"].items()}), why
    return told or f"dbt finds no row that breaks `{test['name']}`.", ""


def _header(test: Mapping[str, Any]) -> str:
    """The comment on top of a test's own file."""
    found = None if test.get("test_metadata") else _COMMENT.match(str(test.get("raw_code") or ""))
    return " ".join(line.removeprefix("--").strip() for line in found[1].splitlines()) if found else ""


def _said(value: object) -> str:
    """A test's argument in words."""
    if isinstance(value, list):
        return ", ".join(str(each) for each in value)
    found = _REFERENCE.fullmatch(str(value))
    return found[1] if found else str(value)
