{#-
    Where a customer stood at the end of each month, by what they had bought. What lives here: orders and amounts of the month, the year, the
    two years and the whole life up to its end, and whether they were active. Not here: the running totals these are read from
    (int_customer_month__purchase_day), what other customers say of it (int_customer_month__rank, int_customer_month__churn).

    In the month that is running the end is the business date. Windows reach back by the calendar: to the same day of another year.
-#}
{{ config(
    touched_key=['customer_key', 'month_start'],
    touched_by="{{ touched_standings() }}"
) }}

with night as (
    select as_of from {{ night() }}
),

customers as (
    select customer_key, known_on, currency, contract_known_on
    from {{ ref('int_customer_month__customer') }}
    cross join night
    where known_on <= night.as_of
),

bounds as (
    select coalesce(min(customers.known_on), max(night.as_of)) as first_day, max(night.as_of) as last_day
    from night
    left join customers on true
),

calendar as (
    {{ months_between('bounds', 'first_day', 'last_day') }}
),

ends as (
    select
        calendar.month_start,
        {{ plus_days('calendar.month_start', -1) }} as state_before_on,
        least({{ month_end('calendar.month_start') }}, night.as_of) as state_on,
        {{ state_day_no('calendar.month_start', 'night.as_of') }} as day_no,
        {{ day_of_calendar('calendar.month_start') }} - 1 as day_no_before
    from calendar
    cross join night
),

moments as (
    select
        customers.customer_key,
        customers.currency,
        ends.month_start,
        ends.state_before_on,
        ends.state_on,
        ends.day_no,
        ends.day_no_before,
        ends.day_no - {{ days_of_calendar(1) }} as year_ago_no,
        ends.day_no - {{ days_of_calendar(2) }} as two_years_ago_no,
        coalesce(customers.contract_known_on <= ends.state_on, false) as has_contract
    from customers
    inner join ends on ends.month_start >= {{ month_of('customers.known_on') }}
    where {{ is_touched(['customers.customer_key', 'ends.month_start']) }}
),

{#- The running totals at the four instants between which the windows lie. -#}
read_off as (
    select
        moments.customer_key,
        moments.currency,
        moments.month_start,
        moments.state_before_on,
        moments.state_on,
        moments.has_contract,
        now.ordered_on as last_ordered_on,
        before.ordered_on as last_ordered_before_on,
        case when now.other_currency_no is null or now.other_currency_no <= moments.year_ago_no then now.currency end as only_currency,
        coalesce(now.priced_orders, 0) as priced_orders,
        {%- for name in ['orders', 'own_orders', 'own_amount', 'any_amount'] %}
        {%- for instant in ['now', 'before', 'year_ago', 'two_years_ago'] %}
        coalesce({{ instant }}.{{ name }}, 0) as {{ name }}_{{ instant }}{{ ',' if not loop.last }}
        {%- endfor %}{{ ',' if not loop.last }}
        {%- endfor %}
    from moments
    {%- for instant, day_no in [
        ('now', 'day_no'), ('before', 'day_no_before'), ('year_ago', 'year_ago_no'), ('two_years_ago', 'two_years_ago_no')
    ] %}
    asof left join {{ ref('int_customer_month__purchase_day') }} as {{ instant }}
        on {{ instant }}.customer_key = moments.customer_key and {{ instant }}.day_no <= moments.{{ day_no }}
    {%- endfor %}
)

select
    customer_key,
    month_start,
    has_contract,
    case when orders_now > 0 then currency end as currency,
    orders_now - orders_before as orders,
    own_orders_now - own_orders_before as own_orders,
    own_amount_now - own_amount_before as net_amount,
    orders_now as cumulative_orders,
    own_orders_now as cumulative_own_orders,
    priced_orders as cumulative_priced_orders,
    own_amount_now as cumulative_net_amount,
    last_ordered_on,
    last_ordered_before_on,
    orders_now - orders_year_ago as orders_365_days,
    own_amount_now - own_amount_year_ago as net_amount_365_days,
    any_amount_now - any_amount_year_ago as any_amount_365_days,
    case when orders_now > orders_year_ago then only_currency end as only_currency_365_days,
    orders_now - orders_two_years_ago as orders_730_days,
    own_amount_now - own_amount_two_years_ago as net_amount_730_days,
    {{ is_active_on('last_ordered_on', 'state_on') }} as is_active,
    {{ is_active_on('last_ordered_before_on', 'state_before_on') }} as was_active
from read_off
