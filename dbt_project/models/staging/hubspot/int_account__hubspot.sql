{#- Companies of HubSpot in our words. -#}
select
    company_id as account_id,
    name,
    parent_company_id as parent_account_id,
    company_type as account_type,
    industry,
    country,
    employees,
    annual_revenue,
    created_at,
    merged_into_id as merged_into_account_id,
    is_archived as is_deleted,
    updated_at,
    {{ version_columns() }}
from {{ ref('stg_hubspot__companies') }}
