{#-
    Where customers stand at the end of each month, counted in all and by segment. What lives here: who is active, who buys again, how often they
    come to us and at what cost, on how few the revenue rests. Not here: what became of them later (int_customer_value__followed), what
    may be shown (mart_customer_value).
-#}
{{ config(
    touched_key=['month_start'],
    touched_by="select month_start from {{ touched('fct_customer_month') }}"
) }}

{%- set measures = [
    {'metric': 'active_customers', 'method': 'count', 'numerator': 'active', 'denominator': 'cast(null as bigint)', 'n': 'active'},
    {'metric': 'repeat_purchase_rate_365_days', 'method': 'wilson', 'numerator': 'repeat_365_days', 'denominator': 'active', 'n': 'active'},
    {'metric': 'repeat_purchase_rate_lifetime', 'method': 'wilson', 'numerator': 'repeat_lifetime', 'denominator': 'ever', 'n': 'ever'},
    {'metric': 'contacts_per_100_active', 'method': 'ratio', 'numerator': 'contacts', 'denominator': 'active', 'n': 'active'},
    {'metric': 'referral_share', 'method': 'wilson', 'numerator': 'referred', 'denominator': 'joined', 'n': 'joined'},
] %}
{%- set segment_or_all = "case when grouping(segment) = 1 then 'all' else segment end" %}

with customers as (
    select
        customer_key,
        month_start,
        segment,
        currency,
        is_active,
        orders_365_days,
        net_amount_365_days,
        cumulative_orders,
        contacts,
        cost_to_serve,
        cost_currency,
        case when lifecycle_state = 'new' then 1 else 0 end as is_new,
        case when lifecycle_state = 'new' and is_referral then 1 else 0 end as is_new_by_referral
    from {{ ref('fct_customer_month') }}
    where {{ is_touched(['month_start']) }}
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
)

{% for measure in measures -%}
select
    month_start,
    segment,
    '{{ measure.metric }}' as metric,
    '{{ measure.method }}' as method,
    cast(null as varchar) as currency,
    cast({{ measure.numerator }} as double) as numerator,
    cast({{ measure.denominator }} as double) as denominator,
    cast({{ measure.n }} as bigint) as n
from counts
union all
{% endfor -%}
select month_start, segment, 'cost_to_serve_per_active', 'mean', currency, cast(cost_to_serve as double), cast(active as double), cast(active as bigint)
from costs
union all
select month_start, segment, 'pareto_share', 'ratio', currency, cast(top_revenue as double), cast(revenue as double), cast(with_revenue as bigint)
from concentration
union all
select month_start, segment, 'pareto_share_of_all_buyers', 'ratio', currency, cast(top_revenue_of_all as double), cast(revenue as double), with_orders
from concentration
