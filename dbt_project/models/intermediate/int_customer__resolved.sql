{{ config(materialized='table') }}

{#- Where each merged record leads, in any number of steps; a record that leads nowhere known stays where it is. -#}
with recursive redirects as (
    select
        merged.source,
        merged.contact_id,
        merged.merged_into_contact_id as next_id
    from {{ ref('int_contact__unioned') }} as merged
    inner join {{ ref('int_contact__unioned') }} as surviving
        on merged.source = surviving.source
        and merged.merged_into_contact_id = surviving.contact_id
),

reachable as (
    select
        source,
        contact_id,
        next_id as reached_id
    from redirects
    union
    select
        reachable.source,
        reachable.contact_id,
        redirects.next_id
    from reachable
    inner join redirects
        on reachable.source = redirects.source
        and reachable.reached_id = redirects.contact_id
),

{#- The end of the chain; among records that were merged in a ring, the one with the lowest id. -#}
survivors as (
    select
        reachable.source,
        reachable.contact_id,
        coalesce(
            min(case when redirects.contact_id is null then reachable.reached_id end),
            min(case when rings.contact_id is not null then reachable.reached_id end)
        ) as survivor_id
    from reachable
    left join redirects
        on reachable.source = redirects.source
        and reachable.reached_id = redirects.contact_id
    left join reachable as rings
        on reachable.source = rings.source
        and reachable.reached_id = rings.contact_id
        and rings.contact_id = rings.reached_id
    group by reachable.source, reachable.contact_id
),

contacts as (
    select
        contacts.source,
        contacts.system,
        contacts.contact_id,
        contacts.contact_key,
        contacts.role,
        contacts.created_at,
        coalesce(survivors.survivor_id, contacts.contact_id) as survivor_id,
        survivors.survivor_id is not null as is_merged
    from {{ ref('int_contact__unioned') }} as contacts
    left join survivors
        on contacts.source = survivors.source
        and contacts.contact_id = survivors.contact_id
),

{#- A merged record is who its survivor is, so every rule asks the survivor. -#}
persons as (
    select
        contacts.source,
        contacts.system,
        contacts.contact_id,
        contacts.contact_key,
        contacts.role,
        contacts.is_merged,
        survivors.contact_key as survivor_key,
        survivors.personal_email,
        survivors.external_contact_id,
        survivors.is_deleted
    from contacts
    inner join {{ ref('int_contact__unioned') }} as survivors
        on contacts.source = survivors.source
        and contacts.survivor_id = survivors.contact_id
),

crm_ids as (
    select
        contact_id,
        min(survivor_key) as customer_key
    from persons
    where system = 'salesforce'
    group by contact_id
    having count(distinct survivor_key) = 1
),

crm_emails as (
    select
        personal_email,
        min(contact_key) as customer_key,
        count(*) as customers
    from persons
    where system = 'salesforce' and not is_merged and not is_deleted and personal_email is not null
    group by personal_email
),

matched as (
    select
        persons.contact_key,
        persons.source,
        persons.system,
        persons.contact_id,
        persons.survivor_key,
        persons.is_merged,
        persons.role,
        crm_ids.customer_key as customer_key_by_id,
        case when crm_emails.customers = 1 then crm_emails.customer_key end as customer_key_by_email,
        coalesce(crm_emails.customers > 1, false) as is_email_shared
    from persons
    left join crm_ids
        on persons.system <> 'salesforce'
        and {{ salesforce_id('persons.external_contact_id') }} = crm_ids.contact_id
    left join crm_emails
        on persons.system <> 'salesforce'
        and persons.personal_email = crm_emails.personal_email
)

select
    contact_key,
    source,
    system,
    contact_id,
    case
        when role = 'agent' then -1
        else coalesce(customer_key_by_id, customer_key_by_email, survivor_key)
    end as customer_key,
    case
        when role = 'agent' then 'none'
        when customer_key_by_id is not null then 'external_id'
        when customer_key_by_email is not null then 'email'
        when is_merged then 'vendor_merge'
        else 'own'
    end as match_rule,
    case
        when role = 'agent' then 'not_a_customer'
        when customer_key_by_id is not null or customer_key_by_email is not null then 'matched'
        when system = 'salesforce' then 'customer'
        when is_email_shared then 'ambiguous'
        else 'unmatched'
    end as match_status
from matched
