"""The checks of an extract, from counts to outcomes. Pure: nothing here opens a file or asks the judge.

What lives here: one function per kind of check, and what a verdict is made of. Not here: getting the counts
(gate.py, quality/rows/split.py) and judging rows (great_expectations.py).
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from quality.contract.model import Contract
from quality.gate.great_expectations import Result
from quality.gate.ledger import Outcome
from quality.landed.extract import LandingManifest
from quality.past import usual
from quality.past.distribution import by_days_ago, findings, in_words
from quality.past.profiles import Profile
from quality.past.usual import IMPOSSIBLE, UNUSUAL, USUAL
from quality.rows.predicates import predicates
from quality.rows.split import BatchCounts
from quality.rows.suite import Expectation
from storage.data_folder import StreamId

# Every extract has to pass each of these.
CHECK_KINDS = (
    "completeness",
    "schema",
    "format",
    "volume",
    "freshness",
    "deletes",
    "quarantine",
    "contract",
    "distribution",
)
# What a person should look at; it never blocks.
WARNINGS = "warnings"

# Without a limit in the contract: the newest row may be this much older than it ever was in the last weeks, and
# cannot be right once it is a week and three times as old.
_UNUSUAL_DAYS, _IMPOSSIBLE_DAYS, _IMPOSSIBLE_TIMES = 2.0, 7.0, 3.0

# How much a column's name must be like another one to be offered for it, 1 being equal.
_NEARLY = 0.75

# The detail of a check that is a sentence, and those that say nothing by themselves: how much was looked at, and
# columns that an extract of one's own need not have.
IN_WORDS = "in words"
_TOLD_ANYWAY = frozenset({"rows", "nights", "column", "absent columns"})

Metadata = Mapping[str, int | float | str]

_OUTCOMES: Mapping[int, Outcome] = {USUAL: "pass", UNUSUAL: "warn", IMPOSSIBLE: "fail"}


@dataclass(frozen=True)
class CheckResult:
    """What one check said of one extract.

    Attributes:
        kind: One of `CHECK_KINDS`, or `warnings`.
        outcome: `error` means that it could not be judged, which is never a pass.
        metadata: Counts, and words of the contract; never anything that was delivered.
    """

    kind: str
    outcome: Outcome
    metadata: Metadata = field(default_factory=dict)

    @property
    def blocking(self) -> bool:
        """Whether a failure keeps the extract out and the night from being published."""
        return self.kind != WARNINGS

    @property
    def words(self) -> str:
        """What a person should know of a check that did not pass; counts that are told anyway are left out."""
        told = {name: value for name, value in self.metadata.items() if name not in _TOLD_ANYWAY}
        said = (
            str(value) if name == IN_WORDS else f"{name}: {value}" if isinstance(value, str) else f"{name} {value}"
            for name, value in told.items()
        )
        return f"{self.kind}: {', '.join(said)}" if told else ""

    @property
    def passed(self) -> bool:
        """Whether it lets the extract through."""
        return self.outcome in ("pass", "warn") or not self.blocking


def not_judged(kind: str, because: str) -> CheckResult:
    """A check that could not be made because another one failed."""
    return CheckResult(kind, "error", {"not judged because of": because})


@dataclass(frozen=True)
class FileFacts:
    """What the gate itself finds of one delivered file, beside what the manifest claims.

    Attributes:
        bytes: Size on disk; None: the file is not there.
        sha256: Hash of its bytes; None: the file is not there.
        rows: Rows with its name.
        rejects: Rejects with its name.
        records: Different record numbers among both.
    """

    bytes: int | None
    sha256: str | None
    rows: int
    rejects: int
    records: int


@dataclass(frozen=True)
class Opinion:
    """What both judges say of one table: Great Expectations, and the same conditions counted in SQL.

    Attributes:
        expected: The suite.
        results: What became of each expectation, by its name.
        violations: Rows that break each expectation, by its name, batch by batch.
    """

    expected: Sequence[Expectation]
    results: Mapping[str, Result]
    violations: Mapping[str, Sequence[int]]


def completeness(
    manifest: LandingManifest,
    *,
    about: tuple[StreamId, date, str],
    facts: Mapping[str | None, FileFacts],
    columns: Sequence[str],
    changes: tuple[int, int, int] | None,
) -> CheckResult:
    """No record is lost: every counted record of every delivered file is a row or a reject, once.

    Args:
        manifest: What landing claims.
        about: Stream, extract date and mode the partition should be of.
        facts: What is there, by file name; what has no name is there too.
        columns: Columns of the landed rows, without the landing's own.
        changes: In mode `full`: changed rows, vanished keys, and rows that are neither.
    """
    nothing = FileFacts(None, None, 0, 0, 0)
    claims = [(claim, facts.get(claim.name, nothing)) for claim in manifest.files]
    totals = (
        sum(claim.records for claim in manifest.files),
        sum(claim.rows for claim in manifest.files),
        sum(claim.rejects for claim in manifest.files),
    )
    wrong = {
        "of another extract": about != (manifest.stream, manifest.extract_date, manifest.mode),
        "files not in the manifest": len(set(facts) - {claim.name for claim in manifest.files}),
        "files missing": sum(fact.bytes is None for _, fact in claims),
        "files with other bytes": sum(
            fact.bytes is not None and (fact.bytes, fact.sha256) != (claim.bytes, claim.sha256)
            for claim, fact in claims
        ),
        "files with other rows": sum(
            (fact.rows, fact.rejects) != (claim.rows, claim.rejects) for claim, fact in claims
        ),
        "files with lost records": sum(
            not claim.records == claim.rows + claim.rejects == fact.records for claim, fact in claims
        ),
        "files not as their sender says": not manifest.as_declared,
        "damaged files": manifest.damaged,
        "totals that do not add up": totals != (manifest.records, manifest.rows, manifest.rejects),
        "columns not as delivered": tuple(columns) != manifest.columns,
    }
    if changes is not None:
        changed, vanished, neither = changes
        wrong["changes that do not add up"] = changed > manifest.rows or vanished != manifest.vanished or neither > 0
    return CheckResult(
        "completeness",
        "fail" if any(wrong.values()) else "pass",
        {
            "files": len(manifest.files),
            "records": manifest.records,
            "rows": manifest.rows,
            "rejects": manifest.rejects,
            **{name: int(count) for name, count in wrong.items() if count},
        },
    )


def schema(contract: Contract, manifest: LandingManifest) -> CheckResult:
    """The columns the contract cannot do without are there, each once; landing has found other spellings of names.

    An extract without rows may come without a header; whether so few are usual is the volume's question.
    """
    columns = manifest.columns
    if not manifest.rows and not columns:
        return CheckResult("schema", "pass", {"columns": 0})
    needed = needed_columns(contract)
    missing = [name for name in contract.columns if name in needed and name not in columns]
    twice = len(columns) - len(set(columns))
    metadata: dict[str, int | float | str] = {
        "columns": len(columns),
        "known columns": len(set(columns) & set(contract.columns)),
    }
    if missing:
        unknown = {name: place for place, name in enumerate(columns, start=1) if name not in contract.columns}
        metadata["missing columns"] = ", ".join(name + _nearly(name, unknown) for name in missing)
    if twice:
        metadata["repeated names"] = twice
    return CheckResult("schema", "fail" if missing or twice else "pass", metadata)


def _nearly(wanted: str, unknown: Mapping[str, int]) -> str:
    """Which unknown column may be a missing one, by its place: a file without a header has a record for names."""
    near = difflib.get_close_matches(wanted, unknown, n=1, cutoff=_NEARLY)
    return f" (column {unknown[near[0]]} is named nearly so)" if near else ""


def written(stream: StreamId, faults: Mapping[str, str]) -> CheckResult:
    """Numbers and dates are written as the stream's reading rules say; else the rule to declare is offered.

    Args:
        stream: Which stream.
        faults: What is wrong, in words by column.
    """
    said = {column: f"{words} for {stream} in sources.yml" for column, words in faults.items()}
    return CheckResult("format", "fail" if said else "pass", said)


def needed_columns(contract: Contract) -> set[str]:
    """Columns an extract must have; the others may be left out and are NULL then."""
    needed = {name for name, column in contract.columns.items() if column.required}
    needed.update(contract.key)
    needed.update(name for name in (contract.version,) if name)
    needed.update([contract.freshness.column] if contract.freshness else [])
    return needed


def volume(contract: Contract, profile: Profile, past: Sequence[Profile]) -> tuple[CheckResult, bool]:
    """As many rows as are usual for the stream and the weekday; of what is not usual, only what cannot be blocks.

    Args:
        contract: The contract.
        profile: The extract's; only what was delivered matters.
        past: Profiles of the nights before, newest first.

    Returns:
        What is said, and whether far more rows came than usual.
    """
    rows, day = profile.delivered, profile.extract_date
    if profile.is_history:
        return CheckResult("volume", "pass", {"rows": rows}), False
    limits = contract.volume
    held = usual.count(
        rows,
        by_days_ago(day, past, lambda night: night.delivered),
        min_ratio=limits.min_ratio,
        max_ratio=limits.max_ratio,
        min_nights=limits.min_nights,
    )
    metadata: dict[str, int | float | str] = {"rows": rows, "nights": len(past)}
    if held.level != USUAL:
        metadata[IN_WORDS] = in_words(day, rows, float(held.usual), float(held.low), float(held.high))
    return CheckResult("volume", _OUTCOMES[int(held.level)], metadata), bool(held.more)


def freshness(
    contract: Contract, extract_date: date, rows: int, newest: datetime | None, ages: Sequence[float] = ()
) -> CheckResult:
    """The newest row is young enough, by the contract or by what is usual; a quiet day has none.

    Args:
        contract: The contract.
        extract_date: Which day's extract.
        rows: Rows delivered.
        newest: Newest value of the column that tells the age; None: there is none.
        ages: Days of the newest rows of the nights before.
    """
    column = contract.age_column
    if column is None or not rows:
        return CheckResult("freshness", "pass")
    end = datetime.combine(extract_date + timedelta(days=1), time(), UTC)
    if newest is None:
        return CheckResult("freshness", "fail" if contract.freshness else "pass", {"column": column, "values": 0})
    age = (end - newest) / timedelta(days=1)
    metadata: dict[str, int | float | str] = {"column": column, "age in days": round(age, 2)}
    if contract.freshness:
        limit = contract.freshness.max_age_days
        return CheckResult("freshness", "pass" if age <= limit else "fail", {**metadata, "limit in days": limit})
    if len(ages) < usual.LEAST_NIGHTS or age <= max(ages) + _UNUSUAL_DAYS:
        return CheckResult("freshness", "pass", metadata)
    impossible = len(ages) >= contract.volume.min_nights and age > _IMPOSSIBLE_DAYS + _IMPOSSIBLE_TIMES * max(ages)
    return CheckResult("freshness", "fail" if impossible else "warn", {**metadata, "usual up to": round(max(ages), 2)})


def distribution(contract: Contract, profile: Profile, past: Sequence[Profile], *, many_more: bool) -> CheckResult:
    """The columns look as they usually do: how full, which values, how large, how old, how new.

    Args:
        contract: The contract.
        profile: The extract's.
        past: Profiles of the nights before, newest first.
        many_more: Far more rows came than usual.
    """
    found = findings(contract, profile, past, many_more=many_more)
    said: dict[str, int | float | str] = {}
    for each in found:
        said[each.about] = f"{said[each.about]}; {each.words}" if each.about in said else each.words
    worst = max((each.level for each in found), default=USUAL)
    return CheckResult("distribution", _OUTCOMES[worst], {"rows": profile.rows, "nights": len(past), **said})


def deletes(manifest: LandingManifest) -> CheckResult:
    """No mass deletion: of a dump's known keys, not too many vanished at once."""
    metadata = {"vanished": manifest.vanished} if manifest.mode == "full" else {}
    return CheckResult("deletes", "fail" if manifest.delete_breaker else "pass", metadata)


def quarantine(
    contract: Contract, manifest: LandingManifest, counts: BatchCounts, reasons: Mapping[str, int]
) -> CheckResult:
    """Not too many rows go to quarantine, records that could not be parsed included.

    In mode `full` only the changed rows are judged, so they are held against each other, and rejects against
    the dump. Where more than half of what was delivered is at fault, few rows are no excuse: what is left is not
    the extract. Rows whose only fault is a date that stands for "not known" were like that before the export, so
    they are no sign of that while anything is left.

    Args:
        contract: The contract.
        manifest: What was delivered.
        counts: What was judged and quarantined.
        reasons: Rows by what is wrong with them; a row may be in several.
    """
    quarantined = counts.quarantined
    if manifest.mode == "full":
        shares = [(quarantined, counts.rows), (manifest.rejects, manifest.records)]
    else:
        shares = [(quarantined + manifest.rejects, manifest.records)]
    share = max((bad / total for bad, total in shares if total), default=0.0)
    bad = quarantined + manifest.rejects
    over = bad > contract.quarantine.min_rows and share > contract.quarantine.max_share
    broken = bad - counts.undated if counts.accepted else bad
    most = broken * 2 > manifest.records
    return CheckResult(
        "quarantine",
        "fail" if over or most else "pass",
        {
            "quarantined": quarantined,
            "rejects": manifest.rejects,
            "share": round(share, 6),
            "allowed share": contract.quarantine.max_share,
            **{reason: count for reason, count in reasons.items() if count},
        },
    )


def contract_met(
    contract: Contract, opinions: Sequence[Opinion], counts: Sequence[BatchCounts], batch: int
) -> CheckResult:
    """What is left after quarantine is what the contract says; both judges have to agree.

    Great Expectations judges all batches of the pass at once. The same conditions counted in SQL say which
    batch is at fault, and confirm the judge: where one of them says yes and the other no, nothing is
    believed.

    Args:
        contract: The contract.
        opinions: What both judges say.
        counts: Counts of the batches of the pass.
        batch: The batch in question.
    """
    own = counts[batch]
    unsettled: list[str] = []
    broken: dict[str, int] = {}
    for opinion in opinions:
        for each in opinion.expected:
            result, violations = opinion.results[each.name], opinion.violations[each.name]
            holds = not sum(violations)
            if each.kind == "row_count":
                smallest = each.arguments["min_value"]
                holds = sum(count.upserts for count in counts) >= smallest
                if own.upserts < smallest:
                    broken["rows left"] = own.upserts
            if result == "error" or (result == "pass") != holds:
                unsettled.append(each.name)
            elif each.is_critical and violations[batch]:
                broken[each.name] = violations[batch]
    for predicate in predicates(contract):
        if predicate.on_failure == "block" and own.found[predicate.name]:
            broken[predicate.name] = own.found[predicate.name]
    metadata: dict[str, int | float | str] = {
        "expectations": sum(len(opinion.expected) for opinion in opinions),
        "batches in the pass": len(counts),
        **broken,
    }
    if unsettled:
        metadata["without a sure answer"] = ", ".join(unsettled)
    return CheckResult("contract", "error" if unsettled else "fail" if broken else "pass", metadata)


def warnings(contract: Contract, manifest: LandingManifest, found: Mapping[str, int]) -> CheckResult:
    """What a person should look at: unknown columns, and values of columns that only warn.

    Absent columns are told, but an extract need not have them: for them alone nobody has to look.

    Args:
        contract: The contract.
        manifest: What was delivered.
        found: Rows by what a predicate that only warns finds.
    """
    columns = manifest.columns
    metadata: dict[str, int | float | str] = {name: count for name, count in found.items() if count}
    if manifest.unplaced:
        metadata["rows without a readable cursor"] = manifest.unplaced
    if manifest.late:
        metadata["late rows of earlier dates"] = manifest.late
    # The names of unknown columns stay out: a file without a header makes its first record their names.
    unknown = len(set(columns) - set(contract.columns))
    absent = [name for name in contract.columns if name not in columns] if manifest.rows or columns else []
    if unknown:
        metadata["unknown columns"] = unknown
    outcome: Outcome = "warn" if metadata else "pass"
    if absent:
        metadata["absent columns"] = ", ".join(absent)
    return CheckResult(WARNINGS, outcome, metadata)
