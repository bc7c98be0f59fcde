{#- Other voices of every source system, as last known. Not here: how their versions were mapped (int_feedback__version). -#}
{{ config(
    touched_key=['source', 'feedback_id'],
    touches=['feedback_key'],
    touched_by="{{ new_versions('feedback', ['source', 'feedback_id']) }}"
) }}

with newest as (
    {{ newest_versions('int_feedback__version', ['source', 'feedback_id'], [
        'system', 'source_type', 'contact_id', 'channel', 'score', 'scale_min', 'scale_max', 'text', 'language', 'collected_by',
        'occurred_at', 'responded_at', 'is_deleted', 'updated_at'
    ]) }}
)

select
    {{ surrogate_key(['source', 'feedback_id']) }} as feedback_key,
    source,
    system,
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
    is_deleted or is_vanished as is_deleted,
    updated_at,
    _version_at
from newest
