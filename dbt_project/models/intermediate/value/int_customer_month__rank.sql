{#-
    Where a customer stands among the others at the end of each month. What lives here: RFM scores among those with an order in two years, the
    place by revenue among those with revenue in one. Not here: orders and amounts (int_customer_month__standing).

    One who moves may move all of the month, so a month is ranked again whole.
-#}
{{ config(
    touched_key=['month_start'],
    touches=['customer_key'],
    touched_by="select month_start from {{ touched('int_customer_month__standing') }}"
) }}

with stood as (
    select
        customer_key,
        month_start,
        currency,
        last_ordered_on,
        orders_730_days,
        net_amount_730_days,
        net_amount_365_days
    from {{ ref('int_customer_month__standing') }}
    where orders_730_days > 0 and {{ is_touched(['month_start']) }}
),

ranked as (
    select
        customer_key,
        month_start,
        count(*) over (partition by month_start) as ranked,
        count(*) over (partition by month_start, currency) as ranked_of_currency,
        rank() over (partition by month_start order by last_ordered_on) as recency_place,
        rank() over (partition by month_start order by orders_730_days) as frequency_place,
        rank() over (partition by month_start, currency order by net_amount_730_days) as monetary_place
    from stood
),

scored as (
    select
        customer_key,
        month_start,
        {{ rfm_bins('ranked') }} as bins,
        {{ rfm_score('recency_place', 'ranked', rfm_bins('ranked')) }} as r_score,
        {{ rfm_score('frequency_place', 'ranked', rfm_bins('ranked')) }} as f_score,
        {{ rfm_score('monetary_place', 'ranked_of_currency', rfm_bins('ranked')) }} as m_score
    from ranked
),

{#- The name of a combination of scores is that of the first rule, by priority, that fits. -#}
fitting as (
    select
        scores.bins,
        scores.r_score,
        scores.f_score,
        scores.m_score,
        min(rules.priority) as priority
    from (select distinct bins, r_score, f_score, m_score from scored) as scores
    inner join {{ ref('rfm_segments') }} as rules
        on rules.bins = scores.bins
        and scores.r_score between rules.min_r and rules.max_r
        and scores.f_score between rules.min_f and rules.max_f
        and scores.m_score between rules.min_m and rules.max_m
    group by scores.bins, scores.r_score, scores.f_score, scores.m_score
),

{#- Revenue within a year needs an order in it, so all of these are ranked above, too. -#}
pareto as (
    select
        customer_key,
        month_start,
        row_number() over (partition by month_start, currency order by net_amount_365_days desc, customer_key) as pareto_rank,
        count(*) over (partition by month_start, currency) as ranked
    from stood
    where net_amount_365_days > 0
)

select
    scored.customer_key,
    scored.month_start,
    scored.r_score,
    scored.f_score,
    scored.m_score,
    rules.rfm_segment,
    pareto.pareto_rank,
    coalesce({{ is_top_fifth('pareto.pareto_rank', 'pareto.ranked') }}, false) as is_top_20pct
from scored
left join fitting
    on fitting.bins = scored.bins
    and fitting.r_score = scored.r_score
    and fitting.f_score = scored.f_score
    and fitting.m_score = scored.m_score
left join {{ ref('rfm_segments') }} as rules on rules.bins = fitting.bins and rules.priority = fitting.priority
left join pareto on pareto.customer_key = scored.customer_key and pareto.month_start = scored.month_start
