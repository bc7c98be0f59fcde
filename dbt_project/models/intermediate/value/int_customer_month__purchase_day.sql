{#-
    What a customer had bought by the end of each day on which they bought. What lives here: running totals, of which a window of any
    length is the difference of two. Not here: at which days they are read (int_customer_month__standing), which orders count
    (fct_order).

    Amounts are in the currency of the customer's first order; `any_amount` adds those of all currencies and is only read where there
    is one. `other_currency_no` is the latest day with an order in a currency other than this day's: a window that
    begins after it holds one currency.
-#}
{{ config(
    touched_key=['customer_key'],
    touches=['ordered_on'],
    touched_by="
        select customer_key from {{ touched('fct_order') }} where customer_key <> -1
        union
        select customer_key from {{ touched('int_customer_month__customer') }}
    "
) }}

with days as (
    select
        orders.customer_key,
        {{ date_of_key('orders.ordered_date_key') }} as ordered_on,
        count(*) as orders,
        sum(case when orders.currency = customers.currency then 1 else 0 end) as own_orders,
        sum(case when orders.currency = customers.currency and orders.net_amount is not null then 1 else 0 end) as priced_orders,
        sum(case when orders.currency = customers.currency then orders.net_amount end) as own_amount,
        sum(orders.net_amount) as any_amount,
        case when count(distinct orders.currency) = 1 then min(orders.currency) end as currency
    from {{ ref('fct_order') }} as orders
    inner join {{ ref('int_customer_month__customer') }} as customers on customers.customer_key = orders.customer_key
    where orders.is_counted and orders.ordered_date_key > 0 and {{ is_touched(['orders.customer_key']) }}
    group by orders.customer_key, orders.ordered_date_key
),

numbered as (
    select
        customer_key,
        ordered_on,
        {{ day_of_calendar('ordered_on') }} as day_no,
        orders,
        own_orders,
        priced_orders,
        own_amount,
        any_amount,
        currency,
        lag(currency) over by_day as currency_before,
        lag({{ day_of_calendar('ordered_on') }}) over by_day as day_no_before
    from days
    window by_day as (partition by customer_key order by ordered_on)
)

select
    customer_key,
    ordered_on,
    day_no,
    cast(sum(orders) over so_far as integer) as orders,
    cast(sum(own_orders) over so_far as integer) as own_orders,
    cast(sum(priced_orders) over so_far as integer) as priced_orders,
    coalesce(sum(own_amount) over so_far, 0) as own_amount,
    coalesce(sum(any_amount) over so_far, 0) as any_amount,
    currency,
    case
        when currency is null then day_no
        else max(case when currency is distinct from currency_before then day_no_before end) over so_far
    end as other_currency_no
from numbered
window so_far as (partition by customer_key order by day_no rows unbounded preceding)
