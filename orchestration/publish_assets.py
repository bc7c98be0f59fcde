"""The steps of a night around dbt: begin the build, audit the marts, write the report, publish, copy to a store.

What lives here: the wiring of these steps as assets. Not here: what they do (assets/versions/versions.py,
assets/warehouse/load.py, assets/audit/audit.py, report/, assets/versions/publish.py) and what the next version is
made of (orchestration/operations/plan_night.py).
"""

# Annotations are not postponed in this file: Dagster looks at the one of `context`.
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import dagster as dg
from dagster import AssetExecutionContext

from orchestration import keys
from orchestration.check_words import AUDITS, words_of_audit
from orchestration.config.setup import Setup
from orchestration.dbt.asset_graph import PUBLISHED, RECORDS
from orchestration.dbt_translator import check_of_test, dbt_tests, public_tables
from orchestration.failures import in_one_sentence
from orchestration.operations.plan_night import plan_build
from orchestration.operations.step_words import TO_STORE
from orchestration.partitions import last_date
from orchestration.run_order import audit_check, require_begun, require_tested
from quality.gate.ledger import Expected, Ledger, Recorded
from storage.data_folder import REPORT_PAGES, report_file


def begin_build_asset(setup: Setup, manifest: Mapping[str, Any]) -> dg.AssetsDefinition:
    """The step that clones the base and loads what it lacks; if that is nothing it ends the night."""

    @dg.multi_asset(
        name="begin_build",
        specs=[
            dg.AssetSpec(
                keys.NIGHT,
                deps=[keys.accepted(stream.stream) for stream in setup.sources.streams],
                description="A clone of the base version plus the accepted batches it lacks. One per night.",
                group_name=RECORDS,
                kinds={"duckdb", "python"},
                owners=[keys.OWNER],
                skippable=True,
            )
        ],
        required_resource_keys={"data_lock"},
    )
    def begin_build(context: AssetExecutionContext) -> Iterator[Any]:
        from assets.versions.versions import start_build
        from assets.warehouse.contact_points import spell_contact_points
        from assets.warehouse.hidden_texts import hide_contact_points
        from assets.warehouse.load import Night, SourceRole, load, prepare
        from quality.gate.accepted import ROWS

        began = time.monotonic()
        with in_one_sentence():
            plan = plan_build(setup, last_date(context))
            plan.require_reach()
            if plan.is_current:
                context.log.info(f"Nothing is new: the current version holds every accepted batch as of {plan.as_of}.")
                return
            ledger = Ledger(setup.folder.ledger(context.run_id))
            # Warnings are expected like the rest: a test that did not run says nothing.
            tests = [Expected(check_of_test(manifest, test), blocking=True) for test in dbt_tests(manifest)]
            ledger.expect_all([*tests, *(Expected(audit_check(audit), blocking=True) for audit in AUDITS)])
            lacking = [setup.folder.accepted_partition(b.stream_id, b.extract_date) for b in plan.lacking]
            build = start_build(setup.folder, plan.base, sum((each / ROWS).stat().st_size for each in lacking))
            prepare(build)
            night = Night(
                as_of=plan.as_of,
                run_id=context.run_id,
                reporting_timezone=setup.sources.reporting_timezone,
                currency=setup.sources.currency,
                sources=tuple(SourceRole(each.name, each.system, each.role) for each in setup.sources.sources),
                stale_since=plan.stale_since,
                approvals=plan.approvals,
                definition_changes=plan.definition_changes,
                text_sentiment=setup.text_sentiment,
            )
            loaded = load(
                build,
                lacking,
                night,
                plan.restated,
            )
            spelled = spell_contact_points(build)
            hidden = hide_contact_points(build)
        yield dg.MaterializeResult(
            asset_key=keys.NIGHT,
            metadata={
                "as_of": plan.as_of.isoformat(),
                "base": plan.base.id if plan.base else "none",
                "batches": len(plan.lacking),
                "rows_loaded": sum(loaded.values()),
                "emails_spelled": spelled["email"],
                "phones_spelled": spelled["phone"],
                "texts_hidden": hidden,
                "stale_since": plan.stale_since.isoformat() if plan.stale_since else "not stale",
                "missing": ", ".join(f"{each.source}/{each.stream} since {each.since}" for each in plan.missing)
                or "none",
                "approved": "; ".join(each.sentence for each in plan.approvals) or "nothing",
                "seconds": round(time.monotonic() - began, 3),
            },
        )

    return begin_build


def audit_asset(setup: Setup, manifest: Mapping[str, Any], ends: Iterable[dg.AssetKey]) -> dg.AssetsDefinition:
    """The step that audits the finished marts.

    Args:
        setup: Settings and sources.
        manifest: dbt's.
        ends: The public marts no other is made from: what comes after them comes after all that is published.
    """

    @dg.multi_asset(
        name="audit_marts",
        specs=[
            dg.AssetSpec(
                keys.AUDIT,
                deps=ends,
                description="The audit of the finished marts, before anybody may see them. One per night.",
                group_name=PUBLISHED,
                kinds={"duckdb", "python"},
                owners=[keys.OWNER],
            )
        ],
        check_specs=[
            dg.AssetCheckSpec(audit, asset=keys.AUDIT, description=words_of_audit(audit), blocking=True)
            for audit in AUDITS
        ],
        required_resource_keys={"data_lock"},
    )
    def audit_marts(context: AssetExecutionContext) -> Iterator[Any]:
        from assets.audit.audit import audit
        from assets.audit.closed_months import ClosedMonths
        from assets.versions.versions import list_versions
        from orchestration.dbt.shadow import shadow

        began = time.monotonic()
        with in_one_sentence():
            ledger = Ledger(setup.folder.ledger(context.run_id))
            require_tested(ledger)
            before = next(reversed(list_versions(setup.folder)), None)
            closed = ClosedMonths(setup.folder, setup.sources.months_close_after_days)
            findings = (
                *audit(setup.folder.build, before, setup.fingerprint, closed),
                shadow(setup, manifest, context.run_id, _seconds_of_night(context)),
            )
            ledger.record_all(
                Recorded(audit_check(finding.audit), finding.outcome, finding.detail) for finding in findings
            )
        for finding in findings:
            yield dg.AssetCheckResult(
                asset_key=keys.AUDIT,
                check_name=finding.audit,
                passed=finding.outcome == "pass",
                severity=dg.AssetCheckSeverity.WARN if finding.outcome == "warn" else dg.AssetCheckSeverity.ERROR,
                description=finding.sentence,
                metadata=dict(finding.detail),
            )
        failed = [finding.sentence for finding in findings if finding.outcome in {"fail", "error"}]
        if failed:
            raise dg.Failure(description=f"{' '.join(failed)} Nothing was published.", allow_retries=False)
        figures = next(finding.detail for finding in findings if finding.audit == "identity")
        yield dg.MaterializeResult(
            asset_key=keys.AUDIT,
            metadata={
                **{f"identity/{name}": figure for name, figure in figures.items()},
                "seconds": round(time.monotonic() - began, 3),
            },
        )

    return audit_marts


def _seconds_of_night(context: AssetExecutionContext) -> float:
    """How long the run has taken so far."""
    began = context.instance.get_run_stats(context.run_id).start_time
    return max(0.0, time.time() - began) if began else 0.0


def report_asset(setup: Setup) -> dg.AssetsDefinition:
    """The step that writes the pages of the version about to be published."""

    @dg.multi_asset(
        name="write_report",
        specs=[
            dg.AssetSpec(
                keys.REPORT,
                deps=[keys.AUDIT],
                description="The scorecard and the journey map, for people who open no database. One set a night.",
                group_name=PUBLISHED,
                kinds={"html", "python"},
                owners=[keys.OWNER],
            )
        ],
        required_resource_keys={"data_lock"},
    )
    def write_report(context: AssetExecutionContext) -> Iterator[Any]:
        del context  # the step's resources are all it needs of it
        from assets.report.render import write_report as write_pages
        from assets.warehouse.load import business_date

        began = time.monotonic()
        build = setup.folder.build
        with in_one_sentence():
            pages = write_pages(build, business_date(build), setup.settings.report_templates)
        yield dg.MaterializeResult(
            asset_key=keys.REPORT,
            metadata={
                "page": dg.MetadataValue.url(setup.settings.report_address),
                "file": dg.MetadataValue.path(report_file(setup.folder.current, REPORT_PAGES[0])),
                "megabytes": round(sum(page.stat().st_size for page in pages) / 1e6, 3),
                "seconds": round(time.monotonic() - began, 3),
            },
        )

    return write_report


def published_asset(setup: Setup, manifest: Mapping[str, Any]) -> dg.AssetsDefinition:
    """The step that turns the build into the version readers see.

    Every blocking check lies on the way to it. In a run of chosen assets the ledger says the same: a check that was
    expected and did not pass in this very run stops it, as does a build that this run did not begin.
    """

    @dg.multi_asset(
        name="publish",
        specs=[
            dg.AssetSpec(
                keys.PUBLISHED,
                deps=[keys.AUDIT, keys.REPORT],
                description="What readers see: marts, Parquet copies, report and manifest as one. One per night.",
                group_name=PUBLISHED,
                kinds={"duckdb", "parquet"},
                owners=[keys.OWNER],
            )
        ],
        required_resource_keys={"data_lock"},
    )
    def publish(context: AssetExecutionContext) -> Iterator[Any]:
        from assets.closed_months.kept import close_months
        from assets.versions.manifest import Night
        from assets.versions.publish import publish as publish_build
        from orchestration.operations.clear_history import clear_history
        from orchestration.operations.erased_versions import remove_versions_of_the_erased

        began = time.monotonic()
        with in_one_sentence():
            ledger = Ledger(setup.folder.ledger(context.run_id))
            require_begun(ledger)
            plan = plan_build(setup, last_date(context))
            version = publish_build(
                setup.folder,
                setup.folder.build,
                ledger=ledger,
                night=Night(
                    run_id=context.run_id,
                    as_of=plan.as_of,
                    fingerprint=setup.fingerprint,
                    batches=plan.batches,
                    rows_in=plan.rows_in,
                    quarantined_rows=plan.quarantined_rows,
                    missing=plan.missing,
                    approvals=plan.approvals,
                    begins=plan.begins,
                    definitions=setup.definitions,
                    definition_changes=plan.definition_changes,
                    engine=setup.engine,
                ),
                public_tables=public_tables(manifest),
                published_at=datetime.now(UTC),
                keep=setup.settings.keep_versions,
            )
            closed = close_months(setup.folder, version, setup.sources.months_close_after_days)
            # Where a store holds versions too, an erasure is done when it holds none of them any more.
            remove_versions_of_the_erased(
                setup.folder, datetime.now(UTC), is_everywhere=setup.sources.publish_to is None
            )
        cleared = clear_history(setup.folder, context.instance, setup.settings.keep_history_days, datetime.now(UTC))
        written = version.manifest
        yield dg.MaterializeResult(
            asset_key=keys.PUBLISHED,
            metadata={
                "version": version.id,
                "as_of": written.as_of.isoformat(),
                "base": written.base or "none",
                "engine": written.engine,
                "rows_in": written.rows_in,
                "quarantined_rows": written.quarantined_rows,
                "rows_published": sum(table.rows for table in written.tables_of("marts")),
                "checks_passed": written.checks.passed,
                "checks_warned": written.checks.warned,
                "batches": len(written.batches),
                "megabytes": round(written.bytes / 1e6, 3),
                "is_stale": written.is_stale,
                "old_runs_cleared": cleared.runs,
                "months_closed": closed,
                "seconds": round(time.monotonic() - began, 3),
                **{f"rows/{table.name}": table.rows for table in written.tables_of("marts")},
            },
        )

    return publish


def store_asset(setup: Setup) -> dg.AssetsDefinition:
    """The step that lets readers of the object store see what readers of the data folder see.

    It comes after the link has moved: the data folder is where a night ends, and the store is its copy.
    """

    @dg.multi_asset(
        name=TO_STORE,
        specs=[
            dg.AssetSpec(
                keys.IN_STORE,
                deps=[keys.PUBLISHED],
                description="What readers of the object store see: the marts' Parquet and the manifest. One per night.",
                group_name=PUBLISHED,
                kinds={"parquet", "python"},
                owners=[keys.OWNER],
            )
        ],
        required_resource_keys={"data_lock"},
    )
    def publish_to_store(context: AssetExecutionContext) -> Iterator[Any]:
        from orchestration.operations.object_store import make_up

        del context  # the step's resources are all it needs of it
        began = time.monotonic()
        with in_one_sentence():
            done = make_up(setup, datetime.now(UTC))
        yield dg.MaterializeResult(
            asset_key=keys.IN_STORE,
            metadata={
                "version": done.version if done else "none",
                "files_sent": done.sent if done else 0,
                "versions_removed": len(done.removed) if done else 0,
                "seconds": round(time.monotonic() - began, 3),
            },
        )

    return publish_to_store
