{{ config(materialized='table') }}

with accounts as (
    select
        records.source,
        records.account_id,
        resolved.resolved_account_key as account_key
    from {{ ref('int_account__unioned') }} as records
    inner join {{ ref('int_account__resolved') }} as resolved on resolved.account_key = records.account_key
),

named as materialized (
    select
        contacts.contact_key,
        contacts.source,
        contacts.system,
        contacts.contact_id,
        contacts.external_contact_id,
        contacts.is_deleted,
        contacts.created_at,
        {{ folded_name('contacts.first_name', 'contacts.last_name') }} as full_name,
        accounts.account_key
    from {{ ref('int_contact__unioned') }} as contacts
    left join accounts on accounts.source = contacts.source and accounts.account_id = contacts.account_id
    where contacts.role <> 'agent'
),

{#- An initial stands for the one name of its account that it fits; where it fits several it stays an initial. -#}
initials as (
    select
        shortened.account_key,
        shortened.full_name as short_name,
        min(others.full_name) as full_name
    from named as shortened
    inner join named as others
        on others.account_key = shortened.account_key
        and left(others.full_name, 1) = left(shortened.full_name, 1)
        and substr(others.full_name, strpos(others.full_name, ' ')) = substr(shortened.full_name, 2)
    where strpos(shortened.full_name, ' ') = 2 and strpos(others.full_name, ' ') > 2
    group by shortened.account_key, shortened.full_name
    having count(distinct others.full_name) = 1
),

contacts as (
    select
        named.contact_key as node_key,
        true as is_contact,
        named.source,
        named.system,
        named.contact_id,
        named.external_contact_id as named_id,
        cast(null as varchar) as personal_email,
        {{ is_crm('named.source') }} as is_crm,
        not named.is_deleted as is_live,
        coalesce(initials.full_name, named.full_name) as full_name,
        named.account_key,
        named.created_at
    from named
    left join initials on initials.account_key = named.account_key and initials.short_name = named.full_name
),

{#- Those with a contact record of their own, an agent's included, are that record. -#}
respondents as (
    select distinct
        respondents.respondent_key as node_key,
        false as is_contact,
        respondents.source,
        'none' as system,
        cast(null as varchar) as contact_id,
        respondents.contact_id as named_id,
        respondents.personal_email,
        false as is_crm,
        true as is_live,
        cast(null as varchar) as full_name,
        cast(null as bigint) as account_key,
        cast(null as timestamptz) as created_at
    from {{ ref('int_identity__respondent') }} as respondents
    anti join {{ ref('int_contact__unioned') }} as contacts
        on contacts.source = respondents.source
        and contacts.contact_id = respondents.contact_id
)

select
    node_key,
    is_contact,
    source,
    system,
    contact_id,
    named_id,
    personal_email,
    is_crm,
    is_live,
    full_name,
    account_key,
    created_at
from contacts
union all
select
    node_key,
    is_contact,
    source,
    system,
    contact_id,
    named_id,
    personal_email,
    is_crm,
    is_live,
    full_name,
    account_key,
    created_at
from respondents
