{#-
    Who of those that first bought in a month buys k months later, and what becomes of their contracts. What lives here: logo
    retention (recurring: bought in that very month), gross and net revenue retention. Not here: the customers' months
    (fct_customer_month), retention of everybody day by day (mart_kpi_daily).

    A cohort's segment is the one at the end of its first month: today's would put those who stayed into the loyal segments.
    Revenue is compared between the 365 days up to the end of the month and those up to the end of the same month a year before,
    of customers with a contract (a renewal, won or not), from the month in which both years lie within the cohort's life.

    Longer than 150 lines: customers and contracts of a cohort are hidden together, so they stand in one table, whose columns
    every step has to list.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    touched_key=['month_start'],
    touched_by="{{ touched_cohort_months() }}"
) }}

{%- set amount = 'decimal(38, 2)' %}

with night as (
    select currency from {{ night() }}
),

joined as (
    select customer_key, cohort_month, segment
    from {{ ref('fct_customer_month') }}
    where month_start = cohort_month
),

months as (
    select
        customer_key,
        month_start,
        {{ plus_months('month_start', -12) }} as year_before,
        is_complete_month,
        orders,
        currency,
        has_contract,
        net_amount_365_days
    from {{ ref('fct_customer_month') }}
    where cohort_month is not null and {{ is_touched(['month_start']) }}
),

contracts as (
    select
        months.customer_key,
        months.month_start,
        before.net_amount_365_days as start_amount,
        months.net_amount_365_days as end_amount
    from months
    inner join night on night.currency = months.currency
    inner join {{ ref('fct_customer_month') }} as before
        on before.customer_key = months.customer_key
        and before.month_start = months.year_before
    where months.has_contract and months.is_complete_month and before.net_amount_365_days > 0
),

members as (
    select
        joined.cohort_month,
        months.month_start,
        {{ dbt.datediff('joined.cohort_month', 'months.month_start', 'month') }} as k,
        joined.segment,
        months.is_complete_month,
        case when months.orders > 0 then 1 else 0 end as bought,
        contracts.start_amount,
        {{ kept_amount('contracts.start_amount', 'contracts.end_amount') }} as kept_amount,
        {{ expanded_amount('contracts.start_amount', 'contracts.end_amount') }} as expanded_amount,
        {{ contracted_amount('contracts.start_amount', 'contracts.end_amount') }} as contracted_amount,
        {{ churned_amount('contracts.start_amount', 'contracts.end_amount') }} as churned_amount
    from months
    inner join joined on joined.customer_key = months.customer_key
    left join contracts
        on contracts.customer_key = months.customer_key
        and contracts.month_start = months.month_start
        and {{ dbt.datediff('joined.cohort_month', 'months.month_start', 'month') }} >= {{ fewest_contract_months() }}
),

cells as (
    select
        cohort_month,
        month_start,
        k,
        case when grouping(segment) = 1 then 'all' else segment end as segment,
        is_complete_month,
        count(*) as customers,
        sum(bought) as retained,
        count(start_amount) as contract_customers,
        sum(start_amount) as start_amount,
        sum(case when start_amount is not null then kept_amount end) as kept_amount,
        sum(case when start_amount is not null then expanded_amount end) as expanded_amount,
        sum(case when start_amount is not null then contracted_amount end) as contracted_amount,
        sum(case when start_amount is not null then churned_amount end) as churned_amount
    from members
    group by grouping sets (
        (cohort_month, month_start, k, is_complete_month),
        (cohort_month, month_start, k, is_complete_month, segment)
    )
),

{%- set figures = [
    'k', 'is_complete_month', 'customers', 'retained', 'contract_customers', 'start_amount', 'kept_amount', 'expanded_amount',
    'contracted_amount', 'churned_amount'
] %}
{%- set cohort = ['cohort_month', 'month_start'] %}

small as (
    select
        {{ (cohort + ['segment'] + figures) | join(', ') }},
        {{ is_small('customers') }} as hidden
    from cells
),

{{ hide_another('small', 'hidden_customers', cohort + ['segment'] + figures, cohort, 'segment', 'customers') }},

{#- A segment hidden by its customers hides its contracts. -#}
small_contracts as (
    select
        {{ (cohort + ['segment'] + figures) | join(', ') }},
        hidden as is_suppressed,
        hidden or {{ is_small('contract_customers') }} as hidden
    from hidden_customers
),

{{ hide_another(
    'small_contracts', 'hidden_contracts', cohort + ['segment'] + figures + ['is_suppressed'], cohort, 'segment', 'contract_customers'
) }},

shown as (
    select
        {{ (cohort + ['segment'] + figures) | join(', ') }},
        is_suppressed,
        hidden as hides_amounts
    from hidden_contracts
),

final as (
    select
        {{ surrogate_key(['shown.cohort_month', 'shown.month_start', 'shown.segment']) }} as retention_cohort_key,
        shown.cohort_month,
        cast(shown.k as integer) as k,
        shown.month_start,
        shown.segment,
        shown.is_complete_month as is_complete_period,
        cast(case when not shown.is_suppressed then shown.customers end as bigint) as customers,
        {%- set is_shown = 'not shown.is_suppressed and shown.is_complete_month' %}
        cast(case when {{ is_shown }} then shown.retained end as bigint) as retained,
        case when {{ is_shown }} then round({{ percent_value('shown.retained', 'shown.customers') }}, 4) end as logo_retention,
        case when {{ is_shown }} then round({{ wilson_end('shown.retained', 'shown.customers', '-') }}, 4) end as ci_low,
        case when {{ is_shown }} then round({{ wilson_end('shown.retained', 'shown.customers', '+') }}, 4) end as ci_high,
        night.currency,
        cast(case when not shown.hides_amounts then nullif(shown.contract_customers, 0) end as bigint) as contract_customers,
        {%- for part in ['start', 'kept', 'expanded', 'contracted', 'churned'] %}
        cast(case when not shown.hides_amounts then shown.{{ part }}_amount end as {{ amount }}) as {{ part }}_net_amount,
        {%- endfor %}
        case when not shown.hides_amounts then round(
            {{ gross_revenue_retention('shown.start_amount', 'shown.contracted_amount', 'shown.churned_amount') }}, 4
        ) end as gross_revenue_retention,
        case when not shown.hides_amounts then round(
            {{ net_revenue_retention('shown.start_amount', 'shown.expanded_amount', 'shown.contracted_amount', 'shown.churned_amount') }}, 4
        ) end as net_revenue_retention,
        shown.is_suppressed,
        shown.customers < 30 as is_low_n
    from shown
    cross join night
)

select * from final
