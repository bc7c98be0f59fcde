{#- Actions of the canonical extract. -#}
select
    action_id,
    title,
    theme,
    touchpoint,
    owner_department,
    decided_at,
    shipped_at,
    cost,
    currency,
    coalesce(is_deleted, false) as is_deleted,
    updated_at,
    {{ version_columns() }}
from {{ ref('stg_canonical__action') }}
