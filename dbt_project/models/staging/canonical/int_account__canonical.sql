{#- Accounts of the canonical extract. -#}
select
    account_id,
    external_account_id,
    name,
    parent_account_id,
    account_type,
    industry,
    country,
    employees,
    annual_revenue,
    created_at,
    merged_into_account_id,
    coalesce(is_deleted, false) as is_deleted,
    updated_at,
    {{ version_columns() }}
from {{ ref('stg_canonical__account') }}
