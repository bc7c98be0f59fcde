"""What is asked of a CRM is landed, passes the gate, and counts: deals, people and cases in our words."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from assets.inspect.judged import landed_extract
from assets.pulling.extract import extract
from orchestration.config.sources import load_sources
from quality.contract.model import load_contract
from quality.gate.gate import Gate
from storage.data_folder import DataFolder
from tests.emulator_kit import serving
from tests.hubspot_emulator import ACCESS_TOKEN, Portal
from tests.integration.dbt_harness import Warehouse
from tests.salesforce_emulator import CREDENTIALS, Crm, record_id
from tests.unit.test_sources import write

COMPANY = """\
company: Acme
reporting_timezone: Europe/Berlin
currency: EUR
first_date: 2026-06-01
sources:
  salesforce:
    system: salesforce
    connector: rest
    location: {salesforce}
    api_version: "62.0"
    credentials_env: {{client_id: SALESFORCE_CLIENT_ID, client_secret: SALESFORCE_CLIENT_SECRET}}
    streams:
      account:
      contact:
      opportunity:
      opportunity_history:
      case:
  hubspot:
    system: hubspot
    connector: rest
    location: {hubspot}
    credentials_env: {{access_token: HUBSPOT_TOKEN}}
    streams:
      contacts:
      companies:
      deals:
      feedback_submissions:
"""
DAY = date(2026, 6, 1)
# What was asked, and answered; satisfaction has scales of several kinds, and the last answer is archived.
FEEDBACK = (
    ("NPS", "9", "PROMOTER"),
    ("CSAT", "4", "PASSIVE"),
    ("CSAT", "5", "PROMOTER"),
    ("CES", "6", "PROMOTER"),
    ("CUSTOM", "3", None),
    ("NPS", "1", "DETRACTOR"),
)


def salesforce() -> Crm:
    """A CRM with an account, three people of whom two are one, a deal that was won, and a case that was closed."""
    crm = Crm(page_rows=2, hidden={"CurrencyIsoCode", "Language__c", "Segment__c"})
    crm.put("Account", 1)
    for number in (1, 2, 3):
        crm.put("Contact", number)
    crm.merge("Contact", 3, 1)
    deal = {"AccountId": record_id("Account", 1), "ContactId": record_id("Contact", 1), "CloseDate": "2026-06-01"}
    crm.put("Opportunity", 1, **deal, StageName="Closed Won", IsClosed=True, IsWon=True)
    crm.put("OpportunityHistory", 1, crm.now - 7200)
    crm.put("OpportunityHistory", 2, crm.now - 60, StageName="Closed Won")
    crm.put("Case", 1, Status="Closed", IsClosed=True)
    return crm


def hubspot() -> Portal:
    """A CRM with a company, three people of whom two are one, a deal that was won, and one that is open."""
    portal = Portal(page_rows=2, lacks={"deal_currency_code"})
    portal.put("companies", 1, portal.now - 7200, name="Made up")
    for number in (1, 2, 3):
        email = f"person{number}@example.org"
        portal.put("contacts", number, portal.now - 7200, email=email, associatedcompanyid="1")
    portal.merge("contacts", 3, 1)
    for number in (1, 2):
        portal.put("deals", number, portal.now - 7200, dealstage="proposal", amount="12.50", dealtype="newbusiness")
        portal.tables["deals"][number].contacts = [1]
    portal.put("deals", 1, portal.now - 3600, dealstage="closedwon", hs_is_closed="true", hs_is_closed_won="true")
    for number, (kind, value, group) in enumerate(FEEDBACK, start=1):
        said = {"hs_survey_id": kind, "hs_survey_type": kind, "hs_value": value, "hs_response_group": group}
        portal.put("feedback_submissions", number, portal.now - 3600, hs_contact_id="2", **said)
    portal.archive("feedback_submissions", len(FEEDBACK))
    return portal


def accepted(root: Path, company: str) -> list[Path]:
    """Pull, land and judge every stream of a company; gives what was accepted."""
    folder, found = DataFolder(root / "data"), []
    with Gate(folder, None) as gate:
        for stream in load_sources(write(root, company), folder.root).streams:
            contract = load_contract(stream.stream.system, stream.stream.stream)
            extract(stream, contract, folder, [DAY])
            (verdict,) = gate.judge([landed_extract(stream, contract, folder, DAY)])
            assert verdict.passed, (str(stream.stream), verdict.blocked_by)
            assert verdict.quarantined_rows == 0, str(stream.stream)
            found.append(folder.accepted_partition(stream.stream, DAY))
    return found


def test_what_a_crm_tells_counts(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, secret in CREDENTIALS.items():
        monkeypatch.setenv(f"SALESFORCE_{name.upper()}", secret)
    monkeypatch.setenv("HUBSPOT_TOKEN", ACCESS_TOKEN)
    with serving(salesforce()) as crm, serving(hubspot()) as hub:
        batches = accepted(warehouse.folder, COMPANY.format(salesforce=crm, hubspot=hub))
    objects = ("contact", "order", "ticket", "survey_answer", "survey_question")
    warehouse.night(batches=batches, select=" ".join(f"int_{each}__unioned" for each in objects), as_of=DAY)

    first, second, third = (record_id("Contact", number) for number in (1, 2, 3))
    assert warehouse.rows(
        "select contact_id, merged_into_contact_id as merged, is_deleted "
        "from intermediate.int_contact__unioned order by 1"
    ) == [
        {"contact_id": first, "merged": None, "is_deleted": False},
        {"contact_id": second, "merged": None, "is_deleted": False},
        {"contact_id": third, "merged": first, "is_deleted": True},
        {"contact_id": "1", "merged": None, "is_deleted": False},
        {"contact_id": "2", "merged": None, "is_deleted": False},
        {"contact_id": "3", "merged": "1", "is_deleted": True},
    ]
    assert warehouse.rows(
        "select order_id, contact_id, status, item_amount::varchar as amount, ordered_at::date::varchar as ordered "
        "from intermediate.int_order__unioned order by 1"
    ) == [
        {"order_id": record_id("Opportunity", 1), "contact_id": first, "status": "completed", "amount": "12.50"}
        | {"ordered": "2026-06-02"},
        {"order_id": "1", "contact_id": "1", "status": "completed", "amount": "12.50", "ordered": "2026-06-02"},
        {"order_id": "2", "contact_id": "1", "status": "open", "amount": "12.50", "ordered": "2026-06-02"},
    ]
    assert warehouse.rows("select requester_id, status from intermediate.int_ticket__unioned") == [
        {"requester_id": first, "status": "closed"}
    ]
    assert warehouse.rows(
        "select answers.answer_id, questions.metric, answers.score, questions.positive_values, answers.is_deleted "
        "from intermediate.int_survey_answer__unioned as answers "
        "inner join intermediate.int_survey_question__unioned as questions using (survey_question_key) order by 1"
    ) == [
        {"answer_id": "1", "metric": "nps", "score": 9.0, "positive_values": None, "is_deleted": False},
        {"answer_id": "2", "metric": "csat", "score": 1.0, "positive_values": "[2]", "is_deleted": False},
        {"answer_id": "3", "metric": "csat", "score": 2.0, "positive_values": "[2]", "is_deleted": False},
        {"answer_id": "4", "metric": "ces", "score": 6.0, "positive_values": None, "is_deleted": False},
        {"answer_id": "5", "metric": "other", "score": 3.0, "positive_values": None, "is_deleted": False},
        {"answer_id": "6", "metric": "nps", "score": 1.0, "positive_values": None, "is_deleted": True},
    ]
