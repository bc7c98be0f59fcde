{#-
    Which journey each event is part of, all events of an owner at once. What lives here: what joins a journey by its record or its
    time. Not here: how leads and anchors make journeys (int_journey__thread), events of no journey, what became of a journey
    (fct_journey).
-#}
{{ config(
    touched_key=['owner', 'owner_key'],
    touches=['event_key'],
    touched_by="select owner, owner_key from {{ touched('int_journey_event__observed') }}"
) }}

with roles as (
    {{ journey_roles() }}
),

events as (
    select
        event_key,
        object,
        source_ref,
        touchpoint_key,
        occurred_at,
        record,
        record_key,
        owner,
        owner_key
    from {{ ref('int_journey_event__observed') }}
    where {{ is_touched(['owner', 'owner_key']) }}
),

leads_and_anchors as (
    select
        event_key, object, source_ref, touchpoint_key, occurred_at, owner, owner_key, journey, named_by
    from {{ ref('int_journey__thread') }}
    where {{ is_touched(['owner', 'owner_key']) }}
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
        from leads_and_anchors
        where object in ('order', 'ticket')
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
),

starts as (
    select
        bound.owner_key,
        bound.journey,
        bound.named_by,
        roles.window_days,
        min(bound.occurred_at) as started_at
    from bound
    inner join roles
        on roles.journey = bound.journey
        and roles.touchpoint_key = bound.touchpoint_key
        and roles.role in ('lead', 'anchor')
    where bound.owner = 'customer' and bound.object <> 'survey_answer'
    group by bound.owner_key, bound.journey, bound.named_by, roles.window_days
),

{#- What names no record belongs to the latest journey that lists it and whose window it falls into. -#}
timely as (
    select
        event_key, object, touchpoint_key, occurred_at, owner, owner_key, journey, named_by
    from (
        select
            events.event_key,
            events.object,
            events.touchpoint_key,
            events.occurred_at,
            events.owner,
            events.owner_key,
            starts.journey,
            starts.named_by,
            row_number() over (
                partition by events.event_key order by starts.started_at desc, starts.journey, starts.named_by
            ) as recency
        from events
        inner join roles
            on roles.touchpoint_key = events.touchpoint_key
            and (events.object = 'survey_answer' or roles.role not in ('lead', 'anchor'))
        inner join starts
            on starts.owner_key = events.owner_key
            and starts.journey = roles.journey
            and starts.started_at <= events.occurred_at
            and events.occurred_at <= {{ after_days('starts.started_at', 'starts.window_days') }}
        where events.owner = 'customer' and events.record is null
    ) as ranked
    where recency = 1
),

members as (
    select * from bound
    union all
    select * from timely
),

final as (
    select
        members.event_key,
        members.owner,
        members.owner_key,
        {{ surrogate_key(["'journey'", 'members.named_by']) }} as journey_key,
        members.journey,
        case when members.object <> 'survey_answer' then roles.step end as step,
        cast(row_number() over (partition by members.named_by order by members.occurred_at, members.event_key) as integer) as seq_no
    from members
    left join roles on roles.journey = members.journey and roles.touchpoint_key = members.touchpoint_key
)

select * from final
