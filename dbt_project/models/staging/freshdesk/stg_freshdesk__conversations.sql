select
    id as message_id,
    ticket_id,
    coalesce(kind, 'conversation') as kind,
    user_id,
    incoming as is_incoming,
    private as is_private,
    source as message_code,
    created_at,
    updated_at,
    _source,
    _batch_id,
    _night,
    _extract_date,
    _file,
    _row,
    _op,
    _version_at
from {{ source('freshdesk', 'conversations') }}
