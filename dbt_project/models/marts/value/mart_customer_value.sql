{#-
    What customers are worth and cost, month by month. What lives here: which figures of customers may be shown, their values and
    intervals. Not here: what is counted (int_customer_value__standing, int_customer_value__followed), single customers
    (fct_customer_month), cohorts.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    touched_key=['month_start'],
    touched_by="
        select month_start from {{ touched('int_customer_value__standing') }}
        union select month_start from {{ touched('int_customer_value__followed') }}
        union
        select cells.month_start from {{ this }} as cells
        cross join {{ night() }} as night
        where cells.is_complete_month <> ({{ month_end('cells.month_start') }} <= night.as_of)
    "
) }}

{%- set cell = 'month_start, segment, metric, method, member, currency, is_matured, numerator, denominator, n, margin' %}

with night as (
    select as_of from {{ night() }}
),

counted as (
    select
        month_start,
        segment,
        metric,
        method,
        'all' as member,
        currency,
        true as is_matured,
        numerator,
        denominator,
        n,
        cast(null as double) as margin
    from {{ ref('int_customer_value__standing') }}
    where {{ is_touched(['month_start']) }}
    union all
    select {{ cell }}
    from {{ ref('int_customer_value__followed') }}
    where {{ is_touched(['month_start']) }}
),

{#- Who is active, and who ever bought, is behind several metrics, in all and by currency. -#}
cells as (
    select
        {{ cell }},
        case
            when metric in (
                'active_customers', 'repeat_purchase_rate_365_days', 'contacts_per_100_active', 'cost_to_serve_per_active'
            ) then 'active'
            when metric in ('repeat_purchase_rate_lifetime', 'pareto_share_of_all_buyers') then 'ever'
        end as headcount,
        coalesce(currency, 'all') as currency_member
    from counted
    where n > 0
),

{#- One table of each headcount, so that all its metrics hide the same. -#}
headcounts as (
    select distinct
        month_start,
        headcount,
        currency_member,
        segment,
        n,
        {{ is_small('n') }} as hidden
    from cells
    where headcount is not null
),

{{ hide_in_table('headcounts', 'hidden_headcounts', ['month_start', 'headcount'], 'currency_member', 'segment', 'n') }},

{#- Other metrics are of some of these people: hidden where these are, in all or, an amount, in its currency. -#}
hidden_people as (
    select distinct month_start, segment, currency_member
    from hidden_headcounts
    where hidden
),

judged as (
    select
        {% for column in cell.split(', ') %}cells.{{ column }}, {% endfor %}
        {{ is_small('cells.n') }} or exists (
            select 1 from hidden_people
            where
                {{ equal_columns('hidden_people', 'cells', ['month_start', 'segment', 'currency_member']) }}
        ) as hidden
    from cells
    where cells.headcount is null
),

{{ hide_another('judged', 'hidden_others', cell.split(', '), ['month_start', 'metric', 'member', 'currency'], 'segment', 'n') }},

suppressed as (
    select {{ cell }}, hidden from hidden_others
    union all
    select
        {% for column in cell.split(', ') %}cells.{{ column }}, {% endfor %}
        hidden_headcounts.hidden
    from cells
    inner join hidden_headcounts
        on {{ equal_columns('hidden_headcounts', 'cells', ['month_start', 'headcount', 'currency_member', 'segment']) }}
),

valued as (
    select
        {{ cell }},
        hidden as is_suppressed,
        case
            when method = 'count' then numerator
            when method = 'mean' then numerator / denominator
            else {{ percent_value('numerator', 'denominator') }}
        end as value
    from suppressed
),

final as (
    select
        {{ surrogate_key(['valued.month_start', 'valued.segment', 'valued.metric', 'valued.member', "coalesce(valued.currency, '')"]) }} as customer_value_key,
        valued.month_start,
        valued.segment,
        valued.metric,
        valued.member,
        valued.currency,
        {%- set is_said = 'not valued.is_suppressed and valued.is_matured' %}
        case when {{ is_said }} then round(valued.numerator, 4) end as numerator,
        case when not valued.is_suppressed then round(valued.denominator, 4) end as denominator,
        cast(case when not valued.is_suppressed then valued.n end as bigint) as n,
        case when {{ is_said }} then round(valued.value, 4) end as value,
        {%- for name, sign in [('ci_low', '-'), ('ci_high', '+')] %}
        case when {{ is_said }} then round(case
            when valued.method = 'wilson' then {{ wilson_end('valued.numerator', 'valued.denominator', sign) }}
            else valued.value {{ sign }} valued.margin
        end, 4) end as {{ name }},
        {%- endfor %}
        valued.method,
        {{ month_end('valued.month_start') }} <= night.as_of as is_complete_month,
        valued.is_matured,
        valued.is_suppressed,
        valued.n < 30 as is_low_n
    from valued
    cross join night
)

select * from final
