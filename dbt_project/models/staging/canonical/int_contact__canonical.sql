{#- Contacts of the canonical extract. -#}
select
    contact_id,
    account_id,
    external_contact_id,
    email,
    phone,
    first_name,
    last_name,
    country,
    language,
    segment,
    acquisition_source,
    has_opted_out,
    case when role = 'agent' then 'agent' else 'customer' end as role,
    created_at,
    merged_into_contact_id,
    coalesce(is_deleted, false) as is_deleted,
    updated_at,
    {{ version_columns() }}
from {{ ref('stg_canonical__contact') }}
