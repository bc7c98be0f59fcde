{#-
    Orders and deals with their milestones and amounts. What lives here: which of them count as a purchase, and what was
    late. Not here: who bought (int_order__customer), retention (models/marts/kpi).
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    touched_key=['order_key'],
    touches=['ordered_date_key', 'customer_key'],
    touched_by="
        select order_key from {{ touched('int_order__unioned') }}
        union select order_key from {{ touched('int_order__customer') }}
        union select order_key from {{ touched('int_order__first') }}
    "
) }}

with night as (
    select currency from {{ night() }}
),

orders as (
    select
        orders.order_key,
        orders.system,
        coalesce(customers.customer_key, -1) as customer_key,
        customers.no_customer_reason,
        {{ known_channel('orders.channel', 'channels') }} as channel,
        orders.order_type,
        orders.product,
        orders.status,
        orders.ordered_at,
        orders.shipped_at,
        orders.delivered_at,
        orders.promised_at,
        orders.cancelled_at,
        orders.returned_at,
        orders.item_amount,
        orders.freight_amount,
        orders.payment_amount,
        orders.refund_amount,
        coalesce(orders.currency, night.currency) as currency,
        night.currency as company_currency,
        {#- What went back of an order that came back is not nothing because nobody says it. #}
        (orders.returned_at is not null or orders.status = 'returned') and orders.refund_amount is null as is_refund_unknown,
        coalesce(orders.item_amount + coalesce(orders.freight_amount, 0), orders.payment_amount) as charged_amount,
        {{ order_exclusion('orders') }} as exclusion_reason,
        first_orders.order_key is not null as is_first
    from {{ ref('int_order__unioned') }} as orders
    cross join night
    left join {{ ref('int_order__customer') }} as customers on customers.order_key = orders.order_key
    left join {{ ref('int_order__first') }} as first_orders on first_orders.order_key = orders.order_key
    left join {{ ref('channels') }} as channels on channels.raw_channel = lower(orders.channel)
    where {{ is_touched(['orders.order_key']) }}
),

final as (
    select
        orders.order_key,
        orders.system,
        orders.customer_key,
        orders.channel,
        orders.order_type,
        orders.product,
        orders.status,
        orders.ordered_at,
        {{ local_date_key('orders.ordered_at') }} as ordered_date_key,
        orders.shipped_at,
        orders.delivered_at,
        orders.promised_at,
        orders.cancelled_at,
        orders.returned_at,
        orders.item_amount,
        orders.freight_amount,
        orders.payment_amount,
        orders.refund_amount,
        cast(
            case when not orders.is_refund_unknown then orders.charged_amount - coalesce(orders.refund_amount, 0) end as decimal(18, 2)
        ) as net_amount,
        orders.currency,
        orders.exclusion_reason is null as is_counted,
        orders.exclusion_reason,
        {{ local_date('orders.delivered_at') }} > {{ local_date('orders.promised_at') }} as is_late,
        orders.is_first,
        orders.status in ('placed', 'shipped', 'completed', 'returned') as is_won,
        orders.status = 'lost' as is_lost,
        orders.no_customer_reason,
        case
            when orders.charged_amount is null then 'no_amount'
            when orders.is_refund_unknown then 'unknown_refund'
            when orders.currency <> orders.company_currency then 'other_currency'
        end as no_amount_reason
    from orders
)

select * from final
