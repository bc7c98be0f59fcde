"""Gate 1: the judgement on landed extracts. Pass, quarantine rows, or block.

What lives here: the order of the checks of an extract and what follows from them: accepted rows, quarantined rows,
ledger entries, a verdict. Not here: what a check asks (checks.py, quality/rows/predicates.py, quality/rows/suite.py),
typing (quality/rows/casts.py, quality/rows/split.py), the judge (great_expectations.py).

An extract is checked from the outside in: is every record there (completeness), is it the table we know (schema), are
its numbers and dates written as declared (format), is it of a usual size and age (volume, freshness, deletes), how
many rows are at fault (quarantine), and is what is left what the contract says (contract, judged by Great
Expectations). All new extracts of a stream are typed, split and judged in one pass, with a verdict each.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Self

import duckdb

from quality.gate import checks
from quality.gate.accepted import Batch, accepted_batches, is_accepted_as_landed, write_accepted
from quality.gate.approvals import APPROVABLE, read_approvals
from quality.gate.checks import CHECK_KINDS, WARNINGS, CheckResult, FileFacts, Opinion, not_judged
from quality.gate.great_expectations import Judge
from quality.gate.ledger import Check, Expected, Ledger, Recorded
from quality.gate.quarantine import RawTexts, write_quarantine
from quality.landed.extract import (
    FILES,
    LandedExtract,
    LandingManifest,
    read_landing_manifest,
    subject,
)
from quality.past import usual
from quality.past.profiles import Past, Profile, compared, take_profiles
from quality.rows.formats import date_faults, encoding_faults, number_faults
from quality.rows.predicates import predicates
from quality.rows.split import (
    TO_ACCEPT,
    TO_DELETE,
    BatchCounts,
    count_violations,
    count_work,
    local_dates,
    make_work,
    newest_in_dump,
    number_shapes,
    read_parquet,
    records_of_another_encoding,
    text_columns,
    why_rejected,
    wrong_types,
)
from quality.rows.suite import key_suite, suite
from storage.data_folder import DataFolder, StreamId
from storage.errors import JourneymartError
from storage.folders import settle

# The detail of a check by which a person approved of what failed.
_APPROVED_BY = "approved by"

__all__ = [
    "CHECK_KINDS",
    "WARNINGS",
    "Batch",
    "CheckResult",
    "Gate",
    "LandedExtract",
    "Verdict",
    "accepted_batches",
    "expect_extracts",
]


@dataclass(frozen=True)
class Verdict:
    """What the gate says of one extract.

    Attributes:
        stream: Which stream.
        extract_date: Which day's extract.
        checks: One result per kind of `CHECK_KINDS`, and `warnings`.
        rows: Rows judged; None: the extract was not judged row by row.
        accepted_rows: Rows that passed; they count only if the extract passed.
        quarantined_rows: Rows that did not.
        rejected_records: Records that could not be parsed.
        batch_id: The accepted batch; None: blocked.
        seconds: Time taken; what a pass over several extracts took is shared evenly.
    """

    stream: StreamId
    extract_date: date
    checks: tuple[CheckResult, ...]
    rows: int | None
    accepted_rows: int
    quarantined_rows: int
    rejected_records: int
    batch_id: str | None
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether the extract was accepted, less its quarantined rows."""
        return all(check.passed for check in self.checks)

    @property
    def blocked_by(self) -> tuple[str, ...]:
        """Kinds of the checks that keep it out."""
        return tuple(check.kind for check in self.checks if not check.passed)

    def as_json(self) -> dict[str, object]:
        """What is kept beside quarantined rows."""
        return {
            "passed": self.passed,
            "blocked_by": list(self.blocked_by),
            "rows": self.rows,
            "quarantined_rows": self.quarantined_rows,
            "rejected_records": self.rejected_records,
            "checks": [asdict(check) for check in self.checks],
        }


def expect_extracts(ledger: Ledger, extracts: Iterable[tuple[StreamId, date]]) -> None:
    """Enter into the ledger that extracts have to pass this night; one that is never judged then blocks."""
    ledger.expect_all(
        Expected(Check("extract", subject(stream, extract_date), kind), blocking=kind != WARNINGS)
        for stream, extract_date in extracts
        for kind in (*CHECK_KINDS, WARNINGS)
    )


@dataclass(frozen=True)
class _Case:
    """An extract after the checks that need no typed rows; `sound` if its rows can be judged."""

    extract: LandedExtract
    manifest: LandingManifest | None
    results: Mapping[str, CheckResult]
    seconds: float

    @property
    def unsound(self) -> str | None:
        """The check that makes judging its rows pointless; None if they can be judged."""
        return next((kind for kind in ("completeness", "schema") if not self.results[kind].passed), None)


@dataclass(frozen=True)
class _Judged:
    """What one pass over the rows of several extracts gave for one of them; `batch` is its number there."""

    batch: int
    counts: BatchCounts
    contract: CheckResult
    profile: Profile
    seconds: float


class Gate:
    """Judges landed extracts; a context manager that holds one DuckDB connection for all of them.

    Args:
        folder: Data folder.
        ledger: Gets every check that has to run, then what it said; None: nobody asks (a replay).
        raw_texts: Gives records as delivered, for quarantine; None: landed rows as JSON.
    """

    def __init__(self, folder: DataFolder, ledger: Ledger | None, raw_texts: RawTexts | None = None) -> None:
        self._folder = folder
        self._ledger = ledger
        self._raw_texts = raw_texts
        self._open = ExitStack()
        self._judge: Judge | None = None

    def __enter__(self) -> Self:
        for private in (self._folder.accepted, self._folder.quarantine):
            private.mkdir(mode=0o700, parents=True, exist_ok=True)
        spill = str(self._folder.accepted / f".gate-{os.getpid()}")
        self._connection = self._open.enter_context(duckdb.connect(config={"temp_directory": spill}))
        self._connection.execute("set TimeZone = 'UTC'")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._judge = None
        self._open.close()

    def judge(self, extracts: Sequence[LandedExtract]) -> list[Verdict]:
        """Judge extracts of one stream, in one pass, and keep what the verdicts say.

        An extract that passes replaces what was accepted of it before; one that is blocked changes nothing
        there. Rows at fault go to quarantine either way.

        Args:
            extracts: Landed extracts of one stream.

        Returns:
            A verdict each, in their order.

        Raises:
            ValueError: They are not different extracts of one stream.
            OSError: Something could not be written; the checks stay without a record, so the night blocks.
        """
        streams = {(extract.stream, extract.judged_by) for extract in extracts}
        if len(streams) > 1 or len({extract.extract_date for extract in extracts}) < len(extracts):
            raise ValueError("one pass judges different extracts of one stream")
        for each in extracts[:1]:
            # Of this stream only: another gate may be at work on another.
            settle(self._folder.accepted_partition(each.stream, each.extract_date).parent)
            settle(self._folder.quarantine_partition(each.stream, each.extract_date).parent)
        if self._ledger is not None:
            expect_extracts(self._ledger, ((each.stream, each.extract_date) for each in extracts))
        # By date, so that each is held against those before it, of which some may be judged here too.
        if not extracts:
            return []
        past = Past(self._folder, extracts[0].stream)
        cases = [self._look_at(extract) for extract in sorted(extracts, key=lambda each: each.extract_date)]
        verdicts: dict[date, Verdict] = {}
        for case in cases:
            if case.unsound:
                verdicts[case.extract.extract_date] = self._conclude(case, not_judged("contract", case.unsound), past)
        sound = [case for case in cases if not case.unsound]
        if sound:
            verdicts.update(self._judge_rows(sound, past))
        ordered = [verdicts[extract.extract_date] for extract in extracts]
        if self._ledger is not None:
            self._ledger.record_all(
                Recorded(
                    Check("extract", subject(verdict.stream, verdict.extract_date), result.kind),
                    result.outcome,
                    result.metadata,
                )
                for verdict in ordered
                for result in verdict.checks
            )
        return ordered

    def _look_at(self, extract: LandedExtract) -> _Case:
        """Make the checks that need no typed rows."""
        started = time.perf_counter()
        contract = extract.contract
        results: dict[str, CheckResult] = {}
        try:
            manifest = read_landing_manifest(extract.partition)
        except JourneymartError as error:
            results["completeness"] = _failed("completeness", error)
            results.update({kind: not_judged(kind, "completeness") for kind in ("schema", "format", "deletes")})
            return _Case(extract, None, results, time.perf_counter() - started)
        results["completeness"] = _guarded("completeness", lambda: self._completeness(extract, manifest))
        results["schema"] = _guarded("schema", lambda: checks.schema(contract, manifest))
        results["format"] = _guarded("format", lambda: self._written(extract))
        results["deletes"] = _guarded("deletes", lambda: checks.deletes(manifest))
        return _Case(extract, manifest, results, time.perf_counter() - started)

    def _completeness(self, extract: LandedExtract, manifest: LandingManifest) -> CheckResult:
        delivered = {path.name: path for path in (extract.partition / FILES).iterdir()}
        landed = f"select _file, _row, true as is_row from {read_parquet(extract.rows_file)}"
        if extract.rejects_file.exists():
            landed += f" union all select _file, _row, false from {read_parquet(extract.rejects_file)}"
        counted = self._connection.execute(
            "select _file, count(*) filter (is_row), count(*) filter (not is_row), count(distinct _row) "
            f"from ({landed}) group by _file"
        ).fetchall()
        facts = {
            name: FileFacts(*_on_disk(delivered.get(name)), rows=rows, rejects=rejects, records=records)
            for name, rows, rejects, records in counted
        }
        for name, path in delivered.items():
            facts.setdefault(name, FileFacts(*_on_disk(path), rows=0, rejects=0, records=0))
        changes = None
        if extract.mode == "full":
            by_operation = dict(
                self._connection.execute(
                    f"select _op, count(*) from {read_parquet(extract.judged_file)} group by _op"
                ).fetchall()
            )
            changes = (by_operation.pop("upsert", 0), by_operation.pop("delete", 0), len(by_operation))
        columns = [name for name in text_columns(self._connection, extract.rows_file) if name not in ("_file", "_row")]
        about = (extract.stream, extract.extract_date, extract.mode)
        result = checks.completeness(manifest, about=about, facts=facts, columns=columns, changes=changes)
        return replace(result, metadata={**result.metadata, "erased": manifest.erased}) if manifest.erased else result

    def _written(self, extract: LandedExtract) -> CheckResult:
        faults = number_faults(number_shapes(self._connection, extract), extract.reading)
        faults |= date_faults(local_dates(self._connection, extract), extract.reading)
        faults |= encoding_faults(records_of_another_encoding(self._connection, extract))
        return checks.written(extract.stream, faults)

    def _builds_on_accepted(
        self, extract: LandedExtract, manifest: LandingManifest, complete: CheckResult
    ) -> CheckResult:
        """Changes found against a dump that was not accepted would lack all that changed in that dump."""
        before = manifest.compared_to
        if before is None or is_accepted_as_landed(self._folder, extract.stream, before):
            return complete
        told = {**complete.metadata, "compared to a dump that was not accepted": before.isoformat()}
        return CheckResult("completeness", "fail", told)

    def _judge_rows(self, cases: Sequence[_Case], past: Past) -> dict[date, Verdict]:
        """Judge the rows of extracts together; without a sure answer each alone, so none spoils another."""
        judged: Sequence[_Judged] | CheckResult
        try:
            judged = self._one_pass(cases)
            unsure = any(each.contract.outcome == "error" for each in judged)
        except Exception as error:  # noqa: BLE001 -- whatever stops a check is its outcome
            judged, unsure = _failed("contract", error), True
        if unsure and len(cases) > 1:
            return {day: verdict for case in cases for day, verdict in self._judge_rows([case], past).items()}
        return {
            case.extract.extract_date: self._conclude(
                case, judged if isinstance(judged, CheckResult) else judged[place], past
            )
            for place, case in enumerate(cases)
        }

    def _one_pass(self, cases: Sequence[_Case]) -> list[_Judged]:
        """Type, split and judge the rows of extracts of one stream."""
        started = time.perf_counter()
        extracts = [case.extract for case in cases]
        contract = extracts[0].contract
        make_work(self._connection, contract, extracts)
        if wrong := wrong_types(self._connection, contract):
            raise JourneymartError(
                f"{extracts[0].stream}: {', '.join(wrong)} did not get the type of the contract: report this as a bug."
            )
        counts = count_work(self._connection, contract, len(cases))
        # A quiet day has no rows, of a dump nothing may have changed; rows that are there must not all be at fault.
        may_be_empty = any(case.extract.mode == "full" for case in cases) or any(not each.rows for each in counts)
        suites = [(TO_ACCEPT, suite(contract, may_be_empty))]
        if any(each.deletions for each in counts):
            suites.append((TO_DELETE, key_suite(contract)))
        if self._judge is None:
            self._judge = self._open.enter_context(Judge(self._connection))
        opinions = [
            Opinion(
                expected,
                self._judge.judge(table, expected),
                count_violations(self._connection, table, expected, len(cases)),
            )
            for table, expected in suites
        ]
        results = [checks.contract_met(contract, opinions, counts, batch) for batch in range(len(cases))]
        manifests = [case.manifest for case in cases if case.manifest]
        profiles = take_profiles(self._connection, extracts, manifests, counts)
        seconds = (time.perf_counter() - started) / len(cases)
        return [
            _Judged(batch, *each, seconds) for batch, each in enumerate(zip(counts, results, profiles, strict=True))
        ]

    def _conclude(self, case: _Case, judged: _Judged | CheckResult, past: Past) -> Verdict:
        """Make the checks that need the counts and the past, keep what the verdict says, and say it.

        Args:
            case: The extract.
            judged: What the pass over its rows gave; or why there was none.
            past: What was accepted of the stream.
        """
        started = time.perf_counter()
        extract, manifest = case.extract, case.manifest
        contract = extract.contract
        results = dict(case.results)
        results["contract"] = judged if isinstance(judged, CheckResult) else judged.contract
        ran = judged if isinstance(judged, _Judged) else None
        counts = ran.counts if ran else None
        profile: Profile | None = None
        if manifest is not None and results["completeness"].outcome == "pass":
            results["completeness"] = _guarded(
                "completeness", lambda: self._builds_on_accepted(extract, manifest, results["completeness"])
            )
        if ran is None or counts is None or manifest is None:
            kinds = ("volume", "freshness", "quarantine", "distribution", WARNINGS)
            results.update({kind: not_judged(kind, "contract") for kind in kinds})
        else:
            found = predicates(contract)
            # What was read as not known is said in words; nobody would look for it.
            warned = {
                each.reason if each.kind in ("placeholder", "bounds") else each.name: counts.found[each.name]
                for each in found
                if each.on_failure == "warn"
            }
            reasons = {each.reason: counts.found[each.name] for each in found if each.on_failure == "quarantine"}
            reasons |= why_rejected(self._connection, extract)
            against_the_past, profile = self._against_the_past(extract, ran, past)
            results.update(against_the_past)
            results["freshness"] = _guarded("freshness", lambda: self._freshness(extract, manifest, counts, past))
            results["quarantine"] = checks.quarantine(contract, manifest, counts, reasons)
            results[WARNINGS] = checks.warnings(contract, manifest, warned)
        if manifest is not None:
            results = self._as_approved(extract, manifest, results)
        verdict = Verdict(
            stream=extract.stream,
            extract_date=extract.extract_date,
            checks=tuple(results[kind] for kind in (*CHECK_KINDS, WARNINGS)),
            rows=counts.rows if counts else None,
            accepted_rows=counts.accepted if counts else 0,
            quarantined_rows=counts.quarantined if counts else 0,
            rejected_records=manifest.rejects if manifest else 0,
            batch_id=None,
            seconds=0.0,
        )
        # Quarantine first: what is accepted is not judged again, and must not lack its quarantined rows.
        write_quarantine(
            self._connection,
            self._folder,
            extract,
            batch=ran.batch if ran else None,
            verdict={**verdict.as_json(), "landing_sha256": manifest.sha256 if manifest else None},
            raw_texts=self._raw_texts,
        )
        accepted = None
        if verdict.passed and ran and manifest and profile:
            accepted = write_accepted(
                self._connection,
                self._folder,
                extract=extract,
                manifest=manifest,
                counts=ran.counts,
                profile=profile,
                outcomes=[check.outcome for check in verdict.checks],
                warned="; ".join(filter(None, (check.words for check in verdict.checks if is_warning(check)))),
                batch=ran.batch,
            )
            past.add(profile)
        return replace(
            verdict,
            batch_id=accepted.batch_id if accepted else None,
            seconds=case.seconds + (ran.seconds if ran else 0.0) + time.perf_counter() - started,
        )

    def _as_approved(
        self, extract: LandedExtract, manifest: LandingManifest, results: Mapping[str, CheckResult]
    ) -> dict[str, CheckResult]:
        """The results, where what failed and a person approved of this very content warns only."""
        approved = dict(results)
        for approval in read_approvals(self._folder).of_content(extract.stream, extract.extract_date, manifest.sha256):
            said = {
                _APPROVED_BY: approval.by,
                "approved on": approval.at.date().isoformat(),
                "because": approval.because,
            }
            for kind in APPROVABLE & set(approval.checks):
                if kind in approved and approved[kind].outcome == "fail":
                    approved[kind] = CheckResult(kind, "warn", {**approved[kind].metadata, **said})
        return approved

    def _against_the_past(
        self, extract: LandedExtract, ran: _Judged, past: Past
    ) -> tuple[dict[str, CheckResult], Profile]:
        """How many rows came, and whether they look as they usually do; and the extract's whole profile."""
        try:
            nights = past.before(extract.extract_date)
            profile = compared(self._connection, extract, ran.batch, ran.profile, past)
            volume, many_more = checks.volume(extract.contract, profile, nights)
            looks = checks.distribution(extract.contract, profile, nights, many_more=many_more)
        except Exception as error:  # noqa: BLE001 -- whatever stops a check is its outcome
            return {kind: _failed(kind, error) for kind in ("volume", "distribution")}, ran.profile
        return {"volume": volume, "distribution": looks}, profile

    def _freshness(
        self, extract: LandedExtract, manifest: LandingManifest, counts: BatchCounts, past: Past
    ) -> CheckResult:
        limit, newest = extract.contract.freshness, counts.newest
        if limit is None and extract.mode == "full":
            # What did not change for a while is no older for that.
            return CheckResult("freshness", "pass")
        if limit is not None and extract.mode == "full" and manifest.rows:
            newest = newest_in_dump(self._connection, extract, limit.column)
        nights = past.before(extract.extract_date)[: usual.SHARE_NIGHTS]
        ages = [night.newest_age for night in nights if night.newest_age is not None]
        return checks.freshness(extract.contract, extract.extract_date, manifest.rows, newest, ages)


def is_warning(check: CheckResult) -> bool:
    """Whether a check warned of its own accord: what a person approved is said as such."""
    return check.outcome == "warn" and _APPROVED_BY not in check.metadata


def _guarded(kind: str, check: Callable[[], CheckResult]) -> CheckResult:
    """Make a check; an exception inside it is an error, which blocks."""
    try:
        return check()
    except Exception as error:  # noqa: BLE001 -- whatever stops a check is its outcome
        return _failed(kind, error)


def _failed(kind: str, error: Exception) -> CheckResult:
    """An error as an outcome. Messages of other libraries quote values of rows: only their type is told."""
    said = str(error) if isinstance(error, JourneymartError) else type(error).__name__
    return CheckResult(kind, "error", {"error": said})


def _on_disk(path: Path | None) -> tuple[int | None, str | None]:
    """Size and hash of a file; None if it is not there."""
    if path is None:
        return None, None
    with path.open("rb") as file:
        return path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest()
