select
    id as audit_id,
    ticket_id,
    author_id,
    created_at,
    events,
    via ->> '$.channel' as via_channel,
    _source,
    _batch_id,
    _night,
    _extract_date,
    _file,
    _row,
    _op,
    _version_at
from {{ source('zendesk', 'ticket_audits') }}
