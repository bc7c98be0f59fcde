{#- Contacts of HubSpot in our words. -#}
select
    contact_id,
    company_id as account_id,
    email,
    coalesce(phone, mobile_phone) as phone,
    mobile_phone,
    first_name,
    last_name,
    country,
    lower(left(language, 2)) as language,
    analytics_source as acquisition_source,
    has_opted_out_of_email as has_opted_out,
    created_at,
    merged_into_id as merged_into_contact_id,
    is_archived as is_deleted,
    updated_at,
    {{ version_columns() }}
from {{ ref('stg_hubspot__contacts') }}
