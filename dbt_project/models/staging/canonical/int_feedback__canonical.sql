{#- Other voices of the canonical extract. -#}
select
    feedback_id,
    source_type,
    contact_id,
    channel,
    score,
    scale_min,
    scale_max,
    text,
    language,
    collected_by,
    occurred_at,
    responded_at,
    coalesce(is_deleted, false) as is_deleted,
    updated_at,
    {{ version_columns() }}
from {{ ref('stg_canonical__feedback') }}
