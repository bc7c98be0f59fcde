{#-
    The ways customers really go: from which touchpoint to which, how often and how fast. What lives here: the most frequent ways of
    each kind of journey and of the whole journey (`customer`), which of them are hidden. Not here: what a way is
    (int_journey_path__journey_way, int_journey_path__customer_way), how often it was taken (int_journey_path__cell), steps, rates and
    scores (mart_journey_map).
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    touched_key=['period', 'period_start'],
    touched_by="
        select period, month_start from {{ touched('int_journey_path__cell') }} where period = 'month'
        union
        select 'last_365_days', {{ plus_days('as_of', -364) }} from {{ night() }}
        union
        select period, period_start from {{ this }} where period = 'last_365_days'
    "
) }}

{%- set shown_ways = 50 -%}
{%- set way_columns = ['journey', 'period', 'period_start', 'from_touchpoint', 'to_touchpoint'] %}

with night as (
    select {{ plus_days('as_of', -364) }} as first_day from {{ night() }}
),

stops as (
    {{ stops() }}
),

named as (
    select
        cells.journey,
        cells.period,
        coalesce(cells.month_start, night.first_day) as period_start,
        origins.touchpoint as from_touchpoint,
        goals.touchpoint as to_touchpoint,
        cells.transitions,
        cells.customers,
        cells.minutes_p50,
        cells.minutes_p90
    from {{ ref('int_journey_path__cell') }} as cells
    cross join night
    inner join stops as origins on origins.stop = cells.from_stop
    inner join stops as goals on goals.stop = cells.to_stop
),

counted as (
    select * from named where {{ is_touched(['period', 'period_start']) }}
),

{#- The months within the last 365 days, whether or not they are worked out again: a way hidden there is hidden in all these days. -#}
months_of_the_year as (
    select
        named.journey,
        named.period_start,
        named.from_touchpoint,
        named.to_touchpoint,
        named.customers,
        {{ is_small('named.customers') }} as hidden
    from named
    inner join night on named.period_start >= night.first_day
    where named.period = 'month'
),

{{ hide_another(
    'months_of_the_year', 'hidden_months', ['journey', 'period_start', 'from_touchpoint', 'to_touchpoint', 'customers'],
    ['journey', 'period_start', 'from_touchpoint'], 'to_touchpoint', 'customers'
) }},

cells as (
    select
        {{ way_columns | join(', ') }},
        customers,
        {{ is_small('customers') }} or (
            period <> 'month'
            and exists (
                select 1 from hidden_months as months
                where {{ equal_columns('months', 'counted', ['journey', 'from_touchpoint', 'to_touchpoint']) }} and months.hidden
            )
        ) as hidden
    from counted
),

{{ hide_another('cells', 'hidden_cells', way_columns + ['customers'], way_columns[:-1], 'to_touchpoint', 'customers') }},

ranked as (
    select
        {{ columns_of('counted', way_columns) }},
        counted.transitions,
        counted.customers,
        cast(counted.transitions as double) / sum(counted.transitions) over (
            partition by counted.journey, counted.period, counted.period_start, counted.from_touchpoint
        ) as share_of_from,
        counted.minutes_p50,
        counted.minutes_p90,
        cast(row_number() over (
            partition by counted.journey, counted.period, counted.period_start
            order by counted.transitions desc, counted.from_touchpoint, counted.to_touchpoint
        ) as integer) as path_rank,
        hidden_cells.hidden as is_suppressed
    from counted
    inner join hidden_cells
        on {{ equal_columns('hidden_cells', 'counted', way_columns) }}
),

final as (
    select
        {{ way_columns | join(', ') }},
        {%- for measure in ['transitions', 'customers'] %}
        case when not is_suppressed then {{ measure }} end as {{ measure }},
        {%- endfor %}
        {%- for measure in ['share_of_from', 'minutes_p50', 'minutes_p90'] %}
        case when not is_suppressed then round({{ measure }}, 4) end as {{ measure }},
        {%- endfor %}
        case when not is_suppressed then path_rank end as path_rank,
        is_suppressed
    from ranked
    where path_rank <= {{ shown_ways }}
)

select * from final
