{#-
    When the steps of each journey were reached. What lives here: its beginning, its window, its steps and its exit. Not here: whether the
    window is over (fct_journey), which events are part of it (fct_journey_event), how it felt (int_journey__experience).
-#}
{{ config(
    touched_key=['journey_key'],
    touched_by="select journey_key from {{ touched('fct_journey_event') }} where journey_key <> -1"
) }}

{%- set places = range(1, steps_per_journey() + 1) %}

with kinds as (
    {{ steps_in_a_row() }}
),

events as (
    {{ events_of_journeys(['journey', 'customer_key', 'step', 'seq_no', 'object', 'channel', 'occurred_at']) }}
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
)

select
    sized.journey_key,
    sized.journey,
    sized.customer_key,
    sized.started_at,
    sized.window_ends_at,
    sized.last_event_at,
    sized.n_events,
    {% for place in places -%}
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
    beginnings.first_channel,
    exits.exit_reason,
    exits.exited_at,
    case {% for place in places | reverse %}when step_times.step_{{ place }}_at <= exits.exited_at then sized.step_{{ place }} {% endfor %}end as step_at_exit
from sized
inner join step_times on step_times.journey_key = sized.journey_key
inner join beginnings on beginnings.journey_key = sized.journey_key
left join exits on exits.journey_key = sized.journey_key
