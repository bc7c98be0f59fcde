{#- Users and leads of Intercom in our words. A lead who becomes a user is merged into it. -#}
select
    contact_id,
    company_id as account_id,
    external_id as external_contact_id,
    email,
    phone,
    case when strpos(name, ' ') > 0 then split_part(name, ' ', 1) end as first_name,
    case when strpos(name, ' ') > 0 then substr(name, strpos(name, ' ') + 1) else name end as last_name,
    country,
    lower(left(language, 2)) as language,
    unsubscribed_from_emails as has_opted_out,
    'customer' as role,
    created_at,
    merged_into_id as merged_into_contact_id,
    merged_into_id is not null as is_deleted,
    updated_at,
    {{ version_columns() }}
from {{ ref('stg_intercom__contacts') }}
