select
    id as admin_id,
    name,
    email,
    team_id,
    has_inbox_seat,
    _source,
    _batch_id,
    _night,
    _extract_date,
    _file,
    _row,
    _op,
    _version_at
from {{ source('intercom', 'admins') }}
