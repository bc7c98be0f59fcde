select
    id as company_id,
    name,
    domains,
    industry,
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
from {{ source('freshdesk', 'companies') }}
