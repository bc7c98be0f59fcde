"""The first two steps of each source: pull and land its extracts, and judge them.

What lives here: the wiring of both as assets, one per stream, one step per source. Not here: pulling and
landing (assets/pulling/extract.py) and judging (quality/gate/gate.py).
"""

# Annotations are not postponed in this file: Dagster looks at the one of `context`.
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

import dagster as dg
from dagster import AssetExecutionContext

from assets.landing.connectors.config import FileStream, looked_up_first
from orchestration import keys
from orchestration.check_words import CHECKS, WARNINGS, words_of_check
from orchestration.config.setup import Setup
from orchestration.config.sources import Source
from orchestration.failures import in_one_sentence
from orchestration.operations.night_dates import Hole
from orchestration.operations.plan_night import excused_dates, how_to_approve
from orchestration.partitions import again_from, daily, dates, last_date
from orchestration.processes.dbt import warm_up
from orchestration.processes.gate import Request
from orchestration.progress import Pages, advance
from quality.contract.model import DUCKDB_TYPES, Contract, load_contract
from quality.gate.approvals import APPROVABLE
from quality.gate.ledger import Ledger
from quality.landed.extract import LandedExtract, judged_by
from quality.landed.manifest import landed_contents
from storage.engine import is_memory_trouble, more_memory
from storage.faults import fault_point

if TYPE_CHECKING:
    from assets.pulling.extract import Extracted
    from quality.gate.verdict import Verdict

# Streams of a source landed at once; much of landing is waiting for the disk.
_AT_ONCE = 4

# Blocked extracts a sentence names; the rest is counted.
_SAID = 3

# For what passes by itself: a network that drops, a share that is remounted. A missing delivery is not tried
# again.
RETRIES = dg.RetryPolicy(max_retries=3, delay=5, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)


def landing_assets(setup: Setup, source: Source) -> dg.AssetsDefinition:
    """The step that lands the extracts of one source."""

    @dg.multi_asset(
        name=f"land_{source.name}",
        specs=[_landing_spec(source, stream) for stream in source.streams],
        partitions_def=daily(setup.sources),
        backfill_policy=dg.BackfillPolicy.single_run(),
        retry_policy=RETRIES,
        can_subset=True,
        required_resource_keys={"data_lock", "gate"},
    )
    def land(context: AssetExecutionContext) -> Iterator[Any]:
        from assets.pulling.extract import extract
        from quality.gate.verdict import expect_extracts

        selected = [s for s in source.streams if keys.landed(s.stream) in context.selected_asset_keys]
        # In this order each begins after those it looks anything up in, so that none waits for one that waits.
        chosen = looked_up_first(selected)
        if is_judged := _is_judged(context, chosen):
            # Great Expectations takes seconds to load: it does so while extracts land.
            context.resources.gate.warm_up()
        days = {stream: [day for day in dates(context) if day >= stream.first_date] for stream in chosen}
        with in_one_sentence():
            excused = {stream: excused_dates(setup, stream, days[stream]) for stream in chosen}
        pages = Pages(context.log.info)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            landing: dict[str, Future[tuple[Extracted, float]]] = {}
            for stream in chosen:
                landing[stream.stream.stream] = pool.submit(
                    _timed,
                    partial(
                        extract,
                        stream,
                        _contract(stream),
                        setup.folder,
                        days[stream],
                        excused=excused[stream],
                        again_from=again_from(context),
                        may_wait=context.retry_number < RETRIES.max_retries,
                        on_page=partial(pages.tell, stream.stream),
                    ),
                    after=[landing[name] for name in stream.looks_up if name in landing],
                )
        for number, (stream, future) in enumerate(zip(chosen, landing.values(), strict=True), start=1):
            key = keys.landed(stream.stream)
            with in_one_sentence():
                extracted, seconds = pages.wait_for(future)
            advance(number, len(chosen))
            fault_point("in_extract")
            for each in extracted.landed:
                context.add_asset_metadata(
                    {
                        "dagster/partition_row_count": each.manifest.rows,
                        "records": each.manifest.records,
                        "rejects": each.manifest.rejects,
                        **({"left out by the mapping": each.manifest.left_out} if each.manifest.mapped else {}),
                        "bytes": sum(file.bytes for file in each.manifest.files),
                        "changed": each.changed,
                    },
                    asset_key=key,
                    partition_key=each.manifest.extract_date,
                )
            if extracted.unreached:
                context.log.warning(extracted.unreached)
            yield dg.MaterializeResult(
                asset_key=key,
                metadata={
                    "extracts": len(extracted.landed),
                    "new_extracts": sum(each.changed for each in extracted.landed),
                    "seconds": round(seconds, 3),
                    **(_pulled(extracted) if stream.pull else {}),
                },
            )
        if not is_judged:
            return
        # From now on the night cannot be published unless each of these is judged; that begins at once.
        request = _to_judge(setup, context, chosen)
        expect_extracts(
            Ledger(setup.folder.ledger(context.run_id)),
            [(extract.stream, extract.extract_date) for extracts in request.streams for extract in extracts],
        )
        context.resources.gate.begin(source.name, request)

    return land


def _is_judged(context: AssetExecutionContext, streams: Sequence[FileStream]) -> bool:
    """Whether the run goes on to judge what it lands, and is not there to land only."""
    selection = context.run.asset_selection
    return selection is None or any(keys.accepted(stream.stream) in selection for stream in streams)


def _timed(
    extract: Callable[[], "Extracted"], *, after: "Sequence[Future[tuple[Extracted, float]]]"
) -> "tuple[Extracted, float]":
    """Pull and land once others have, and say how many seconds it took."""
    wait(after)
    began = time.monotonic()
    return extract(), time.monotonic() - began


def _pulled(extracted: "Extracted") -> dict[str, Any]:
    """What a pull cost, and what it could not reach, for people to see."""
    return {
        "pulled_extracts": len(extracted.pulled),
        "pulled_pages": sum(each.pages for each in extracted.pulled),
        "pages_kept_from_before": sum(each.resumed for each in extracted.pulled),
        "pulled_rows": sum(each.rows for each in extracted.pulled),
        "pull_seconds": round(sum(each.seconds for each in extracted.pulled), 3),
        **({"not_pulled": extracted.unreached} if extracted.unreached else {}),
    }


def accepted_assets(setup: Setup, source: Source) -> dg.AssetsDefinition:
    """The step that judges the extracts of one source: rows are accepted or quarantined, or it blocks."""

    @dg.multi_asset(
        name=f"accept_{source.name}",
        specs=[_accepted_spec(source, stream) for stream in source.streams],
        check_specs=[spec for stream in source.streams for spec in _check_specs(stream)],
        partitions_def=daily(setup.sources),
        backfill_policy=dg.BackfillPolicy.single_run(),
        can_subset=True,
        required_resource_keys={"data_lock", "gate"},
    )
    def accept(context: AssetExecutionContext) -> Iterator[Any]:
        # dbt takes seconds to load too: while the gate judges, not earlier, or on two cores the gate would wait.
        warm_up(setup.settings)
        blocked: list[Verdict] = []
        chosen = [s for s in source.streams if keys.accepted(s.stream) in context.selected_asset_keys]
        with in_one_sentence():
            judged = context.resources.gate.judge(
                source.name,
                setup.folder.ledger(context.run_id),
                lambda: _to_judge(setup, context, chosen),
            )
        fault_point("in_gate")
        for stream, verdicts in zip(chosen, judged, strict=True):
            blocked += [verdict for verdict in verdicts if not verdict.passed]
            yield from _check_results(stream, verdicts)
            if all(verdict.passed for verdict in verdicts):
                yield _accepted(context, stream, verdicts)
        if blocked:
            raise dg.Failure(description=why_blocked(blocked), allow_retries=False)

    return accept


def _to_judge(setup: Setup, context: AssetExecutionContext, streams: Sequence[FileStream]) -> Request:
    waiting = to_judge(setup, streams, last_date(context))
    return Request(setup.folder, setup.folder.ledger(context.run_id), [waiting[each] for each in streams])


def to_judge(setup: Setup, streams: Sequence[FileStream], last: date) -> dict[FileStream, list[LandedExtract]]:
    """Landed extracts not accepted as they are: new ones, changed ones, those of a changed contract or reading rule.

    What was accepted from the same content under the same contract and rules is not judged again. What
    landed for dates that neither this run nor what readers see reaches waits: it stops no version before its date.

    Args:
        setup: Settings and sources.
        streams: Which streams.
        last: Last extract date of the run.
    """
    from assets.versions.standing import look

    version = look(setup.folder).reached
    through = max(last, version.manifest.as_of) if version else last
    return {
        stream: [
            LandedExtract(
                stream=stream.stream,
                contract=_contract(stream),
                extract_date=day,
                timezone=stream.timezone,
                mode=stream.mode,
                partition=setup.folder.landing_partition(stream.stream, day),
                reading=stream.reading,
            )
            for day in _not_accepted_as_landed(setup, stream)
            if day <= through
        ]
        for stream in streams
    }


def _not_accepted_as_landed(setup: Setup, stream: FileStream) -> list[date]:
    """Landed extract dates that were not accepted from the content that is in landing, or not by today's rules."""
    from quality.gate.accepted import accepted_of

    rules = judged_by(_contract(stream), stream.reading)
    # Only this stream's are looked at: others may just be judged.
    accepted = accepted_of(setup.folder.accepted_partition(stream.stream, stream.first_date).parent)
    judged = {day: (batch.landing_sha256, batch.contract_fingerprint) for day, batch in accepted.items()}
    landed = landed_contents(setup.folder.landing_partition(stream.stream, stream.first_date).parent)
    return [day for day, content in landed.items() if judged.get(day) != (content, rules)]


def why_blocked(blocked: "Sequence[Verdict]") -> str:
    """Say in one sentence why extracts may not pass and what to do, with counts and never with values."""
    said = []
    for verdict in blocked:
        failed = [check for check in verdict.checks if check.kind in verdict.blocked_by]
        counts = ", ".join(f"{name} {value}" for name, value in failed[0].metadata.items())
        kinds = ", ".join(check.kind for check in failed)
        said.append(f"{verdict.stream} of {verdict.extract_date} failed {kinds}{f' ({counts})' if counts else ''}")
    more = f", and {len(said) - _SAID} more" if len(said) > _SAID else ""
    return f"The gate stopped the night: {'; '.join(said[:_SAID])}{more}; nothing was published: {_ways_out(blocked)}."


def _ways_out(blocked: "Sequence[Verdict]") -> str:
    """What a person can do about blocked extracts; some of them nobody can approve."""
    if any(is_memory_trouble(str(check.metadata.get("error"))) for each in blocked for check in each.checks):
        return more_memory()
    usual = next((each for each in blocked if set(each.blocked_by) <= APPROVABLE), None)
    if usual is None:
        return "have them delivered again, or correct the contract"
    hole = Hole(usual.stream.source, usual.stream.stream, usual.extract_date)
    return f"have them delivered again, or, if they are right as they are, {how_to_approve(hole)}"


def _check_results(stream: FileStream, verdicts: "Sequence[Verdict]") -> Iterator[dg.AssetCheckResult]:
    """One result per kind over all extracts just judged, with counts of the first at fault or the newest."""
    for kind in CHECKS:
        results = [(v, check) for v in verdicts for check in v.checks if check.kind == kind]
        telling = next((pair for pair in results if pair[1].outcome not in {"pass"}), results[-1] if results else None)
        outcome = telling[1].outcome if telling else "pass"
        yield dg.AssetCheckResult(
            asset_key=keys.accepted(stream.stream),
            check_name=kind,
            passed=outcome == "pass",
            severity=dg.AssetCheckSeverity.WARN
            if outcome == "warn" or kind == WARNINGS
            else dg.AssetCheckSeverity.ERROR,
            description=(telling[1].words or None) if telling and outcome != "pass" else None,
            metadata={
                "extracts judged": len(verdicts),
                **({"extract date": telling[0].extract_date.isoformat(), **telling[1].metadata} if telling else {}),
            },
        )


def _accepted(
    context: AssetExecutionContext, stream: FileStream, verdicts: "Sequence[Verdict]"
) -> dg.MaterializeResult[None]:
    key = keys.accepted(stream.stream)
    chosen = set(context.partition_keys)
    for verdict in verdicts:
        if verdict.extract_date.isoformat() in chosen:
            context.add_asset_metadata(
                {
                    "dagster/partition_row_count": verdict.accepted_rows,
                    "quarantined": verdict.quarantined_rows,
                    "rejects": verdict.rejected_records,
                    "batch": (verdict.batch_id or "")[:12],
                },
                asset_key=key,
                partition_key=verdict.extract_date.isoformat(),
            )
    return dg.MaterializeResult(
        asset_key=key,
        metadata={
            "extracts judged": len(verdicts),
            "rows": sum(verdict.accepted_rows for verdict in verdicts),
            "quarantined": sum(verdict.quarantined_rows + verdict.rejected_records for verdict in verdicts),
            "seconds": round(sum(verdict.seconds for verdict in verdicts), 3),
        },
    )


def _landing_spec(source: Source, stream: FileStream) -> dg.AssetSpec:
    contract = _contract(stream)
    return dg.AssetSpec(
        keys.landed(stream.stream),
        description=f"Raw extracts of {stream.stream}, as delivered. {contract.description}",
        group_name=keys.group_of_source(source.name),
        kinds={"parquet", "python"},
        owners=[keys.OWNER],
        tags={"system": source.system, "visibility": "private"},
        metadata={"dagster/column_schema": _schema(contract, typed=False)},
        skippable=True,
    )


def _accepted_spec(source: Source, stream: FileStream) -> dg.AssetSpec:
    contract = _contract(stream)
    return dg.AssetSpec(
        keys.accepted(stream.stream),
        deps=[keys.landed(stream.stream)],
        description=f"Typed rows of {stream.stream} that passed their contract. {contract.description}",
        group_name=keys.group_of_source(source.name),
        kinds={"parquet", "greatexpectations"},
        owners=[keys.OWNER],
        tags={"system": source.system, "visibility": "private"},
        metadata={"dagster/column_schema": _schema(contract, typed=True)},
        skippable=True,
        code_version=contract.fingerprint[:12],
    )


def _schema(contract: Contract, *, typed: bool) -> dg.TableSchema:
    """Columns of a stream as Dagster shows them, with their PII tag."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name,
                type=DUCKDB_TYPES[column.type] if typed else "varchar",
                description=column.description,
                tags={"pii": column.pii},
                constraints=dg.TableColumnConstraints(nullable=not (typed and column.required)),
            )
            for name, column in contract.columns.items()
        ]
    )


def _check_specs(stream: FileStream) -> list[dg.AssetCheckSpec]:
    key, contract = keys.accepted(stream.stream), _contract(stream)
    return [
        dg.AssetCheckSpec(
            kind,
            asset=key,
            description=words_of_check(kind, str(stream.stream), contract),
            blocking=kind != WARNINGS,
        )
        for kind in CHECKS
    ]


def _contract(stream: FileStream) -> Contract:
    return load_contract(stream.stream.system, stream.stream.stream)
