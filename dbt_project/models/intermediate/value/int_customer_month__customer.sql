{#-
    Since when a customer is known, and what their first order and contract say. What lives here: what no business date changes, so that
    months are told apart from it. Not here: who a customer is (dim_customer), where they stood (int_customer_month__standing).

    The first counted order ever gives the currency of all amounts. A renewal that was lost, or is still open, says as much of a
    contract as one that was won.
-#}
{{ config(
    touched_key=['customer_key'],
    touches=['known_on'],
    touched_by="
        select customer_key from {{ touched('int_customer__attributes') }}
        union select customer_key from {{ touched('fct_order') }} where customer_key <> -1
    "
) }}

with orders as (
    select
        customer_key,
        order_key,
        ordered_at,
        {{ date_of_key('ordered_date_key') }} as ordered_on,
        is_counted,
        order_type,
        currency
    from {{ ref('fct_order') }}
    where
        customer_key <> -1
        and ordered_date_key > 0
        and (is_counted or (order_type = 'renewal' and exclusion_reason <> 'deleted'))
        and {{ is_touched(['customer_key']) }}
),

first_orders as (
    select customer_key, ordered_on as first_ordered_on, currency
    from (
        select
            customer_key,
            ordered_on,
            currency,
            row_number() over (partition by customer_key order by ordered_at, order_key) as order_no
        from orders
        where is_counted
    ) as numbered
    where order_no = 1
),

contracts as (
    select customer_key, min(ordered_on) as contract_known_on
    from orders
    where order_type = 'renewal'
    group by customer_key
)

select
    attributes.customer_key,
    least(
        coalesce(attributes.acquired_on, first_orders.first_ordered_on),
        coalesce(first_orders.first_ordered_on, attributes.acquired_on)
    ) as known_on,
    first_orders.first_ordered_on,
    first_orders.currency,
    contracts.contract_known_on,
    attributes.is_referral
from {{ ref('int_customer__attributes') }} as attributes
left join first_orders on first_orders.customer_key = attributes.customer_key
left join contracts on contracts.customer_key = attributes.customer_key
where {{ is_touched(['attributes.customer_key']) }}
