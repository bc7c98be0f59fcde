{#- Activities of every source system, as last known. Not here: how their versions were mapped (int_activity__version). -#}
{{ config(
    touched_key=['source', 'activity_id'],
    touches=['activity_key'],
    touched_by="{{ new_versions('activity', ['source', 'activity_id']) }}"
) }}

with newest as (
    {{ newest_versions('int_activity__version', ['source', 'activity_id'], [
        'system', 'contact_id', 'account_id', 'order_id', 'activity_type', 'channel', 'direction', 'occurred_at', 'is_deleted',
        'updated_at'
    ]) }}
)

select
    {{ surrogate_key(['source', 'activity_id']) }} as activity_key,
    source,
    system,
    activity_id,
    contact_id,
    account_id,
    order_id,
    activity_type,
    channel,
    direction,
    occurred_at,
    is_deleted or is_vanished as is_deleted,
    coalesce(updated_at, _version_at) as updated_at,
    _version_at
from newest
