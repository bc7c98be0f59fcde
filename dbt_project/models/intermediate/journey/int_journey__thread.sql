{#-
    How leads and anchors make journeys. What lives here: which of them follow one another in one journey, and what names it. Not
    here: what joins these journeys later (int_journey__bound, int_journey__membership). The kinds of journeys are rows of the seeds
    journeys and journey_touchpoints.

    A pause ends a journey, and so does its anchor. A journey is named by its anchor, or by its first event while it has none.
-#}
{{ config(
    touched_key=['journey', 'event_key'],
    derived_alone=false,
    touches=['object', 'source_ref'],
    touched_by="{{ touched_threads() }}"
) }}

with roles as (
    {{ journey_roles() }}
),

{#- Leads and anchors, in threads. Visits of nobody known are of no thread. -#}
sequence as (
    select
        events.event_key,
        events.object,
        events.source_ref,
        events.touchpoint_key,
        events.occurred_at,
        events.owner,
        events.owner_key,
        roles.journey,
        roles.role,
        roles.gap_days,
        case when roles.unit = 'customer_topic' then events.topic end as thread_topic,
        case when roles.unit = 'record' then events.object end as thread_object,
        case when roles.unit = 'record' then events.source_ref end as thread_ref
    from {{ ref('int_journey_event__observed') }} as events
    inner join roles on roles.touchpoint_key = events.touchpoint_key and roles.role in ('lead', 'anchor')
    where
        {{ is_touched(['roles.journey', 'events.event_key']) }}
        and events.object <> 'survey_answer'
        and (events.object <> 'activity' or events.record is null)
        and (events.owner = 'customer' or roles.role = 'anchor' or events.object in ('order', 'ticket'))
),

compared as (
    select
        event_key,
        object,
        source_ref,
        touchpoint_key,
        occurred_at,
        owner,
        owner_key,
        journey,
        role,
        thread_topic,
        thread_object,
        thread_ref,
        case
            when lag(role) over thread = 'lead' and not coalesce(occurred_at > {{ after_days('lag(occurred_at) over thread', 'gap_days') }}, false) then 0
            else 1
        end as is_beginning
    from sequence
    window thread as (
        partition by journey, owner, owner_key, thread_topic, thread_object, thread_ref
        order by occurred_at, event_key
    )
),

numbered as (
    select
        event_key,
        object,
        source_ref,
        touchpoint_key,
        occurred_at,
        owner,
        owner_key,
        journey,
        role,
        is_beginning,
        thread_topic,
        thread_object,
        thread_ref,
        sum(is_beginning) over (
            partition by journey, owner, owner_key, thread_topic, thread_object, thread_ref
            order by occurred_at, event_key
            rows between unbounded preceding and current row
        ) as journey_no
    from compared
)

select
    event_key,
    object,
    source_ref,
    touchpoint_key,
    occurred_at,
    owner,
    owner_key,
    journey,
    coalesce(
        max(case when role = 'anchor' then event_key end) over within_journey,
        max(case when is_beginning = 1 then event_key end) over within_journey
    ) as named_by
from numbered
window within_journey as (
    partition by journey, owner, owner_key, thread_topic, thread_object, thread_ref, journey_no
)
