{#-
    The ways customers really go: from which touchpoint to which, how often and how fast. What lives here: consecutive
    events, in journeys of each kind and in the whole journey (`customer`). Not here: steps, rates and scores (mart_journey_map).

    A journey's way counts in the month it started in. In the whole journey a way is any two events of a known customer
    within 30 days, and counts in the month of the first; what nothing came before or after for 30 days is a start or an
    end. A journey that is still open has no end yet, neither has a customer whose 30 days have not passed.

    Longer than 150 lines: ways in journeys of each kind and in the whole journey are counted, hidden and ranked by the same
    rules, so they stay together.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    touched_key=['period', 'period_start'],
    touched_by="{{ touched_journey_periods(by_segment=false) }}"
) }}

{%- set days_between_events = 30 -%}
{%- set shown_ways = 50 -%}
{%- set way_columns = ['journey', 'period', 'period_start', 'from_touchpoint', 'to_touchpoint'] %}

with night as (
    select as_of, {{ end_of_local_day('as_of') }} as ends_at from {{ night() }}
),

period_days as (
    {{ period_days() }}
),

{#- An event before the first day can be what the first event of a period came from, so a month more is read. -#}
bounds as (
    select
        {{ date_key(plus_days(date_of_key('min(period_days.date_key)'), -days_between_events - 1)) }} as first_key,
        max({{ date_key('night.as_of') }}) as last_key
    from period_days
    cross join night
),

journeys as (
    select
        journey_key,
        start_date_key,
        case when customer_key = -1 then -1 - journey_key else customer_key end as respondent,
        is_open
    from {{ ref('fct_journey') }}
    where start_date_key in (select date_key from period_days)
),

events as (
    select
        events.journey,
        events.journey_key as thread,
        journeys.start_date_key as date_key,
        journeys.respondent,
        touchpoints.touchpoint,
        events.occurred_at,
        events.event_key,
        not journeys.is_open as can_end
    from {{ ref('fct_journey_event') }} as events
    inner join journeys on journeys.journey_key = events.journey_key
    inner join {{ ref('dim_touchpoint') }} as touchpoints on touchpoints.touchpoint_key = events.touchpoint_key
    union all
    select
        'customer',
        events.customer_key,
        events.date_key,
        events.customer_key,
        touchpoints.touchpoint,
        events.occurred_at,
        events.event_key,
        {{ after_days('events.occurred_at', days_between_events) }} <= night.ends_at
    from {{ ref('fct_journey_event') }} as events
    cross join night
    inner join bounds on events.date_key between bounds.first_key and bounds.last_key
    inner join {{ ref('dim_touchpoint') }} as touchpoints on touchpoints.touchpoint_key = events.touchpoint_key
    where events.customer_key <> -1
),

lined_up as (
    select
        journey,
        date_key,
        respondent,
        touchpoint,
        occurred_at,
        can_end,
        lag(occurred_at) over way as previous_at,
        lead(occurred_at) over way as next_at,
        lead(touchpoint) over way as next_touchpoint
    from events
    window way as (partition by journey, thread order by occurred_at, event_key)
),

ways as (
    select
        journey, date_key, respondent, touchpoint as from_touchpoint, next_touchpoint as to_touchpoint,
        {{ minutes_between('occurred_at', 'next_at') }} as minutes
    from lined_up
    where next_at is not null and (journey <> 'customer' or next_at <= {{ after_days('occurred_at', days_between_events) }})
    union all
    select journey, date_key, respondent, 'start', touchpoint, cast(null as double)
    from lined_up
    where previous_at is null or (journey = 'customer' and occurred_at > {{ after_days('previous_at', days_between_events) }})
    union all
    select journey, date_key, respondent, touchpoint, 'end', cast(null as double)
    from lined_up
    where can_end and (next_at is null or (journey = 'customer' and next_at > {{ after_days('occurred_at', days_between_events) }}))
),

counted as (
    select
        ways.journey,
        period_days.period,
        period_days.period_start,
        ways.from_touchpoint,
        ways.to_touchpoint,
        count(*) as transitions,
        count(distinct ways.respondent) as customers,
        count(ways.minutes) as timed,
        {{ sorted_values('ways.minutes') }} as sorted_minutes
    from ways
    inner join period_days on period_days.date_key = ways.date_key
    group by ways.journey, period_days.period, period_days.period_start, ways.from_touchpoint, ways.to_touchpoint
),

{#- The months within the last 365 days, whether or not they are worked out again: a way hidden there is hidden in all these days. -#}
months_of_the_year as (
    select
        ways.journey,
        {{ month_of_key('ways.date_key') }} as month_start,
        ways.from_touchpoint,
        ways.to_touchpoint,
        count(distinct ways.respondent) as customers,
        {{ is_small('count(distinct ways.respondent)') }} as hidden
    from ways
    inner join period_days on period_days.date_key = ways.date_key and period_days.period = 'last_365_days'
    where {{ month_of_key('ways.date_key') }} >= period_days.period_start
    group by ways.journey, {{ month_of_key('ways.date_key') }}, ways.from_touchpoint, ways.to_touchpoint
),

{{ hide_another(
    'months_of_the_year', 'hidden_months', ['journey', 'month_start', 'from_touchpoint', 'to_touchpoint', 'customers'],
    ['journey', 'month_start', 'from_touchpoint'], 'to_touchpoint', 'customers'
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
        counted.journey,
        counted.period,
        counted.period_start,
        counted.from_touchpoint,
        counted.to_touchpoint,
        counted.transitions,
        counted.customers,
        cast(counted.transitions as double) / sum(counted.transitions) over (
            partition by counted.journey, counted.period, counted.period_start, counted.from_touchpoint
        ) as share_of_from,
        counted.timed,
        counted.sorted_minutes,
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
        journey,
        period,
        period_start,
        from_touchpoint,
        to_touchpoint,
        {%- for measure in ['transitions', 'customers'] %}
        case when not is_suppressed then {{ measure }} end as {{ measure }},
        {%- endfor %}
        case when not is_suppressed then round(share_of_from, 4) end as share_of_from,
        {%- for name, q in [('p50', 0.5), ('p90', 0.9)] %}
        case when not is_suppressed then round({{ quantile_value('sorted_minutes', 'timed', q) }}, 4) end as minutes_{{ name }},
        {%- endfor %}
        case when not is_suppressed then path_rank end as path_rank,
        is_suppressed
    from ranked
    where path_rank <= {{ shown_ways }}
)

select * from final
