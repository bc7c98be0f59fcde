{#-
    The first counted order of each customer. What lives here: which one it is, in a table of its own so that an order that moves moves
    the one that was first, and the one that is now, and none of the customer's others. Not here: which orders count (order_exclusion).
-#}
{{ config(
    touched_key=['customer_key'],
    touches=['order_key'],
    touched_by="
        select customer_key from {{ touched('int_order__customer') }} where customer_key <> -1
        union
        select customer_key from {{ ref('int_order__customer') }}
        where customer_key <> -1 and order_key in (select order_key from {{ touched('int_order__unioned') }})
    "
) }}

select customer_key, order_key
from (
    select
        owners.customer_key,
        orders.order_key,
        row_number() over (partition by owners.customer_key order by orders.ordered_at, orders.order_key) as order_no
    from {{ ref('int_order__customer') }} as owners
    inner join {{ ref('int_order__unioned') }} as orders on orders.order_key = owners.order_key
    where owners.customer_key <> -1 and {{ order_exclusion('orders') }} is null and {{ is_touched(['owners.customer_key']) }}
) as numbered
where order_no = 1
