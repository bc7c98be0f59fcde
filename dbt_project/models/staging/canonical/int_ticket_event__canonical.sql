{#- Events of the canonical extract. -#}
select
    event_id,
    ticket_id,
    event_type,
    occurred_at,
    sequence,
    author_id,
    author_role as stated_role,
    is_public,
    from_value,
    to_value,
    true as is_told,
    coalesce(is_deleted, false) as is_deleted,
    updated_at,
    {{ version_columns() }}
from {{ ref('stg_canonical__ticket_event') }}
