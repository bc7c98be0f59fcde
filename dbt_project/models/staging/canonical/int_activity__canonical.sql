{#- Activities of the canonical extract. -#}
select
    activity_id,
    contact_id,
    account_id,
    order_id,
    activity_type,
    channel,
    direction,
    occurred_at,
    coalesce(is_deleted, false) as is_deleted,
    updated_at,
    {{ version_columns() }}
from {{ ref('stg_canonical__activity') }}
