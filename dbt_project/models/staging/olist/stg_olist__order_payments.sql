select
    order_id,
    payment_sequential,
    payment_type,
    payment_installments,
    payment_value,
    _source,
    _batch_id,
    _night,
    _extract_date,
    _file,
    _row,
    _op,
    _version_at
from {{ source('olist', 'order_payments') }}
