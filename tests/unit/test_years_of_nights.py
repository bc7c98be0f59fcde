"""What a night opens to know what to do does not grow with the nights before it.

Counted, not timed: files opened and folders listed, by this process, with 100 and with 365 nights behind it. Invented
partitions, as nights leave them; what they say is of no matter here. The history of runs: test_clear_history.py.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import date, timedelta

import pytest

from assets.landing.connectors.drop_folder import deliveries
from assets.landing.deliveries import remember
from assets.versions.manifest import Checks, Manifest, write_manifest
from assets.versions.versions import swing, version_id
from orchestration.config.setup import Setup, load_setup
from orchestration.extract_assets import to_judge
from orchestration.operations.approve_extract import kept_out
from orchestration.operations.arrivals import what_has_arrived
from orchestration.operations.plan_night import (
    delivered_again,
    outstanding_dates,
    plan_build,
    wanted_date,
)
from quality.contract.model import load_contract
from quality.gate.accepted import AcceptedBatch, describe
from quality.landed.extract import judged_by
from quality.past.profiles import PAST_DAYS, Past, Profile, keep_profile
from storage import files
from tests.small_night import NOW

LAST = date(2026, 3, 31)
COMPANY = """
company: Acme
reporting_timezone: UTC
currency: EUR
first_date: {first}
sources:
  desk:
    system: canonical
    location: drop
    pattern: "{{stream}}_{{date}}.csv"
    complete: rename
    streams: {{ticket: , agent: }}
"""
LANDED = {
    "mode": "increment",
    "window": [None, LAST.isoformat()],
    "cursor": None,
    "files": [],
    "records": 1,
    "rows": 1,
    "rejects": 0,
    "columns": ["ticket_id"],
    "schema_fingerprint": "0" * 64,
    "sha256": "0" * 64,
    "is_history": False,
    "as_declared": True,
    "damaged": [],
    "unplaced": 0,
    "read_as": {
        "reader": 2,
        "timezone": "UTC",
        "encoding": "utf-8",
        "delimiter": ",",
        "header_rows": 1,
        "max_record_bytes": 1,
        "key": ["ticket_id"],
        "reading": {},
    },
    "compared_to": None,
}
VERDICT = {"passed": True, "blocked_by": [], "rows": 1, "quarantined_rows": 1, "checks": []}


def after(nights: int, root, monkeypatch) -> Setup:
    """A company that has so many nights behind it, a row of each extract in quarantine, the last version published."""
    first = LAST - timedelta(days=nights - 1)
    (root / "drop").mkdir(parents=True)
    (root / "company.yml").write_text(COMPANY.format(first=first))
    monkeypatch.delenv("JOURNEYMART_COMPANY", raising=False)
    monkeypatch.setenv("JOURNEYMART_SOURCES", str(root / "company.yml"))
    monkeypatch.setenv("JOURNEYMART_DATA", str(root / "data"))
    monkeypatch.setenv("JOURNEYMART_STATE", str(root / "state"))
    setup = load_setup()
    folder = setup.folder
    for stream in setup.sources.streams:
        name = stream.stream.stream
        rules = judged_by(load_contract("canonical", name), stream.reading)
        for day in (first + timedelta(days=number) for number in range(nights)):
            (root / "drop" / f"{name}_{day}.csv").touch()
            landed, accepted, quarantined = (
                place(stream.stream, day)
                for place in (folder.landing_partition, folder.accepted_partition, folder.quarantine_partition)
            )
            for each in (landed, accepted, quarantined):
                each.mkdir(parents=True)
            said = {"source": "desk", "system": "canonical", "stream": name, "extract_date": day.isoformat()}
            (landed / "manifest.json").write_text(json.dumps({**said, **LANDED}))
            batch = AcceptedBatch(f"{name} {day}", "desk", "canonical", name, day, 1, 1, LANDED["sha256"], rules)
            describe(batch, accepted)
            keep_profile(Profile(day, rules, is_history=False, delivered=1, rows=1), accepted)
            (quarantined / "verdict.json").write_text(json.dumps(VERDICT))
        remember(folder.landing_partition(stream.stream, first).parent, deliveries(stream))
    publish(setup)
    return setup


def publish(setup: Setup) -> None:
    plan = plan_build(setup, LAST)
    name = version_id(LAST, "run00001")
    (setup.folder.versions / name).mkdir(parents=True)
    made = Manifest(
        version=name,
        sequence=1,
        as_of=LAST,
        run_id="run00001",
        published_at=NOW,
        previous=None,
        base=None,
        fingerprint=setup.fingerprint,
        rows_in=0,
        quarantined_rows=0,
        checks=Checks(passed=1, warned=0),
        duckdb_version="",
        storage_version="",
        batches=plan.batches,
        tables=(),
        files=(),
        missing=plan.missing,
        begins=plan.begins,
    )
    write_manifest(setup.folder.versions / name, made)
    swing(setup.folder, name)


READS: dict[str, Callable[[Setup], object]] = {
    "what a run goes up to": wanted_date,
    "what is due": lambda setup: outstanding_dates(setup, LAST),
    "what was delivered again": lambda setup: delivered_again(setup, LAST),
    "what has arrived": lambda setup: what_has_arrived(setup, [LAST], NOW),
    "what is judged": lambda setup: to_judge(setup, setup.sources.streams, LAST),
    "what a build is made of": lambda setup: plan_build(setup, LAST),
    "what is kept out": kept_out,
    "the past of a stream": lambda setup: [Past(setup.folder, s.stream).before(LAST) for s in setup.sources.streams],
}


@pytest.fixture
def opened():
    """Counts what is opened or listed while it works."""
    counted, counting = [0], [False]

    def hook(event, _):
        if counting[0] and event in {"open", "os.scandir", "os.listdir"}:
            counted[0] += 1

    # It stays until the process ends, and does nothing then.
    sys.addaudithook(hook)

    def count(work) -> int:
        counted[0], counting[0] = 0, True
        try:
            work()
        finally:
            counting[0] = False
        return counted[0]

    return count


@pytest.mark.promise("flat")
def test_a_night_after_a_year_opens_what_one_after_a_quarter_opens(tmp_path, monkeypatch, opened):
    # What is entered into an index must be two seconds old; here it may be new.
    monkeypatch.setattr(files, "_SETTLES_AFTER_NS", 0)
    counts = {}
    for nights in (PAST_DAYS + 9, 365):
        setup = after(nights, tmp_path / str(nights), monkeypatch)
        assert outstanding_dates(setup, LAST) == []
        for read in READS.values():
            # Indexes are written by whoever looks first.
            read(setup)
        counts[nights] = {what: opened(lambda read=read, setup=setup: read(setup)) for what, read in READS.items()}
    quarter, year = counts.values()
    print(f"after a quarter: {quarter}; after a year: {year}")
    assert year == quarter
    assert sum(year.values()) < 2 * (PAST_DAYS + 60)
