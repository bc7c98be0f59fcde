{#-
    Customers as records of the KPIs. What lives here: while they are active, kept and buying again, and when they came. Not
    here: which orders count (fct_order), customers month by month (fct_customer_month), values (int_kpi__cell).

    A customer is active for a year from each counted order (active_until), and buys again while two orders fall into that time.
    Retention compares a day with the one retention_days() before. Orders of unknown customers cannot be followed.
-#}
{{ config(
    touched_key=['customer_key'],
    touches=['measure', 'date_day', 'is_state', 'respondent'],
    touched_by="
        select customer_key from ({{ customer_days_moved_for_kpis() }}) as moved
        union {{ customers_of_another_country() }}
        union select customer_key from {{ touched('fct_order') }} where customer_key <> -1
        union select customer_key from {{ touched('dim_customer') }} where customer_key <> -1
    "
) }}

with orders as (
    select
        customer_key,
        {{ date_of_key('ordered_date_key') }} as ordered_on
    from {{ ref('fct_order') }}
    where is_counted and customer_key <> -1 and ordered_date_key > 0 and {{ is_touched(['customer_key']) }}
),

order_changes as (
    select customer_key, ordered_on as date_day, 1 as change from orders
    union all
    select customer_key, {{ active_until('ordered_on') }}, -1 from orders
),

orders_in_window as (
    select
        customer_key,
        date_day,
        sum(sum(change)) over (partition by customer_key order by date_day rows unbounded preceding) as orders
    from order_changes
    group by customer_key, date_day
),

{#- Days on which the number of orders in the window reaches a level or falls below it, and the spans between them. -#}
flips as (
    select
        levels.level,
        orders_in_window.customer_key,
        orders_in_window.date_day,
        orders_in_window.orders >= levels.level as is_reached,
        coalesce(
            lag(orders_in_window.orders) over (partition by levels.level, orders_in_window.customer_key order by orders_in_window.date_day)
            >= levels.level,
            false
        ) as was_reached
    from orders_in_window
    cross join (select 1 as level union all select 2) as levels
),

level_spans as (
    select
        level,
        customer_key,
        is_reached,
        date_day as from_date,
        {{ plus_days('lead(date_day) over (partition by level, customer_key order by date_day)', -1) }} as to_date
    from flips
    where is_reached <> was_reached
),

active_spans as (
    select customer_key, from_date, to_date from level_spans where level = 1 and is_reached
),

base_spans as (
    select
        customer_key,
        {{ plus_days('from_date', retention_days()) }} as from_date,
        {{ plus_days('to_date', retention_days()) }} as to_date
    from active_spans
),

spans as (
    select 'active' as measure, customer_key, from_date, to_date, 0 as positives, 1 as responses from active_spans
    union all
    select 'contact', customer_key, from_date, to_date, 0, 1 from active_spans
    union all
    select 'repeat', customer_key, from_date, to_date, 0, 1 from active_spans
    union all
    select 'repeat', customer_key, from_date, to_date, 1, 0 from level_spans where level = 2 and is_reached
    union all
    select 'retention', customer_key, from_date, to_date, 0, 1 from base_spans
    union all
    select
        'retention',
        base_spans.customer_key,
        greatest(base_spans.from_date, active_spans.from_date),
        least(base_spans.to_date, active_spans.to_date),
        1,
        0
    from base_spans
    inner join active_spans
        on active_spans.customer_key = base_spans.customer_key
        and active_spans.from_date <= base_spans.to_date
        and active_spans.to_date >= base_spans.from_date
),

{{ lasting_ctes('spans', ['measure', 'positives', 'responses']) }},

acquired as (
    select
        customers.customer_key,
        customers.acquired_date as date_day,
        case when attributes.is_referral then 1 else 0 end as positives
    from {{ ref('dim_customer') }} as customers
    inner join {{ ref('int_customer__attributes') }} as attributes on attributes.customer_key = customers.customer_key
    where
        customers.acquired_date is not null
        and customers.acquisition_source is not null
        and customers.status <> 'deleted'
        and {{ is_touched(['customers.customer_key']) }}
),

measured as (
    select
        customer_key,
        customer_key as respondent,
        measure,
        date_day,
        true as is_state,
        sign * positives as positives,
        sign * responses as responses,
        segment
    from lasting
    union all
    select
        acquired.customer_key,
        acquired.customer_key,
        'acquired',
        acquired.date_day,
        false,
        acquired.positives,
        1,
        coalesce(spells.segment, 'unknown')
    from acquired
    left join {{ ref('int_customer__segment_spell') }} as spells
        on spells.customer_key = acquired.customer_key
        and acquired.date_day between spells.from_date and spells.to_date
)

{{ kpi_records('measured', ['customer_key'], ['is_state', 'positives', 'responses', 'segment']) }}
