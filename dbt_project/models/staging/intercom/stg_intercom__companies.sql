select
    id as company_id,
    company_id as external_id,
    name,
    industry,
    size as employees,
    remote_created_at,
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
from {{ source('intercom', 'companies') }}
