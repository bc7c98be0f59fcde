"""After real nights, the health of the data is what the folders hold, counted file by file.

Not here: bounds and formulas (tests/integration/test_data_health.py), any order of nights (test_random_nights.py).
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow.parquet as pq

from assets.versions.manifest import DefinitionChange, read_manifest, write_manifest
from orchestration.operations.plan_night import plan_build
from quality.gate.accepted import describe, read_batch
from storage.data_folder import manifest_file
from tests.e2e.conftest import FOURTH, SECOND
from tests.e2e.installation import Installation

Cell = tuple[str, str, date]


def measured(installation: Installation, measure: str, column: str = "value") -> dict[Cell, Any]:
    rows = installation.marts(
        f"select source, stream, date_day, {column} from mart_data_health where measure = '{measure}'"
    )
    return {(source, stream, day): value for source, stream, day, value in rows}


def partitions(folder: Path, file: str) -> dict[Cell, Path]:
    """A file of every partition of a folder, by source, stream and extract date."""
    return {
        (path.parts[-4], path.parts[-3], date.fromisoformat(path.parts[-2])): path
        for path in folder.glob(f"*/*/[0-9]*/{file}")
    }


def rows_in(folder: Path) -> dict[Cell, int]:
    return {cell: pq.read_metadata(path).num_rows for cell, path in partitions(folder, "rows.parquet").items()}


def test_what_came_what_passed_and_what_did_not_is_what_the_folders_hold(rebuilt: Installation) -> None:
    folder = rebuilt.setup.folder
    landed = {
        cell: json.loads(path.read_text())["records"]
        for cell, path in partitions(folder.landing, "manifest.json").items()
    }
    accepted, quarantined = rows_in(folder.accepted), rows_in(folder.quarantine)
    assert sum(quarantined.values()) > 0
    assert measured(rebuilt, "landed_records") == landed
    assert measured(rebuilt, "accepted_rows") == accepted
    assert measured(rebuilt, "quarantined_share", "numerator") == {cell: quarantined.get(cell, 0) for cell in accepted}
    still_open = measured(rebuilt, "quarantined_open")
    for source, stream, day in accepted:
        rows = sum(count for (*at, of), count in quarantined.items() if at == [source, stream] and of <= day)
        assert still_open[source, stream, day] == rows


def test_the_gate_passed_what_was_published_and_every_check_of_it_is_counted(rebuilt: Installation) -> None:
    from quality.gate.check_result import CHECK_KINDS

    assert set(measured(rebuilt, "checks_passed", "n").values()) == {len(CHECK_KINDS) + 1}
    assert set(measured(rebuilt, "checks_failed").values()) == {0}


def test_nothing_is_missing_or_old_where_every_source_delivered(rebuilt: Installation) -> None:
    streams = {(stream.stream.source, stream.stream.stream) for stream in rebuilt.setup.sources.streams}
    for measure in ("days_since_extract", "missing_extracts_28"):
        found = {cell[:2]: value for cell, value in measured(rebuilt, measure).items() if cell[2] == FOURTH}
        assert found == dict.fromkeys(streams, 0)


def test_the_newest_record_is_the_newest_version_that_was_accepted(rebuilt: Installation) -> None:
    """Counted over the accepted files; in Berlin, the sample company's time zone."""
    zone = ZoneInfo(rebuilt.setup.sources.reporting_timezone)
    newest: dict[tuple[str, str], list[date]] = {}
    for (source, stream, day), path in partitions(rebuilt.setup.folder.accepted, "rows.parquet").items():
        rows = pq.read_table(path, columns=["_version_at", "_op"]).to_pylist()
        known = [row["_version_at"] for row in rows if row["_op"] == "upsert"]
        end = datetime.combine(day + timedelta(days=2), datetime.min.time(), UTC)
        newest.setdefault((source, stream), []).extend(at.astimezone(zone).date() for at in known if at < end)
    found = {
        cell[:2]: days for cell, days in measured(rebuilt, "days_since_newest_record").items() if cell[2] == FOURTH
    }
    assert found == {stream: max(0, (FOURTH - max(days)).days) for stream, days in newest.items() if days}


def test_match_rates_are_those_of_the_facts_and_days_of_few_customers_are_hidden(rebuilt: Installation) -> None:
    shown = rebuilt.marts(
        "select date_day, sum(n), sum(numerator), bool_or(value is null) from mart_data_health "
        "where measure = 'match_rate' and stream = 'order' group by date_day order by date_day"
    )
    facts = rebuilt.marts(
        "select d.date_day, count(*), count(*) filter (o.customer_key <> -1), "
        "count(distinct case when o.customer_key = -1 then -1 - o.order_key else o.customer_key end) "
        "from fct_order o join dim_date d on d.date_key = o.ordered_date_key "
        "where o.exclusion_reason is distinct from 'deleted' and o.ordered_date_key > 0 "
        "and d.date_day <= date '2026-06-30' group by d.date_day order by d.date_day"
    )
    assert [day for day, *_ in shown] == [day for day, *_ in facts]
    compared = 0
    for (_, n, numerator, is_hidden), (_, orders, matched, people) in zip(shown, facts, strict=True):
        assert is_hidden or people >= 5
        if not is_hidden:
            compared += 1
            assert (n, numerator) == (orders, matched)
    assert compared > 0


def test_a_kpi_defined_otherwise_than_in_the_version_before_is_in_the_log(company: Installation) -> None:
    current = company.data / "current"
    said = json.loads(manifest_file(current).read_text())
    assert said["definitions"]["kpis/csat"]
    assert said["definition_changes"] == []
    manifest = read_manifest(current)
    before = {**manifest.definitions, "kpis/csat": "what it was before"}
    write_manifest(current.resolve(), replace(manifest, definitions=before))
    plan = plan_build(company.setup, SECOND)
    assert plan.definition_changes == (DefinitionChange(SECOND, "kpis/csat", "changed"),)
    assert read_manifest(current).definitions.keys() == company.setup.definitions.keys()


def test_an_extract_judged_otherwise_with_the_same_rows_is_told_again(company: Installation) -> None:
    assert plan_build(company.setup, SECOND).is_current
    path = next(company.setup.folder.accepted.glob(f"*/*/{SECOND}/batch.json"))
    batch = read_batch(path)
    describe(replace(batch, checks_passed=7, checks_warned=1, checks_failed=0, quarantined=9), path.parent)
    plan = plan_build(company.setup, SECOND)
    assert [each.batch_id for each in plan.restated] == [batch.batch_id]
    assert (plan.lacking, plan.is_current) == ((), False)
