"""A Salesforce and a HubSpot, emulated, and the tables that Fivetran or Airbyte leave of the same records.

What lives here: the records, and the tables made of them as the tools document them; written without the product's
mappings. Not here: comparing the two (tests/integration/test_shipped_mappings.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from quality.contract.model import load_contract
from tests.emulator_kit import Row
from tests.hubspot_emulator import CHANGED, Portal, Record, instant
from tests.salesforce_emulator import OBJECTS, Crm, record_id
from tests.warehouse_kit import AIRBYTE, KINDS, SYNCED, extracted, synced, table

# Salesforce: no field for currencies, and nobody's privacy record.
_HIDDEN = {"CurrencyIsoCode", "IndividualId"}


def salesforce() -> Crm:
    """A CRM in which something is deleted, merged, empty and negative."""
    crm = Crm(page_rows=3, hidden=set(_HIDDEN))
    at = crm.now - 7200
    crm.put("Account", 1, at, Type="Customer", BillingCountry="Österreich", ParentId=record_id("Account", 2))
    crm.put("Account", 2, at + 1, AnnualRevenue=None, NumberOfEmployees=None, Name="O'Hara")
    for number, said in enumerate(
        (
            {"Phone": "+43 1 5", "MobilePhone": "0664 1", "MailingCountry": "AT", "Language__c": "de"},
            {"FirstName": "Ann", "LastName": "Lee", "HasOptedOutOfEmail": True, "LeadSource": "Web"},
            {"Email": None, "AccountId": None, "Segment__c": "gold"},
        ),
        start=1,
    ):
        crm.put("Contact", number, at + number, **said)
    crm.put("Contact", 4, at + 10, IsDeleted=True)
    crm.merge("Contact", 3, 1)
    crm.put("Opportunity", 1, at, ContactId=record_id("Contact", 1), CloseDate="2026-05-31", Type="Renewal")
    crm.put("Opportunity", 2, at + 5, StageName="Closed Won", IsClosed=True, IsWon=True, Amount=-3.75)
    crm.put("Opportunity", 3, at + 6, IsDeleted=True, Amount=None)
    crm.put("OpportunityHistory", 1, at, CloseDate="2026-06-01", Probability=12.5, Amount=1.5, IsDeleted=False)
    crm.put("OpportunityHistory", 2, at + 5, StageName="Closed Won", OpportunityId=record_id("Opportunity", 2))
    crm.put("Case", 1, at, Origin="Web", Priority="High", SuppliedEmail="ann@example.org", IsEscalated=True)
    crm.put("Case", 2, at + 7, IsClosed=True, Status="Closed", ClosedDate="2026-06-02T01:00:00.000+0000")
    crm.merge("Case", 2, 1)
    return crm


def _of_salesforce(name: str) -> dict[str, str]:
    """The fields of an object and their types in a warehouse; what the CRM does not have has no column."""
    columns = load_contract("salesforce", OBJECTS[name]).columns
    return {field: KINDS.get(each.type, "text") for field, each in columns.items() if field not in _HIDDEN}


def snake(name: str) -> str:
    """A name as Fivetran writes it."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower().replace("__", "_")


def fivetran_salesforce(crm: Crm) -> Iterator[str]:
    """Names in lower case, with underscores."""
    yield "create schema salesforce"
    for name, rows in crm.tables.items():
        columns = {snake(field): kind for field, kind in _of_salesforce(name).items()}
        own = {"system_modstamp": "timestamptz", "description": "text", "_fivetran_synced": "timestamptz"}
        told = ({**{snake(field): value for field, value in row.items()}, **synced()} for row in rows.values())
        yield from table(f"salesforce.{snake(name)}", {**columns, **own}, told)


def airbyte_salesforce(crm: Crm) -> Iterator[str]:
    """Salesforce's own names, beside Airbyte's."""
    yield "create schema airbyte"
    for name, rows in crm.tables.items():
        columns = {**AIRBYTE, **_of_salesforce(name), "SystemModstamp": "timestamptz", "MailingAddress": "jsonb"}
        yield from table(f"airbyte.{name}", columns, ({**row, **extracted()} for row in rows.values()))


# HubSpot: nobody has a second phone number, so no column was ever made for it.
_LACKS = {"mobilephone"}


def portal(archives: Iterable[tuple[str, int]] = ()) -> Portal:
    """An account in which something is merged twice, a deal went back and forth, and some records are archived."""
    portal = Portal(page_rows=3, lacks=set(_LACKS))
    portal.now -= 7200
    for number in range(1, 6):
        said = {"email": f"person{number}@example.org", "firstname": "Zoë", "country": "AT", "hs_email_optout": "true"}
        portal.put("contacts", number, **(said if number % 2 else {"lastname": "O'Hara", "associatedcompanyid": "1"}))
        portal.put("companies", number, name=f"Company {number}", annualrevenue="12.5", numberofemployees=str(number))
    for number, stages in enumerate((["open"], ["open", "won"], ["open", "won", "open", "lost"], ["open"], ["won"]), 1):
        for stage in stages:
            portal.now += 1
            is_won, is_closed = str(stage == "won").lower(), str(stage != "open").lower()
            closed = {"hs_is_closed": is_closed, "hs_is_closed_won": is_won, "closedate": instant(portal.now)}
            portal.put("deals", number, dealstage=stage, pipeline="sales", amount=f"{number}.25", **closed)
        portal.tables["deals"][number].contacts = [[], [3, 1], [5], [2], [1]][number - 1]
    for name in ("contacts", "companies", "deals"):
        portal.now += 5
        portal.merge(name, 4, 2)
        portal.now += 5
        portal.merge(name, 3, 2)
    for name, number in archives:
        portal.now += 5
        portal.archive(name, number)
    portal.now += 7200
    return portal


def _properties(name: str, record: Record) -> Row:
    made = {"id", "archived", "merged_into_id", "updated_at", "contact_id", "dealstage_history"}
    known = [*load_contract("hubspot", name).columns, CHANGED[name], "hs_merged_object_ids"]
    return {each: record.properties.get(each) for each in known if each not in made | _LACKS}


def fivetran_hubspot(portal: Portal) -> Iterator[str]:
    """A table of each object, whose properties are columns; rows of what is gone stay, and are marked."""
    yield "create schema hubspot"
    for name, singular in (("contacts", "contact"), ("companies", "company"), ("deals", "deal")):
        mark, key = "_fivetran_deleted" if name == "contacts" else "is_deleted", "deal_id" if name == "deals" else "id"
        renamed = {"dealstage": "deal_pipeline_stage_id", "pipeline": "deal_pipeline_id"}
        columns = {key: "bigint", mark: "boolean", "_fivetran_synced": "timestamptz", "property_fax": "text"}
        rows: list[Row] = []
        for number, record in portal.tables[name].items():
            told = {renamed.get(each, f"property_{each}"): it for each, it in _properties(name, record).items()}
            rows.append({**told, key: number, mark: bool(record.archived_at), **synced(record.archived_at or SYNCED)})
        for row in rows:
            columns |= {each: _hubspot_kind(name, each) for each in row if each not in columns}
        # What was merged away is marked some time later.
        rows += [{key: loser, mark: True, **synced()} for loser in portal.merged[name]]
        yield from table(f"hubspot.{singular}", columns, rows)
    of_deals = [(number, deal) for number, deal in portal.tables["deals"].items()]
    yield from table(
        "hubspot.deal_contact",
        {"deal_id": "bigint", "contact_id": "bigint", "type_id": "bigint", "_fivetran_synced": "timestamptz"},
        ({"deal_id": number, "contact_id": each, **synced()} for number, deal in of_deals for each in deal.contacts),
    )
    yield from table(
        "hubspot.deal_stage",
        {"deal_id": "bigint", "value": "text", "date_entered": "timestamptz", "_fivetran_synced": "timestamptz"},
        (
            {"deal_id": number, "value": each["value"], "date_entered": each["timestamp"], **synced()}
            for number, deal in of_deals
            for each in deal.stages
        ),
    )


def _hubspot_kind(name: str, column: str) -> str:
    """The type of a property's column; ids of others are text here, as HubSpot has them."""
    known = load_contract("hubspot", name).columns.get(column.removeprefix("property_"))
    if column.endswith("lastmodifieddate"):
        return "timestamptz"
    return KINDS.get(known.type, "text") if known else "text"


def airbyte_hubspot(portal: Portal) -> Iterator[str]:
    """A table of each stream, whose properties are one object; archived deals have a table of their own."""
    yield "create schema airbyte"
    base = {"id": "text", "properties": "jsonb", "properties_email": "text", "archived": "boolean"}
    columns = {**AIRBYTE, **base, "updatedAt": "timestamptz", "archivedAt": "timestamptz", "contacts": "jsonb"}
    for name in ("contacts", "companies", "deals", "deals_archived"):
        plural, archived = name.removesuffix("_archived"), name.endswith("_archived")
        rows = [
            {
                "id": number,
                "properties": _properties(plural, record),
                "archived": archived,
                "archivedAt": record.archived_at,
                "contacts": list(map(str, record.contacts)),
                **extracted(),
            }
            for number, record in portal.tables[plural].items()
            if archived <= bool(record.archived_at)
        ]
        yield from table(f"airbyte.{name}", columns, rows)
    changes = {**AIRBYTE, "dealId": "text", "property": "text", "value": "text", "timestamp": "timestamptz"}
    yield from table(
        "airbyte.deals_property_history",
        changes,
        (
            {"dealId": number, "property": "dealstage", **_only(each), **extracted()}
            for number, deal in portal.tables["deals"].items()
            for each in deal.stages
        ),
    )


def _only(stage: Row) -> Row:
    return {"value": stage["value"], "timestamp": stage["timestamp"]}
