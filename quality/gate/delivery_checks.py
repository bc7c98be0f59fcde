"""The checks of an extract as it was delivered: nothing is lost, it is the table we know, written as declared.

Pure: from counts to outcomes. Not here: getting the counts (first_look.py).
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from quality.contract.model import Contract
from quality.gate.check_result import CheckResult
from quality.landed.manifest import LandedFile, LandingManifest
from storage.data_folder import StreamId

# How much a column's name must be like another one to be offered for it, 1 being equal.
_NEARLY = 0.75


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


def completeness(
    manifest: LandingManifest,
    *,
    about: tuple[StreamId, date, str],
    facts: Mapping[str | None, FileFacts],
    columns: Sequence[str],
    changes: tuple[int, int, int] | None,
) -> CheckResult:
    """No record is lost: every counted record of every delivered file is a row or a reject, once.

    Of a mapped file it is one row or several, as many as were counted in the delivered columns, a reject, or left out,
    which is said.

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
        "of another extract": about != (manifest.stream_id, manifest.date, manifest.mode),
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
            claim.records != fact.records
            or (claim.rows + claim.rejects != claim.records and not _gives_several(manifest, claim))
            for claim, fact in claims
        ),
        "files not as their sender says": not manifest.as_declared,
        "damaged files": len(manifest.damaged),
        "totals that do not add up": totals != (manifest.records, manifest.rows, manifest.rejects),
        "columns not as delivered": tuple(columns) != manifest.columns,
    }
    if changes is not None:
        changed, vanished, neither = changes
        add_up = changed <= manifest.rows and vanished == (manifest.vanished or 0) and not neither
        wrong["changes that do not add up"] = not add_up
    return CheckResult(
        "completeness",
        "fail" if any(wrong.values()) else "pass",
        {
            "files": len(manifest.files),
            "records": manifest.records,
            "rows": manifest.rows,
            "rejects": manifest.rejects,
            **({"left out by the mapping": left_out} if (left_out := manifest.left_out) else {}),
            **{name: int(count) for name, count in wrong.items() if count},
        },
    )


def _gives_several(manifest: LandingManifest, claim: LandedFile) -> bool:
    """Whether the rows of a file may be more than its records."""
    return manifest.mapped is not None and claim.rows + claim.rejects > claim.records


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
    said = {column: f"{words} for {stream} in company.yml" for column, words in faults.items()}
    return CheckResult("format", "fail" if said else "pass", said)


def needed_columns(contract: Contract) -> set[str]:
    """Columns an extract must have; the others may be left out and are NULL then."""
    needed = {name for name, column in contract.columns.items() if column.required}
    needed.update(contract.key)
    needed.update(name for name in (contract.version,) if name)
    needed.update([contract.freshness.column] if contract.freshness else [])
    return needed


def deletes(manifest: LandingManifest) -> CheckResult:
    """No mass deletion: of a dump's known keys, not too many vanished at once."""
    metadata = {"vanished": manifest.vanished or 0} if manifest.mode == "full" else {}
    return CheckResult("deletes", "fail" if manifest.delete_breaker else "pass", metadata)
