{#- Companies of Intercom in our words. -#}
select
    company_id as account_id,
    external_id as external_account_id,
    name,
    industry,
    employees,
    coalesce(remote_created_at, created_at) as created_at,
    false as is_deleted,
    updated_at,
    {{ version_columns() }}
from {{ ref('stg_intercom__companies') }}
