{#- Orders of every source system, as last known. Not here: how their versions were mapped (int_order__version). -#}
{{ config(
    touched_key=['source', 'order_id'],
    touches=['order_key'],
    touched_by="{{ new_versions('order', ['source', 'order_id']) }}"
) }}

with newest as (
    {{ newest_versions('int_order__version', ['source', 'order_id'], [
        'system', 'contact_id', 'account_id', 'status', 'ordered_at', 'shipped_at', 'delivered_at', 'promised_at',
        'cancelled_at', 'returned_at', 'item_amount', 'freight_amount', 'payment_amount', 'refund_amount', 'currency', 'channel',
        'order_type', 'product', 'created_at', 'is_deleted', 'updated_at'
    ]) }}
)

select
    {{ surrogate_key(['source', 'order_id']) }} as order_key,
    source,
    system,
    order_id,
    contact_id,
    account_id,
    status,
    ordered_at,
    shipped_at,
    delivered_at,
    promised_at,
    cancelled_at,
    returned_at,
    item_amount,
    freight_amount,
    payment_amount,
    refund_amount,
    currency,
    channel,
    order_type,
    product,
    created_at,
    is_deleted or is_vanished as is_deleted,
    updated_at,
    _version_at
from newest
