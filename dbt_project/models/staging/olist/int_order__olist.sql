{#-
    Orders of the shop in our words, as last known: an order with its items, payments and products, and the person its customer
    record stands for. So this is no view of versions.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    touched_key=['source', 'order_id'],
    touched_by="
        {{ new_rows('stg_olist__orders', ['_source', 'order_id']) }}
        union {{ new_rows('stg_olist__order_items', ['_source', 'order_id']) }}
        union {{ new_rows('stg_olist__order_payments', ['_source', 'order_id']) }}
        union
        select _source, order_id from {{ ref('stg_olist__order_items') }}
        where (_source, product_id) in ({{ new_rows('stg_olist__products', ['_source', 'product_id']) }})
        union
        select _source, order_id from {{ ref('stg_olist__orders') }}
        where (_source, customer_id) in ({{ new_rows('stg_olist__customers', ['_source', 'customer_id']) }})
    "
) }}

with olist_orders as (
    {{ newest_versions('stg_olist__orders', ['_source', 'order_id'], [
        'customer_id', 'order_status', 'order_purchase_timestamp', 'order_delivered_carrier_date',
        'order_delivered_customer_date', 'order_estimated_delivery_date'
    ]) }}
),

olist_customers as (
    {{ newest_versions('stg_olist__customers', ['_source', 'customer_id'], ['customer_unique_id'],
        where='(_source, customer_id) in (select _source, customer_id from ' ~ ref('stg_olist__orders')
            ~ ' where ' ~ is_touched(['_source', 'order_id']) ~ ')') }}
),

order_items as (
    {{ newest_versions('stg_olist__order_items', ['_source', 'order_id', 'order_item_id'], ['price', 'freight_value', 'product_id'],
        where=is_touched(['_source', 'order_id'])) }}
),

order_payments as (
    {{ newest_versions('stg_olist__order_payments', ['_source', 'order_id', 'payment_sequential'], ['payment_value'],
        where=is_touched(['_source', 'order_id'])) }}
),

items_of_orders as (
    select
        _source,
        order_id,
        sum(price) as item_amount,
        sum(freight_value) as freight_amount
    from order_items
    where not is_vanished
    group by _source, order_id
),

olist_products as (
    {{ newest_versions('stg_olist__products', ['_source', 'product_id'], ['product_category_name'],
        where='(_source, product_id) in (select _source, product_id from order_items)') }}
),

{#- The category of the dearest item stands for the order. -#}
products_of_orders as (
    select _source, order_id, product
    from (
        select
            order_items._source,
            order_items.order_id,
            olist_products.product_category_name as product,
            row_number() over (
                partition by order_items._source, order_items.order_id
                order by order_items.price desc nulls last, order_items.order_item_id
            ) as place
        from order_items
        left join olist_products
            on olist_products._source = order_items._source
            and olist_products.product_id = order_items.product_id
        where not order_items.is_vanished
    ) as ranked
    where place = 1
),

payments_of_orders as (
    select
        _source,
        order_id,
        sum(payment_value) as payment_amount
    from order_payments
    where not is_vanished
    group by _source, order_id
)

select
    olist_orders.order_id,
    olist_customers.customer_unique_id as contact_id,
    case
        when olist_orders.order_status = 'delivered' then 'completed'
        when olist_orders.order_status in ('canceled', 'unavailable') then 'cancelled'
        when olist_orders.order_status = 'shipped' then 'shipped'
        when olist_orders.order_status in ('created', 'approved', 'invoiced', 'processing') then 'placed'
        else 'other'
    end as status,
    olist_orders.order_purchase_timestamp as ordered_at,
    olist_orders.order_delivered_carrier_date as shipped_at,
    olist_orders.order_delivered_customer_date as delivered_at,
    olist_orders.order_estimated_delivery_date as promised_at,
    {#- An order without items has no amount, which is not an amount of nothing. #}
    cast(items_of_orders.item_amount as decimal(18, 2)) as item_amount,
    cast(items_of_orders.freight_amount as decimal(18, 2)) as freight_amount,
    cast(payments_of_orders.payment_amount as decimal(18, 2)) as payment_amount,
    'BRL' as currency,
    'web' as channel,
    products_of_orders.product,
    olist_orders.order_purchase_timestamp as created_at,
    olist_orders.is_vanished as is_deleted,
    olist_orders._version_at as updated_at,
    {{ assembled_columns('olist_orders._version_at', 'olist_orders._source') }}
from olist_orders
left join olist_customers
    on olist_orders._source = olist_customers._source
    and olist_orders.customer_id = olist_customers.customer_id
left join items_of_orders
    on olist_orders._source = items_of_orders._source
    and olist_orders.order_id = items_of_orders.order_id
left join products_of_orders
    on olist_orders._source = products_of_orders._source
    and olist_orders.order_id = products_of_orders.order_id
left join payments_of_orders
    on olist_orders._source = payments_of_orders._source
    and olist_orders.order_id = payments_of_orders.order_id
