select
    mql_id,
    first_contact_date,
    landing_page_id,
    origin,
    _source,
    _batch_id,
    _night,
    _extract_date,
    _file,
    _row,
    _op,
    _version_at
from {{ source('olist', 'marketing_qualified_leads') }}
