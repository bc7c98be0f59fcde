{#-
    Customers month by month: where they stood at its end, what they brought, what they cost. What lives here: lifecycle and lifetime value,
    and what the steps tell side by side. Not here: orders and amounts (int_customer_month__standing), ranks (int_customer_month__rank), which
    orders count (fct_order), shares and means (mart_customer_value), cohorts (mart_retention_cohort).

    A month is told from what was known to have happened by its end (the business date, in the month that is running), so a
    refund lowers the month of its order. Windows are years up to that end, by the calendar and not by 365 days: one for activity
    and revenue, two for RFM. Amounts are in the customer's own currency, that of their first counted order; others are
    counted, never added, and an order without a known amount is in no mean.

    How long those who are here will stay is told by those who left within a year, of all who were with us before it. Before the company
    has two whole years of orders these are only the ones who bought at its beginning, who buy most often: they leave
    least, and lifetimes come out twice too long, so nothing is said.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    touched_key=['customer_key', 'month_start'],
    touches=['cohort_month'],
    touched_by="{{ touched_customer_months() }}"
) }}

{%- set amount = 'decimal(38, 2)' %}

with months as (
    {{ months_of_lifetimes() }}
),

{#- The latest NPS answer of a month stands until the next month with one. -#}
nps_classes as (
    select customer_key, month_start, nps_class from {{ ref('int_customer_month__contact') }} where nps_class is not null
),

everybody as (
    select margin_rate, cost_per_contact, currency from {{ ref('value_parameters') }} where segment = '*'
),

valued as (
    select
        {%- for column in [
            'customer_key', 'month_start', 'has_contract', 'currency', 'orders', 'own_orders', 'net_amount', 'cumulative_orders',
            'cumulative_net_amount', 'last_ordered_on', 'last_ordered_before_on', 'orders_365_days', 'net_amount_365_days',
            'orders_730_days', 'net_amount_730_days', 'is_active', 'was_active'
        ] %}
        standings.{{ column }},
        {%- endfor %}
        months.is_complete_month,
        months.state_on,
        months.is_clv_matured,
        customers.is_referral,
        case when standings.cumulative_orders > 0 then customers.first_ordered_on end as first_ordered_on,
        segments.segment,
        cast(standings.cumulative_net_amount as double) / nullif(standings.cumulative_priced_orders, 0) as average_order_value,
        {{ orders_per_year(
            'standings.cumulative_own_orders', 'customers.first_ordered_on', 'standings.last_ordered_on', 'months.state_on', 'standings.is_active'
        ) }} as orders_per_year,
        {{ longevity_years(
            'customers.first_ordered_on', 'standings.last_ordered_on', 'standings.is_active', 'churn.left_in_a_year', 'churn.could_have_left'
        ) }} as longevity_years,
        coalesce(own_parameters.margin_rate, (select margin_rate from everybody)) as margin_rate,
        coalesce(own_parameters.cost_per_contact, (select cost_per_contact from everybody)) as cost_per_contact,
        case when own_parameters.cost_per_contact is not null then own_parameters.currency else (select currency from everybody) end as cost_currency
    from {{ ref('int_customer_month__standing') }} as standings
    inner join months on months.month_start = standings.month_start
    inner join {{ ref('int_customer_month__customer') }} as customers on customers.customer_key = standings.customer_key
    left join {{ ref('int_customer_month__segment') }} as segments
        on segments.customer_key = standings.customer_key and segments.month_start = standings.month_start
    left join {{ ref('int_customer_month__churn') }} as churn
        on months.is_clv_matured and churn.month_start = months.rate_month and churn.segment = segments.segment
    left join {{ ref('value_parameters') }} as own_parameters on own_parameters.segment = segments.segment
    where {{ is_touched(['standings.customer_key', 'standings.month_start']) }}
),

final as (
    select
        {{ surrogate_key(['valued.customer_key', 'valued.month_start']) }} as customer_month_key,
        valued.customer_key,
        valued.month_start,
        valued.is_complete_month,
        {{ month_of('valued.first_ordered_on') }} as cohort_month,
        coalesce(valued.segment, 'unknown') as segment,
        valued.is_referral,
        valued.has_contract,
        valued.currency,
        valued.orders,
        valued.orders - valued.own_orders as orders_other_currency,
        cast(valued.net_amount as {{ amount }}) as net_amount,
        valued.cumulative_orders,
        cast(valued.cumulative_net_amount as {{ amount }}) as cumulative_net_amount,
        valued.orders_365_days,
        cast(valued.net_amount_365_days as {{ amount }}) as net_amount_365_days,
        {{ lifecycle_state(
            'valued.cumulative_orders > 0', 'valued.orders > 0', 'valued.last_ordered_before_on is not null', 'valued.is_active', 'valued.was_active'
        ) }} as lifecycle_state,
        valued.is_active,
        valued.was_active and valued.is_active as is_retained,
        valued.was_active and not valued.is_active as is_churned,
        coalesce(contacts.contacts, 0) as contacts,
        round(coalesce(contacts.wait_seconds, 0) / 60.0, 4) as wait_minutes,
        coalesce(contacts.failures, 0) as failures,
        nps_classes.nps_class,
        cast({{ dbt.datediff('valued.last_ordered_on', 'valued.state_on', 'day') }} as integer) as recency_days,
        valued.orders_730_days as frequency,
        cast(valued.net_amount_730_days as {{ amount }}) as monetary,
        ranks.r_score,
        ranks.f_score,
        ranks.m_score,
        ranks.rfm_segment,
        ranks.pareto_rank,
        coalesce(ranks.is_top_20pct, false) as is_top_20pct,
        round(valued.average_order_value, 4) as average_order_value,
        round(valued.orders_per_year, 4) as orders_per_year,
        round(valued.longevity_years, 4) as longevity_years,
        round({{ clv_revenue('valued.average_order_value', 'valued.orders_per_year', 'valued.longevity_years') }}, 4) as clv_revenue,
        round({{ clv_revenue('valued.average_order_value', 'valued.orders_per_year', 'valued.longevity_years') }} * valued.margin_rate, 4) as clv_margin,
        valued.is_clv_matured,
        cast(coalesce(contacts.contacts, 0) * valued.cost_per_contact as {{ amount }}) as cost_to_serve,
        valued.cost_currency
    from valued
    left join {{ ref('int_customer_month__rank') }} as ranks on ranks.customer_key = valued.customer_key and ranks.month_start = valued.month_start
    left join {{ ref('int_customer_month__contact') }} as contacts
        on contacts.customer_key = valued.customer_key and contacts.month_start = valued.month_start
    asof left join nps_classes on nps_classes.customer_key = valued.customer_key and nps_classes.month_start <= valued.month_start
)

select * from final
