{#- Contacts of every source system, as last known. Not here: how their versions were mapped (int_contact__version). -#}
{{ config(
    touched_key=['source', 'contact_id'],
    touches=['contact_key'],
    touched_by="{{ new_versions('contact', ['source', 'contact_id']) }}"
) }}

with newest as (
    {{ newest_versions('int_contact__version', ['source', 'contact_id'], [
        'system', 'account_id', 'external_contact_id', 'email', 'phone', 'mobile_phone', 'first_name', 'last_name', 'country',
        'language', 'segment', 'acquisition_source', 'has_opted_out', 'role', 'created_at', 'merged_into_contact_id',
        'is_deleted', 'updated_at'
    ]) }}
),

staff as (
    select distinct source, contact_id
    from {{ ref('int_contact__version') }}
    where is_staff_for_good and _op = 'upsert' and {{ is_touched(['source', 'contact_id']) }}
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
    case when (source, contact_id) in (select source, contact_id from staff) then 'agent' else coalesce(role, 'customer') end as role,
    created_at,
    merged_into_contact_id,
    is_deleted or is_vanished as is_deleted,
    coalesce(updated_at, _version_at) as updated_at,
    _version_at
from newest
