{#-
    Journeys and the contacts we began as records of the KPIs. What lives here: which of them belong to which measure; a
    journey counts on the day its window is over, or the newest days would hold the quick ones only. Not here: what became of a journey (fct_journey), what happened (fct_journey_event), values (int_kpi__cell).
-#}
{{ config(
    touched_key=['object', 'record_key'],
    touches=['measure', 'date_day', 'is_state', 'respondent'],
    touched_by="
        with of_another_preference as (
            select customer_key from {{ touched('dim_customer') }}
            group by customer_key
            having count(distinct coalesce(preferred_channel, '')) > 1
        )
        select 'journey', journey_key from {{ touched('fct_journey') }}
        union select 'event', event_key from {{ touched('fct_journey_event') }}
        union {{ records_moved_by_customers(['object', 'record_key']) }}
        union
        select 'event', event_key from {{ ref('fct_journey_event') }}
        where
            object = 'activity'
            and direction = 'outbound'
            and customer_key <> -1
            and customer_key in (select customer_key from of_another_preference)
    "
) }}

with journeys as (
    select
        journey_key,
        journey,
        customer_key,
        {{ local_date('window_ends_at') }} as ended_on,
        coalesce(first_channel, 'unknown') as channel,
        is_completed,
        n_contacts,
        n_switches
    from {{ ref('fct_journey') }}
    where is_matured and {{ is_touched(["'journey'", 'journey_key']) }}
),

measured as (
    select
        'journey' as object,
        journey_key as record_key,
        'journey_done' as measure,
        customer_key,
        ended_on as date_day,
        case when is_completed then 1 else 0 end as positives,
        channel,
        cast(null as bigint) as touchpoint_key,
        journey
    from journeys
    union all
    select 'journey', journey_key, 'journey_switch', customer_key, ended_on, case when n_switches > 0 then 1 else 0 end, channel, null, journey
    from journeys
    where n_contacts >= 2
    union all
    select
        'event',
        events.event_key,
        'preferred_channel',
        events.customer_key,
        {{ date_of_key('events.date_key') }},
        case when events.channel = customers.preferred_channel then 1 else 0 end,
        coalesce(events.channel, 'unknown'),
        events.touchpoint_key,
        events.journey
    from {{ ref('fct_journey_event') }} as events
    inner join {{ ref('dim_customer') }} as customers on customers.customer_key = events.customer_key
    where
        events.object = 'activity'
        and events.direction = 'outbound'
        and events.customer_key <> -1
        and events.date_key > 0
        and customers.preferred_channel in ('email', 'phone', 'chat', 'sms', 'social', 'app')
        and {{ is_touched(["'event'", 'events.event_key']) }}
),

named as (
    select
        measured.object,
        measured.record_key,
        measured.measure,
        measured.customer_key,
        {{ respondent('measured.customer_key', 'measured.record_key') }} as respondent,
        measured.date_day,
        measured.positives,
        measured.channel,
        case when measured.touchpoint_key is not null then coalesce(touchpoints.touchpoint, 'unknown') end as touchpoint,
        measured.journey
    from measured
    left join {{ ref('dim_touchpoint') }} as touchpoints
        on touchpoints.touchpoint_key = measured.touchpoint_key and touchpoints.touchpoint_key <> -1
)

{{ kpi_records('named', ['object', 'record_key'], ['positives', 'channel', 'touchpoint', 'journey']) }}
