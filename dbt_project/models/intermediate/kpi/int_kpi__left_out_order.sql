{#-
    Counted orders that are not in every figure of orders and customers, because nobody knows whose they are or what was paid. What
    lives here: of which measure, and why (seed left_out_reasons). Not here: orders that are no purchase (fct_order).
-#}
{{ config(
    touched_key=['record_key'],
    touches=['measure', 'date_day'],
    touched_by="select order_key as record_key from {{ touched('fct_order') }}"
) }}

with orders as (
    select
        orders.order_key as record_key,
        {{ date_of_key('orders.ordered_date_key') }} as date_day,
        records.source,
        '' as part,
        {{ stream_of('order', 'orders.system') }} as stream,
        orders.no_customer_reason,
        orders.no_amount_reason
    from {{ ref('fct_order') }} as orders
    inner join {{ ref('int_order__unioned') }} as records on records.order_key = orders.order_key
    where orders.is_counted and {{ is_touched(['orders.order_key']) }}
),

left_out as (
    {%- for measure in states_of_orders() %}
    select record_key, '{{ measure }}' as measure, date_day, source, stream, part, no_customer_reason as reason
    from orders
    where no_customer_reason is not null
    union all
    {%- endfor %}
    select record_key, 'order_amount', date_day, source, stream, part, no_amount_reason
    from orders
    where no_amount_reason is not null
)

select
    record_key,
    measure,
    date_day,
    source,
    stream,
    part,
    reason
from left_out
