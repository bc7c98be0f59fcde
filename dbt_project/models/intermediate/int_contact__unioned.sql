{{ config(
    touched_key=['source', 'contact_id'],
    touches=['contact_key'],
    touched_by="
        {{ new_rows('stg_salesforce__contact', ['_source', 'contact_id']) }}
        union {{ new_rows('stg_zendesk__users', ['_source', 'user_id']) }}
        union {{ new_rows('stg_canonical__contact', ['_source', 'contact_id']) }}
        union
        select _source, customer_unique_id from {{ ref('stg_olist__customers') }}
        where (_source, customer_id) in ({{ new_rows('stg_olist__customers', ['_source', 'customer_id']) }})
            and customer_unique_id is not null
    "
) }}

with salesforce_contacts as (
    {{ newest_versions('stg_salesforce__contact', ['contact_id'], [
        'account_id', 'email', 'phone', 'mobile_phone', 'first_name', 'last_name', 'mailing_country', 'language', 'segment',
        'lead_source', 'has_opted_out_of_email', 'created_date', 'master_record_id', 'is_deleted', 'system_modstamp'
    ]) }}
),

zendesk_users as (
    {{ newest_versions('stg_zendesk__users', ['user_id'], [
        'organization_id', 'external_id', 'email', 'phone', 'name', 'locale', 'role', 'created_at', 'active',
        'permanently_deleted', 'updated_at'
    ]) }}
),

{#- An agent who leaves becomes an end user of the help desk, which makes nobody a customer. -#}
desk_agents as (
    select distinct _source, user_id
    from {{ ref('stg_zendesk__users') }}
    where role in ('agent', 'admin') and _op = 'upsert' and {{ is_touched(['_source', 'user_id']) }}
),

canonical_contacts as (
    {{ newest_versions('stg_canonical__contact', ['contact_id'], [
        'account_id', 'external_contact_id', 'email', 'phone', 'first_name', 'last_name', 'country', 'language', 'segment',
        'acquisition_source', 'has_opted_out', 'role', 'created_at', 'merged_into_contact_id', 'is_deleted', 'updated_at'
    ]) }}
),

{#- The shop makes a customer record per order; the person is the unique id, gone when all of its records are. -#}
olist_customers as (
    {{ newest_versions('stg_olist__customers', ['customer_id'], ['customer_unique_id'],
        where='(_source, customer_id) in (select _source, customer_id from ' ~ ref('stg_olist__customers')
            ~ ' where ' ~ is_touched(['_source', 'customer_unique_id']) ~ ')') }}
),

olist_people as (
    select
        _source,
        customer_unique_id,
        max(_version_at) as _version_at,
        bool_and(is_vanished) as is_vanished
    from olist_customers
    where {{ is_touched(['_source', 'customer_unique_id']) }}
    group by _source, customer_unique_id
),

unioned as (
    select
        _source as source,
        'salesforce' as system,
        contact_id,
        account_id,
        cast(null as varchar) as external_contact_id,
        email,
        coalesce(phone, mobile_phone) as phone,
        mobile_phone,
        first_name,
        last_name,
        mailing_country as country,
        language,
        segment,
        lead_source as acquisition_source,
        has_opted_out_of_email as has_opted_out,
        'customer' as role,
        created_date as created_at,
        master_record_id as merged_into_contact_id,
        is_deleted or is_vanished as is_deleted,
        system_modstamp as updated_at,
        _version_at
    from salesforce_contacts
    union all
    select
        _source,
        'zendesk',
        user_id,
        organization_id,
        external_id,
        email,
        phone,
        null,
        case when strpos(name, ' ') > 0 then split_part(name, ' ', 1) end,
        case when strpos(name, ' ') > 0 then substr(name, strpos(name, ' ') + 1) else name end,
        null,
        lower(left(locale, 2)),
        null,
        null,
        null,
        case when (_source, user_id) in (select _source, user_id from desk_agents) then 'agent' else 'customer' end,
        created_at,
        null,
        not coalesce(active, true) or coalesce(permanently_deleted, false) or is_vanished,
        updated_at,
        _version_at
    from zendesk_users
    union all
    select
        _source,
        'canonical',
        contact_id,
        account_id,
        external_contact_id,
        email,
        phone,
        null,
        first_name,
        last_name,
        country,
        language,
        segment,
        acquisition_source,
        has_opted_out,
        case when role = 'agent' then 'agent' else 'customer' end,
        created_at,
        merged_into_contact_id,
        coalesce(is_deleted, false) or is_vanished,
        updated_at,
        _version_at
    from canonical_contacts
    union all
    select
        _source,
        'olist',
        customer_unique_id,
        null,
        null,
        null,
        null,
        null,
        null,
        null,
        'BR',
        'pt',
        null,
        null,
        null,
        'customer',
        null,
        null,
        is_vanished,
        _version_at,
        _version_at
    from olist_people
)

select
    {{ surrogate_key(['source', 'contact_id']) }} as contact_key,
    source,
    system,
    contact_id,
    account_id,
    external_contact_id,
    email,
    {{ personal_email('email') }} as personal_email,
    phone,
    mobile_phone,
    first_name,
    last_name,
    country,
    language,
    segment,
    acquisition_source,
    has_opted_out,
    role,
    created_at,
    merged_into_contact_id,
    is_deleted,
    updated_at,
    _version_at
from unioned
