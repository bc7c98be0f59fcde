{{ config(
    touched_key=['source', 'action_id'],
    touches=['action_key'],
    touched_by="{{ new_rows('stg_canonical__action', ['_source', 'action_id']) }}"
) }}

with actions as (
    {{ newest_versions('stg_canonical__action', ['action_id'], [
        'title', 'theme', 'touchpoint', 'owner_department', 'decided_at', 'shipped_at', 'cost', 'currency', 'is_deleted',
        'updated_at'
    ]) }}
)

select
    {{ surrogate_key(['_source', 'action_id']) }} as action_key,
    _source as source,
    'canonical' as system,
    action_id,
    title,
    theme,
    touchpoint,
    owner_department,
    decided_at,
    shipped_at,
    cost,
    currency,
    coalesce(is_deleted, false) or is_vanished as is_deleted,
    updated_at,
    _version_at
from actions
