{#- Organizations of the help desk in our words. -#}
select
    organization_id as account_id,
    external_id as external_account_id,
    name,
    created_at,
    deleted_at is not null as is_deleted,
    updated_at,
    {{ version_columns() }}
from {{ ref('stg_zendesk__organizations') }}
