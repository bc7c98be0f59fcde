{#-
    People of the help desk in our words: customers, and agents, whose ids are of one kind. An agent who leaves becomes a contact
    there, which makes nobody a customer.
-#}
with people as (
    select
        contact_id,
        company_id as account_id,
        unique_external_id as external_contact_id,
        email,
        phone,
        mobile,
        name,
        language,
        'customer' as role,
        false as is_staff_for_good,
        created_at,
        is_deleted,
        updated_at,
        {{ version_columns() }}
    from {{ ref('stg_freshdesk__contacts') }}
    union all by name
    select
        agent_id as contact_id,
        email,
        phone,
        mobile,
        name,
        language,
        'agent' as role,
        true as is_staff_for_good,
        created_at,
        false as is_deleted,
        updated_at,
        {{ version_columns() }}
    from {{ ref('stg_freshdesk__agents') }}
)

select
    contact_id,
    account_id,
    external_contact_id,
    email,
    coalesce(phone, mobile) as phone,
    mobile as mobile_phone,
    case when strpos(name, ' ') > 0 then split_part(name, ' ', 1) end as first_name,
    case when strpos(name, ' ') > 0 then substr(name, strpos(name, ' ') + 1) else name end as last_name,
    lower(left(language, 2)) as language,
    role,
    is_staff_for_good,
    created_at,
    is_deleted,
    updated_at,
    {{ version_columns(source='source') }}
from people
