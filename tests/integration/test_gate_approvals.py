"""What was stopped passes once a person said why it is right as it is: that very content, and only what may be so."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from quality.contract.model import QuarantineBudget
from quality.gate.accepted import accepted_batches
from quality.gate.approvals import APPROVABLE, Approval, follow_content, may_be_approved, read_approvals, write_approval
from quality.gate.check_result import CHECK_KINDS
from quality.gate.ledger import Ledger
from quality.gate.verdict import Verdict
from quality.landed.manifest import read_manifest
from storage.errors import JourneymartError
from tests.gate_kit import DAY, STREAM, Landing, contract, metadata, outcome

VERSION = "2026-03-10T10:00:00Z"
AT = datetime(2026, 3, 11, 8, tzinfo=UTC)


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    """Three of ten rows are at fault, which is too many."""
    landing = Landing(tmp_path, contract(quarantine=QuarantineBudget(max_share=0.1, min_rows=2)))
    landing.land(
        [*([str(number), VERSION] for number in range(7)), *([str(number), "soon"] for number in range(7, 10))]
    )
    return landing


def judge(landing: Landing) -> Verdict:
    return landing.judge(landing.extract())[0]


def approve(landing: Landing, **said: object) -> Approval:
    content, checks = may_be_approved(landing.folder, STREAM, DAY)
    approval = Approval("helpdesk", "tickets", DAY, content, checks, "anna", AT, "the import of Friday")
    write_approval(landing.folder, replace(approval, **said))
    return approval


def test_what_a_person_approved_passes_with_a_warning_that_says_who_and_why(landing: Landing) -> None:
    assert judge(landing).blocked_by == ("quarantine",)

    approve(landing)
    ledger = Ledger(landing.folder.ledger("run"))
    (verdict,) = landing.judge(landing.extract(), ledger=ledger)

    assert verdict.passed
    assert outcome(verdict, "quarantine") == "warn"
    said = metadata(verdict, "quarantine")
    assert (said["approved by"], said["approved on"], said["because"], said["quarantined"]) == (
        "anna",
        "2026-03-11",
        "the import of Friday",
        3,
    )
    assert ledger.verdict().may_publish
    assert [batch.rows for batch in accepted_batches(landing.folder)] == [7]
    assert len(landing.quarantined()) == 3


def test_another_delivery_needs_an_approval_of_its_own(landing: Landing) -> None:
    judge(landing)
    approve(landing)
    shutil.rmtree(landing.extract().partition)
    landing.land([[str(number), "later"] for number in range(10)])

    with pytest.raises(JourneymartError, match="was not judged since it was delivered"):
        may_be_approved(landing.folder, STREAM, DAY)
    assert "quarantine" in judge(landing).blocked_by


def test_an_approval_is_for_the_checks_it_names(landing: Landing) -> None:
    judge(landing)
    approve(landing, checks=("volume",))
    assert judge(landing).blocked_by == ("quarantine",)


@pytest.mark.parametrize(("kind", "claims"), [("completeness", {"records": 11}), ("schema", {"columns": ["id"]})])
def test_nobody_can_approve_what_is_not_whole_or_not_the_known_table(
    tmp_path: Path, kind: str, claims: dict[str, object]
) -> None:
    landing = Landing(tmp_path, contract())
    landing.land([["1", VERSION]], **claims)
    judge(landing)
    with pytest.raises(
        JourneymartError, match=rf"failed .*{kind}.*, which nobody can approve.*have it delivered again"
    ):
        may_be_approved(landing.folder, STREAM, DAY)


def test_even_a_forged_approval_lets_nothing_pass_that_nobody_can_approve(tmp_path: Path) -> None:
    landing = Landing(tmp_path, contract())
    landing.land([["1", VERSION]], records=11)
    content = read_manifest(landing.extract().partition).sha256
    write_approval(
        landing.folder, Approval("helpdesk", "tickets", DAY, content, tuple(CHECK_KINDS), "eve", AT, "because")
    )
    assert "completeness" in judge(landing).blocked_by
    assert not APPROVABLE & {"completeness", "schema", "contract"}


def test_what_is_not_blocked_needs_no_approval(tmp_path: Path) -> None:
    landing = Landing(tmp_path, contract())
    landing.land([["1", VERSION]])
    judge(landing)
    with pytest.raises(JourneymartError, match="is not blocked, so there is nothing to approve"):
        may_be_approved(landing.folder, STREAM, DAY)


def test_approvals_are_read_back_as_they_were_written_oldest_first(landing: Landing) -> None:
    judge(landing)
    first = approve(landing)
    absent = replace(first, landing_sha256=None, checks=("missing",), at=AT - timedelta(hours=1), because="Zoë: übrig")
    write_approval(landing.folder, absent)

    found = read_approvals(landing.folder)

    assert found.all == (absent, first)
    assert found.absent(STREAM) == {DAY}
    assert found.of_content(STREAM, DAY, first.landing_sha256 or "") == (first,)
    assert landing.folder.approvals.stat().st_mode & 0o777 == 0o700


def test_a_version_is_built_on_approvals_of_content_it_holds_and_of_dates_it_lacks(landing: Landing) -> None:
    judge(landing)
    of_content = approve(landing)
    absent = replace(of_content, landing_sha256=None, checks=("missing",), at=AT + timedelta(hours=1))
    write_approval(landing.folder, absent)
    approvals = read_approvals(landing.folder)

    assert approvals.that_hold([(STREAM, DAY, of_content.landing_sha256 or "")], DAY) == (of_content,)
    assert approvals.that_hold([(STREAM, DAY, "delivered again")], DAY) == ()
    assert approvals.that_hold([], DAY) == (absent,)
    assert approvals.that_hold([], DAY - timedelta(days=1)) == ()


def test_an_approval_follows_the_content_people_were_taken_out_of(landing: Landing) -> None:
    judge(landing)
    before = approve(landing).landing_sha256 or ""
    follow_content(landing.folder, STREAM, DAY, before, "without them")
    (approval,) = read_approvals(landing.folder).all
    assert (approval.landing_sha256, approval.by) == ("without them", "anna")


def test_a_damaged_approval_is_one_sentence(landing: Landing) -> None:
    judge(landing)
    approve(landing)
    (path,) = landing.folder.approvals.glob("[0-9]*")
    path.write_text("{")
    with pytest.raises(JourneymartError, match="does not hold an approval"):
        read_approvals(landing.folder)
