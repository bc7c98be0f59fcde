"""Extracts of the CRM in Salesforce's shape: CSV of `queryAll`, deleted and merged records included."""

from __future__ import annotations

from sample_company.native import Stream
from sample_company.shopping import DEAL_TYPES, STAGES

NEW_COLUMN_DAY = 180
"""Days after the start from which contacts carry a column nobody announced."""

ACCOUNT = """
    crm_id('001', p.id) as "Id",
    coalesce(company_name.name, 'Household ' || head.last_name) as "Name",
    crm_id('001', case when parent.business then parent.id end) as "ParentId",
    case when a.business then 'Customer' else 'Household' end as "Type",
    case when a.business then list_extract(industries(), a.industry + 1) end as "Industry",
    case when a.business then a.revenue end as "AnnualRevenue",
    case when a.business
        then a.employees + case when a.edited_at < p.cutoff then 3 else 0 end end as "NumberOfEmployees",
    head.country_code as "BillingCountry",
    crm_id('005', a.id % 7) as "OwnerId",
    null::varchar as "MasterRecordId",
    coalesce(a.deleted_at < p.cutoff, false) as "IsDeleted",
    iso_ms(a.created_at) as "CreatedDate",
    iso_ms(greatest(
        latest([a.created_at, a.edited_at, a.deleted_at], p.cutoff),
        case when a.id = 0 then p.cutoff - interval 22 hour end
    )) as "SystemModstamp",
    kinds([
        case when new_today(a.edited_at, p.cutoff) then 'edited' end,
        case when a.deleted_at < p.cutoff then 'deleted' end
    ]) as _dirt
from picked as p
inner join account as a on a.id = p.id
inner join company_name on company_name.id = p.id
inner join who as head on head.id = a.head
left join account as parent on parent.id = a.parent
"""

CONTACT = """
    crm_id('003', p.id) as "Id",
    crm_id('001', w.account) as "AccountId",
    case
        when c.is_duplicate and w.mail = 0 and c.id % 2 = 0 then upper(w.email)
        when c.is_duplicate then 'privat.' || w.address
        when w.mail = 0 then address_at(w.email, w.id, w.mail, w.edited_at, p.cutoff)
        else w.email
    end as "Email",
    case when not c.is_duplicate
        then phone_at(w.phone, w.dial, w.phone_number, w.edited_at, p.cutoff) end as "Phone",
    case when c.is_duplicate or w.id % 4 = 0
        then phone_at((w.phone + 1) % 6, w.dial, w.phone_number, w.edited_at, p.cutoff) end as "MobilePhone",
    case when c.is_duplicate and c.id % 3 = 0
        then w.first_name[:1] || '.' else w.first_name end as "FirstName",
    case when w.formula then nth(formulas(), w.id) else w.last_name end as "LastName",
    w.country_code as "MailingCountry",
    w.language as "Language__c",
    list_extract(segments(), w.segment + 1) as "Segment__c",
    list_extract(lead_sources(), w.lead + 1) as "LeadSource",
    case when w.id % 5 = 0 then crm_id('0PK', w.id) end as "IndividualId",
    w.opted_out as "HasOptedOutOfEmail",
    case when c.merged_at < p.cutoff then crm_id('003', original.id) end as "MasterRecordId",
    coalesce(c.merged_at < p.cutoff or c.erased_at < p.cutoff, false) as "IsDeleted",
    iso_ms(c.created_at) as "CreatedDate",
    iso_ms(greatest(
        latest([c.created_at, c.edited_at, c.merged_at, c.erased_at], p.cutoff),
        case when c.id = 0 then p.cutoff - interval 22 hour end
    )) as "SystemModstamp",
    {new_column}
    kinds([
        case when w.mail = 1 then 'shared_inbox' end,
        case when w.mail = 2 and not c.is_duplicate then 'bad_email' end,
        case when w.mail = 3 and not c.is_duplicate then 'untidy_email' end,
        case when w.formula then 'formula' end,
        case when w.twin then 'same_name' end,
        case when w.phone between 1 and 4 and not c.is_duplicate then 'phone_format' end,
        case when c.is_duplicate then 'duplicate_contact' end,
        case when c.merged_at < p.cutoff then 'merged' end,
        case when c.erased_at < p.cutoff then 'deleted' end,
        case when new_today(c.edited_at, p.cutoff) then 'edited' end
    ]) as _dirt
from picked as p
inner join contact as c on c.id = p.id
inner join who as w on w.id = c.person
inner join contact as original on original.person = c.person and not original.is_duplicate
"""

DEAL_STATE = """
    case
        when d.closed_at < p.cutoff and d.won then 'Closed Won'
        when d.closed_at < p.cutoff then 'Closed Lost'
        when d.stage_3_at < p.cutoff then 'Negotiation'
        when d.stage_2_at < p.cutoff then 'Proposal'
        when d.stage_1_at < p.cutoff then 'Qualification'
        else 'Prospecting'
    end
"""

AMOUNT = "(d.amount * (100 - case when {bargained} then d.discount else 0 end) / 10000)::decimal(18, 2)"

OPPORTUNITY = f"""
    crm_id('006', p.id) as "Id",
    crm_id('001', d.account) as "AccountId",
    crm_id('003', d.contact) as "ContactId",
    company_name.name || ' – ' || list_extract(deal_types(), d.kind + 1) as "Name",
    {AMOUNT.format(bargained="d.stage_3_at < p.cutoff")} as "Amount",
    coalesce(shown(d.closed_at, p.cutoff)::date, date '1970-01-01' + d.expected::integer) as "CloseDate",
    {DEAL_STATE} as "StageName",
    coalesce(d.closed_at < p.cutoff, false) as "IsClosed",
    coalesce(d.closed_at < p.cutoff and d.won, false) as "IsWon",
    list_extract(deal_types(), d.kind + 1) as "Type",
    list_extract(lead_sources(), w.lead + 1) as "LeadSource",
    list_extract(currencies(), d.country + 1) as "CurrencyIsoCode",
    crm_id('005', d.account % 7) as "OwnerId",
    coalesce(d.deleted_at < p.cutoff, false) as "IsDeleted",
    iso_ms(d.created_at) as "CreatedDate",
    iso_ms(greatest(
        latest([d.created_at, d.stage_1_at, d.stage_2_at, d.stage_3_at, d.closed_at, d.deleted_at], p.cutoff),
        case when d.id = 0 then p.cutoff - interval 22 hour end
    )) as "SystemModstamp",
    kinds([
        case when d.deleted_at < p.cutoff then 'deleted' end,
        case when "CurrencyIsoCode" <> 'EUR' then 'other_currency' end
    ]) as _dirt
from picked as p
inner join deal as d on d.id = p.id
inner join who as w on w.id = d.person
inner join company_name on company_name.id = d.account
"""

OPPORTUNITY_HISTORY = f"""
    crm_id('008', p.id) as "Id",
    crm_id('006', s.deal) as "OpportunityId",
    list_extract(deal_stages(), s.stage + 1) as "StageName",
    {AMOUNT.format(bargained="s.stage >= 3")} as "Amount",
    case when s.stage >= 4 then s."at"::date else date '1970-01-01' + d.expected::integer end as "CloseDate",
    list_extract([10, 25, 50, 75, 0, 100], s.stage + 1) as "Probability",
    iso_ms(s."at") as "CreatedDate",
    crm_id('005', d.account % 7) as "CreatedById",
    false as "IsDeleted",
    []::varchar[] as _dirt
from picked as p
inner join stage as s on s.id = p.id
inner join deal as d on d.id = s.deal
"""

CASE = """
    crm_id('500', p.id) as "Id",
    lpad((c.id + 1)::varchar, 8, '0') as "CaseNumber",
    crm_id('001', w.account) as "AccountId",
    crm_id('003', c.contact) as "ContactId",
    case when c.origin = 2 then w.address end as "SuppliedEmail",
    list_extract(['Email', 'Phone', 'Web'], c.origin + 1) as "Origin",
    case
        when c.reason in (0, 2) then 'Problem' when c.reason = 1 then 'Complaint' else 'Question'
    end as "Type",
    list_extract(reasons(), c.reason + 1) as "Reason",
    case when c.escalated_at < p.cutoff then 'High' else 'Medium' end as "Priority",
    case
        when c.closed_at < p.cutoff then 'Closed'
        when c.escalated_at < p.cutoff then 'Escalated'
        else 'New'
    end as "Status",
    coalesce(c.escalated_at < p.cutoff, false) and not coalesce(c.closed_at < p.cutoff, false) as
        "IsEscalated",
    coalesce(c.closed_at < p.cutoff, false) as "IsClosed",
    c.closed_on_create and "IsClosed" as "IsClosedOnCreate",
    iso_ms(shown(c.closed_at, p.cutoff)) as "ClosedDate",
    null::varchar as "ParentId",
    null::varchar as "MasterRecordId",
    case when c.id % 5 = 0 then crm_id('00G', c.id % 3) else crm_id('005', c.id % 7) end as "OwnerId",
    iso_ms(c.created_at::timestamp + interval 2 day) as "SlaExitDate",
    coalesce(c.deleted_at < p.cutoff, false) as "IsDeleted",
    iso_ms(c.created_at) as "CreatedDate",
    iso_ms(latest([c.created_at, c.escalated_at, c.closed_at, c.deleted_at], p.cutoff)) as "SystemModstamp",
    kinds([case when c.deleted_at < p.cutoff then 'deleted' end]) as _dirt
from picked as p
inner join cases as c on c.id = p.id
inner join who as w on w.id = c.person
"""

WORDS = {"deal_types": DEAL_TYPES, "deal_stages": (*STAGES, "Closed Lost", "Closed Won")}
"""Lists the SQL above names."""

LOYALTY = "case when w.id % 3 = 0 then 'gold' else 'none' end as \"Loyalty_Tier__c\","

STREAMS = (
    Stream(
        "salesforce", "account", "csv.gz", "account", ("created_at", "edited_at", "deleted_at"), ("Id",),
        ACCOUNT,
        touched=0,
    ),
    Stream(
        "salesforce", "contact", "csv.gz", "contact", ("created_at", "edited_at", "merged_at", "erased_at"),
        ("Id",), CONTACT, touched=0,
    ),
    Stream(
        "salesforce", "opportunity", "csv.gz", "deal",
        ("created_at", "stage_1_at", "stage_2_at", "stage_3_at", "closed_at", "deleted_at"), ("Id",),
            OPPORTUNITY,
        touched=0,
    ),
    Stream("salesforce", "opportunity_history", "csv.gz", "stage", ("at",), ("Id",), OPPORTUNITY_HISTORY),
    Stream(
        "salesforce", "case", "csv.gz", "cases", ("created_at", "escalated_at", "closed_at", "deleted_at"),
        ("Id",), CASE,
    ),
)  # fmt: skip
