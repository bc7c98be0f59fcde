{#-
    The ways within journeys. What lives here: which touchpoint followed which in a journey, and how soon. Not here: ways of a customer
    across journeys (int_journey_path__customer_way), how often a way was taken (int_journey_path__cell).

    All ways of a journey count on the day it started. A journey that is still open has no end yet.
-#}
{{ config(
    touched_key=['journey_key'],
    touches=['journey', 'month_start', 'from_stop', 'to_stop'],
    touched_by="
        select journey_key from {{ touched('fct_journey') }}
        union
        select journey_key from {{ touched('fct_journey_event') }} where journey_key <> -1
    "
) }}

with stops as (
    {{ stops() }}
),

journeys as (
    select
        journey_key,
        journey,
        {{ date_of_key('start_date_key') }} as date_day,
        case when customer_key = -1 then -1 - journey_key else customer_key end as respondent,
        is_open
    from {{ ref('fct_journey') }}
    where {{ is_touched(['journey_key']) }}
),

lined_up as (
    select
        events.journey_key,
        stops.stop,
        events.occurred_at,
        lag(stops.stop) over way as previous_stop,
        lead(stops.stop) over way as next_stop,
        lead(events.occurred_at) over way as next_at
    from {{ ref('fct_journey_event') }} as events
    inner join stops on stops.touchpoint_key = events.touchpoint_key
    where events.journey_key <> -1 and {{ is_touched(['events.journey_key']) }}
    window way as (partition by events.journey_key order by events.occurred_at, events.event_key)
),

ways as (
    select
        journey_key,
        stop as from_stop,
        coalesce(next_stop, {{ stop_after_last() }}) as to_stop,
        {{ seconds_between('occurred_at', 'next_at') }} as seconds
    from lined_up
    union all
    select journey_key, {{ stop_before_first() }}, stop, null
    from lined_up
    where previous_stop is null
)

select
    ways.journey_key,
    journeys.journey,
    journeys.respondent,
    journeys.date_day,
    {{ month_of('journeys.date_day') }} as month_start,
    cast(ways.from_stop as smallint) as from_stop,
    cast(ways.to_stop as smallint) as to_stop,
    ways.seconds
from ways
inner join journeys on journeys.journey_key = ways.journey_key
where ways.to_stop <> {{ stop_after_last() }} or not journeys.is_open
