{#- Accounts of the CRM in our words. -#}
select
    account_id,
    name,
    parent_id as parent_account_id,
    account_type,
    industry,
    billing_country as country,
    number_of_employees as employees,
    annual_revenue,
    created_date as created_at,
    master_record_id as merged_into_account_id,
    is_deleted,
    system_modstamp as updated_at,
    {{ version_columns() }}
from {{ ref('stg_salesforce__account') }}
