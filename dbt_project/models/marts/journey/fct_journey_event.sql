{#-
    What happened between customers and the company, in one list, and which journey it was part of. What lives here: every
    observed event, with its place in its journey. Not here: what counts as an event (int_journey_event__observed), how
    events become journeys (int_journey__membership), what became of a journey (fct_journey).
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    touched_key=['event_key'],
    touches=['object', 'source_ref', 'date_key', 'customer_key', 'journey_key', 'touchpoint_key'],
    touched_by="
        select event_key from {{ touched('int_journey_event__observed') }}
        union select event_key from {{ touched('int_journey__membership') }}
    "
) }}

with events as (
    select
        events.event_key,
        events.customer_key,
        events.touchpoint_key,
        members.journey_key,
        members.journey,
        members.step,
        members.seq_no,
        events.object,
        events.event,
        events.source_ref,
        events.system,
        events.channel,
        events.direction,
        touchpoints.channel_class,
        events.occurred_at,
        events.metric,
        events.score_scale,
        events.score_norm,
        events.answer_class
    from {{ ref('int_journey_event__observed') }} as events
    left join {{ ref('int_journey__membership') }} as members on members.event_key = events.event_key
    left join {{ ref('dim_touchpoint') }} as touchpoints on touchpoints.touchpoint_key = events.touchpoint_key
    where {{ is_touched(['events.event_key']) }}
),

final as (
    select
        event_key,
        customer_key,
        touchpoint_key,
        coalesce(journey_key, -1) as journey_key,
        coalesce(journey, 'none') as journey,
        step,
        seq_no,
        object,
        event,
        source_ref,
        system,
        channel,
        direction,
        case when event = 'first_automated_reply' then 'automated' else coalesce(channel_class, 'unknown') end as handled_by,
        occurred_at,
        {{ local_date_key('occurred_at') }} as date_key,
        metric,
        score_scale,
        score_norm,
        answer_class
    from events
)

select * from final
