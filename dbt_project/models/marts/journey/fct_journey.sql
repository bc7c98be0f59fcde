{#-
    What became of each journey. What lives here: when its steps were reached, whether it was completed, dropped or left,
    its contacts, switches and hand-offs, and how it felt at its best, its worst and its end. Not here: which events are part
    of it (fct_journey_event), rates and times over many journeys (mart_journey_map).

    A journey is dropped only after its window has elapsed. Answers never reach a step. Scores of different scales are never
    blended: each score comes with its scale.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    touched_key=['journey_key'],
    touches=['journey', 'customer_key', 'start_date_key'],
    touched_by="
        select journey_key from {{ touched('fct_journey_event') }} where journey_key <> -1
        union
        select journey_key from {{ ref('fct_journey_event') }}
        where object = 'ticket' and journey_key <> -1 and source_ref in (select ticket_key from {{ touched('fct_ticket') }})
        union
        select journeys.journey_key from {{ this }} as journeys
        cross join {{ night() }} as night
        where journeys.is_matured <> (journeys.window_ends_at <= {{ end_of_local_day('night.as_of') }})
    "
) }}

{%- set places = range(1, steps_per_journey() + 1) %}

with night as (
    select {{ end_of_local_day('as_of') }} as ends_at from {{ night() }}
),

roles as (
    {{ journey_roles() }}
),

kinds as (
    {{ steps_in_a_row() }}
),

events as (
    select
        events.journey_key,
        events.journey,
        events.event_key,
        events.customer_key,
        events.touchpoint_key,
        events.step,
        events.seq_no,
        events.object,
        events.source_ref,
        events.channel,
        events.direction,
        events.occurred_at,
        events.score_scale,
        events.score_norm,
        roles.touchpoint,
        roles.window_days,
        case when events.object <> 'survey_answer' then roles.role else 'answer' end as role
    from {{ ref('fct_journey_event') }} as events
    left join roles on roles.journey = events.journey and roles.touchpoint_key = events.touchpoint_key
    where events.journey_key <> -1 and {{ is_touched(['events.journey_key']) }}
),

{#- Whose a journey is says its record; where it has none, its visits, which are all of one customer. -#}
journeys as (
    select
        events.journey_key,
        events.journey,
        coalesce(
            max(case when events.object in ('order', 'ticket', 'contact') then events.customer_key end),
            max(case when events.role in ('lead', 'anchor') then events.customer_key end)
        ) as customer_key,
        min(case when events.role in ('lead', 'anchor') then events.occurred_at end) as started_at,
        max(case when events.role in ('lead', 'anchor') then events.window_days end) as window_days,
        max(events.occurred_at) as last_event_at,
        cast(count(*) as integer) as n_events
    from events
    group by events.journey_key, events.journey
),

sized as (
    select
        journeys.journey_key,
        journeys.journey,
        journeys.customer_key,
        journeys.started_at,
        {{ after_days('journeys.started_at', 'journeys.window_days') }} as window_ends_at,
        journeys.last_event_at,
        journeys.n_events,
        {% for place in places -%}
        kinds.step_{{ place }},
        kinds.is_required_{{ place }},
        {% endfor -%}
        kinds.order_mode
    from journeys
    inner join kinds on kinds.journey = journeys.journey
),

step_events as (
    select
        events.journey_key,
        steps.order_mode,
        steps.step_order,
        steps.is_required,
        events.occurred_at
    from events
    inner join {{ ref('dim_journey_step') }} as steps on steps.journey = events.journey and steps.step = events.step
),

{{ step_times_ctes('sized', 'step_events') }},

contacts as (
    select
        journey_key,
        cast(count(*) as integer) as n_contacts,
        cast(count(distinct case when channel <> 'unknown' then channel end) as integer) as n_channels,
        cast(sum(case when channel <> previous_channel and channel <> 'unknown' and previous_channel <> 'unknown' then 1 else 0 end) as integer)
            as n_switches
    from (
        select
            journey_key,
            channel,
            lag(channel) over (partition by journey_key order by seq_no) as previous_channel
        from events
        where direction = 'inbound' and role in ('lead', 'anchor')
    ) as compared
    group by journey_key
),

beginnings as (
    select journey_key, channel as first_channel
    from (
        select journey_key, channel, row_number() over (partition by journey_key order by seq_no) as place
        from events
        where role in ('lead', 'anchor')
    ) as ranked
    where place = 1
),

exits as (
    select journey_key, touchpoint as exit_reason, occurred_at as exited_at
    from (
        select journey_key, touchpoint, occurred_at, row_number() over (partition by journey_key order by seq_no) as place
        from events
        where role = 'exit'
    ) as ranked
    where place = 1
),

{#- A person who answers after a machine has taken over from it. -#}
hand_overs as (
    select
        journey_tickets.journey_key,
        cast(sum(
            coalesce(tickets.reassignments, 0) + case when tickets.first_reply_at > tickets.first_automated_reply_at then 1 else 0 end
        ) as integer) as n_handoffs
    from (select distinct journey_key, source_ref from events where object = 'ticket') as journey_tickets
    inner join {{ ref('fct_ticket') }} as tickets on tickets.ticket_key = journey_tickets.source_ref
    group by journey_tickets.journey_key
),

scores as (
    select
        journey_key,
        {% for name in ['peak', 'trough', 'end'] -%}
        max(case when {{ name }}_place = 1 then score_norm end) as {{ name }}_score,
        max(case when {{ name }}_place = 1 then touchpoint_key end) as {{ name }}_touchpoint_key,
        max(case when {{ name }}_place = 1 then score_scale end) as {{ name }}_scale{{ ',' if not loop.last }}
        {% endfor -%}
    from (
        select
            journey_key,
            score_norm,
            touchpoint_key,
            score_scale,
            row_number() over (partition by journey_key order by score_norm desc, seq_no) as peak_place,
            row_number() over (partition by journey_key order by score_norm, seq_no) as trough_place,
            row_number() over (partition by journey_key order by seq_no desc) as end_place
        from events
        where role = 'answer' and score_norm is not null
    ) as ranked
    group by journey_key
),

timed as (
    select
        sized.journey_key,
        sized.journey,
        sized.customer_key,
        sized.started_at,
        sized.window_ends_at,
        sized.last_event_at,
        sized.n_events,
        {% for place in places -%}
        sized.step_{{ place }},
        step_times.step_{{ place }}_at,
        {% endfor -%}
        {% for place in places -%}
        case when step_times.step_{{ place }}_at is not null then 1 else 0 end{{ ' + ' if not loop.last }}
        {%- endfor %} as steps_reached,
        case {% for place in places | reverse %}when step_times.step_{{ place }}_at is not null then sized.step_{{ place }} {% endfor %}end as current_step,
        {% for place in places -%}
        (not sized.is_required_{{ place }} or coalesce(step_times.step_{{ place }}_at <= sized.window_ends_at, false)){{ ' and ' if not loop.last }}
        {%- endfor %} as is_completed,
        {#- Only asked of completed journeys, where every required step has a time. #}
        greatest(
            {% for place in places -%}
            case when sized.is_required_{{ place }} then step_times.step_{{ place }}_at else cast('0001-01-01 00:00:00+00' as timestamptz) end{{ ', ' if not loop.last }}
            {%- endfor %}
        ) as last_required_at,
        sized.window_ends_at <= night.ends_at as is_matured,
        exits.exit_reason,
        exits.exited_at,
        case {% for place in places | reverse %}when step_times.step_{{ place }}_at <= exits.exited_at then sized.step_{{ place }} {% endfor %}end as step_at_exit
    from sized
    cross join night
    inner join step_times on step_times.journey_key = sized.journey_key
    left join exits on exits.journey_key = sized.journey_key
),

final as (
    select
        timed.journey_key,
        timed.journey,
        timed.customer_key,
        timed.started_at,
        {{ local_date_key('timed.started_at') }} as start_date_key,
        timed.window_ends_at,
        timed.last_event_at,
        {% for place in places -%}
        timed.step_{{ place }}_at,
        {% endfor -%}
        cast(timed.steps_reached as integer) as steps_reached,
        timed.current_step,
        timed.is_completed,
        case when timed.is_completed then timed.last_required_at end as completed_at,
        case when timed.is_completed then round({{ minutes_between('timed.started_at', 'timed.last_required_at') }}, 4) end as minutes_to_complete,
        timed.is_matured,
        not timed.is_completed and timed.exited_at is null and not timed.is_matured as is_open,
        case
            when timed.exited_at is not null then timed.step_at_exit
            when timed.is_matured and not timed.is_completed then timed.current_step
        end as exit_step,
        case
            when timed.exited_at is not null then timed.exit_reason
            when timed.is_matured and not timed.is_completed then 'dropped'
        end as exit_reason,
        timed.exited_at,
        timed.n_events,
        coalesce(contacts.n_contacts, 0) as n_contacts,
        coalesce(contacts.n_channels, 0) as n_channels,
        coalesce(contacts.n_switches, 0) as n_switches,
        coalesce(hand_overs.n_handoffs, 0) as n_handoffs,
        beginnings.first_channel,
        {% for name in ['peak', 'trough', 'end'] -%}
        scores.{{ name }}_score,
        coalesce(scores.{{ name }}_touchpoint_key, -1) as {{ name }}_touchpoint_key,
        scores.{{ name }}_scale{{ ',' if not loop.last }}
        {% endfor -%}
    from timed
    inner join beginnings on beginnings.journey_key = timed.journey_key
    left join contacts on contacts.journey_key = timed.journey_key
    left join hand_overs on hand_overs.journey_key = timed.journey_key
    left join scores on scores.journey_key = timed.journey_key
)

select * from final
