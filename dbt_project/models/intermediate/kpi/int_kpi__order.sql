{#-
    Orders as records of the KPIs. What lives here: which order belongs to which measure, on which day. Not here: which orders
    count (fct_order), customers who come back (int_kpi__customer), values (int_kpi__cell).
-#}
{{ config(
    touched_key=['order_key'],
    touches=['measure', 'date_day', 'is_state', 'respondent'],
    touched_by="
        select order_key from {{ touched('fct_order') }}
        union select source_ref from {{ touched('fct_journey_event') }} where object = 'order'
        union {{ records_moved_by_customers(['order_key']) }}
    "
) }}

with orders as (
    select
        orders.order_key,
        orders.customer_key,
        coalesce(orders.channel, 'unknown') as channel,
        coalesce(orders.product, 'unknown') as product,
        {{ date_of_key('orders.ordered_date_key') }} as ordered_on,
        {{ local_date('orders.delivered_at') }} as delivered_on,
        orders.is_late,
        orders.returned_at is not null or orders.status = 'returned' as is_returned,
        case when orders.currency = night.currency then orders.net_amount end as net_amount
    from {{ ref('fct_order') }} as orders
    cross join {{ night() }} as night
    where orders.is_counted and {{ is_touched(['orders.order_key']) }}
),

event_journeys as (
    {{ journeys_of('order', 'orders', 'order_key') }}
),

counted as (
    select order_key, 'delivery' as measure, delivered_on as date_day, case when is_late then 0 else 1 end as positives, cast(null as decimal(28, 6)) as total
    from orders
    where is_late is not null
    union all
    select order_key, 'order_return', ordered_on, case when is_returned then 1 else 0 end, null
    from orders
    where ordered_on is not null
    union all
    select order_key, 'order_amount', ordered_on, 0, cast(net_amount as decimal(28, 6))
    from orders
    where ordered_on is not null and net_amount is not null
),

named as (
    select
        counted.order_key,
        counted.measure,
        counted.date_day,
        counted.positives,
        counted.total,
        orders.customer_key,
        {{ respondent('orders.customer_key', 'orders.order_key') }} as respondent,
        orders.channel,
        orders.product,
        coalesce(event_journeys.journey, 'none') as journey
    from counted
    inner join orders on orders.order_key = counted.order_key
    left join event_journeys on event_journeys.source_ref = counted.order_key
)

{{ kpi_records('named', ['order_key'], ['positives', 'total', 'channel', 'product', 'journey']) }}
