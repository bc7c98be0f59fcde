{{ config(
    touched_key=['source', 'feedback_id'],
    touches=['feedback_key'],
    touched_by="{{ new_rows('stg_canonical__feedback', ['_source', 'feedback_id']) }}"
) }}

with feedback as (
    {{ newest_versions('stg_canonical__feedback', ['feedback_id'], [
        'source_type', 'contact_id', 'channel', 'score', 'scale_min', 'scale_max', 'text', 'language', 'collected_by',
        'occurred_at', 'responded_at', 'is_deleted', 'updated_at'
    ]) }}
)

select
    {{ surrogate_key(['_source', 'feedback_id']) }} as feedback_key,
    _source as source,
    'canonical' as system,
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
    coalesce(is_deleted, false) or is_vanished as is_deleted,
    updated_at,
    _version_at
from feedback
