{#-
    What a night touches of journeys. What lives here: the touched_by of int_journey__thread and int_journey__membership. Not here: how
    events become journeys (these models), what touches maps and ways (map_touched.sql, ways.sql).
-#}

{#-
    Leads and anchors: those of events that came, went or changed, and all of the journeys next to them. What lies further away than the
    pause that ends a journey cannot become part of it, nor leave it. Where nothing is told of a pause or of a time, everything is near.
-#}
{%- macro touched_threads() -%}
    with roles as (
        {{ journey_roles() }}
    ),
    moved as (
        select
            events.event_key, events.object, events.source_ref, events.owner, events.owner_key, events.occurred_at,
            roles.journey, roles.unit, roles.gap_days
        from {{ touched('int_journey_event__observed') }} as events
        inner join roles on roles.touchpoint_key = events.touchpoint_key and roles.role in ('lead', 'anchor')
    ),
    near as (
        select distinct threads.journey, threads.named_by
        from {{ this }} as threads
        inner join moved
            on {{ equal_columns('moved', 'threads', ['journey', 'owner', 'owner_key']) }}
            and (moved.unit <> 'record' or {{ equal_columns('moved', 'threads', ['object', 'source_ref']) }})
            and coalesce(threads.occurred_at <= {{ after_days('moved.occurred_at', 'moved.gap_days') }}, true)
            and coalesce(moved.occurred_at <= {{ after_days('threads.occurred_at', 'moved.gap_days') }}, true)
    )
    select journey, event_key from moved
    union
    select threads.journey, threads.event_key
    from {{ this }} as threads
    inner join near on {{ equal_columns('near', 'threads', ['journey', 'named_by']) }}
{%- endmacro -%}

{#-
    Journeys: those of events that are bound to another one, come in or go. What joins by its time may change its journey where one begins or
    began at another time; both the journey it is in and each that it may come into are touched then.
-#}
{%- macro touched_memberships() -%}
    with roles as (
        {{ journey_roles() }}
    ),
    moved as (
        select distinct owner, owner_key, journey, journey_key, occurred_at from {{ touched('int_journey__bound') }}
    ),
    {#- A journey began at one of its events, which moved or did not. #}
    moments as (
        select owner_key, journey, occurred_at from moved where owner = 'customer'
        union
        select owner_key, journey, occurred_at
        from {{ ref('int_journey__bound') }}
        where owner = 'customer' and journey_key in (select journey_key from moved)
    ),
    windows as (
        select distinct moments.owner_key, moments.journey, moments.occurred_at, kinds.window_days
        from moments
        inner join {{ ref('journeys') }} as kinds on kinds.journey = moments.journey
    ),
    moved_events as (
        select events.event_key, events.owner_key, events.journey, events.occurred_at
        from ({{ events_without_record() }}) as events
        inner join windows
            on {{ equal_columns('windows', 'events', ['owner_key', 'journey']) }}
            and events.occurred_at between windows.occurred_at and {{ after_days('windows.occurred_at', 'windows.window_days') }}
        union
        select events.event_key, events.owner_key, events.journey, events.occurred_at
        from ({{ events_without_record() }}) as events
        where events.event_key in (select event_key from {{ touched('int_journey_event__observed') }})
    )
    select journey_key from moved
    union
    select journey_key
    from {{ this }}
    where event_key in (select event_key from moved_events union select event_key from {{ touched('int_journey_event__observed') }})
    union
    select bound.journey_key
    from {{ ref('int_journey__bound') }} as bound
    inner join moved_events on {{ equal_columns('moved_events', 'bound', ['owner_key', 'journey']) }}
    inner join {{ ref('journeys') }} as kinds on kinds.journey = bound.journey
    where
        bound.owner = 'customer'
        and moved_events.occurred_at between bound.occurred_at and {{ after_days('bound.occurred_at', 'kinds.window_days') }}
{%- endmacro -%}

{#- A select statement: events of customers that name no record, with each kind of journey that lists them: those that join by their time. -#}
{%- macro events_without_record() -%}
    select
        events.event_key,
        events.object,
        events.touchpoint_key,
        events.occurred_at,
        events.owner,
        events.owner_key,
        roles.journey
    from {{ ref('int_journey_event__observed') }} as events
    inner join roles
        on roles.touchpoint_key = events.touchpoint_key
        and (events.object = 'survey_answer' or roles.role not in ('lead', 'anchor'))
    where events.owner = 'customer' and events.record is null
{%- endmacro -%}
