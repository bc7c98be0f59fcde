{#-
    What became of customers later, counted in all and by segment. What lives here: what they spent in the 90 days after a score, and what their
    contracts bring a year later. Not here: where they stand at the end of a month (int_customer_value__standing), what may be shown
    (mart_customer_value).

    The score comes before the spending: those who stood as promoters at the end of a month are watched for the 90 days that
    follow it, and nothing is said before these have passed.
-#}
{{ config(
    touched_key=['month_start'],
    touched_by="{{ touched_followed_months() }}"
) }}

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
        months.net_amount_365_days,
        months.nps_class,
        months.has_contract,
        months.cohort_month,
        {{ month_end('months.month_start') }} as month_end,
        {{ plus_days(month_end('months.month_start'), following_days()) }} <= night.as_of as is_followed
    from {{ ref('fct_customer_month') }} as months
    cross join night
    where {{ is_touched(['months.month_start']) }}
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
    from customers as scored
    left join {{ ref('fct_order') }} as orders
        on orders.customer_key = scored.customer_key
        and orders.is_counted
        and {{ date_of_key('orders.ordered_date_key') }} > scored.month_end
        and {{ date_of_key('orders.ordered_date_key') }} <= {{ plus_days('scored.month_end', following_days()) }}
    where scored.nps_class is not null
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
)

{% for kind in ['gross', 'net'] -%}
select
    month_start,
    segment,
    '{{ kind }}_revenue_retention' as metric,
    'ratio' as method,
    'all' as member,
    currency,
    true as is_matured,
    cast({{ kind }}_amount as double) as numerator,
    cast(start_amount as double) as denominator,
    n,
    cast(null as double) as margin
from revenue_retention
union all
{% endfor -%}
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
