{#-
    What customers are worth and cost, month by month. What lives here: repeat purchases, revenue concentration, revenue and
    retention after a score, contacts and their cost, referrals. Not here: single customers (fct_customer_month), cohorts.

    The score comes before the spending: those who stood as promoters at the end of a month are watched for the 90 days that
    follow it, and nothing is said before these have passed.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    touched_key=['month_start'],
    touched_by="{{ touched_value_months() }}"
) }}

{%- set measures = [
    {'metric': 'active_customers', 'method': 'count', 'numerator': 'active', 'denominator': 'cast(null as bigint)', 'n': 'active'},
    {'metric': 'repeat_purchase_rate_365_days', 'method': 'wilson', 'numerator': 'repeat_365_days', 'denominator': 'active', 'n': 'active'},
    {'metric': 'repeat_purchase_rate_lifetime', 'method': 'wilson', 'numerator': 'repeat_lifetime', 'denominator': 'ever', 'n': 'ever'},
    {'metric': 'contacts_per_100_active', 'method': 'ratio', 'numerator': 'contacts', 'denominator': 'active', 'n': 'active'},
    {'metric': 'referral_share', 'method': 'wilson', 'numerator': 'referred', 'denominator': 'joined', 'n': 'joined'},
] %}
{%- set cell = 'month_start, segment, metric, method, member, currency, is_matured, numerator, denominator, n, margin' %}
{%- set segment_or_all = "case when grouping(segment) = 1 then 'all' else segment end" %}

with night as (
    select as_of from {{ night() }}
),

customers as (
    select
        months.customer_key,
        months.month_start,
        months.segment,
        months.currency,
        months.is_active,
        months.recency_days,
        months.orders_365_days,
        months.net_amount_365_days,
        months.cumulative_orders,
        months.contacts,
        months.cost_to_serve,
        months.cost_currency,
        months.nps_class,
        months.has_contract,
        months.cohort_month,
        case when months.lifecycle_state = 'new' then 1 else 0 end as is_new,
        case when months.lifecycle_state = 'new' and months.is_referral then 1 else 0 end as is_new_by_referral,
        {{ month_end('months.month_start') }} as month_end,
        {{ plus_days(month_end('months.month_start'), following_days()) }} <= night.as_of as is_followed
    from {{ ref('fct_customer_month') }} as months
    cross join night
    where {{ is_touched(['months.month_start']) }}
),

counts as (
    select
        month_start,
        {{ segment_or_all }} as segment,
        sum(case when is_active then 1 else 0 end) as active,
        sum(case when is_active and orders_365_days >= 2 then 1 else 0 end) as repeat_365_days,
        sum(case when cumulative_orders >= 1 then 1 else 0 end) as ever,
        sum(case when cumulative_orders >= 2 then 1 else 0 end) as repeat_lifetime,
        sum(contacts) as contacts,
        sum(is_new) as joined,
        sum(is_new_by_referral) as referred
    from customers
    group by grouping sets ((month_start), (month_start, segment))
),

costs as (
    select
        month_start,
        {{ segment_or_all }} as segment,
        cost_currency as currency,
        sum(cost_to_serve) as cost_to_serve,
        sum(case when is_active then 1 else 0 end) as active
    from customers
    where cost_to_serve is not null
    group by grouping sets ((month_start, cost_currency), (month_start, cost_currency, segment))
),

{#- Twice the ranking: within a segment and within everybody; `base` has those who never bought in the window too. -#}
buyers as (
    select month_start, segment, currency, customer_key, greatest(net_amount_365_days, 0) as revenue
    from customers
    where cumulative_orders > 0
    union all
    select month_start, 'all', currency, customer_key, greatest(net_amount_365_days, 0)
    from customers
    where cumulative_orders > 0
),

ranked_buyers as (
    select
        month_start,
        segment,
        currency,
        revenue,
        row_number() over (partition by month_start, segment, currency order by revenue desc, customer_key) as place,
        sum(case when revenue > 0 then 1 else 0 end) over (partition by month_start, segment, currency) as with_revenue,
        count(*) over (partition by month_start, segment, currency) as with_orders
    from buyers
),

concentration as (
    select
        month_start,
        segment,
        currency,
        with_revenue,
        with_orders,
        sum(case when {{ is_top_fifth('place', 'with_revenue') }} then revenue else 0 end) as top_revenue,
        sum(case when {{ is_top_fifth('place', 'with_orders') }} then revenue else 0 end) as top_revenue_of_all,
        sum(revenue) as revenue
    from ranked_buyers
    group by month_start, segment, currency, with_revenue, with_orders
),

scored as (
    select customer_key, month_start, segment, currency, is_active, recency_days, nps_class, month_end, is_followed
    from customers
    where nps_class is not null
),

followed as (
    select
        scored.customer_key,
        scored.month_start,
        scored.segment,
        scored.currency,
        scored.nps_class,
        scored.is_active,
        scored.is_followed,
        case
            when {{ is_active_on(
                plus_days('scored.month_end', '-scored.recency_days'), plus_days('scored.month_end', following_days())
            ) }} or count(orders.order_key) > 0 then 1
            else 0
        end as is_active_after,
        coalesce(sum(case when orders.currency = scored.currency then orders.net_amount end), 0) as spent
    from scored
    left join {{ ref('fct_order') }} as orders
        on orders.customer_key = scored.customer_key
        and orders.is_counted
        and {{ date_of_key('orders.ordered_date_key') }} > scored.month_end
        and {{ date_of_key('orders.ordered_date_key') }} <= {{ plus_days('scored.month_end', following_days()) }}
    group by
        scored.customer_key, scored.month_start, scored.segment, scored.currency, scored.nps_class, scored.is_active,
        scored.is_followed, scored.recency_days, scored.month_end
),

{#- Revenue under contract a year before and now, of those whose life covers both years; the segment is that of a year before. -#}
contracts as (
    select
        months.month_start,
        before.segment,
        months.currency,
        before.net_amount_365_days as start_amount,
        {{ expanded_amount('before.net_amount_365_days', 'months.net_amount_365_days') }} as expanded_amount,
        {{ contracted_amount('before.net_amount_365_days', 'months.net_amount_365_days') }} as contracted_amount,
        {{ churned_amount('before.net_amount_365_days', 'months.net_amount_365_days') }} as churned_amount
    from customers as months
    inner join {{ ref('fct_customer_month') }} as before
        on before.customer_key = months.customer_key
        and before.month_start = {{ plus_months('months.month_start', -12) }}
    cross join night
    where
        months.has_contract
        and months.month_end <= night.as_of
        and before.net_amount_365_days > 0
        and months.cohort_month <= {{ plus_months('months.month_start', '-' ~ fewest_contract_months() | trim) }}
),

revenue_retention as (
    select
        month_start,
        {{ segment_or_all }} as segment,
        currency,
        count(*) as n,
        sum(start_amount) as start_amount,
        sum(start_amount - contracted_amount - churned_amount) as gross_amount,
        sum(start_amount + expanded_amount - contracted_amount - churned_amount) as net_amount
    from contracts
    group by grouping sets ((month_start, currency), (month_start, currency, segment))
),

measured as (
    {%- for measure in measures %}
    select
        month_start,
        segment,
        '{{ measure.metric }}' as metric,
        '{{ measure.method }}' as method,
        'all' as member,
        cast(null as varchar) as currency,
        true as is_matured,
        cast({{ measure.numerator }} as double) as numerator,
        cast({{ measure.denominator }} as double) as denominator,
        cast({{ measure.n }} as bigint) as n,
        cast(null as double) as margin
    from counts
    union all
    {%- endfor %}
    select month_start, segment, 'cost_to_serve_per_active', 'mean', 'all', currency, true, cast(cost_to_serve as double), cast(active as double), active, null
    from costs
    union all
    select month_start, segment, 'pareto_share', 'ratio', 'all', currency, true, cast(top_revenue as double), cast(revenue as double), with_revenue, null
    from concentration
    union all
    select month_start, segment, 'pareto_share_of_all_buyers', 'ratio', 'all', currency, true, cast(top_revenue_of_all as double), cast(revenue as double), with_orders, null
    from concentration
    union all
    select month_start, segment, 'gross_revenue_retention', 'ratio', 'all', currency, true, cast(gross_amount as double), cast(start_amount as double), n, null
    from revenue_retention
    union all
    select month_start, segment, 'net_revenue_retention', 'ratio', 'all', currency, true, cast(net_amount as double), cast(start_amount as double), n, null
    from revenue_retention
    union all
    select
        month_start,
        {{ segment_or_all }},
        'retention_90_days_after',
        'wilson',
        nps_class,
        null,
        is_followed,
        cast(sum(is_active_after) as double),
        cast(count(*) as double),
        count(*),
        null
    from followed
    where is_active
    group by grouping sets ((month_start, is_followed, nps_class), (month_start, is_followed, nps_class, segment))
    union all
    select
        month_start,
        {{ segment_or_all }},
        'net_amount_90_days_after',
        'mean',
        nps_class,
        currency,
        is_followed,
        cast(sum(spent) as double),
        cast(count(*) as double),
        count(*),
        {{ sample_mean_margin(sum_of_units('cast(spent * 100 as decimal(19, 0))'), sum_of_squares('spent * 100'), 'count(*)') }} / 100
    from followed
    where currency is not null
    group by grouping sets ((month_start, is_followed, nps_class, currency), (month_start, is_followed, nps_class, currency, segment))
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
    from measured
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
