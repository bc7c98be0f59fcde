"""Gate 1: the judgement on landed extracts. Pass, quarantine rows, or block.

What lives here: the order of the checks of an extract and what follows from them: accepted rows, quarantined rows,
ledger entries, a verdict. Not here: what a check asks (delivery_checks.py, row_checks.py, past_checks.py), what it is
asked with (first_look.py, row_pass.py, comparison.py), typing rows (quality/rows), the judge (great_expectations.py).

An extract is checked from the outside in: is every record there (completeness), is it the table we know (schema), are
its numbers and dates written as declared (format), is it of a usual size and age (volume, freshness, deletes), how
many rows are at fault (quarantine), and is what is left what the contract says (contract, judged by Great
Expectations). All new extracts of a stream are typed, split and judged in one pass, with a verdict each.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Self

from quality.gate.accepted import write_accepted
from quality.gate.check_result import CHECK_KINDS, WARNINGS, CheckResult, failed, guarded, not_judged
from quality.gate.comparison import against_the_past, age_checked
from quality.gate.first_look import Case, builds_on_accepted, look_at
from quality.gate.great_expectations import Judge
from quality.gate.ledger import Check, Ledger, Recorded
from quality.gate.quarantine import RawTexts, write_quarantine
from quality.gate.row_checks import quarantine, warnings
from quality.gate.row_pass import JudgedRows, judge_rows
from quality.gate.verdict import Verdict, as_approved, expect_extracts, is_warning
from quality.landed.extract import LandedExtract, subject
from quality.past.profiles import Past, Profile
from quality.rows.connection import set_up
from quality.rows.delivered_as import why_rejected
from quality.rows.predicates import predicates
from storage.data_folder import DataFolder
from storage.engine import connect
from storage.folders import settle

_WORKSPACE = ".gate-"
"""Begins the name of the folder a gate works in, beside what is accepted; its process and something unique follow."""


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
        _clear_left(self._folder.accepted)
        workspace = tempfile.TemporaryDirectory(prefix=f"{_WORKSPACE}{os.getpid()}-", dir=self._folder.accepted)
        working = Path(self._open.enter_context(workspace))
        # In a file: there the rows are packed and go to disk as they come, so judging many takes no more memory.
        self._connection = self._open.enter_context(connect(working / "rows.duckdb", spill=working / "spill"))
        set_up(self._connection)
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
        streams = {(each.stream, each.judged_by, each.timezone, each.mode) for each in extracts}
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
        cases = [look_at(self._connection, extract) for extract in sorted(extracts, key=lambda each: each.extract_date)]
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

    def _judge_rows(self, cases: Sequence[Case], past: Past) -> dict[date, Verdict]:
        """Judge the rows of extracts together; without a sure answer each alone, so none spoils another."""
        judged: Sequence[JudgedRows] | CheckResult
        try:
            judged = judge_rows(self._connection, self._the_judge(), cases)
            unsure = any(each.contract.outcome == "error" for each in judged)
        except Exception as error:  # noqa: BLE001 -- whatever stops a check is its outcome
            judged, unsure = failed("contract", error), True
        if unsure and len(cases) > 1:
            return {day: verdict for case in cases for day, verdict in self._judge_rows([case], past).items()}
        return {
            case.extract.extract_date: self._conclude(
                case, judged if isinstance(judged, CheckResult) else judged[place], past
            )
            for place, case in enumerate(cases)
        }

    def _conclude(self, case: Case, judged: JudgedRows | CheckResult, past: Past) -> Verdict:
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
        ran = judged if isinstance(judged, JudgedRows) else None
        counts = ran.counts if ran else None
        profile: Profile | None = None
        if manifest is not None and results["completeness"].outcome == "pass":
            results["completeness"] = guarded(
                "completeness", lambda: builds_on_accepted(self._folder, extract, manifest, results["completeness"])
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
            compared, profile = against_the_past(self._connection, extract, ran, past)
            results.update(compared)
            results["freshness"] = guarded(
                "freshness", lambda: age_checked(self._connection, extract, manifest, counts, past)
            )
            results["quarantine"] = quarantine(contract, manifest, counts, reasons)
            results[WARNINGS] = warnings(contract, manifest, warned)
        if manifest is not None:
            results = as_approved(self._folder, extract, manifest, results)
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
            batch=ran.batch if ran and ran.counts.at_fault(contract) else None,
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

    def _the_judge(self) -> Judge:
        """Great Expectations, loaded when the first rows are to be judged."""
        if self._judge is None:
            self._judge = self._open.enter_context(Judge(self._connection))
        return self._judge


def _clear_left(accepted: Path) -> None:
    """Remove what gates whose process was killed left: it holds rows of customers."""
    for left in accepted.glob(f"{_WORKSPACE}*"):
        if not _is_running(int(left.name.removeprefix(_WORKSPACE).split("-")[0])):
            shutil.rmtree(left)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
