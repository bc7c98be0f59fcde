{#-
    What is part of a journey by itself or by its record, whenever it was. What lives here: leads and anchors with their journey, and
    the events that name a record which has one. Not here: how leads and anchors make journeys (int_journey__thread), what joins by its
    time (int_journey__membership).
-#}
{{ config(
    touched_key=['event_key'],
    touches=['owner', 'owner_key', 'journey', 'journey_key', 'occurred_at'],
    touched_by="
        select event_key from {{ touched('int_journey_event__observed') }}
        union
        select event_key from {{ touched('int_journey__thread') }}
        union
        select events.event_key
        from {{ ref('int_journey_event__observed') }} as events
        inner join {{ touched('int_journey__thread') }} as threads
            on threads.object = events.record
            and threads.source_ref = events.record_key
    "
) }}

with events as (
    select
        event_key,
        object,
        touchpoint_key,
        occurred_at,
        record,
        record_key,
        owner,
        owner_key
    from {{ ref('int_journey_event__observed') }}
    where {{ is_touched(['event_key']) }}
),

leads_and_anchors as (
    select
        event_key, object, touchpoint_key, occurred_at, owner, owner_key, journey, named_by
    from {{ ref('int_journey__thread') }}
    where {{ is_touched(['event_key']) }}
),

{#- The journey of a record is that of its first lead or anchor. -#}
records as (
    select
        object as record,
        source_ref as record_key,
        journey,
        named_by
    from (
        select
            object,
            source_ref,
            journey,
            named_by,
            row_number() over (partition by object, source_ref order by occurred_at, event_key) as place
        from {{ ref('int_journey__thread') }} as threads
        where
            object in ('order', 'ticket')
            {%- if is_incremental() %}
            and exists (select 1 from events where events.record = threads.object and events.record_key = threads.source_ref)
            {%- endif %}
    ) as ranked
    where place = 1
),

bound as (
    select
        event_key, object, touchpoint_key, occurred_at, owner, owner_key, journey, named_by
    from leads_and_anchors
    union all
    select
        events.event_key,
        events.object,
        events.touchpoint_key,
        events.occurred_at,
        events.owner,
        events.owner_key,
        records.journey,
        records.named_by
    from events
    inner join records on records.record = events.record and records.record_key = events.record_key
    where events.event_key not in (select event_key from leads_and_anchors)
)

select
    event_key,
    object,
    touchpoint_key,
    occurred_at,
    owner,
    owner_key,
    journey,
    named_by,
    {{ surrogate_key(["'journey'", 'named_by']) }} as journey_key
from bound
