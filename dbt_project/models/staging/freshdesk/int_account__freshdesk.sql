{#- Companies of the help desk in our words. Of one that is deleted it tells nothing. -#}
select
    company_id as account_id,
    name,
    industry,
    created_at,
    false as is_deleted,
    updated_at,
    {{ version_columns() }}
from {{ ref('stg_freshdesk__companies') }}
