{#-
    Which journey each event is part of, all events of a journey at once. What lives here: what joins a journey by its time, and the
    order of events in it. Not here: what is part of it by itself or by its record (int_journey__bound), events of no journey, what
    became of a journey (fct_journey).
-#}
{{ config(
    touched_key=['journey_key'],
    touches=['event_key'],
    touched_by="{{ touched_memberships() }}"
) }}

with roles as (
    {{ journey_roles() }}
),

bound as (
    select
        event_key, object, touchpoint_key, occurred_at, owner, owner_key, journey, journey_key
    from {{ ref('int_journey__bound') }}
    where {{ is_touched(['journey_key']) }}
),

{#- All journeys of these customers, touched or not: an event joins the latest. -#}
starts as (
    select
        bound.owner_key,
        bound.journey,
        bound.named_by,
        bound.journey_key,
        roles.window_days,
        min(bound.occurred_at) as started_at
    from {{ ref('int_journey__bound') }} as bound
    inner join roles
        on roles.journey = bound.journey
        and roles.touchpoint_key = bound.touchpoint_key
        and roles.role in ('lead', 'anchor')
    where
        bound.owner = 'customer'
        and bound.object <> 'survey_answer'
        and bound.owner_key in (select owner_key from bound where owner = 'customer')
    group by bound.owner_key, bound.journey, bound.named_by, bound.journey_key, roles.window_days
),

{#- What names no record belongs to the latest journey that lists it and whose window it falls into. -#}
timely as (
    select
        event_key, object, touchpoint_key, occurred_at, owner, owner_key, journey, journey_key
    from (
        select
            events.event_key,
            events.object,
            events.touchpoint_key,
            events.occurred_at,
            events.owner,
            events.owner_key,
            starts.journey,
            starts.journey_key,
            row_number() over (
                partition by events.event_key order by starts.started_at desc, starts.journey, starts.named_by
            ) as recency
        from ({{ events_without_record() }}) as events
        inner join starts
            on starts.owner_key = events.owner_key
            and starts.journey = events.journey
            and starts.started_at <= events.occurred_at
            and events.occurred_at <= {{ after_days('starts.started_at', 'starts.window_days') }}
    ) as ranked
    where recency = 1
),

members as (
    select * from bound
    union all
    select * from timely where {{ is_touched(['journey_key']) }}
),

final as (
    select
        members.event_key,
        members.owner,
        members.owner_key,
        members.journey_key,
        members.journey,
        case when members.object <> 'survey_answer' then roles.step end as step,
        cast(row_number() over (partition by members.journey_key order by members.occurred_at, members.event_key) as integer) as seq_no
    from members
    left join roles on roles.journey = members.journey and roles.touchpoint_key = members.touchpoint_key
)

select * from final
