{{ config(
    touched_key=['source', 'contact_id'],
    touches=['contact_key'],
    touched_by="{{ new_versions('contact', ['source', 'contact_id']) }}"
) }}

{#- What each record says now, and what older versions of it said. -#}
with told as (
    select source, contact_id, email, phone, mobile_phone, country, false as is_former
    from {{ ref('int_contact__unioned') }}
    where {{ is_touched(['source', 'contact_id']) }}
    union all
    select source, contact_id, email, phone, mobile_phone, country, true
    from {{ ref('int_contact__version') }}
    where _op = 'upsert' and {{ is_touched(['source', 'contact_id']) }}
),

said as (
    select source, contact_id, email, phone, country, is_former from told
    union all
    select source, contact_id, null, mobile_phone, country, is_former from told
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
