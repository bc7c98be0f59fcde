"""The gate gates: each kind of blocking check, before and after dbt, meets its defect in a real night.

Every time nothing is published and not one published byte changes. Before dbt the defect is delivered; after dbt it
is done to the published marts the next night builds on, as a bug would.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from assets.versions.manifest import read_manifest, write_manifest
from orchestration.instance import open_instance
from quality.gate.check_result import CHECK_KINDS
from quality.gate.ledger import Ledger, LedgerVerdict
from storage.errors import JourneymartError
from tests.e2e.conftest import THIRD
from tests.e2e.installation import Installation

TICKETS = f"zendesk/tickets_{THIRD}.jsonl.gz"
USERS = f"zendesk/users_{THIRD}.jsonl.gz"
RATINGS = f"zendesk/satisfaction_ratings_{THIRD}.jsonl.gz"


def each_object(change: Callable[[dict], dict]) -> Callable[[bytes], bytes]:
    """A change of every line of a JSONL file."""

    def changed(content: bytes) -> bytes:
        lines = [json.dumps(change(json.loads(line)), ensure_ascii=False) for line in content.splitlines()]
        return "".join(f"{line}\n" for line in lines).encode()

    return changed


def an_unterminated_quote(company: Installation) -> None:
    company.redeliver(f"salesforce/contact_{THIRD}.csv.gz", lambda content: content + b'"003,"never closed\r\n')


def a_missing_column(company: Installation) -> None:
    company.redeliver(TICKETS, each_object(lambda row: {k: v for k, v in row.items() if k != "status"}))


def an_old_export(company: Installation) -> None:
    old = "2026-05-01T00:00:00Z"
    company.redeliver(USERS, each_object(lambda row: row | {"created_at": old, "updated_at": old}))


def a_dump_cut_in_half(company: Installation) -> None:
    def half(content: bytes) -> bytes:
        lines = content.splitlines(keepends=True)
        return b"".join(lines[: 1 + len(lines) // 2])

    company.redeliver(f"shop/agent_{THIRD}.csv.gz", half)


def times_nobody_can_read(company: Installation) -> None:
    company.redeliver(RATINGS, each_object(lambda row: row | {"created_at": "the day before yesterday"}))


def a_metric_nobody_knows(company: Installation) -> None:
    question = {
        "survey_id": "SV_1",
        "question_id": "QID1",
        "metric": "happiness",
        "scale_direction": "high_is_good",
        "last_modified": f"{THIRD}T10:00:00Z",
    }
    company.redeliver(
        f"qualtrics/survey_definitions_{THIRD}.jsonl.gz",
        lambda content: content + json.dumps(question).encode() + b"\n",
    )


DELIVERED = {
    "completeness": an_unterminated_quote,
    "schema": a_missing_column,
    "freshness": an_old_export,
    "deletes": a_dump_cut_in_half,
    "quarantine": times_nobody_can_read,
    "contract": a_metric_nobody_knows,
}

TAMPERED = {
    "unique_grain": "insert into marts.fct_sla select * from marts.fct_sla limit 1",
    "relationships": "update marts.bridge_feedback_theme set theme_key = 42",
    "accepted_values": "update marts.dim_customer set status = 'happy'",
    "assert_every_record_is_in_its_fact": (
        "delete from marts.fct_survey_answer where answer_key = (select min(answer_key) from marts.fct_survey_answer)"
    ),
    "reconciliation": ("delete from warehouse.accepted.canonical__order where rowid = 0"),
    "kpi_identities": "update marts.mart_kpi_daily set ci_low = ci_high where method = 'wilson'",
}

# What keeps nothing else from being asked is asked of one night; the long campaign gives each defect its own.
TOGETHER = (
    ("unique_grain", "relationships", "assert_every_record_is_in_its_fact"),
    ("reconciliation", "kpi_identities", "drift"),
)

of_the_long_campaign = pytest.mark.skipif(
    os.environ.get("JOURNEYMART_CHAOS") != "long", reason="the long campaign runs under `make chaos`"
)


def spoil(company: Installation, kinds: Sequence[str]) -> None:
    """Do each kind of defect to what is published."""
    for kind in kinds:
        if kind == "drift":
            too_many_days_in_the_manifest(company)
        else:
            company.tamper(TAMPERED[kind])


def test_every_kind_of_check_of_an_extract_has_its_defect_here() -> None:
    # What is usual takes more nights than there are here, and how numbers are written concerns files that nobody makes
    # here: tests/integration/test_gate_blocks.py.
    assert set(DELIVERED) | {"format", "volume", "distribution"} == set(CHECK_KINDS)


@pytest.mark.promise("audited")
def test_defects_in_extracts_publish_nothing_and_are_all_named(company: Installation) -> None:
    before = company.published_hashes()
    for deliver in DELIVERED.values():
        deliver(company)
    with pytest.raises(JourneymartError, match="nothing was published"):
        company.night(THIRD)
    assert {check.kind for check in last_verdict(company).blockers} >= DELIVERED.keys()
    assert company.published_hashes() == before
    assert not company.data.joinpath("build").exists(), "dbt was never reached"


@pytest.mark.chaos
@of_the_long_campaign
@pytest.mark.parametrize("kind", DELIVERED)
def test_a_defect_in_an_extract_publishes_nothing(company: Installation, kind: str) -> None:
    before = company.published_hashes()
    DELIVERED[kind](company)
    with pytest.raises(JourneymartError, match=rf"{kind}.*nothing was published"):
        company.night(THIRD)
    assert company.published_hashes() == before
    assert not company.data.joinpath("build").exists(), "dbt was never reached"


def too_many_days_in_the_manifest(company: Installation) -> None:
    """The version before claims a thousand times the days it holds."""
    current = company.data.joinpath("current").resolve()
    manifest = read_manifest(current)
    tables = [replace(each, rows=each.rows * 1000) if each.name == "dim_date" else each for each in manifest.tables]
    write_manifest(current, replace(manifest, tables=tuple(tables)))


UNASKED = ("assert_backlog_adds_up", "unique_grain_fct_ticket_ticket_key")


def leave_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a night hear nothing of one test that dbt asks, and of one that is asked with others."""
    from orchestration import dbt_assets

    def without(name, whole):
        return lambda *asked: {i: result for i, result in whole(*asked).items() if name not in i}

    for tells, name in zip(("result_of_node", "ask_together"), UNASKED, strict=True):
        monkeypatch.setattr(dbt_assets, tells, without(name, getattr(dbt_assets, tells)))


def last_verdict(company: Installation) -> LedgerVerdict:
    """What the ledger of the last night says: a sentence names the first of what stopped it, the ledger names all."""
    with open_instance(company.setup.settings) as instance:
        (run,) = instance.get_runs(limit=1)
    return Ledger(company.setup.folder.ledger(run.run_id)).verdict()


@pytest.mark.promise("audited")
@pytest.mark.parametrize("kinds", TOGETHER, ids=" and ".join)
def test_defects_in_the_marts_publish_nothing_and_are_all_named(
    company: Installation, kinds: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(company, kinds)
    if "unique_grain" in kinds:
        leave_unasked(monkeypatch)
    before = company.published_hashes()
    with pytest.raises(JourneymartError) as refused:
        company.night(THIRD)
    assert [kind for kind in kinds if kind not in str(refused.value)] == []
    if "relationships" in kinds:
        assert "such as feedback_key" in str(refused.value), "a row at fault is named"
    if "unique_grain" in kinds:
        assert {check.kind for check in last_verdict(company).missing} >= {*UNASKED}, "what did not run is not passed"
    assert company.published_hashes() == before


@pytest.mark.promise("audited")
@pytest.mark.chaos
@of_the_long_campaign
@pytest.mark.parametrize("kind", [*TAMPERED, "drift"])
def test_a_single_defect_in_the_marts_publishes_nothing(company: Installation, kind: str) -> None:
    spoil(company, [kind])
    before = company.published_hashes()
    with pytest.raises(JourneymartError, match=kind):
        company.night(THIRD)
    assert company.published_hashes() == before


@pytest.mark.promise("audited")
@pytest.mark.chaos
@of_the_long_campaign
def test_a_check_that_did_not_run_publishes_nothing(company: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test of which dbt tells nothing, or that was not asked, is missing, and missing is not passed."""
    leave_unasked(monkeypatch)
    before = company.published_hashes()
    with pytest.raises(JourneymartError, match=r"2 dbt test") as refused:
        company.night(THIRD)
    assert "unique_grain_fct_ticket_ticket_key, assert_backlog_adds_up" in str(refused.value)
    assert company.published_hashes() == before


def test_a_night_without_defect_is_published_and_its_ledger_is_complete(
    two_nights: Installation, three_nights: Installation
) -> None:
    published = read_manifest(three_nights.data / "current")
    assert published.as_of == THIRD
    assert three_nights.published_hashes()["current"] != two_nights.published_hashes()["current"]
    assert Ledger(three_nights.setup.folder.ledger(published.run_id)).verdict().may_publish
