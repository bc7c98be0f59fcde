{#-
    What a customer bought up to the business date, and by which channel they come. What lives here: sums of orders and contacts. Not
    here: the segment they make (int_customer__segment).

    Money is compared in one currency only: whoever paid in several in the 365 days is judged by the number of orders.
-#}
{{ config(
    touched_key=['customer_key'],
    touched_by="
        select customer_key from {{ touched('fct_order') }}
        union select customer_key from {{ touched('fct_journey_event') }}
        union
        select orders.customer_key from {{ ref('fct_order') }} as orders
        cross join {{ night() }} as night
        where
            {%- for turn in [date_of_key('orders.ordered_date_key'), active_until(date_of_key('orders.ordered_date_key'))] %}
            {{ 'or ' if not loop.first }}(
                {{ turn }} > least(night.previous_as_of, night.as_of) and {{ turn }} <= greatest(night.previous_as_of, night.as_of)
            )
            {%- endfor %}
    "
) }}

with counted as (
    select
        orders.customer_key,
        orders.currency,
        orders.net_amount,
        {{ date_of_key('orders.ordered_date_key') }} as ordered_on,
        {{ is_active_on(date_of_key('orders.ordered_date_key'), 'night.as_of') }} as is_active
    from {{ ref('fct_order') }} as orders
    cross join {{ night() }} as night
    where
        orders.is_counted
        and orders.customer_key <> -1
        and orders.ordered_date_key <= {{ date_key('night.as_of') }}
        and {{ is_touched(['orders.customer_key']) }}
),

orders as (
    select
        customer_key,
        min(ordered_on) as first_ordered_on,
        max(ordered_on) as last_ordered_on,
        sum(case when is_active then 1 else 0 end) as orders_365_days,
        count(distinct case when is_active then currency end) as currencies,
        min(case when is_active then currency end) as currency,
        sum(case when is_active then net_amount end) as net_amount
    from counted
    group by customer_key
),

channels as (
    select customer_key, channel
    from (
        select
            customer_key,
            channel,
            row_number() over (partition by customer_key order by count(*) desc, channel) as popularity
        from {{ ref('fct_journey_event') }}
        where direction = 'inbound' and channel not in ('unknown', 'other') and customer_key <> -1 and {{ is_touched(['customer_key']) }}
        group by customer_key, channel
    ) as popular
    where popularity = 1
)

select
    coalesce(orders.customer_key, channels.customer_key) as customer_key,
    orders.first_ordered_on,
    orders.last_ordered_on,
    cast(orders.orders_365_days as integer) as orders_365_days,
    case when orders.currencies = 1 then orders.currency end as only_currency_365_days,
    case when orders.currencies = 1 then orders.net_amount end as net_amount_365_days,
    channels.channel as preferred_channel
from orders
full join channels on channels.customer_key = orders.customer_key
