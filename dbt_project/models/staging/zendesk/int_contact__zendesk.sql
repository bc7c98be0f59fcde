{#- Users of the help desk in our words. An agent who leaves becomes an end user there, which makes nobody a customer. -#}
select
    user_id as contact_id,
    organization_id as account_id,
    external_id as external_contact_id,
    email,
    phone,
    case when strpos(name, ' ') > 0 then split_part(name, ' ', 1) end as first_name,
    case when strpos(name, ' ') > 0 then substr(name, strpos(name, ' ') + 1) else name end as last_name,
    lower(left(locale, 2)) as language,
    case when role in ('agent', 'admin') then 'agent' else 'customer' end as role,
    role in ('agent', 'admin') as is_staff_for_good,
    created_at,
    not coalesce(active, true) or coalesce(permanently_deleted, false) as is_deleted,
    updated_at,
    {{ version_columns() }}
from {{ ref('stg_zendesk__users') }}
