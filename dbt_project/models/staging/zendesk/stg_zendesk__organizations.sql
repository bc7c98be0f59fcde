select
    id as organization_id,
    name,
    domain_names,
    external_id,
    created_at,
    updated_at,
    deleted_at,
    _source,
    _batch_id,
    _night,
    _extract_date,
    _file,
    _row,
    _op,
    _version_at
from {{ source('zendesk', 'organizations') }}
