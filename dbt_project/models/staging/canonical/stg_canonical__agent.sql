select
    agent_id,
    name,
    team,
    tier,
    is_automated,
    trained_on,
    is_deleted,
    updated_at,
    _source,
    _batch_id,
    _night,
    _extract_date,
    _file,
    _row,
    _op,
    _version_at
from {{ source('canonical', 'agent') }}
