{{ config(
    touched_key=['source', 'contact_id'],
    touches=['contact_key'],
    touched_by="
        {{ new_rows('stg_salesforce__contact', ['_source', 'contact_id']) }}
        union {{ new_rows('stg_zendesk__users', ['_source', 'user_id']) }}
        union {{ new_rows('stg_canonical__contact', ['_source', 'contact_id']) }}
    "
) }}

{#- What each record says now, and what older versions of it said. -#}
with said as (
    select source, contact_id, email, phone, country, false as is_former
    from {{ ref('int_contact__unioned') }}
    where {{ is_touched(['source', 'contact_id']) }}
    union all
    select source, contact_id, null, mobile_phone, country, false
    from {{ ref('int_contact__unioned') }}
    where {{ is_touched(['source', 'contact_id']) }}
    union all
    select _source, contact_id, email, phone, mailing_country, true
    from {{ ref('stg_salesforce__contact') }}
    where _op = 'upsert' and {{ is_touched(['_source', 'contact_id']) }}
    union all
    select _source, contact_id, null, mobile_phone, mailing_country, true
    from {{ ref('stg_salesforce__contact') }}
    where _op = 'upsert' and {{ is_touched(['_source', 'contact_id']) }}
    union all
    select _source, user_id, email, phone, null, true
    from {{ ref('stg_zendesk__users') }}
    where _op = 'upsert' and {{ is_touched(['_source', 'user_id']) }}
    union all
    select _source, contact_id, email, phone, country, true
    from {{ ref('stg_canonical__contact') }}
    where _op = 'upsert' and {{ is_touched(['_source', 'contact_id']) }}
),

spelled as (
    select
        said.source,
        said.contact_id,
        'email' as kind,
        addresses.spelled as value,
        {{ is_personal_email('addresses.spelled') }} as is_personal,
        said.is_former
    from said
    inner join {{ source('night', 'email_addresses') }} as addresses on addresses.raw = said.email
    where addresses.spelled is not null
    union all
    select
        said.source,
        said.contact_id,
        'phone',
        numbers.e164,
        numbers.e164 not in (select value from {{ ref('identity_exclusions') }} where kind = 'phone'),
        said.is_former
    from said
    inner join {{ source('night', 'phone_numbers') }} as numbers
        on numbers.raw = said.phone
        and numbers.country = coalesce(said.country, '')
    where numbers.e164 is not null
)

select
    {{ surrogate_key(['source', 'contact_id']) }} as contact_key,
    source,
    contact_id,
    kind,
    value,
    bool_and(is_personal) as is_personal,
    bool_and(is_former) as is_former
from spelled
group by source, contact_id, kind, value
