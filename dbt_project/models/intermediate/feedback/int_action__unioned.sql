{#- Actions of every source system, as last known. Not here: how their versions were mapped (int_action__version). -#}
{{ config(
    touched_key=['source', 'action_id'],
    touches=['action_key'],
    touched_by="{{ new_versions('action', ['source', 'action_id']) }}"
) }}

with newest as (
    {{ newest_versions('int_action__version', ['source', 'action_id'], [
        'system', 'title', 'theme', 'touchpoint', 'owner_department', 'decided_at', 'shipped_at', 'cost', 'currency',
        'is_deleted', 'updated_at'
    ]) }}
)

select
    {{ surrogate_key(['source', 'action_id']) }} as action_key,
    source,
    system,
    action_id,
    title,
    theme,
    touchpoint,
    owner_department,
    decided_at,
    shipped_at,
    cost,
    currency,
    is_deleted or is_vanished as is_deleted,
    updated_at,
    _version_at
from newest
